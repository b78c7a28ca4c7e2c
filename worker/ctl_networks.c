/*
 * Networks of the business document: what postback.h can send.
 */

#include "ctl_rules.h"
#include "ctl_value.h"

#include "guard.h"
#include "macro.h"
#include "postback.h"
#include "rate.h"
#include "url.h"

#include <string.h>

#define MAX_CONCURRENCY 1000
#define MAX_PORT 65535

static void
fail_fault(ctl_check_t *check, const fault_t *fault)
{
    if (fault->line > 1) {
        ctl_check_fail(check, "%s (line %d of the text)", fault->text,
                       fault->line);
    } else {
        ctl_check_fail(check, "%s", fault->text);
    }
}

static void
check_method(ctl_check_t *check, json_t *value)
{
    const char *text;
    fault_t fault;

    text = ctl_check_string(check, value);
    if (text != NULL && postback_check_method(text, &fault) == -1) {
        fail_fault(check, &fault);
    }
}

static void
check_url(ctl_check_t *check, json_t *value)
{
    fault_t fault;

    if (ctl_check_string(check, value) != NULL
        && postback_check_url(json_string_value(value),
                              json_string_length(value), &fault)
               == -1)
    {
        fail_fault(check, &fault);
    }
}

static void
check_content_type(ctl_check_t *check, json_t *value)
{
    const char *text;
    fault_t fault;

    text = ctl_check_string(check, value);
    if (text != NULL && postback_check_body(NULL, 0, text, &fault) == -1) {
        fail_fault(check, &fault);
    }
}

static void
check_any_string(ctl_check_t *check, json_t *value)
{
    (void)ctl_check_string(check, value);
}

static void
check_secret(ctl_check_t *check, json_t *value)
{
    ctl_rules_value(check, value, ctl_value_secret);
}

static void
check_match(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"type", 1, check_any_string},
        {"value", 0, check_any_string},
        {NULL, 0, NULL},
    };
    const char *type;
    fault_t fault;

    if (ctl_check_object(check, value, keys) == -1) {
        return;
    }
    type = ctl_rules_text_of(value, "type");
    if (type != NULL
        && postback_check_match(type, ctl_rules_text_of(value, "value"),
                                &fault)
               == -1)
    {
        fail_fault(check, &fault);
    }
}

static void
check_status(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {"processed", "approved", "rejected",
                                        "hold", NULL};

    ctl_rules_one_of(check, value, names);
}

static void
check_statuses(ctl_check_t *check, json_t *value)
{
    size_t i, k;

    ctl_check_list(check, value, check_status);
    if (json_is_array(value) && json_array_size(value) == 0) {
        ctl_check_fail(check, "is empty: the network would hear nothing");
    }
    for (i = 0; i < json_array_size(value); i++) {
        for (k = 0; k < i; k++) {
            if (json_equal(json_array_get(value, i), json_array_get(value, k)))
            {
                ctl_check_fail(check, "has the same status twice");
                return;
            }
        }
    }
}

static void
check_range(ctl_check_t *check, const json_t *value, json_int_t max)
{
    if (!json_is_integer(value) || json_integer_value(value) < 1
        || json_integer_value(value) > max)
    {
        ctl_check_fail(check, "is not a whole number from 1 to %d", (int)max);
    }
}

static void
check_concurrency(ctl_check_t *check, json_t *value)
{
    check_range(check, value, MAX_CONCURRENCY);
}

static void
check_rate(ctl_check_t *check, json_t *value)
{
    /* what numeric(9, 3) keeps of it must be more than nothing */
    if (!json_is_number(value) || json_number_value(value) < 0.001
        || json_number_value(value) > RATE_MAX)
    {
        ctl_check_fail(check, "is not a number a second from 0.001 to %d",
                       RATE_MAX);
    }
}

static void
check_port(ctl_check_t *check, json_t *value)
{
    check_range(check, value, MAX_PORT);
}

static void
check_ports(ctl_check_t *check, json_t *value)
{
    ctl_check_list(check, value, check_port);
    if (json_array_size(value) > GUARD_MAX_PORTS) {
        ctl_check_fail(check, "has more than %d ports", GUARD_MAX_PORTS);
    }
}

