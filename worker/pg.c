/*
 * Owns a PGconn, its watch, and the ring of queries under way.
 *
 *               timer              PGRES_POLLING_OK
 *     ┌─> DOWN ───────> CONNECTING ────────────────> UP ─┐
 *     │     ^  pause        │ failed, connect_timeout    │ lost
 *     │     └───────────────┘                            │
 *     └──────────────────────────────────────────────────┘
 *
 * The pause doubles from PAUSE_MIN_MS to PAUSE_MAX_MS and begins anew once a
 * query was answered.  Traps of libpq that shape this file:
 *
 *   - PQconnectPoll() would wait for the resolver: pg_hosts asks it before;
 *   - PQconnectPoll() may replace the socket by another one of the same
 *     number: the watch goes before the call and comes after it;
 *   - PQconsumeInput() may leave bytes in the kernel: level-triggered;
 *   - reading while sending may swallow a reply: every wake-up consumes,
 *     flushes and collects;
 *   - the result and the end of a query may come in different wake-ups: the
 *     result lies in the object, and the commit's own failure replaces it.
 */

#include "pg.h"
#include "log.h"
#include "pg_hosts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 5000

typedef enum { PG_DOWN, PG_CONNECTING, PG_UP, PG_CLOSED } pg_state_e;

typedef struct {
    pg_answer_pt fn;
    void *data; /* borrowed */
} pg_query_t;

struct pg_s {
    uv_loop_t *loop; /* borrowed */
    char *name;      /* owned */
    char *conninfo;  /* owned; a secret */
    pg_events_t events;
    void *data; /* borrowed */
    pg_state_e state;
    PGconn *conn;     /* owned */
    PGresult *result; /* owned; of the query at the head of the ring */
    uv_poll_t *watch; /* owned until closed */
    uv_timer_t timer; /* pause, connect timeout, or "leave" */
    long connect_timeout_ms;
    long pause_ms;
    int complained;    /* the failure to connect is in the log */
    pg_hosts_t *hosts; /* owned; while they are looked up */
    int leaving;       /* still up, but to be lost in the next round */
    pg_query_t ring[PG_MAX_QUERIES];
    unsigned head, n;
};

static void connect_begin(uv_timer_t *timer);
static void on_connect_event(uv_poll_t *watch, int status, int events);
static void on_event(uv_poll_t *watch, int status, int events);

static const char *
state_name(pg_state_e state)
{
    switch (state) {
    case PG_DOWN:
        return "down";
    case PG_CONNECTING:
        return "connecting";
    case PG_UP:
        return "up";
    case PG_CLOSED:
        return "closed";
    }
    return "?";
}

static void
set_state(pg_t *pg, pg_state_e state)
{
    log_debug("database state connection=%s from=%s to=%s", pg->name,
              state_name(pg->state), state_name(state));
    pg->state = state;
}

static void
on_watch_closed(uv_handle_t *handle)
{
    free(handle);
}

static void
unwatch(pg_t *pg)
{
    if (pg->watch != NULL) {
        (void)uv_poll_stop(pg->watch);
        uv_close((uv_handle_t *)pg->watch, on_watch_closed);
        pg->watch = NULL;
    }
}

static int
watch(pg_t *pg, int events, uv_poll_cb fn)
{
    if (pg->watch == NULL) {
        pg->watch = malloc(sizeof(*pg->watch));
        if (pg->watch == NULL) {
            return -1;
        }
        if (uv_poll_init(pg->loop, pg->watch, PQsocket(pg->conn)) != 0) {
            free(pg->watch);
            pg->watch = NULL;
            return -1;
        }
        pg->watch->data = pg;
    }
    return uv_poll_start(pg->watch, events, fn) == 0 ? 0 : -1;
}

/* A pause of 50..150 %, so that many workers do not come back together. */
static uint64_t
next_pause(pg_t *pg)
{
    unsigned char random;
    long pause_ms;

    random = 128;
    (void)uv_random(NULL, NULL, &random, 1, 0, NULL);
    pause_ms = pg->pause_ms / 2 + pg->pause_ms * random / 255;
    pg->pause_ms *= 2;
    if (pg->pause_ms > PAUSE_MAX_MS) {
        pg->pause_ms = PAUSE_MAX_MS;
    }
    return (uint64_t)pause_ms;
}

