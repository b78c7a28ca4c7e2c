
/*
 * A job: a row from the moment when its request was found valid.
 *
 * A row's time has two ends: its deadline, when its client is told to come
 * again, and the timeout of its batch, when the lane is given up (see lane).
 * A row in flight stays in flight after its deadline; one that waits is
 * dropped.  Where there is a spool, it gets the one and a copy of the other
 * instead, and the client is told that.
 *
 * The expire timer runs as long as there are jobs.  It is the only timer of
 * the module that keeps a process from quitting.
 */

#include "ngx_http_leadq.h"


static void ngx_http_leadq_job_count(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job);
static ngx_int_t ngx_http_leadq_job_copy(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job);
static void ngx_http_leadq_job_later(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job);
static void ngx_http_leadq_job_tell(ngx_http_leadq_job_t *job,
    ngx_http_leadq_ctx_t *ctx, ngx_http_leadq_outcome_e outcome);
static ngx_http_request_t *ngx_http_leadq_job_end(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job, ngx_http_leadq_outcome_e outcome);
static ngx_uint_t ngx_http_leadq_job_late(ngx_http_leadq_job_t *job,
    ngx_msec_int_t *left);
static void ngx_http_leadq_expire_waiting(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_waiting_t *waiting, ngx_msec_int_t *left);
static void ngx_http_leadq_expire_again(ngx_http_leadq_pool_t *pool,
    ngx_queue_t *q, ngx_msec_int_t *left);
static void ngx_http_leadq_expire_flying(ngx_http_leadq_pool_t *pool,
    ngx_queue_t *flying, ngx_msec_int_t *left);


ngx_int_t
ngx_http_leadq_job_add(ngx_http_request_t *r,
    ngx_http_leadq_function_t *function, leadq_buf_t *row)
{
    ngx_time_t                 *tp;
    ngx_uint_t                  away;
    ngx_http_leadq_ctx_t       *ctx;
    ngx_http_leadq_job_t       *job;
    ngx_http_leadq_pool_t      *pool;
    ngx_http_leadq_loc_conf_t  *lcf;

    pool = function->database->pool;
    away = ngx_http_leadq_pool_welcome(pool) == NGX_DECLINED;
    lcf = ngx_http_get_module_loc_conf(r, ngx_http_leadq_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_leadq_module);

    job = ngx_calloc(sizeof(ngx_http_leadq_job_t), pool->log);
    if (job == NULL) {
        return NGX_ERROR;
    }

    tp = ngx_timeofday();

    if (ctx->keyed) {
        ngx_memcpy(job->id, ctx->key_id, sizeof(job->id));

    } else if (leadq_uuid_next(&pool->uuid,
                               (uint64_t) tp->sec * 1000
                                   + (uint64_t) tp->msec,
                               job->id)
               != 0)
    {
        ngx_log_error(NGX_LOG_CRIT, r->connection->log, ngx_errno,
                      "leadq has no random bytes");
        ngx_free(job);
        return NGX_ERROR;
    }

    job->request = r;
    job->function = function->index;
    job->arrived = ngx_current_msec;
    job->arrived_us = function->metrics ? ngx_http_leadq_now_us() : 0;
    job->deadline = ngx_current_msec + function->database->timeout;
    job->row = row->data;
    job->len = row->len;
    job->spools = lcf->spool.len != 0;

    row->data = NULL;
    leadq_buf_done(row);

    leadq_uuid_format(job->id, (char *) ctx->id);
    ctx->has_id = 1;
    ctx->job = job;

    ngx_http_leadq_job_count(pool, job);

    if (away && ngx_http_leadq_spool_add(pool, job) == NGX_OK) {
        return NGX_OK;
    }

    r->connection->log->action = "waiting for the database";

    ngx_queue_insert_tail(&pool->waiting[function->index].waiting,
                          &job->queue);

    pool->nwaiting++;

    ngx_http_leadq_pool_flush(pool);

    return NGX_OK;
}


