
/*
 * Lanes: permanent libpq connections in pipeline mode.
 *
 *              +------------- fail: a pause, then again -------------+
 *              v                                                      |
 *     open -> DOWN -> RESOLVING -> CONNECTING -> CHECKING -> READY ---+
 *              ^     (names only)               ^              |
 *              |                                +--- doubted --+
 *              +------------ close: quit, end of life ---------+
 *
 * Each state has one timer: DOWN the pause before the next try, READY the
 * answer to the oldest batch or else the end of the lane's life, the others
 * one deadline for the whole of connecting.  A lane whose life is over takes
 * no more batches and begins anew when its last one is settled.
 *
 * When a lane is lost, the others are doubted: behind a pooler they may be
 * there and their database is not.  A doubted lane takes no batch before it
 * has answered the check statement again.  So every loss of a row that counts
 * (see below) comes after the database was seen alive, and a row that kills
 * its server does so three times at most.
 *
 * A loss counts for the rows of the oldest batch in flight, as no other one
 * can have begun, and not if an administrator or somebody else's crash has
 * ended the lane.
 *
 * Timers are cancelable: a process that wants to quit is held by the pool's
 * expire timer as long as there are rows, and by nothing else.
 *
 * What libpq does to its socket decides the rest:
 *  - PQconnectPoll() may close it and open one of the same number, so we are
 *    detached from it before every call and attached again after it;
 *  - PQconsumeInput() reads at most 16k, so events are level-triggered;
 *  - it closes it itself on EOF, so we must not tell epoll about it then.
 */

#include "ngx_http_leadq.h"


#define NGX_HTTP_LEADQ_PAUSE_MIN   100          /* ms */
#define NGX_HTTP_LEADQ_PAUSE_MAX   5000
#define NGX_HTTP_LEADQ_LOG_EVERY   10000


static char *ngx_http_leadq_lane_hosts(ngx_http_leadq_lane_t *lane,
    ngx_array_t *hosts, ngx_uint_t what, leadq_buf_t *buf);
static void ngx_http_leadq_lane_detach(ngx_http_leadq_lane_t *lane);
static void ngx_http_leadq_lane_read_handler(ngx_event_t *ev);
static void ngx_http_leadq_lane_write_handler(ngx_event_t *ev);
static ngx_int_t ngx_http_leadq_lane_wake(ngx_http_leadq_lane_t *lane);
static void ngx_http_leadq_lane_poll(ngx_http_leadq_lane_t *lane);
static void ngx_http_leadq_lane_timer_handler(ngx_event_t *ev);
static void ngx_http_leadq_lane_doubt(ngx_http_leadq_pool_t *pool);
static void ngx_http_leadq_lane_log(ngx_http_leadq_lane_t *lane,
    ngx_uint_t was_ready, const char *reason);
static void ngx_http_leadq_notice(void *arg, const PGresult *res);


void
ngx_http_leadq_lane_init(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_lane_t *lane, ngx_uint_t number)
{
    lane->pool = pool;
    lane->ident = -1;
    lane->number = number;
    lane->state = NGX_HTTP_LEADQ_DOWN;

    lane->timer.handler = ngx_http_leadq_lane_timer_handler;
    lane->timer.data = lane;
    lane->timer.log = pool->log;
    lane->timer.cancelable = 1;

    ngx_queue_init(&lane->flying);
}


void
ngx_http_leadq_lane_open(ngx_http_leadq_lane_t *lane)
{
    ngx_http_leadq_database_t  *database;

    database = lane->pool->database;

    ngx_http_leadq_lane_expect(lane, database->connect_timeout);

    if (database->resolver) {
        lane->state = NGX_HTTP_LEADQ_RESOLVING;
        ngx_http_leadq_names_resolve(lane);
        return;
    }

    ngx_http_leadq_lane_connect(lane, &database->hosts);
}


