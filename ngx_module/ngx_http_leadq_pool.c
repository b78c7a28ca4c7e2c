
/*
 * The pool of a database: what waits, and which lane takes it.
 *
 * Nothing here waits for a batch to fill.  A row is sent as soon as a lane
 * is idle, at the end of the turn of the event loop in which it came; what
 * comes while the lanes are busy is the next batch.  So batches grow with the
 * load and an idle server commits a single row at once.
 *
 * Answering a request may bring the next one into this file; it is queued,
 * and the posted flush event sends it later.  So no list that a caller walks
 * changes under its hands.
 */

#include "ngx_http_leadq.h"


#define NGX_HTTP_LEADQ_RESERVE  10              /* ms */
#define NGX_HTTP_LEADQ_BEHIND   16              /* rows */


static void ngx_http_leadq_pool_drop(ngx_http_leadq_pool_t *pool);
static void ngx_http_leadq_pool_drop_batches(ngx_http_leadq_pool_t *pool,
    ngx_queue_t *batches);
static void ngx_http_leadq_flush_handler(ngx_event_t *ev);
static void ngx_http_leadq_pool_ask(ngx_http_leadq_pool_t *pool);
static ngx_http_leadq_lane_t *ngx_http_leadq_pool_lane(
    ngx_http_leadq_pool_t *pool);
static ngx_uint_t ngx_http_leadq_pool_room(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_lane_t *lane);
static ngx_uint_t ngx_http_leadq_pool_pressed(ngx_http_leadq_pool_t *pool);
static ngx_http_leadq_batch_t *ngx_http_leadq_pool_take(
    ngx_http_leadq_pool_t *pool);
static ngx_http_leadq_job_t *ngx_http_leadq_pool_oldest(
    ngx_http_leadq_pool_t *pool);
static ngx_http_leadq_batch_t *ngx_http_leadq_waiting_take(
    ngx_http_leadq_pool_t *pool, ngx_http_leadq_waiting_t *waiting);
static void ngx_http_leadq_batch_abandon(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch);


ngx_int_t
ngx_http_leadq_pool_init(ngx_cycle_t *cycle,
    ngx_http_leadq_database_t *database)
{
    ngx_uint_t                   i;
    ngx_http_leadq_pool_t       *pool;
    ngx_http_leadq_function_t  **function;

    pool = ngx_pcalloc(cycle->pool, sizeof(ngx_http_leadq_pool_t));
    if (pool == NULL) {
        return NGX_ERROR;
    }

    pool->waiting = ngx_pcalloc(cycle->pool,
                                database->functions.nelts
                                * sizeof(ngx_http_leadq_waiting_t));
    pool->lanes = ngx_pcalloc(cycle->pool,
                              database->connections
                              * sizeof(ngx_http_leadq_lane_t));

    if (pool->waiting == NULL || pool->lanes == NULL) {
        return NGX_ERROR;
    }

    pool->database = database;
    pool->log = cycle->log;
    pool->ident = -1;
    pool->down_since = ngx_current_msec;

    ngx_queue_init(&pool->again);
    leadq_uuid_init(&pool->uuid);
    leadq_buf_init(&pool->ids, 64 * 1024);
    leadq_buf_init(&pool->rows, 2 * NGX_HTTP_LEADQ_ROW_MAX);

    pool->flush.handler = ngx_http_leadq_flush_handler;
    pool->flush.data = pool;
    pool->flush.log = pool->log;

    pool->reserve.handler = ngx_http_leadq_flush_handler;
    pool->reserve.data = pool;
    pool->reserve.log = pool->log;
    pool->reserve.cancelable = 1;

    pool->expire.handler = ngx_http_leadq_expire_handler;
    pool->expire.data = pool;
    pool->expire.log = pool->log;

    function = database->functions.elts;

    for (i = 0; i < database->functions.nelts; i++) {
        pool->waiting[i].function = function[i];
        ngx_queue_init(&pool->waiting[i].waiting);
    }

    if (ngx_http_leadq_spool_init(cycle, pool) != NGX_OK) {
        return NGX_ERROR;
    }

    database->pool = pool;
    ngx_http_leadq_count_lanes(pool);

    for (i = 0; i < database->connections; i++) {
        ngx_http_leadq_lane_init(pool, &pool->lanes[i], i + 1);
        ngx_http_leadq_lane_open(&pool->lanes[i]);
    }

    return NGX_OK;
}


