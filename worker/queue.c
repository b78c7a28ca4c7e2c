/*
 * Owns a connection, and every job between its claim and its settling.
 *
 *     claim ─> dispatch ─> ended ─> settle            (connection "jobs")
 *       │ ^       │ └────> overdue ─> release
 *       v │       └ half of the lease is nearly over ─> extend
 *       arm: codes
 *
 * Each statement has at most one under way; what comes meanwhile forms the
 * next.  Handlers only note what is wanted.  on_pump() sends it, once in each
 * round, before the loop waits: there is no timer between the end of a post
 * and its settling, and yet ends that come together settle together.
 */

#include "queue.h"
#include "arming.h"
#include "array.h"
#include "chores.h"
#include "dispatch.h"
#include "job.h"
#include "job_arrays.h"
#include "lanes.h"
#include "log.h"
#include "session.h"
#include "stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTLE_MAX 500
#define LEASES_MS 250        /* how often leases are looked at */
#define LEASE_MARGIN_MS 1000 /* a post is stopped so long before its end */

struct queue_s {
    uv_loop_t *loop;      /* borrowed */
    const conf_t *conf;   /* borrowed */
    char *worker;         /* owned; our name in leases */
    session_t *session;   /* owned */
    chores_t *chores;     /* owned */
    dispatch_t *dispatch; /* owned */
    arming_t arming;
    stats_t stats;
    uv_prepare_t pump;
    uv_timer_t leases;
    int open; /* handles that libuv has still to close */

    list_t leased;    /* job_t.lease: every job held */
    list_t ended;     /* with an outcome, not sent */
    list_t settling;  /* in the statement under way */
    list_t overdue;   /* to be released, not sent */
    list_t releasing; /* in the statement under way */
    lanes_t lanes;
    size_t settle_max;     /* shrinks when SQL refuses a batch */
    int paused;            /* SQL cannot settle now: until the next hint */
    uint64_t claim_ms;     /* when the claim under way was sent */
    uint64_t extend_ms;    /* when the extension under way was sent */
    uint64_t extend_by_ms; /* and how long it lasts */
    uint64_t ready_ms;     /* when the connection was last seen ready */
    uint64_t settled_ms;   /* when ends were settled, or began to wait */

    void (*on_stopped)(void *data);
    void *stopped_data; /* borrowed */
    int stopping;
};

static void
forget(queue_t *queue, job_t *job)
{
    lanes_leave(&queue->lanes, job->id);
    job_free(job);
}

static void
forget_all(queue_t *queue, list_t *jobs)
{
    while (!list_empty(jobs)) {
        forget(queue, list_entry(jobs->next, job_t, link));
    }
}

/* Puts the first list in front of the second one. */
static void
put_back(list_t *first, list_t *second)
{
    list_join(first, second);
    list_join(second, first);
}

/* --- claiming ------------------------------------------------------------ */

static void
start(void *data, job_t *job)
{
    queue_t *queue = data;

    if (queue->stopping) {
        list_append(&queue->overdue, &job->link);
    } else {
        dispatch_take(queue->dispatch, job);
    }
}

static void
take_job(queue_t *queue, const PGresult *rows, int row)
{
    job_claim_t claim;
    job_t *job;

    claim.id = strtoll(PQgetvalue(rows, row, 0), NULL, 10);
    claim.token = PQgetvalue(rows, row, 1);
    claim.kind = PQgetvalue(rows, row, 2);
    claim.target = PQgetvalue(rows, row, 3);
    claim.attempt = (int)strtol(PQgetvalue(rows, row, 4), NULL, 10);
    claim.payload =
        PQgetisnull(rows, row, 5) ? NULL : PQgetvalue(rows, row, 5);
    claim.claimed_ms = queue->claim_ms;
    claim.lease_ms = (uint64_t)queue->conf->lease_ms;
    queue->stats.claimed++;
    job = job_new(&claim, queue->conf);
    lanes_got(&queue->lanes, claim.id, job != NULL);
    if (job == NULL) {
        log_error("job drop job=%" PRId64 " reason=memory", claim.id);
        return; /* its lease runs out */
    }
    list_append(&queue->leased, &job->lease);
    if (job->state == JOB_ENDED) {
        list_append(&queue->ended, &job->link);
    } else if (job->sending != NULL) {
        arming_take(&queue->arming, job);
    } else {
        start(queue, job);
    }
}

