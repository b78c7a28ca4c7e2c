/*
 * The database as leadqctl uses it: one connection, blocking calls.
 *
 * SQL is written here as in sql/: "leadq" is the schema's name.  Every
 * statement passes ctl_script_rename() on its way.
 */

#ifndef LEADQ_CTL_DB_H
#define LEADQ_CTL_DB_H

#include "ctl_command.h"

#include <libpq-fe.h>
#include <stdio.h>

typedef struct {
    PGconn *conn;       /* owned */
    const char *schema; /* borrowed */
} ctl_db_t;

/* 0, or -1 once the reason is printed; here and below. */
int ctl_db_open(ctl_db_t *db, const ctl_options_t *options)
    __attribute__((warn_unused_result));
void ctl_db_close(ctl_db_t *db);

/*
 * Begins a transaction; as the schema's owner when asked.  A command ends
 * with the first error, and its transaction with the connection.
 */
int ctl_db_begin(ctl_db_t *db, int as_owner)
    __attribute__((warn_unused_result));
int ctl_db_commit(ctl_db_t *db) __attribute__((warn_unused_result));

/*
 * One statement with its parameters.  ctl_db_try() gives whatever the server
 * said, ctl_db_query() a good result or NULL.  Owned by the caller.
 */
PGresult *ctl_db_try(ctl_db_t *db, const char *sql, int n,
                     const char *const *values)
    __attribute__((warn_unused_result));
PGresult *ctl_db_query(ctl_db_t *db, const char *sql, int n,
                       const char *const *values)
    __attribute__((warn_unused_result));

/* As ctl_db_query(), for statements without a result worth keeping. */
int ctl_db_do(ctl_db_t *db, const char *sql, int n, const char *const *values)
    __attribute__((warn_unused_result));

/* Writes what a COPY TO STDOUT gives, whose names are those in force. */
int ctl_db_copy(ctl_db_t *db, const char *sql, FILE *out)
    __attribute__((warn_unused_result));

/*
 * Runs a script inside the transaction begun; path is for messages, which
 * name the line.  Not for scripts that end the transaction.
 */
int ctl_db_script(ctl_db_t *db, const char *path, const char *text)
    __attribute__((warn_unused_result));

/* Prints why a result is bad. */
void ctl_db_report(const ctl_db_t *db, const PGresult *res);

int ctl_db_good(const PGresult *res);

#endif
