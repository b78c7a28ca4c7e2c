
/*
 * The half of the module that knows nginx and libpq.
 *
 *     request --> handler --> job --> queue of its function --+
 *                                                             | flush, at the
 *     request <-- reply <-- settle <-- batch <-- lane <-------+ end of a turn
 *
 * Per worker process and database there is one pool: the queues and a few
 * lanes.  A lane is a libpq connection in pipeline mode that has up to
 * "depth" batches in flight.  A batch is one statement and one commit.
 *
 * Who owns what:  a pool its lanes and queues, for the life of the process; a
 * lane its batches in flight; a batch its jobs; a job its row.  A job never
 * lives in the pool of its request: the client may leave, the row stays.
 *
 * Files:  module (life, locations), database, hosts, field and shape
 * (configuration), handler and body (requests), methods, guard, session,
 * origin, limit, idempotency and form (which of them count, and as what),
 * reply and filter (answers), vars, pool (queue and dispatch), job, batch,
 * settle (what a result means), lane (connections), pg (what is said on them),
 * resolve (DNS), spool and replay (rows on a local disk while their database
 * is away), sight and count (figures of all worker processes).
 */

#ifndef NGX_HTTP_LEADQ_H_INCLUDED
#define NGX_HTTP_LEADQ_H_INCLUDED


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include <libpq-fe.h>

#include "leadq_metrics.h"
#include "leadq_shape.h"
#include "leadq_spool.h"
#include "leadq_uuid.h"


#define NGX_HTTP_LEADQ_API          1           /* of the SQL functions */

#define NGX_HTTP_LEADQ_BODY_MAX     (2 * 1024 * 1024)
#define NGX_HTTP_LEADQ_ROW_MAX      (4 * 1024 * 1024)
#define NGX_HTTP_LEADQ_BATCH_BYTES  (1024 * 1024)
#define NGX_HTTP_LEADQ_LOSSES       3           /* of lanes, by a row */
#define NGX_HTTP_LEADQ_SUGGEST_MAX  (8 * 1024)  /* of suggestions, as JSON */


typedef struct ngx_http_leadq_pool_s   ngx_http_leadq_pool_t;
typedef struct ngx_http_leadq_lane_s   ngx_http_leadq_lane_t;
typedef struct ngx_http_leadq_batch_s  ngx_http_leadq_batch_t;
typedef struct ngx_http_leadq_job_s    ngx_http_leadq_job_t;
typedef struct ngx_http_leadq_ctx_s    ngx_http_leadq_ctx_t;
typedef struct ngx_http_leadq_names_s  ngx_http_leadq_names_t;
typedef struct ngx_http_leadq_spool_s  ngx_http_leadq_spool_t;

typedef struct ngx_http_leadq_loc_conf_s  ngx_http_leadq_loc_conf_t;


/* Where in the configuration something was said. */
typedef struct {
    ngx_str_t                     file;
    ngx_uint_t                    line;
} ngx_http_leadq_place_t;


/* One entry of the list of hosts in a conninfo. */
typedef struct {
    ngx_str_t                     host;
    ngx_str_t                     hostaddr;     /* empty: a name or a socket */
    ngx_str_t                     port;
    unsigned                      name:1;       /* somebody must resolve it */
} ngx_http_leadq_host_t;


/* leadq_database */
typedef struct {
    ngx_str_t                     name;
    ngx_str_t                     schema;
    ngx_http_leadq_place_t        place;
    ngx_uint_t                    index;

    const char                  **keywords;     /* without those of hosts */
    const char                  **values;
    ngx_array_t                   hosts;        /* ngx_http_leadq_host_t */
    ngx_resolver_t               *resolver;     /* NULL: no names are left */

    ngx_uint_t                    connections;
    ngx_uint_t                    batch;        /* rows */
    ngx_uint_t                    depth;        /* batches in flight a lane */
    ngx_uint_t                    queue;        /* rows */
    size_t                        queue_bytes;
    ngx_msec_t                    timeout;
    ngx_msec_t                    connect_timeout;
    ngx_msec_t                    lifetime;     /* of a lane, about */

    ngx_str_t                     spool;        /* path; empty: none */
    off_t                         spool_size;
    ngx_http_leadq_place_t        spool_place;
    struct ngx_thread_pool_s     *threads;      /* that write it */

    char                         *check;        /* SQL of a new lane */
    ngx_array_t                   functions;    /* _function_t * */
    ngx_http_leadq_pool_t        *pool;         /* of this worker process */

    ngx_uint_t                    place_in_zone;
    leadq_database_metrics_t     *metrics;      /* NULL: not counted */
} ngx_http_leadq_database_t;


