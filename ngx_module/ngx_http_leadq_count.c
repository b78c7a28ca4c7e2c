
/*
 * Counting, by whoever does what is counted.  A request is counted when it
 * ends, a row when it is freed, a batch when it is sent and when its commit
 * is over.  All of it is a few additions to memory that no other process
 * writes, and two looks at the clock for a row and a batch.
 *
 * Without a slot there are no metrics to write to, and nothing happens.
 */

#include "ngx_http_leadq.h"


static void ngx_http_leadq_ctx_end(void *data);


uint64_t
ngx_http_leadq_now_us(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}


void
ngx_http_leadq_count_queue(ngx_http_leadq_pool_t *pool)
{
    uint64_t                   *gauge;
    ngx_http_leadq_database_t  *database;

    database = pool->database;

    /* place 0 is shared by databases, its gauges would be of any of them */

    if (database->metrics == NULL || database->place_in_zone == 0) {
        return;
    }

    gauge = database->metrics->gauge;

    leadq_metrics_set(&gauge[LEADQ_GAUGE_READY], pool->nready);
    leadq_metrics_set(&gauge[LEADQ_GAUGE_WAITING], pool->nwaiting);
    leadq_metrics_set(&gauge[LEADQ_GAUGE_ROWS], pool->njobs);
    leadq_metrics_set(&gauge[LEADQ_GAUGE_BYTES], pool->nbytes);
}


/* What does not change in the life of a process, or only at its end. */

void
ngx_http_leadq_count_lanes(ngx_http_leadq_pool_t *pool)
{
    uint64_t                   *gauge;
    ngx_http_leadq_database_t  *database;

    database = pool->database;

    if (database->metrics == NULL || database->place_in_zone == 0) {
        return;
    }

    gauge = database->metrics->gauge;

    /* a process that quits closes lanes on purpose */

    leadq_metrics_set(&gauge[LEADQ_GAUGE_ROWS_MAX],
                      ngx_exiting ? 0 : database->queue);
    leadq_metrics_set(&gauge[LEADQ_GAUGE_BYTES_MAX],
                      ngx_exiting ? 0 : database->queue_bytes);
    leadq_metrics_set(&database->metrics->down_since_ms, pool->down_since);
    leadq_metrics_set(&gauge[LEADQ_GAUGE_LANES],
                      ngx_exiting ? 0 : database->connections);

    ngx_http_leadq_count_queue(pool);
}


void
ngx_http_leadq_count_lane(ngx_http_leadq_pool_t *pool,
    leadq_lane_event_e event)
{
    if (pool->database->metrics) {
        leadq_metrics_add(&pool->database->metrics->lane[event], 1);
    }

    ngx_http_leadq_count_lanes(pool);
}


void
ngx_http_leadq_count_sent(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch)
{
    leadq_function_metrics_t  *metrics;

    metrics = pool->waiting[batch->function].function->metrics;

    if (metrics) {
        batch->sent_us = ngx_http_leadq_now_us();
        leadq_metrics_rows(&metrics->rows, batch->n);
    }
}


void
ngx_http_leadq_count_settled(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch)
{
    leadq_function_metrics_t  *metrics;

    metrics = pool->waiting[batch->function].function->metrics;

    if (metrics) {
        leadq_metrics_us(&metrics->database,
                         ngx_http_leadq_now_us() - batch->sent_us);
    }
}


void
ngx_http_leadq_count_failed(ngx_http_leadq_pool_t *pool,
    const char *sqlstate)
{
    leadq_class_e  class;

    if (pool->database->metrics) {
        class = leadq_metrics_class(sqlstate);
        leadq_metrics_add(&pool->database->metrics->failed[class], 1);
    }
}


void
ngx_http_leadq_count_expired(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job, leadq_expired_e state)
{
    leadq_function_metrics_t  *metrics;

    metrics = pool->waiting[job->function].function->metrics;

    /* a row may expire in flight, and once more when its lane is lost */

    if (metrics && !job->expired) {
        leadq_metrics_add(&metrics->expired[state], 1);
    }

    job->expired = 1;
}


void
ngx_http_leadq_count_freed(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job)
{
    leadq_function_metrics_t  *metrics;

    metrics = pool->waiting[job->function].function->metrics;

    if (metrics && job->batch) {
        leadq_metrics_us(&metrics->wait, job->sent_us - job->arrived_us);
    }

    ngx_http_leadq_count_queue(pool);
}


/*
 * The context lives with the request, but an internal redirect takes it from
 * the request's table; its cleanup stays, and so no request is counted in
 * vain or twice.
 */

ngx_http_leadq_ctx_t *
ngx_http_leadq_ctx_add(ngx_http_request_t *r,
    ngx_http_leadq_function_t *function)
{
    ngx_http_cleanup_t    *cln;
    ngx_http_leadq_ctx_t  *ctx;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_leadq_ctx_t));
    cln = ngx_http_cleanup_add(r, 0);

    if (ctx == NULL || cln == NULL) {
        return NULL;
    }

    ctx->request = r;
    ctx->function = function;
    ctx->outcome = NGX_HTTP_LEADQ_INVALID;

    cln->handler = ngx_http_leadq_ctx_end;
    cln->data = ctx;

    ngx_http_set_ctx(r, ctx, ngx_http_leadq_module);

    return ctx;
}


/* Before the access log is written. */

static void
ngx_http_leadq_ctx_end(void *data)
{
    ngx_http_leadq_ctx_t  *ctx = data;

    leadq_function_metrics_t  *metrics;

    if (ctx->job) {
        ngx_http_leadq_job_leave(ctx);

    } else if (ctx->outcome == NGX_HTTP_LEADQ_INVALID && !ctx->answered) {

        /* nginx ended it, not we */

        if (ctx->request->connection->error) {
            ctx->outcome = NGX_HTTP_LEADQ_ABORTED;

        } else if (ctx->request->headers_out.status
                   >= NGX_HTTP_INTERNAL_SERVER_ERROR)
        {
            ctx->outcome = NGX_HTTP_LEADQ_FAILED;
        }
    }

    metrics = ctx->function ? ctx->function->metrics : NULL;

    if (metrics) {
        leadq_metrics_add(&metrics->request[ctx->outcome], 1);

        if (ctx->gone || ctx->outcome == NGX_HTTP_LEADQ_ABORTED) {
            leadq_metrics_add(&metrics->gone, 1);
        }
    }
}