void
ngx_http_leadq_lane_connect(ngx_http_leadq_lane_t *lane, ngx_array_t *hosts)
{
    ngx_uint_t                  i;
    leadq_buf_t                 list[3];
    ngx_http_leadq_database_t  *database;

    database = lane->pool->database;
    lane->state = NGX_HTTP_LEADQ_CONNECTING;

    database->keywords[0] = "host";
    database->keywords[1] = "hostaddr";
    database->keywords[2] = "port";

    for (i = 0; i < 3; i++) {
        leadq_buf_init(&list[i], 65536);
        database->values[i] = ngx_http_leadq_lane_hosts(lane, hosts, i,
                                                        &list[i]);
    }

    lane->pg = PQconnectStartParams(database->keywords, database->values, 0);

    for (i = 0; i < 3; i++) {
        leadq_buf_done(&list[i]);
    }

    if (lane->pg == NULL) {
        ngx_http_leadq_lane_fail(lane, "no memory");
        return;
    }

    if (PQstatus(lane->pg) == CONNECTION_BAD) {
        ngx_http_leadq_lane_fail(lane, PQerrorMessage(lane->pg));
        return;
    }

    PQsetNoticeReceiver(lane->pg, ngx_http_leadq_notice, lane);

    if (ngx_http_leadq_lane_attach(lane, 1) != NGX_OK) {
        ngx_http_leadq_lane_fail(lane, "no nginx connection is left");
    }
}


/*
 * One of libpq's lists: hosts, addresses or ports.  Each try begins with the
 * next host, because one deadline is for all of them and the first may be the
 * one that swallows it.
 */

static char *
ngx_http_leadq_lane_hosts(ngx_http_leadq_lane_t *lane, ngx_array_t *hosts,
    ngx_uint_t what, leadq_buf_t *buf)
{
    ngx_str_t              *item;
    ngx_uint_t              i;
    ngx_http_leadq_host_t  *host;

    for (i = 0; i < hosts->nelts; i++) {
        host = hosts->elts;
        host += (lane->turn + i) % hosts->nelts;

        item = what == 0 ? &host->host
                         : what == 1 ? &host->hostaddr : &host->port;

        if (i) {
            leadq_buf_put(buf, ",", 1);
        }

        leadq_buf_put(buf, (char *) item->data, item->len);
    }

    leadq_buf_put(buf, "", 1);

    return buf->failed ? NULL : buf->data;
}


ngx_int_t
ngx_http_leadq_lane_attach(ngx_http_leadq_lane_t *lane, ngx_uint_t write)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = ngx_get_connection(PQsocket(lane->pg), lane->pool->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);
    c->data = lane;
    c->shared = 1;                          /* libpq closes the socket */
    c->idle = 1;                            /* tell us when we shall quit */
    c->read->handler = ngx_http_leadq_lane_read_handler;
    c->write->handler = ngx_http_leadq_lane_write_handler;
    c->read->log = c->log;
    c->write->log = c->log;

    lane->connection = c;

    if (write) {
        rc = ngx_add_event(c->write, NGX_WRITE_EVENT, NGX_LEVEL_EVENT);

    } else {
        rc = ngx_add_event(c->read, NGX_READ_EVENT, NGX_LEVEL_EVENT);
    }

    return rc;
}


static void
ngx_http_leadq_lane_detach(ngx_http_leadq_lane_t *lane)
{
    ngx_uint_t         flags;
    ngx_connection_t  *c;

    c = lane->connection;

    if (c == NULL) {
        return;
    }

    /* a socket that libpq has closed is forgotten, not removed */

    flags = PQsocket(lane->pg) == c->fd ? 0 : NGX_CLOSE_EVENT;

    if (c->read->active) {
        ngx_del_event(c->read, NGX_READ_EVENT, flags);
    }

    if (c->write->active) {
        ngx_del_event(c->write, NGX_WRITE_EVENT, flags);
    }

    lane->connection = NULL;

    ngx_close_connection(c);
}


static void
ngx_http_leadq_lane_read_handler(ngx_event_t *ev)
{
    ngx_connection_t       *c;
    ngx_http_leadq_lane_t  *lane;

    c = ev->data;
    lane = c->data;

    if (ngx_http_leadq_lane_wake(lane) != NGX_OK) {
        return;
    }

    if (lane->state == NGX_HTTP_LEADQ_CONNECTING) {

        /* not from ngx_close_idle_connections() */

        if (ev->active && ev->ready) {
            ngx_http_leadq_lane_poll(lane);
        }

        return;
    }

    ngx_http_leadq_lane_read(lane);
}


