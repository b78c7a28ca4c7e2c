
/*
 * JSON bodies in, JSON text out; expected pairs are "name=value|...".
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


static void
check(const char *body, const char *expected)
{
    char           got[1024], *arena, *p;
    size_t         i;
    leadq_code_e   code;
    leadq_pairs_t  pairs;

    arena = malloc(strlen(body) + 1);
    assert_non_null(arena);

    code = leadq_json_parse(body, strlen(body), arena, NULL, &pairs);

    p = got;
    *p = '\0';

    if (code != LEADQ_OK) {
        p += sprintf(p, "!%s", leadq_code_name(code));

        if (pairs.culprit.len) {
            sprintf(p, " %.*s", (int) pairs.culprit.len, pairs.culprit.data);
        }

    } else {

        for (i = 0; i < pairs.n; i++) {
            p += sprintf(p, "%s%.*s%s%.*s", i ? "|" : "",
                         (int) pairs.pair[i].name.len, pairs.pair[i].name.data,
                         pairs.pair[i].scalar ? "=" : "!",
                         (int) pairs.pair[i].value.len,
                         pairs.pair[i].value.data);
        }
    }

    free(arena);

    if (strcmp(got, expected) != 0) {
        fail_msg("%s gave \"%s\" instead of \"%s\"", body, got, expected);
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
        { "{}", "" },
        { " { \"a\" : \"b\" } \n", "a=b" },
        { "{\"a\":1,\"b\":-0,\"c\":9223372036854775807}",
          "a=1|b=0|c=9223372036854775807" },
        { "{\"a\":true,\"b\":false,\"c\":null}", "a=true|b=false|c=" },
        { "{\"a\":\"\\u0410\\ud83d\\ude00\\n\\/\"}", "a=А😀\n/" },
        { "{\"$x\":\"a{[,\\\"}\"}", "$x=a{[,\"}" },
        { "{\"a\":[1,2],\"b\":{\"c\":{}},\"d\":1.5}", "a!|b!|d!" },

        { "", "!bad-json" },
        { "[]", "!bad-json" },
        { "\"a\"", "!bad-json" },
        { "{\"a\":1", "!bad-json" },
        { "{\"a\":1}x", "!bad-json" },
        { "{\"a\":1,}", "!bad-json" },
        { "{'a':1}", "!bad-json" },
        { "{\"\":1}", "!bad-json" },
        { "{\"a\":01}", "!bad-json" },
        { "{\"a\":99999999999999999999}", "!bad-json" },
        { "{\"a\":\"\\ud800\"}", "!bad-json" },
        { "{\"a\\u0000b\":1}", "!bad-json" },
        { "{\"a\":\"b\nc\"}", "!bad-json" },
        { "{\"a\":[[[[[[[[1]]]]]]]]}", "!bad-json" },
        { "{\"a\":\"\xff\"}", "!bad-encoding" },
        { "{\"a\":\"\xed\xa0\x80\"}", "!bad-encoding" },
        { "{\"a\":\xff}", "!bad-encoding" },
        { "{\"email\":\"a\", \"email\":\"b\"}", "!duplicate-field email" },
        { "{\"a\":\"\\\"\",\"a\":1}", "!duplicate-field a" },
        { "{\"a\\u0062\":1,\"a\\u0062\":1}", "!duplicate-field" },
    };

    (void) state;

    for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        check(v[i].body, v[i].pairs);
    }
}


static void
sixty_five_fields_and_a_thousand_elements_are_too_many(void **state)
{
    int    i;
    char   body[8192], *p;

    (void) state;

    p = body;

    for (i = 0; i < 65; i++) {
        p += sprintf(p, "%c\"f%d\":1", i ? ',' : '{', i);
    }

    strcpy(p, "}");
    check(body, "!too-many-fields");

    p = body + sprintf(body, "{\"a\":[1");

    for (i = 0; i < 1024; i++) {
        p += sprintf(p, ",1");
    }

    strcpy(p, "]}");
    check(body, "!too-many-fields");
}


static void
a_nul_inside_is_kept_for_the_types_to_refuse(void **state)
{
    char           arena[32];
    leadq_pairs_t  pairs;

    (void) state;

    assert_int_equal(leadq_json_parse("{\"a\":\"b\\u0000c\"}", 16, arena, NULL,
                                      &pairs), LEADQ_OK);
    assert_int_equal(pairs.pair[0].value.len, 3);
    assert_memory_equal(pairs.pair[0].value.data, "b\0c", 3);

    assert_int_equal(leadq_json_parse("{\"a\":1}\0", 8, arena, NULL, &pairs),
                     LEADQ_BAD_JSON);
}


static void
the_text_of_every_value_is_known(void **state)
{
    char           arena[128];
    size_t         i;
    leadq_pairs_t  pairs;

    static const char  body[] =
        "{\"a\" : {\"b\":[1,{}]} ,\"c:,\":\"d}\",\"e\":\n1.50\t}";
    static const char *const  raw[] = { "{\"b\":[1,{}]}", "\"d}\"", "1.50" };

    (void) state;

    assert_int_equal(leadq_json_parse(body, sizeof(body) - 1, arena, NULL,
                                      &pairs), LEADQ_OK);
    assert_int_equal(pairs.n, 3);

    for (i = 0; i < pairs.n; i++) {
        assert_int_equal(pairs.pair[i].raw.len, strlen(raw[i]));
        assert_memory_equal(pairs.pair[i].raw.data, raw[i],
                            pairs.pair[i].raw.len);
    }
}


static void
text_is_written_escaped_and_valid(void **state)
{
    size_t       i;
    leadq_buf_t  buf;

    static const struct {
        const char  *in;
        size_t       len;
        const char  *out;
    } v[] = {
        { "", 0, "\"\"" },
        { "abc", 3, "\"abc\"" },
        { "Анна", 8, "\"Анна\"" },
        { "a\"b\\c/", 6, "\"a\\\"b\\\\c/\"" },
        { "a\nb\x7f", 4, "\"a\\u000ab\\u007f\"" },
        { "a\0b", 3, "\"a\xef\xbf\xbd""b\"" },
        { "a\xff" "b\xe2\x82", 5,
          "\"a\xef\xbf\xbd""b\xef\xbf\xbd\xef\xbf\xbd\"" },
    };

    (void) state;

    for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        leadq_buf_init(&buf, 100);
        leadq_json_put(&buf, v[i].in, v[i].len);
        assert_false(buf.failed);
        assert_int_equal(buf.len, strlen(v[i].out));
        assert_memory_equal(buf.data, v[i].out, buf.len);
        leadq_buf_done(&buf);
    }
}


static void
a_buffer_ends_at_its_maximum(void **state)
{
    leadq_buf_t  buf;

    (void) state;

    leadq_buf_init(&buf, 600);
    leadq_buf_put(&buf, "0123456789", 10);
    assert_false(buf.failed);

    while (!buf.failed) {
        leadq_buf_puts(&buf, "0123456789");
    }

    assert_true(buf.len > 590 && buf.len <= 600);
    leadq_buf_puts(&buf, "");
    assert_null(leadq_buf_room(&buf, 1));

    leadq_buf_done(&buf);
    assert_null(buf.data);
    leadq_buf_done(&buf);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(bodies),
        cmocka_unit_test(
            sixty_five_fields_and_a_thousand_elements_are_too_many),
        cmocka_unit_test(a_nul_inside_is_kept_for_the_types_to_refuse),
        cmocka_unit_test(the_text_of_every_value_is_known),
        cmocka_unit_test(text_is_written_escaped_and_valid),
        cmocka_unit_test(a_buffer_ends_at_its_maximum),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