/* A port that is not usual is named, so that nobody reaches it by mistake. */
static void
check_port_of_url(ctl_check_t *check, const json_t *network)
{
    const json_t *ports = json_object_get(network, "ports");
    const char *url = ctl_rules_text_of(network, "url");
    long extra[GUARD_MAX_PORTS], port;
    fault_t fault;
    size_t n;

    if (url == NULL || url_check_begin(url, strlen(url), &fault) != 0) {
        return; /* said already */
    }
    for (n = 0; n < json_array_size(ports) && n < GUARD_MAX_PORTS; n++) {
        extra[n] = (long)json_integer_value(json_array_get(ports, n));
    }
    port = url_port(url, strlen(url));
    if (!guard_port(port, extra, n)) {
        ctl_check_fail_key(check, "url",
                           "port %ld is not 80 or 443: name it in \"ports\"",
                           port);
    }
}

static const char *
note_token(void *data, const char *name, macro_known_e *known)
{
    char own[ALIAS_MAX + 1];
    int *used = data;

    if (postback_macro(name, own, known) != NULL) {
        *used |= strcmp(own, "token") == 0;
    }
    return NULL;
}

static const char *
no_hmac(void *data, const char *digest, const char *key, const char *text)
{
    (void)data;
    (void)digest;
    (void)key;
    (void)text;
    return NULL;
}

static int
uses_token(const char *text, macro_encoding_e encoding)
{
    int used = 0;
    const macro_values_t values = {note_token, no_hmac, &used};
    fault_t fault;

    return text != NULL
           && macro_expand(text, strlen(text), encoding, &values, NULL, &fault)
                  == 0
           && used;
}

/* A body takes a method and a type that fit. */
static void
check_body(ctl_check_t *check, const char *body, const char *method,
           const char *type)
{
    fault_t fault;

    if (method == NULL || strcmp(method, "POST") != 0) {
        ctl_check_fail(check, "needs the method POST");
    }
    if (type == NULL) {
        ctl_check_fail(check, "needs a content_type");
    } else if (postback_check_body(NULL, 0, type, &fault) == 0
               && postback_check_body(body, strlen(body), type, &fault) == -1)
    {
        fail_fault(check, &fault);
    }
}

/* The rules that take more than one key. */
static void
check_whole(ctl_check_t *check, const json_t *value)
{
    const char *body, *type;
    size_t mark;
    int used;

    body = ctl_rules_text_of(value, "body");
    type = ctl_rules_text_of(value, "content_type");
    if (body != NULL) {
        mark = ctl_check_enter(check, "body");
        check_body(check, body, ctl_rules_text_of(value, "method"), type);
        ctl_check_leave(check, mark);
    }
    used = uses_token(ctl_rules_text_of(value, "url"), MACRO_URL)
           || uses_token(body,
                         type != NULL && strcmp(type, "application/json") == 0
                             ? MACRO_JSON
                             : MACRO_URL);
    if (used && ctl_rules_text_of(value, "secret") == NULL) {
        ctl_check_fail_key(check, "secret",
                           "is missing, and {token} stands for it");
    }
    check_port_of_url(check, value);
}

void
ctl_network_check(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"name", 1, ctl_rules_name},
        {"method", 0, check_method},
        {"url", 1, check_url},
        {"content_type", 0, check_content_type},
        {"body", 0, check_any_string},
        {"secret", 0, check_secret},
        {"match", 0, check_match},
        {"permanent", 0, check_match},
        {"statuses", 0, check_statuses},
        {"sign", 0, check_secret},
        {"concurrency", 0, check_concurrency},
        {"rate", 0, check_rate},
        {"ports", 0, check_ports},
        {NULL, 0, NULL},
    };

    if (ctl_check_object(check, value, keys) == 0) {
        check_whole(check, value);
    }
}

void
ctl_networks_check(ctl_check_t *check, json_t *list)
{
    ctl_check_list(check, list, ctl_network_check);
}
