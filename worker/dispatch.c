/*
 * Owns two pools of connections (SMTP, HTTP) and the destinations that have
 * something to do.
 *
 *     job ─> destination: waiting jobs, in order; how many post
 *                 │  in its pool's ready list while it has a job that
 *                 v  waits and a free place
 *            pool: destinations take turns while the pool has a free place
 *
 * So one slow host fills its own places, and nobody else's.
 */

#include "dispatch.h"
#include "bounce.h"
#include "http.h"
#include "letter.h"
#include "postback.h"
#include "smtp.h"
#include "transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_HOST_NAME 256

typedef struct {
    dispatch_t *dispatch;       /* borrowed */
    transfer_pool_t *transfers; /* owned */
    list_t destinations;        /* destination_t.link, all of them */
    list_t ready;               /* destination_t.ready */
    size_t limit;
    size_t per_destination;
    size_t posting;
    int starting; /* start_some is on the stack */
} pool_t;

typedef struct {
    list_t link;
    list_t ready;
    list_t waiting; /* job_t.link */
    list_t posting; /* job_t.link */
    size_t n_posting;
    pool_t *pool; /* borrowed */
    char *name;   /* owned */
} destination_t;

struct dispatch_s {
    const conf_t *conf; /* borrowed */
    pool_t pools[JOB_POOLS];
    char helo[MAX_HOST_NAME];
    dispatch_end_pt on_end;
    void *data; /* borrowed */
};

static void start_some(pool_t *pool);

static destination_t *
destination_new(pool_t *pool, const char *name)
{
    destination_t *destination;

    destination = calloc(1, sizeof(*destination));
    if (destination == NULL) {
        return NULL;
    }
    destination->name = strdup(name);
    if (destination->name == NULL) {
        free(destination);
        return NULL;
    }
    destination->pool = pool;
    list_init(&destination->ready);
    list_init(&destination->waiting);
    list_init(&destination->posting);
    list_append(&pool->destinations, &destination->link);
    return destination;
}

static void
destination_free(destination_t *destination)
{
    list_remove(&destination->link);
    list_remove(&destination->ready);
    free(destination->name);
    free(destination);
}

static destination_t *
destination_of(pool_t *pool, const char *name)
{
    destination_t *destination;
    list_t *link;

    list_for_each (link, &pool->destinations) {
        destination = list_entry(link, destination_t, link);
        if (strcmp(destination->name, name) == 0) {
            return destination;
        }
    }
    return destination_new(pool, name);
}

/* Puts the destination in the list where it now belongs, or frees it. */
static void
place(destination_t *destination)
{
    pool_t *pool = destination->pool;

    list_remove(&destination->ready);
    if (!list_empty(&destination->waiting)) {
        if (destination->n_posting < pool->per_destination) {
            list_append(&pool->ready, &destination->ready);
        }
    } else if (destination->n_posting == 0) {
        destination_free(destination);
    }
}

/* The post is over: the place is free, the job goes back. */
static void
end_post(job_t *job)
{
    destination_t *destination = job->acting;
    pool_t *pool = destination->pool;
    dispatch_t *dispatch = pool->dispatch;

    job->acting = NULL;
    list_remove(&job->link);
    destination->n_posting--;
    pool->posting--;
    place(destination);
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
    end_post(job);
}

static void
on_http_end(void *data, const http_result_t *result)
{
    job_t *job = data;

    job->http = NULL;
    postback_judge(job->postback, result, &job->outcome);
    end_post(job);
}

void
dispatch_stop(job_t *job, const char *reason)
{
    smtp_cancel(job->smtp);
    http_cancel(job->http);
    job->smtp = NULL;
    job->http = NULL;
    job->outcome.outcome = OUTCOME_RETRY;
    job->outcome.reason = reason;
    end_post(job);
}

static int
post_letter(const dispatch_t *dispatch, job_t *job)
{
    const conf_t *conf = dispatch->conf;
    smtp_server_t server;

    server.url = conf->smtp_url;
    server.user = conf->smtp_user;
    server.password = conf->smtp_password;
    server.helo = conf->smtp_helo == NULL ? dispatch->helo : conf->smtp_helo;
    server.connect_timeout_ms = conf->connect_timeout_ms;
    switch (conf->smtp_tls) {
    case CONF_TLS_OFF:
        server.tls = SMTP_TLS_OFF;
        break;
    case CONF_TLS_TRY:
        server.tls = SMTP_TLS_TRY;
        break;
    case CONF_TLS_REQUIRE:
        server.tls = SMTP_TLS_REQUIRE;
        break;
    }
    job->smtp =
        smtp_start(dispatch->pools[JOB_SMTP].transfers, &server,
                   letter_smtp(job->letter), job->limit_ms, on_smtp_end, job);
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
    job->http =
        http_start(dispatch->pools[JOB_HTTP].transfers, &request,
                   dispatch->conf->connect_timeout_ms, on_http_end, job);
    return job->http == NULL ? -1 : 0;
}

