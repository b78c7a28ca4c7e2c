
/*
 * Whole bodies as one value: JSON as it is, forms as objects, and how much of
 * either is too much.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "leadq_body.h"
#include "leadq_form.h"
#include "leadq_json.h"
#include "leadq_shape.h"


#define STR(text)  { sizeof(text) - 1, text }


enum { NUMBER, BODY, FIELDS };


static const leadq_field_t  fields[FIELDS] = {
    [NUMBER] = { .name = STR("number"), .inside = 1,
                 .rule = { .type = LEADQ_TYPE_DIGITS, .max = 8 } },
    [BODY] = { .name = STR("receipt"), .required = 1,
               .rule = { .type = LEADQ_TYPE_BODY, .max = 40,
                         .depth = LEADQ_DEPTH_BODY } },
};

static const leadq_shape_t  shape = {
    .fields = fields, .nfields = FIELDS, .whole = &fields[BODY]
};


/* The value, or "!code". */

static void
outcome(char *got, size_t size, leadq_code_e code, leadq_buf_t *text)
{
    assert_false(text->failed);

    if (code == LEADQ_OK) {
        snprintf(got, size, "%.*s", (int) text->len,
                 text->len ? text->data : "");
    } else {
        snprintf(got, size, "!%s", leadq_code_name(code));
    }

    leadq_buf_done(text);
}


static void
json(const char *in, const char *expected)
{
    char           got[256];
    leadq_buf_t    text;
    leadq_code_e   code;
    leadq_pairs_t  pairs;

    leadq_buf_init(&text, 1024);
    leadq_json_whole(in, strlen(in), &pairs);

    code = leadq_body_check(&fields[BODY].rule, &pairs, &text);
    outcome(got, sizeof(got), code, &text);

    if (strcmp(got, expected) != 0) {
        fail_msg("%s gave %s instead of %s", in, got, expected);
    }
}


static void
form(const char *in, const char *expected)
{
    char           got[512], arena[2048];
    leadq_buf_t    text;
    leadq_code_e   code;
    leadq_pairs_t  pairs;

    leadq_buf_init(&text, 1024);
    assert_true(strlen(in) <= sizeof(arena));
    assert_int_equal(leadq_form_parse(in, strlen(in), arena, &pairs),
                     LEADQ_OK);

    code = leadq_body_check(&fields[BODY].rule, &pairs, &text);
    outcome(got, sizeof(got), code, &text);

    if (strcmp(got, expected) != 0) {
        fail_msg("%s gave %s instead of %s", in, got, expected);
    }
}


static void
json_stays_as_it_was_written(void **state)
{
    (void) state;

    json("{ \"id\" : 17,\n \"a b\": [ true, null ] }",
         "{\"id\":17,\"a b\":[true,null]}");
    json("[1, 2]", "[1,2]");
    json(" \"text\"\n", "\"text\"");
    json("-1.50", "-1.50");
    json("false", "false");

    json("", "");
    json(" \r\n\t", "");
    json("null", "");
}


/* What jsonb takes, whoever wrote it. */

static void
json_of_others_is_taken_where_ours_would_not_be(void **state)
{
    (void) state;

    json("{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}");
    json("12345678901234567890123456789", "12345678901234567890123456789");
    json("\"a\xe2\x80\xa8\x7f\xc2\x85\"", "\"a\xe2\x80\xa8\x7f\xc2\x85\"");
    json("[[[[[[[[]]]]]]]]", "[[[[[[[[]]]]]]]]");
}


static void
json_that_is_none_is_refused(void **state)
{
    (void) state;

    json("{\"a\":1", "!json-bad-value");
    json("a=b", "!json-bad-value");
    json("{} {}", "!json-bad-value");
    json("'a'", "!json-bad-value");
    json("1e9999", "!json-bad-value");
    json("\"\\ud800\"", "!json-bad-value");
    json("\"a\nb\"", "!json-bad-value");
    json("\"\\u0000\"", "!control-character");
    json("\"\xff\"", "!not-utf8");
    json("[[[[[[[[[]]]]]]]]]", "!json-too-deep");
}


