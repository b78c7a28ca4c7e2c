
/*
 * The directive leadq_spool, and how rows come to the disk when their
 * database is away.
 *
 * Rows that come while a thread writes are written together by the next one,
 * with one fsync.  A client is answered when that is done: 202, or 503 if the
 * disk is full or broken; then nothing is tried for a second.
 *
 * The row of a batch that was lost on its way may be in the database already.
 * It is spooled with its id, so that a replay finds it there.
 */

#include "ngx_http_leadq_spool.h"


#define NGX_HTTP_LEADQ_TICK        500          /* ms */
#define NGX_HTTP_LEADQ_BROKEN      1000
#define NGX_HTTP_LEADQ_SPOOL_SIZE  (64 * 1024 * 1024)
#define NGX_HTTP_LEADQ_SPOOL_MIN   (64 * 1024)
#define NGX_HTTP_LEADQ_SPOOL_MAX   ((off_t) 1024 * 1024 * 1024 * 1024)


static void ngx_http_leadq_spool_flush_handler(ngx_event_t *ev);
static void ngx_http_leadq_spool_take(ngx_http_leadq_spool_t *spool);
static void ngx_http_leadq_spool_thread(void *data, ngx_log_t *log);
static void ngx_http_leadq_spool_written(ngx_event_t *ev);
static void ngx_http_leadq_spool_told(ngx_http_leadq_spool_t *spool);
static void ngx_http_leadq_spool_broke(ngx_http_leadq_spool_t *spool);
static void ngx_http_leadq_spool_fail(ngx_http_leadq_pool_t *pool,
    ngx_queue_t *jobs);
static void ngx_http_leadq_spool_tick_handler(ngx_event_t *ev);


/* leadq_spool PATH [size=SIZE]; */

char *
ngx_http_leadq_spool(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_leadq_loc_conf_t  *lcf = conf;

    ngx_str_t  *value, size;

#if !(NGX_THREADS)
    return "needs an nginx that was built with --with-threads";
#endif

    if (lcf->spool.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    lcf->spool = value[1];
    lcf->spool_size = NGX_HTTP_LEADQ_SPOOL_SIZE;

    while (lcf->spool.len > 1 && lcf->spool.data[lcf->spool.len - 1] == '/') {
        lcf->spool.len--;
    }

    if (lcf->spool.len == 0) {
        return "has an empty path";
    }

    if (ngx_conf_full_name(cf->cycle, &lcf->spool, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (cf->args->nelts == 3) {

        if (value[2].len < 5 || ngx_strncmp(value[2].data, "size=", 5) != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown parameter \"%V\" in \"leadq_spool\"",
                               &value[2]);
            return NGX_CONF_ERROR;
        }

        size.data = value[2].data + 5;
        size.len = value[2].len - 5;

        lcf->spool_size = size.len ? ngx_parse_offset(&size) : NGX_ERROR;

        if (lcf->spool_size < NGX_HTTP_LEADQ_SPOOL_MIN
            || lcf->spool_size > NGX_HTTP_LEADQ_SPOOL_MAX)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in \"leadq_spool\", "
                               "allowed is 64k..1024g", &value[2]);
            return NGX_CONF_ERROR;
        }
    }

    lcf->spool_place.line = 0;
    ngx_http_leadq_place(cf, &lcf->spool_place);
    ngx_http_leadq_place(cf, &lcf->place);

    return NGX_CONF_OK;
}


/* At the end of a location: one spool is for all that call its database. */

