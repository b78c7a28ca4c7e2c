#include "ctl_rules.h"

#include "ctl_partners.h"
#include "ctl_value.h"

#include "leadq_types.h"

#include <string.h>

#define MAX_FROM_NAME 100
#define MAX_STEPS 20
#define MAX_SOFT_LIMIT 10
#define MAX_RETENTION 3650

/* --- values -------------------------------------------------------------- */

/* Bounces and letters read addresses and texts as the module does. */
static void
check_typed(ctl_check_t *check, json_t *value, leadq_type_e type, size_t max)
{
    leadq_rule_t rule;
    leadq_value_t out;
    leadq_code_e code;

    if (ctl_check_string(check, value) == NULL) {
        return;
    }
    memset(&rule, 0, sizeof(rule));
    rule.type = type;
    rule.max = max;
    code = leadq_type_check(&rule, json_string_value(value),
                            json_string_length(value), 0, &out);
    if (code != LEADQ_OK) {
        ctl_check_fail(check, "%s", leadq_code_detail(code));
    } else if (out.len == 0) {
        ctl_check_fail(check, "is empty");
    } else {
        (void)json_string_setn(value, out.data, out.len);
    }
}

void
ctl_rules_text(ctl_check_t *check, json_t *value, size_t max)
{
    check_typed(check, value, LEADQ_TYPE_TEXT, max);
}

void
ctl_rules_value(ctl_check_t *check, const json_t *value,
                const char *(*judge)(const char *text))
{
    const char *text, *reason;

    text = ctl_check_string(check, value);
    reason = text == NULL ? NULL : judge(text);
    if (reason != NULL) {
        ctl_check_fail(check, "\"%.80s\" %s", text, reason);
    }
}

void
ctl_rules_name(ctl_check_t *check, json_t *value)
{
    ctl_rules_value(check, value, ctl_value_name);
}

void
ctl_rules_lang(ctl_check_t *check, json_t *value)
{
    ctl_rules_value(check, value, ctl_value_lang);
}

long
ctl_rules_interval(ctl_check_t *check, json_t *value)
{
    const char *text, *reason;
    long seconds;

    text = ctl_check_string(check, value);
    if (text == NULL) {
        return -1;
    }
    reason = ctl_value_interval(text, &seconds);
    if (reason != NULL) {
        ctl_check_fail(check, "\"%.80s\" %s", text, reason);
        return -1;
    }
    return seconds;
}

void
ctl_rules_one_of(ctl_check_t *check, const json_t *value,
                 const char *const *names)
{
    const char *const *name;
    const char *text;
    buf_t list;

    text = ctl_check_string(check, value);
    if (text == NULL) {
        return;
    }
    buf_init(&list, 200);
    for (name = names; *name != NULL; name++) {
        if (strcmp(text, *name) == 0) {
            buf_done(&list);
            return;
        }
        buf_addf(&list, "%s%s", name == names ? "" : ", ", *name);
    }
    ctl_check_fail(check, "\"%.80s\" is not one of %s", text, buf_str(&list));
    buf_done(&list);
}

/* --- names --------------------------------------------------------------- */

const char *
ctl_rules_text_of(const json_t *value, const char *key)
{
    return json_string_value(json_object_get(value, key));
}

static int
same(const json_t *a, const json_t *b, const char *key)
{
    const char *left, *right;

    left = ctl_rules_text_of(a, key);
    right = ctl_rules_text_of(b, key);
    return left != NULL && right != NULL && strcmp(left, right) == 0;
}

/* No two items have the same name; and the same other key, if there is one. */
static void
check_unique(ctl_check_t *check, const char *section, const char *other)
{
    json_t *list, *item;
    size_t i, k, mark, mark_item;

    list = json_object_get(check->document, section);
    mark = ctl_check_enter(check, section);
    json_array_foreach(list, i, item)
    {
        for (k = 0; k < i; k++) {
            if (same(item, json_array_get(list, k), "name")
                && (other == NULL
                    || same(item, json_array_get(list, k), other)))
            {
                mark_item = ctl_check_enter_item(check, i);
                ctl_check_fail_key(
                    check, "name", "\"%s\" is here twice, first in %s[%zu]",
                    ctl_rules_text_of(item, "name"), section, k);
                ctl_check_leave(check, mark_item);
                break;
            }
        }
    }
    ctl_check_leave(check, mark);
}

