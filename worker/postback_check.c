/*
 * Owns what a network's configuration may say: macros, types, matchers.
 */

#include "match.h"
#include "postback.h"
#include "url.h"

#include <stdlib.h>
#include <string.h>

/* {sub1}..{sub30} and, when not null, what these say. */
static const char *const names[] = {
    "click_id", "lead_id", "status", "reason",    "payout", "currency",
    "offer_id", "goal",    "ts",     "date",      "time",   "ip",
    "ua",       "rand",    "token",  "promo_code"};

int
postback_is_name(const char *name)
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
    *known = postback_is_name(name);
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

int
postback_encoding(const char *content_type, macro_encoding_e *encoding,
                  fault_t *fault)
{
    if (content_type == NULL || strcmp(content_type, POSTBACK_FORM) == 0) {
        *encoding = MACRO_URL;
        return 0;
    }
    if (strcmp(content_type, POSTBACK_JSON) == 0) {
        *encoding = MACRO_JSON;
        return 0;
    }
    return fault_set(
        fault, 0, "content_type is not " POSTBACK_JSON " or " POSTBACK_FORM);
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

    if (postback_encoding(content_type, &encoding, fault) != 0) {
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
