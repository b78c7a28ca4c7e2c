
/*
 * What is said on a lane: the check statement, batches, and their results.
 *
 * A batch is one unnamed statement with its own Sync.  Its results come as
 * rows, NULL, Sync; a commit that fails puts an error and another NULL before
 * the Sync.  So nobody is answered before the Sync is here.
 */

#include "ngx_http_leadq.h"

#include <openssl/ssl.h>


#define NGX_HTTP_LEADQ_UUID_OID    2951         /* uuid[], text[] */
#define NGX_HTTP_LEADQ_TEXT_OID    1009


static void ngx_http_leadq_lane_check(ngx_http_leadq_lane_t *lane);
static void ngx_http_leadq_lane_ready(ngx_http_leadq_lane_t *lane);
static void ngx_http_leadq_lane_born(ngx_http_leadq_lane_t *lane);
static void ngx_http_leadq_lane_collect(ngx_http_leadq_lane_t *lane);
static void ngx_http_leadq_lane_result(ngx_http_leadq_lane_t *lane,
    PGresult *res);
static void ngx_http_leadq_lane_error(ngx_http_leadq_lane_t *lane,
    PGresult *res);
static void ngx_http_leadq_lane_sync(ngx_http_leadq_lane_t *lane);
static void ngx_http_leadq_lane_settled(ngx_http_leadq_lane_t *lane);


void
ngx_http_leadq_lane_setup(ngx_http_leadq_lane_t *lane)
{
    lane->state = NGX_HTTP_LEADQ_CHECKING;

    if (ngx_http_leadq_lane_attach(lane, 0) != NGX_OK) {
        ngx_http_leadq_lane_fail(lane, "no nginx connection is left");
        return;
    }

    if (PQsetnonblocking(lane->pg, 1) != 0
        || PQenterPipelineMode(lane->pg) != 1)
    {
        ngx_http_leadq_lane_fail(lane, PQerrorMessage(lane->pg));
        return;
    }

    ngx_http_leadq_lane_check(lane);
}


void
ngx_http_leadq_lane_ask(ngx_http_leadq_lane_t *lane)
{
    ngx_http_leadq_pool_t  *pool;

    pool = lane->pool;
    lane->state = NGX_HTTP_LEADQ_CHECKING;

    if (--pool->nready == 0) {
        pool->down_since = ngx_current_msec;
    }

    ngx_http_leadq_lane_expect(lane, pool->database->connect_timeout);
    ngx_http_leadq_lane_check(lane);
}


static void
ngx_http_leadq_lane_check(ngx_http_leadq_lane_t *lane)
{
    if (PQsendQueryParams(lane->pg, lane->pool->database->check, 0, NULL,
                          NULL, NULL, NULL, 0)
        != 1
        || PQpipelineSync(lane->pg) != 1)
    {
        ngx_http_leadq_lane_fail(lane, PQerrorMessage(lane->pg));
        return;
    }

    ngx_http_leadq_lane_flush(lane);
}


/* The check statement has been answered. */

static void
ngx_http_leadq_lane_ready(ngx_http_leadq_lane_t *lane)
{
    int                     api;
    u_char                  reason[128];
    PGresult               *res;
    ngx_http_leadq_pool_t  *pool;

    res = lane->check;
    pool = lane->pool;

    if (res == NULL || PQntuples(res) != 1 || PQnfields(res) != 2) {
        ngx_http_leadq_lane_fail(lane, "no answer to the check statement");
        return;
    }

    api = ngx_atoi((u_char *) PQgetvalue(res, 0, 0), PQgetlength(res, 0, 0));

    if (api != NGX_HTTP_LEADQ_API) {
        ngx_sprintf(reason, "web_api() of the schema is %d, this module "
                    "needs %d%Z", api, NGX_HTTP_LEADQ_API);
        ngx_http_leadq_lane_fail(lane, (char *) reason);
        return;
    }

    if (PQgetvalue(res, 0, 1)[0] != 'f') {
        ngx_http_leadq_lane_fail(lane, "the server is in recovery, read-only");
        return;
    }

    PQclear(res);
    lane->check = NULL;

    lane->state = NGX_HTTP_LEADQ_READY;
    pool->nready++;

    if (lane->doubted) {
        lane->doubted = 0;
        ngx_http_leadq_count_lanes(pool);

    } else {
        ngx_http_leadq_lane_born(lane);
    }

    ngx_http_leadq_lane_idle(lane);
    ngx_http_leadq_pool_flush(pool);
}


/* A new connection. */

