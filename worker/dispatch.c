/*
 * Owns pools of connections (SMTP, HTTP) and of look-ups (DNS), and the
 * destinations that were met lately.
 *
 *     job ─> destination: waiting jobs, in order; how many post
 *       │         │  ready while it has a job that waits, a free place and
 *       │         │  a token of its rate; resting until a token comes
 *       │         v
 *       │    pool: destinations take turns while the pool has a free place
 *       │
 *       └─> given back: the destination is down, or crowded
 *
 * So a destination that is slow or dead fills its own places and a little
 * waiting room, whatever stands in the queue for it, and nobody else's.
 */

#include "dispatch.h"
#include "bounce.h"
#include "http.h"
#include "letter.h"
#include "log.h"
#include "mx.h"
#include "pool.h"
#include "postback.h"
#include "smtp.h"
#include "transfer.h"
#include "verp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_HOST_NAME 256
#define MAX_NAME 512
#define MAX_LOOKUPS 100
#define TRANSFERS JOB_DNS /* the pools before it are libcurl's */

struct dispatch_s {
    const conf_t *conf; /* borrowed */
    pool_t pools[JOB_POOLS];
    transfer_pool_t *transfers[TRANSFERS]; /* owned */
    http_client_t *http;                   /* owned */
    resolver_t *resolver;                  /* owned */
    int dsn;         /* the relay takes the options of RFC 3461 */
    list_t returned; /* job_t.link, to be given back */
    breaker_rule_t rule;
    uint32_t random;
    char helo[MAX_HOST_NAME];
    dispatch_end_pt on_end;
    void *data; /* borrowed */
};

static void start_some(pool_t *pool);

/* For jitter only. */
static uint32_t
random_of(dispatch_t *dispatch)
{
    dispatch->random = dispatch->random * 1664525U + 1013904223U;
    return dispatch->random >> 8;
}

/* --- giving back --------------------------------------------------------- */

static void
give_back(dispatch_t *dispatch, job_t *job, long delay_s)
{
    list_remove(&job->link);
    job->acting = NULL;
    job->delay_s = delay_s;
    list_append(&dispatch->returned, &job->link);
}

/* All that wait for a destination that is down. */
static void
give_all_back(destination_t *destination)
{
    pool_t *pool = destination->pool;
    dispatch_t *dispatch = pool->owner;

    while (!list_empty(&destination->waiting)) {
        give_back(dispatch, list_entry(destination->waiting.next, job_t, link),
                  destination_breaker_delay_s(destination, &dispatch->rule,
                                              uv_now(pool->loop),
                                              random_of(dispatch)));
        destination->n_waiting--;
    }
    pool_place(destination);
}

static void
give_crowd_back(destination_t *destination, job_t *job)
{
    pool_t *pool = destination->pool;
    dispatch_t *dispatch = pool->owner;

    give_back(dispatch, job,
              destination_crowd_delay_s(destination, uv_now(pool->loop),
                                        random_of(dispatch)));
    destination->n_owed++;
}

/* --- posting ------------------------------------------------------------- */

static void
log_breaker(const destination_t *destination, uint64_t now_ms)
{
    const breaker_t *breaker = &destination->breaker;
    char name[LOG_TEXT_SIZE];

    (void)log_text(name, destination->name);
    if (breaker->state == BREAKER_OPEN) {
        log_warn("destination open name=%s failures=%ld pause_ms=%llu", name,
                 breaker->failures,
                 (unsigned long long)(breaker->until_ms > now_ms
                                          ? breaker->until_ms - now_ms
                                          : 0));
    } else {
        log_warn("destination close name=%s", name);
    }
}

static void
note_end(destination_t *destination, const job_t *job, breaker_end_e end)
{
    pool_t *pool = destination->pool;
    dispatch_t *dispatch = pool->owner;
    uint64_t now_ms = uv_now(pool->loop);

    destination_count(destination, &job->outcome);
    if (breaker_ended(&destination->breaker, &dispatch->rule, end, job->probe,
                      now_ms, random_of(dispatch)))
    {
        log_breaker(destination, now_ms);
        if (destination->breaker.state != BREAKER_CLOSED) {
            give_all_back(destination);
        }
    }
}

