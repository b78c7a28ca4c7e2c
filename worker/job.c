#include "job.h"
#include "bounce.h"
#include "buf.h"
#include "http.h"
#include "letter.h"
#include "log.h"
#include "mx.h"
#include "postback.h"
#include "smtp.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SETTLE_MARGIN_MS 1000
#define MAX_POST_MS (10 * 60 * 1000)

static const char *make_letter(job_t *job, const json_t *payload,
                               const conf_t *conf, fault_t *fault);
static const char *make_postback(job_t *job, const json_t *payload,
                                 const conf_t *conf, fault_t *fault);
static const char *make_mx(job_t *job, const json_t *payload,
                           const conf_t *conf, fault_t *fault);
static const char *judge_bounce(job_t *job, const json_t *payload,
                                const conf_t *conf, fault_t *fault);

static const struct {
    const char *name;
    job_pool_e pool;
    /* NULL, or the reason why there is nothing to post */
    const char *(*make)(job_t *job, const json_t *payload, const conf_t *conf,
                        fault_t *fault);
} kinds[] = {
    {"letter", JOB_SMTP, make_letter},
    {"postback", JOB_HTTP, make_postback},
    {"webhook", JOB_HTTP, make_postback},
    {"mx", JOB_DNS, make_mx},
    {"bounce", JOB_DNS, judge_bounce},
};

static const char *
make_letter(job_t *job, const json_t *payload, const conf_t *conf,
            fault_t *fault)
{
    job->letter = letter_new(payload, conf->keys, time(NULL), fault);
    return job->letter == NULL ? "bad-payload" : NULL;
}

static const char *
make_postback(job_t *job, const json_t *payload, const conf_t *conf,
              fault_t *fault)
{
    job->postback =
        postback_new(payload, conf->secrets_dir, time(NULL), NULL, fault);
    if (job->postback == NULL) {
        return "bad-payload";
    }
    job->outcome.url = postback_shown_url(job->postback);
    job->outcome.body = postback_shown_body(job->postback);
    if (!postback_port_ok(job->postback)) {
        (void)fault_set(fault, 0, "the network does not name the port");
        return "guard";
    }
    return NULL;
}

static const char *
make_mx(job_t *job, const json_t *payload, const conf_t *conf, fault_t *fault)
{
    const char *domain;

    (void)conf;
    domain = json_string_value(json_object_get(payload, "domain"));
    job->domain = domain == NULL || *domain == '\0' ? NULL : strdup(domain);
    if (job->domain == NULL) {
        (void)fault_set(fault, 0, "the payload has no domain");
        return "bad-payload";
    }
    return NULL;
}

/* A failure that somebody else was told of: only its class is asked for. */
static const char *
judge_bounce(job_t *job, const json_t *payload, const conf_t *conf,
             fault_t *fault)
{
    const char *status, *text;

    (void)conf;
    (void)fault;
    status = json_string_value(json_object_get(payload, "status"));
    text = json_string_value(json_object_get(payload, "text"));
    bounce_report(status == NULL ? "" : status, text == NULL ? "" : text,
                  &job->outcome);
    job->outcome.outcome = OUTCOME_DONE;
    job_set_state(job, JOB_ENDED);
    return NULL;
}

static const char *
state_name(job_state_e state)
{
    switch (state) {
    case JOB_WAITING:
        return "waiting";
    case JOB_POSTING:
        return "posting";
    case JOB_ENDED:
        return "ended";
    }
    return "?";
}

void
job_set_state(job_t *job, job_state_e state)
{
    log_debug("job state job=%" PRId64 " from=%s to=%s", job->id,
              state_name(job->state), state_name(state));
    job->state = state;
}

static void
die(job_t *job, const char *reason, const char *why)
{
    char text[LOG_TEXT_SIZE];

    job->outcome.outcome = OUTCOME_DEAD;
    job->outcome.reason = reason;
    job_set_state(job, JOB_ENDED);
    log_error("job refuse job=%" PRId64 " kind=%s reason=%s", job->id,
              job->kind, log_text(text, why));
}

/* From a payload to a letter or a request, or to a dead job. */
static void
make(job_t *job, const char *payload, const conf_t *conf)
{
    json_error_t error;
    const char *reason;
    fault_t fault;
    json_t *json;
    size_t i, n;

    n = sizeof(kinds) / sizeof(kinds[0]);
    for (i = 0; i < n; i++) {
        if (strcmp(job->kind, kinds[i].name) == 0) {
            break;
        }
    }
    if (i == n) {
        die(job, "unknown-kind", "unknown kind");
        return;
    }
    job->pool = kinds[i].pool;
    json = payload == NULL ? NULL : json_loads(payload, 0, &error);
    if (json == NULL) {
        die(job, "bad-payload", "the payload is no JSON object");
        return;
    }
    reason = kinds[i].make(job, json, conf, &fault);
    if (reason != NULL) {
        die(job, reason, fault.text);
    }
    json_decref(json);
}

job_t *
job_new(const job_claim_t *claim, const conf_t *conf)
{
    job_t *job;

    job = calloc(1, sizeof(*job));
    if (job == NULL) {
        return NULL;
    }
    list_init(&job->link);
    list_init(&job->lease);
    job->id = claim->id;
    job->attempt = claim->attempt;
    (void)snprintf(job->token, sizeof(job->token), "%s", claim->token);
    (void)snprintf(job->kind, sizeof(job->kind), "%s", claim->kind);
    (void)snprintf(job->target, sizeof(job->target), "%s", claim->target);
    job->leased_ms = claim->claimed_ms;
    job->lease_ms = claim->lease_ms;
    job->start_by_ms = claim->claimed_ms + claim->lease_ms / 2;
    outcome_init(&job->outcome);
    make(job, claim->payload, conf);
    /* a request has a timeout of its own, a letter does not */
    job->limit_ms = job->postback == NULL
                        ? (long)(claim->lease_ms / 2) - SETTLE_MARGIN_MS
                        : MAX_POST_MS;
    return job;
}

void
job_free(job_t *job)
{
    if (job != NULL) {
        list_remove(&job->link);
        list_remove(&job->lease);
        smtp_cancel(job->smtp);
        http_cancel(job->http);
        mx_cancel(job->mx);
        letter_free(job->letter);
        postback_free(job->postback);
        free(job->domain);
        free(job);
    }
}

/* Only what applies. */
void
job_log_settled(const job_t *job, const char *state, const char *next_s)
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
    if (o->mx != NULL) {
        buf_addf(&line, " mx=%s", o->mx);
    }
    buf_addf(&line, " ms=%ld state=%s", o->ms, state);
    if (next_s != NULL) {
        buf_addf(&line, " next_s=%s", next_s);
    }
    log_info("%s", buf_str(&line));
    buf_done(&line);
}

void
job_log_lost(const job_t *job)
{
    log_warn("job lose job=%" PRId64 " kind=%s target=%s try=%d outcome=%s"
             " reason=%s",
             job->id, job->kind, job->target, job->attempt,
             outcome_name(job->outcome.outcome),
             job->repeated ? "\"settled before, or lease lost\""
                           : "\"lease lost\"");
}