static void
ngx_http_leadq_lane_write_handler(ngx_event_t *ev)
{
    ngx_connection_t       *c;
    ngx_http_leadq_lane_t  *lane;

    c = ev->data;
    lane = c->data;

    if (ngx_http_leadq_lane_wake(lane) != NGX_OK) {
        return;
    }

    if (lane->state == NGX_HTTP_LEADQ_CONNECTING) {
        ngx_http_leadq_lane_poll(lane);
        return;
    }

    ngx_http_leadq_lane_flush(lane);
}


/* What every event must look at first; NGX_DONE: the lane is closed. */

static ngx_int_t
ngx_http_leadq_lane_wake(ngx_http_leadq_lane_t *lane)
{
    if (lane->connection->error) {          /* worker_shutdown_timeout */
        ngx_http_leadq_pool_abandon(lane->pool);
        return NGX_DONE;
    }

    if (ngx_exiting && lane->pool->njobs == 0) {
        ngx_http_leadq_lane_close(lane);
        return NGX_DONE;
    }

    return NGX_OK;
}


static void
ngx_http_leadq_lane_poll(ngx_http_leadq_lane_t *lane)
{
    PostgresPollingStatusType  status;

    ngx_http_leadq_lane_detach(lane);

    status = PQconnectPoll(lane->pg);

    if (status == PGRES_POLLING_OK) {
        ngx_http_leadq_lane_setup(lane);
        return;
    }

    if (status == PGRES_POLLING_FAILED) {
        ngx_http_leadq_lane_fail(lane, PQerrorMessage(lane->pg));
        return;
    }

    if (ngx_http_leadq_lane_attach(lane, status == PGRES_POLLING_WRITING)
        != NGX_OK)
    {
        ngx_http_leadq_lane_fail(lane, "no nginx connection is left");
    }
}


static void
ngx_http_leadq_lane_timer_handler(ngx_event_t *ev)
{
    ngx_msec_int_t          left;
    ngx_http_leadq_lane_t  *lane;

    lane = ev->data;

    if (ngx_exiting && lane->pool->njobs == 0) {
        ngx_http_leadq_lane_close(lane);
        return;
    }

    /* nginx may keep an earlier end of a timer that was set again */

    left = (ngx_msec_int_t) (lane->expected - ngx_current_msec);

    if (left > 0) {
        ngx_add_timer(ev, (ngx_msec_t) left);
        return;
    }

    switch (lane->state) {

    case NGX_HTTP_LEADQ_DOWN:
        ngx_http_leadq_lane_open(lane);
        break;

    case NGX_HTTP_LEADQ_RESOLVING:
    case NGX_HTTP_LEADQ_CONNECTING:
    case NGX_HTTP_LEADQ_CHECKING:
        ngx_http_leadq_lane_fail(lane, "not connected within the "
                                       "connect_timeout");
        break;

    case NGX_HTTP_LEADQ_READY:

        if (lane->nflying == 0) {
            ngx_http_leadq_lane_rest(lane);
            break;
        }

        ngx_http_leadq_lane_fail(lane, "no answer within the timeout");
        break;
    }
}


void
ngx_http_leadq_lane_expect(ngx_http_leadq_lane_t *lane, ngx_msec_t timeout)
{
    lane->expected = ngx_current_msec + timeout;
    ngx_add_timer(&lane->timer, timeout);
}


void
ngx_http_leadq_lane_rest(ngx_http_leadq_lane_t *lane)
{
    if (lane->state != NGX_HTTP_LEADQ_READY || lane->nflying) {
        return;
    }

    if (ngx_exiting) {
        if (lane->pool->njobs == 0) {
            ngx_http_leadq_lane_close(lane);
        }

        return;
    }

    if (ngx_http_leadq_lane_old(lane)) {
        ngx_http_leadq_lane_close(lane);
        ngx_http_leadq_lane_open(lane);
    }
}


void
ngx_http_leadq_lane_idle(ngx_http_leadq_lane_t *lane)
{
    ngx_msec_int_t  left;

    left = (ngx_msec_int_t) (lane->ends - ngx_current_msec);

    ngx_http_leadq_lane_expect(lane, (ngx_msec_t) ngx_max(left, 1));
}


ngx_uint_t
ngx_http_leadq_lane_old(ngx_http_leadq_lane_t *lane)
{
    return (ngx_msec_int_t) (lane->ends - ngx_current_msec) <= 0;
}


