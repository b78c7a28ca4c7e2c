/*
 * One PostgreSQL connection on the libuv loop, in pipeline mode: queries are
 * sent as they come, each with its own Sync, and answered in order.  It
 * connects by itself, and again after a loss, with a doubling jittered pause.
 *
 * Every query is answered exactly once: with rows, with an error of its own,
 * or with "lost", when nobody knows whether it was carried out.
 */

#ifndef LEADQ_PG_H
#define LEADQ_PG_H

#include <libpq-fe.h>
#include <uv.h>

#define PG_MAX_QUERIES 16

typedef struct pg_s pg_t;

typedef enum {
    PG_ROWS,    /* committed; rows is the result */
    PG_REFUSED, /* the statement failed; sqlstate says why */
    PG_LOST     /* the connection went first */
} pg_end_e;

typedef struct {
    pg_end_e end;
    const PGresult *rows; /* borrowed; of PG_ROWS */
    char sqlstate[6];     /* of PG_REFUSED */
} pg_answer_t;

typedef void (*pg_answer_pt)(void *data, const pg_answer_t *answer);

/* What may be done after a refusal: one table, by SQLSTATE. */
typedef enum {
    PG_AGAIN, /* the same once more: serialization, deadlock */
    PG_PAUSE, /* later: the server lacks something */
    PG_GIVEUP /* never with these values: a bug or bad data */
} pg_advice_e;

typedef struct {
    void (*on_up)(void *data);     /* connected */
    void (*on_down)(void *data);   /* lost; every query has been answered */
    void (*on_notify)(void *data); /* one or more notifications */
} pg_events_t;

/* name: of the connection, in the log.  Connecting begins at once. */
pg_t *pg_new(uv_loop_t *loop, const char *name, const char *conninfo,
             long connect_timeout_ms, const pg_events_t *events, void *data)
    __attribute__((warn_unused_result));

/* Closes at once; queries are not answered any more.  Accepts NULL. */
void pg_free(pg_t *pg);

/*
 * Sends one statement with text values.  -1: not connected, or too many are
 * under way; fn is not called.
 */
int pg_query(pg_t *pg, const char *sql, int n, const char *const *values,
             pg_answer_pt fn, void *data) __attribute__((warn_unused_result));

/* The peer is not what we need: drop it, and come back later. */
void pg_refuse(pg_t *pg);

int pg_is_up(const pg_t *pg);

/* Is this a connection string that libpq understands? */
int pg_is_conninfo(const char *conninfo);

pg_advice_e pg_advice(const char *sqlstate);

#endif