static void
on_arm_answer(void *data, const pg_answer_t *answer)
{
    queue_t *queue = data;

    arming_answer(&queue->arming, answer);
}

static void
on_claimed(void *data, const pg_answer_t *answer)
{
    queue_t *queue = data;
    int row, n;

    if (answer->end != PG_ROWS) {
        return;
    }
    n = PQntuples(answer->rows);
    for (row = 0; row < n; row++) {
        take_job(queue, answer->rows, row);
    }
    if (n > 0) {
        log_debug("queue claim n=%d held=%ld", n, lanes_held(&queue->lanes));
    }
    if (lanes_end(&queue->lanes)) {
        session_want(queue->session, SQL_CLAIM);
    }
}

static void
want_claim(queue_t *queue)
{
    lanes_hint(&queue->lanes);
    session_want(queue->session, SQL_CLAIM);
}

static void
add_avoided(void *data, const char *target, long wait_s)
{
    buf_t *arrays = data;
    char seconds[24];

    (void)snprintf(seconds, sizeof(seconds), "%ld", wait_s);
    array_add(&arrays[0], target);
    array_add(&arrays[1], seconds);
}

static void
pump_claim(queue_t *queue)
{
    const lane_t *lanes = queue->lanes.lanes;
    char limits[80], cursors[80], lease_s[24];
    const char *values[] = {queue->worker, limits, cursors,
                            lease_s,       NULL,   NULL};
    buf_t avoided[2];

    if (!session_may(queue->session, SQL_CLAIM)
        || !lanes_plan(&queue->lanes, queue->conf, uv_now(queue->loop)))
    {
        return;
    }
    queue->claim_ms = uv_now(queue->loop);
    (void)snprintf(limits, sizeof(limits), "{%ld,%ld,%ld}",
                   lanes[LANE_REALTIME].limit, lanes[LANE_SERVICE].limit,
                   lanes[LANE_BULK].limit);
    (void)snprintf(cursors, sizeof(cursors),
                   "{%" PRId64 ",%" PRId64 ",%" PRId64 "}",
                   lanes[LANE_REALTIME].cursor, lanes[LANE_SERVICE].cursor,
                   lanes[LANE_BULK].cursor);
    (void)snprintf(lease_s, sizeof(lease_s), "%ld",
                   queue->conf->lease_ms / 1000);
    job_arrays_open(avoided, 2);
    dispatch_avoid(queue->dispatch, add_avoided, avoided);
    job_arrays_end(avoided, values + 4, 2);
    (void)session_send(queue->session, SQL_CLAIM, values, on_claimed);
    job_arrays_close(avoided, 2);
}

/* --- settling ------------------------------------------------------------ */

static void
lose(queue_t *queue, job_t *job)
{
    queue->stats.lost++;
    job_log_lost(job);
    forget(queue, job);
}

static void
take_settled(queue_t *queue, const PGresult *rows)
{
    job_t *job;
    int row;

    log_hold();
    for (row = 0; row < PQntuples(rows); row++) {
        job = job_arrays_find(&queue->settling,
                              strtoll(PQgetvalue(rows, row, 0), NULL, 10));
        if (job == NULL) {
            continue;
        }
        if (*PQgetvalue(rows, row, 1) == 't') {
            stats_settled(&queue->stats, job->kind, job->outcome.outcome);
            job_log_settled(
                job, PQgetvalue(rows, row, 2),
                PQgetisnull(rows, row, 3) ? NULL : PQgetvalue(rows, row, 3));
            forget(queue, job);
        } else {
            lose(queue, job);
        }
    }
    while (!list_empty(&queue->settling)) {
        lose(queue, list_entry(queue->settling.next, job_t, link));
    }
    log_release();
}