static void
start(destination_t *destination, job_t *job)
{
    dispatch_t *dispatch = destination->pool->dispatch;
    int rc;

    list_remove(&job->link);
    list_append(&destination->posting, &job->link);
    destination->n_posting++;
    destination->pool->posting++;
    job_set_state(job, JOB_POSTING);
    place(destination);
    rc = job->pool == JOB_SMTP ? post_letter(dispatch, job)
                               : post_postback(dispatch, job);
    if (rc != 0) {
        job->outcome.outcome = OUTCOME_RETRY;
        job->outcome.reason = "memory";
        end_post(job);
    }
}

/* Lets destinations take turns while the pool has a free place. */
static void
start_some(pool_t *pool)
{
    destination_t *destination;

    if (pool->starting) {
        return; /* the loop below goes on */
    }
    pool->starting = 1;
    while (pool->posting < pool->limit && !list_empty(&pool->ready)) {
        destination = list_entry(pool->ready.next, destination_t, ready);
        start(destination, list_entry(destination->waiting.next, job_t, link));
    }
    pool->starting = 0;
}

void
dispatch_take(dispatch_t *dispatch, job_t *job)
{
    pool_t *pool = &dispatch->pools[job->pool];
    destination_t *destination;

    destination = destination_of(pool, job_destination(job));
    if (destination == NULL) {
        job->outcome.outcome = OUTCOME_RETRY;
        job->outcome.reason = "memory";
        job_set_state(job, JOB_ENDED);
        dispatch->on_end(dispatch->data, job);
        return;
    }
    job->acting = destination;
    list_append(&destination->waiting, &job->link);
    place(destination);
    start_some(pool);
}

static void
take_overdue(pool_t *pool, uint64_t now_ms, list_t *jobs)
{
    destination_t *destination;
    list_t *link, *next;
    job_t *job;

    for (link = pool->destinations.next; link != &pool->destinations;
         link = next) {
        next = link->next;
        destination = list_entry(link, destination_t, link);
        while (!list_empty(&destination->waiting)) {
            job = list_entry(destination->waiting.next, job_t, link);
            if (job->start_by_ms >= now_ms) {
                break; /* they stand in the order of their claims */
            }
            list_remove(&job->link);
            list_append(jobs, &job->link);
            job->acting = NULL;
        }
        place(destination);
    }
}

void
dispatch_overdue(dispatch_t *dispatch, uint64_t now_ms, list_t *jobs)
{
    size_t i;

    for (i = 0; i < JOB_POOLS; i++) {
        take_overdue(&dispatch->pools[i], now_ms, jobs);
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

    dispatch->conf = conf;
    smtp->limit = (size_t)conf->smtp_connections;
    smtp->per_destination = smtp->limit;
    http->limit = (size_t)conf->http_connections;
    http->per_destination = DISPATCH_MAX_PER_HOST;
    transfer_pool_limit(smtp->transfers, conf->smtp_connections);
    transfer_pool_limit(http->transfers, conf->http_connections);
}

dispatch_t *
dispatch_new(uv_loop_t *loop, const conf_t *conf, dispatch_end_pt on_end,
             void *data)
{
    dispatch_t *dispatch;
    pool_t *pool;
    size_t i;

    dispatch = calloc(1, sizeof(*dispatch));
    if (dispatch == NULL) {
        return NULL;
    }
    dispatch->on_end = on_end;
    dispatch->data = data;
    if (gethostname(dispatch->helo, sizeof(dispatch->helo) - 1) != 0) {
        (void)snprintf(dispatch->helo, sizeof(dispatch->helo), "localhost");
    }
    for (i = 0; i < JOB_POOLS; i++) {
        pool = &dispatch->pools[i];
        pool->dispatch = dispatch;
        list_init(&pool->destinations);
        list_init(&pool->ready);
        pool->transfers = transfer_pool_new(loop);
        if (pool->transfers == NULL) {
            dispatch_free(dispatch);
            return NULL;
        }
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

void
dispatch_free(dispatch_t *dispatch)
{
    destination_t *destination;
    pool_t *pool;
    size_t i;

    if (dispatch == NULL) {
        return;
    }
    for (i = 0; i < JOB_POOLS; i++) {
        pool = &dispatch->pools[i];
        if (pool->transfers == NULL) {
            continue; /* half-built */
        }
        while (!list_empty(&pool->destinations)) {
            destination =
                list_entry(pool->destinations.next, destination_t, link);
            abandon(&destination->waiting);
            abandon(&destination->posting);
            destination_free(destination);
        }
        transfer_pool_free(pool->transfers);
    }
    free(dispatch);
}
