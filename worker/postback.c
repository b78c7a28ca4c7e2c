/*
 * Owns the request built from one payload, and the way its answer is read.
 */

#include "postback.h"
#include "macro.h"
#include "match.h"
#include "postback_values.h"
#include "redact.h"
#include "sign.h"
#include "url.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_RETRY_AFTER_S (24 * 3600L)
#define TOKEN "{token}"
#define SIGNATURE "webhook-signature"
#define HEADER_NAME                                                  \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" \
    "!#$%&'*+-.^_`|~"
#define SECRETS 3 /* {token}, as it is and as it is encoded */

struct postback_s {
    http_request_t request;
    char *url; /* owned, as the rest */
    char *body;
    char *shown_url;
    char *shown_body;
    char *host;
    char *headers[HTTP_MAX_HEADERS];
    char *shown_headers[HTTP_MAX_HEADERS]; /* NULL: as they are */
    match_e match;
    char *match_value;
    int has_permanent;
    match_e permanent;
    char *permanent_value;
    char *secrets[SECRETS];
    int port_ok;
    long concurrency;
    double rate;
};

static const char *
text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* Wipes and frees; accepts NULL. */
static void
forget(char *text)
{
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
    }
    free(text);
}

static int
copy(char **result, const char *text, fault_t *fault)
{
    *result = strdup(text);
    return *result == NULL ? fault_set(fault, 0, "out of memory") : 0;
}

static int __attribute__((format(printf, 3, 4)))
add_header(postback_t *postback, fault_t *fault, const char *fmt, ...)
{
    char **header = &postback->headers[postback->request.n_headers];
    va_list args;
    int len;

    va_start(args, fmt);
    len = vasprintf(header, fmt, args);
    va_end(args);
    if (len < 0) {
        *header = NULL;
        return fault_set(fault, 0, "out of memory");
    }
    postback->request.n_headers++;
    return 0;
}

/* --- building ------------------------------------------------------------ */

static int
build_match(const json_t *json, match_e *match, char **value, fault_t *fault)
{
    const char *type = text_of(json, "type"), *text = text_of(json, "value");

    if (match_parse(type == NULL ? "any" : type, text, match, fault) != 0) {
        return -1;
    }
    return text == NULL ? 0 : copy(value, text, fault);
}

static int
build_url(postback_t *postback, const json_t *payload,
          postback_values_t *values, fault_t *fault)
{
    const char *url = text_of(payload, "url"), *host;
    size_t len;

    if (url == NULL) {
        return fault_set(fault, 0, "the payload has no url");
    }
    if (url_check_begin(url, strlen(url), fault) != 0
        || postback_values_expand(values, url, MACRO_URL, POSTBACK_MAX_URL,
                                  &postback->url, fault)
               != 0
        || postback_values_show(values, url, MACRO_URL, POSTBACK_MAX_URL,
                                &postback->shown_url, fault)
               != 0
        || url_check_bytes(postback->url, strlen(postback->url), fault) != 0)
    {
        return -1;
    }
    postback->url[strcspn(postback->url, "#")] = '\0';
    postback->shown_url[strcspn(postback->shown_url, "#")] = '\0';
    host = NULL;
    len = url_host(postback->url, strlen(postback->url), &host);
    postback->host = strndup(host, len);
    return postback->host == NULL ? fault_set(fault, 0, "out of memory") : 0;
}

static int
build_body(postback_t *postback, const json_t *payload,
           postback_values_t *values, fault_t *fault)
{
    const char *body = text_of(payload, "body"),
               *type = text_of(payload, "content_type");
    macro_encoding_e encoding;

    if (postback_encoding(type, &encoding, fault) != 0) {
        return -1;
    }
    if (body == NULL) {
        /* no type in the place of the one that libcurl would name */
        return add_header(postback, fault, "Content-Type:");
    }
    if (postback_values_expand(values, body, encoding, POSTBACK_MAX_BODY,
                               &postback->body, fault)
            != 0
        || postback_values_show(values, body, encoding, POSTBACK_MAX_BODY,
                                &postback->shown_body, fault)
               != 0)
    {
        return -1;
    }
    return add_header(postback, fault, "Content-Type: %s",
                      type == NULL ? POSTBACK_FORM : type);
}

