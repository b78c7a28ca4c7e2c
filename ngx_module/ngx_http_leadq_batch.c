
/*
 * A batch: its jobs, its parameters, and its way back when a lane is lost.
 */

#include "ngx_http_leadq.h"


static void ngx_http_leadq_put32(leadq_buf_t *buf, ngx_uint_t n);


ngx_http_leadq_batch_t *
ngx_http_leadq_batch_new(ngx_uint_t function, ngx_http_leadq_job_t **job,
    ngx_uint_t n)
{
    ngx_http_leadq_batch_t  *batch;

    batch = ngx_calloc(sizeof(ngx_http_leadq_batch_t)
                       + n * sizeof(ngx_http_leadq_job_t *),
                       ngx_cycle->log);
    if (batch == NULL) {
        return NULL;
    }

    batch->function = function;
    batch->n = n;

    if (job) {
        ngx_memcpy(batch->job, job, n * sizeof(ngx_http_leadq_job_t *));
    }

    return batch;
}


void
ngx_http_leadq_batch_free(ngx_http_leadq_batch_t *batch)
{
    if (batch == NULL) {
        return;
    }

    PQclear(batch->result);
    ngx_free(batch);
}


/*
 * PostgreSQL's binary arrays: dimensions 1, has nulls 0, type of elements,
 * then length and lower bound of the dimension, then length and bytes of
 * every element.
 */

ngx_int_t
ngx_http_leadq_batch_encode(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch)
{
    ngx_uint_t             i, k;
    leadq_buf_t           *buf;
    ngx_http_leadq_job_t  *job;

    for (k = 0; k < 2; k++) {
        buf = k ? &pool->rows : &pool->ids;

        buf->len = 0;
        buf->failed = 0;

        ngx_http_leadq_put32(buf, 1);
        ngx_http_leadq_put32(buf, 0);
        ngx_http_leadq_put32(buf, k ? 25 : 2950);       /* text, uuid */
        ngx_http_leadq_put32(buf, batch->n);
        ngx_http_leadq_put32(buf, 1);
    }

    for (i = 0; i < batch->n; i++) {
        job = batch->job[i];

        ngx_http_leadq_put32(&pool->ids, sizeof(job->id));
        leadq_buf_put(&pool->ids, (char *) job->id, sizeof(job->id));

        ngx_http_leadq_put32(&pool->rows, job->len);
        leadq_buf_put(&pool->rows, job->row, job->len);
    }

    return pool->ids.failed || pool->rows.failed ? NGX_ERROR : NGX_OK;
}


static void
ngx_http_leadq_put32(leadq_buf_t *buf, ngx_uint_t n)
{
    uint32_t  net;

    net = htonl((uint32_t) n);

    leadq_buf_put(buf, (char *) &net, sizeof(net));
}


void
ngx_http_leadq_batch_requeue(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch, ngx_uint_t suspect)
{
    ngx_uint_t                 i;
    ngx_http_leadq_job_t      *job;
    ngx_http_leadq_waiting_t  *waiting;

    waiting = &pool->waiting[batch->function];

    for (i = batch->n; i; i--) {
        job = batch->job[i - 1];
        job->losses += suspect;

        if (ngx_http_leadq_job_left(job) <= 0
            || job->losses >= NGX_HTTP_LEADQ_LOSSES)
        {
            ngx_http_leadq_count_expired(pool, job, LEADQ_EXPIRED_WAITING);
            ngx_http_leadq_job_fail(pool, job, NGX_HTTP_LEADQ_AWAY);
            continue;
        }

        ngx_queue_insert_head(&waiting->waiting, &job->queue);
        pool->nwaiting++;
    }

    ngx_http_leadq_batch_free(batch);
}
