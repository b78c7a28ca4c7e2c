#include "job.h"
#include "bounce.h"
#include "buf.h"
#include "http.h"
#include "jpath.h"
#include "letter.h"
#include "log.h"
#include "message.h"
#include "mx.h"
#include "postback.h"
#include "receipt.h"
#include "sending.h"
#include "smtp.h"
#include "verdict.h"

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
static const char *make_code(job_t *job, const json_t *payload,
                             const conf_t *conf, fault_t *fault);
static const char *make_sms(job_t *job, const json_t *payload,
                            const conf_t *conf, fault_t *fault);
static const char *make_question(job_t *job, const json_t *payload,
                                 const conf_t *conf, fault_t *fault);
static const char *judge_receipt(job_t *job, const json_t *payload,
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
    {"code", JOB_HTTP, make_code},
    {"sms", JOB_HTTP, make_sms},
    {"poll", JOB_HTTP, make_question},
    {"captcha", JOB_HTTP, make_question},
    {"identity", JOB_HTTP, make_question},
    {"receipt", JOB_DNS, judge_receipt},
};

static const char *
make_letter(job_t *job, const json_t *payload, const conf_t *conf,
            fault_t *fault)
{
    job->letter = letter_new(payload, conf->keys, time(NULL), fault);
    return job->letter == NULL ? "bad-payload" : NULL;
}

/* told: NULL but for gateways. */
static const char *
make_request(job_t *job, const json_t *payload, const conf_t *conf,
             const postback_told_t *told, fault_t *fault)
{
    job->postback =
        postback_new(payload, conf->secrets_dir, time(NULL), told, fault);
    if (job->postback == NULL) {
        return "bad-payload";
    }
    if (!postback_port_ok(job->postback)) {
        (void)fault_set(fault, 0, "the network does not name the port");
        return "guard";
    }
    return NULL;
}

static const char *
make_postback(job_t *job, const json_t *payload, const conf_t *conf,
              fault_t *fault)
{
    const char *reason;

    reason = make_request(job, payload, conf, NULL, fault);
    if (job->postback != NULL) {
        job->outcome.url = postback_shown_url(job->postback);
        job->outcome.body = postback_shown_body(job->postback);
    }
    return reason;
}

/* What it sends is nobody's business: there is no URL and no body. */
static const char *
make_code(job_t *job, const json_t *payload, const conf_t *conf,
          fault_t *fault)
{
    const char *reason;

    job->sending = sending_new(payload, conf->code_keys, conf->check_keys,
                               &reason, fault);
    if (job->sending == NULL) {
        return reason;
    }
    reason =
        make_request(job, payload, conf, sending_told(job->sending), fault);
    sending_built(job->sending);
    return reason;
}

/* As little of it is kept. */
static const char *
make_sms(job_t *job, const json_t *payload, const conf_t *conf, fault_t *fault)
{
    job->message = message_new(payload, fault);
    return job->message == NULL
               ? "bad-payload"
               : make_request(job, payload, conf, message_told(job->message),
                              fault);
}

/* A question to a gateway: how a send is, whether a person is one, or who. */
static const char *
make_question(job_t *job, const json_t *payload, const conf_t *conf,
              fault_t *fault)
{
    static const postback_told_t nothing = {NULL, NULL, NULL, 0};

    job->question = json_deep_copy(payload);
    if (job->question == NULL) {
        (void)fault_set(fault, 0, "out of memory");
        return "bad-payload";
    }
    return make_request(job, payload, conf, &nothing, fault);
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

/* Nobody outside is asked.  What strangers make up is no error of ours. */
static const char *
judge_receipt(job_t *job, const json_t *payload, const conf_t *conf,
              fault_t *fault)
{
    const char *problem;

    problem = receipt_read(payload, conf->secrets_dir, &job->receipts, fault);
    if (problem != NULL && strcmp(problem, "bad-payload") == 0) {
        return problem;
    }
    job->outcome.receipts = job->receipts;
    job->outcome.reason = problem;
    job->outcome.outcome = problem == NULL ? OUTCOME_DONE : OUTCOME_DEAD;
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

void
job_set_stale(job_t *job)
{
    job->outcome.outcome = OUTCOME_DEAD;
    job->outcome.reason = "stale";
    job_set_state(job, JOB_ENDED);
}

/* Of a person the outcome keeps the verdict alone. */
static void
judge_person(job_t *job, const json_t *how, const http_result_t *result)
{
    outcome_t *outcome = &job->outcome;
    json_t *answer;

    outcome->reply[0] = '\0';
    if (outcome->outcome == OUTCOME_DONE) {
        answer = jpath_body(result->body, result->body_len);
        jpath_keep(answer, json_string_value(json_object_get(how, "id")),
                   outcome->provider_id, sizeof(outcome->provider_id));
        outcome->verdict = verdict_read(how, answer);
        json_decref(answer);
    }
}

static void
judge_receipt_of(job_t *job, const json_t *how, const http_result_t *result)
{
    job->receipts = receipt_answer(
        how, json_string_value(json_object_get(job->question, "postback_id")),
        result->body, result->body_len);
    job->outcome.receipts = job->receipts;
    if (job->receipts == NULL) {
        job->outcome.outcome = OUTCOME_RETRY;
        job->outcome.reason = "receipt";
    }
}

/* What says who somebody is, is not kept. */
static void
judge_answer(job_t *job, const http_result_t *result)
{
    static const char *const names[] = {"phone", "digits", "captcha_token",
                                        "ip"};
    const json_t *values = json_object_get(job->question, "values"),
                 *receipts = json_object_get(job->question, "receipts"),
                 *verdict = json_object_get(job->question, "verdict");
    const char *hidden[sizeof(names) / sizeof(names[0])];
    size_t i, n = sizeof(names) / sizeof(names[0]);

    for (i = 0; i < n; i++) {
        hidden[i] = json_string_value(json_object_get(values, names[i]));
    }
    postback_judge(job->postback, result, hidden, n, &job->outcome);
    if (verdict != NULL) {
        judge_person(job, verdict, result);
    } else if (receipts != NULL && job->outcome.outcome == OUTCOME_DONE) {
        judge_receipt_of(job, receipts, result);
    }
}

void
job_judge(job_t *job, const http_result_t *result, const conf_t *conf)
{
    if (job->sending != NULL) {
        sending_judge(job->sending, job->postback, conf->check_keys, result,
                      &job->outcome);
    } else if (job->message != NULL) {
        message_judge(job->message, job->postback, result, &job->outcome);
    } else if (job->question != NULL) {
        judge_answer(job, result);
    } else {
        postback_judge(job->postback, result, NULL, 0, &job->outcome);
    }
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
        sending_free(job->sending);
        message_free(job->message);
        json_decref(job->question);
        json_decref(job->receipts);
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