/* The last header, for people. */
static int
show_header(postback_t *postback, const char *name, const char *value,
            fault_t *fault)
{
    char **shown = &postback->shown_headers[postback->request.n_headers - 1];

    if (asprintf(shown, "%s: %s", name, value) < 0) {
        *shown = NULL;
        return fault_set(fault, 0, "out of memory");
    }
    return 0;
}

/* One of a gateway's own: its value is a line of visible ASCII. */
static int
build_header(postback_t *postback, const char *name, const char *text,
             postback_values_t *values, fault_t *fault)
{
    char *value = NULL, *shown = NULL;
    const char *p;
    int rc;

    if (text == NULL || *name == '\0'
        || strspn(name, HEADER_NAME) != strlen(name)) {
        return fault_set(fault, 0, "headers are not names and texts");
    }
    if (postback_values_expand(values, text, MACRO_HEADER, POSTBACK_MAX_HEADER,
                               &value, fault)
            != 0
        || postback_values_show(values, text, MACRO_HEADER,
                                POSTBACK_MAX_HEADER, &shown, fault)
               != 0)
    {
        forget(value);
        return -1;
    }
    for (p = value; *p >= ' ' && *p <= '~'; p++) {
        continue;
    }
    rc = *p == '\0'
             ? add_header(postback, fault, "%s: %s", name, value)
             : fault_set(fault, 0,
                         "a control or non-ASCII byte in the header %s", name);
    rc = rc == 0 ? show_header(postback, name, shown, fault) : rc;
    forget(value);
    free(shown);
    return rc;
}

static int
build_headers(postback_t *postback, json_t *headers, postback_values_t *values,
              fault_t *fault)
{
    const char *name;
    json_t *text;

    if (json_object_size(headers) > POSTBACK_MAX_MACRO_HEADERS) {
        return fault_set(fault, 0, "more than %d headers",
                         POSTBACK_MAX_MACRO_HEADERS);
    }
    json_object_foreach(headers, name, text)
    {
        if (build_header(postback, name, json_string_value(text), values,
                         fault)
            != 0) {
            return -1;
        }
    }
    return 0;
}

/* What an answer must not bring into the database. */
static int
build_secrets(postback_t *postback, postback_values_t *values, fault_t *fault)
{
    if (values->secret.n == 0) {
        return 0; /* nothing of it was used */
    }
    return copy(&postback->secrets[0], values->secret.line[0], fault) != 0
                   || postback_values_expand(values, TOKEN, MACRO_URL,
                                             POSTBACK_MAX_URL,
                                             &postback->secrets[1], fault)
                          != 0
                   || postback_values_expand(values, TOKEN, MACRO_JSON,
                                             POSTBACK_MAX_URL,
                                             &postback->secrets[2], fault)
                          != 0
               ? -1
               : 0;
}

static void
add_time(buf_t *url, const char *text, time_t now)
{
    buf_addf(url, "%s%cts=%lld", text, strchr(text, '?') == NULL ? '?' : '&',
             (long long)now);
}

static int
sign_url(postback_t *postback, const secret_t *keys, time_t now,
         fault_t *fault)
{
    char hex[SIGN_HEX];
    buf_t url, shown;

    buf_init_secret(&url, POSTBACK_MAX_URL);
    buf_init(&shown, POSTBACK_MAX_URL);
    add_time(&url, postback->url, now);
    if (!url.failed && sign_query(keys, strchr(url.data, '?') + 1, hex) == 0) {
        buf_addf(&url, "&sig=%s", hex);
    } else {
        url.failed = 1;
    }
    add_time(&shown, postback->shown_url, now);
    buf_addf(&shown, "&sig=%s", macro_stars);
    forget(postback->url);
    free(postback->shown_url);
    postback->url = buf_take(&url);
    postback->shown_url = buf_take(&shown);
    return postback->url == NULL || postback->shown_url == NULL
               ? fault_set(fault, 0, "the URL cannot be signed")
               : 0;
}

static int
sign_body(postback_t *postback, const secret_t *keys, const char *id,
          time_t now, fault_t *fault)
{
    const char *body = postback->body == NULL ? "" : postback->body;
    buf_t text;
    int rc;

    buf_init(&text, HTTP_MAX_HEAD);
    rc = sign_webhook(keys, id, (long long)now, body, strlen(body), &text);
    if (rc != 0) {
        (void)fault_set(fault, 0, "the body cannot be signed");
    } else if (add_header(postback, fault, "webhook-id: %s", id) != 0
               || add_header(postback, fault, "webhook-timestamp: %lld",
                             (long long)now)
                      != 0
               || add_header(postback, fault, SIGNATURE ": %s", buf_str(&text))
                      != 0
               || show_header(postback, SIGNATURE, macro_stars, fault) != 0)
    {
        rc = -1;
    }
    buf_done(&text);
    return rc;
}

