/*
 * Codes that are worth a discount, in the business document: points of sale,
 * who works there, and programmes, which say what a code is good for.
 *
 * What is in force already is SQL's: whether a point is there, whether a
 * programme keeps its kind.
 */

#include "ctl_call.h"
#include "ctl_gateways.h"
#include "ctl_rules.h"
#include "ctl_texts.h"
#include "ctl_value.h"

#include <string.h>

#define MAX_TITLE 200
#define MAX_DISCOUNT 100
#define MAX_USES 1000000
#define MAX_PER_CUSTOMER 100
#define MAX_DAYS 30
#define MAX_COST 1000000

#define MIN_S 60L
#define DAY_S 86400L

#define DEFAULT_OPENS "10:00"
#define DEFAULT_CLOSES "22:00"

#define REFERRAL_USES 3 /* what max_uses is of the kind; of others 1 */

static void
check_title(ctl_check_t *check, json_t *value)
{
    ctl_rules_text(check, value, MAX_TITLE);
}

/* The text of a member, or what holds without it. */
static const char *
text_or(const json_t *value, const char *key, const char *fallback)
{
    return ctl_rules_has(value, key) ? ctl_rules_text_of(value, key)
                                     : fallback;
}

static int
is_text(const json_t *value, const char *key, const char *fallback,
        const char *wanted)
{
    const char *text = text_or(value, key, fallback);

    return text != NULL && strcmp(text, wanted) == 0;
}

/* --- points -------------------------------------------------------------- */

static void
check_zone(ctl_check_t *check, json_t *value)
{
    (void)ctl_check_string(check, value);
}

static void
check_clock(ctl_check_t *check, json_t *value)
{
    ctl_rules_value(check, value, ctl_value_clock);
}

/* It may sell over midnight, but not at no time. */
static void
check_hours(ctl_check_t *check, const json_t *point)
{
    const char *closes = text_or(point, "closes", DEFAULT_CLOSES);

    if (is_text(point, "opens", DEFAULT_OPENS, "24:00")) {
        ctl_check_fail_key(check, "opens", "is the end of the day");
    } else if (closes != NULL
               && is_text(point, "opens", DEFAULT_OPENS, closes)) {
        ctl_check_fail_key(check, "closes",
                           "is the same as opens: that is no time at all");
    }
}

static void
check_point(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"name", 1, ctl_rules_name},
        {"title", 0, check_title},
        {"time_zone", 0, check_zone},
        {"opens", 0, check_clock},
        {"closes", 0, check_clock},
        {"text_version", 0, ctl_rules_name},
        {NULL, 0, NULL},
    };

    if (ctl_check_object(check, value, keys) == 0) {
        check_hours(check, value);
    }
}

void
ctl_points_check(ctl_check_t *check, json_t *list)
{
    ctl_check_list(check, list, check_point);
}

/* --- advisors ------------------------------------------------------------ */

static void
check_user(ctl_check_t *check, json_t *value)
{
    ctl_rules_value(check, value, ctl_value_user);
}

static void
check_role(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {"advisor", "supervisor", "brand",
                                        NULL};

    ctl_rules_one_of(check, value, names);
}

static void
check_at_point(ctl_check_t *check, json_t *value)
{
    ctl_rules_reference(check, value, "points", "point");
}

static void
check_advisor(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"name", 1, check_user},       {"title", 0, check_title},
        {"role", 0, check_role},       {"point", 0, check_at_point},
        {"active", 0, ctl_rules_flag}, {NULL, 0, NULL},
    };

    if (ctl_check_object(check, value, keys) == 0
        && is_text(value, "role", "advisor", "advisor")
        && !ctl_rules_has(value, "point"))
    {
        ctl_check_fail_key(check, "point",
                           "is missing: an advisor works at a point");
    }
}

void
ctl_advisors_check(ctl_check_t *check, json_t *list)
{
    ctl_check_list(check, list, check_advisor);
}

/* Numbers are brought to their normal spelling before they are compared. */
void
ctl_staff_check(ctl_check_t *check, json_t *list)
{
    const json_t *again;

    ctl_check_list(check, list, ctl_rules_phone);
    again = ctl_rules_repeated(list);
    if (again != NULL && json_is_string(again)) {
        ctl_check_fail(check, "has \"%s\" twice", json_string_value(again));
    }
}

