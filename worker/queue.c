/*
 * Owns a connection, and every job between its claim and its settling.
 *
 *     claim ─> dispatch ─> ended ─> settle            (connection "jobs")
 *                 └──────> overdue ─> release
 *
 * Each statement has at most one under way; what comes meanwhile forms the
 * next.  Handlers only note what is wanted.  on_pump() sends it, once in each
 * round, before the loop waits: there is no timer between the end of a post
 * and its settling, and yet ends that come together settle together.
 */

#include "queue.h"
#include "array.h"
#include "chores.h"
#include "dispatch.h"
#include "job.h"
#include "log.h"
#include "session.h"
#include "stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETTLE_MAX 500
#define ARRAY_MAX (4 * 1024 * 1024)

struct queue_s {
    uv_loop_t *loop;      /* borrowed */
    const conf_t *conf;   /* borrowed */
    char *worker;         /* owned; our name in leases */
    session_t *session;   /* owned */
    chores_t *chores;     /* owned */
    dispatch_t *dispatch; /* owned */
    stats_t stats;
    uv_prepare_t pump;

    list_t ended;     /* with an outcome, not sent */
    list_t settling;  /* in the statement under way */
    list_t overdue;   /* to be released, not sent */
    list_t releasing; /* in the statement under way */
    size_t held;
    size_t settle_max; /* shrinks when SQL refuses a batch */
    int paused;        /* SQL cannot settle now: until the next hint */
    long claim_limit;  /* of the claim under way */
    uint64_t claim_ms; /* when it was sent */

    void (*on_stopped)(void *data);
    void *stopped_data; /* borrowed */
    int stopping;
};

static void
forget(queue_t *queue, job_t *job)
{
    queue->held--;
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
    if (job == NULL) {
        log_error("job drop job=%" PRId64 " reason=memory", claim.id);
        return; /* its lease runs out */
    }
    queue->held++;
    if (job->state == JOB_ENDED) {
        list_append(&queue->ended, &job->link);
    } else if (queue->stopping) {
        list_append(&queue->overdue, &job->link);
    } else {
        dispatch_take(queue->dispatch, job);
    }
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
        log_debug("queue claim n=%d held=%zu", n, queue->held);
    }
    if (n == queue->claim_limit) {
        session_want(queue->session, SQL_CLAIM);
    }
}

static void
pump_claim(queue_t *queue)
{
    char limit[24], lease_s[24];
    const char *values[] = {queue->worker, limit, lease_s};
    long room;

    room = queue->conf->max_inflight - (long)queue->held;
    if (room <= 0 || !session_may(queue->session, SQL_CLAIM)) {
        return;
    }
    queue->claim_limit = room < queue->conf->batch ? room : queue->conf->batch;
    queue->claim_ms = uv_now(queue->loop);
    (void)snprintf(limit, sizeof(limit), "%ld", queue->claim_limit);
    (void)snprintf(lease_s, sizeof(lease_s), "%ld",
                   queue->conf->lease_ms / 1000);
    (void)session_send(queue->session, SQL_CLAIM, values, on_claimed);
}

/* --- settling ------------------------------------------------------------ */

/* What a job's line says besides: only what applies. */
static void
log_settled(const job_t *job, const char *state, const char *next_s)
{
    const outcome_t *o = &job->outcome;
    buf_t line;

    buf_init(&line, 700);
    buf_addf(&line,
             "job settle job=%" PRId64 " kind=%s target=%s try=%d"
             " outcome=%s",
             job->id, job->kind, job->target, job->attempt,
             outcome_name(o->outcome));
    if (o->http != 0) {
        buf_addf(&line, " http=%d", o->http);
    }
    if (o->smtp != 0) {
        buf_addf(&line, " smtp=%d", o->smtp);
    }
    if (o->code[0] != '\0') {
        buf_addf(&line, " code=%s", o->code);
    }
    if (o->class_ != CLASS_NONE) {
        buf_addf(&line, " class=%s", class_name(o->class_));
    }
    if (o->reason != NULL) {
        buf_addf(&line, " reason=%s", o->reason);
    }
    buf_addf(&line, " ms=%ld state=%s", o->ms, state);
    if (next_s != NULL) {
        buf_addf(&line, " next_s=%s", next_s);
    }
    log_info("%s", buf_str(&line));
    buf_done(&line);
}