/* The configuration now in force. */
static const conf_t *
conf_of(const job_t *job)
{
    const destination_t *destination = job->acting;
    const pool_t *pool = destination->pool;
    const dispatch_t *dispatch = pool->owner;

    return dispatch->conf;
}

/* The post is over: the place is free, the job goes back. */
static void
end_post(job_t *job, breaker_end_e end)
{
    destination_t *destination = job->acting;
    pool_t *pool = destination->pool;
    dispatch_t *dispatch = pool->owner;

    job->acting = NULL;
    list_remove(&job->link);
    destination->n_posting--;
    pool->posting--;
    note_end(destination, job, end);
    pool_place(destination);
    job_set_state(job, JOB_ENDED);
    dispatch->on_end(dispatch->data, job);
    start_some(pool);
}

static void
on_smtp_end(void *data, const smtp_result_t *result)
{
    job_t *job = data;

    job->smtp = NULL;
    bounce_judge(result, &job->outcome);
    end_post(job, destination_end(&job->outcome));
}

static void
on_http_end(void *data, const http_result_t *result)
{
    job_t *job = data;

    job->http = NULL;
    job_judge(job, result, conf_of(job));
    end_post(job, destination_end(&job->outcome));
}

static void
on_mx_end(void *data, const mx_result_t *result)
{
    static const char *const verdicts[] = {[MX_GOOD] = "good",
                                           [MX_NONE] = "none",
                                           [MX_NULL] = "null",
                                           [MX_UNCLEAR] = "unclear"};
    job_t *job = data;
    outcome_t *outcome = &job->outcome;

    job->mx = NULL;
    outcome->ms = result->ms;
    outcome->reason = result->problem;
    if (!result->failed) {
        outcome->outcome = OUTCOME_DONE;
        outcome->mx = verdicts[result->verdict];
        (void)snprintf(outcome->group, sizeof(outcome->group), "%s",
                       result->group);
    }
    /* name servers of others fail for one domain: nothing opens a breaker */
    end_post(job, result->failed ? BREAKER_NOTHING : BREAKER_GOOD);
}

void
dispatch_stop(job_t *job, const char *reason)
{
    smtp_cancel(job->smtp);
    http_cancel(job->http);
    mx_cancel(job->mx);
    job->smtp = NULL;
    job->http = NULL;
    job->mx = NULL;
    job->outcome.outcome = OUTCOME_RETRY;
    job->outcome.reason = reason;
    end_post(job, BREAKER_NOTHING);
}

void
dispatch_relay(const conf_t *conf, const char *host, smtp_server_t *server)
{
    server->url = conf->smtp_url;
    server->user = conf->smtp_user;
    server->password = conf->smtp_password;
    server->helo = conf->smtp_helo == NULL ? host : conf->smtp_helo;
    server->connect_timeout_ms = conf->connect_timeout_ms;
    server->dsn = NULL;
    switch (conf->smtp_tls) {
    case CONF_TLS_OFF:
        server->tls = SMTP_TLS_OFF;
        break;
    case CONF_TLS_TRY:
        server->tls = SMTP_TLS_TRY;
        break;
    case CONF_TLS_REQUIRE:
        server->tls = SMTP_TLS_REQUIRE;
        break;
    }
}

static int
post_letter(dispatch_t *dispatch, job_t *job)
{
    const conf_t *conf = dispatch->conf;
    char path[VERP_MAX_ADDRESS + 1];
    smtp_server_t server;
    smtp_letter_t letter;

    letter = *letter_smtp(job->letter);
    if (conf->bounce_address != NULL && letter.has_id
        && verp_make(conf->keys, conf->bounce_address, letter.id, path) == 0)
    {
        letter.from = path;
    }
    dispatch_relay(conf, dispatch->helo, &server);
    server.dsn = &dispatch->dsn;
    job->smtp = smtp_start(dispatch->transfers[JOB_SMTP], &server, &letter,
                           job->limit_ms, on_smtp_end, job);
    return job->smtp == NULL ? -1 : 0;
}

