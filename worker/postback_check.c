/*
 * Owns what a network's configuration may say: macros, types, matchers.
 */

#include "alias.h"
#include "match.h"
#include "postback.h"
#include "secret.h"
#include "url.h"

#include <string.h>

const char *
postback_macro(const char *name, char own[ALIAS_MAX + 1], macro_known_e *known)
{
    switch (alias_find(name, own)) {
    case ALIAS_OURS:
        *known = MACRO_KNOWN;
        return own;
    case ALIAS_AMBIGUOUS:
        *known = MACRO_AMBIGUOUS;
        return NULL;
    case ALIAS_NONE:
        break;
    }
    *known = MACRO_UNKNOWN;
    return NULL;
}

typedef struct {
    postback_macro_pt macro;
    const char *bad_key; /* static text */
} any_t;

/* For checks: every known name has a value that needs no encoding. */
static const char *
any_value(void *data, const char *name, macro_known_e *known)
{
    const any_t *any = data;
    char own[ALIAS_MAX + 1];

    (void)any->macro(name, own, known);
    return "0";
}

/* So has every HMAC, whose key must be the name of a file. */
static const char *
any_hmac(void *data, const char *digest, const char *key, const char *text)
{
    any_t *any = data;

    (void)digest;
    (void)text;
    if (!secret_is_name(key)) {
        any->bad_key = "the key of an HMAC is not the name of a secret";
    }
    return "0";
}

static int
expand_any(const char *text, size_t len, macro_encoding_e encoding,
           postback_macro_pt macro, buf_t *out, fault_t *fault)
{
    any_t any = {macro, NULL};
    const macro_values_t values = {any_value, any_hmac, &any};

    if (macro_expand(text, len, encoding, &values, out, fault) != 0) {
        return -1;
    }
    return any.bad_key == NULL ? 0 : fault_set(fault, 0, "%s", any.bad_key);
}

int
postback_check_url(const char *url, size_t len, postback_macro_pt macro,
                   fault_t *fault)
{
    buf_t out;
    int rc;

    if (url_check_begin(url, len, fault) != 0) {
        return -1;
    }
    buf_init(&out, POSTBACK_MAX_URL);
    rc = expand_any(url, len, MACRO_URL, macro, &out, fault);
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
                    postback_macro_pt macro, fault_t *fault)
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
    rc = expand_any(body, len, encoding, macro, &out, fault);
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
