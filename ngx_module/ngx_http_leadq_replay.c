
/*
 * Rows of the spool go to their database, once it is back: in the order they
 * were written, one batch after the other, as jobs without a request.
 *
 *     SQL answers below 400             done
 *     SQL answers 400 and more,
 *     or raises for this row alone      kept in NAME.refused, for a person
 *     anything else                     the batch comes again after a pause
 *
 * A file is removed when all of its rows are dealt with; until then a crash
 * has no other effect than that they are sent again, with the same ids.
 */

#include "ngx_http_leadq_spool.h"


#define NGX_HTTP_LEADQ_REPLAY_MIN  1000         /* ms, pauses */
#define NGX_HTTP_LEADQ_REPLAY_MAX  30000


static void ngx_http_leadq_replay_step(ngx_http_leadq_spool_t *spool);
static void ngx_http_leadq_replay_thread(void *data, ngx_log_t *log);
static void ngx_http_leadq_replay_read(ngx_event_t *ev);
static void ngx_http_leadq_replay_send(ngx_http_leadq_spool_t *spool);
static ngx_http_leadq_function_t *ngx_http_leadq_replay_function(
    ngx_http_leadq_spool_t *spool, leadq_spool_record_t *record);
static void ngx_http_leadq_replay_orphans(ngx_http_leadq_spool_t *spool);
static void ngx_http_leadq_replay_refuse(ngx_http_leadq_spool_t *spool,
    ngx_http_leadq_job_t *job, ngx_uint_t status);
static void ngx_http_leadq_replay_landed(ngx_http_leadq_spool_t *spool);
static void ngx_http_leadq_replay_pause(ngx_http_leadq_spool_t *spool,
    const char *what, ngx_err_t err);
static void ngx_http_leadq_replay_close(ngx_http_leadq_spool_t *spool);
static void ngx_http_leadq_replay_told(ngx_http_leadq_spool_t *spool);


ngx_int_t
ngx_http_leadq_replay_init(ngx_cycle_t *cycle, ngx_http_leadq_spool_t *spool)
{
    spool->read = ngx_thread_task_alloc(cycle->pool, 0);
    if (spool->read == NULL) {
        return NGX_ERROR;
    }

    spool->read->ctx = spool;
    spool->read->handler = ngx_http_leadq_replay_thread;
    spool->read->event.handler = ngx_http_leadq_replay_read;
    spool->read->event.data = spool;

    leadq_reader_init(&spool->reader, &spool->journal);
    leadq_buf_init(&spool->refused, 2 * LEADQ_SPOOL_MAX);

    return NGX_OK;
}


void
ngx_http_leadq_replay_done(ngx_http_leadq_spool_t *spool)
{
    leadq_reader_close(&spool->reader);
    leadq_buf_done(&spool->refused);
}


void
ngx_http_leadq_replay_tick(ngx_http_leadq_spool_t *spool)
{
    if (spool->state != NGX_HTTP_LEADQ_REST) {
        return;
    }

    if (ngx_exiting || spool->pool->nready == 0) {
        ngx_http_leadq_replay_close(spool);
        return;
    }

    if (spool->pause == 0
        || (ngx_msec_int_t) (spool->next - ngx_current_msec) <= 0)
    {
        ngx_http_leadq_replay_step(spool);
    }
}


static void
ngx_http_leadq_replay_step(ngx_http_leadq_spool_t *spool)
{
    if (ngx_exiting || spool->pool->nready == 0) {
        ngx_http_leadq_replay_close(spool);
        return;
    }

    spool->state = NGX_HTTP_LEADQ_READING;

    if (ngx_thread_task_post(spool->pool->database->threads, spool->read)
        != NGX_OK)
    {
        ngx_http_leadq_replay_pause(spool, "start a thread", 0);
    }
}


/* In a thread. */

static void
ngx_http_leadq_replay_thread(void *data, ngx_log_t *log)
{
    ngx_http_leadq_spool_t  *spool = data;

    size_t                      rows;
    ngx_http_leadq_database_t  *database;

    database = spool->pool->database;

    /* those who wait for an answer need the queue more than we do */

    rows = ngx_min(database->batch, 1 + database->queue / 8);

    spool->read_rc = 0;

    if (spool->refused.len) {
        spool->read_rc = leadq_reader_refuse(&spool->reader,
                                             spool->refused.data,
                                             spool->refused.len);
    }

    if (spool->read_rc == 0) {
        spool->refused.len = 0;

        if (spool->advance) {
            leadq_reader_advance(&spool->reader);
            spool->advance = 0;
        }

        spool->read_rc = leadq_reader_next(&spool->reader, rows,
                                           NGX_HTTP_LEADQ_BATCH_BYTES);
    }

    spool->read_err = ngx_errno;
}