/* The job was not ours any more when we settled it. */
static void
log_lease_lost(queue_t *queue, const job_t *job)
{
    queue->stats.lost++;
    log_warn("job lose job=%" PRId64 " kind=%s target=%s try=%d outcome=%s"
             " reason=%s",
             job->id, job->kind, job->target, job->attempt,
             outcome_name(job->outcome.outcome),
             job->repeated ? "\"settled before, or lease lost\""
                           : "\"lease lost\"");
}

static job_t *
find_settling(queue_t *queue, int64_t id)
{
    list_t *link;
    job_t *job;

    list_for_each (link, &queue->settling) {
        job = list_entry(link, job_t, link);
        if (job->id == id) {
            return job;
        }
    }
    return NULL;
}

static void
take_settled(queue_t *queue, const PGresult *rows)
{
    job_t *job;
    int row;

    for (row = 0; row < PQntuples(rows); row++) {
        job =
            find_settling(queue, strtoll(PQgetvalue(rows, row, 0), NULL, 10));
        if (job == NULL) {
            continue;
        }
        if (*PQgetvalue(rows, row, 1) == 't') {
            stats_settled(&queue->stats, job->outcome.outcome);
            log_settled(job, PQgetvalue(rows, row, 2),
                        PQgetisnull(rows, row, 3) ? NULL
                                                  : PQgetvalue(rows, row, 3));
        } else {
            log_lease_lost(queue, job);
        }
        forget(queue, job);
    }
    while (!list_empty(&queue->settling)) {
        job = list_entry(queue->settling.next, job_t, link);
        log_lease_lost(queue, job);
        forget(queue, job);
    }
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
    take_settled(queue, answer->rows);
    if (queue->settle_max < SETTLE_MAX) {
        queue->settle_max *= 2;
    }
    /* the next jobs may be among what follows */
    session_want(queue->session, SQL_CLAIM);
    chores_want(queue->chores);
}

static void
pump_settle(queue_t *queue)
{
    buf_t arrays[4];
    const char *values[4];
    char id[24], *details;
    size_t i, n;
    job_t *job;

    if (list_empty(&queue->ended) || queue->paused
        || session_is_under_way(queue->session, SQL_SETTLE))
    {
        return;
    }
    for (i = 0; i < 4; i++) {
        buf_init(&arrays[i], ARRAY_MAX);
    }
    for (n = 0; n < queue->settle_max && !list_empty(&queue->ended); n++) {
        job = list_entry(queue->ended.next, job_t, link);
        (void)snprintf(id, sizeof(id), "%" PRId64, job->id);
        details = outcome_json(&job->outcome);
        array_add(&arrays[0], id);
        array_add(&arrays[1], job->token);
        array_add(&arrays[2], outcome_name(job->outcome.outcome));
        array_add(&arrays[3], details == NULL ? "{}" : details);
        free(details);
        list_remove(&job->link);
        list_append(&queue->settling, &job->link);
    }
    for (i = 0; i < 4; i++) {
        array_end(&arrays[i]);
        values[i] = buf_str(&arrays[i]);
    }
    if (session_send(queue->session, SQL_SETTLE, values, on_settled) != 0) {
        put_back(&queue->settling, &queue->ended);
    }
    for (i = 0; i < 4; i++) {
        buf_done(&arrays[i]);
    }
}

/* --- releasing ----------------------------------------------------------- */

