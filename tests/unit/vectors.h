
/*
 * Tables of vectors for the field types: a result that begins with "!" is the
 * code of a refusal, "" means "not given".  Needs cmocka.h before it.
 */

#ifndef VECTORS_H_INCLUDED
#define VECTORS_H_INCLUDED


#include "leadq_types.h"


typedef struct {
    const char  *in;
    const char  *out;
} vector_t;


static void
check_one(const leadq_rule_t *rule, const char *in, size_t len,
    const char *expected)
{
    const char           *got;
    leadq_code_e          code;
    static leadq_value_t  value;

    code = leadq_type_check(rule, in, len, 1790000000, &value);

    if (code == LEADQ_OK) {
        value.data[value.len] = '\0';
        got = value.data;

    } else {
        got = leadq_code_name(code);
        expected += *expected == '!';
    }

    if (strcmp(got, expected) != 0) {
        fail_msg("\"%s\" gave \"%s\" instead of \"%s\"", in, got, expected);
    }
}


static void
check_all(const leadq_rule_t *rule, const vector_t *v, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        check_one(rule, v[i].in, strlen(v[i].in), v[i].out);
    }
}


#define CHECK(rule, vectors)                                                  \
    check_all(rule, vectors, sizeof(vectors) / sizeof(vectors[0]))


#endif /* VECTORS_H_INCLUDED */