char *
ngx_http_leadq_spool_set(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *lcf)
{
    ngx_path_t                 *path;
    ngx_http_leadq_database_t  *database;

    if (lcf->spool.len == 0) {
        return NGX_CONF_OK;
    }

    database = lcf->function->database;

    if (database->spool.len == 0) {
        database->spool = lcf->spool;
        database->spool_size = lcf->spool_size;
        database->spool_place = lcf->spool_place;

        database->threads = ngx_thread_pool_add(cf, NULL);
        if (database->threads == NULL) {
            return NGX_CONF_ERROR;
        }

        path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));
        if (path == NULL) {
            return NGX_CONF_ERROR;
        }

        path->name = lcf->spool;
        path->conf_file = lcf->spool_place.file.data;
        path->line = lcf->spool_place.line;

        return ngx_add_path(cf, &path) == NGX_OK ? NGX_CONF_OK
                                                 : NGX_CONF_ERROR;
    }

    if (database->spool.len == lcf->spool.len
        && ngx_strncmp(database->spool.data, lcf->spool.data, lcf->spool.len)
           == 0
        && database->spool_size == lcf->spool_size)
    {
        return NGX_CONF_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"leadq_spool\" of database \"%V\" has another path or "
                  "size in %V:%ui than in %V:%ui", &database->name,
                  &lcf->spool_place.file, lcf->spool_place.line,
                  &database->spool_place.file, database->spool_place.line);

    return NGX_CONF_ERROR;
}


ngx_int_t
ngx_http_leadq_spool_init(ngx_cycle_t *cycle, ngx_http_leadq_pool_t *pool)
{
    ngx_http_leadq_spool_t     *spool;
    ngx_http_leadq_database_t  *database;

    database = pool->database;

    if (database->spool.len == 0) {
        return NGX_OK;
    }

    spool = ngx_pcalloc(cycle->pool, sizeof(ngx_http_leadq_spool_t));
    if (spool == NULL) {
        return NGX_ERROR;
    }

    spool->write = ngx_thread_task_alloc(cycle->pool, 0);
    spool->journal.dir = ngx_http_leadq_spool_text(cycle, &database->spool);
    spool->journal.name = ngx_http_leadq_spool_text(cycle, &database->name);
    spool->journal.size = (uint64_t) database->spool_size;

    if (spool->write == NULL || spool->journal.dir == NULL
        || spool->journal.name == NULL)
    {
        return NGX_ERROR;
    }

    spool->pool = pool;
    spool->state = NGX_HTTP_LEADQ_REST;

    ngx_queue_init(&spool->pending);
    ngx_queue_init(&spool->writing);
    leadq_writer_init(&spool->writer, &spool->journal);
    leadq_buf_init(&spool->buf, 2 * LEADQ_SPOOL_MAX);

    spool->write->ctx = spool;
    spool->write->handler = ngx_http_leadq_spool_thread;
    spool->write->event.handler = ngx_http_leadq_spool_written;
    spool->write->event.data = spool;

    spool->flush.handler = ngx_http_leadq_spool_flush_handler;
    spool->flush.data = spool;
    spool->flush.log = pool->log;

    spool->tick.handler = ngx_http_leadq_spool_tick_handler;
    spool->tick.data = pool;                    /* it has an ident */
    spool->tick.log = pool->log;
    spool->tick.cancelable = 1;

    ngx_add_timer(&spool->tick, NGX_HTTP_LEADQ_TICK);

    pool->spool = spool;

    return ngx_http_leadq_replay_init(cycle, spool);
}


/* The threads have ended before. */

void
ngx_http_leadq_spool_done(ngx_http_leadq_pool_t *pool)
{
    ngx_http_leadq_spool_t  *spool;

    spool = pool->spool;

    if (spool == NULL) {
        return;
    }

    leadq_writer_close(&spool->writer);
    leadq_buf_done(&spool->buf);
    ngx_http_leadq_replay_done(spool);
}


ngx_int_t
ngx_http_leadq_welcome(ngx_http_leadq_loc_conf_t *lcf)
{
    ngx_int_t               rc;
    ngx_http_leadq_pool_t  *pool;

    pool = lcf->function->database->pool;
    rc = ngx_http_leadq_pool_welcome(pool);

    return rc == NGX_DECLINED && lcf->spool.len
           && ngx_http_leadq_spool_ready(pool) ? NGX_OK : rc;
}


