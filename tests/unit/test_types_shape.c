
/*
 * A request against the shape of its location: rows and lists of errors.
 * Errors are written "field.code field.code".
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
#include "leadq_json.h"
#include "leadq_shape.h"


#define STR(text)  { sizeof(text) - 1, text }


enum { EMAIL, PHONE, NAME, CLICK, CONSENT, LANG, ADVISOR, AGE, QUIZ, FIELDS };


static const leadq_str_t  click_aliases[] = { STR("subid"), STR("aff_sub") };
static const leadq_str_t  langs[] = { STR("ru"), STR("en") };
static const leadq_str_t  sets[] = { STR("source"), STR("ip") };


static leadq_field_t  fields[FIELDS] = {
    [EMAIL] = { .name = STR("email"), .rule = { .type = LEADQ_TYPE_EMAIL } },
    [PHONE] = { .name = STR("phone"), .rule = { .type = LEADQ_TYPE_PHONE } },
    [NAME] = { .name = STR("name"),
               .rule = { .type = LEADQ_TYPE_TEXT, .max = 20 } },
    [CLICK] = { .name = STR("click_id"), .aliases = click_aliases,
                .naliases = 2,
                .rule = { .type = LEADQ_TYPE_TOKEN, .max = 20 } },
    [CONSENT] = { .name = STR("consent"), .required = 1,
                  .rule = { .type = LEADQ_TYPE_BOOL } },
    [LANG] = { .name = STR("lang"), .fallback = STR("ru"),
               .rule = { .type = LEADQ_TYPE_ENUM, .values = langs,
                         .nvalues = 2 } },
    [ADVISOR] = { .name = STR("advisor"), .inside = 1,
                  .rule = { .type = LEADQ_TYPE_TOKEN, .max = 20 } },
    [AGE] = { .name = STR("age"),
              .rule = { .type = LEADQ_TYPE_INT, .least = 18, .most = 120 } },
    [QUIZ] = { .name = STR("quiz"),
               .rule = { .type = LEADQ_TYPE_JSON, .max = 100, .depth = 2 } },
};


static leadq_shape_t  shape = {
    .fields = fields, .nfields = FIELDS, .sets = sets, .nsets = 2
};


static leadq_str_t  set_values[2] = { STR("landing"), STR("") };
static leadq_str_t  inside_values[FIELDS] = { [ADVISOR] = STR("") };


static void
check(const char *body, const char *expected)
{
    char             got[2048], *arena, *p;
    size_t           i;
    leadq_buf_t      row;
    leadq_pairs_t    pairs;
    leadq_given_t    given;
    leadq_errors_t   errors;

    static leadq_suggestions_t  suggestions;

    arena = malloc(strlen(body) + 1);
    assert_non_null(arena);

    if (*body == '{') {
        assert_int_equal(leadq_json_parse(body, strlen(body), arena, NULL,
                                          &pairs), LEADQ_OK);
    } else {
        assert_int_equal(leadq_form_parse(body, strlen(body), arena, &pairs),
                         LEADQ_OK);
    }

    given.pairs = &pairs;
    given.inside = inside_values;
    given.sets = set_values;
    given.now = 1790000000;
    given.extra = NULL;

    leadq_buf_init(&row, sizeof(got) - 1);
    assert_int_equal(leadq_shape_check(&shape, &given, &errors,
                                       &suggestions, &row), 0);

    p = got;

    if (errors.n == 0) {
        memcpy(got, row.data, row.len);
        got[row.len] = '\0';
    }

    for (i = 0; i < errors.n; i++) {
        p += sprintf(p, "%s%.*s.%s", i ? " " : "",
                     (int) errors.error[i].field.len,
                     errors.error[i].field.data,
                     leadq_code_name(errors.error[i].code));
    }

    leadq_buf_done(&row);
    free(arena);

    if (strcmp(got, expected) != 0) {
        fail_msg("%s gave %s instead of %s", body, got, expected);
    }
}


static void
a_good_request_becomes_a_row_in_order_of_declaration(void **state)
{
    (void) state;

    check("consent=on&name=+%D0%90%D0%BD%D0%BD%D0%B0&email=A%40Mail.RU"
          "&phone=8-916-123-45-67&subid=x%22y&lang=",
          "{\"email\":\"A@mail.ru\",\"phone\":\"+79161234567\","
          "\"name\":\"Анна\",\"click_id\":\"x\\\"y\",\"consent\":true,"
          "\"lang\":\"ru\",\"source\":\"landing\"}");

    check("{\"consent\":true,\"phone\":89161234567,\"lang\":\"en\","
          "\"name\":null}",
          "{\"phone\":\"+79161234567\",\"consent\":true,\"lang\":\"en\","
          "\"source\":\"landing\"}");
}


static void
everything_wrong_is_told_at_once(void **state)
{
    (void) state;

    check("email=myaccount%40mail&phone=1&utm=1&consent=0&source=evil"
          "&advisor=me",
          "utm.unknown-field source.unknown-field advisor.unknown-field "
          "email.email-no-domain phone.phone-too-short consent.required");
    check("", "consent.required");
    check("consent=1&subid=a&click_id=b", "click_id.duplicate-field");
    check("consent=1&name=a&name=a", "name.duplicate-field");
    check("{\"consent\":1,\"name\":[\"x\"],\"lang\":\"fr\",\"email\":{}}",
          "email.bad-type name.bad-type lang.enum-bad-value");
}


static void
a_value_from_inside_is_checked_and_never_taken_from_the_body(void **state)
{
    static const leadq_str_t  good = STR("petrova"), bad = STR("a b");
    static const leadq_str_t  none = STR("");

    (void) state;

    inside_values[ADVISOR] = good;
    check("consent=1", "{\"consent\":true,\"lang\":\"ru\","
          "\"advisor\":\"petrova\",\"source\":\"landing\"}");
    inside_values[ADVISOR] = bad;
    check("consent=1", "advisor.token-bad-chars");
    inside_values[ADVISOR] = none;
}


static void
what_the_server_sets_is_made_valid_text(void **state)
{
    static const leadq_str_t  was = STR("");
    static const leadq_str_t  latin1 = STR("ua \xe9\"\n");

    (void) state;

    set_values[1] = latin1;
    check("consent=1", "{\"consent\":true,\"lang\":\"ru\","
          "\"source\":\"landing\",\"ip\":\"ua \xef\xbf\xbd\\\"\\u000a\"}");
    set_values[1] = was;
}


/* mission.md A-5 */