static int
build_signature(postback_t *postback, const char *name,
                const postback_values_t *values, time_t now, fault_t *fault)
{
    const char *problem;
    secret_t keys;
    int rc;

    if (name == NULL) {
        return 0;
    }
    problem = secret_read(&keys, values->secrets_dir, name, SECRET_MAX_LINES);
    problem = problem == NULL ? sign_check(&keys) : problem;
    if (problem != NULL) {
        rc = fault_set(fault, 0, "sign: %s", problem);
    } else if (strcmp(postback->request.method, "GET") == 0) {
        rc = sign_url(postback, &keys, now, fault);
    } else {
        rc = sign_body(postback, &keys, values->id, now, fault);
    }
    secret_forget(&keys);
    return rc;
}

static void
build_limits(postback_t *postback, const json_t *payload)
{
    const json_t *ports = json_object_get(payload, "ports"), *timeout;
    long extra[GUARD_MAX_PORTS];
    size_t n;

    for (n = 0; n < json_array_size(ports) && n < GUARD_MAX_PORTS; n++) {
        extra[n] = (long)json_integer_value(json_array_get(ports, n));
    }
    postback->port_ok =
        guard_port(url_port(postback->url, strlen(postback->url)), extra, n);
    postback->concurrency =
        (long)json_integer_value(json_object_get(payload, "concurrency"));
    postback->rate = json_number_value(json_object_get(payload, "rate"));
    timeout = json_object_get(payload, "timeout_ms");
    postback->request.timeout_ms = (long)json_integer_value(timeout);
    if (postback->request.timeout_ms <= 0) {
        postback->request.timeout_ms = POSTBACK_TIMEOUT_MS;
    }
}

static int
build(postback_t *postback, const json_t *payload, postback_values_t *values,
      time_t now, fault_t *fault)
{
    const json_t *permanent = json_object_get(payload, "permanent");

    postback->has_permanent = json_is_object(permanent);
    if (build_match(json_object_get(payload, "match"), &postback->match,
                    &postback->match_value, fault)
            != 0
        || (postback->has_permanent
            && build_match(permanent, &postback->permanent,
                           &postback->permanent_value, fault)
                   != 0)
        || build_url(postback, payload, values, fault) != 0
        || add_header(postback, fault, "Idempotency-Key: %s", values->id) != 0
        || build_body(postback, payload, values, fault) != 0
        || build_headers(postback, json_object_get(payload, "headers"), values,
                         fault)
               != 0
        || build_secrets(postback, values, fault) != 0)
    {
        return -1;
    }
    return build_signature(postback, text_of(payload, "sign"), values, now,
                           fault);
}

postback_t *
postback_new(const json_t *payload, const char *secrets_dir, time_t now,
             const postback_told_t *told, fault_t *fault)
{
    postback_t *postback;
    const char *method;
    postback_values_t values;
    int rc;

    memset(&values, 0, sizeof(values));
    method = text_of(payload, "method");
    values.values = json_object_get(payload, "values");
    values.id = text_of(payload, "postback_id");
    values.secret_name = text_of(payload, "secret");
    values.secrets_dir = secrets_dir;
    values.webhook = json_is_true(json_object_get(payload, "webhook"));
    values.told = told;
    if (values.id == NULL || method == NULL
        || strpbrk(values.id, "\r\n") != NULL) {
        (void)fault_set(fault, 0, "the payload has no postback_id or method");
        return NULL;
    }
    if (postback_check_method(method, fault) != 0) {
        return NULL;
    }
    postback = calloc(1, sizeof(*postback));
    if (postback == NULL) {
        (void)fault_set(fault, 0, "out of memory");
        return NULL;
    }
    postback->request.method = strcmp(method, "GET") == 0 ? "GET" : "POST";
    rc = build(postback, payload, &values, now, fault);
    secret_forget(&values.secret);
    if (rc != 0) {
        postback_free(postback);
        return NULL;
    }
    build_limits(postback, payload);
    postback->request.url = postback->url;
    postback->request.body = postback->body;
    postback->request.body_len =
        postback->body == NULL ? 0 : strlen(postback->body);
    postback->request.headers = postback->headers;
    postback->request.secret = told != NULL;
    return postback;
}