/* Logs the end of a connection, or that there is none: once. */
static void
log_failure(pg_t *pg, const char *what, const char *reason)
{
    char text[LOG_TEXT_SIZE];

    if (reason == NULL) {
        reason = pg->conn == NULL ? "memory" : PQerrorMessage(pg->conn);
    }
    if (!pg->complained) {
        pg->complained = 1;
        log_warn("database %s connection=%s reason=%s", what, pg->name,
                 log_text(text, reason));
    }
}

static void
disconnect(pg_t *pg)
{
    pg_hosts_cancel(pg->hosts);
    pg->hosts = NULL;
    unwatch(pg);
    PQclear(pg->result);
    pg->result = NULL;
    PQfinish(pg->conn);
    pg->conn = NULL;
}

/* Ends the connection, answers every query, and plans the next attempt. */
static void
lose(pg_t *pg)
{
    static const pg_answer_t lost = {PG_LOST, NULL, ""};
    pg_query_t query;
    int was_up;

    was_up = pg->state == PG_UP;
    pg->leaving = 0;
    disconnect(pg);
    set_state(pg, PG_DOWN);
    (void)uv_timer_start(&pg->timer, connect_begin, next_pause(pg), 0);
    while (pg->n > 0) {
        query = pg->ring[pg->head];
        pg->head = (pg->head + 1) % PG_MAX_QUERIES;
        pg->n--;
        query.fn(query.data, &lost);
    }
    if (was_up && pg->state == PG_DOWN) {
        pg->events.on_down(pg->data);
    }
}

/* reason: NULL, when libpq knows it. */
static void
connect_failed(pg_t *pg, const char *reason)
{
    log_failure(pg, "away", reason);
    lose(pg);
}

static void
on_connect_timeout(uv_timer_t *timer)
{
    connect_failed(timer->data, "connect timeout");
}

/* Notices may quote rows: only their SQLSTATE is ours to log. */
static void
on_notice(void *data, const PGresult *notice)
{
    const pg_t *pg = data;
    const char *sqlstate;

    sqlstate = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
    log_debug("database notice connection=%s sqlstate=%s", pg->name,
              sqlstate == NULL ? "-" : sqlstate);
}

static void
connected(pg_t *pg)
{
    (void)uv_timer_stop(&pg->timer);
    if (PQsetnonblocking(pg->conn, 1) != 0
        || PQenterPipelineMode(pg->conn) != 1
        || watch(pg, UV_READABLE, on_event) != 0)
    {
        connect_failed(pg, NULL);
        return;
    }
    pg->complained = 0;
    set_state(pg, PG_UP);
    log_info("database up connection=%s server=%d", pg->name,
             PQserverVersion(pg->conn));
    pg->events.on_up(pg->data);
}

static void
connect_step(pg_t *pg)
{
    PostgresPollingStatusType status;

    unwatch(pg);
    status = PQconnectPoll(pg->conn);
    if (status == PGRES_POLLING_OK) {
        connected(pg);
        return;
    }
    if (status == PGRES_POLLING_FAILED
        || watch(pg,
                 status == PGRES_POLLING_READING ? UV_READABLE : UV_WRITABLE,
                 on_connect_event)
               != 0)
    {
        connect_failed(pg, NULL);
    }
}

static void
on_connect_event(uv_poll_t *watched, int status, int events)
{
    (void)status; /* PQconnectPoll finds out itself */
    (void)events;
    connect_step(watched->data);
}

