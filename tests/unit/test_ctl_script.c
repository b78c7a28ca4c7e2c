/*
 * SQL scripts: the schema's name and the lines of what goes wrong.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl_script.h"

static void
check_rename(const char *text, const char *expected)
{
    char *got;

    got = ctl_script_rename(text, "brand");
    assert_non_null(got);
    assert_string_equal(got, expected);
    free(got);
}

static void
words_get_the_name(void **state)
{
    (void)state;
    check_rename("leadq", "brand");
    check_rename("leadq.lead", "brand.lead");
    check_rename("set role leadq_owner;", "set role brand_owner;");
    check_rename("'leadq_ready'", "'brand_ready'");
    check_rename("\"leadq\".t, leadq.u", "\"brand\".t, brand.u");
    check_rename("$leadq$ leadq_x $leadq$", "$brand$ brand_x $brand$");
    check_rename("x::leadq.type", "x::brand.type");
    check_rename("-- leadq\n/* leadq_web */", "-- brand\n/* brand_web */");
}

static void
parts_of_words_stay(void **state)
{
    static const char *const texts[] = {"",
                                        "lead",
                                        "leadqctl",
                                        "leadq2",
                                        "xleadq",
                                        "x_leadq",
                                        "Leadq",
                                        "LEADQ_X",
                                        "lea",
                                        "leadq\xd0\xb0",
                                        "\xd0\xb0leadq",
                                        "1leadq",
                                        "urn:leadq:problem:x",
                                        NULL};
    size_t i;

    (void)state;
    for (i = 0; texts[i] != NULL; i++) {
        check_rename(texts[i], texts[i]);
    }
}

static void
a_script_has_a_maximum(void **state)
{
    char *text;

    (void)state;
    text = malloc(CTL_SCRIPT_MAX + 2);
    assert_non_null(text);
    memset(text, 'x', CTL_SCRIPT_MAX + 1);
    text[CTL_SCRIPT_MAX + 1] = '\0';
    assert_null(ctl_script_rename(text, "brand"));
    free(text);
}

static void
schema_names(void **state)
{
    (void)state;
    assert_true(ctl_script_schema_ok("leadq"));
    assert_true(ctl_script_schema_ok("a"));
    assert_true(ctl_script_schema_ok("brand_2"));
    assert_true(ctl_script_schema_ok("a234567890123456789012345678901"));
    assert_false(ctl_script_schema_ok("a2345678901234567890123456789012"));
    assert_false(ctl_script_schema_ok(""));
    assert_false(ctl_script_schema_ok("2brand"));
    assert_false(ctl_script_schema_ok("_brand"));
    assert_false(ctl_script_schema_ok("Brand"));
    assert_false(ctl_script_schema_ok("a b"));
    assert_false(ctl_script_schema_ok("a;drop"));
}

static void
positions_count_characters(void **state)
{
    static const char text[] = "\xd1\x8f\n\xd1\x8f\xd1\x8f\nz";

    (void)state;
    assert_int_equal(ctl_script_line_of(text, 1), 1);
    assert_int_equal(ctl_script_line_of(text, 2), 1);
    assert_int_equal(ctl_script_line_of(text, 3), 2);
    assert_int_equal(ctl_script_line_of(text, 5), 2);
    assert_int_equal(ctl_script_line_of(text, 6), 3);
    assert_int_equal(ctl_script_line_of(text, 99), 3);
    assert_int_equal(ctl_script_line_of("", 1), 1);
    assert_int_equal(ctl_script_line_of("x", 0), 1);
}

static void
statements_begin(void **state)
{
    static const char text[] = "-- ; comment\n"
                               "select 1;;\n"
                               "select ';', E'\\';', \"a;b\";\n"
                               "/* ; /* ; */ ; */ do $$\n"
                               "begin; end $$;\n"
                               "create function f() begin atomic\n"
                               " select case when $1 then 2; end;\n"
                               " select 2;\n"
                               "end; select $x$;$$;$x$\n"
                               "; select 6 ; -- last";
    static const int lines[] = {2, 3, 4, 6, 9, 10, 0, 0};
    int i;

    (void)state;
    for (i = 0; i < (int)(sizeof(lines) / sizeof(lines[0])); i++) {
        assert_int_equal(ctl_script_statement_line(text, i), lines[i]);
    }
}

static void
torn_scripts_end(void **state)
{
    static const char *const texts[] = {"'",  "\"",   "$$ x", "$a", "/* /*",
                                        "--", "E'\\", "$",    ";",  NULL};
    size_t i;

    (void)state;
    for (i = 0; texts[i] != NULL; i++) {
        assert_int_equal(ctl_script_statement_line(texts[i], 5), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_get_the_name),
        cmocka_unit_test(parts_of_words_stay),
        cmocka_unit_test(a_script_has_a_maximum),
        cmocka_unit_test(schema_names),
        cmocka_unit_test(positions_count_characters),
        cmocka_unit_test(statements_begin),
        cmocka_unit_test(torn_scripts_end),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
