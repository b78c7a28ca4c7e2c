/*
 * What of an advisor's visits looks invented, in the business document: the
 * rules are SQL's, the document says how much is too much and what it weighs.
 */

#include "ctl_rules.h"

#define MAX_MAX 100000
#define MAX_WEIGHT 100

static void
check_rule_name(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {
        "after-hours", "slow-proof",  "unproved", "unverified",
        "burst",       "sequential",  "repeated", "one-device",
        "identity",    "dead-number", "score",    NULL};

    ctl_rules_one_of(check, value, names);
}

static void
check_max(ctl_check_t *check, json_t *value)
{
    ctl_rules_count(check, value, 0, MAX_MAX);
}

static void
check_weight(ctl_check_t *check, json_t *value)
{
    ctl_rules_count(check, value, 0, MAX_WEIGHT);
}

static void
check_visit_rule(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"name", 1, check_rule_name},
        {"max", 0, check_max},
        {"weight", 0, check_weight},
        {"enabled", 0, ctl_rules_flag},
        {NULL, 0, NULL},
    };

    (void)ctl_check_object(check, value, keys);
}

void
ctl_visit_rules_check(ctl_check_t *check, json_t *list)
{
    ctl_check_list(check, list, check_visit_rule);
}