static void
ngx_http_leadq_replay_read(ngx_event_t *ev)
{
    ngx_http_leadq_spool_t  *spool;

    spool = ev->data;

    if (spool->read_rc == -1) {
        ngx_http_leadq_replay_pause(spool, spool->reader.what,
                                    spool->read_err);
        return;
    }

    if (spool->read_rc == 0) {
        spool->state = NGX_HTTP_LEADQ_REST;
        spool->pause = 0;

        ngx_http_leadq_replay_told(spool);
        return;
    }

    if (ngx_exiting || spool->pool->nready == 0) {
        ngx_http_leadq_replay_close(spool);
        return;
    }

    ngx_http_leadq_replay_send(spool);
}


static void
ngx_http_leadq_replay_send(ngx_http_leadq_spool_t *spool)
{
    ngx_uint_t                  i;
    leadq_spool_record_t       *record;
    ngx_http_leadq_job_t       *job;
    ngx_http_leadq_pool_t      *pool;
    ngx_http_leadq_batch_t     *batch;
    ngx_http_leadq_function_t  *function;

    pool = spool->pool;
    record = spool->reader.record;

    function = ngx_http_leadq_replay_function(spool, &record[0]);

    if (function == NULL) {
        ngx_http_leadq_replay_orphans(spool);
        return;
    }

    batch = ngx_http_leadq_batch_new(function->index, NULL, spool->reader.n);
    if (batch == NULL) {
        ngx_http_leadq_replay_pause(spool, "get memory", 0);
        return;
    }

    spool->state = NGX_HTTP_LEADQ_FLYING;
    spool->failed = 0;
    spool->bad = 0;
    spool->left = batch->n;

    for (i = 0; i < batch->n; i++) {
        job = ngx_http_leadq_job_new(pool, function, record[i].id,
                                     record[i].row, record[i].row_len);
        if (job == NULL) {
            break;
        }

        job->replay = 1;
        batch->job[i] = job;
    }

    if (i == batch->n) {
        ngx_queue_insert_tail(&pool->again, &batch->queue);
        ngx_http_leadq_pool_flush(pool);
        return;
    }

    /* no memory: those that are there go back */

    spool->left = i + 1;

    while (i) {
        ngx_http_leadq_job_fail(pool, batch->job[--i], NGX_HTTP_LEADQ_AWAY);
    }

    ngx_http_leadq_batch_free(batch);
    ngx_http_leadq_replay_pause(spool, "get memory", 0);
}


static ngx_http_leadq_function_t *
ngx_http_leadq_replay_function(ngx_http_leadq_spool_t *spool,
    leadq_spool_record_t *record)
{
    ngx_uint_t                   i;
    ngx_http_leadq_database_t   *database;
    ngx_http_leadq_function_t  **function;

    database = spool->pool->database;
    function = database->functions.elts;

    for (i = 0; i < database->functions.nelts; i++) {
        if (function[i]->name.len == record->function_len
            && ngx_strncmp(function[i]->name.data, record->function,
                           record->function_len)
               == 0)
        {
            return function[i];
        }
    }

    return NULL;
}


/* Rows of a function that no location calls any more. */

static void
ngx_http_leadq_replay_orphans(ngx_http_leadq_spool_t *spool)
{
    ngx_str_t              name;
    ngx_uint_t             i;
    leadq_spool_record_t  *record;

    record = spool->reader.record;

    for (i = 0; i < spool->reader.n; i++) {
        if (leadq_spool_put(&spool->refused, &record[i]) != 0) {
            spool->refused.len = 0;
            spool->refused.failed = 0;
            ngx_http_leadq_replay_pause(spool, "get memory", 0);
            return;
        }
    }

    name.data = (u_char *) record[0].function;
    name.len = record[0].function_len;

    ngx_log_error(NGX_LOG_ERR, spool->pool->log, 0,
                  "leadq spool of \"%V\": no location calls the function "
                  "\"%V\" of %ui rows, they are kept in \"%V/%V.refused\"",
                  &spool->pool->database->name, &name, i,
                  &spool->pool->database->spool,
                  &spool->pool->database->name);

    spool->nrefused += i;
    spool->advance = 1;

    ngx_http_leadq_replay_step(spool);
}