/* --- programmes ---------------------------------------------------------- */

static void
check_kind(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {"referral", "trial", "promo", NULL};

    ctl_rules_one_of(check, value, names);
}

static void
check_discount(ctl_check_t *check, json_t *value)
{
    ctl_rules_text(check, value, MAX_DISCOUNT);
}

static void
check_uses(ctl_check_t *check, json_t *value)
{
    ctl_rules_count(check, value, 1, MAX_USES);
}

static void
check_per_customer(ctl_check_t *check, json_t *value)
{
    ctl_rules_count(check, value, 1, MAX_PER_CUSTOMER);
}

static void
check_reserve_for(ctl_check_t *check, json_t *value)
{
    ctl_rules_time(check, value, MIN_S, DAY_S, "1 minute to 1 day");
}

static void
check_hold(ctl_check_t *check, json_t *value)
{
    (void)ctl_rules_interval(check, value);
}

/* The gift is for a use that a code has. */
static void
check_reward(ctl_check_t *check, const json_t *programme)
{
    const json_t *reward = json_object_get(programme, "reward_after"),
                 *uses = json_object_get(programme, "max_uses");
    json_int_t most;

    most = ctl_rules_has(programme, "max_uses") ? json_integer_value(uses)
           : is_text(programme, "kind", "promo", "referral") ? REFERRAL_USES
                                                             : 1;
    if (most >= 1 && json_integer_value(reward) > most) {
        ctl_check_fail_key(
            check, "reward_after",
            "is more than the %" JSON_INTEGER_FORMAT " uses of a code", most);
    }
}

static void
check_cost(ctl_check_t *check, json_t *value)
{
    ctl_rules_amount(check, value, MAX_COST, "an amount");
}

/* --- what is sent to the owner of a code --------------------------------- */

static void
check_gateway(ctl_check_t *check, json_t *value)
{
    ctl_rules_reference(check, value, "gateways", "gateway");
}

static void
check_send_days(ctl_check_t *check, json_t *value)
{
    ctl_rules_count(check, value, 0, MAX_DAYS);
}

static void
check_message(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"gateway", 1, check_gateway},
        {"text", 1, ctl_texts_promo},
        {"days", 0, check_send_days},
        {"window", 0, ctl_rules_window},
        {NULL, 0, NULL},
    };
    const json_t *gateway;

    if (ctl_check_object(check, value, keys) != 0) {
        return;
    }
    gateway = ctl_gateways_find(check->document,
                                ctl_rules_text_of(value, "gateway"));
    if (gateway != NULL
        && !ctl_call_names(gateway, "text", ctl_gateways_macro)) {
        ctl_check_fail_key(check, "gateway", "\"%s\" has no {text} to send",
                           ctl_rules_text_of(value, "gateway"));
    }
}

/* A message is for a code that belongs to somebody. */
static void
check_recipient(ctl_check_t *check, const json_t *programme)
{
    static const char *const keys[] = {"message", "identity"};
    size_t i;

    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (ctl_rules_has(programme, keys[i])
            && is_text(programme, "kind", "promo", "promo"))
        {
            ctl_check_fail_key(check, keys[i],
                               "is for the kinds referral and trial, whose "
                               "codes are somebody's");
        }
    }
}

static void
check_programme(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"name", 1, ctl_rules_name},
        {"title", 0, check_title},
        {"kind", 0, check_kind},
        {"discount", 1, check_discount},
        {"max_uses", 0, check_uses},
        {"per_customer", 0, check_per_customer},
        {"new_customer_only", 0, ctl_rules_flag},
        {"reserve_for", 0, check_reserve_for},
        {"reward_after", 0, check_uses},
        {"hold", 0, check_hold},
        {"life", 0, ctl_rules_some_time},
        {"active", 0, ctl_rules_flag},
        {"message", 0, check_message},
        {"identity", 0, check_gateway},
        {"discount_cost", 0, check_cost},
        {"reward_cost", 0, check_cost},
        {NULL, 0, NULL},
    };

    if (ctl_check_object(check, value, keys) == 0) {
        check_reward(check, value);
        check_recipient(check, value);
    }
}

void
ctl_programmes_check(ctl_check_t *check, json_t *list)
{
    ctl_check_list(check, list, check_programme);
}
