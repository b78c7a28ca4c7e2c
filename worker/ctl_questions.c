/*
 * The questionnaire, in the business document: what advisors ask of visitors.
 */

#include "ctl_rules.h"
#include "ctl_texts.h"
#include "ctl_value.h"

#include <string.h>

#define MAX_QUESTIONS 30
#define MAX_CHOICES 50
#define MAX_VALUE 60

static void
check_type(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {"text", "choice", "bool",
                                        "int",  "date",   NULL};

    ctl_rules_one_of(check, value, names);
}

static void
check_value(ctl_check_t *check, json_t *value)
{
    ctl_rules_text(check, value, MAX_VALUE);
}

static void
check_choice(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"value", 1, check_value},
        {"title", 0, ctl_texts_title},
        {NULL, 0, NULL},
    };

    (void)ctl_check_object(check, value, keys);
}

static void
check_choices(ctl_check_t *check, json_t *value)
{
    ctl_check_some(check, value, check_choice, MAX_CHOICES, "choices");
}

static void
check_question(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"name", 1, ctl_rules_name},     {"title", 0, ctl_texts_title},
        {"type", 0, check_type},         {"choices", 0, check_choices},
        {"required", 0, ctl_rules_flag}, {NULL, 0, NULL},
    };
    const char *type;
    int chosen;

    if (ctl_check_object(check, value, keys) != 0) {
        return;
    }
    type = ctl_rules_text_of(value, "type");
    chosen = type != NULL && strcmp(type, "choice") == 0;
    if (chosen && !ctl_rules_has(value, "choices")) {
        ctl_check_fail_key(check, "choices",
                           "is missing: a choice is one of some");
    } else if (!chosen && ctl_rules_has(value, "choices")) {
        ctl_check_fail_key(check, "choices", "is for the type choice");
    }
}

void
ctl_questions_check(ctl_check_t *check, json_t *list)
{
    ctl_check_list(check, list, check_question);
    if (json_array_size(list) > MAX_QUESTIONS) {
        ctl_check_fail(check, "has more than %d questions", MAX_QUESTIONS);
    }
}
