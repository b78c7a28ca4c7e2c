
/*
 * Any bytes as the value of each type: what a type lets through is valid
 * text without control characters, and checking it again changes nothing.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "leadq_suggest.h"
#include "leadq_types.h"
#include "leadq_utf8.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static const leadq_str_t  words[] = { { 2, "ru" }, { 2, "by" }, { 2, "kz" } };


static void
check_clean(const leadq_value_t *value)
{
    const char  *p, *end;

    p = value->data;
    end = p + value->len;

    if (!leadq_utf8_valid(value->data, value->len)) {
        abort();
    }

    while (p < end) {
        if (leadq_utf8_control(leadq_utf8_next(&p, end))) {
            abort();
        }
    }
}


/* What is suggested is fine, and nothing likelier is known. */

static void
check_suggestion(const char *in, size_t len)
{
    leadq_rule_t                rule;
    leadq_suggestion_t          further;
    static leadq_value_t        value;
    static leadq_suggestion_t   suggestion;

    if (!leadq_suggest_email(in, len, &suggestion)) {
        return;
    }

    memset(&rule, 0, sizeof(rule));
    rule.type = LEADQ_TYPE_EMAIL;

    if (leadq_type_check(&rule, suggestion.data, suggestion.len, 0, &value)
        != LEADQ_OK
        || leadq_suggest_email(suggestion.data, suggestion.len, &further))
    {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                  *in;
    leadq_rule_t           rule;
    static leadq_value_t   once, twice;

    if (size < 1 || data[0] % LEADQ_TYPES == LEADQ_TYPE_SIGNED) {
        return 0;
    }

    memset(&rule, 0, sizeof(rule));
    rule.type = (leadq_type_e) (data[0] % LEADQ_TYPES);
    rule.max = leadq_types[rule.type].max_default;
    rule.least = INT64_MIN;
    rule.most = INT64_MAX;
    rule.depth = LEADQ_DEPTH_LIMIT;
    rule.values = words;
    rule.nvalues = sizeof(words) / sizeof(words[0]);

    in = malloc(size);
    memcpy(in, data + 1, size - 1);

    if (rule.type == LEADQ_TYPE_EMAIL) {
        check_suggestion(in, size - 1);
    }

    if (leadq_type_check(&rule, in, size - 1, 0, &once) == LEADQ_OK) {
        check_clean(&once);

        if (leadq_type_check(&rule, once.data, once.len, 0, &twice)
            != LEADQ_OK
            || once.len != twice.len
            || memcmp(once.data, twice.data, once.len) != 0)
        {
            abort();
        }
    }

    free(in);

    return 0;
}
