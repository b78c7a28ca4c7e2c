
/*
 * Lists: what is no list, and what becomes of one.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "leadq_json.h"
#include "leadq_list.h"


#define BIG  "0123456789abcdef"


static void
check(const char *in, size_t len, const char *expected)
{
    char           got[256];
    leadq_buf_t    list;
    leadq_code_e   code;

    const leadq_rule_t  rule = { .type = LEADQ_TYPE_LIST, .max = 100,
                                 .depth = 2 };

    leadq_buf_init(&list, sizeof(got));

    code = leadq_list_check(&rule, in, len, &list);
    assert_false(list.failed);

    if (code == LEADQ_OK) {
        snprintf(got, sizeof(got), "%.*s", (int) list.len,
                 list.len ? list.data : "");
    } else {
        snprintf(got, sizeof(got), "!%s", leadq_code_name(code));
    }

    leadq_buf_done(&list);

    if (strcmp(got, expected) != 0) {
        fail_msg("%s gave %s instead of %s", in, got, expected);
    }
}


static void
lists(void **state)
{
    size_t  i;

    static const char *const  v[][2] = {
        { "", "" }, { " \n", "" }, { "null", "" },
        { "[]", "[]" }, { " [ ] ", "[]" }, { "[1, \"a\" ]", "[1,\"a\"]" },
        { "[{\"a\": [1]}, {\"b\": \"]\\\"}\"}]",
          "[{\"a\":[1]},{\"b\":\"]\\\"}\"}]" },
        { "{\"a\": 1}", "[{\"a\":1}]" }, { "7", "[7]" },

        /* values that are left out */
        { "[1,{\"a\":1,\"a\":2},2]", "[1,2]" },
        { "[\"\\u0000\",1]", "[1]" }, { "[\"\\ud800\",1]", "[1]" },
        { "[1,\"\xff\"]", "[1]" }, { "[1,1e999,2]", "[1,2]" },
        { "[[[[]]],[[]]]", "[[[]]]" }, { "[null,,1,]", "[1]" },
        { "[what,1]", "[1]" }, { "[{\"a\":},1]", "[1]" },

        /* what is no list */
        { "[1", "!json-bad-value" }, { "[1]]", "!json-bad-value" },
        { "[1]2", "!json-bad-value" }, { "[\"a]", "!json-bad-value" },
        { "[[1]", "!json-bad-value" }, { "[", "!json-bad-value" },
        { "[\"\\", "!json-bad-value" }, { "{\"a\"", "!json-bad-value" },
        { "[[[]]", "!json-bad-value" },
        { "[\"" BIG BIG BIG "\",\"" BIG BIG BIG "\"]", "!too-long" },
        { "[\"" BIG BIG BIG "\",\"" BIG BIG "\",1,2,3,4]",
          "[\"" BIG BIG BIG "\",\"" BIG BIG "\",1,2,3,4]" },
    };

    (void) state;

    for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        check(v[i][0], strlen(v[i][0]), v[i][1]);
    }

    check("[1\0,2]", 6, "[2]");
    check("[1]\0", 4, "!json-bad-value");
}


static void
a_value_is_as_long_as_that_of_a_field(void **state)
{
    static char  in[LEADQ_VALUE_MAX + 32];

    (void) state;

    memset(in, 'x', sizeof(in));
    memcpy(in, "[1,\"", 4);
    memcpy(in + sizeof(in) - 4, "\",2]", 4);

    check(in, sizeof(in), "[1,2]");
}


static void
a_body_may_be_the_list(void **state)
{
    char           arena[8];
    leadq_pairs_t  pairs;

    static const leadq_str_t  name = { 6, "events" };

    (void) state;

    assert_int_equal(leadq_json_parse(" [what\n ", 8, arena, &name, &pairs),
                     LEADQ_OK);
    assert_int_equal(pairs.n, 1);
    assert_string_equal(pairs.pair[0].name.data, "events");
    assert_int_equal(pairs.pair[0].raw.len, 5);
    assert_memory_equal(pairs.pair[0].raw.data, "[what", 5);

    assert_int_equal(leadq_json_parse("7", 1, arena, &name, &pairs),
                     LEADQ_BAD_JSON);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(a_value_is_as_long_as_that_of_a_field),
        cmocka_unit_test(a_body_may_be_the_list),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
