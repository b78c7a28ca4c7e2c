/*
 * Webhooks of the business document: calls that triggers make.
 */

#include "ctl_call.h"
#include "ctl_rules.h"

#include "webhook.h"

#include <stdio.h>

/* Values of its own, and those of postbacks. */
static const char *
webhook_macro(const char *name, char own[ALIAS_MAX + 1], macro_known_e *known)
{
    if (!webhook_is_name(name)) {
        return postback_macro(name, own, known);
    }
    *known = MACRO_KNOWN;
    (void)snprintf(own, ALIAS_MAX + 1, "%s", name);
    return own;
}

static void
check_webhook(ctl_check_t *check, json_t *value)
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
        {"sign", 0, ctl_call_secret},
        {"concurrency", 0, ctl_call_concurrency},
        {"rate", 0, ctl_call_rate},
        {"ports", 0, ctl_call_ports},
        {NULL, 0, NULL},
    };

    if (ctl_check_object(check, value, keys) == 0) {
        ctl_call_whole(check, value, json_object_get(value, "ports"), "POST",
                       webhook_macro);
        ctl_call_token(check, value, value, webhook_macro);
    }
}

void
ctl_webhooks_check(ctl_check_t *check, json_t *list)
{
    ctl_check_list(check, list, check_webhook);
}
