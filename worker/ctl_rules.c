#include "ctl_rules.h"

#include "ctl_partners.h"
#include "ctl_value.h"

#include <string.h>

#define MAX_FROM_NAME 100
#define MAX_STEPS 20
#define MAX_SOFT_LIMIT 10
#define MAX_RETENTION 3650

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
    ctl_check_some(check, value, check_step, MAX_STEPS, "steps");
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
        {"link_life", 0, ctl_rules_some_time},
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

/* The rules that take more than one key. */
static void
check_source_whole(ctl_check_t *check, const json_t *value)
{
    if (ctl_rules_has(value, "series") && !ctl_rules_has(value, "from_email"))
    {
        ctl_check_fail_key(check, "from_email",
                           "is missing: the series sends letters");
    }
    if (ctl_rules_has(value, "series") && !ctl_rules_has(value, "base_url")) {
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
        {"from_email", 0, ctl_rules_email},
        {"from_name", 0, check_from_name},
        {"base_url", 0, check_base_url},
        {"payout", 0, ctl_partners_payout},
        {"currency", 0, ctl_partners_currency},
        {"offer_id", 0, ctl_partners_offer},
        {"retention_days", 0, check_retention},
        {"track_opens", 0, ctl_rules_flag},
        {"track_clicks", 0, ctl_rules_flag},
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

/* No two items of the section have the same name. */
static void
unique(ctl_check_t *check, const char *section, const char *other)
{
    size_t mark;

    mark = ctl_check_enter(check, section);
    ctl_rules_unique(check, json_object_get(check->document, section), section,
                     other);
    ctl_check_leave(check, mark);
}

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
        {"gateways", 0, ctl_gateways_check},
        {"verifications", 0, ctl_verifications_check},
        {"points", 0, ctl_points_check},
        {"advisors", 0, ctl_advisors_check},
        {"staff", 0, ctl_staff_check},
        {"questions", 0, ctl_questions_check},
        {"programmes", 0, ctl_programmes_check},
        {"visit_rules", 0, ctl_visit_rules_check},
        {NULL, 0, NULL},
    };

    if (ctl_check_object(check, check->document, keys) == 0) {
        unique(check, "templates", "lang");
        unique(check, "series", NULL);
        unique(check, "networks", NULL);
        unique(check, "sources", NULL);
        unique(check, "segments", NULL);
        unique(check, "webhooks", NULL);
        unique(check, "triggers", NULL);
        unique(check, "mail_providers", NULL);
        unique(check, "gateways", NULL);
        unique(check, "verifications", NULL);
        unique(check, "points", NULL);
        unique(check, "advisors", NULL);
        unique(check, "questions", NULL);
        unique(check, "programmes", NULL);
        unique(check, "visit_rules", NULL);
    }
}
