/*
 * Letter templates: vectors of what is shown, and every mistake with its
 * line.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "template.h"

#define VARS                                                              \
    "{\"name\": \"<Anna & \\\"Co\\\">\", \"empty\": \"\", \"yes\": true," \
    " \"no\": false, \"n\": 7, \"r\": 1.5, \"nil\": null,"                \
    " \"tag\": \"{{name}}\", \"safe\": \"aZ09-._~А\"}"

static void
check(const char *text, template_escape_e escape, const char *want)
{
    fault_t fault;
    template_t *tpl;
    json_t *vars;
    buf_t out;

    vars = json_loads(VARS, 0, NULL);
    assert_non_null(vars);
    tpl = template_parse(text, strlen(text), &fault);
    assert_non_null(tpl);
    buf_init(&out, 4096);
    assert_int_equal(template_render(tpl, vars, escape, &out), 0);
    assert_string_equal(buf_str(&out), want);
    buf_done(&out);
    template_free(tpl);
    json_decref(vars);
}

static void
values_are_shown_as_they_are_in_text(void **state)
{
    (void)state;
    check("", TEMPLATE_PLAIN, "");
    check("plain", TEMPLATE_PLAIN, "plain");
    check("a {{name}} b", TEMPLATE_PLAIN, "a <Anna & \"Co\"> b");
    check("{{ name }}{{&name}}", TEMPLATE_PLAIN,
          "<Anna & \"Co\"><Anna & \"Co\">");
    check("{{n}} {{r}} {{yes}} {{no}}", TEMPLATE_PLAIN, "7 1.5 true false");
    check("[{{empty}}{{nil}}{{missing}}]", TEMPLATE_PLAIN, "[]");
    check("{ {name} }} {", TEMPLATE_PLAIN, "{ {name} }} {");
}

static void
values_are_escaped_in_html_unless_asked_not_to_be(void **state)
{
    (void)state;
    check("{{name}}", TEMPLATE_HTML, "&lt;Anna &amp; &quot;Co&quot;&gt;");
    check("{{{name}}}", TEMPLATE_HTML, "<Anna & \"Co\">");
    check("{{{ name }}}", TEMPLATE_HTML, "<Anna & \"Co\">");
    check("{{& name}}", TEMPLATE_HTML, "<Anna & \"Co\">");
    check("<b>&</b>", TEMPLATE_HTML, "<b>&</b>");
}

static void
values_are_percent_encoded_inside_a_url(void **state)
{
    (void)state;
    check("?n={{%name}}", TEMPLATE_HTML, "?n=%3CAnna%20%26%20%22Co%22%3E");
    check("{{% name }}", TEMPLATE_PLAIN, "%3CAnna%20%26%20%22Co%22%3E");
    check("{{%safe}}", TEMPLATE_HTML, "aZ09-._~%D0%90");
    check("[{{%missing}}{{%n}}]", TEMPLATE_HTML, "[7]");
}

static void
a_value_is_never_read_as_a_template(void **state)
{
    (void)state;
    check("{{tag}} {{{tag}}}", TEMPLATE_PLAIN, "{{name}} {{name}}");
}

static void
sections_are_conditions(void **state)
{
    (void)state;
    check("{{#yes}}a{{/yes}}{{#no}}b{{/no}}", TEMPLATE_PLAIN, "a");
    check("{{^yes}}a{{/yes}}{{^no}}b{{/no}}", TEMPLATE_PLAIN, "b");
    check("{{#name}}a{{/name}}{{#empty}}b{{/empty}}{{#nil}}c{{/nil}}"
          "{{#missing}}d{{/missing}}{{#n}}e{{/n}}",
          TEMPLATE_PLAIN, "ae");
    check("{{#yes}}1{{#no}}2{{/no}}3{{^no}}4{{/no}}{{/yes}}5", TEMPLATE_PLAIN,
          "1345");
    check("{{#no}}{{#yes}}a{{/yes}}{{name}}{{/no}}b", TEMPLATE_PLAIN, "b");
    check("{{# yes }}a{{/ yes }}", TEMPLATE_PLAIN, "a");
}

static void
a_tag_alone_on_its_line_takes_the_line_with_it(void **state)
{
    (void)state;
    check("a\n{{#yes}}\nb\n{{/yes}}\nc\n", TEMPLATE_PLAIN, "a\nb\nc\n");
    check("a\n  {{#no}}  \nb\n  {{/no}}\nc", TEMPLATE_PLAIN, "a\nc");
    check("{{! comment }}\na", TEMPLATE_PLAIN, "a");
    check("a\r\n{{! x }}\r\nb", TEMPLATE_PLAIN, "a\r\nb");
    check("a {{! x }} b", TEMPLATE_PLAIN, "a  b");
    check("{{#yes}} a\n{{/yes}}", TEMPLATE_PLAIN, " a\n");
    check("{{#yes}}{{/yes}}\n", TEMPLATE_PLAIN, "\n");
    check("{{name}}\n", TEMPLATE_PLAIN, "<Anna & \"Co\">\n");
    check("{{! many\nlines }}\nb", TEMPLATE_PLAIN, "b");
}

static void
refuse(const char *text, int line, const char *reason)
{
    fault_t fault;
    template_t *tpl;

    memset(&fault, 0, sizeof(fault));
    tpl = template_parse(text, strlen(text), &fault);
    assert_null(tpl);
    assert_int_equal(fault.line, line);
    assert_string_equal(fault.text, reason);
}

static void
mistakes_are_refused_with_their_line(void **state)
{
    (void)state;
    refuse("a\n{{name", 2, "a tag is not closed");
    refuse("{{{name}}", 1, "a tag is not closed");
    refuse("{{#a}}\n\n{{#b}}\n", 3, "section \"b\" is not closed");
    refuse("{{#a}}\n{{/b}}", 2, "section \"a\" of line 1 is still open");
    refuse("\n\n{{/a}}", 3, "{{/a}} closes no section");
    refuse("{{}}", 1, "a tag without a name");
    refuse("{{#}}", 1, "a tag without a name");
    refuse("{{a.b}}", 1, "\"a.b\" is not a name");
    refuse("{{.}}", 1, "\".\" is not a name");
    refuse("{{a b}}", 1, "\"a b\" is not a name");
    refuse("\n{{>head}}", 2, "{{>..}}: partials are not supported");
    refuse("{{=<% %>=}}", 1, "{{=..=}}: other delimiters are not supported");
}

static void
templates_are_bounded(void **state)
{
    char *text;
    fault_t fault;
    size_t i;
    template_t *tpl;

    (void)state;
    text = calloc(1, TEMPLATE_MAX_LEN + 2);
    assert_non_null(text);
    memset(text, 'a', TEMPLATE_MAX_LEN + 1);
    assert_null(template_parse(text, TEMPLATE_MAX_LEN + 1, &fault));
    text[7] = '\0';
    assert_null(template_parse(text, 20, &fault));
    assert_string_equal(fault.text, "contains a zero byte");

    text[0] = '\0';
    for (i = 0; i < TEMPLATE_MAX_DEPTH; i++) {
        strcat(text, "{{#a}}");
    }
    tpl = template_parse(text, strlen(text), &fault);
    assert_null(tpl);
    assert_string_equal(fault.text, "section \"a\" is not closed");
    strcat(text, "{{#a}}");
    assert_null(template_parse(text, strlen(text), &fault));
    assert_string_equal(fault.text, "sections deeper than 16");

    for (i = 0; i <= TEMPLATE_MAX_STEPS; i++) {
        memcpy(text + i * 5, "{{a}}", 5);
    }
    text[i * 5] = '\0';
    assert_null(template_parse(text, strlen(text), &fault));
    assert_string_equal(fault.text, "more than 4096 tags and texts");
    free(text);
}

static void
a_long_result_is_a_failure_not_an_overflow(void **state)
{
    fault_t fault;
    template_t *tpl;
    json_t *vars;
    buf_t out;

    (void)state;
    vars = json_pack("{s:s}", "a", "0123456789");
    tpl = template_parse("{{a}}{{a}}", 10, &fault);
    buf_init(&out, 15);
    assert_int_equal(template_render(tpl, vars, TEMPLATE_HTML, &out), -1);
    buf_done(&out);
    template_free(tpl);
    json_decref(vars);
}

static void
count(void *data, const char *name, int line)
{
    char *seen = data;

    (void)snprintf(seen + strlen(seen), 100 - strlen(seen), "%s:%d ", name,
                   line);
}

static void
every_use_of_a_variable_is_named_with_its_line(void **state)
{
    static const char text[] = "{{name}}\n{{#source}}\n{{{nam}}}{{/source}}";
    char seen[100] = "";
    fault_t fault;
    template_t *tpl;

    (void)state;
    tpl = template_parse(text, strlen(text), &fault);
    assert_non_null(tpl);
    template_each_name(tpl, count, seen);
    assert_string_equal(seen, "name:1 source:2 nam:3 ");
    template_free(tpl);
    template_free(NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_shown_as_they_are_in_text),
        cmocka_unit_test(values_are_escaped_in_html_unless_asked_not_to_be),
        cmocka_unit_test(values_are_percent_encoded_inside_a_url),
        cmocka_unit_test(a_value_is_never_read_as_a_template),
        cmocka_unit_test(sections_are_conditions),
        cmocka_unit_test(a_tag_alone_on_its_line_takes_the_line_with_it),
        cmocka_unit_test(mistakes_are_refused_with_their_line),
        cmocka_unit_test(templates_are_bounded),
        cmocka_unit_test(a_long_result_is_a_failure_not_an_overflow),
        cmocka_unit_test(every_use_of_a_variable_is_named_with_its_line),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
