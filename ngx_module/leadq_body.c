
/*
 * The type "body"; see leadq_body.h.
 */

#include "leadq_body.h"

#include <string.h>

#include "leadq_json.h"
#include "leadq_utf8.h"


static leadq_code_e leadq_body_json(const leadq_rule_t *rule,
    const leadq_str_t *raw, leadq_buf_t *text);
static leadq_code_e leadq_body_form(const leadq_rule_t *rule,
    const leadq_pairs_t *pairs, leadq_buf_t *text);
static void leadq_body_values(const leadq_pairs_t *pairs, size_t i,
    size_t max, leadq_buf_t *text);
static size_t leadq_body_count(const leadq_pairs_t *pairs, size_t from,
    size_t to, const leadq_str_t *name);


leadq_code_e
leadq_body_check(const leadq_rule_t *rule, const leadq_pairs_t *pairs,
    leadq_buf_t *text)
{
    text->len = 0;

    if (pairs->n == 0) {
        return LEADQ_OK;
    }

    if (pairs->pair[0].raw.len) {
        return leadq_body_json(rule, &pairs->pair[0].raw, text);
    }

    return leadq_body_form(rule, pairs, text);
}


static leadq_code_e
leadq_body_json(const leadq_rule_t *rule, const leadq_str_t *raw,
    leadq_buf_t *text)
{
    char  *out;

    if (!leadq_utf8_valid(raw->data, raw->len)) {
        return LEADQ_NOT_UTF8;
    }

    out = leadq_buf_room(text, raw->len);
    if (out == NULL) {
        return LEADQ_OK;                    /* it has failed */
    }

    return leadq_nested_text(rule, raw->data, raw->len, out, &text->len);
}


static leadq_code_e
leadq_body_form(const leadq_rule_t *rule, const leadq_pairs_t *pairs,
    leadq_buf_t *text)
{
    size_t               i;
    const leadq_pair_t  *pair;

    for (i = 0; i < pairs->n; i++) {
        pair = &pairs->pair[i];

        if (pair->name.len > rule->max || pair->value.len > rule->max) {
            return LEADQ_TOO_LONG;
        }
    }

    leadq_buf_put(text, "{", 1);

    for (i = 0; i < pairs->n && text->len < rule->max; i++) {
        pair = &pairs->pair[i];

        if (leadq_body_count(pairs, 0, i, &pair->name)) {
            continue;                       /* it is there already */
        }

        if (text->len > 1) {
            leadq_buf_put(text, ",", 1);
        }

        leadq_json_put(text, pair->name.data, pair->name.len);
        leadq_buf_put(text, ":", 1);
        leadq_body_values(pairs, i, rule->max, text);
    }

    leadq_buf_put(text, "}", 1);

    return text->len > rule->max ? LEADQ_TOO_LONG : LEADQ_OK;
}


/* What goes by the name of pair i, the first of it: a string or an array. */

static void
leadq_body_values(const leadq_pairs_t *pairs, size_t i, size_t max,
    leadq_buf_t *text)
{
    int                  many;
    const leadq_str_t   *name;
    const leadq_pair_t  *pair;

    name = &pairs->pair[i].name;
    many = leadq_body_count(pairs, i, pairs->n, name) > 1;

    leadq_buf_put(text, "[", (size_t) many);

    for ( /* void */ ; i < pairs->n && text->len < max; i++) {
        pair = &pairs->pair[i];

        if (leadq_body_count(pairs, i, i + 1, name)) {
            leadq_json_put(text, pair->value.data, pair->value.len);

            if (leadq_body_count(pairs, i + 1, pairs->n, name)) {
                leadq_buf_put(text, ",", 1);
            }
        }
    }

    leadq_buf_put(text, "]", (size_t) many);
}


/* How many of the pairs have the name. */

static size_t
leadq_body_count(const leadq_pairs_t *pairs, size_t from, size_t to,
    const leadq_str_t *name)
{
    size_t              n;
    const leadq_str_t  *other;

    for (n = 0; from < to; from++) {
        other = &pairs->pair[from].name;

        n += other->len == name->len
             && memcmp(other->data, name->data, name->len) == 0;
    }

    return n;
}
