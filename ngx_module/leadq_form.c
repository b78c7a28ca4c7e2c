
/*
 * Urlencoded forms, in one pass and without allocations.
 *
 * Stricter than browsers need: they never send a broken escape or a value
 * without a name, so whatever does was not made by a form.
 */

#include "leadq_form.h"

#include <string.h>

#include "leadq_utf8.h"


static int leadq_form_decode(const char *in, size_t len, char **arena,
    leadq_str_t *out);
static int leadq_form_hex(char c);


leadq_code_e
leadq_form_parse(const char *body, size_t len, char *arena,
    leadq_pairs_t *pairs)
{
    pairs->n = 0;

    return leadq_form_add(body, len, arena, pairs);
}


leadq_code_e
leadq_form_add(const char *body, size_t len, char *arena,
    leadq_pairs_t *pairs)
{
    const char    *p, *end, *stop, *equals;
    leadq_pair_t  *pair;

    pairs->culprit.len = 0;

    end = body + len;

    for (p = body; p < end; p = stop + 1) {

        stop = memchr(p, '&', (size_t) (end - p));
        if (stop == NULL) {
            stop = end;
        }

        if (stop == p) {
            continue;                       /* "a=1&&b=2" */
        }

        if (pairs->n == LEADQ_PAIRS_MAX) {
            return LEADQ_TOO_MANY_FIELDS;
        }

        equals = memchr(p, '=', (size_t) (stop - p));
        if (equals == NULL) {
            equals = stop;
        }

        pair = &pairs->pair[pairs->n];
        pair->scalar = 1;
        pair->raw.len = 0;

        if (leadq_form_decode(p, (size_t) (equals - p), &arena, &pair->name)
            != 0
            || pair->name.len == 0)
        {
            return LEADQ_BAD_FORM;
        }

        if (!leadq_utf8_valid(pair->name.data, pair->name.len)) {
            return LEADQ_BAD_ENCODING;
        }

        p = equals < stop ? equals + 1 : stop;

        if (leadq_form_decode(p, (size_t) (stop - p), &arena, &pair->value)
            != 0)
        {
            pairs->culprit = pair->name;
            return LEADQ_BAD_FORM;
        }

        pairs->n++;
    }

    return LEADQ_OK;
}


/* Writes the decoded text to the arena and moves the arena on. */

static int
leadq_form_decode(const char *in, size_t len, char **arena, leadq_str_t *out)
{
    int          high, low;
    char        *p;
    const char  *end;

    p = *arena;
    end = in + len;

    out->data = p;

    while (in < end) {

        if (*in == '+') {
            *p++ = ' ';
            in++;

        } else if (*in == '%') {

            if (end - in < 3) {
                return -1;
            }

            high = leadq_form_hex(in[1]);
            low = leadq_form_hex(in[2]);

            if (high < 0 || low < 0) {
                return -1;
            }

            *p++ = (char) (high << 4 | low);
            in += 3;

        } else {
            *p++ = *in++;
        }
    }

    out->len = (size_t) (p - *arena);
    *arena = p;

    return 0;
}


static int
leadq_form_hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c = (char) (c | 0x20);

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
