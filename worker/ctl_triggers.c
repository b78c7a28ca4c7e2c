/*
 * Triggers of the business document, and what goes with them: the events
 * that are posted, segments, quiet hours and caps, windows of the day.
 *
 * What needs the database is SQL's: whether names are there, whether a
 * condition is a jsonpath, whether triggers go round in circles.
 */

#include "ctl_rules.h"
#include "ctl_value.h"

#include <string.h>

#define MAX_TITLE 200
#define MAX_DAYS 400
#define MAX_COUNT 1000
#define MAX_EVENTS 1000
#define MAX_CONDITION 4000

static void
check_any_string(ctl_check_t *check, json_t *value)
{
    (void)ctl_check_string(check, value);
}

/* --- windows ------------------------------------------------------------- */

static void
check_clock(ctl_check_t *check, json_t *value)
{
    ctl_rules_value(check, value, ctl_value_clock);
}

static void
check_days(ctl_check_t *check, json_t *value)
{
    ctl_rules_count(check, value, 0, MAX_DAYS);
}

/* From one time of the day to another: both, and not the same. */
static void
check_span(ctl_check_t *check, const json_t *value)
{
    const char *from, *to;

    from = ctl_rules_text_of(value, "from");
    to = ctl_rules_text_of(value, "to");
    if (from != NULL && strcmp(from, "24:00") == 0) {
        ctl_check_fail_key(check, "from", "is the end of the day");
    }
    if (from != NULL && to != NULL && strcmp(from, to) == 0) {
        ctl_check_fail_key(check, "to",
                           "is the same as from: that is no time at all");
    } else if (ctl_rules_has(value, "from") && !ctl_rules_has(value, "to")) {
        ctl_check_fail_key(check, "to", "is missing beside from");
    } else if (ctl_rules_has(value, "to") && !ctl_rules_has(value, "from")) {
        ctl_check_fail_key(check, "from", "is missing beside to");
    }
}

void
ctl_rules_window(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"from", 1, check_clock},
        {"to", 1, check_clock},
        {NULL, 0, NULL},
    };

    if (ctl_check_object(check, value, keys) == 0) {
        check_span(check, value);
    }
}

static void
check_window(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"from", 0, check_clock},
        {"to", 0, check_clock},
        {"days", 0, check_days},
        {NULL, 0, NULL},
    };

    if (ctl_check_object(check, value, keys) == 0) {
        check_span(check, value);
        if (!ctl_rules_has(value, "from") && !ctl_rules_has(value, "to")
            && !ctl_rules_has(value, "days"))
        {
            ctl_check_fail(check, "is empty");
        }
    }
}

/* --- limits -------------------------------------------------------------- */

static void
check_channel(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {"any", "email", NULL};

    ctl_rules_one_of(check, value, names);
}

static void
check_quiet_channel(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {"any", "email", "sms", NULL};

    ctl_rules_one_of(check, value, names);
}

static void
check_quiet(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"channel", 0, check_quiet_channel},
        {"from", 1, check_clock},
        {"to", 1, check_clock},
        {NULL, 0, NULL},
    };

    if (ctl_check_object(check, value, keys) == 0) {
        check_span(check, value);
    }
}

static void
check_cap_count(ctl_check_t *check, json_t *value)
{
    ctl_rules_count(check, value, 1, MAX_COUNT);
}

static void
check_cap(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"channel", 0, check_channel},
        {"count", 1, check_cap_count},
        {"per", 1, ctl_rules_some_time},
        {NULL, 0, NULL},
    };

    (void)ctl_check_object(check, value, keys);
}

/* Channel, and of caps the time as well: "any 86400", as SQL compares. */
static void
limit_key(const json_t *item, buf_t *out)
{
    const char *channel, *per;
    long seconds;

    channel = ctl_rules_text_of(item, "channel");
    per = ctl_rules_text_of(item, "per");
    seconds = 0;
    if (per != NULL) {
        (void)ctl_value_interval(per, &seconds);
    }
    buf_init(out, 100);
    buf_addf(out, "%.50s %ld", channel == NULL ? "any" : channel, seconds);
}

static int
same_limit(const json_t *a, const json_t *b)
{
    buf_t left, right;
    int rc;

    limit_key(a, &left);
    limit_key(b, &right);
    rc = strcmp(buf_str(&left), buf_str(&right)) == 0;
    buf_done(&left);
    buf_done(&right);
    return rc;
}

static void
check_limit_list(ctl_check_t *check, json_t *list, ctl_check_pt item)
{
    size_t i, k, mark;

    ctl_check_list(check, list, item);
    for (i = 0; i < json_array_size(list); i++) {
        for (k = 0; k < i; k++) {
            if (same_limit(json_array_get(list, i), json_array_get(list, k))) {
                mark = ctl_check_enter_item(check, i);
                ctl_check_fail(check, "is for the same as [%zu]", k);
                ctl_check_leave(check, mark);
                break;
            }
        }
    }
}