static void
on_hosts(void *data, const char *hosts, const char *addresses,
         const char *ports, const char *problem)
{
    pg_t *pg = data;
    /*
     * What stands before dbname is a default that the conninfo may change;
     * what comes after it, and is not NULL, goes over it.
     */
    const char *const names[] = {"fallback_application_name",
                                 "keepalives_idle",
                                 "keepalives_interval",
                                 "keepalives_count",
                                 "tcp_user_timeout",
                                 "dbname",
                                 "gssencmode",
                                 "client_encoding",
                                 "host",
                                 "hostaddr",
                                 "port",
                                 NULL};
    const char *const values[] = {
        "leadq-worker", "30",   "10",  "3",       "30000", pg->conninfo,
        "disable",      "UTF8", hosts, addresses, ports,   NULL};

    pg->hosts = NULL;
    if (problem != NULL) {
        connect_failed(pg, problem);
        return;
    }
    pg->conn = PQconnectStartParams(names, values, 1);
    if (pg->conn == NULL || PQstatus(pg->conn) == CONNECTION_BAD) {
        connect_failed(pg, NULL);
        return;
    }
    (void)PQsetNoticeReceiver(pg->conn, on_notice, pg);
    (void)PQsetErrorVerbosity(pg->conn, PQERRORS_SQLSTATE);
    /* the first call behaves as after PGRES_POLLING_WRITING */
    if (watch(pg, UV_WRITABLE, on_connect_event) != 0) {
        connect_failed(pg, "cannot watch the socket");
    }
}

static void
connect_begin(uv_timer_t *timer)
{
    pg_t *pg = timer->data;

    set_state(pg, PG_CONNECTING);
    (void)uv_timer_start(&pg->timer, on_connect_timeout,
                         (uint64_t)pg->connect_timeout_ms, 0);
    pg->hosts = pg_hosts_start(pg->loop, pg->conninfo, on_hosts, pg);
    if (pg->hosts == NULL) {
        connect_failed(pg, "memory");
    }
}

/* Says whether the server tells that this connection is going away. */
static int
is_farewell(const char *sqlstate)
{
    return strncmp(sqlstate, "08", 2) == 0 || strncmp(sqlstate, "57P", 3) == 0
           || strcmp(sqlstate, "25006") == 0; /* a standby by now */
}

/* The query at the head of the ring is over: its Sync has come. */
static int
answer(pg_t *pg)
{
    pg_answer_t answer;
    pg_query_t query;
    PGresult *result;
    const char *sqlstate;

    memset(&answer, 0, sizeof(answer));
    result = pg->result;
    pg->result = NULL;
    answer.end = PG_ROWS;
    answer.rows = result;
    if (PQresultStatus(result) != PGRES_TUPLES_OK
        && PQresultStatus(result) != PGRES_COMMAND_OK)
    {
        answer.end = PG_REFUSED;
        sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        (void)snprintf(answer.sqlstate, sizeof(answer.sqlstate), "%s",
                       sqlstate == NULL ? "XX000" : sqlstate);
        if (is_farewell(answer.sqlstate)) {
            PQclear(result);
            return -1; /* the query stays in the ring: it is lost */
        }
    }
    query = pg->ring[pg->head];
    pg->head = (pg->head + 1) % PG_MAX_QUERIES;
    pg->n--;
    pg->pause_ms = PAUSE_MIN_MS;
    query.fn(query.data, &answer);
    PQclear(result);
    return 0;
}

/* Takes what has come.  -1: the connection is no more. */
static int
collect(pg_t *pg)
{
    PGresult *result;
    ExecStatusType status;

    while (pg_is_up(pg) && pg->n > 0 && !PQisBusy(pg->conn)) {
        result = PQgetResult(pg->conn);
        if (result == NULL) {
            continue; /* between a statement and its Sync */
        }
        status = PQresultStatus(result);
        if (status == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            if (answer(pg) != 0) {
                return -1;
            }
            continue;
        }
        PQclear(pg->result);
        pg->result = result;
        if (PQstatus(pg->conn) == CONNECTION_BAD) {
            return -1;
        }
    }
    return 0;
}

static int
flush(pg_t *pg)
{
    int unsent;

    unsent = PQflush(pg->conn);
    if (unsent < 0) {
        return -1;
    }
    return watch(pg, unsent ? UV_READABLE | UV_WRITABLE : UV_READABLE,
                 on_event);
}