static void
a_maximum_is_that_of_what_it_becomes(void **state)
{
    (void) state;

    json("[1234567890, 1234567890, 1234567890,    123456]",
         "!too-long");
    json("[1234567890, 1234567890, 1234567890,    12345]",
         "[1234567890,1234567890,1234567890,12345]");
}


static void
forms_become_objects_of_strings(void **state)
{
    (void) state;

    form("id=17&state=%D0%94&x=",
         "{\"id\":\"17\",\"state\":\"Д\",\"x\":\"\"}");
    form("a=1&b=2&a=3&c=4&a=",
         "{\"a\":[\"1\",\"3\",\"\"],\"b\":\"2\",\"c\":\"4\"}");
    form("", "");
    form("a", "{\"a\":\"\"}");
    form("%22=%5C", "{\"\\\"\":\"\\\\\"}");
    form("a=%FF&b=%00%0A", "{\"a\":\"\xef\xbf\xbd\","
         "\"b\":\"\xef\xbf\xbd\\u000a\"}");
}


static void
forms_have_a_maximum_too(void **state)
{
    (void) state;

    form("a=12345678901234567890123456789012",
         "{\"a\":\"12345678901234567890123456789012\"}");
    form("a=123456789012345678901234567890123", "!too-long");
    form("a=12345678901234567890123456789012345678901", "!too-long");
    form("a=%01%01%01%01%01%01", "!too-long");
    form("a=123456789012345678901234&b=", "{\"a\":\"123456789012345678901234"
         "\",\"b\":\"\"}");
    form("a=1234567890123456789&a=123456789&a=2", "!too-long");
    form("a=1&b=2&c=3&d=4&e=5&f=6&g=7&h=8", "!too-long");
}


/* The row of a form, or the code of the field's error. */

static void
row(const char *in, const char *expected)
{
    char                 got[256], arena[256];
    leadq_buf_t          buf;
    leadq_pairs_t        pairs;
    leadq_errors_t       errors;
    const leadq_str_t    inside[FIELDS] = { [NUMBER] = STR("7"),
                                            [BODY] = STR("") };
    const leadq_given_t  given = { .pairs = &pairs, .inside = inside };

    static leadq_suggestions_t  suggestions;

    if (*in == '{') {
        leadq_json_whole(in, strlen(in), &pairs);

    } else {
        assert_int_equal(leadq_form_parse(in, strlen(in), arena, &pairs),
                         LEADQ_OK);
    }

    leadq_buf_init(&buf, sizeof(got) - 1);
    assert_int_equal(leadq_shape_check(&shape, &given, &errors,
                                       &suggestions, &buf), 0);

    snprintf(got, sizeof(got), "%.*s", errors.n ? 0 : (int) buf.len,
             buf.data);

    if (errors.n) {
        assert_int_equal(errors.n, 1);
        assert_string_equal(errors.error[0].field.data, "receipt");
        snprintf(got, sizeof(got), "%s",
                 leadq_code_name(errors.error[0].code));
    }

    leadq_buf_done(&buf);
    assert_string_equal(got, expected);
}


static void
a_shape_takes_all_of_it_as_one_field(void **state)
{
    (void) state;

    row("number=1&other=2", "{\"number\":\"7\","
        "\"receipt\":{\"number\":\"1\",\"other\":\"2\"}}");
    row("{\"number\":1}", "{\"number\":\"7\",\"receipt\":{\"number\":1}}");
    row("", "required");
    row("{", "json-bad-value");
    row("a=12345678901234567890123456789012345678901", "too-long");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(json_stays_as_it_was_written),
        cmocka_unit_test(json_of_others_is_taken_where_ours_would_not_be),
        cmocka_unit_test(json_that_is_none_is_refused),
        cmocka_unit_test(a_maximum_is_that_of_what_it_becomes),
        cmocka_unit_test(forms_become_objects_of_strings),
        cmocka_unit_test(forms_have_a_maximum_too),
        cmocka_unit_test(a_shape_takes_all_of_it_as_one_field),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