static int
post_postback(const dispatch_t *dispatch, job_t *job)
{
    http_request_t request;

    request = *postback_request(job->postback);
    if (request.timeout_ms > job->limit_ms) {
        request.timeout_ms = job->limit_ms;
    }
    job->http = http_start(dispatch->http, &request, on_http_end, job);
    return job->http == NULL ? -1 : 0;
}

static int
post(dispatch_t *dispatch, job_t *job)
{
    switch (job->pool) {
    case JOB_SMTP:
        return post_letter(dispatch, job);
    case JOB_HTTP:
        return post_postback(dispatch, job);
    case JOB_DNS:
        job->mx = mx_start(dispatch->resolver, job->domain, on_mx_end, job);
        return job->mx == NULL ? -1 : 0;
    case JOB_POOLS:
        break;
    }
    return -1;
}

/* breaker_may() has said yes. */
static void
start(destination_t *destination, job_t *job)
{
    pool_t *pool = destination->pool;
    dispatch_t *dispatch = pool->owner;
    uint64_t now_ms = uv_now(pool->loop);

    list_remove(&job->link);
    list_append(&destination->posting, &job->link);
    destination->n_waiting--;
    destination->n_posting++;
    pool->posting++;
    rate_take(&destination->rate, now_ms);
    job->started_ms = now_ms;
    job->probe = destination->breaker.state == BREAKER_HALF_OPEN;
    job_set_state(job, JOB_POSTING);
    if (job->probe) {
        give_all_back(destination);
    } else {
        pool_place(destination);
    }
    if (post(dispatch, job) != 0) {
        job->outcome.outcome = OUTCOME_RETRY;
        job->outcome.reason = "memory";
        end_post(job, BREAKER_NOTHING);
    }
}

/* Lets destinations take turns while the pool has a free place. */
static void
start_some(pool_t *pool)
{
    uint64_t now_ms = uv_now(pool->loop);
    destination_t *destination;

    if (pool->starting) {
        return; /* the loop below goes on */
    }
    pool->starting = 1;
    while ((destination = pool_next(pool)) != NULL) {
        if (breaker_may(&destination->breaker, now_ms)) {
            start(destination,
                  list_entry(destination->waiting.next, job_t, link));
        } else {
            give_all_back(destination);
        }
    }
    pool->starting = 0;
}

/* The destination of a job, with the measure that the job brings along. */
static destination_t *
destination_for(pool_t *pool, const job_t *job)
{
    destination_t *destination;
    char name[MAX_NAME];
    long places;

    if (job->postback == NULL) {
        (void)snprintf(name, sizeof(name), "%s",
                       job->pool == JOB_DNS ? "dns" : "smtp");
    } else {
        (void)snprintf(name, sizeof(name), "%s@%s", job->target,
                       postback_host(job->postback));
    }
    destination = pool_destination(pool, name);
    if (destination != NULL) {
        places =
            job->postback == NULL ? 0 : postback_concurrency(job->postback);
        destination->places =
            places > 0 ? (size_t)places : pool->per_destination;
        if (job->postback != NULL) {
            rate_set(&destination->rate, postback_rate(job->postback));
        }
    }
    return destination;
}