static void
ngx_http_leadq_lane_born(ngx_http_leadq_lane_t *lane)
{
    ngx_uint_t              level, again;
    ngx_http_leadq_pool_t  *pool;

    pool = lane->pool;
    lane->pause = 0;
    again = lane->ends != 0;

    /* nine to eleven tenths, so that lanes do not end together */

    lane->ends = ngx_current_msec + pool->database->lifetime * 9 / 10
                 + ngx_random() % (pool->database->lifetime / 5);

    level = pool->down_logged ? NGX_LOG_NOTICE : NGX_LOG_INFO;

    ngx_log_error(level, pool->log, 0,
                  "leadq lane %ui of \"%V\" is ready, backend %d",
                  lane->number, &pool->database->name,
                  PQbackendPID(lane->pg));

    pool->down_logged = 0;
    pool->logged = 0;

    ngx_http_leadq_count_lane(pool, again ? LEADQ_LANE_RECONNECTED
                                          : LEADQ_LANE_CONNECTED);
}


void
ngx_http_leadq_lane_send(ngx_http_leadq_lane_t *lane,
    ngx_http_leadq_batch_t *batch)
{
    int                         lengths[2], formats[2];
    ngx_uint_t                  i;
    const char                 *values[2];
    ngx_http_leadq_pool_t      *pool;
    ngx_http_leadq_function_t  *function;

    static const Oid  types[2] = {
        NGX_HTTP_LEADQ_UUID_OID, NGX_HTTP_LEADQ_TEXT_OID
    };

    pool = lane->pool;
    function = pool->waiting[batch->function].function;

    ngx_queue_insert_tail(&lane->flying, &batch->queue);
    lane->nflying++;

    ngx_http_leadq_count_sent(pool, batch);

    for (i = 0; i < batch->n; i++) {
        batch->job[i]->sendings++;
        batch->job[i]->batch = batch->n;
        batch->job[i]->sent = ngx_current_msec;
        batch->job[i]->sent_us = batch->sent_us;
    }

    if (lane->nflying == 1) {
        ngx_http_leadq_lane_expect(lane, pool->database->timeout);
    }

    if (ngx_http_leadq_batch_encode(pool, batch) != NGX_OK) {
        ngx_http_leadq_lane_fail(lane, "no memory");
        return;
    }

    values[0] = pool->ids.data;
    values[1] = pool->rows.data;
    lengths[0] = (int) pool->ids.len;
    lengths[1] = (int) pool->rows.len;
    formats[0] = 1;
    formats[1] = 1;

    if (PQsendQueryParams(lane->pg, function->sql, 2, types, values, lengths,
                          formats, 0)
        != 1
        || PQpipelineSync(lane->pg) != 1)
    {
        ngx_http_leadq_lane_fail(lane, PQerrorMessage(lane->pg));
        return;
    }

    ngx_log_debug3(NGX_LOG_DEBUG_HTTP, pool->log, 0,
                   "leadq batch of %ui for \"%V\" by lane %ui",
                   batch->n, &function->name, lane->number);

    ngx_http_leadq_lane_flush(lane);
}


void
ngx_http_leadq_lane_flush(ngx_http_leadq_lane_t *lane)
{
    int                rc;
    ngx_connection_t  *c;

    c = lane->connection;
    rc = PQflush(lane->pg);

    if (rc < 0) {
        ngx_http_leadq_lane_fail(lane, PQerrorMessage(lane->pg));
        return;
    }

    if (rc == 1 && !c->write->active) {
        if (ngx_add_event(c->write, NGX_WRITE_EVENT, NGX_LEVEL_EVENT)
            != NGX_OK)
        {
            ngx_http_leadq_lane_fail(lane, "cannot watch the socket");
        }

        return;
    }

    if (rc == 0 && c->write->active) {
        ngx_del_event(c->write, NGX_WRITE_EVENT, 0);
    }
}


void
ngx_http_leadq_lane_read(ngx_http_leadq_lane_t *lane)
{
    SSL     *ssl;
    PGconn  *pg;

    pg = lane->pg;

    do {
        if (PQconsumeInput(pg) != 1) {
            ngx_http_leadq_lane_collect(lane);  /* the server's last words */

            if (lane->pg == pg) {
                ngx_http_leadq_lane_fail(lane, PQerrorMessage(pg));
            }

            return;
        }

        ngx_http_leadq_lane_collect(lane);

        if (lane->pg != pg) {
            return;
        }

        if (PQstatus(pg) == CONNECTION_BAD) {
            ngx_http_leadq_lane_fail(lane, PQerrorMessage(pg));
            return;
        }

        /* what TLS has read ahead makes no event */

        ssl = PQsslInUse(pg) ? PQsslStruct(pg, "OpenSSL") : NULL;

    } while (ssl && SSL_pending(ssl) > 0);

    /* PQconsumeInput() may have written */

    if (lane->connection->write->active) {
        ngx_http_leadq_lane_flush(lane);
    }

    ngx_http_leadq_lane_rest(lane);
}