/* One SQL function that some location calls. */
typedef struct {
    ngx_str_t                     name;
    char                         *sql;
    ngx_http_leadq_database_t    *database;
    ngx_uint_t                    index;        /* in database->functions */

    ngx_uint_t                    place_in_zone;
    leadq_function_metrics_t     *metrics;      /* NULL: not counted */
} ngx_http_leadq_function_t;


/* leadq_key */
typedef struct {
    ngx_str_t                     name;
    leadq_keys_t                 *keys;         /* freed with the cycle */
} ngx_http_leadq_key_t;


typedef struct {
    ngx_array_t                   databases;    /* _database_t * */
    ngx_array_t                   keys;         /* _key_t */

    ngx_shm_zone_t               *zone;         /* NULL: nothing is counted */
    leadq_metrics_t              *metrics;      /* borrowed from the zone */
    leadq_slot_t                 *slot;         /* of this worker process */
} ngx_http_leadq_main_conf_t;


#include "ngx_http_leadq_guard.h"


struct ngx_http_leadq_loc_conf_s {
    ngx_http_leadq_function_t    *function;     /* NULL: no leadq location */
    leadq_shape_t                 shape;
    const leadq_str_t            *list;         /* what an array as a body is,
                                                   or NULL */
    unsigned                      takes_body:1; /* a field comes from it */
    unsigned                      wipes:1;      /* no copy of it stays */
    ngx_uint_t                    args;         /* 0 unset, 1 off, 2 on */
    ngx_http_leadq_methods_t      methods;

    ngx_http_handler_pt           sight;        /* NULL: shows no figures */
    ngx_http_leadq_place_t        sight_place;

    /* as declared, until the end of the location */

    ngx_http_leadq_place_t        place;        /* of the first directive */
    ngx_str_t                     database;
    ngx_str_t                     name;         /* of the function */

    ngx_array_t                  *fields;       /* leadq_field_t */
    ngx_array_t                  *inside;       /* ngx_int_t: variable of the
                                                   field, or NGX_ERROR */
    ngx_array_t                  *about;        /* the same, of its MAC */
    ngx_array_t                  *keys;         /* ngx_str_t: of the field */
    ngx_array_t                  *sets;         /* leadq_str_t: names */
    ngx_array_t                  *values;       /* _complex_value_t */

    ngx_http_leadq_place_t        invalid_place;
    ngx_uint_t                    invalid;      /* 0 unset, 1 reject, 2 pass */
    ngx_str_t                     pass_if;
    ngx_array_t                  *only;         /* leadq_str_t */

    ngx_str_t                     redirect_ok;
    ngx_str_t                     redirect_error;

    ngx_str_t                     spool;        /* empty: rows wait nowhere */
    off_t                         spool_size;
    ngx_http_leadq_place_t        spool_place;

    ngx_http_leadq_guard_t        guard;
};


typedef enum {
    NGX_HTTP_LEADQ_ANSWERED,    /* SQL answered, whatever it said */
    NGX_HTTP_LEADQ_INVALID,     /* the client's fault, SQL was not asked */
    NGX_HTTP_LEADQ_REFUSED,     /* SQL raised class 22 for this row */
    NGX_HTTP_LEADQ_CONFLICT,    /* SQL raised class 23 for this row */
    NGX_HTTP_LEADQ_BUSY,        /* queue full */
    NGX_HTTP_LEADQ_AWAY,        /* no answer within the timeout */
    NGX_HTTP_LEADQ_FAILED,      /* our fault or SQL's */
    NGX_HTTP_LEADQ_SPOOLED,     /* it is on a local disk until then */
    NGX_HTTP_LEADQ_ABORTED      /* the client left, nothing else is known */
} ngx_http_leadq_outcome_e;


/* Of one request; lives in its pool. */
struct ngx_http_leadq_ctx_s {
    ngx_http_request_t           *request;      /* borrowed */
    ngx_http_leadq_function_t    *function;     /* borrowed */
    ngx_http_leadq_job_t         *job;          /* borrowed; NULL: none now */
    ngx_http_leadq_outcome_e      outcome;

