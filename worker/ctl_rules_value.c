/*
 * Values that more than one section of the business document has.
 */

#include "ctl_rules.h"
#include "ctl_value.h"

#include "leadq_types.h"

#include <string.h>

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
ctl_rules_email(ctl_check_t *check, json_t *value)
{
    check_typed(check, value, LEADQ_TYPE_EMAIL, 0);
}

void
ctl_rules_phone(ctl_check_t *check, json_t *value)
{
    check_typed(check, value, LEADQ_TYPE_PHONE, 0);
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
ctl_rules_sha256(ctl_check_t *check, json_t *value)
{
    ctl_rules_value(check, value, ctl_value_sha256);
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
ctl_rules_some_time(ctl_check_t *check, json_t *value)
{
    if (ctl_rules_interval(check, value) == 0) {
        ctl_check_fail(check, "is not longer than 0");
    }
}

void
ctl_rules_time(ctl_check_t *check, json_t *value, long min, long max,
               const char *range)
{
    long seconds;

    seconds = ctl_rules_interval(check, value);
    if (seconds != -1 && (seconds < min || seconds > max)) {
        ctl_check_fail(check, "is not from %s", range);
    }
}

void
ctl_rules_count(ctl_check_t *check, const json_t *value, int min, int max)
{
    if (!json_is_integer(value) || json_integer_value(value) < min
        || json_integer_value(value) > max)
    {
        ctl_check_fail(check, "is not a whole number from %d to %d", min, max);
    }
}

void
ctl_rules_amount(ctl_check_t *check, const json_t *value, int max,
                 const char *what)
{
    if (!json_is_number(value) || json_number_value(value) < 0
        || json_number_value(value) > max)
    {
        ctl_check_fail(check, "is not %s from 0 to %d", what, max);
    }
}

void
ctl_rules_flag(ctl_check_t *check, json_t *value)
{
    if (!json_is_boolean(value)) {
        ctl_check_fail(check, "is not true or false");
    }
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

const char *
ctl_rules_text_of(const json_t *value, const char *key)
{
    return json_string_value(json_object_get(value, key));
}

int
ctl_rules_has(const json_t *value, const char *key)
{
    const json_t *member;

    member = json_object_get(value, key);
    return member != NULL && !json_is_null(member);
}

const json_t *
ctl_rules_repeated(const json_t *list)
{
    size_t i, k;

    for (i = 0; i < json_array_size(list); i++) {
        for (k = 0; k < i; k++) {
            if (json_equal(json_array_get(list, i), json_array_get(list, k))) {
                return json_array_get(list, i);
            }
        }
    }
    return NULL;
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

static int
same(const json_t *a, const json_t *b, const char *key)
{
    const char *left, *right;

    left = ctl_rules_text_of(a, key);
    right = ctl_rules_text_of(b, key);
    return left != NULL && right != NULL && strcmp(left, right) == 0;
}

void
ctl_rules_unique(ctl_check_t *check, const json_t *list, const char *section,
                 const char *other)
{
    const json_t *item;
    size_t i, k, mark;

    json_array_foreach(list, i, item)
    {
        for (k = 0; k < i; k++) {
            if (same(item, json_array_get(list, k), "name")
                && (other == NULL
                    || same(item, json_array_get(list, k), other)))
            {
                mark = ctl_check_enter_item(check, i);
                ctl_check_fail_key(
                    check, "name", "\"%s\" is here twice, first in %s[%zu]",
                    ctl_rules_text_of(item, "name"), section, k);
                ctl_check_leave(check, mark);
                break;
            }
        }
    }
}