static void
on_event(uv_poll_t *watched, int status, int events)
{
    pg_t *pg = watched->data;
    PGnotify *notify;
    int notified;

    (void)status;
    (void)events;
    if (PQconsumeInput(pg->conn) != 1 || flush(pg) != 0 || collect(pg) != 0) {
        if (pg->state == PG_UP) {
            log_failure(pg, "lost", NULL);
            lose(pg);
        }
        return;
    }
    notified = 0;
    while (pg_is_up(pg) && (notify = PQnotifies(pg->conn)) != NULL) {
        PQfreemem(notify);
        notified = 1;
    }
    if (notified && pg_is_up(pg)) {
        pg->events.on_notify(pg->data);
    }
}

static void
on_leave(uv_timer_t *timer)
{
    lose(timer->data);
}

/* The caller is busy with us: the loss comes in the next round. */
static void
leave(pg_t *pg)
{
    pg->leaving = 1;
    unwatch(pg);
    (void)uv_timer_start(&pg->timer, on_leave, 0, 0);
}

int
pg_query(pg_t *pg, const char *sql, int n, const char *const *values,
         pg_answer_pt fn, void *data)
{
    pg_query_t *query;

    if (!pg_is_up(pg) || pg->n == PG_MAX_QUERIES) {
        return -1;
    }
    if (PQsendQueryParams(pg->conn, sql, n, NULL, values, NULL, NULL, 0) != 1
        || PQpipelineSync(pg->conn) != 1 || flush(pg) != 0)
    {
        log_failure(pg, "lost", NULL);
        leave(pg);
        return -1;
    }
    query = &pg->ring[(pg->head + pg->n) % PG_MAX_QUERIES];
    query->fn = fn;
    query->data = data;
    pg->n++;
    return 0;
}

void
pg_refuse(pg_t *pg)
{
    if (pg_is_up(pg)) {
        pg->pause_ms = PAUSE_MAX_MS;
        leave(pg);
    }
}

int
pg_is_up(const pg_t *pg)
{
    return pg->state == PG_UP && !pg->leaving;
}

pg_advice_e
pg_advice(const char *sqlstate)
{
    static const struct {
        const char *begin;
        pg_advice_e advice;
    } table[] = {
        {"40001", PG_AGAIN}, /* serialization failure */
        {"40P01", PG_AGAIN}, /* deadlock */
        {"53", PG_PAUSE},    /* no space, memory, connections */
        {"57", PG_PAUSE},    /* cancelled by an operator */
        {"58", PG_PAUSE},    /* system */
        {"55", PG_PAUSE},    /* locked */
        {"42", PG_PAUSE},    /* an upgrade is under way, or a bug */
    };
    size_t i;

    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strncmp(sqlstate, table[i].begin, strlen(table[i].begin)) == 0) {
            return table[i].advice;
        }
    }
    return PG_GIVEUP;
}

int
pg_is_conninfo(const char *conninfo)
{
    PQconninfoOption *options;

    options = PQconninfoParse(conninfo, NULL);
    PQconninfoFree(options);
    return options != NULL;
}

pg_t *
pg_new(uv_loop_t *loop, const char *name, const char *conninfo,
       long connect_timeout_ms, const pg_events_t *events, void *data)
{
    pg_t *pg;

    pg = calloc(1, sizeof(*pg));
    if (pg == NULL) {
        return NULL;
    }
    pg->name = strdup(name);
    pg->conninfo = strdup(conninfo);
    if (pg->name == NULL || pg->conninfo == NULL) {
        free(pg->name);
        free(pg->conninfo);
        free(pg);
        return NULL;
    }
    pg->loop = loop;
    pg->events = *events;
    pg->data = data;
    pg->connect_timeout_ms = connect_timeout_ms;
    pg->pause_ms = PAUSE_MIN_MS;
    pg->state = PG_DOWN;
    (void)uv_timer_init(loop, &pg->timer);
    pg->timer.data = pg;
    (void)uv_timer_start(&pg->timer, connect_begin, 0, 0);
    return pg;
}

static void
on_timer_closed(uv_handle_t *handle)
{
    pg_t *pg = handle->data;

    free(pg->name);
    free(pg->conninfo);
    free(pg);
}

void
pg_free(pg_t *pg)
{
    if (pg != NULL) {
        disconnect(pg);
        set_state(pg, PG_CLOSED);
        uv_close((uv_handle_t *)&pg->timer, on_timer_closed);
    }
}