void
ngx_http_leadq_replay_settled(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job, ngx_http_leadq_outcome_e outcome,
    ngx_uint_t status)
{
    ngx_http_leadq_spool_t  *spool;

    spool = pool->spool;

    if (outcome == NGX_HTTP_LEADQ_ANSWERED) {
        if (status >= 400) {
            ngx_http_leadq_replay_refuse(spool, job, status);
        }

    } else if (job->blamed && outcome != NGX_HTTP_LEADQ_AWAY) {
        ngx_http_leadq_replay_refuse(spool, job, 0);

    } else {
        spool->failed = 1;
    }

    if (--spool->left == 0) {
        ngx_http_leadq_replay_landed(spool);
    }
}


static void
ngx_http_leadq_replay_refuse(ngx_http_leadq_spool_t *spool,
    ngx_http_leadq_job_t *job, ngx_uint_t status)
{
    u_char                id[LEADQ_UUID_LEN + 1];
    leadq_spool_record_t  record;

    record.time_ms = (uint64_t) ngx_time() * 1000;
    ngx_http_leadq_spool_record(spool->pool, job, &record);

    if (leadq_spool_put(&spool->refused, &record) != 0) {
        spool->refused.failed = 0;
        spool->failed = 1;
        return;
    }

    spool->bad++;
    leadq_uuid_format(job->id, (char *) id);

    ngx_log_error(NGX_LOG_WARN, spool->pool->log, 0,
                  "leadq spool of \"%V\": row %s is refused, status=%ui, it "
                  "is kept in \"%V/%V.refused\"",
                  &spool->pool->database->name, id, status,
                  &spool->pool->database->spool,
                  &spool->pool->database->name);
}


/* The last job of the batch is settled. */

static void
ngx_http_leadq_replay_landed(ngx_http_leadq_spool_t *spool)
{
    if (spool->failed) {
        spool->refused.len = 0;
        ngx_http_leadq_replay_pause(spool, "replay its rows", 0);
        return;
    }

    spool->nreplayed += spool->reader.n;
    spool->nrefused += spool->bad;
    spool->advance = 1;
    spool->pause = 0;

    ngx_http_leadq_replay_step(spool);
}


static void
ngx_http_leadq_replay_pause(ngx_http_leadq_spool_t *spool, const char *what,
    ngx_err_t err)
{
    ngx_uint_t  level;

    spool->state = NGX_HTTP_LEADQ_REST;
    spool->pause = spool->pause ? ngx_min(spool->pause * 2,
                                          NGX_HTTP_LEADQ_REPLAY_MAX)
                                : NGX_HTTP_LEADQ_REPLAY_MIN;
    spool->next = ngx_current_msec + spool->pause;

    /* the lanes tell that the database went away again */

    level = spool->pool->nready == 0 || ngx_exiting
            || (spool->stuck
                && ngx_current_msec - spool->stuck < NGX_HTTP_LEADQ_LOG_EVERY)
            ? NGX_LOG_INFO : NGX_LOG_ERR;

    if (level == NGX_LOG_ERR) {
        spool->stuck = ngx_current_msec;
    }

    ngx_log_error(level, spool->pool->log, err,
                  "leadq spool \"%V\" of \"%V\" cannot %s, again in %M ms",
                  &spool->pool->database->spool,
                  &spool->pool->database->name, what, spool->pause);
}


/* Others may go on with the file, from its beginning. */

static void
ngx_http_leadq_replay_close(ngx_http_leadq_spool_t *spool)
{
    spool->state = NGX_HTTP_LEADQ_REST;
    spool->refused.len = 0;
    spool->advance = 0;

    leadq_reader_close(&spool->reader);
    ngx_http_leadq_replay_told(spool);
}


static void
ngx_http_leadq_replay_told(ngx_http_leadq_spool_t *spool)
{
    if (spool->reader.spoilt) {
        ngx_log_error(NGX_LOG_WARN, spool->pool->log, 0,
                      "leadq spool of \"%V\": %uL bytes were no whole rows, "
                      "their files are kept as \"%V/%V.*.damaged\"",
                      &spool->pool->database->name, spool->reader.spoilt,
                      &spool->pool->database->spool,
                      &spool->pool->database->name);

        spool->reader.spoilt = 0;
    }

    if (spool->nreplayed == 0 && spool->nrefused == 0) {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, spool->pool->log, 0,
                  "leadq spool of \"%V\": %ui rows are replayed, %ui of them "
                  "were refused", &spool->pool->database->name,
                  spool->nreplayed, spool->nrefused);

    spool->nreplayed = 0;
    spool->nrefused = 0;
}
