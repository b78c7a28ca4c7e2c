
/*
 * Urlencoded bodies; expected pairs are written "name=value|name=value".
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "leadq_form.h"


static void
check(const char *body, size_t len, const char *expected)
{
    char           got[1024], *arena, *p;
    size_t         i;
    leadq_code_e   code;
    leadq_pairs_t  pairs;

    arena = malloc(len + 1);
    assert_non_null(arena);

    code = leadq_form_parse(body, len, arena, &pairs);

    p = got;
    *p = '\0';

    if (code != LEADQ_OK) {
        p += sprintf(p, "!%s", leadq_code_name(code));

        if (pairs.culprit.len) {
            sprintf(p, " %.*s", (int) pairs.culprit.len, pairs.culprit.data);
        }

    } else {

        for (i = 0; i < pairs.n; i++) {
            p += sprintf(p, "%s%.*s=%.*s", i ? "|" : "",
                         (int) pairs.pair[i].name.len, pairs.pair[i].name.data,
                         (int) pairs.pair[i].value.len,
                         pairs.pair[i].value.data);
        }
    }

    free(arena);

    if (strcmp(got, expected) != 0) {
        fail_msg("\"%s\" gave \"%s\" instead of \"%s\"", body, got, expected);
    }
}


static void
bodies(void **state)
{
    size_t  i;

    static const struct {
        const char  *body;
        const char  *pairs;
    } v[] = {
        { "", "" },
        { "a=1", "a=1" },
        { "a=1&b=2", "a=1|b=2" },
        { "a=1&&b=2&", "a=1|b=2" },
        { "a", "a=" },
        { "a=&b", "a=|b=" },
        { "a=b=c", "a=b=c" },
        { "a+b=c+d", "a b=c d" },
        { "%61=%41%2b%26", "a=A+&" },
        { "e=%D0%90%d0%bd", "e=Ан" },
        { "a=1&a=2", "a=1|a=2" },
        { "v=%ff", "v=\xff" },
        { "=1", "!bad-form" },
        { "a=1&=2", "!bad-form" },
        { "a=%", "!bad-form a" },
        { "a=%4", "!bad-form a" },
        { "a=%4g", "!bad-form a" },
        { "a=%zz&b=1", "!bad-form a" },
        { "%=1", "!bad-form" },
        { "%ff=1", "!bad-encoding" },
        { "%c0%80=1", "!bad-encoding" },
    };

    (void) state;

    for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        check(v[i].body, strlen(v[i].body), v[i].pairs);
    }
}


static void
a_nul_inside_is_kept_for_the_types_to_refuse(void **state)
{
    char           arena[16];
    leadq_pairs_t  pairs;

    (void) state;

    assert_int_equal(leadq_form_parse("a=b%00c", 7, arena, &pairs), LEADQ_OK);
    assert_int_equal(pairs.pair[0].value.len, 3);
    assert_memory_equal(pairs.pair[0].value.data, "b\0c", 3);
}


static void
sixty_four_fields_and_one_more(void **state)
{
    int            i;
    char           body[1024], arena[1024], *p;
    leadq_pairs_t  pairs;

    (void) state;

    for (p = body, i = 0; i < 64; i++) {
        p += sprintf(p, "f%d=%d&", i, i);
    }

    assert_int_equal(leadq_form_parse(body, strlen(body), arena, &pairs),
                     LEADQ_OK);
    assert_int_equal(pairs.n, 64);

    strcpy(p, "x=1");
    assert_int_equal(leadq_form_parse(body, strlen(body), arena, &pairs),
                     LEADQ_TOO_MANY_FIELDS);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(bodies),
        cmocka_unit_test(a_nul_inside_is_kept_for_the_types_to_refuse),
        cmocka_unit_test(sixty_four_fields_and_one_more),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
