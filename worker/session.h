/*
 * A session with the schema: one connection that has agreed on worker_api(),
 * and the statements of the contract.  Of each statement at most one is under
 * way; wanting it again meanwhile is remembered.  The only file that knows
 * SQL text.
 */

#ifndef LEADQ_SESSION_H
#define LEADQ_SESSION_H

#include "conf.h"
#include "pg.h"

#define SESSION_API 4 /* what worker_api() must answer */

typedef struct session_s session_t;

typedef enum {
    SQL_API,
    SQL_LISTEN,
    SQL_RULES,   /* limit */
    SQL_PROMOTE, /* limit */
    SQL_MAINTAIN,
    SQL_FIGURES,
    SQL_CODES,
    SQL_HELD,    /* what holds vacuum back */
    SQL_ARM,     /* jobs, tokens, ids of keys of codes and of proofs, proofs,
                  * segments */
    SQL_CLAIM,   /* worker, limits, cursors, lease in seconds */
    SQL_SETTLE,  /* jobs, tokens, outcomes, details */
    SQL_RELEASE, /* jobs, tokens, delays in seconds */
    SQL_EXTEND,  /* jobs, tokens, lease in seconds */
    SQL_MAILBOX, /* worker, lease in seconds */
    SQL_REPORTS, /* reports */
    SQL_COUNT
} sql_e;

typedef struct {
    void (*on_ready)(void *data);  /* connected, and the API agrees */
    void (*on_notify)(void *data); /* with listen: something may be ready */
} session_events_t;

/*
 * name: of the connection, in the log.  conf is borrowed for this call.
 * listen: subscribe to the schema's notifications.
 */
session_t *session_new(uv_loop_t *loop, const char *name, const conf_t *conf,
                       int listen, const session_events_t *events, void *data)
    __attribute__((warn_unused_result));

/* Statements under way are not answered any more.  Accepts NULL. */
void session_free(session_t *session);

int session_is_ready(const session_t *session);

/* Says that a statement should be sent; session_may tells whether to. */
void session_want(session_t *session, sql_e sql);
int session_may(const session_t *session, sql_e sql);
int session_is_under_way(const session_t *session, sql_e sql);

/*
 * Sends a statement, which is then no more wanted.  A refusal is logged here,
 * and a statement that may simply be repeated is wanted again.  -1: it was
 * not sent and stays wanted; fn is not called.
 */
int session_send(session_t *session, sql_e sql, const char *const *values,
                 pg_answer_pt fn);

/* A number of the answer. */
long session_number(const pg_answer_t *answer, int row, int column);

#endif