void
ngx_http_leadq_lane_close(ngx_http_leadq_lane_t *lane)
{
    if (lane->state == NGX_HTTP_LEADQ_READY && --lane->pool->nready == 0) {
        lane->pool->down_since = ngx_current_msec;
    }

    lane->state = NGX_HTTP_LEADQ_DOWN;
    ngx_http_leadq_count_lanes(lane->pool);

    if (lane->timer.timer_set) {
        ngx_del_timer(&lane->timer);
    }

    lane->doubted = 0;

    ngx_http_leadq_names_cancel(lane);
    ngx_http_leadq_lane_detach(lane);

    PQclear(lane->check);
    lane->check = NULL;

    PQfinish(lane->pg);
    lane->pg = NULL;
}


void
ngx_http_leadq_lane_fail(ngx_http_leadq_lane_t *lane, const char *reason)
{
    ngx_uint_t               was_ready, suspect;
    ngx_queue_t             *q;
    ngx_http_leadq_batch_t  *batch;

    was_ready = lane->state == NGX_HTTP_LEADQ_READY || lane->doubted;

    ngx_http_leadq_count_lane(lane->pool, was_ready ? LEADQ_LANE_LOST
                                                    : LEADQ_LANE_FAILED);

    ngx_http_leadq_lane_log(lane, was_ready, reason);
    ngx_http_leadq_lane_close(lane);
    ngx_http_leadq_lane_doubt(lane->pool);

    lane->pause = lane->pause ? ngx_min(lane->pause * 2,
                                        NGX_HTTP_LEADQ_PAUSE_MAX)
                              : NGX_HTTP_LEADQ_PAUSE_MIN;

    ngx_http_leadq_lane_expect(lane, lane->pause / 2
                                     + ngx_random() % lane->pause);

    lane->turn++;
    lane->nflying = 0;

    while (!ngx_queue_empty(&lane->flying)) {
        q = ngx_queue_last(&lane->flying);  /* each goes before the others */
        ngx_queue_remove(q);

        batch = ngx_queue_data(q, ngx_http_leadq_batch_t, queue);

        if (!batch->failed) {
            ngx_http_leadq_count_failed(lane->pool, "08006");
        }

        suspect = ngx_queue_empty(&lane->flying) && !lane->ended;

        ngx_http_leadq_batch_requeue(lane->pool, batch, suspect);
    }

    lane->ended = 0;

    ngx_http_leadq_pool_flush(lane->pool);
}


/* They are asked once a row waits, see pool. */

static void
ngx_http_leadq_lane_doubt(ngx_http_leadq_pool_t *pool)
{
    ngx_uint_t  i;

    for (i = 0; i < pool->database->connections; i++) {
        if (pool->lanes[i].state == NGX_HTTP_LEADQ_READY) {
            pool->lanes[i].doubted = 1;
        }
    }
}


/*
 * A lane that is lost is one line; a database that stays away is one line,
 * and another every ten seconds.
 */

static void
ngx_http_leadq_lane_log(ngx_http_leadq_lane_t *lane, ngx_uint_t was_ready,
    const char *reason)
{
    size_t                  len;
    ngx_uint_t              level;
    ngx_http_leadq_pool_t  *pool;

    pool = lane->pool;
    level = was_ready ? NGX_LOG_WARN : NGX_LOG_ERR;

    if (!was_ready && ngx_http_leadq_lane_quiet(pool)) {
        level = NGX_LOG_DEBUG;
    }

    if (level == NGX_LOG_ERR) {
        pool->logged = ngx_current_msec;
    }

    pool->down_logged = 1;

    /* libpq says more lines than one */

    len = strcspn(reason, "\n");

    ngx_log_error(level, pool->log, 0, "leadq lane %ui of \"%V\" %s: %*s",
                  lane->number, &pool->database->name,
                  was_ready ? "is lost" : "does not come up", len, reason);
}


ngx_uint_t
ngx_http_leadq_lane_quiet(ngx_http_leadq_pool_t *pool)
{
    return pool->logged
           && ngx_current_msec - pool->logged < NGX_HTTP_LEADQ_LOG_EVERY;
}


/*
 * What functions raise below error may carry data of clients.  But a server
 * that is crashed by another connection warns before it closes ours.
 */

static void
ngx_http_leadq_notice(void *arg, const PGresult *res)
{
    ngx_http_leadq_lane_t  *lane = arg;

    const char  *state;

    state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

    if (state && ngx_strncmp(state, "57P", 3) == 0) {
        lane->ended = 1;
    }
}