void
dispatch_take(dispatch_t *dispatch, job_t *job)
{
    pool_t *pool = &dispatch->pools[job->pool];
    uint64_t now_ms = uv_now(pool->loop);
    destination_t *destination;

    destination = destination_for(pool, job);
    if (destination == NULL) {
        job->outcome.outcome = OUTCOME_RETRY;
        job->outcome.reason = "memory";
        job_set_state(job, JOB_ENDED);
        dispatch->on_end(dispatch->data, job);
        return;
    }
    destination->n_owed -= destination->n_owed > 0;
    if (breaker_wait_ms(&destination->breaker, &dispatch->rule, now_ms) > 0) {
        give_back(dispatch, job,
                  destination_breaker_delay_s(destination, &dispatch->rule,
                                              now_ms, random_of(dispatch)));
    } else if (destination->n_waiting >= destination_room(destination, now_ms))
    {
        give_crowd_back(destination, job);
    } else {
        job->acting = destination;
        list_append(&destination->waiting, &job->link);
        destination->n_waiting++;
        pool_place(destination);
        start_some(pool);
    }
}

/*
 * Jobs that had to begin before now_ms, and those for which there is no room
 * any more since the destination has become slow.
 */
static void
take_overdue(pool_t *pool, uint64_t now_ms)
{
    dispatch_t *dispatch = pool->owner;
    destination_t *destination;
    list_t *link;
    job_t *job;
    size_t room;

    list_for_each (link, &pool->destinations) {
        destination = list_entry(link, destination_t, link);
        if (destination->n_waiting == 0) {
            continue;
        }
        while (!list_empty(&destination->waiting)) {
            job = list_entry(destination->waiting.next, job_t, link);
            if (job->start_by_ms >= now_ms) {
                break; /* they stand in the order of their claims */
            }
            destination->n_waiting--;
            give_back(dispatch, job, 0);
        }
        room = destination_room(destination, uv_now(pool->loop));
        while (destination->n_waiting > room) {
            destination->n_waiting--;
            give_crowd_back(destination, list_entry(destination->waiting.prev,
                                                    job_t, link));
        }
        if (destination->n_waiting == 0) {
            pool_place(destination);
        }
    }
}

void
dispatch_overdue(dispatch_t *dispatch, uint64_t now_ms, list_t *jobs)
{
    size_t i;

    for (i = 0; i < JOB_POOLS; i++) {
        take_overdue(&dispatch->pools[i], now_ms);
    }
    list_join(jobs, &dispatch->returned);
}

void
dispatch_avoid(const dispatch_t *dispatch, dispatch_avoid_pt fn, void *data)
{
    const destination_t *destination;
    char target[JOB_MAX_WORD];
    long wait_ms;
    list_t *link;
    size_t i;

    for (i = 0; i < JOB_POOLS; i++) {
        list_for_each (link, &dispatch->pools[i].destinations) {
            destination = list_entry(link, destination_t, link);
            wait_ms = breaker_wait_ms(&destination->breaker, &dispatch->rule,
                                      uv_now(dispatch->pools[i].loop));
            if (wait_ms > 0) {
                /* "target@host", or the relay's target alone */
                (void)snprintf(target, sizeof(target), "%.*s",
                               (int)strcspn(destination->name, "@"),
                               destination->name);
                fn(data, target, wait_ms / 1000 + 1);
            }
        }
    }
}

void
dispatch_each(const dispatch_t *dispatch, dispatch_view_pt fn, void *data)
{
    static const char *const names[JOB_POOLS] = {
        [JOB_SMTP] = "smtp", [JOB_HTTP] = "http", [JOB_DNS] = "dns"};
    const destination_t *destination;
    destination_view_t view;
    list_t *link;
    size_t i;

    for (i = 0; i < JOB_POOLS; i++) {
        list_for_each (link, &dispatch->pools[i].destinations) {
            destination = list_entry(link, destination_t, link);
            view.name = destination->name;
            view.pool = names[i];
            view.breaker = breaker_name(destination->breaker.state);
            view.waiting = destination->n_waiting;
            view.posting = destination->n_posting;
            view.done = destination->done;
            view.retry = destination->retry;
            view.dead = destination->dead;
            view.opened = destination->breaker.opened;
            view.buckets = destination->times.buckets;
            view.seconds = destination->times.seconds;
            fn(data, &view);
        }
    }
}

