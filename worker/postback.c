/*
 * Owns the request built from one payload, and the way its answer is read.
 */

#include "postback.h"
#include "macro.h"
#include "match.h"
#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TYPE_JSON "application/json"
#define TYPE_FORM "application/x-www-form-urlencoded"
#define MAX_SECRET 1024
#define MAX_SECRET_NAME 64

struct postback_s {
    http_request_t request;
    char *method; /* owned, as the rest */
    char *url;
    char *content_type;
    char *body;
    char *id;
    char *host;
    match_e match;
    char *match_value;
};

/* {sub1}..{sub30} and, when not null, what these say. */
static const char *const names[] = {
    "click_id", "lead_id", "status", "reason",    "payout", "currency",
    "offer_id", "goal",    "ts",     "date",      "time",   "ip",
    "ua",       "rand",    "token",  "promo_code"};

static int
is_known(const char *name)
{
    size_t i, len;
    long n;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0) {
            return 1;
        }
    }
    if (strncmp(name, "sub", 3) != 0 || name[3] == '0') {
        return 0;
    }
    len = strspn(name + 3, "0123456789");
    n = len == 0 || len > 2 ? 0 : strtol(name + 3, NULL, 10);
    return n >= 1 && n <= 30 && name[3 + len] == '\0';
}

/* For checks: every known name has a value that needs no encoding. */
static const char *
any_value(void *data, const char *name, int *known)
{
    (void)data;
    *known = is_known(name);
    return "0";
}

int
postback_check_url(const char *url, size_t len, fault_t *fault)
{
    buf_t out;
    int rc;

    if (url_check_begin(url, len, fault) != 0) {
        return -1;
    }
    buf_init(&out, POSTBACK_MAX_URL);
    rc = macro_expand(url, len, MACRO_URL, any_value, NULL, &out, fault);
    if (rc == 0) {
        rc = url_check_bytes(buf_str(&out), out.len, fault);
    }
    buf_done(&out);
    return rc;
}

static int
encoding_of(const char *content_type, macro_encoding_e *encoding,
            fault_t *fault)
{
    if (content_type == NULL || strcmp(content_type, TYPE_FORM) == 0) {
        *encoding = MACRO_URL;
        return 0;
    }
    if (strcmp(content_type, TYPE_JSON) == 0) {
        *encoding = MACRO_JSON;
        return 0;
    }
    return fault_set(fault, 0,
                     "content_type is not " TYPE_JSON " or " TYPE_FORM);
}

int
postback_check_body(const char *body, size_t len, const char *content_type,
                    fault_t *fault)
{
    macro_encoding_e encoding;
    json_error_t error;
    json_t *json;
    buf_t out;
    int rc;

    if (encoding_of(content_type, &encoding, fault) != 0) {
        return -1;
    }
    if (body == NULL) {
        return 0;
    }
    buf_init(&out, POSTBACK_MAX_BODY);
    rc = macro_expand(body, len, encoding, any_value, NULL, &out, fault);
    if (rc == 0 && encoding == MACRO_JSON) {
        json = json_loadb(buf_str(&out), out.len, JSON_DECODE_ANY, &error);
        if (json == NULL) {
            rc = fault_set(fault, error.line, "the body is not JSON: %s",
                           error.text);
        }
        json_decref(json);
    }
    buf_done(&out);
    return rc;
}

int
postback_check_method(const char *method, fault_t *fault)
{
    if (strcmp(method, "GET") != 0 && strcmp(method, "POST") != 0) {
        return fault_set(fault, 0, "method is not GET or POST");
    }
    return 0;
}

int
postback_check_match(const char *type, const char *value, fault_t *fault)
{
    match_e match;

    return match_parse(type, value, &match, fault);
}

/* What the macros of one job are worth. */
typedef struct {
    const json_t *values;
    const char *id;
    const char *secret_name;
    const char *secrets_dir;
    char secret[MAX_SECRET + 2];
    const char *problem; /* with the secret */
} values_t;

/*
 * The first line of the secret's file.  It is read for each postback that
 * asks for it, so that a changed secret holds at once.
 */
static const char *
read_secret(values_t *values)
{
    const char *name = values->secret_name;
    char path[1024];
    FILE *file;
    int len;

    if (name == NULL || values->secrets_dir == NULL) {
        values->problem = "no secret is configured";
        return NULL;
    }
    if (*name == '\0' || *name == '.' || strlen(name) > MAX_SECRET_NAME
        || strchr(name, '/') != NULL)
    {
        values->problem = "not a name of a secret";
        return NULL;
    }
    len = snprintf(path, sizeof(path), "%s/%s", values->secrets_dir, name);
    file = len < 0 || (size_t)len >= sizeof(path) ? NULL : fopen(path, "re");
    if (file == NULL) {
        values->problem = "the secret's file cannot be read";
        return NULL;
    }
    if (fgets(values->secret, sizeof(values->secret), file) == NULL) {
        values->problem = "the secret's file is empty";
    }
    (void)fclose(file);
    values->secret[strcspn(values->secret, "\r\n")] = '\0';
    return values->secret;
}

static const char *
job_value(void *data, const char *name, int *known)
{
    values_t *values = data;

    *known = is_known(name);
    if (!*known) {
        return NULL;
    }
    if (strcmp(name, "rand") == 0) {
        return values->id;
    }
    if (strcmp(name, "token") == 0) {
        return read_secret(values);
    }
    return json_string_value(json_object_get(values->values, name));
}