    /* copied from the job for the access log */

    ngx_uint_t                    batch;        /* rows, 0: never sent */
    ngx_msec_t                    wait;
    ngx_msec_t                    db_time;
    ngx_uint_t                    sendings;
    char                          sqlstate[6];

    u_char                        id[LEADQ_UUID_LEN + 1];
    u_char                        key_id[16];   /* made of the key */
    ngx_str_t                     page;         /* of the filter */
    ngx_str_t                     suggest;      /* JSON text, for answers */
    ngx_str_t                     arena;        /* of the pairs */
    const char                   *guard;        /* that spoke up, or NULL */
    char                         *session;      /* for the row, or NULL */
    unsigned                      has_id:1;
    unsigned                      keyed:1;      /* key_id is the row's id */
    unsigned                      answered:1;   /* by this module */
    unsigned                      gone:1;       /* client, before its answer */
};


/* A row on its way. */
struct ngx_http_leadq_job_s {
    ngx_queue_t                   queue;        /* while it waits */
    ngx_http_request_t           *request;      /* borrowed; NULL: left */
    ngx_uint_t                    function;     /* index */
    ngx_uint_t                    losses;       /* lanes it may have cost */
    ngx_uint_t                    sendings;
    ngx_uint_t                    batch;        /* rows in the last one */
    ngx_msec_t                    arrived;
    ngx_msec_t                    sent;         /* last time */
    ngx_msec_t                    deadline;
    uint64_t                      arrived_us;   /* for the figures */
    uint64_t                      sent_us;
    char                          sqlstate[6];  /* its last failed batch */
    unsigned                      expired:1;    /* counted as that */
    size_t                        len;
    char                         *row;          /* owned, from malloc() */
    u_char                        id[16];
    unsigned                      spools:1;     /* if the database is away */
    unsigned                      replay:1;     /* it comes from the spool */
    unsigned                      blamed:1;     /* it failed, and alone */
};


/* One statement, one commit. */
struct ngx_http_leadq_batch_s {
    ngx_queue_t                   queue;        /* in lane or in again */
    ngx_uint_t                    function;
    ngx_uint_t                    resent;       /* after 40001, 40P01 */
    uint64_t                      sent_us;      /* for the figures */
    PGresult                     *result;       /* owned; rows, if any */
    char                          sqlstate[6];  /* of the error, if any */
    unsigned                      failed:1;
    ngx_uint_t                    n;
    ngx_http_leadq_job_t         *job[];        /* owned */
};


typedef enum {
    NGX_HTTP_LEADQ_DOWN,        /* no connection; timer: next try */
    NGX_HTTP_LEADQ_RESOLVING,   /* asking for addresses; timer: connecting */
    NGX_HTTP_LEADQ_CONNECTING,  /* PQconnectPoll(); timer: connecting */
    NGX_HTTP_LEADQ_CHECKING,    /* the check statement, once connected and
                                   when doubted; timer: connecting */
    NGX_HTTP_LEADQ_READY        /* takes batches; timer: the oldest of them,
                                   without any the end of its life */
} ngx_http_leadq_lane_e;


struct ngx_http_leadq_lane_s {
    ngx_http_leadq_pool_t        *pool;         /* borrowed */
    PGconn                       *pg;           /* owned */
    ngx_connection_t             *connection;   /* borrowed from nginx */

    /* event ident must be after 3 pointers as in ngx_connection_t */
    ngx_int_t                     ident;

    ngx_http_leadq_lane_e         state;
    ngx_uint_t                    number;       /* from 1, for the log */
    ngx_event_t                   timer;        /* cancelable: rows hold the
                                                   process by pool->expire */
    ngx_msec_t                    pause;        /* last one, 0: none yet */
    ngx_msec_t                    expected;     /* end of the timer */
    ngx_msec_t                    ends;         /* its life; when ready */
    ngx_uint_t                    turn;         /* host to begin with */

    ngx_queue_t                   flying;       /* batches, oldest first */
    ngx_uint_t                    nflying;
    PGresult                     *check;        /* owned */
    ngx_http_leadq_names_t       *names;        /* being resolved */
    unsigned                      doubted:1;    /* another one was lost */
    unsigned                      ended:1;      /* by none of its rows */
};