/* The batch goes back to the front; a bad job is closed in by halving. */
static void
settle_again(queue_t *queue, const pg_answer_t *answer)
{
    list_t *link;
    size_t n;

    n = 0;
    list_for_each (link, &queue->settling) {
        n++;
        list_entry(link, job_t, link)->repeated |= answer->end == PG_LOST;
    }
    if (answer->end == PG_REFUSED) {
        switch (pg_advice(answer->sqlstate)) {
        case PG_AGAIN:
            break;
        case PG_PAUSE:
            queue->paused = 1;
            break;
        case PG_GIVEUP:
            if (n == 1) {
                log_error("job drop job=%" PRId64 " sqlstate=%s",
                          list_entry(queue->settling.next, job_t, link)->id,
                          answer->sqlstate);
                forget_all(queue, &queue->settling);
            }
            queue->settle_max = n > 1 ? n / 2 : 1;
            break;
        }
    }
    put_back(&queue->settling, &queue->ended);
}

static void
on_settled(void *data, const pg_answer_t *answer)
{
    queue_t *queue = data;

    if (answer->end != PG_ROWS) {
        settle_again(queue, answer);
        return;
    }
    queue->settled_ms = uv_now(queue->loop);
    take_settled(queue, answer->rows);
    if (queue->settle_max < SETTLE_MAX) {
        queue->settle_max *= 2;
    }
    /* the next jobs may be among what follows */
    want_claim(queue);
    chores_want(queue->chores);
}

static void
pump_settle(queue_t *queue)
{
    buf_t arrays[4];
    const char *values[4];
    char *details;
    job_t *job;
    size_t n;

    if (list_empty(&queue->ended) || queue->paused
        || session_is_under_way(queue->session, SQL_SETTLE))
    {
        return;
    }
    job_arrays_open(arrays, 4);
    for (n = 0; n < queue->settle_max && !list_empty(&queue->ended); n++) {
        job = list_entry(queue->ended.next, job_t, link);
        details = outcome_json(&job->outcome);
        job_arrays_add(arrays, job);
        array_add(&arrays[2], outcome_name(job->outcome.outcome));
        array_add(&arrays[3], details == NULL ? "{}" : details);
        free(details);
        list_remove(&job->link);
        list_append(&queue->settling, &job->link);
    }
    job_arrays_end(arrays, values, 4);
    if (session_send(queue->session, SQL_SETTLE, values, on_settled) != 0) {
        put_back(&queue->settling, &queue->ended);
    }
    job_arrays_close(arrays, 4);
}

/* --- releasing ----------------------------------------------------------- */

static void
on_released(void *data, const pg_answer_t *answer)
{
    queue_t *queue = data;

    if (answer->end == PG_ROWS) {
        queue->stats.released += (uint64_t)session_number(answer, 0, 0);
        log_info("queue release n=%ld", session_number(answer, 0, 0));
        chores_want(queue->chores); /* it knows when the next one is due */
    }
    forget_all(queue, &queue->releasing); /* or their leases run out */
}

static void
pump_release(queue_t *queue)
{
    buf_t arrays[3];
    const char *values[3];
    char delay_s[24];
    list_t *link;
    const job_t *job;

    if (list_empty(&queue->overdue)
        || session_is_under_way(queue->session, SQL_RELEASE))
    {
        return;
    }
    job_arrays_open(arrays, 3);
    list_for_each (link, &queue->overdue) {
        job = list_entry(link, job_t, link);
        (void)snprintf(delay_s, sizeof(delay_s), "%ld", job->delay_s);
        job_arrays_add(arrays, job);
        array_add(&arrays[2], delay_s);
    }
    job_arrays_end(arrays, values, 3);
    list_join(&queue->releasing, &queue->overdue);
    if (session_send(queue->session, SQL_RELEASE, values, on_released) != 0) {
        forget_all(queue, &queue->releasing);
    }
    job_arrays_close(arrays, 3);
}

/* --- extending ----------------------------------------------------------- */

/* What acts, or has ended and cannot be settled yet, keeps its lease. */
static int
is_extended(const job_t *job, uint64_t now_ms)
{
    return job->state != JOB_WAITING && !job->extending
           && now_ms >= job->leased_ms + job->lease_ms * 2 / 5;
}

