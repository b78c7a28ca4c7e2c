#include "outcome.h"
#include "leadq_utf8.h"

#include <string.h>

void
outcome_init(outcome_t *outcome)
{
    memset(outcome, 0, sizeof(*outcome));
    outcome->outcome = OUTCOME_RETRY;
    outcome->retry_after_s = -1;
}

void
outcome_reply(outcome_t *outcome, const char *text, size_t len)
{
    const char *p, *at, *end = text + len;
    size_t seq, used;
    int32_t cp;

    used = 0;
    for (p = text; p < end;) {
        at = p;
        cp = leadq_utf8_next(&p, end);
        seq = (size_t)(p - at);
        if (used + seq > OUTCOME_MAX_REPLY) {
            break;
        }
        if (cp == LEADQ_UTF8_BAD) {
            outcome->reply[used++] = '?';
        } else if (leadq_utf8_control(cp)) {
            if (used > 0 && outcome->reply[used - 1] != ' ') {
                outcome->reply[used++] = ' ';
            }
        } else {
            memcpy(outcome->reply + used, at, seq);
            used += seq;
        }
    }
    outcome->reply[used] = '\0';
}

const char *
outcome_name(outcome_e outcome)
{
    switch (outcome) {
    case OUTCOME_DONE:
        return "done";
    case OUTCOME_RETRY:
        return "retry";
    case OUTCOME_DEAD:
        return "dead";
    }
    return "?";
}

const char *
class_name(class_e class_)
{
    switch (class_) {
    case CLASS_NONE:
        return "none";
    case CLASS_HARD:
        return "hard";
    case CLASS_SOFT:
        return "soft";
    case CLASS_BLOCK:
        return "block";
    case CLASS_GREYLIST:
        return "greylist";
    case CLASS_NETWORK:
        return "network";
    }
    return "?";
}

/* Of a text that is UTF-8: no sequence is torn. */
static json_t *
beginning_of(const char *text)
{
    size_t len;

    len = strnlen(text, OUTCOME_MAX_BODY + 1);
    if (len > OUTCOME_MAX_BODY) {
        len = OUTCOME_MAX_BODY;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80) {
            len--;
        }
    }
    return json_stringn(text, len);
}

/* A member, unless there is nothing to say. */
static int
set_text(json_t *json, const char *key, const char *text)
{
    return text == NULL || *text == '\0'
               ? 0
               : json_object_set_new(json, key, json_string(text));
}

static int
set_number(json_t *json, const char *key, long number)
{
    return number == 0 ? 0
                       : json_object_set_new(json, key, json_integer(number));
}

/* What a gateway has told. */
static int
set_send(json_t *json, const outcome_t *outcome)
{
    int failed;

    failed = set_number(json, "segments", outcome->segments)
             | set_text(json, "provider_id", outcome->provider_id)
             | set_text(json, "mac", outcome->mac)
             | set_text(json, "operator", outcome->operator_)
             | set_text(json, "verdict", outcome->verdict);
    if (outcome->mac[0] != '\0') {
        failed |= json_object_set_new(json, "check_key",
                                      json_integer(outcome->check_key));
    }
    if (outcome->receipts != NULL) {
        failed |= json_object_set(json, "receipts", outcome->receipts);
    }
    return failed;
}

char *
outcome_json(const outcome_t *outcome)
{
    json_t *json;
    char *text;
    int failed;

    json = json_object();
    failed = json_object_set_new(json, "ms", json_integer(outcome->ms));
    failed |= set_number(json, "http", outcome->http);
    failed |= set_number(json, "smtp", outcome->smtp);
    failed |= set_text(json, "code", outcome->code);
    if (outcome->class_ != CLASS_NONE) {
        failed |= set_text(json, "class", class_name(outcome->class_));
    }
    if (outcome->retry_after_s >= 0) {
        failed |= json_object_set_new(json, "retry_after_s",
                                      json_integer(outcome->retry_after_s));
    }
    failed |= set_text(json, "reason", outcome->reason);
    failed |= set_text(json, "reply", outcome->reply);
    failed |= set_send(json, outcome);
    if (outcome->url != NULL) {
        failed |= json_object_set_new(json, "url", json_string(outcome->url));
    }
    if (outcome->body != NULL) {
        failed |=
            json_object_set_new(json, "body", beginning_of(outcome->body));
    }
    if (outcome->mx != NULL) {
        failed |=
            json_object_set_new(json, "mx", json_string(outcome->mx))
            | json_object_set_new(json, "group", json_string(outcome->group));
    }
    text = failed ? NULL : json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text;
}
