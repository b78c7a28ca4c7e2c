#include "ctl_db.h"

#include "ctl_error.h"
#include "ctl_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *
field(const PGresult *res, int code)
{
    const char *value;

    value = PQresultErrorField(res, code);
    return value == NULL ? "" : value;
}

int
ctl_db_good(const PGresult *res)
{
    ExecStatusType status;

    status = PQresultStatus(res);
    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK
           || status == PGRES_EMPTY_QUERY;
}

/* What the server adds to an error; rows of class 23 may hold personal data */
static void
print_details(const PGresult *res)
{
    static const struct {
        int code;
        const char *name;
    } details[] = {
        {PG_DIAG_MESSAGE_DETAIL, "detail"},
        {PG_DIAG_MESSAGE_HINT, "hint"},
        {PG_DIAG_CONTEXT, "context"},
    };
    const char *value;
    size_t i;

    for (i = 0; i < sizeof(details) / sizeof(details[0]); i++) {
        value = field(res, details[i].code);
        if (value[0] == '\0'
            || (details[i].code == PG_DIAG_MESSAGE_DETAIL
                && strncmp(field(res, PG_DIAG_SQLSTATE), "23", 2) == 0))
        {
            continue;
        }
        (void)fprintf(stderr, "    %s: %s\n", details[i].name, value);
    }
}

void
ctl_db_report(const ctl_db_t *db, const PGresult *res)
{
    if (PQresultErrorField(res, PG_DIAG_SQLSTATE) == NULL) {
        (void)ctl_error("%s", PQerrorMessage(db->conn));
        return;
    }
    /* what our own functions refuse is said to people, not to programmers */
    if (strcmp(field(res, PG_DIAG_SQLSTATE), "P0001") == 0) {
        (void)ctl_error("%s", field(res, PG_DIAG_MESSAGE_PRIMARY));
        return;
    }
    (void)ctl_error("%s %s: %s", field(res, PG_DIAG_SEVERITY),
                    field(res, PG_DIAG_SQLSTATE),
                    field(res, PG_DIAG_MESSAGE_PRIMARY));
    print_details(res);
}

/* Only warnings come: see client_min_messages. */
static void
on_notice(void *data, const PGresult *res)
{
    (void)data;
    (void)ctl_error("%s %s: %s", field(res, PG_DIAG_SEVERITY),
                    field(res, PG_DIAG_SQLSTATE),
                    field(res, PG_DIAG_MESSAGE_PRIMARY));
}

int
ctl_db_open(ctl_db_t *db, const ctl_options_t *options)
{
    static const char *const names[] = {"dbname", "client_encoding",
                                        "fallback_application_name", NULL};
    const char *const values[] = {options->database, "UTF8", "leadqctl", NULL};

    db->schema = options->schema;
    db->conn = PQconnectdbParams(names, values, 1);
    if (db->conn == NULL) {
        return ctl_error("no memory");
    }
    if (PQstatus(db->conn) != CONNECTION_OK) {
        (void)ctl_error("%s", PQerrorMessage(db->conn));
        goto failed;
    }
    (void)PQsetNoticeReceiver(db->conn, on_notice, NULL);

    /* A script means the same whoever runs it. */
    if (ctl_db_do(db, "set client_min_messages = warning", 0, NULL) == -1
        || ctl_db_do(db, "set search_path = pg_catalog, pg_temp", 0, NULL)
               == -1)
    {
        goto failed;
    }
    return 0;

failed:
    ctl_db_close(db);
    return -1;
}

void
ctl_db_close(ctl_db_t *db)
{
    PQfinish(db->conn);
    db->conn = NULL;
}

PGresult *
ctl_db_try(ctl_db_t *db, const char *sql, int n, const char *const *values)
{
    PGresult *res;
    char *text;

    text = ctl_script_rename(sql, db->schema);
    if (text == NULL) {
        return PQmakeEmptyPGresult(db->conn, PGRES_FATAL_ERROR);
    }
    res = PQexecParams(db->conn, text, n, NULL, values, NULL, NULL, 0);
    free(text);
    return res;
}

PGresult *
ctl_db_query(ctl_db_t *db, const char *sql, int n, const char *const *values)
{
    PGresult *res;

    res = ctl_db_try(db, sql, n, values);
    if (!ctl_db_good(res)) {
        ctl_db_report(db, res);
        PQclear(res);
        return NULL;
    }
    return res;
}