/* What waits for one function. */
typedef struct {
    ngx_http_leadq_function_t    *function;     /* borrowed */
    ngx_queue_t                   waiting;      /* jobs, oldest first */
} ngx_http_leadq_waiting_t;


/* One database in one worker process. */
struct ngx_http_leadq_pool_s {
    ngx_http_leadq_database_t    *database;     /* borrowed */
    ngx_log_t                    *log;          /* borrowed */
    ngx_http_leadq_waiting_t     *waiting;      /* per function */

    /* event ident must be after 3 pointers as in ngx_connection_t */
    ngx_int_t                     ident;

    ngx_uint_t                    nwaiting;     /* jobs of all functions */
    ngx_uint_t                    njobs;        /* waiting or in flight */
    size_t                        nbytes;       /* of their rows */
    ngx_queue_t                   again;        /* batches to send first */

    ngx_event_t                   flush;        /* posted */
    ngx_event_t                   reserve;      /* time for further lanes */
    ngx_event_t                   expire;       /* set while there are jobs */

    ngx_http_leadq_spool_t       *spool;        /* NULL: none */

    ngx_http_leadq_lane_t        *lanes;
    ngx_http_leadq_names_t       *known;        /* owned; of the hosts */
    ngx_uint_t                    nready;
    ngx_msec_t                    down_since;   /* if no lane is ready */
    ngx_uint_t                    down_logged;  /* failures, not all logged */
    ngx_msec_t                    logged;       /* when the last one was */

    time_t                        rate_second;
    ngx_uint_t                    rate_rows;    /* settled in this second */
    ngx_uint_t                    rate;         /* and in the one before */

    leadq_buf_t                   ids;          /* parameters being built */
    leadq_buf_t                   rows;
    leadq_uuid_gen_t              uuid;
};


/*
 * An answer that SQL gave to one row; the strings are borrowed from the
 * result and have terminators, NULL is SQL's null.
 */
typedef struct {
    ngx_uint_t                    status;
    const char                   *headers;
    const char                   *body;
    size_t                        body_len;
} ngx_http_leadq_answer_t;


/*
 * handler: the content handler of leadq locations.
 */

ngx_int_t ngx_http_leadq_handler(ngx_http_request_t *r);

/* The request's header of that name, given in lower case, or NULL. */
ngx_str_t *ngx_http_leadq_header(ngx_http_request_t *r, const char *name);

/* Returns 1 if a person with a browser waits for a page. */
ngx_uint_t ngx_http_leadq_wants_html(ngx_http_request_t *r);


/*
 * body: its bytes and those of the query, and the directive leadq_args.
 */

/* Why a body is not read at all; static text. */
typedef struct {
    ngx_uint_t                    status;
    const char                   *code;
    const char                   *title;
} ngx_http_leadq_refusal_t;