ngx_http_leadq_job_t *
ngx_http_leadq_job_new(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_function_t *function, const u_char id[16], const char *row,
    size_t len)
{
    ngx_http_leadq_job_t  *job;

    job = ngx_calloc(sizeof(ngx_http_leadq_job_t), pool->log);
    if (job == NULL) {
        return NULL;
    }

    job->row = ngx_alloc(len, pool->log);
    if (job->row == NULL) {
        ngx_free(job);
        return NULL;
    }

    ngx_memcpy(job->row, row, len);
    ngx_memcpy(job->id, id, sizeof(job->id));

    job->len = len;
    job->function = function->index;
    job->arrived = ngx_current_msec;
    job->arrived_us = function->metrics ? ngx_http_leadq_now_us() : 0;
    job->deadline = ngx_current_msec + function->database->timeout;

    ngx_http_leadq_job_count(pool, job);

    return job;
}


static void
ngx_http_leadq_job_count(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job)
{
    pool->njobs++;
    pool->nbytes += job->len;

    if (!pool->expire.timer_set) {
        ngx_add_timer(&pool->expire, pool->database->timeout);
    }
}


/* The client is gone; its row is not. */

void
ngx_http_leadq_job_leave(ngx_http_leadq_ctx_t *ctx)
{
    ctx->job->request = NULL;

    ngx_http_leadq_job_tell(ctx->job, ctx, NGX_HTTP_LEADQ_ABORTED);
}


void
ngx_http_leadq_job_answer(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job, ngx_http_leadq_answer_t *answer)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    if (pool->rate_second != ngx_time()) {
        pool->rate = pool->rate_second == ngx_time() - 1 ? pool->rate_rows : 0;
        pool->rate_rows = 0;
        pool->rate_second = ngx_time();
    }

    pool->rate_rows++;

    if (job->replay) {
        ngx_http_leadq_replay_settled(pool, job, NGX_HTTP_LEADQ_ANSWERED,
                                      answer->status);
    }

    r = ngx_http_leadq_job_end(pool, job, NGX_HTTP_LEADQ_ANSWERED);

    ngx_http_leadq_job_free(pool, job);

    if (r) {
        c = r->connection;

        ngx_http_finalize_request(r, ngx_http_leadq_reply_answer(r, answer));
        ngx_http_run_posted_requests(c);
    }
}


void
ngx_http_leadq_job_fail(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job, ngx_http_leadq_outcome_e outcome)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    if (job->replay) {
        ngx_http_leadq_replay_settled(pool, job, outcome, 0);

    } else if (outcome == NGX_HTTP_LEADQ_AWAY
               && ngx_http_leadq_spool_add(pool, job) == NGX_OK)
    {
        return;
    }

    r = ngx_http_leadq_job_end(pool, job, outcome);

    ngx_http_leadq_job_free(pool, job);

    if (r) {
        c = r->connection;

        ngx_http_finalize_request(r, ngx_http_leadq_reply_outcome(r, outcome));
        ngx_http_run_posted_requests(c);
    }
}


void
ngx_http_leadq_job_spooled(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job)
{
    u_char                    body[LEADQ_UUID_LEN + 40], *p;
    ngx_connection_t         *c;
    ngx_http_request_t       *r;
    ngx_http_leadq_ctx_t     *ctx;
    ngx_http_leadq_answer_t   answer;

    r = ngx_http_leadq_job_end(pool, job, NGX_HTTP_LEADQ_SPOOLED);

    ngx_http_leadq_job_free(pool, job);

    if (r) {
        c = r->connection;
        ctx = ngx_http_get_module_ctx(r, ngx_http_leadq_module);

        p = ngx_sprintf(body, "{\"id\":\"%s\",\"durable\":\"local\"}%Z",
                        ctx->id);

        answer.status = NGX_HTTP_ACCEPTED;
        answer.headers = NULL;
        answer.body = (char *) body;
        answer.body_len = p - body - 1;

        ngx_http_finalize_request(r, ngx_http_leadq_reply_answer(r, &answer));
        ngx_http_run_posted_requests(c);
    }
}