static int
expand(values_t *values, const char *text, macro_encoding_e encoding,
       size_t max, char **result, fault_t *fault)
{
    buf_t out;

    buf_init(&out, max);
    values->problem = NULL;
    if (macro_expand(text, strlen(text), encoding, job_value, values, &out,
                     fault)
        != 0)
    {
        buf_done(&out);
        return -1;
    }
    if (values->problem != NULL) {
        buf_done(&out);
        return fault_set(fault, 0, "%s", values->problem);
    }
    *result = buf_take(&out);
    return *result == NULL ? fault_set(fault, 0, "out of memory") : 0;
}

static int
build_match(postback_t *postback, const json_t *match, fault_t *fault)
{
    const char *type, *value;

    type = json_string_value(json_object_get(match, "type"));
    value = json_string_value(json_object_get(match, "value"));
    if (match_parse(type == NULL ? "any" : type, value, &postback->match,
                    fault)
        != 0)
    {
        return -1;
    }
    if (value != NULL) {
        postback->match_value = strdup(value);
        if (postback->match_value == NULL) {
            return fault_set(fault, 0, "out of memory");
        }
    }
    return 0;
}

static int
build_texts(postback_t *postback, const json_t *payload, values_t *values,
            fault_t *fault)
{
    const char *url, *body, *content_type, *host;
    macro_encoding_e encoding;
    size_t len;

    url = json_string_value(json_object_get(payload, "url"));
    body = json_string_value(json_object_get(payload, "body"));
    content_type = json_string_value(json_object_get(payload, "content_type"));
    if (url == NULL) {
        return fault_set(fault, 0, "the payload has no url");
    }
    if (url_check_begin(url, strlen(url), fault) != 0
        || encoding_of(content_type, &encoding, fault) != 0
        || expand(values, url, MACRO_URL, POSTBACK_MAX_URL, &postback->url,
                  fault)
               != 0
        || url_check_bytes(postback->url, strlen(postback->url), fault) != 0)
    {
        return -1;
    }
    host = NULL;
    len = url_host(postback->url, strlen(postback->url), &host);
    postback->host = strndup(host, len);
    if (body != NULL) {
        if (expand(values, body, encoding, POSTBACK_MAX_BODY, &postback->body,
                   fault)
            != 0)
        {
            return -1;
        }
        postback->content_type =
            strdup(content_type == NULL ? TYPE_FORM : content_type);
    }
    if (postback->host == NULL
        || (body != NULL && postback->content_type == NULL)) {
        return fault_set(fault, 0, "out of memory");
    }
    return 0;
}

postback_t *
postback_new(const json_t *payload, const char *secrets_dir, fault_t *fault)
{
    const char *id, *method;
    postback_t *postback;
    json_t *timeout;
    values_t values;

    memset(&values, 0, sizeof(values));
    id = json_string_value(json_object_get(payload, "postback_id"));
    method = json_string_value(json_object_get(payload, "method"));
    values.values = json_object_get(payload, "values");
    values.id = id;
    values.secret_name = json_string_value(json_object_get(payload, "secret"));
    values.secrets_dir = secrets_dir;
    if (id == NULL || method == NULL || strpbrk(id, "\r\n") != NULL) {
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
    postback->id = strdup(id);
    postback->method = strdup(method);
    (void)fault_set(fault, 0, "out of memory");
    if (postback->id == NULL || postback->method == NULL
        || build_match(postback, json_object_get(payload, "match"), fault) != 0
        || build_texts(postback, payload, &values, fault) != 0)
    {
        explicit_bzero(values.secret, sizeof(values.secret));
        postback_free(postback);
        return NULL;
    }
    explicit_bzero(values.secret, sizeof(values.secret));
    timeout = json_object_get(payload, "timeout_ms");
    postback->request.method = postback->method;
    postback->request.url = postback->url;
    postback->request.content_type = postback->content_type;
    postback->request.body = postback->body;
    postback->request.body_len =
        postback->body == NULL ? 0 : strlen(postback->body);
    postback->request.id = postback->id;
    postback->request.timeout_ms = (long)json_integer_value(timeout);
    if (postback->request.timeout_ms <= 0) {
        postback->request.timeout_ms = POSTBACK_TIMEOUT_MS;
    }
    return postback;
}

void
postback_free(postback_t *postback)
{
    if (postback != NULL) {
        free(postback->method);
        free(postback->url);
        free(postback->content_type);
        free(postback->body);
        free(postback->id);
        free(postback->host);
        free(postback->match_value);
        free(postback);
    }
}

const http_request_t *
postback_request(const postback_t *postback)
{
    return &postback->request;
}

const char *
postback_host(const postback_t *postback)
{
    return postback->host;
}

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

void
postback_judge(const postback_t *postback, const http_result_t *result,
               outcome_t *outcome)
{
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
    outcome_reply(outcome, result->body, result->body_len);
    if (result->status < 200 || result->status >= 300) {
        judge_status(result->status, outcome);
    } else if (match_test(postback->match, postback->match_value, result->body,
                          result->body_len))
    {
        outcome->outcome = OUTCOME_DONE;
    } else {
        outcome->outcome = OUTCOME_RETRY;
        outcome->reason = "no-match";
    }
    if (outcome->outcome == OUTCOME_RETRY) {
        outcome->retry_after_s = result->retry_after_s;
    }
}
