
/*
 * The spool of one database in one worker process: what its two halves share.
 *
 *     job --> pending --> writing: a thread writes and fsyncs --> 202
 *
 *     REST --> READING: a thread finds rows --> FLYING: as a batch --+
 *       ^         ^                                                  |
 *       |         +---- the batch is in, or its bad rows are kept ---+
 *       +------------- no rows, or the database is away -------------+
 *
 * Each half has one task, and what its thread uses is left alone by the event
 * loop until the task is done.
 */

#ifndef NGX_HTTP_LEADQ_SPOOL_H_INCLUDED
#define NGX_HTTP_LEADQ_SPOOL_H_INCLUDED


#include "ngx_http_leadq.h"

#include "leadq_journal.h"

#include <ngx_thread_pool.h>


#if !(NGX_THREADS)

/* nginx has none of these, and no location a spool. */

#define ngx_thread_pool_add(cf, name)       NULL
#define ngx_thread_task_alloc(pool, size)   NULL
#define ngx_thread_task_post(threads, task) NGX_ERROR

#endif


#define NGX_HTTP_LEADQ_LOG_EVERY  10000         /* ms */


typedef enum {
    NGX_HTTP_LEADQ_REST,        /* tick looks for rows */
    NGX_HTTP_LEADQ_READING,     /* the task runs */
    NGX_HTTP_LEADQ_FLYING       /* rows are in the pool */
} ngx_http_leadq_replay_e;


struct ngx_http_leadq_spool_s {
    ngx_http_leadq_pool_t    *pool;             /* borrowed */
    leadq_journal_t           journal;
    ngx_event_t               tick;             /* cancelable */
    ngx_uint_t                abandoned;

    /* writing */

    ngx_queue_t               pending;          /* jobs */
    ngx_queue_t               writing;          /* jobs of the task */
    ngx_thread_task_t        *write;
    ngx_event_t               flush;            /* posted */
    leadq_writer_t            writer;
    leadq_buf_t               buf;
    uint64_t                  now_ms;           /* when the task began */
    int                       write_rc;
    ngx_err_t                 write_err;
    ngx_uint_t                busy;             /* the task runs */
    ngx_uint_t                rows;             /* not yet told */
    ngx_uint_t                broken;           /* the last task failed */
    ngx_msec_t                broke;            /* when it did */
    ngx_msec_t                blamed;           /* when that was told */
    ngx_msec_t                logged;           /* when "rows" was told */

    /* replay */

    ngx_http_leadq_replay_e   state;
    ngx_thread_task_t        *read;
    leadq_reader_t            reader;
    leadq_buf_t               refused;          /* records to be kept */
    ngx_uint_t                advance;          /* the last rows are done */
    int                       read_rc;
    ngx_err_t                 read_err;
    ngx_uint_t                left;             /* jobs in the pool */
    ngx_uint_t                bad;              /* of them, refused */
    ngx_uint_t                failed;           /* some come again */
    ngx_msec_t                pause;            /* last one, 0: none */
    ngx_msec_t                next;             /* its end */
    ngx_msec_t                stuck;            /* when it was told */
    ngx_uint_t                nreplayed;        /* rows since it was told */
    ngx_uint_t                nrefused;
};


/* A copy with a terminator, or NULL. */
char *ngx_http_leadq_spool_text(ngx_cycle_t *cycle, ngx_str_t *text);


ngx_int_t ngx_http_leadq_replay_init(ngx_cycle_t *cycle,
    ngx_http_leadq_spool_t *spool);
void ngx_http_leadq_replay_done(ngx_http_leadq_spool_t *spool);

/* Goes on if it rests and there is a database. */
void ngx_http_leadq_replay_tick(ngx_http_leadq_spool_t *spool);


#endif /* NGX_HTTP_LEADQ_SPOOL_H_INCLUDED */