static void
check_quiet_list(ctl_check_t *check, json_t *list)
{
    check_limit_list(check, list, check_quiet);
}

static void
check_caps(ctl_check_t *check, json_t *list)
{
    check_limit_list(check, list, check_cap);
}

void
ctl_limits_check(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"quiet", 0, check_quiet_list},
        {"caps", 0, check_caps},
        {NULL, 0, NULL},
    };

    (void)ctl_check_object(check, value, keys);
}

/* --- events and segments ------------------------------------------------- */

void
ctl_rules_event(ctl_check_t *check, json_t *value)
{
    ctl_rules_value(check, value, ctl_value_event);
}

void
ctl_rules_events(ctl_check_t *check, json_t *list)
{
    const json_t *repeated;

    ctl_check_list(check, list, ctl_rules_event);
    if (json_array_size(list) > MAX_EVENTS) {
        ctl_check_fail(check, "has more than %d events", MAX_EVENTS);
        return;
    }
    repeated = ctl_rules_repeated(list);
    if (repeated != NULL) {
        ctl_check_fail(check, "has \"%.63s\" twice",
                       json_string_value(repeated));
    }
}

static void
check_title(ctl_check_t *check, json_t *value)
{
    ctl_rules_text(check, value, MAX_TITLE);
}

static void
check_segment(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"name", 1, ctl_rules_name},
        {"title", 0, check_title},
        {NULL, 0, NULL},
    };

    (void)ctl_check_object(check, value, keys);
}

void
ctl_segments_check(ctl_check_t *check, json_t *list)
{
    ctl_check_list(check, list, check_segment);
}

/* --- triggers ------------------------------------------------------------ */

static void
check_cancel(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"series", 0, ctl_rules_name},
        {"trigger", 0, ctl_rules_name},
        {NULL, 0, NULL},
    };

    if (ctl_check_object(check, value, keys) == 0
        && ctl_rules_has(value, "series") == ctl_rules_has(value, "trigger"))
    {
        ctl_check_fail(check, "names not one series or trigger");
    }
}

static void
check_action(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"message", 0, ctl_rules_name},
        {"series", 0, ctl_rules_name},
        {"event", 0, ctl_rules_event},
        {"webhook", 0, ctl_rules_name},
        {"cancel", 0, check_cancel},
        {"segment", 0, ctl_rules_name},
        {NULL, 0, NULL},
    };
    const ctl_key_t *key;
    int n;

    if (ctl_check_object(check, value, keys) == -1) {
        return;
    }
    n = 0;
    for (key = keys; key->name != NULL; key++) {
        n += ctl_rules_has(value, key->name);
    }
    if (n != 1 || json_object_size(value) != 1) {
        ctl_check_fail(check, "is not one of message, series, event, "
                              "webhook, cancel, segment");
    }
}

static void
check_class(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {"marketing", "service", NULL};

    ctl_rules_one_of(check, value, names);
}

static void
check_condition(ctl_check_t *check, json_t *value)
{
    const char *text;

    text = ctl_check_string(check, value);
    if (text != NULL && (*text == '\0' || strlen(text) > MAX_CONDITION)) {
        ctl_check_fail(check, "is not of 1 to %d bytes", MAX_CONDITION);
    }
}

static void
check_delay(ctl_check_t *check, json_t *value)
{
    (void)ctl_rules_interval(check, value);
}

static void
check_trigger(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"name", 1, ctl_rules_name},       {"event", 1, ctl_rules_event},
        {"action", 1, check_action},       {"enabled", 0, ctl_rules_flag},
        {"condition", 0, check_condition}, {"delay", 0, check_delay},
        {"window", 0, check_window},       {"class", 0, check_class},
        {"source", 0, check_any_string},   {NULL, 0, NULL},
    };
    const json_t *action;

    if (ctl_check_object(check, value, keys) == -1) {
        return;
    }
    action = json_object_get(value, "action");
    if (ctl_rules_has(value, "class") && !ctl_rules_has(action, "message")) {
        ctl_check_fail_key(check, "class", "is for the action message");
    }
    if (ctl_rules_has(value, "source") && !ctl_rules_has(action, "message")
        && !ctl_rules_has(action, "series"))
    {
        ctl_check_fail_key(check, "source",
                           "is for the actions message and series");
    }
}

void
ctl_triggers_check(ctl_check_t *check, json_t *list)
{
    ctl_check_list(check, list, check_trigger);
}
