/*
 * Limits of a profile: how much of what may be done, in which time.
 */

#include "ctl_verifications.h"

#include "ctl_rules.h"

#include <string.h>

#define MAX_LIMITS 50
#define MAX_MAX 1000000000
#define MAX_ADAPT 9
#define MAX_PERCENT 99

static void
check_by(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {
        "phone",  "session",     "ip",          "ip_phones",
        "prefix", "profile",     "advisor",     "advisor_phone",
        "wrong",  "wrong_phone", "wrong_ratio", "spend",
        NULL};

    ctl_rules_one_of(check, value, names);
}

static void
check_max(ctl_check_t *check, json_t *value)
{
    ctl_rules_count(check, value, 1, MAX_MAX);
}

static void
check_mode(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {"enforce", "captcha", "record", NULL};

    ctl_rules_one_of(check, value, names);
}

static void
check_adapt(ctl_check_t *check, json_t *value)
{
    if (!json_is_number(value) || json_number_value(value) < 0
        || json_number_value(value) > MAX_ADAPT)
    {
        ctl_check_fail(check, "is not a number from 0 to %d", MAX_ADAPT);
    }
}

static void
check_limit(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"name", 1, ctl_rules_name}, {"by", 1, check_by},
        {"max", 1, check_max},       {"per", 1, ctl_rules_some_time},
        {"mode", 0, check_mode},     {"hide", 0, ctl_rules_flag},
        {"adapt", 0, check_adapt},   {NULL, 0, NULL},
    };
    const char *by;

    if (ctl_check_object(check, value, keys) == -1) {
        return;
    }
    by = ctl_rules_text_of(value, "by");
    if (by != NULL && strcmp(by, "wrong_ratio") == 0
        && json_integer_value(json_object_get(value, "max")) > MAX_PERCENT)
    {
        ctl_check_fail_key(check, "max",
                           "of wrong_ratio is a percentage, 1 to %d",
                           MAX_PERCENT);
    }
    if (json_number_value(json_object_get(value, "adapt")) > 0 && by != NULL
        && strcmp(by, "prefix") != 0 && strcmp(by, "profile") != 0)
    {
        ctl_check_fail_key(check, "adapt", "is for prefix and profile");
    }
}

void
ctl_profile_limits_check(ctl_check_t *check, json_t *list)
{
    ctl_check_list(check, list, check_limit);
    if (json_array_size(list) > MAX_LIMITS) {
        ctl_check_fail(check, "has more than %d limits", MAX_LIMITS);
    }
}

static int
is_of_advisor(const char *by)
{
    return strcmp(by, "advisor") == 0 || strcmp(by, "advisor_phone") == 0
           || strcmp(by, "wrong_ratio") == 0;
}

void
ctl_profile_limits_whole(ctl_check_t *check, const json_t *list, int is_desk)
{
    const json_t *limit;
    const char *by;
    size_t i, mark;

    ctl_rules_unique(check, list, "limits", NULL);
    json_array_foreach(list, i, limit)
    {
        by = ctl_rules_text_of(limit, "by");
        if (!is_desk && by != NULL && is_of_advisor(by)) {
            mark = ctl_check_enter_item(check, i);
            ctl_check_fail_key(check, "by",
                               "\"%s\" is for the kind "
                               "desk: a public page has no advisor",
                               by);
            ctl_check_leave(check, mark);
        }
    }
}