static void
on_released(void *data, const pg_answer_t *answer)
{
    queue_t *queue = data;

    if (answer->end == PG_ROWS) {
        queue->stats.released += (uint64_t)session_number(answer, 0, 0);
        log_info("queue release n=%ld", session_number(answer, 0, 0));
    }
    forget_all(queue, &queue->releasing); /* or their leases run out */
}

static void
pump_release(queue_t *queue)
{
    buf_t arrays[2];
    const char *values[2];
    char id[24];
    list_t *link;
    const job_t *job;

    if (list_empty(&queue->overdue)
        || session_is_under_way(queue->session, SQL_RELEASE))
    {
        return;
    }
    buf_init(&arrays[0], ARRAY_MAX);
    buf_init(&arrays[1], ARRAY_MAX);
    list_for_each (link, &queue->overdue) {
        job = list_entry(link, job_t, link);
        (void)snprintf(id, sizeof(id), "%" PRId64, job->id);
        array_add(&arrays[0], id);
        array_add(&arrays[1], job->token);
    }
    array_end(&arrays[0]);
    array_end(&arrays[1]);
    values[0] = buf_str(&arrays[0]);
    values[1] = buf_str(&arrays[1]);
    list_join(&queue->releasing, &queue->overdue);
    if (session_send(queue->session, SQL_RELEASE, values, on_released) != 0) {
        forget_all(queue, &queue->releasing);
    }
    buf_done(&arrays[0]);
    buf_done(&arrays[1]);
}

/* --- life ---------------------------------------------------------------- */

/* Before the loop waits: sends what is wanted and possible. */
static void
on_pump(uv_prepare_t *prepare)
{
    queue_t *queue = prepare->data;
    void (*fn)(void *data);

    dispatch_overdue(queue->dispatch,
                     queue->stopping ? UINT64_MAX : uv_now(queue->loop),
                     &queue->overdue);
    if (session_is_ready(queue->session)) {
        pump_settle(queue);
        pump_release(queue);
    } else if (!list_empty(&queue->overdue)) {
        forget_all(queue, &queue->overdue); /* their leases run out */
    }
    if (!queue->stopping) {
        pump_claim(queue);
        chores_pump(queue->chores);
    } else if (queue->held == 0 && queue->on_stopped != NULL
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
    session_want(queue->session, SQL_CLAIM);
}

static void
on_ended(void *data, job_t *job)
{
    queue_t *queue = data;

    list_append(&queue->ended, &job->link);
}

queue_t *
queue_new(uv_loop_t *loop, const conf_t *conf, const char *worker)
{
    static const session_events_t events = {on_hint, on_hint};
    queue_t *queue;

    queue = calloc(1, sizeof(*queue));
    if (queue == NULL) {
        return NULL;
    }
    queue->loop = loop;
    queue->conf = conf;
    queue->settle_max = SETTLE_MAX;
    list_init(&queue->ended);
    list_init(&queue->settling);
    list_init(&queue->overdue);
    list_init(&queue->releasing);
    (void)uv_prepare_init(loop, &queue->pump);
    queue->pump.data = queue;
    queue->worker = strdup(worker);
    queue->dispatch = dispatch_new(loop, conf, on_ended, queue);
    queue->session = session_new(loop, "jobs", conf, 0, &events, queue);
    queue->chores = chores_new(loop, conf, on_hint, queue);
    if (queue->worker == NULL || queue->dispatch == NULL
        || queue->session == NULL || queue->chores == NULL)
    {
        queue_free(queue);
        return NULL;
    }
    (void)uv_prepare_start(&queue->pump, on_pump);
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
    return queue->held;
}

static void
on_closed(uv_handle_t *handle)
{
    queue_t *queue = handle->data;

    free(queue->worker);
    free(queue);
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
    forget_all(queue, &queue->ended);
    forget_all(queue, &queue->settling);
    forget_all(queue, &queue->overdue);
    forget_all(queue, &queue->releasing);
    uv_close((uv_handle_t *)&queue->pump, on_closed);
}