void
postback_free(postback_t *postback)
{
    size_t i;

    if (postback == NULL) {
        return;
    }
    for (i = 0; i < SECRETS; i++) {
        forget(postback->secrets[i]);
    }
    for (i = 0; i < postback->request.n_headers; i++) {
        forget(postback->headers[i]);
        free(postback->shown_headers[i]);
    }
    forget(postback->url);
    forget(postback->body);
    free(postback->shown_url);
    free(postback->shown_body);
    free(postback->host);
    free(postback->match_value);
    free(postback->permanent_value);
    free(postback);
}

const http_request_t *
postback_request(const postback_t *postback)
{
    return &postback->request;
}

const char *
postback_shown_url(const postback_t *postback)
{
    return postback->shown_url;
}

const char *
postback_shown_body(const postback_t *postback)
{
    return postback->shown_body;
}

const char *
postback_shown_header(const postback_t *postback, size_t i)
{
    return postback->shown_headers[i] == NULL ? postback->headers[i]
                                              : postback->shown_headers[i];
}

const char *
postback_host(const postback_t *postback)
{
    return postback->host;
}

int
postback_port_ok(const postback_t *postback)
{
    return postback->port_ok;
}

long
postback_concurrency(const postback_t *postback)
{
    return postback->concurrency;
}

double
postback_rate(const postback_t *postback)
{
    return postback->rate;
}

/* --- the answer ---------------------------------------------------------- */

static void
judge_status(int status, outcome_t *outcome)
{
    if (status >= 500 || status == 408 || status == 425 || status == 429) {
        outcome->outcome = OUTCOME_RETRY;
        outcome->reason = "status";
    } else if (status >= 300 && status < 400) {
        outcome->outcome = OUTCOME_DEAD;
        outcome->reason = "redirect";
    } else {
        outcome->outcome = OUTCOME_DEAD;
        outcome->reason = "status";
    }
}

/* The peer's words, without what it should not have told us again. */
static void
keep_reply(const postback_t *postback, const http_result_t *result,
           const char *const *hidden, size_t n, outcome_t *outcome)
{
    const char *secrets[SECRETS + 1 + POSTBACK_MAX_HIDDEN];
    char text[OUTCOME_MAX_REPLY * 4];
    size_t i, len;

    for (i = 0; i < SECRETS; i++) {
        secrets[i] = postback->secrets[i];
    }
    secrets[i] = strchr(postback->url, '?');
    if (secrets[i] != NULL) {
        secrets[i]++;
    }
    for (i++; n > 0 && i < sizeof(secrets) / sizeof(char *); n--) {
        secrets[i++] = *hidden++;
    }
    len =
        redact(result->body, result->body_len, secrets, i, text, sizeof(text));
    outcome_reply(outcome, text, len);
}

void
postback_judge(const postback_t *postback, const http_result_t *result,
               const char *const *hidden, size_t n, outcome_t *outcome)
{
    int success;

    outcome->ms = result->ms;
    switch (result->end) {
    case HTTP_TIMEOUT:
    case HTTP_FAILED:
        outcome->outcome = OUTCOME_RETRY;
        outcome->reason = result->problem;
        return;
    case HTTP_REFUSED:
        outcome->outcome = OUTCOME_DEAD;
        outcome->reason = result->problem;
        return;
    case HTTP_REPLIED:
        break;
    }
    outcome->http = result->status;
    keep_reply(postback, result, hidden, n, outcome);
    success = result->status >= 200 && result->status < 300;
    if (success
        && match_test(postback->match, postback->match_value, result->body,
                      result->body_len))
    {
        outcome->outcome = OUTCOME_DONE;
    } else if (postback->has_permanent
               && match_test(postback->permanent, postback->permanent_value,
                             result->body, result->body_len))
    {
        outcome->outcome = OUTCOME_DEAD;
        outcome->reason = "permanent";
    } else if (!success) {
        judge_status(result->status, outcome);
    } else {
        outcome->outcome = OUTCOME_RETRY;
        outcome->reason = "no-match";
    }
    if (outcome->outcome == OUTCOME_RETRY) {
        outcome->retry_after_s = result->retry_after_s < MAX_RETRY_AFTER_S
                                     ? result->retry_after_s
                                     : MAX_RETRY_AFTER_S;
    }
}
