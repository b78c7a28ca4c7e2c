/*
 * What became of a message, in the business document: how a gateway reports
 * it by itself, and how it is asked.
 */

#include "ctl_gateways.h"

#include "ctl_call.h"
#include "ctl_rules.h"

#include "url.h"

#include <string.h>

#define MAX_WORDS 200 /* of a gateway, in one table */
#define MAX_WORD 64   /* bytes of one */
#define MAX_PAUSE_S 600L
#define MAX_VERIFY 2000 /* bytes of verify_url */

/* --- tables -------------------------------------------------------------- */

void
ctl_words_check(ctl_check_t *check, json_t *table, const char *const *ours)
{
    const char *word;
    json_t *value;
    size_t mark;

    if (!json_is_object(table)) {
        ctl_check_fail(check, "is not an object");
        return;
    }
    if (json_object_size(table) < 1 || json_object_size(table) > MAX_WORDS) {
        ctl_check_fail(check, "has not from 1 to %d words", MAX_WORDS);
        return;
    }
    json_object_foreach(table, word, value)
    {
        mark = ctl_check_enter(check, word);
        if (strlen(word) > MAX_WORD) {
            ctl_check_fail(check, "is longer than %d bytes", MAX_WORD);
        } else {
            ctl_rules_one_of(check, value, ours);
        }
        ctl_check_leave(check, mark);
    }
}

static void
check_states(ctl_check_t *check, json_t *table)
{
    static const char *const ours[] = {
        "queued",      "sent",    "delivered", "read",    "clicked",
        "undelivered", "expired", "rejected",  "unknown", NULL};

    ctl_words_check(check, table, ours);
}

static void
check_errors(ctl_check_t *check, json_t *table)
{
    static const char *const ours[] = {"none",    "bad_number", "unreachable",
                                       "blocked", "no_money",   "sender",
                                       "gateway", "unknown",    NULL};

    ctl_words_check(check, table, ours);
}

static void
check_error_whole(ctl_check_t *check, const json_t *value)
{
    if (ctl_rules_has(value, "errors") && !ctl_rules_has(value, "error")) {
        ctl_check_fail_key(check, "error", "is missing beside errors");
    }
}

/* --- receipts ------------------------------------------------------------ */

static void
check_verify(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {"none", "smsc", "twilio", NULL};

    ctl_rules_one_of(check, value, names);
}

static void
check_verify_url(ctl_check_t *check, json_t *value)
{
    const char *text;
    fault_t fault;

    text = ctl_check_string(check, value);
    if (text == NULL) {
        return;
    }
    if (url_check_begin(text, strlen(text), &fault) == -1
        || url_check_bytes(text, strlen(text), &fault) == -1)
    {
        ctl_check_fail(check, "%s", fault.text);
    } else if (strlen(text) > MAX_VERIFY) {
        ctl_check_fail(check, "is longer than %d bytes", MAX_VERIFY);
    }
}

/* A key is there if, and only if, the way of verifying needs it. */
static void
check_need(ctl_check_t *check, const json_t *value, const char *key,
           int needed)
{
    if (needed && !ctl_rules_has(value, key)) {
        ctl_check_fail_key(check, key, "is missing beside verify");
    } else if (!needed && ctl_rules_has(value, key)) {
        ctl_check_fail_key(check, key, "is for another way to verify");
    }
}

void
ctl_receipts_check(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"secret_sha256", 1, ctl_rules_sha256},
        {"verify", 0, check_verify},
        {"verify_secret", 0, ctl_call_secret},
        {"verify_url", 0, check_verify_url},
        {"each", 0, ctl_gateways_path_or_all},
        {"id", 0, ctl_gateways_path},
        {"send", 0, ctl_gateways_path},
        {"status", 1, ctl_gateways_path},
        {"states", 1, check_states},
        {"error", 0, ctl_gateways_path},
        {"errors", 0, check_errors},
        {NULL, 0, NULL},
    };
    const char *verify;

    if (ctl_check_object(check, value, keys) == -1) {
        return;
    }
    verify = ctl_rules_text_of(value, "verify");
    verify = verify == NULL ? "none" : verify;
    check_need(check, value, "verify_secret", strcmp(verify, "none") != 0);
    check_need(check, value, "verify_url", strcmp(verify, "twilio") == 0);
    if (!ctl_rules_has(value, "id") && !ctl_rules_has(value, "send")) {
        ctl_check_fail_key(check, "id",
                           "is missing, and so is send: whose receipt is it?");
    }
    check_error_whole(check, value);
}

/* --- poll ---------------------------------------------------------------- */

static void
check_pause(ctl_check_t *check, json_t *value)
{
    ctl_rules_time(check, value, 1, MAX_PAUSE_S, "1 second to 10 minutes");
}

void
ctl_poll_check(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"method", 0, ctl_call_method},
        {"url", 1, ctl_call_string},
        {"body", 0, ctl_call_string},
        {"content_type", 0, ctl_call_content_type},
        {"after", 0, check_pause},
        {"every", 0, check_pause},
        {"status", 1, ctl_gateways_path},
        {"states", 1, check_states},
        {"error", 0, ctl_gateways_path},
        {"errors", 0, check_errors},
        {NULL, 0, NULL},
    };

    if (ctl_check_object(check, value, keys) == 0) {
        check_error_whole(check, value);
    }
}

void
ctl_poll_whole(ctl_check_t *check, const json_t *gateway)
{
    const json_t *poll = json_object_get(gateway, "poll"),
                 *answer = json_object_get(gateway, "answer");
    int by_their_id;
    size_t mark;

    if (!json_is_object(poll)) {
        return;
    }
    by_their_id = ctl_call_names(poll, "provider_id", ctl_gateways_poll_macro);
    mark = ctl_check_enter(check, "poll");
    ctl_call_whole(check, poll, json_object_get(gateway, "ports"), "GET",
                   ctl_gateways_poll_macro);
    if (!by_their_id
        && !ctl_call_names(poll, "send_id", ctl_gateways_poll_macro)) {
        ctl_check_fail(check, "names neither {provider_id} nor {send_id}");
    }
    ctl_check_leave(check, mark);
    if (!ctl_call_names(gateway, "token", ctl_gateways_macro)) {
        ctl_call_token(check, gateway, poll, ctl_gateways_poll_macro);
    }
    if (by_their_id && !ctl_rules_has(answer, "id")) {
        ctl_check_fail_key(check, "answer.id",
                           "is missing, and {provider_id} stands for it");
    }
}