/* The client has waited long enough, the row stays in flight. */

static void
ngx_http_leadq_job_later(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    if (ngx_http_leadq_job_copy(pool, job) == NGX_OK) {
        return;
    }

    r = ngx_http_leadq_job_end(pool, job, NGX_HTTP_LEADQ_AWAY);

    if (r) {
        ngx_http_leadq_count_expired(pool, job, LEADQ_EXPIRED_FLYING);

        c = r->connection;

        ngx_http_finalize_request(r, ngx_http_leadq_reply_outcome(
                                         r, NGX_HTTP_LEADQ_AWAY));
        ngx_http_run_posted_requests(c);
    }
}


/*
 * The client goes to the spool with a copy of the row.  Should the row come
 * to the database by both ways, its id is there already.
 */

static ngx_int_t
ngx_http_leadq_job_copy(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job)
{
    ngx_http_leadq_ctx_t  *ctx;
    ngx_http_leadq_job_t  *copy;

    if (job->request == NULL || !job->spools
        || !ngx_http_leadq_spool_ready(pool))
    {
        return NGX_DECLINED;
    }

    copy = ngx_http_leadq_job_new(pool,
                                  pool->waiting[job->function].function,
                                  job->id, job->row, job->len);
    if (copy == NULL) {
        return NGX_DECLINED;
    }

    copy->spools = 1;
    copy->batch = job->batch;
    copy->arrived = job->arrived;
    copy->sent = job->sent;
    copy->request = job->request;

    ctx = ngx_http_get_module_ctx(job->request, ngx_http_leadq_module);
    ctx->job = copy;

    job->request = NULL;
    job->spools = 0;

    return ngx_http_leadq_spool_add(pool, copy);
}


/* Parts job and request; the request to answer, or NULL. */

static ngx_http_request_t *
ngx_http_leadq_job_end(ngx_http_leadq_pool_t *pool, ngx_http_leadq_job_t *job,
    ngx_http_leadq_outcome_e outcome)
{
    ngx_http_request_t    *r;
    ngx_http_leadq_ctx_t  *ctx;

    r = job->request;

    if (r == NULL) {
        return NULL;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_leadq_module);

    ngx_http_leadq_job_tell(job, ctx, outcome);

    /* nobody reads from the client now, but the events have told */

    ctx->gone = r->connection->error || r->connection->read->pending_eof;

    job->request = NULL;

    ngx_http_set_log_request(r->connection->log, r);
    r->connection->log->action = "sending the answer";

    return r;
}


/* What the access log will want to know; the job may be gone by then. */

static void
ngx_http_leadq_job_tell(ngx_http_leadq_job_t *job, ngx_http_leadq_ctx_t *ctx,
    ngx_http_leadq_outcome_e outcome)
{
    ctx->job = NULL;
    ctx->outcome = outcome;
    ctx->batch = job->batch;
    ctx->sendings = job->sendings;
    ngx_memcpy(ctx->sqlstate, job->sqlstate, sizeof(ctx->sqlstate));

    if (job->batch) {
        ctx->wait = job->sent - job->arrived;
        ctx->db_time = ngx_current_msec - job->sent;

    } else {
        ctx->wait = ngx_current_msec - job->arrived;
    }
}


void
ngx_http_leadq_job_free(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job)
{
    pool->njobs--;
    pool->nbytes -= job->len;

    ngx_http_leadq_count_freed(pool, job);

    if (pool->njobs == 0 && pool->expire.timer_set) {
        ngx_del_timer(&pool->expire);
    }

    free(job->row);
    ngx_free(job);
}


ngx_msec_int_t
ngx_http_leadq_job_left(ngx_http_leadq_job_t *job)
{
    return (ngx_msec_int_t) (job->deadline - ngx_current_msec);
}


/* Past its deadline?  If not, left becomes the time until it, if less. */

