
/*
 * The types "json" and "body": any JSON value, kept as it was written but for
 * the blanks between its tokens.
 *
 * What jansson and PostgreSQL's jsonb do not agree about is refused here: one
 * such value would fail the batch of everybody.  These are U+0000, which
 * jsonb cannot hold, and exponents and fractions that its numbers do not
 * reach.
 */

#include "leadq_types.h"

#include <string.h>

#include <jansson.h>

#include "leadq_utf8.h"


#define LEADQ_EXPONENT_MAX  3               /* digits */
#define LEADQ_DIGITS_MAX    8192            /* of a number, in a row */


static leadq_code_e leadq_nested_copy(const leadq_rule_t *rule,
    const char *in, size_t len, char *out, size_t *out_len);
static leadq_code_e leadq_nested_string(const leadq_rule_t *rule,
    const char **p, const char *end);
static int leadq_nested_exponent(const char *begin, const char *p,
    const char *end);


leadq_code_e
leadq_nested_check(const leadq_rule_t *rule, const char *in, size_t len,
    leadq_value_t *value)
{
    return leadq_nested_text(rule, in, len, value->data, &value->len);
}


leadq_code_e
leadq_nested_text(const leadq_rule_t *rule, const char *in, size_t len,
    char *out, size_t *out_len)
{
    size_t         flags;
    json_t        *root;
    leadq_code_e   code;

    code = leadq_nested_copy(rule, in, len, out, out_len);
    if (code != LEADQ_OK) {
        return code;
    }

    flags = JSON_DECODE_ANY;

    if (rule->type == LEADQ_TYPE_BODY) {
        flags |= JSON_DECODE_INT_AS_REAL;   /* beyond 64 bits */

        if (*out_len > rule->max) {
            return LEADQ_TOO_LONG;          /* no tree as big as a body */
        }

    } else {
        flags |= JSON_REJECT_DUPLICATES;
    }

    root = json_loadb(in, len, flags, NULL);
    if (root == NULL) {
        return LEADQ_JSON_BAD_VALUE;
    }

    if (json_is_null(root)) {
        *out_len = 0;
    }

    json_decref(root);

    return *out_len > rule->max ? LEADQ_TOO_LONG : LEADQ_OK;
}


/* Bounds the depth too, before anything is parsed. */

static leadq_code_e
leadq_nested_copy(const leadq_rule_t *rule, const char *in, size_t len,
    char *out, size_t *out_len)
{
    size_t         depth, digits;
    const char    *p, *end, *from;
    leadq_code_e   code;

    depth = 0;
    digits = 0;
    end = in + len;
    *out_len = 0;

    for (p = in; p < end; /* void */ ) {

        from = p++;
        digits = *from >= '0' && *from <= '9' ? digits + 1 : 0;

        if (digits > LEADQ_DIGITS_MAX) {
            return LEADQ_JSON_BAD_VALUE;
        }

        switch (*from) {

        case ' ':
        case '\t':
        case '\r':
        case '\n':
            continue;

        case '"':
            code = leadq_nested_string(rule, &p, end);
            if (code != LEADQ_OK) {
                return code;
            }

            break;

        case '{':
        case '[':
            if (++depth > rule->depth) {
                return LEADQ_JSON_TOO_DEEP;
            }

            break;

        case '}':
        case ']':
            depth -= depth > 0;
            break;

        case '\0':                          /* the end to jansson's eyes */
            return LEADQ_JSON_BAD_VALUE;

        case 'e':
        case 'E':
            if (leadq_nested_exponent(in, from, end) != 0) {
                return LEADQ_JSON_BAD_VALUE;
            }

            break;

        default:
            break;
        }

        memcpy(out + *out_len, from, (size_t) (p - from));
        *out_len += (size_t) (p - from);
    }

    return LEADQ_OK;
}


/* Moves *p behind the closing quote. */

static leadq_code_e
leadq_nested_string(const leadq_rule_t *rule, const char **p, const char *end)
{
    int32_t  cp;

    while (*p < end) {
        cp = leadq_utf8_next(p, end);

        if (leadq_utf8_control(cp) && rule->type != LEADQ_TYPE_BODY) {
            return LEADQ_CONTROL_CHARACTER;
        }

        if (cp == '"') {
            return LEADQ_OK;
        }

        if (cp != '\\') {
            continue;
        }

        if (end - *p >= 5 && memcmp(*p, "u0000", 5) == 0) {
            return LEADQ_CONTROL_CHARACTER;
        }

        *p += *p < end;
    }

    return LEADQ_JSON_BAD_VALUE;
}


/* The "e" of a number comes after a digit, those of true and false do not. */

static int
leadq_nested_exponent(const char *begin, const char *p, const char *end)
{
    size_t  n;

    if (p == begin || p[-1] < '0' || p[-1] > '9') {
        return 0;
    }

    p++;

    if (p < end && (*p == '+' || *p == '-')) {
        p++;
    }

    for (n = 0; p < end && *p >= '0' && *p <= '9'; p++) {
        n += n || *p != '0';
    }

    return n > LEADQ_EXPONENT_MAX ? -1 : 0;
}