int
ctl_db_do(ctl_db_t *db, const char *sql, int n, const char *const *values)
{
    PGresult *res;

    res = ctl_db_query(db, sql, n, values);
    PQclear(res);
    return res == NULL ? -1 : 0;
}

/* What a copy gives, to its end; 0 once all of it is written. */
static int
take_copy(ctl_db_t *db, FILE *out)
{
    PGresult *res;
    char *line;
    int len, rc;

    while ((len = PQgetCopyData(db->conn, &line, 0)) > 0) {
        (void)fwrite(line, 1, (size_t)len, out);
        PQfreemem(line);
        if (ferror(out)) {
            return ctl_error("cannot print all of it");
        }
    }
    rc = 0;
    while ((res = PQgetResult(db->conn)) != NULL) {
        if (!ctl_db_good(res)) {
            ctl_db_report(db, res);
            rc = -1;
        }
        PQclear(res);
    }
    return rc == 0 && fflush(out) != 0 ? ctl_error("cannot print all of it")
                                       : rc;
}

int
ctl_db_copy(ctl_db_t *db, const char *sql, FILE *out)
{
    PGresult *res;
    int rc;

    res = PQexecParams(db->conn, sql, 0, NULL, NULL, NULL, NULL, 0);
    if (PQresultStatus(res) == PGRES_COPY_OUT) {
        rc = take_copy(db, out);
    } else {
        ctl_db_report(db, res);
        rc = -1;
    }
    PQclear(res);
    return rc;
}

int
ctl_db_begin(ctl_db_t *db, int as_owner)
{
    if (ctl_db_do(db, "begin", 0, NULL) == -1) {
        return -1;
    }
    return as_owner ? ctl_db_do(db, "set local role leadq_owner", 0, NULL) : 0;
}

int
ctl_db_commit(ctl_db_t *db)
{
    return ctl_db_do(db, "commit", 0, NULL);
}

/*
 * The server says where in the text it stumbled when it can; otherwise the
 * results that came before tell which statement it was.
 */
static void
report_script(const ctl_db_t *db, const char *path, const char *text,
              const PGresult *res, int index)
{
    const char *position;
    int line;

    if (PQresultErrorField(res, PG_DIAG_SQLSTATE) == NULL) {
        (void)fprintf(stderr, "%s: %s", path, PQerrorMessage(db->conn));
        return;
    }
    position = PQresultErrorField(res, PG_DIAG_STATEMENT_POSITION);
    line = position != NULL
               ? ctl_script_line_of(text, strtol(position, NULL, 10))
               : ctl_script_statement_line(text, index);
    (void)fprintf(stderr, "%s:%d: %s %s: %s\n", path, line,
                  field(res, PG_DIAG_SEVERITY), field(res, PG_DIAG_SQLSTATE),
                  field(res, PG_DIAG_MESSAGE_PRIMARY));
    print_details(res);
}

static int
is_copy(const PGresult *res)
{
    ExecStatusType status;

    status = PQresultStatus(res);
    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT
           || status == PGRES_COPY_BOTH;
}

/* Takes every result of a script; the first bad one is reported. */
static int
collect_script(ctl_db_t *db, const char *path, const char *text)
{
    PGresult *res;
    int index, failed, copies;

    failed = 0;
    for (index = 0; (res = PQgetResult(db->conn)) != NULL; index++) {
        copies = is_copy(res);
        if (copies) {
            (void)ctl_error("%s:%d: copy from or to the client", path,
                            ctl_script_statement_line(text, index));
            failed = 1;
        }
        if (!ctl_db_good(res) && !failed) {
            report_script(db, path, text, res, index);
            failed = 1;
        }
        PQclear(res);
        if (copies || PQstatus(db->conn) == CONNECTION_BAD) {
            return -1; /* no result will be the last one */
        }
    }
    return failed ? -1 : 0;
}

int
ctl_db_script(ctl_db_t *db, const char *path, const char *text)
{
    char *script;
    int rc;

    script = ctl_script_rename(text, db->schema);
    if (script == NULL) {
        return ctl_error("%s: no memory", path);
    }
    if (PQsendQuery(db->conn, script) == 1) {
        rc = collect_script(db, path, script);
    } else {
        rc = ctl_error("%s: %s", path, PQerrorMessage(db->conn));
    }
    free(script);
    if (rc == 0 && PQtransactionStatus(db->conn) != PQTRANS_INTRANS) {
        return ctl_error("%s: must not end the transaction it runs in", path);
    }
    return rc;
}
