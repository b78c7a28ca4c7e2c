/*
 * Differences between two documents.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "buf.h"
#include "ctl_diff.h"

static void
add_line(void *data, const char *line)
{
    buf_addf(data, "%s\n", line);
}

static void
differences(void **state)
{
    static const struct {
        const char *before, *after, *lines;
    } cases[] = {
        {"{}", "{}", ""},
        {"{\"a\": 1}", "{\"a\": 1}", ""},
        {"{\"a\": null}", "{}", ""},
        {"{}", "{\"a\": null}", ""},
        {"{\"a\": 1}", "{\"a\": 2}", "~ a: 1 -> 2\n"},
        {"{\"a\": 1}", "{}", "~ a: 1 -> null\n"},
        {"{}", "{\"a\": \"b\"}", "~ a: null -> \"b\"\n"},
        {"{\"a\": 1}", "{\"a\": \"1\"}", "~ a: 1 -> \"1\"\n"},
        {"{\"a\": {\"b\": [1, 2]}}", "{\"a\": {\"b\": [1, 3, 4]}}",
         "~ a.b[1]: 2 -> 3\n~ a.b[2]: null -> 4\n"},
        {"{\"a\": [1, 2]}", "{\"a\": [1]}", "~ a[1]: 2 -> null\n"},
        {"{\"s\": []}", "{\"s\": [{\"name\": \"x\"}]}", "+ s[x]\n"},
        {"{\"s\": [{\"name\": \"x\"}]}", "{\"s\": []}", "- s[x]\n"},
        {"{\"s\": [{\"name\": \"x\", \"v\": 1}, {\"name\": \"y\"}]}",
         "{\"s\": [{\"name\": \"y\"}, {\"name\": \"x\", \"v\": 2}]}",
         "~ s[x].v: 1 -> 2\n"},
        {"{\"t\": [{\"name\": \"x\", \"lang\": \"ru\", \"v\": 1},"
         "         {\"name\": \"x\", \"lang\": \"en\", \"v\": 1}]}",
         "{\"t\": [{\"name\": \"x\", \"lang\": \"ru\", \"v\": 1},"
         "         {\"name\": \"x\", \"lang\": \"en\", \"v\": 3}]}",
         "~ t[x en].v: 1 -> 3\n"},
        {"{\"s\": [{\"name\": \"x\", \"lang\": \"ru\"}]}",
         "{\"s\": [{\"name\": \"x\", \"lang\": \"en\"}]}",
         "~ s[x].lang: \"ru\" -> \"en\"\n"},
        {"{\"t\": \"a\\nb\\nc\"}", "{\"t\": \"a\\nb b\\nc\"}",
         "~ t: line 2: \"b\" -> \"b b\"\n"},
        {"{\"t\": \"a\\n\"}", "{\"t\": \"a\"}",
         "~ t: line 1: \"a\" -> \"a\"\n"},
        {"{\"a\": {\"b\": 1}}", "{\"a\": [1]}", "~ a: {\"b\":1} -> [1]\n"},
    };
    json_t *before, *after;
    size_t i, j, n;
    buf_t lines;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        before = json_loads(cases[i].before, 0, NULL);
        after = json_loads(cases[i].after, 0, NULL);
        assert_non_null(before);
        assert_non_null(after);
        buf_init(&lines, 4096);
        n = ctl_diff(before, after, add_line, &lines);
        assert_string_equal(buf_str(&lines), cases[i].lines);
        for (j = 0; cases[i].lines[j] != '\0'; j++) {
            n -= cases[i].lines[j] == '\n';
        }
        assert_int_equal(n, 0);
        buf_done(&lines);
        json_decref(before);
        json_decref(after);
    }
}

/* A long value is cut between two characters, a long path is cut too. */
static void
bounds(void **state)
{
    json_t *before, *after;
    char text[2 * 100 + 1], name[700];
    size_t i;
    buf_t lines;

    (void)state;
    for (i = 0; i < 100; i++) {
        memcpy(text + 2 * i, "\xd1\x8f", 2);
    }
    text[2 * 100] = '\0';
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    before = json_pack("{s: s}", "a", "b");
    after = json_pack("{s: s, s: i}", "a", text, name, 1);
    buf_init(&lines, 4096);
    assert_int_equal(ctl_diff(before, after, add_line, &lines), 2);
    assert_non_null(strstr(buf_str(&lines), "~ a: \"b\" -> \""));
    assert_non_null(strstr(buf_str(&lines), "\xd1\x8f...\n"));
    assert_false(lines.failed);
    buf_done(&lines);
    json_decref(before);
    json_decref(after);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences),
        cmocka_unit_test(bounds),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