static ngx_uint_t
ngx_http_leadq_job_late(ngx_http_leadq_job_t *job, ngx_msec_int_t *left)
{
    ngx_msec_int_t  until;

    until = ngx_http_leadq_job_left(job);

    if (until <= 0) {
        return 1;
    }

    if (until < *left) {
        *left = until;
    }

    return 0;
}


void
ngx_http_leadq_expire_handler(ngx_event_t *ev)
{
    ngx_uint_t              i;
    ngx_queue_t            *q, *next;
    ngx_msec_int_t          left;
    ngx_http_leadq_pool_t  *pool;

    pool = ev->data;
    left = (ngx_msec_int_t) pool->database->timeout;

    for (i = 0; i < pool->database->functions.nelts; i++) {
        ngx_http_leadq_expire_waiting(pool, &pool->waiting[i], &left);
    }

    for (q = ngx_queue_head(&pool->again);
         q != ngx_queue_sentinel(&pool->again);
         q = next)
    {
        next = ngx_queue_next(q);
        ngx_http_leadq_expire_again(pool, q, &left);
    }

    for (i = 0; i < pool->database->connections; i++) {
        ngx_http_leadq_expire_flying(pool, &pool->lanes[i].flying, &left);
    }

    if (pool->njobs) {
        ngx_add_timer(ev, (ngx_msec_t) ngx_max(left, 1));
    }
}


/* The head is the oldest. */

static void
ngx_http_leadq_expire_waiting(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_waiting_t *waiting, ngx_msec_int_t *left)
{
    ngx_queue_t           *q;
    ngx_http_leadq_job_t  *job;

    while (!ngx_queue_empty(&waiting->waiting)) {
        q = ngx_queue_head(&waiting->waiting);
        job = ngx_queue_data(q, ngx_http_leadq_job_t, queue);

        if (!ngx_http_leadq_job_late(job, left)) {
            return;
        }

        ngx_queue_remove(q);
        pool->nwaiting--;

        ngx_http_leadq_count_expired(pool, job, LEADQ_EXPIRED_WAITING);
        ngx_http_leadq_job_fail(pool, job, NGX_HTTP_LEADQ_AWAY);
    }
}


/* Batches that have not been sent again lose the rows that are late. */

static void
ngx_http_leadq_expire_again(ngx_http_leadq_pool_t *pool, ngx_queue_t *q,
    ngx_msec_int_t *left)
{
    ngx_uint_t               i, kept;
    ngx_http_leadq_job_t    *job;
    ngx_http_leadq_batch_t  *batch;

    batch = ngx_queue_data(q, ngx_http_leadq_batch_t, queue);
    kept = 0;

    for (i = 0; i < batch->n; i++) {
        job = batch->job[i];

        if (ngx_http_leadq_job_late(job, left)) {
            ngx_http_leadq_count_expired(pool, job, LEADQ_EXPIRED_WAITING);
            ngx_http_leadq_job_fail(pool, job, NGX_HTTP_LEADQ_AWAY);
            continue;
        }

        batch->job[kept++] = job;
    }

    batch->n = kept;

    if (kept == 0) {
        ngx_queue_remove(q);
        ngx_http_leadq_batch_free(batch);
    }
}


/* Clients of rows in flight are told, the rows go on. */

static void
ngx_http_leadq_expire_flying(ngx_http_leadq_pool_t *pool, ngx_queue_t *flying,
    ngx_msec_int_t *left)
{
    ngx_uint_t               i;
    ngx_queue_t             *q;
    ngx_http_leadq_batch_t  *batch;

    for (q = ngx_queue_head(flying);
         q != ngx_queue_sentinel(flying);
         q = ngx_queue_next(q))
    {
        batch = ngx_queue_data(q, ngx_http_leadq_batch_t, queue);

        for (i = 0; i < batch->n; i++) {
            if (ngx_http_leadq_job_late(batch->job[i], left)) {
                ngx_http_leadq_job_later(pool, batch->job[i]);
            }
        }
    }
}
