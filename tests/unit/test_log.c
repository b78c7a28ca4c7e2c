/*
 * The small bottom layer: log lines, buffers, array values, lists.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "array.h"
#include "buf.h"
#include "list.h"
#include "log.h"

/* What log_write writes to standard error. */
static void
logged(log_level_e level, const char *text, const char *want)
{
    char got[2000];
    int fds[2], kept;
    ssize_t len;

    assert_int_equal(pipe(fds), 0);
    kept = dup(STDERR_FILENO);
    assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
    log_write(level, "%s", text);
    (void)dup2(kept, STDERR_FILENO);
    (void)close(kept);
    (void)close(fds[1]);
    len = read(fds[0], got, sizeof(got) - 1);
    (void)close(fds[0]);
    assert_true(len >= 0);
    got[len] = '\0';
    assert_string_equal(got, want);
}

static void
a_line_has_its_priority_and_one_end(void **state)
{
    (void)state;
    log_set_level(LOG_LEVEL_INFO);
    logged(LOG_LEVEL_INFO, "job settle job=1", "<6>job settle job=1\n");
    logged(LOG_LEVEL_ERROR, "x", "<3>x\n");
    logged(LOG_LEVEL_DEBUG, "x", "");
    log_set_level(LOG_LEVEL_ERROR);
    logged(LOG_LEVEL_WARN, "x", "");
    log_set_level(LOG_LEVEL_INFO);
}

static void
a_line_that_is_too_long_is_cut(void **state)
{
    char text[3000], want[1100];

    (void)state;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    (void)snprintf(want, sizeof(want), "<6>%.*s\n", 1019, text);
    logged(LOG_LEVEL_INFO, text, want);
}

static void
text(const char *value, const char *want)
{
    char out[LOG_TEXT_SIZE];

    assert_string_equal(log_text(out, value), want);
}

static void
texts_are_quoted_when_they_need_it(void **state)
{
    char out[LOG_TEXT_SIZE], endless[2000];

    (void)state;
    text("plain", "plain");
    text("", "\"\"");
    text("two words", "\"two words\"");
    text("a\"b\\c", "\"a\\\"b\\\\c\"");
    text("k=v", "\"k=v\"");
    text("a\nb", "a b");
    text("a \x7f\x01", "\"a   \"");
    memset(endless, '"', sizeof(endless));
    endless[sizeof(endless) - 1] = '\0';
    assert_true(strlen(log_text(out, endless)) < LOG_TEXT_SIZE);
    memset(endless, 'x', sizeof(endless) - 1);
    assert_true(strlen(log_text(out, endless)) < LOG_TEXT_SIZE);
}

static void
levels_have_names(void **state)
{
    (void)state;
    assert_int_equal(log_level_parse("error"), LOG_LEVEL_ERROR);
    assert_int_equal(log_level_parse("debug"), LOG_LEVEL_DEBUG);
    assert_int_equal(log_level_parse("all"), -1);
    assert_int_equal(log_level_parse(""), -1);
}

static void
a_buffer_grows_to_its_maximum_and_no_further(void **state)
{
    char *taken;
    buf_t buf;

    (void)state;
    buf_init(&buf, 1000);
    assert_string_equal(buf_str(&buf), "");
    buf_addf(&buf, "%d-%s", 12, "ab");
    buf_add_char(&buf, '.');
    buf_add_str(&buf, "cd");
    buf_add(&buf, "efgh", 2);
    assert_string_equal(buf_str(&buf), "12-ab.cdef");
    assert_int_equal(buf.len, 10);
    taken = buf_take(&buf);
    assert_string_equal(taken, "12-ab.cdef");
    free(taken);
    taken = buf_take(&buf);
    assert_string_equal(taken, "");
    free(taken);
    while (!buf.failed) {
        buf_add_str(&buf, "0123456");
    }
    assert_true(buf.len <= 1000);
    assert_true(buf.len > 1000 - 7);
    buf_add_char(&buf, 'x');
    assert_null(buf_take(&buf));
    buf_addf(&buf, "%2000d", 1);
    assert_true(buf.failed);
    buf_reset(&buf);
    assert_false(buf.failed);
    buf_done(&buf);
    buf_done(&buf);
}

static void
arrays_are_quoted(void **state)
{
    buf_t array;

    (void)state;
    buf_init(&array, 1000);
    array_end(&array);
    assert_string_equal(buf_str(&array), "{}");
    buf_reset(&array);
    array_add(&array, "1");
    array_add(&array, "");
    array_add(&array, "{\"a\":\"b\\\\c,d\"}");
    array_end(&array);
    assert_string_equal(buf_str(&array),
                        "{\"1\",\"\",\"{\\\"a\\\":\\\"b\\\\\\\\c,d\\\"}\"}");
    buf_done(&array);
}

static void
lists_join_and_part(void **state)
{
    list_t one, two, a, b, c, *link;
    int n;

    (void)state;
    list_init(&one);
    list_init(&two);
    list_append(&one, &a);
    list_append(&two, &b);
    list_append(&two, &c);
    list_join(&one, &two);
    assert_true(list_empty(&two));
    assert_ptr_equal(one.next, &a);
    assert_ptr_equal(one.prev, &c);
    list_join(&one, &two);
    n = 0;
    list_for_each (link, &one) {
        n++;
    }
    assert_int_equal(n, 3);
    list_remove(&b);
    list_remove(&b);
    list_remove(&a);
    list_remove(&c);
    assert_true(list_empty(&one));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_its_priority_and_one_end),
        cmocka_unit_test(a_line_that_is_too_long_is_cut),
        cmocka_unit_test(texts_are_quoted_when_they_need_it),
        cmocka_unit_test(levels_have_names),
        cmocka_unit_test(a_buffer_grows_to_its_maximum_and_no_further),
        cmocka_unit_test(arrays_are_quoted),
        cmocka_unit_test(lists_join_and_part),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
