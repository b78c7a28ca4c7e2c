/*
 * Lines of values in a JSON text.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl_json.h"

static const char document[] = "\n{\n"
                               " \"a\": [1,\n"
                               "  {\"b\": \"x \\\" } ] \",\n"
                               "   \"c\"\n   :\n   null}],\n"
                               " \"e\\u006dail\": true, \"d\": {},\n"
                               " \"d\": -1.5e3\n"
                               "}\n";

static void
every_value_has_a_line(void **state)
{
    static const struct {
        const char *path;
        int line;
    } values[] = {{"", 2},       {"a", 3},      {"a[0]", 3}, {"a[1]", 4},
                  {"a[1].b", 4}, {"a[1].c", 7}, {"email", 8}};
    ctl_json_t *json;
    size_t i;

    (void)state;
    json = ctl_json_new(document);
    assert_non_null(json);
    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        assert_int_equal(ctl_json_line(json, values[i].path), values[i].line);
    }
    ctl_json_free(json);
}

static void
what_is_missing_stands_where_its_parent_does(void **state)
{
    ctl_json_t *json;

    (void)state;
    json = ctl_json_new(document);
    assert_non_null(json);
    assert_int_equal(ctl_json_line(json, "a[1].zz"), 4);
    assert_int_equal(ctl_json_line(json, "a[1].b[7].x.y"), 4);
    assert_int_equal(ctl_json_line(json, "a[9]"), 3);
    assert_int_equal(ctl_json_line(json, "zz"), 2);
    assert_int_equal(ctl_json_line(json, "[.[."), 2);
    ctl_json_free(json);
}

static void
on_repeated(void *data, const char *path, int line, int first)
{
    char *got = data;
    size_t len;

    len = strlen(got);
    (void)snprintf(got + len, 200 - len, "%s %d %d;", path, line, first);
}

static void
check_repeated(const char *text, const char *expected)
{
    char got[200] = "";
    ctl_json_t *json;

    json = ctl_json_new(text);
    assert_non_null(json);
    ctl_json_each_repeated(json, on_repeated, got);
    assert_string_equal(got, expected);
    ctl_json_free(json);
}

static void
repeated_keys_are_told(void **state)
{
    (void)state;
    check_repeated(document, "d 9 8;");
    check_repeated("{\"a\":1,\n\"a\":2,\n\"\\u0061\":3}", "a 2 1;a 3 1;");
    check_repeated("[{\"a\":1},{\"a\":1}]", "");
    check_repeated("{\"a\":{\"b\":1},\"b\":2}", "");
    check_repeated("[1,1]", "");
}

static void
what_is_no_json_ends_the_walk(void **state)
{
    static const char *const texts[] = {
        "",           " ",    "{",      "[",       "\"",
        "\"\\",       "{\"a", "{\"a\"", "{\"a\":", "{a:1}",
        "[,,]",       "]",    "}{",     "[1 2 3",  "{\"\\u12\":1}",
        "[\"a\nb\"]", ":",    NULL};
    ctl_json_t *json;
    size_t i;

    (void)state;
    for (i = 0; texts[i] != NULL; i++) {
        json = ctl_json_new(texts[i]);
        assert_non_null(json);
        assert_true(ctl_json_line(json, "a[0].b") >= 1);
        ctl_json_free(json);
    }
}

static void
deep_and_long_texts_end_the_walk(void **state)
{
    static const size_t len = 300000;
    ctl_json_t *json;
    char *text;
    size_t i;

    (void)state;
    text = malloc(len + 1);
    assert_non_null(text);
    memset(text, '[', len);
    text[len] = '\0';
    json = ctl_json_new(text);
    assert_non_null(json);
    assert_int_equal(ctl_json_line(json, "[0][0]"), 1);
    ctl_json_free(json);

    for (i = 0; i < len; i++) {
        text[i] = i == 0 ? '[' : i % 3 == 1 ? '1' : i % 3 == 2 ? ',' : '\n';
    }
    json = ctl_json_new(text);
    assert_non_null(json);
    assert_int_equal(ctl_json_line(json, "[7]"), 8);
    assert_int_equal(ctl_json_line(json, "[99999]"), 1);
    ctl_json_free(json);
    free(text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_has_a_line),
        cmocka_unit_test(what_is_missing_stands_where_its_parent_does),
        cmocka_unit_test(repeated_keys_are_told),
        cmocka_unit_test(what_is_no_json_ends_the_walk),
        cmocka_unit_test(deep_and_long_texts_end_the_walk),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
