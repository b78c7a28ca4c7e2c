#include "ctl_rules.h"

#include <string.h>

/* --- mail_providers ------------------------------------------------------ */

static void
check_path(ctl_check_t *check, json_t *value)
{
    const char *text = ctl_check_string(check, value);

    if (text != NULL && *text != '$') {
        ctl_check_fail(check, "\"%.80s\" is no path that begins with $", text);
    }
}

static void
check_paths(ctl_check_t *check, json_t *value)
{
    if (json_is_string(value)) {
        check_path(check, value);
    } else {
        ctl_check_list(check, value, check_path);
    }
}

static void
check_kinds(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {
        "failed", "delivered", "complaint", "unsubscribed",
        "opened", "clicked",   NULL};
    const char *word;
    json_t *kind;
    size_t mark;

    if (!json_is_object(value)) {
        ctl_check_fail(check, "is not an object");
        return;
    }
    json_object_foreach(value, word, kind)
    {
        mark = ctl_check_enter(check, word);
        ctl_rules_one_of(check, kind, names);
        ctl_check_leave(check, mark);
    }
}

static void
check_mapping(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"id", 0, check_path},     {"kind", 1, check_paths},
        {"kinds", 1, check_kinds}, {"message", 1, check_paths},
        {"email", 0, check_paths}, {"status", 0, check_paths},
        {"reply", 0, check_paths}, {NULL, 0, NULL},
    };

    (void)ctl_check_object(check, value, keys);
}

static void
check_provider(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"name", 1, ctl_rules_name},
        {"secret_sha256", 1, ctl_rules_sha256},
        {"mapping", 0, check_mapping},
        {NULL, 0, NULL},
    };

    (void)ctl_check_object(check, value, keys);
}

void
ctl_mail_check(ctl_check_t *check, json_t *list)
{
    ctl_check_list(check, list, check_provider);
}