ngx_uint_t
ngx_http_leadq_spool_ready(ngx_http_leadq_pool_t *pool)
{
    ngx_http_leadq_spool_t  *spool;

    spool = pool->spool;

    return spool && !spool->abandoned
           && (!spool->broken
               || ngx_current_msec - spool->broke >= NGX_HTTP_LEADQ_BROKEN);
}


ngx_int_t
ngx_http_leadq_spool_add(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job)
{
    ngx_http_leadq_spool_t  *spool;

    spool = pool->spool;

    if (!job->spools || !ngx_http_leadq_spool_ready(pool)) {
        return NGX_DECLINED;
    }

    ngx_queue_insert_tail(&spool->pending, &job->queue);

    if (job->request) {
        job->request->connection->log->action = "waiting for the spool";
    }

    ngx_post_event(&spool->flush, &ngx_posted_events);

    return NGX_OK;
}


void
ngx_http_leadq_spool_abandon(ngx_http_leadq_pool_t *pool)
{
    if (pool->spool) {
        pool->spool->abandoned = 1;
        ngx_http_leadq_spool_fail(pool, &pool->spool->pending);
    }
}


static void
ngx_http_leadq_spool_flush_handler(ngx_event_t *ev)
{
    ngx_time_t              *tp;
    ngx_http_leadq_spool_t  *spool;

    tp = ngx_timeofday();
    spool = ev->data;

    if (spool->busy || ngx_queue_empty(&spool->pending)) {
        return;
    }

    if (!ngx_http_leadq_spool_ready(spool->pool)) {
        ngx_http_leadq_spool_fail(spool->pool, &spool->pending);
        return;
    }

    ngx_http_leadq_spool_take(spool);

    spool->now_ms = (uint64_t) tp->sec * 1000 + (uint64_t) tp->msec;
    spool->busy = 1;

    if (ngx_thread_task_post(spool->pool->database->threads, spool->write)
        != NGX_OK)
    {
        spool->busy = 0;
        ngx_http_leadq_spool_fail(spool->pool, &spool->writing);
    }
}


static void
ngx_http_leadq_spool_take(ngx_http_leadq_spool_t *spool)
{
    size_t                 bytes;
    ngx_queue_t           *q;
    ngx_http_leadq_job_t  *job;

    for (bytes = 0; !ngx_queue_empty(&spool->pending); bytes += job->len) {

        q = ngx_queue_head(&spool->pending);
        job = ngx_queue_data(q, ngx_http_leadq_job_t, queue);

        if (bytes && bytes + job->len > NGX_HTTP_LEADQ_BATCH_BYTES) {
            break;
        }

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&spool->writing, q);
    }
}


/* In a thread.  Of the jobs, the event loop may only change the request. */

static void
ngx_http_leadq_spool_thread(void *data, ngx_log_t *log)
{
    ngx_http_leadq_spool_t  *spool = data;

    ngx_queue_t            *q;
    leadq_spool_record_t    record;
    ngx_http_leadq_job_t   *job;

    spool->buf.len = 0;
    spool->buf.failed = 0;
    spool->write_rc = 0;

    record.time_ms = spool->now_ms;

    for (q = ngx_queue_head(&spool->writing);
         q != ngx_queue_sentinel(&spool->writing);
         q = ngx_queue_next(q))
    {
        job = ngx_queue_data(q, ngx_http_leadq_job_t, queue);

        ngx_http_leadq_spool_record(spool->pool, job, &record);

        if (leadq_spool_put(&spool->buf, &record) != 0) {
            spool->writer.what = "encode rows";
            spool->write_rc = -1;
            spool->write_err = NGX_ENOMEM;
            return;
        }
    }

    spool->write_rc = leadq_writer_append(&spool->writer, spool->now_ms,
                                          spool->buf.data, spool->buf.len);
    spool->write_err = ngx_errno;
}


void
ngx_http_leadq_spool_record(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job, leadq_spool_record_t *record)
{
    ngx_str_t  *name;

    name = &pool->waiting[job->function].function->name;

    ngx_memcpy(record->id, job->id, sizeof(record->id));

    record->function = (char *) name->data;
    record->function_len = name->len;
    record->row = job->row;
    record->row_len = job->len;
}


