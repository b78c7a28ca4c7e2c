
/*
 * Problems, long and short.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "leadq_problem.h"


static leadq_errors_t  errors = {
    .n = 2,
    .error = {
        { { 5, "email" }, LEADQ_EMAIL_NO_AT },
        { { 5, "a&\"=\xff" }, LEADQ_UNKNOWN_FIELD },
    }
};


static void
same(leadq_buf_t *buf, const char *expected)
{
    assert_false(buf->failed);
    leadq_buf_put(buf, "", 1);
    assert_string_equal(buf->data, expected);
    leadq_buf_done(buf);
}


static void
a_problem_names_every_field(void **state)
{
    leadq_buf_t  buf;

    (void) state;

    leadq_buf_init(&buf, 4096);
    leadq_problem_put(&buf, 422, "validation", "Not \"valid\"", &errors);
    same(&buf, "{\"type\":\"urn:leadq:problem:validation\","
         "\"title\":\"Not \\\"valid\\\"\",\"status\":422,\"errors\":["
         "{\"field\":\"email\",\"code\":\"email-no-at\","
         "\"detail\":\"has no @\"},"
         "{\"field\":\"a&\\\"=\xef\xbf\xbd\",\"code\":\"unknown-field\","
         "\"detail\":\"is not expected here\"}]}\n");

    leadq_buf_init(&buf, 4096);
    leadq_problem_put(&buf, 503, "queue-full", "Later", NULL);
    same(&buf, "{\"type\":\"urn:leadq:problem:queue-full\","
         "\"title\":\"Later\",\"status\":503}\n");
}


static void
the_short_form_is_safe_in_a_query(void **state)
{
    leadq_buf_t  buf;

    (void) state;

    leadq_buf_init(&buf, 4096);
    leadq_problem_brief(&buf, "validation", &errors);
    same(&buf, "email.email-no-at,a%26%22%3D%FF.unknown-field");

    leadq_buf_init(&buf, 4096);
    leadq_problem_brief(&buf, "queue-full", NULL);
    same(&buf, "queue-full");
}


static void
problems_of_sql_are_shortened(void **state)
{
    size_t       i;
    leadq_buf_t  buf;

    static const struct {
        const char  *text;
        const char  *brief;
    } v[] = {
        { "{\"type\":\"urn:leadq:problem:duplicate\"}", "duplicate" },
        { "{\"type\":\"urn:leadq:problem:a&b\"}", "a%26b" },
        { "{\"type\":\"https://example.org/x\"}", "failed" },
        { "{\"type\":\"urn:leadq:problem:validation\",\"errors\":["
          "{\"field\":\"a\",\"code\":\"b\"},{\"field\":1},"
          "{\"field\":\"c d\",\"code\":\"e\"}]}", "a.b,c%20d.e" },
        { "{\"errors\":{}}", "failed" },
        { "[]", "failed" },
        { "no json", "failed" },
        { "", "failed" },
    };

    (void) state;

    for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        leadq_buf_init(&buf, 4096);
        leadq_problem_shorten(&buf, v[i].text, strlen(v[i].text), "failed");
        same(&buf, v[i].brief);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_problem_names_every_field),
        cmocka_unit_test(the_short_form_is_safe_in_a_query),
        cmocka_unit_test(problems_of_sql_are_shortened),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
