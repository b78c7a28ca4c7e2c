/*
 * Networks of the business document: who is told what became of a lead.
 */

#include "ctl_call.h"
#include "ctl_rules.h"

static void
check_status(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {"processed", "approved", "rejected",
                                        "hold", NULL};

    ctl_rules_one_of(check, value, names);
}

static void
check_statuses(ctl_check_t *check, json_t *value)
{
    ctl_check_list(check, value, check_status);
    if (json_is_array(value) && json_array_size(value) == 0) {
        ctl_check_fail(check, "is empty: the network would hear nothing");
    }
    if (ctl_rules_repeated(value) != NULL) {
        ctl_check_fail(check, "has the same status twice");
    }
}

static void
check_network(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"name", 1, ctl_rules_name},
        {"method", 0, ctl_call_method},
        {"url", 1, ctl_call_string},
        {"content_type", 0, ctl_call_content_type},
        {"body", 0, ctl_call_string},
        {"secret", 0, ctl_call_secret},
        {"match", 0, ctl_call_match},
        {"permanent", 0, ctl_call_match},
        {"statuses", 0, check_statuses},
        {"sign", 0, ctl_call_secret},
        {"concurrency", 0, ctl_call_concurrency},
        {"rate", 0, ctl_call_rate},
        {"ports", 0, ctl_call_ports},
        {NULL, 0, NULL},
    };

    if (ctl_check_object(check, value, keys) == 0) {
        ctl_call_whole(check, value, json_object_get(value, "ports"), "GET",
                       postback_macro);
        ctl_call_token(check, value, value, postback_macro);
    }
}

void
ctl_networks_check(ctl_check_t *check, json_t *list)
{
    ctl_check_list(check, list, check_network);
}
