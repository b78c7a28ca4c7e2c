/*
 * Gateways of the business document: who sends codes, and how they are
 * called.
 */

#include "ctl_gateways.h"

#include "ctl_call.h"
#include "ctl_rules.h"
#include "ctl_value.h"

#include "gateway.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAX_HEADERS 8
#define MAX_HEADER 1000 /* bytes of a value */
#define MAX_HEADER_NAME 64
#define MAX_SENDER 100
#define MAX_PRICE 1000
#define ALL_OF_IT "*"
#define CAPTCHA "captcha"
#define IDENTITY "identity"

/* --- macros -------------------------------------------------------------- */

/* Is it one of the names? NULL ends them. */
static int
is_one_of(const char *name, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (strcmp(*names, name) == 0) {
            return 1;
        }
    }
    return 0;
}

const char *
ctl_gateways_find_macro(const char *name, const char *const *allowed,
                        char own[ALIAS_MAX + 1], macro_known_e *known)
{
    static const char *const common[] = {"token", "rand", "ts",
                                         "date",  "time", NULL};

    *known = MACRO_UNKNOWN;
    if (gateway_is_name(name)) {
        (void)snprintf(own, ALIAS_MAX + 1, "%s", name);
    } else if (postback_macro(name, own, known) == NULL) {
        return NULL;
    }
    *known = is_one_of(own, common) || is_one_of(own, allowed) ? MACRO_KNOWN
                                                               : MACRO_UNKNOWN;
    return *known == MACRO_KNOWN ? own : NULL;
}

const char *
ctl_gateways_macro(const char *name, char own[ALIAS_MAX + 1],
                   macro_known_e *known)
{
    static const char *const allowed[] = {"phone",    "digits",   "text",
                                          "code",     "sender",   "send_id",
                                          "validity", "segments", NULL};

    return ctl_gateways_find_macro(name, allowed, own, known);
}

const char *
ctl_gateways_poll_macro(const char *name, char own[ALIAS_MAX + 1],
                        macro_known_e *known)
{
    static const char *const allowed[] = {"phone",   "digits",      "sender",
                                          "send_id", "provider_id", NULL};

    return ctl_gateways_find_macro(name, allowed, own, known);
}

/* Of headers, which go with the poll as well. */
static const char *
header_macro(const char *name, char own[ALIAS_MAX + 1], macro_known_e *known)
{
    static const char *const allowed[] = {"phone", "digits", "sender",
                                          "send_id", NULL};

    return ctl_gateways_find_macro(name, allowed, own, known);
}

/* Of who judges captchas. */
static const char *
captcha_macro(const char *name, char own[ALIAS_MAX + 1], macro_known_e *known)
{
    static const char *const allowed[] = {"captcha_token", "ip", NULL};

    return ctl_gateways_find_macro(name, allowed, own, known);
}

/* --- keys ---------------------------------------------------------------- */

static void
check_channel(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {"sms",   "call",   "messenger", "push",
                                        CAPTCHA, IDENTITY, NULL};

    ctl_rules_one_of(check, value, names);
}

static void
check_sender(ctl_check_t *check, json_t *value)
{
    ctl_rules_text(check, value, MAX_SENDER);
}

static void
check_price(ctl_check_t *check, json_t *value)
{
    ctl_rules_amount(check, value, MAX_PRICE, "a number of roubles");
}

void
ctl_gateways_path(ctl_check_t *check, json_t *value)
{
    ctl_rules_value(check, value, ctl_value_path);
}

void
ctl_gateways_path_or_all(ctl_check_t *check, json_t *value)
{
    const char *text = json_string_value(value);

    if (text == NULL || strcmp(text, ALL_OF_IT) != 0) {
        ctl_gateways_path(check, value);
    }
}

static void
check_answer(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"id", 0, ctl_gateways_path_or_all},
        {"code", 0, ctl_gateways_path},
        {"operator", 0, ctl_gateways_path},
        {NULL, 0, NULL},
    };

    (void)ctl_check_object(check, value, keys);
}

