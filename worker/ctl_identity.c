/*
 * Gateways of channel identity in the business document: who checks persons,
 * where his answers have the verdict, and how he is asked for it.
 */

#include "ctl_gateways.h"

#include "ctl_call.h"
#include "ctl_rules.h"

#include <string.h>

/* The macros of a request that has somebody checked. */
static const char *
request_macro(const char *name, char own[ALIAS_MAX + 1], macro_known_e *known)
{
    static const char *const allowed[] = {"phone", "digits", "send_id", NULL};

    return ctl_gateways_find_macro(name, allowed, own, known);
}

static void
check_verdicts(ctl_check_t *check, json_t *table)
{
    static const char *const ours[] = {"pending", "passed", "failed",
                                       "unavailable", NULL};

    ctl_words_check(check, table, ours);
}

static void
check_answer(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"id", 0, ctl_gateways_path_or_all},
        {"state", 0, ctl_gateways_path},
        {"states", 0, check_verdicts},
        {NULL, 0, NULL},
    };

    if (ctl_check_object(check, value, keys) == 0
        && ctl_rules_has(value, "state") != ctl_rules_has(value, "states"))
    {
        ctl_check_fail(check, "has one of state and states without the other");
    }
}

/* What is reported is a hint: nobody reads a state in it. */
static void
check_receipts(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"secret_sha256", 1, ctl_rules_sha256},
        {"id", 0, ctl_gateways_path},
        {"send", 0, ctl_gateways_path},
        {NULL, 0, NULL},
    };

    (void)ctl_check_object(check, value, keys);
}

static void
check_poll(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"method", 0, ctl_call_method},
        {"url", 1, ctl_call_string},
        {"body", 0, ctl_call_string},
        {"content_type", 0, ctl_call_content_type},
        {"status", 1, ctl_gateways_path},
        {"states", 1, check_verdicts},
        {NULL, 0, NULL},
    };

    (void)ctl_check_object(check, value, keys);
}

void
ctl_identity_keys(ctl_key_t *keys)
{
    for (; keys->name != NULL; keys++) {
        if (strcmp(keys->name, "answer") == 0) {
            keys->check = check_answer;
        } else if (strcmp(keys->name, "receipts") == 0) {
            keys->check = check_receipts;
        } else if (strcmp(keys->name, "poll") == 0) {
            keys->check = check_poll;
        }
    }
}

void
ctl_identity_whole(ctl_check_t *check, const json_t *gateway)
{
    const json_t *answer = json_object_get(gateway, "answer");

    ctl_gateways_call(check, gateway, request_macro, request_macro);
    if (!ctl_call_names(gateway, "phone", request_macro)
        && !ctl_call_names(gateway, "digits", request_macro))
    {
        ctl_check_fail(check, "names neither {phone} nor {digits}");
    }
    if (ctl_rules_has(gateway, "sender")) {
        ctl_check_fail_key(check, "sender", "is for a gateway of codes");
    }
    if (json_is_true(json_object_get(gateway, "chooses_code"))) {
        ctl_check_fail_key(check, "chooses_code", "is for a gateway of codes");
    }
    if (!ctl_rules_has(gateway, "poll")) {
        if (!ctl_rules_has(answer, "state")) {
            ctl_check_fail_key(check, "poll",
                               "is missing, and answer has no state: nobody "
                               "would ever learn the verdict");
        }
        if (ctl_rules_has(gateway, "receipts")) {
            ctl_check_fail_key(check, "receipts",
                               "is a reason to ask at once: it needs a poll");
        }
    }
    ctl_poll_whole(check, gateway);
}