static void
bad_values_pass_along_with_a_click_id(void **state)
{
    (void) state;

    shape.pass_if = &fields[CLICK];
    fields[EMAIL].passes = 1;
    fields[PHONE].passes = 1;

    check("consent=1&email=a%40mail&phone=1&click_id=c7",
          "{\"click_id\":\"c7\",\"consent\":true,\"lang\":\"ru\","
          "\"source\":\"landing\",\"$invalid\":"
          "{\"email\":\"email-no-domain\",\"phone\":\"phone-too-short\"},"
          "\"$suggest\":{\"email\":\"a@mail.ru\"}}");
    check("consent=1&email=a%40mail", "email.email-no-domain");
    check("consent=1&email=a%40mail&click_id=a%20b",
          "click_id.token-bad-chars email.email-no-domain");
    check("consent=0&email=a%40mail&click_id=c7", "consent.required");
    check("consent=1&email=a%40mail&click_id=c7&x=1", "x.unknown-field");

    shape.pass_if = NULL;
    fields[EMAIL].passes = 0;
    fields[PHONE].passes = 0;
}


static void
numbers_and_nested_values_are_written_as_json_has_them(void **state)
{
    (void) state;

    check("{\"consent\":1,\"age\":\"+042\","
          "\"quiz\": [ 1.50, {\"a\": \"}\"} ] }",
          "{\"consent\":true,\"lang\":\"ru\",\"age\":42,"
          "\"quiz\":[1.50,{\"a\":\"}\"}],\"source\":\"landing\"}");
    check("consent=1&age=42&quiz=%5B1,+2%5D",
          "{\"consent\":true,\"lang\":\"ru\",\"age\":42,"
          "\"quiz\":[1,2],\"source\":\"landing\"}");
    check("{\"consent\":1,\"quiz\":\"a\",\"age\":null}",
          "{\"consent\":true,\"lang\":\"ru\",\"quiz\":\"a\","
          "\"source\":\"landing\"}");
    check("{\"consent\":1,\"quiz\":null}",
          "{\"consent\":true,\"lang\":\"ru\",\"source\":\"landing\"}");
    check("consent=1&quiz=a&age=17",
          "age.int-too-small quiz.json-bad-value");
    check("{\"consent\":1,\"age\":18.5,\"quiz\":[[[]]]}",
          "age.bad-type quiz.json-too-deep");
}


/* A suggestion changes nothing of what was given. */

static void
a_likelier_address_is_suggested(void **state)
{
    (void) state;

    check("consent=1&email=A%40Gmial.com",
          "{\"email\":\"A@gmial.com\",\"consent\":true,\"lang\":\"ru\","
          "\"source\":\"landing\",\"$suggest\":{\"email\":\"A@gmail.com\"}}");
    check("consent=1&email=A%40gmail", "email.email-no-domain");

    shape.pass_if = &fields[CLICK];
    fields[EMAIL].passes = 1;

    check("consent=1&email=A%40gmail&subid=c",
          "{\"click_id\":\"c\",\"consent\":true,\"lang\":\"ru\","
          "\"source\":\"landing\","
          "\"$invalid\":{\"email\":\"email-no-domain\"},"
          "\"$suggest\":{\"email\":\"A@gmail.com\"}}");

    shape.pass_if = NULL;
    fields[EMAIL].passes = 0;
}


static void
a_row_that_does_not_fit_is_an_error(void **state)
{
    char            arena[32];
    leadq_buf_t     row;
    leadq_pairs_t   pairs;
    leadq_given_t   given = { .pairs = &pairs, .inside = inside_values,
                              .sets = set_values };
    leadq_errors_t  errors;

    static leadq_suggestions_t  suggestions;

    (void) state;

    assert_int_equal(leadq_form_parse("consent=1", 9, arena, &pairs),
                     LEADQ_OK);
    leadq_buf_init(&row, 10);
    assert_int_equal(leadq_shape_check(&shape, &given, &errors,
                                       &suggestions, &row), -1);
    leadq_buf_done(&row);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_good_request_becomes_a_row_in_order_of_declaration),
        cmocka_unit_test(everything_wrong_is_told_at_once),
        cmocka_unit_test(
            a_value_from_inside_is_checked_and_never_taken_from_the_body),
        cmocka_unit_test(what_the_server_sets_is_made_valid_text),
        cmocka_unit_test(bad_values_pass_along_with_a_click_id),
        cmocka_unit_test(
            numbers_and_nested_values_are_written_as_json_has_them),
        cmocka_unit_test(a_likelier_address_is_suggested),
        cmocka_unit_test(a_row_that_does_not_fit_is_an_error),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
