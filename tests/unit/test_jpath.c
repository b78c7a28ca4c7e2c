/*
 * Paths into JSON: members, places of arrays, what is nowhere.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "jpath.h"
#include "match.h"

static void
at(const char *text, const char *path, const char *want)
{
    char number[JPATH_NUMBER];
    const char *found;
    json_t *json;

    json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    found = jpath_text_at(json, path, number);
    if (want == NULL) {
        assert_null(found);
    } else {
        assert_non_null(found);
        assert_string_equal(found, want);
    }
    json_decref(json);
}

static void
members_and_places_are_found(void **state)
{
    static const char text[] =
        "{\"messages\": [{\"id\": 17}, {\"id\": \"x\", \"ok\": true}],"
        " \"a\": {\"b\": {\"\\u043f\": -3}}, \"0\": {\"1\": false}}";

    (void)state;
    at(text, "messages.0.id", "17");
    at(text, "messages.1.id", "x");
    at(text, "messages.1.ok", "true");
    at(text, "a.b.\xd0\xbf", "-3");
    at(text, "0.1", "false");
    at("[[\"first\", \"second\"]]", "0.1", "second");
    at("[3222269333010907000]", "0", "3222269333010907000");
}

static void
what_is_nowhere_is_not_found(void **state)
{
    static const char text[] = "{\"a\": {\"b\": [1, {}]}, \"n\": null}";
    static const char *const paths[] = {
        "", ".", "a.", ".a", "a..b", "a", "a.b", "a.b.2", "a.b.-1", "a.b.x",
        "a.b.1", "a.b.0.c", "b", "n", "n.a", "a.b.00000000000000000001",
        "a.b.18446744073709551616"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        at(text, paths[i], NULL);
    }
    at("1.5", "a", NULL);
    at("[1.5]", "0", NULL);
    assert_null(jpath_text_at(NULL, "a", NULL));
    assert_null(jpath_text(NULL, NULL));
}

static void
answers_are_matched_in_arrays(void **state)
{
    static const char text[] = "{\"messages\":[{\"code\":\"OK\"}]}";

    (void)state;
    assert_true(match_test(MATCH_JSON_PATH, "messages.0.code=OK", text,
                           strlen(text)));
    assert_false(match_test(MATCH_JSON_PATH, "messages.1.code=OK", text,
                            strlen(text)));
    assert_true(match_test(MATCH_JSON_PATH, "0=7", "[7]", 3));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_and_places_are_found),
        cmocka_unit_test(what_is_nowhere_is_not_found),
        cmocka_unit_test(answers_are_matched_in_arrays),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