void
ctl_rules_reference(ctl_check_t *check, const json_t *value,
                    const char *section, const char *what)
{
    json_t *list, *item;
    const char *text, *name;
    size_t i;

    text = ctl_check_string(check, value);
    list = json_object_get(check->document, section);
    if (text == NULL || !json_is_array(list)) {
        return;
    }
    json_array_foreach(list, i, item)
    {
        name = ctl_rules_text_of(item, "name");
        if (name != NULL && strcmp(name, text) == 0) {
            return;
        }
    }
    ctl_check_fail(check, "there is no %s \"%.80s\"", what, text);
}

/* --- series -------------------------------------------------------------- */

static void
check_step_template(ctl_check_t *check, json_t *value)
{
    ctl_rules_reference(check, value, "templates", "template");
}

static void
check_pause(ctl_check_t *check, json_t *value)
{
    (void)ctl_rules_interval(check, value);
}

static void
check_life(ctl_check_t *check, json_t *value)
{
    if (ctl_rules_interval(check, value) == 0) {
        ctl_check_fail(check, "is not longer than 0");
    }
}

static void
check_step(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"template", 1, check_step_template},
        {"delay", 0, check_pause},
        {NULL, 0, NULL},
    };

    (void)ctl_check_object(check, value, keys);
}

static void
check_steps(ctl_check_t *check, json_t *value)
{
    ctl_check_list(check, value, check_step);
    if (json_is_array(value)
        && (json_array_size(value) < 1 || json_array_size(value) > MAX_STEPS))
    {
        ctl_check_fail(check, "has not from 1 to %d steps", MAX_STEPS);
    }
}

static void
check_kind(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {"doi", "welcome", "promo", NULL};

    ctl_rules_one_of(check, value, names);
}

static void
check_next(ctl_check_t *check, json_t *value)
{
    ctl_rules_reference(check, value, "series", "series");
}

static void
check_series(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"name", 1, ctl_rules_name},
        {"steps", 1, check_steps},
        {"grace", 0, check_pause},
        {"link_life", 0, check_life},
        {"kind", 0, check_kind},
        {"stop_on", 0, ctl_rules_events},
        {"window", 0, ctl_rules_window},
        {"next", 0, check_next},
        {NULL, 0, NULL},
    };
    const char *kind;

    if (ctl_check_object(check, value, keys) == -1) {
        return;
    }
    kind = ctl_rules_text_of(value, "kind");
    if ((kind == NULL || strcmp(kind, "doi") == 0)
        && ctl_rules_text_of(value, "next") != NULL)
    {
        ctl_check_fail_key(check, "next",
                           "is for the kinds welcome and promo");
    }
}

static void
check_series_list(ctl_check_t *check, json_t *list)
{
    ctl_check_list(check, list, check_series);
}

/* --- sources ------------------------------------------------------------- */

static void
check_series_name(ctl_check_t *check, json_t *value)
{
    ctl_rules_reference(check, value, "series", "series");
}

static void
check_approve_on(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {"confirm", "deliverable", NULL};

    ctl_rules_one_of(check, value, names);
}

static void
check_expired_as(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {"none", "rejected", "approved", "hold",
                                        NULL};

    ctl_rules_one_of(check, value, names);
}

static void
check_on_duplicate(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {"reject", "share", NULL};

    ctl_rules_one_of(check, value, names);
}

static void
check_soft_limit(ctl_check_t *check, json_t *value)
{
    if (!json_is_integer(value) || json_integer_value(value) < 1
        || json_integer_value(value) > MAX_SOFT_LIMIT)
    {
        ctl_check_fail(check, "is not a number from 1 to %d", MAX_SOFT_LIMIT);
    }
}