/* --- headers ------------------------------------------------------------- */

/* NULL, or what is wrong with the name of a header. */
static const char *
judge_header(const char *name)
{
    static const char *const ours[] = {"Host",
                                       "Content-Length",
                                       "Content-Type",
                                       "Transfer-Encoding",
                                       "Connection",
                                       "Idempotency-Key",
                                       NULL};
    const char *const *own;

    if (ctl_value_header(name) != NULL) {
        return ctl_value_header(name);
    }
    for (own = ours; *own != NULL; own++) {
        if (strcasecmp(name, *own) == 0) {
            return "is set by leadq";
        }
    }
    return NULL;
}

/* Is one before it the same but for the case of its letters? */
static int
is_here_before(json_t *headers, const char *name)
{
    const char *other;
    json_t *value;

    json_object_foreach(headers, other, value)
    {
        if (strcmp(other, name) == 0) {
            return 0;
        }
        if (strcasecmp(other, name) == 0) {
            return 1;
        }
    }
    return 0;
}

static void
check_headers(ctl_check_t *check, json_t *headers)
{
    const char *name, *reason;
    json_t *value;
    size_t mark;

    if (!json_is_object(headers)) {
        ctl_check_fail(check, "is not an object");
        return;
    }
    if (json_object_size(headers) > MAX_HEADERS) {
        ctl_check_fail(check, "has more than %d headers", MAX_HEADERS);
        return;
    }
    json_object_foreach(headers, name, value)
    {
        mark = ctl_check_enter(check, name);
        reason = judge_header(name);
        if (reason != NULL) {
            ctl_check_fail(check, "%s", reason);
        } else if (is_here_before(headers, name)) {
            ctl_check_fail(check, "is here twice");
        } else {
            (void)ctl_check_string(check, value);
        }
        ctl_check_leave(check, mark);
    }
}

static void
check_header_values(ctl_check_t *check, const json_t *gateway,
                    postback_macro_pt macro)
{
    size_t mark, mark_name;
    const char *name;
    json_t *value;

    mark = ctl_check_enter(check, "headers");
    json_object_foreach(json_object_get(gateway, "headers"), name, value)
    {
        mark_name = ctl_check_enter(check, name);
        ctl_call_text(check, value, MAX_HEADER, macro);
        ctl_check_leave(check, mark_name);
    }
    ctl_check_leave(check, mark);
}

/* --- the whole ----------------------------------------------------------- */

static int
names(const json_t *gateway, const char *macro)
{
    return ctl_call_names(gateway, macro, ctl_gateways_macro);
}

/* Whose digits are sent, and by what. */
static void
check_code(ctl_check_t *check, const json_t *gateway)
{
    const json_t *answer = json_object_get(gateway, "answer");
    int sends;

    sends = names(gateway, "code") || names(gateway, "text");
    if (!json_is_true(json_object_get(gateway, "chooses_code"))) {
        if (!sends) {
            ctl_check_fail(check, "sends neither {text} nor {code}");
        }
        if (ctl_rules_has(answer, "code")) {
            ctl_check_fail_key(check, "answer.code",
                               "is for a gateway with chooses_code");
        }
        return;
    }
    if (sends) {
        ctl_check_fail_key(check, "chooses_code",
                           "is true, and {text} or {code} is sent");
    }
    if (!ctl_rules_has(answer, "code")) {
        ctl_check_fail_key(check, "answer.code",
                           "is missing: it says which code was chosen");
    }
}

void
ctl_gateways_call(ctl_check_t *check, const json_t *gateway,
                  postback_macro_pt macro, postback_macro_pt of_headers)
{
    ctl_call_whole(check, gateway, json_object_get(gateway, "ports"), "GET",
                   macro);
    check_header_values(check, gateway, of_headers);
    ctl_call_token(check, gateway, gateway, macro);
}