/* All results that are complete; may end with the lane closed. */

static void
ngx_http_leadq_lane_collect(ngx_http_leadq_lane_t *lane)
{
    PGconn      *pg;
    PGresult    *res;
    ngx_uint_t   nulls;

    pg = lane->pg;
    nulls = 0;

    while (lane->pg == pg && !PQisBusy(pg)) {

        res = PQgetResult(pg);

        if (res) {
            nulls = 0;
            ngx_http_leadq_lane_result(lane, res);
            continue;
        }

        /* one NULL ends a statement, two in a row say that nothing runs */

        if (++nulls == 2) {
            break;
        }
    }
}


static void
ngx_http_leadq_lane_result(ngx_http_leadq_lane_t *lane, PGresult *res)
{
    PGresult                **slot;
    ngx_http_leadq_batch_t   *batch;

    switch (PQresultStatus(res)) {

    case PGRES_TUPLES_OK:

        /* not settled before the Sync: the commit may still fail */

        slot = &lane->check;

        if (!ngx_queue_empty(&lane->flying)) {
            batch = ngx_queue_data(ngx_queue_head(&lane->flying),
                                   ngx_http_leadq_batch_t, queue);
            slot = &batch->result;
        }

        PQclear(*slot);
        *slot = res;
        return;

    case PGRES_PIPELINE_SYNC:
        PQclear(res);
        ngx_http_leadq_lane_sync(lane);
        return;

    default:
        ngx_http_leadq_lane_error(lane, res);
        PQclear(res);
        return;
    }
}


static void
ngx_http_leadq_lane_error(ngx_http_leadq_lane_t *lane, PGresult *res)
{
    u_char                   reason[32];
    const char              *state, *severity;
    ngx_uint_t               first;
    ngx_http_leadq_batch_t  *batch;

    state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

    if (lane->state != NGX_HTTP_LEADQ_READY
        || ngx_queue_empty(&lane->flying)
        || state == NULL)
    {
        ngx_http_leadq_lane_fail(lane, PQresultErrorMessage(res));
        return;
    }

    batch = ngx_queue_data(ngx_queue_head(&lane->flying),
                           ngx_http_leadq_batch_t, queue);
    first = !batch->failed;

    if (first) {
        ngx_http_leadq_batch_failed(lane->pool, batch, state);
    }

    if (ngx_http_leadq_ends_lane(state)) {

        /* a function may raise 57P01 as well, but nothing fatal */

        severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
        lane->ended |= severity && ngx_strcmp(severity, "FATAL") == 0
                       && ngx_strncmp(state, "57P", 3) == 0;

        /* not the message: a function may have raised it, with data */

        ngx_snprintf(reason, sizeof(reason), "SQLSTATE %s%Z", state);
        ngx_http_leadq_lane_fail(lane, (char *) reason);
        return;
    }

    if (first) {
        ngx_http_leadq_batch_log(lane->pool, batch, res);
    }
}


/* The oldest statement has committed or failed, for good. */

static void
ngx_http_leadq_lane_sync(ngx_http_leadq_lane_t *lane)
{
    ngx_http_leadq_batch_t  *batch;

    if (lane->state == NGX_HTTP_LEADQ_CHECKING) {
        ngx_http_leadq_lane_ready(lane);
        return;
    }

    if (ngx_queue_empty(&lane->flying)) {
        return;
    }

    batch = ngx_queue_data(ngx_queue_head(&lane->flying),
                           ngx_http_leadq_batch_t, queue);

    ngx_queue_remove(&batch->queue);
    lane->nflying--;

    /* the lane is in order before anybody is called */

    ngx_http_leadq_lane_settled(lane);
    ngx_http_leadq_count_settled(lane->pool, batch);
    ngx_http_leadq_batch_settle(lane->pool, batch);
}


static void
ngx_http_leadq_lane_settled(ngx_http_leadq_lane_t *lane)
{
    ngx_http_leadq_pool_flush(lane->pool);

    if (lane->nflying) {
        ngx_http_leadq_lane_expect(lane, lane->pool->database->timeout);
        return;
    }

    ngx_http_leadq_lane_idle(lane);
}