void
ngx_http_leadq_pool_done(ngx_http_leadq_pool_t *pool)
{
    ngx_uint_t  i;

    for (i = 0; i < pool->database->connections; i++) {
        ngx_http_leadq_lane_close(&pool->lanes[i]);
    }

    ngx_http_leadq_spool_done(pool);
    ngx_http_leadq_names_forget(pool);
    ngx_http_leadq_pool_drop(pool);
    leadq_buf_done(&pool->ids);
    leadq_buf_done(&pool->rows);
}


/* A process that is ended takes its rows along; no client heard of them. */

static void
ngx_http_leadq_pool_drop(ngx_http_leadq_pool_t *pool)
{
    ngx_uint_t    i;
    ngx_queue_t  *q;

    for (i = 0; i < pool->database->connections; i++) {
        ngx_http_leadq_pool_drop_batches(pool, &pool->lanes[i].flying);
    }

    ngx_http_leadq_pool_drop_batches(pool, &pool->again);

    for (i = 0; i < pool->database->functions.nelts; i++) {
        while (!ngx_queue_empty(&pool->waiting[i].waiting)) {
            q = ngx_queue_head(&pool->waiting[i].waiting);
            ngx_queue_remove(q);
            ngx_http_leadq_job_free(pool,
                            ngx_queue_data(q, ngx_http_leadq_job_t, queue));
        }
    }
}


static void
ngx_http_leadq_pool_drop_batches(ngx_http_leadq_pool_t *pool,
    ngx_queue_t *batches)
{
    ngx_uint_t               i;
    ngx_queue_t             *q;
    ngx_http_leadq_batch_t  *batch;

    while (!ngx_queue_empty(batches)) {
        q = ngx_queue_head(batches);
        ngx_queue_remove(q);
        batch = ngx_queue_data(q, ngx_http_leadq_batch_t, queue);

        for (i = 0; i < batch->n; i++) {
            ngx_http_leadq_job_free(pool, batch->job[i]);
        }

        ngx_http_leadq_batch_free(batch);
    }
}