size_t
dispatch_posting(const dispatch_t *dispatch)
{
    size_t i, posting;

    posting = 0;
    for (i = 0; i < JOB_POOLS; i++) {
        posting += dispatch->pools[i].posting;
    }
    return posting;
}

void
dispatch_conf(dispatch_t *dispatch, const conf_t *conf)
{
    pool_t *smtp = &dispatch->pools[JOB_SMTP];
    pool_t *http = &dispatch->pools[JOB_HTTP];
    pool_t *dns = &dispatch->pools[JOB_DNS];

    dispatch->conf = conf;
    dispatch->rule.limit = conf->breaker_failures;
    dispatch->rule.pause_ms = conf->breaker_pause_ms;
    dispatch->rule.pause_max_ms = conf->breaker_pause_max_ms;
    smtp->limit = (size_t)conf->smtp_connections;
    smtp->per_destination = smtp->limit;
    http->limit = (size_t)conf->http_connections;
    http->per_destination = (size_t)conf->http_per_host;
    dns->limit = MAX_LOOKUPS;
    dns->per_destination = MAX_LOOKUPS;
    transfer_pool_limit(dispatch->transfers[JOB_SMTP], conf->smtp_connections);
    transfer_pool_limit(dispatch->transfers[JOB_HTTP], conf->http_connections);
    http_client_conf(dispatch->http, &conf->private_targets,
                     conf->connect_timeout_ms, http->limit);
}

dispatch_t *
dispatch_new(uv_loop_t *loop, const conf_t *conf, dispatch_end_pt on_end,
             void *data)
{
    dispatch_t *dispatch;
    size_t i;

    dispatch = calloc(1, sizeof(*dispatch));
    if (dispatch == NULL) {
        return NULL;
    }
    dispatch->on_end = on_end;
    dispatch->data = data;
    dispatch->random = (uint32_t)(uv_hrtime() ^ (uint64_t)getpid());
    list_init(&dispatch->returned);
    if (gethostname(dispatch->helo, sizeof(dispatch->helo) - 1) != 0) {
        (void)snprintf(dispatch->helo, sizeof(dispatch->helo), "localhost");
    }
    for (i = 0; i < JOB_POOLS; i++) {
        if (pool_init(&dispatch->pools[i], loop, start_some, dispatch) != 0) {
            dispatch_free(dispatch);
            return NULL;
        }
    }
    for (i = 0; i < TRANSFERS; i++) {
        dispatch->transfers[i] = transfer_pool_new(loop);
        if (dispatch->transfers[i] == NULL) {
            dispatch_free(dispatch);
            return NULL;
        }
    }
    dispatch->http = http_client_new(dispatch->transfers[JOB_HTTP]);
    dispatch->resolver = resolver_new(loop, conf->resolver);
    if (dispatch->http == NULL || dispatch->resolver == NULL) {
        dispatch_free(dispatch);
        return NULL;
    }
    dispatch_conf(dispatch, conf);
    return dispatch;
}

static void
abandon(list_t *jobs)
{
    while (!list_empty(jobs)) {
        job_free(list_entry(jobs->next, job_t, link));
    }
}

static void
abandon_all(pool_t *pool)
{
    destination_t *destination;
    list_t *link;

    if (pool->tokens == NULL) {
        return; /* half-built */
    }
    list_for_each (link, &pool->destinations) {
        destination = list_entry(link, destination_t, link);
        abandon(&destination->waiting);
        abandon(&destination->posting);
    }
    pool_done(pool);
}

void
dispatch_free(dispatch_t *dispatch)
{
    size_t i;

    if (dispatch == NULL) {
        return;
    }
    abandon(&dispatch->returned);
    for (i = 0; i < JOB_POOLS; i++) {
        abandon_all(&dispatch->pools[i]);
    }
    http_client_free(dispatch->http);
    resolver_free(dispatch->resolver);
    for (i = 0; i < TRANSFERS; i++) {
        transfer_pool_free(dispatch->transfers[i]);
    }
    free(dispatch);
}