/* Often enough that half of no lease is over before it is extended. */
static void
on_leases(uv_timer_t *timer)
{
    queue_t *queue = timer->data;
    uint64_t now_ms = uv_now(queue->loop);
    list_t *link, *next;
    job_t *job;

    for (link = queue->leased.next; link != &queue->leased; link = next) {
        next = link->next;
        job = list_entry(link, job_t, lease);
        if (is_extended(job, now_ms)) {
            session_want(queue->session, SQL_EXTEND);
        }
        if (job->state == JOB_POSTING
            && now_ms + LEASE_MARGIN_MS >= job->leased_ms + job->lease_ms)
        {
            dispatch_stop(job, "lease-lost");
        }
    }
}

static job_t *
find_extending(queue_t *queue, int64_t id)
{
    list_t *link;
    job_t *job;

    list_for_each (link, &queue->leased) {
        job = list_entry(link, job_t, lease);
        if (job->id == id && job->extending) {
            return job;
        }
    }
    return NULL;
}

static void
on_extended(void *data, const pg_answer_t *answer)
{
    queue_t *queue = data;
    list_t *link;
    job_t *job;
    int row;

    for (row = 0; answer->end == PG_ROWS && row < PQntuples(answer->rows);
         row++) {
        job = find_extending(
            queue, strtoll(PQgetvalue(answer->rows, row, 0), NULL, 10));
        if (job == NULL) {
            continue; /* settled meanwhile */
        }
        if (*PQgetvalue(answer->rows, row, 1) == 't') {
            job->leased_ms = queue->extend_ms;
            job->lease_ms = queue->extend_by_ms;
        } else if (job->state == JOB_POSTING) {
            dispatch_stop(job, "lease-lost");
        }
    }
    list_for_each (link, &queue->leased) {
        list_entry(link, job_t, lease)->extending = 0;
    }
}

static void
pump_extend(queue_t *queue)
{
    const char *values[3];
    buf_t arrays[2];
    char lease_s[24];
    list_t *link;
    job_t *job;

    if (!session_may(queue->session, SQL_EXTEND)) {
        return;
    }
    queue->extend_ms = uv_now(queue->loop);
    queue->extend_by_ms = (uint64_t)queue->conf->lease_ms;
    job_arrays_open(arrays, 2);
    list_for_each (link, &queue->leased) {
        job = list_entry(link, job_t, lease);
        if (is_extended(job, queue->extend_ms)) {
            job_arrays_add(arrays, job);
            job->extending = 1;
        }
    }
    job_arrays_end(arrays, values, 2);
    (void)snprintf(lease_s, sizeof(lease_s), "%ld",
                   queue->conf->lease_ms / 1000);
    values[2] = lease_s;
    if (session_send(queue->session, SQL_EXTEND, values, on_extended) != 0) {
        list_for_each (link, &queue->leased) {
            list_entry(link, job_t, lease)->extending = 0;
        }
    }
    job_arrays_close(arrays, 2);
}

/* --- life ---------------------------------------------------------------- */

/* Before the loop waits: sends what is wanted and possible. */
static void
on_pump(uv_prepare_t *prepare)
{
    queue_t *queue = prepare->data;
    void (*fn)(void *data);

    uint64_t now_ms = queue->stopping ? UINT64_MAX : uv_now(queue->loop);

    arming_overdue(&queue->arming, now_ms, &queue->overdue);
    dispatch_overdue(queue->dispatch, now_ms, &queue->overdue);
    if (session_is_ready(queue->session)) {
        queue->ready_ms = uv_now(queue->loop);
        arming_pump(&queue->arming);
        pump_settle(queue);
        pump_release(queue);
        pump_extend(queue);
    } else if (!list_empty(&queue->overdue)) {
        forget_all(queue, &queue->overdue); /* their leases run out */
    }
    if (!queue->stopping) {
        pump_claim(queue);
        chores_pump(queue->chores);
    } else if (lanes_held(&queue->lanes) == 0 && queue->on_stopped != NULL
               && !session_is_under_way(queue->session, SQL_CLAIM))
    {
        fn = queue->on_stopped;
        queue->on_stopped = NULL;
        fn(queue->stopped_data);
    }
}

static void
on_hint(void *data)
{
    queue_t *queue = data;

    queue->paused = 0;
    want_claim(queue);
}