/* Who judges captchas has nothing to send. */
static void
check_judge(ctl_check_t *check, const json_t *gateway)
{
    static const char *const keys[] = {"sender", "answer", "receipts", "poll",
                                       NULL};
    const char *const *key;

    ctl_gateways_call(check, gateway, captcha_macro, captcha_macro);
    if (!ctl_call_names(gateway, "captcha_token", captcha_macro)) {
        ctl_check_fail(check, "does not name {captcha_token}");
    }
    for (key = keys; *key != NULL; key++) {
        if (ctl_rules_has(gateway, *key)) {
            ctl_check_fail_key(check, *key, "is for a gateway of codes");
        }
    }
    if (json_is_true(json_object_get(gateway, "chooses_code"))) {
        ctl_check_fail_key(check, "chooses_code", "is for a gateway of codes");
    }
}

static void
check_whole(ctl_check_t *check, const json_t *gateway)
{
    ctl_gateways_call(check, gateway, ctl_gateways_macro, header_macro);
    check_code(check, gateway);
    if (!names(gateway, "phone") && !names(gateway, "digits")) {
        ctl_check_fail(check, "names neither {phone} nor {digits}");
    }
    if (names(gateway, "sender") && !ctl_rules_has(gateway, "sender")) {
        ctl_check_fail_key(check, "sender",
                           "is missing, and {sender} stands for it");
    }
    ctl_poll_whole(check, gateway);
}

static int
checks_persons(const char *channel)
{
    return channel != NULL && strcmp(channel, IDENTITY) == 0;
}

static void
check_gateway(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"name", 1, ctl_rules_name},
        {"channel", 1, check_channel},
        {"method", 0, ctl_call_method},
        {"url", 1, ctl_call_string},
        {"content_type", 0, ctl_call_content_type},
        {"body", 0, ctl_call_string},
        {"headers", 0, check_headers},
        {"secret", 0, ctl_call_secret},
        {"match", 0, ctl_call_match},
        {"permanent", 0, ctl_call_match},
        {"sign", 0, ctl_call_secret},
        {"concurrency", 0, ctl_call_concurrency},
        {"rate", 0, ctl_call_rate},
        {"ports", 0, ctl_call_ports},
        {"sender", 0, check_sender},
        {"chooses_code", 0, ctl_rules_flag},
        {"price", 0, check_price},
        {"answer", 0, check_answer},
        {"receipts", 0, ctl_receipts_check},
        {"poll", 0, ctl_poll_check},
        {NULL, 0, NULL},
    };
    const char *channel =
        json_is_object(value) ? ctl_rules_text_of(value, "channel") : NULL;
    ctl_key_t own[sizeof(keys) / sizeof(keys[0])];
    size_t before = check->n_problems;

    memcpy(own, keys, sizeof(keys));
    if (checks_persons(channel)) {
        ctl_identity_keys(own);
    }
    if (ctl_check_object(check, value, own) == -1
        || check->n_problems > before) {
        return;
    }
    if (checks_persons(channel)) {
        ctl_identity_whole(check, value);
    } else if (ctl_gateways_judges(channel)) {
        check_judge(check, value);
    } else {
        check_whole(check, value);
    }
}

void
ctl_gateways_check(ctl_check_t *check, json_t *list)
{
    ctl_check_list(check, list, check_gateway);
}

const json_t *
ctl_gateways_find(const json_t *document, const char *name)
{
    const char *other;
    json_t *gateway;
    size_t i;

    json_array_foreach(json_object_get(document, "gateways"), i, gateway)
    {
        other = ctl_rules_text_of(gateway, "name");
        if (name != NULL && other != NULL && strcmp(name, other) == 0) {
            return gateway;
        }
    }
    return NULL;
}

const char *
ctl_gateways_channel(const json_t *document, const char *name)
{
    return ctl_rules_text_of(ctl_gateways_find(document, name), "channel");
}

int
ctl_gateways_judges(const char *channel)
{
    return channel != NULL && strcmp(channel, CAPTCHA) == 0;
}

int
ctl_gateways_sends(const char *channel)
{
    return channel != NULL && !ctl_gateways_judges(channel)
           && !checks_persons(channel);
}