char *ngx_http_leadq_args(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* Returns 1 if the request's body has fields: only POST has one. */
ngx_uint_t ngx_http_leadq_body_taken(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf);

/* NGX_OK: read it; NGX_DECLINED: refuse it so; NGX_ERROR: no memory. */
ngx_int_t ngx_http_leadq_body_precheck(ngx_http_request_t *r,
    ngx_http_leadq_refusal_t *refusal);

/* Wipes the body and the pairs, once there is an answer or a row. */
void ngx_http_leadq_body_wipe(ngx_http_request_t *r);

/*
 * Parses a body that has been read, if the request's is taken, and, if args
 * is set, the query.
 *
 * Returns NGX_OK (then code tells), NGX_DECLINED (too large) or NGX_ERROR.
 */
ngx_int_t ngx_http_leadq_body_parse(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf, leadq_pairs_t *pairs, leadq_code_e *code);


#include "ngx_http_leadq_reply.h"


/*
 * pool: queue and dispatch.
 */

/* Makes the pool of a database and its lanes; in a new worker process. */
ngx_int_t ngx_http_leadq_pool_init(ngx_cycle_t *cycle,
    ngx_http_leadq_database_t *database);

/* Closes the lanes; the process ends. */
void ngx_http_leadq_pool_done(ngx_http_leadq_pool_t *pool);

/* NGX_OK: a row is welcome; NGX_BUSY: no room; NGX_DECLINED: no database. */
ngx_int_t ngx_http_leadq_pool_welcome(ngx_http_leadq_pool_t *pool);

/* Seconds after which it is worth to come again, from 1. */
time_t ngx_http_leadq_pool_retry_after(ngx_http_leadq_pool_t *pool);

/* Sends what waits, at the end of this turn of the event loop. */
void ngx_http_leadq_pool_flush(ngx_http_leadq_pool_t *pool);

/* Everything that is here gets 503; worker_shutdown_timeout is over. */
void ngx_http_leadq_pool_abandon(ngx_http_leadq_pool_t *pool);


/*
 * job: one row.
 */

/*
 * Queues a row for the request and takes it over from the buffer.  The
 * request is answered later, never from within this call.
 *
 * Returns NGX_OK, or NGX_ERROR (no memory, no random bytes).
 */
ngx_int_t ngx_http_leadq_job_add(ngx_http_request_t *r,
    ngx_http_leadq_function_t *function, leadq_buf_t *row);

/*
 * A job of its own for a row, which is copied; its memory counts, but it is
 * in no queue yet.  NULL: no memory.
 */
ngx_http_leadq_job_t *ngx_http_leadq_job_new(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_function_t *function, const u_char id[16], const char *row,
    size_t len);

/* The request of the context ends before its job. */
void ngx_http_leadq_job_leave(ngx_http_leadq_ctx_t *ctx);

/* Answer the job's request, if it is still there, and free the job. */
void ngx_http_leadq_job_answer(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job, ngx_http_leadq_answer_t *answer);
void ngx_http_leadq_job_fail(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job, ngx_http_leadq_outcome_e outcome);
void ngx_http_leadq_job_spooled(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job);

/* without a word to its client */
void ngx_http_leadq_job_free(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job);

/* Milliseconds until the job's deadline; negative when it is over. */
ngx_msec_int_t ngx_http_leadq_job_left(ngx_http_leadq_job_t *job);

/* Runs at the earliest deadline that there may be; ev->data is the pool. */
void ngx_http_leadq_expire_handler(ngx_event_t *ev);


/*
 * batch
 */

/* A new batch of n jobs, to be filled in if job is NULL; NULL: no memory. */
ngx_http_leadq_batch_t *ngx_http_leadq_batch_new(ngx_uint_t function,
    ngx_http_leadq_job_t **job, ngx_uint_t n);

/* Frees a batch, not its jobs; accepts NULL. */
void ngx_http_leadq_batch_free(ngx_http_leadq_batch_t *batch);

/* Writes the parameters of a batch to pool->ids and pool->rows. */
ngx_int_t ngx_http_leadq_batch_encode(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch);

/*
 * Puts the jobs of a batch that got no result back to the head of their
 * queue, or fails those that are too late; frees the batch.  With suspect set
 * its jobs may be to blame, and those that may be for the third time fail.
 */
void ngx_http_leadq_batch_requeue(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch, ngx_uint_t suspect);


/*
 * settle: what the result of a batch means for its jobs.
 */

/* Returns 1 if the SQLSTATE says that the connection is of no more use. */
ngx_uint_t ngx_http_leadq_ends_lane(const char *sqlstate);

/*
 * Notes the first error of a batch: for its rows, in the figures, and in the
 * log without anything of its rows.
 */
void ngx_http_leadq_batch_failed(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch, const char *sqlstate);
void ngx_http_leadq_batch_log(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch, PGresult *res);

/* Settles a batch whose Sync has come, and frees it. */
void ngx_http_leadq_batch_settle(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch);


/*
 * lane: connections and their states.
 */

void ngx_http_leadq_lane_init(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_lane_t *lane, ngx_uint_t number);

/* Begins to connect; the lane must be down. */
void ngx_http_leadq_lane_open(ngx_http_leadq_lane_t *lane);

/* Goes on with the addresses (_host_t), for lane_open and resolve. */
void ngx_http_leadq_lane_connect(ngx_http_leadq_lane_t *lane,
    ngx_array_t *hosts);

/* Watches libpq's socket for room to write or for something to read. */
ngx_int_t ngx_http_leadq_lane_attach(ngx_http_leadq_lane_t *lane,
    ngx_uint_t write);

/* Sets the timer of the state, in ms. */
void ngx_http_leadq_lane_expect(ngx_http_leadq_lane_t *lane,
    ngx_msec_t timeout);

/*
 * Closes an idle lane when the process wants to quit, and opens it anew at
 * the end of its life, which finds new addresses and sheds libpq's buffers.
 */
void ngx_http_leadq_lane_rest(ngx_http_leadq_lane_t *lane);

/* Sets the timer of a ready lane with nothing in flight. */
void ngx_http_leadq_lane_idle(ngx_http_leadq_lane_t *lane);

/* Returns 1 if the lane's life is over: it takes nothing more. */
ngx_uint_t ngx_http_leadq_lane_old(ngx_http_leadq_lane_t *lane);

/* Returns 1 if a database that is away was logged a moment ago. */
ngx_uint_t ngx_http_leadq_lane_quiet(ngx_http_leadq_pool_t *pool);

/* Closes the connection; batches in flight stay in the lane. */
void ngx_http_leadq_lane_close(ngx_http_leadq_lane_t *lane);

/* Closes, requeues what was in flight, and tries again after a pause. */
void ngx_http_leadq_lane_fail(ngx_http_leadq_lane_t *lane,
    const char *reason);


/*
 * pg: what is said on a lane.
 */

/* Connected: asks whether this is the database that we are made for. */
void ngx_http_leadq_lane_setup(ngx_http_leadq_lane_t *lane);

/* Asks that of a ready lane which is doubted and has nothing in flight. */
void ngx_http_leadq_lane_ask(ngx_http_leadq_lane_t *lane);

/* Sends a batch that the lane owns from now on, whatever happens. */
void ngx_http_leadq_lane_send(ngx_http_leadq_lane_t *lane,
    ngx_http_leadq_batch_t *batch);

/* Writes what libpq holds, and watches for room while there is more. */
void ngx_http_leadq_lane_flush(ngx_http_leadq_lane_t *lane);

/* Reads and handles all results that are complete; may close the lane. */
void ngx_http_leadq_lane_read(ngx_http_leadq_lane_t *lane);


/*
 * spool: rows go to a local disk when their database is away.
 */

char *ngx_http_leadq_spool(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* Takes over what a location says, once its database is known. */
char *ngx_http_leadq_spool_set(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *lcf);

/* Make and end the spool of a pool, if it has one. */
ngx_int_t ngx_http_leadq_spool_init(ngx_cycle_t *cycle,
    ngx_http_leadq_pool_t *pool);
void ngx_http_leadq_spool_done(ngx_http_leadq_pool_t *pool);

/* As ngx_http_leadq_pool_welcome(); NGX_OK as well if the spool would do. */
ngx_int_t ngx_http_leadq_welcome(ngx_http_leadq_loc_conf_t *lcf);

/* Returns 1 if there is a spool and it takes rows. */
ngx_uint_t ngx_http_leadq_spool_ready(ngx_http_leadq_pool_t *pool);

/* NGX_OK: the spool takes the job over, which is in no queue. */
ngx_int_t ngx_http_leadq_spool_add(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job);

/* No row goes there any more; those that wait get 503. */
void ngx_http_leadq_spool_abandon(ngx_http_leadq_pool_t *pool);

/* Fills id, function and row, which are borrowed from the job. */
void ngx_http_leadq_spool_record(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job, leadq_spool_record_t *record);


/*
 * replay: rows of the spool go to their database.
 */

/* A job of the spool has come to its end; status is 0 without an answer. */
void ngx_http_leadq_replay_settled(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job, ngx_http_leadq_outcome_e outcome,
    ngx_uint_t status);


/*
 * resolve: names in the conninfo, by nginx's resolver.
 */

/*
 * Asks for all names at once, then calls ngx_http_leadq_lane_connect() with
 * those that are known after half the connect_timeout.
 */
void ngx_http_leadq_names_resolve(ngx_http_leadq_lane_t *lane);

/* Forgets the questions; accepts a lane that asks nothing. */
void ngx_http_leadq_names_cancel(ngx_http_leadq_lane_t *lane);

/* Forgets the answers too; the process ends. */
void ngx_http_leadq_names_forget(ngx_http_leadq_pool_t *pool);


#include "ngx_http_leadq_conf.h"


extern ngx_module_t  ngx_http_leadq_module;


#include "ngx_http_leadq_sight.h"


#endif /* NGX_HTTP_LEADQ_H_INCLUDED */