static void
on_ended(void *data, job_t *job)
{
    queue_t *queue = data;

    if (list_empty(&queue->ended) && list_empty(&queue->settling)) {
        queue->settled_ms = uv_now(queue->loop);
    }
    list_append(&queue->ended, &job->link);
}

queue_t *
queue_new(uv_loop_t *loop, const conf_t *conf, const char *worker)
{
    static const session_events_t events = {on_hint, on_hint};
    static const arming_events_t arming = {start, on_ended, on_arm_answer};
    queue_t *queue;

    queue = calloc(1, sizeof(*queue));
    if (queue == NULL) {
        return NULL;
    }
    queue->loop = loop;
    queue->ready_ms = uv_now(loop);
    queue->conf = conf;
    queue->settle_max = SETTLE_MAX;
    list_init(&queue->leased);
    list_init(&queue->ended);
    list_init(&queue->settling);
    list_init(&queue->overdue);
    list_init(&queue->releasing);
    (void)uv_prepare_init(loop, &queue->pump);
    queue->pump.data = queue;
    (void)uv_timer_init(loop, &queue->leases);
    queue->leases.data = queue;
    queue->open = 2;
    queue->worker = strdup(worker);
    queue->dispatch = dispatch_new(loop, conf, on_ended, queue);
    queue->session = session_new(loop, "jobs", conf, 0, &events, queue);
    queue->chores = chores_new(loop, conf, on_hint, queue);
    arming_init(&queue->arming, loop, queue->session, &arming, queue);
    if (queue->worker == NULL || queue->dispatch == NULL
        || queue->session == NULL || queue->chores == NULL)
    {
        queue_free(queue);
        return NULL;
    }
    (void)uv_prepare_start(&queue->pump, on_pump);
    (void)uv_timer_start(&queue->leases, on_leases, LEASES_MS, LEASES_MS);
    return queue;
}

void
queue_conf(queue_t *queue, const conf_t *conf)
{
    queue->conf = conf;
    dispatch_conf(queue->dispatch, conf);
    chores_conf(queue->chores, conf);
}

void
queue_stop(queue_t *queue, void (*fn)(void *data), void *data)
{
    queue->stopping = 1;
    queue->on_stopped = fn;
    queue->stopped_data = data;
}

size_t
queue_held(const queue_t *queue)
{
    return (size_t)lanes_held(&queue->lanes);
}

void
queue_view(const queue_t *queue, queue_view_t *view)
{
    uint64_t now_ms = uv_now(queue->loop);
    int kind;

    view->stats = &queue->stats;
    for (kind = 0; kind < CHORES_KINDS; kind++) {
        view->n_figures[kind] = chores_figures(
            queue->chores, (chores_kind_e)kind, &view->figures[kind]);
    }
    view->held = queue_held(queue);
    view->posting = dispatch_posting(queue->dispatch);
    view->stopping = queue->stopping;
    view->database_up =
        session_is_ready(queue->session) && chores_is_ready(queue->chores);
    view->patience_ms = (uint64_t)queue->conf->lease_ms / 2;
    view->away_ms =
        session_is_ready(queue->session) ? 0 : now_ms - queue->ready_ms;
    view->unsettled_ms =
        list_empty(&queue->ended) && list_empty(&queue->settling)
            ? 0
            : now_ms - queue->settled_ms;
}

void
queue_each_destination(const queue_t *queue, dispatch_view_pt fn, void *data)
{
    dispatch_each(queue->dispatch, fn, data);
}

static void
on_closed(uv_handle_t *handle)
{
    queue_t *queue = handle->data;

    if (--queue->open == 0) {
        free(queue->worker);
        free(queue);
    }
}

void
queue_free(queue_t *queue)
{
    if (queue == NULL) {
        return;
    }
    stats_log(&queue->stats, "end");
    session_free(queue->session);
    chores_free(queue->chores);
    dispatch_free(queue->dispatch);
    arming_done(&queue->arming, &queue->overdue);
    forget_all(queue, &queue->ended);
    forget_all(queue, &queue->settling);
    forget_all(queue, &queue->overdue);
    forget_all(queue, &queue->releasing);
    uv_close((uv_handle_t *)&queue->pump, on_closed);
    uv_close((uv_handle_t *)&queue->leases, on_closed);
}
