/*
 * Verifications of the business document: profiles, which say how phones are
 * proved by one-time codes.
 */

#include "ctl_verifications.h"
#include "ctl_texts.h"

#include "ctl_gateways.h"
#include "ctl_rules.h"
#include "ctl_value.h"

#include <string.h>

#define MAX_STEPS 10
#define MAX_RESENDS 10
#define MAX_DENY 100
#define MAX_OPERATORS 20
#define MAX_OPERATOR 40 /* characters */

#define MIN_S 60L
#define DAY_S 86400L

#define DEFAULT_LANG "ru"

int
ctl_profile_is_desk(const json_t *profile)
{
    const char *kind = ctl_rules_text_of(profile, "kind");

    return kind != NULL && strcmp(kind, "desk") == 0;
}

size_t
ctl_profile_digits(const json_t *profile)
{
    const json_t *digits = json_object_get(profile, "digits");

    if (json_is_integer(digits)) {
        return (size_t)json_integer_value(digits);
    }
    return ctl_profile_is_desk(profile) ? 4 : 6;
}

/* --- times --------------------------------------------------------------- */

static void
check_life(ctl_check_t *check, json_t *value)
{
    ctl_rules_time(check, value, MIN_S, 10 * MIN_S, "1 to 10 minutes");
}

static void
check_pause(ctl_check_t *check, json_t *value)
{
    ctl_rules_time(check, value, 1, 10 * MIN_S, "1 second to 10 minutes");
}

static void
check_result_life(ctl_check_t *check, json_t *value)
{
    ctl_rules_time(check, value, MIN_S, DAY_S, "1 minute to 1 day");
}

static void
check_resend_after(ctl_check_t *check, json_t *value)
{
    ctl_check_some(check, value, check_pause, MAX_RESENDS, "times");
}

/* --- steps --------------------------------------------------------------- */

static void
check_gateway(ctl_check_t *check, json_t *value)
{
    ctl_rules_reference(check, value, "gateways", "gateway");
}

static void
check_operator(ctl_check_t *check, json_t *value)
{
    ctl_rules_text(check, value, MAX_OPERATOR);
}

static void
check_operators(ctl_check_t *check, json_t *value)
{
    ctl_check_list(check, value, check_operator);
    if (json_array_size(value) > MAX_OPERATORS) {
        ctl_check_fail(check, "has more than %d operators", MAX_OPERATORS);
    }
}

static void
check_step(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"gateway", 1, check_gateway},
        {"timeout", 0, check_pause},
        {"text", 0, ctl_texts_check},
        {"unless_operator", 0, check_operators},
        {"window", 0, ctl_rules_window},
        {NULL, 0, NULL},
    };

    (void)ctl_check_object(check, value, keys);
}

static void
check_steps(ctl_check_t *check, json_t *value)
{
    ctl_check_some(check, value, check_step, MAX_STEPS, "steps");
}

/* --- profiles ------------------------------------------------------------ */

static void
check_kind(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {"public", "desk", NULL};

    ctl_rules_one_of(check, value, names);
}

static void
check_digits(ctl_check_t *check, json_t *value)
{
    ctl_rules_count(check, value, 4, 8);
}

static void
check_some(ctl_check_t *check, json_t *value)
{
    ctl_rules_count(check, value, 1, 10);
}

static void
check_fallbacks(ctl_check_t *check, json_t *value)
{
    ctl_rules_count(check, value, 0, 5);
}

static void
check_zone(ctl_check_t *check, json_t *value)
{
    (void)ctl_check_string(check, value);
}

static void
check_host(ctl_check_t *check, json_t *value)
{
    ctl_rules_value(check, value, ctl_value_host);
}

static void
check_prefix(ctl_check_t *check, json_t *value)
{
    ctl_rules_value(check, value, ctl_value_prefix);
}

static void
check_deny(ctl_check_t *check, json_t *value)
{
    ctl_check_list(check, value, check_prefix);
    if (json_array_size(value) > MAX_DENY) {
        ctl_check_fail(check, "has more than %d beginnings", MAX_DENY);
    } else if (ctl_rules_repeated(value) != NULL) {
        ctl_check_fail(check, "has the same beginning twice");
    }
}

static void
check_consent(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {"required", "optional", NULL};

    ctl_rules_one_of(check, value, names);
}

/* Who judges answers to captchas. */
static void
check_captcha(ctl_check_t *check, json_t *value)
{
    const char *name = json_string_value(value),
               *channel = ctl_gateways_channel(check->document, name);

    check_gateway(check, value);
    if (channel != NULL && !ctl_gateways_judges(channel)) {
        ctl_check_fail(check, "\"%s\" is not of the channel captcha", name);
    }
}

/* The rules that take more than one key. */
static void
check_whole(ctl_check_t *check, const json_t *profile)
{
    const char *lang = ctl_rules_text_of(profile, "lang");
    size_t i, mark, mark_item;
    const json_t *step;

    if (ctl_profile_is_desk(profile) && ctl_rules_has(profile, "host")) {
        ctl_check_fail_key(check, "host",
                           "is for the kind public: the page "
                           "is not on the phone");
    }
    mark = ctl_check_enter(check, "steps");
    json_array_foreach(json_object_get(profile, "steps"), i, step)
    {
        mark_item = ctl_check_enter_item(check, i);
        ctl_texts_whole(check, step, lang == NULL ? DEFAULT_LANG : lang);
        ctl_check_leave(check, mark_item);
    }
    ctl_check_leave(check, mark);
    mark = ctl_check_enter(check, "limits");
    ctl_profile_limits_whole(check, json_object_get(profile, "limits"),
                             ctl_profile_is_desk(profile));
    ctl_check_leave(check, mark);
}

static void
check_profile(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"name", 1, ctl_rules_name},
        {"kind", 0, check_kind},
        {"digits", 0, check_digits},
        {"life", 0, check_life},
        {"checks", 0, check_some},
        {"sends", 0, check_some},
        {"resend_after", 0, check_resend_after},
        {"fallbacks", 0, check_fallbacks},
        {"result_life", 0, check_result_life},
        {"lang", 0, ctl_rules_lang},
        {"time_zone", 0, check_zone},
        {"host", 0, check_host},
        {"deny", 0, check_deny},
        {"consent", 0, check_consent},
        {"captcha", 0, check_captcha},
        {"steps", 1, check_steps},
        {"limits", 0, ctl_profile_limits_check},
        {NULL, 0, NULL},
    };

    if (ctl_check_object(check, value, keys) == 0) {
        check_whole(check, value);
    }
}

void
ctl_verifications_check(ctl_check_t *check, json_t *list)
{
    ctl_check_list(check, list, check_profile);
}