static void
check_email(ctl_check_t *check, json_t *value)
{
    check_typed(check, value, LEADQ_TYPE_EMAIL, 0);
}

static void
check_any_string(ctl_check_t *check, json_t *value)
{
    (void)ctl_check_string(check, value);
}

static void
check_from_name(ctl_check_t *check, json_t *value)
{
    ctl_rules_text(check, value, MAX_FROM_NAME);
}

static void
check_base_url(ctl_check_t *check, json_t *value)
{
    ctl_rules_value(check, value, ctl_value_base_url);
}

static void
check_retention(ctl_check_t *check, json_t *value)
{
    if (!json_is_integer(value) || json_integer_value(value) < 1
        || json_integer_value(value) > MAX_RETENTION)
    {
        ctl_check_fail(check, "is not a number of days from 1 to %d",
                       MAX_RETENTION);
    }
}

static void
check_track(ctl_check_t *check, json_t *value)
{
    if (!json_is_boolean(value)) {
        ctl_check_fail(check, "is neither true nor false");
    }
}

static int
has(const json_t *value, const char *key)
{
    const json_t *member;

    member = json_object_get(value, key);
    return member != NULL && !json_is_null(member);
}

/* The rules that take more than one key. */
static void
check_source_whole(ctl_check_t *check, const json_t *value)
{
    if (has(value, "series") && !has(value, "from_email")) {
        ctl_check_fail_key(check, "from_email",
                           "is missing: the series sends letters");
    }
    if (has(value, "series") && !has(value, "base_url")) {
        ctl_check_fail_key(check, "base_url",
                           "is missing: the series sends links");
    }
    ctl_partners_whole(check, value);
}

static void
check_source(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"name", 1, ctl_rules_name},
        {"partners", 0, ctl_partners_list},
        {"network", 0, ctl_partners_network},
        {"series", 0, check_series_name},
        {"approve_on", 0, check_approve_on},
        {"expired_as", 0, check_expired_as},
        {"on_duplicate", 0, check_on_duplicate},
        {"soft_limit", 0, check_soft_limit},
        {"lang", 0, ctl_rules_lang},
        {"time_zone", 0, check_any_string},
        {"from_email", 0, check_email},
        {"from_name", 0, check_from_name},
        {"base_url", 0, check_base_url},
        {"payout", 0, ctl_partners_payout},
        {"currency", 0, ctl_partners_currency},
        {"offer_id", 0, ctl_partners_offer},
        {"retention_days", 0, check_retention},
        {"track_opens", 0, check_track},
        {"track_clicks", 0, check_track},
        {NULL, 0, NULL},
    };

    if (ctl_check_object(check, value, keys) == 0) {
        check_source_whole(check, value);
    }
}

static void
check_source_list(ctl_check_t *check, json_t *list)
{
    ctl_check_list(check, list, check_source);
}

/* --- the document -------------------------------------------------------- */

void
ctl_rules_check(ctl_check_t *check)
{
    static const ctl_key_t keys[] = {
        {"$schema", 0, check_any_string}, /* for editors */
        {"templates", 0, ctl_templates_check},
        {"series", 0, check_series_list},
        {"networks", 0, ctl_networks_check},
        {"sources", 0, check_source_list},
        {"consent_texts", 0, ctl_consents_check},
        {"limits", 0, ctl_limits_check},
        {"events", 0, ctl_rules_events},
        {"segments", 0, ctl_segments_check},
        {"webhooks", 0, ctl_webhooks_check},
        {"triggers", 0, ctl_triggers_check},
        {"mail_providers", 0, ctl_mail_check},
        {NULL, 0, NULL},
    };

    if (ctl_check_object(check, check->document, keys) == 0) {
        check_unique(check, "templates", "lang");
        check_unique(check, "series", NULL);
        check_unique(check, "networks", NULL);
        check_unique(check, "sources", NULL);
        check_unique(check, "segments", NULL);
        check_unique(check, "webhooks", NULL);
        check_unique(check, "triggers", NULL);
        check_unique(check, "mail_providers", NULL);
    }
}
