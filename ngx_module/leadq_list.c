
/*
 * The type "list": JSON values that have nothing to do with each other, such
 * as what a provider of mail reports by the hundred.
 *
 * Each is checked as a value of the type "json" on its own, so one that is
 * refused takes none of its neighbours along, and no more than one of them is
 * ever a tree in memory.
 */

#include "leadq_list.h"


static leadq_code_e leadq_list_split(const leadq_rule_t *rule,
    const char *in, const char *end, leadq_buf_t *list);
static const char *leadq_list_quote(const char *p, const char *end);
static leadq_code_e leadq_list_add(const leadq_rule_t *rule, const char *in,
    size_t len, leadq_buf_t *list);


leadq_code_e
leadq_list_check(const leadq_rule_t *rule, const char *in, size_t len,
    leadq_buf_t *list)
{
    leadq_code_e  code;

    leadq_type_trim(&in, &len);

    list->len = 0;

    if (len == 0) {
        return LEADQ_OK;
    }

    leadq_buf_put(list, "[", 1);

    if (*in == '[') {
        code = leadq_list_split(rule, in + 1, in + len, list);

    } else {
        code = leadq_list_add(rule, in, len, list);

        if (code == LEADQ_OK && list->len == 1) {
            list->len = 0;                  /* null: nothing was given */
            return LEADQ_OK;
        }
    }

    leadq_buf_put(list, "]", 1);

    if (code == LEADQ_OK && list->len > rule->max) {
        return LEADQ_TOO_LONG;
    }

    return code;
}


int
leadq_list_begins(const char *in, size_t len)
{
    leadq_type_trim(&in, &len);

    return len && *in == '[';
}


/*
 * in is behind the first bracket, end behind the last byte.  Where values end
 * is seen by brackets and quotes alone; whether they are values is not asked
 * here.
 */

static leadq_code_e
leadq_list_split(const leadq_rule_t *rule, const char *in, const char *end,
    leadq_buf_t *list)
{
    size_t       depth;
    const char  *p;

    depth = 0;

    for (p = in; p < end; p++) {

        if (*p == '"') {
            p = leadq_list_quote(p + 1, end);

        } else if (*p == '{' || *p == '[') {
            depth++;

        } else if (depth && (*p == '}' || *p == ']')) {
            depth--;

        } else if (*p == ',' && depth == 0) {
            (void) leadq_list_add(rule, in, (size_t) (p - in), list);

            if (list->len > rule->max) {
                return LEADQ_TOO_LONG;
            }

            in = p + 1;

        } else if (*p == ']') {
            (void) leadq_list_add(rule, in, (size_t) (p - in), list);

            return p == end - 1 ? LEADQ_OK : LEADQ_JSON_BAD_VALUE;
        }
    }

    return LEADQ_JSON_BAD_VALUE;
}


/* Where a string ends, or the last byte. */

static const char *
leadq_list_quote(const char *p, const char *end)
{
    for ( /* void */ ; p < end && *p != '"'; p++) {
        if (*p == '\\') {
            p++;
        }
    }

    return p < end ? p : end - 1;
}


/* Null and blanks are nothing. */

static leadq_code_e
leadq_list_add(const leadq_rule_t *rule, const char *in, size_t len,
    leadq_buf_t *list)
{
    leadq_code_e    code;
    leadq_rule_t    one;
    leadq_value_t   value;

    one = *rule;
    one.type = LEADQ_TYPE_JSON;
    one.max = LEADQ_VALUE_MAX;

    code = leadq_type_check(&one, in, len, 0, &value);

    if (code == LEADQ_OK && value.len) {
        if (list->len > 1) {
            leadq_buf_put(list, ",", 1);
        }

        leadq_buf_put(list, value.data, value.len);
    }

    return code;
}