static void
ngx_http_leadq_spool_written(ngx_event_t *ev)
{
    ngx_queue_t             *q;
    ngx_http_leadq_job_t    *job;
    ngx_http_leadq_spool_t  *spool;

    spool = ev->data;
    spool->busy = 0;

    if (spool->write_rc != 0) {
        ngx_http_leadq_spool_broke(spool);
        ngx_http_leadq_spool_fail(spool->pool, &spool->writing);

    } else {
        spool->broken = 0;
    }

    while (!ngx_queue_empty(&spool->writing)) {
        q = ngx_queue_head(&spool->writing);
        ngx_queue_remove(q);

        job = ngx_queue_data(q, ngx_http_leadq_job_t, queue);

        spool->rows++;
        ngx_http_leadq_job_spooled(spool->pool, job);
    }

    ngx_http_leadq_spool_told(spool);

    if (!ngx_queue_empty(&spool->pending)) {
        ngx_post_event(&spool->flush, &ngx_posted_events);

    } else if (ngx_exiting) {
        leadq_writer_close(&spool->writer);
    }
}


/* One line when it begins, and one every ten seconds. */

static void
ngx_http_leadq_spool_told(ngx_http_leadq_spool_t *spool)
{
    if (spool->rows == 0
        || (spool->logged
            && ngx_current_msec - spool->logged < NGX_HTTP_LEADQ_LOG_EVERY))
    {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, spool->pool->log, 0,
                  "leadq database \"%V\" is away, %ui rows went to the spool",
                  &spool->pool->database->name, spool->rows);

    spool->rows = 0;
    spool->logged = ngx_current_msec;
}


static void
ngx_http_leadq_spool_broke(ngx_http_leadq_spool_t *spool)
{
    ngx_uint_t  level;

    level = spool->broken
            && ngx_current_msec - spool->blamed < NGX_HTTP_LEADQ_LOG_EVERY
            ? NGX_LOG_INFO : NGX_LOG_ERR;

    spool->broken = 1;
    spool->broke = ngx_current_msec;

    if (level == NGX_LOG_ERR) {
        spool->blamed = ngx_current_msec;
    }

    ngx_log_error(level, spool->pool->log, spool->write_err,
                  "leadq spool \"%V\" of \"%V\" cannot %s",
                  &spool->pool->database->spool,
                  &spool->pool->database->name, spool->writer.what);
}


/* They get 503. */

static void
ngx_http_leadq_spool_fail(ngx_http_leadq_pool_t *pool, ngx_queue_t *jobs)
{
    ngx_queue_t           *q;
    ngx_http_leadq_job_t  *job;

    while (!ngx_queue_empty(jobs)) {
        q = ngx_queue_head(jobs);
        ngx_queue_remove(q);

        job = ngx_queue_data(q, ngx_http_leadq_job_t, queue);
        job->spools = 0;

        ngx_http_leadq_job_fail(pool, job, NGX_HTTP_LEADQ_AWAY);
    }
}


static void
ngx_http_leadq_spool_tick_handler(ngx_event_t *ev)
{
    ngx_http_leadq_pool_t   *pool;
    ngx_http_leadq_spool_t  *spool;

    pool = ev->data;
    spool = pool->spool;

    /* what is complete may be replayed, by whichever process */

    if ((pool->nready || ngx_exiting) && !spool->busy
        && ngx_queue_empty(&spool->pending))
    {
        leadq_writer_close(&spool->writer);
        spool->logged = 0;
    }

    ngx_http_leadq_replay_tick(spool);

    ngx_add_timer(ev, NGX_HTTP_LEADQ_TICK);
}


/* With a terminator. */

char *
ngx_http_leadq_spool_text(ngx_cycle_t *cycle, ngx_str_t *text)
{
    char  *p;

    p = ngx_pnalloc(cycle->pool, text->len + 1);

    if (p) {
        ngx_memcpy(p, text->data, text->len);
        p[text->len] = '\0';
    }

    return p;
}