ngx_int_t
ngx_http_leadq_pool_welcome(ngx_http_leadq_pool_t *pool)
{
    if (pool->njobs >= pool->database->queue
        || pool->nbytes >= pool->database->queue_bytes)
    {
        return NGX_BUSY;
    }

    /* rows would wait for their deadline in vain */

    if (pool->nready == 0
        && ngx_current_msec - pool->down_since > pool->database->timeout)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


time_t
ngx_http_leadq_pool_retry_after(ngx_http_leadq_pool_t *pool)
{
    time_t  seconds;

    if (pool->nready == 0 || pool->rate == 0) {
        return 1 + (time_t) pool->database->timeout / 1000;
    }

    seconds = 1 + (time_t) (pool->njobs / pool->rate);

    return ngx_min(seconds, 60);
}


void
ngx_http_leadq_pool_flush(ngx_http_leadq_pool_t *pool)
{
    if (pool->nwaiting || !ngx_queue_empty(&pool->again)) {
        ngx_post_event(&pool->flush, &ngx_posted_events);
    }
}


static void
ngx_http_leadq_flush_handler(ngx_event_t *ev)
{
    ngx_uint_t               i;
    ngx_http_leadq_lane_t   *lane;
    ngx_http_leadq_pool_t   *pool;
    ngx_http_leadq_batch_t  *batch;

    pool = ev->data;

    ngx_http_leadq_pool_ask(pool);

    while (pool->nwaiting || !ngx_queue_empty(&pool->again)) {

        lane = ngx_http_leadq_pool_lane(pool);
        if (lane == NULL) {
            break;
        }

        batch = ngx_http_leadq_pool_take(pool);
        if (batch == NULL) {
            break;
        }

        ngx_http_leadq_lane_send(lane, batch);
    }

    ngx_http_leadq_count_queue(pool);

    if (pool->njobs == 0 || pool->nready) {
        return;
    }

    /* a process that quits has closed its idle lanes, but rows still came */

    for (i = 0; i < pool->database->connections; i++) {
        lane = &pool->lanes[i];

        if (lane->state == NGX_HTTP_LEADQ_DOWN && !lane->timer.timer_set) {
            ngx_http_leadq_lane_open(lane);
        }
    }
}


/* Rows wait: doubted lanes must say whether their database is there. */

static void
ngx_http_leadq_pool_ask(ngx_http_leadq_pool_t *pool)
{
    ngx_uint_t              i;
    ngx_http_leadq_lane_t  *lane;

    for (i = 0; i < pool->database->connections; i++) {
        lane = &pool->lanes[i];

        if (lane->doubted && lane->state == NGX_HTTP_LEADQ_READY
            && lane->nflying == 0
            && (pool->nwaiting || !ngx_queue_empty(&pool->again)))
        {
            ngx_http_leadq_lane_ask(lane);
        }
    }
}


/*
 * The first lane that has room.  The others are a reserve: more batches in
 * flight are thinner batches, which cost more (measured: a third of the
 * throughput).  They help when rows wait nevertheless, because a batch sits
 * behind a lock or the server needs more than one backend to keep up.
 */

static ngx_http_leadq_lane_t *
ngx_http_leadq_pool_lane(ngx_http_leadq_pool_t *pool)
{
    ngx_uint_t              i, full;
    ngx_http_leadq_lane_t  *lane;

    full = 0;

    for (i = 0; i < pool->database->connections; i++) {
        lane = &pool->lanes[i];

        if (lane->state != NGX_HTTP_LEADQ_READY || lane->doubted
            || (lane->nflying && ngx_http_leadq_lane_old(lane)))
        {
            continue;
        }

        if (!ngx_http_leadq_pool_room(pool, lane)) {
            full++;
            continue;
        }

        if (full == 0 || ngx_http_leadq_pool_pressed(pool)) {
            return lane;
        }

        if (!pool->reserve.timer_set) {
            ngx_add_timer(&pool->reserve, NGX_HTTP_LEADQ_RESERVE);
        }

        return NULL;
    }

    return NULL;
}


/*
 * A batch behind another one begins no sooner than that one has committed:
 * it spares the server the wait for our next one, and no more.  A thin one
 * costs it more than that, so few rows wait until the lane is idle.
 */

static ngx_uint_t
ngx_http_leadq_pool_room(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_lane_t *lane)
{
    if (lane->nflying == 0) {
        return 1;
    }

    if (lane->nflying == pool->database->depth) {
        return 0;
    }

    return pool->nwaiting >= ngx_min(NGX_HTTP_LEADQ_BEHIND,
                                     pool->database->batch)
           || !ngx_queue_empty(&pool->again);
}


static ngx_uint_t
ngx_http_leadq_pool_pressed(ngx_http_leadq_pool_t *pool)
{
    ngx_http_leadq_job_t  *oldest;

    if (pool->nwaiting >= pool->database->batch
        || !ngx_queue_empty(&pool->again))
    {
        return 1;
    }

    oldest = ngx_http_leadq_pool_oldest(pool);

    return oldest
           && ngx_current_msec - oldest->arrived >= NGX_HTTP_LEADQ_RESERVE;
}


/* What must be sent again goes first, then the oldest row decides. */

static ngx_http_leadq_batch_t *
ngx_http_leadq_pool_take(ngx_http_leadq_pool_t *pool)
{
    ngx_queue_t           *q;
    ngx_http_leadq_job_t  *oldest;

    if (!ngx_queue_empty(&pool->again)) {
        q = ngx_queue_head(&pool->again);
        ngx_queue_remove(q);

        return ngx_queue_data(q, ngx_http_leadq_batch_t, queue);
    }

    oldest = ngx_http_leadq_pool_oldest(pool);

    return oldest ? ngx_http_leadq_waiting_take(
                        pool, &pool->waiting[oldest->function])
                  : NULL;
}


static ngx_http_leadq_job_t *
ngx_http_leadq_pool_oldest(ngx_http_leadq_pool_t *pool)
{
    ngx_uint_t             i;
    ngx_queue_t           *waiting;
    ngx_http_leadq_job_t  *job, *oldest;

    oldest = NULL;

    for (i = 0; i < pool->database->functions.nelts; i++) {
        waiting = &pool->waiting[i].waiting;

        if (ngx_queue_empty(waiting)) {
            continue;
        }

        job = ngx_queue_data(ngx_queue_head(waiting), ngx_http_leadq_job_t,
                             queue);

        if (oldest == NULL
            || (ngx_msec_int_t) (job->arrived - oldest->arrived) < 0)
        {
            oldest = job;
        }
    }

    return oldest;
}


static ngx_http_leadq_batch_t *
ngx_http_leadq_waiting_take(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_waiting_t *waiting)
{
    size_t                   bytes;
    ngx_uint_t               n, i;
    ngx_queue_t             *q;
    ngx_http_leadq_job_t    *job;
    ngx_http_leadq_batch_t  *batch;

    n = 0;
    bytes = 0;

    for (q = ngx_queue_head(&waiting->waiting);
         q != ngx_queue_sentinel(&waiting->waiting)
         && n < pool->database->batch;
         q = ngx_queue_next(q))
    {
        job = ngx_queue_data(q, ngx_http_leadq_job_t, queue);
        bytes += job->len;

        if (n && bytes > NGX_HTTP_LEADQ_BATCH_BYTES) {
            break;
        }

        n++;
    }

    job = ngx_queue_data(ngx_queue_head(&waiting->waiting),
                         ngx_http_leadq_job_t, queue);

    batch = ngx_http_leadq_batch_new(job->function, NULL, n);
    if (batch == NULL) {
        return NULL;
    }

    for (i = 0; i < n; i++) {
        q = ngx_queue_head(&waiting->waiting);
        ngx_queue_remove(q);

        batch->job[i] = ngx_queue_data(q, ngx_http_leadq_job_t, queue);
    }

    pool->nwaiting -= n;

    return batch;
}


void
ngx_http_leadq_pool_abandon(ngx_http_leadq_pool_t *pool)
{
    ngx_uint_t              i;
    ngx_queue_t            *q;
    ngx_http_leadq_lane_t  *lane;

    ngx_http_leadq_spool_abandon(pool);

    /* the lanes first, so that no answer finds them half way */

    for (i = 0; i < pool->database->connections; i++) {
        lane = &pool->lanes[i];

        ngx_http_leadq_lane_close(lane);

        while (!ngx_queue_empty(&lane->flying)) {
            q = ngx_queue_head(&lane->flying);
            ngx_queue_remove(q);
            ngx_queue_insert_tail(&pool->again, q);
        }

        lane->nflying = 0;
    }

    while (!ngx_queue_empty(&pool->again)) {
        q = ngx_queue_head(&pool->again);
        ngx_queue_remove(q);

        ngx_http_leadq_batch_abandon(pool,
                                     ngx_queue_data(q, ngx_http_leadq_batch_t,
                                                    queue));
    }

    for (i = 0; i < pool->database->functions.nelts; i++) {
        while (!ngx_queue_empty(&pool->waiting[i].waiting)) {
            ngx_http_leadq_batch_abandon(pool,
                ngx_http_leadq_waiting_take(pool, &pool->waiting[i]));
        }
    }
}


static void
ngx_http_leadq_batch_abandon(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch)
{
    ngx_uint_t  i;

    for (i = 0; batch && i < batch->n; i++) {
        ngx_http_leadq_job_fail(pool, batch->job[i], NGX_HTTP_LEADQ_AWAY);
    }

    ngx_http_leadq_batch_free(batch);
}
