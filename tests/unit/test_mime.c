/*
 * Mail headers: encoded words, names, addresses, dates, line ends.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mime.h"

static void
text(const char *value, const char *want)
{
    buf_t out;

    buf_init(&out, 10000);
    mime_add_text(&out, value);
    assert_string_equal(buf_str(&out), want);
    buf_done(&out);
}

static void
name(const char *value, const char *want)
{
    buf_t out;

    buf_init(&out, 10000);
    mime_add_name(&out, value);
    assert_string_equal(buf_str(&out), want);
    buf_done(&out);
}

static void
ascii_stays_as_it_is(void **state)
{
    (void)state;
    text("", "");
    text("Hello, world: 50% \"off\"!", "Hello, world: 50% \"off\"!");
    name("Brand", "Brand");
    name("Brand 24", "Brand 24");
    name("Brand, Inc.", "\"Brand, Inc.\"");
    name("a\"b\\c", "\"a\\\"b\\\\c\"");
}

static void
the_rest_becomes_encoded_words(void **state)
{
    (void)state;
    text("Привет", "=?UTF-8?B?0J/RgNC40LLQtdGC?=");
    text("я", "=?UTF-8?B?0Y8=?=");
    text("яя", "=?UTF-8?B?0Y/Rjw==?=");
    name("Бренд", "=?UTF-8?B?0JHRgNC10L3QtA==?=");
    /* what looks like an encoded word is encoded, not believed */
    text("=?UTF-8?B?eA==?=", "=?UTF-8?B?PT9VVEYtOD9CP2VBPT0/PQ==?=");
}

static void
long_texts_are_folded_between_characters(void **state)
{
    const char *p, *end;
    char value[400];
    buf_t out;
    int words;

    (void)state;
    value[0] = '\0';
    while (strlen(value) < 300) {
        strcat(value, "aя€");
    }
    buf_init(&out, 10000);
    mime_add_text(&out, value);
    words = 0;
    for (p = out.data; *p != '\0'; p = end) {
        end = strstr(p, "\r\n ");
        end = end == NULL ? p + strlen(p) : end + 3;
        assert_true(end - p <= 75 + 3);
        assert_int_equal(strncmp(p, "=?UTF-8?B?", 10), 0);
        words++;
    }
    assert_true(words > 5);
    buf_done(&out);
}

static void
control_characters_and_broken_text_never_get_out(void **state)
{
    (void)state;
    /* "a b", "a  b", "a?b" */
    text("a\nb", "=?UTF-8?B?YSBi?=");
    text("a\r\nb", "=?UTF-8?B?YSAgYg==?=");
    text("a\xff"
         "b",
         "=?UTF-8?B?YT9i?=");
    name("a\nBcc: x", "=?UTF-8?B?YSBCY2M6IHg=?=");
}

static void
addresses_are_ascii_and_plain(void **state)
{
    char longest[300];

    (void)state;
    assert_true(mime_is_address("a@b"));
    assert_true(mime_is_address("first.last+tag@xn--80ak6aa92e.com"));
    assert_false(mime_is_address(""));
    assert_false(mime_is_address("a"));
    assert_false(mime_is_address("@b"));
    assert_false(mime_is_address("a@"));
    assert_false(mime_is_address("a@b@c"));
    assert_false(mime_is_address("a b@c"));
    assert_false(mime_is_address("a@b>"));
    assert_false(mime_is_address("a@b\r\nRCPT"));
    assert_false(mime_is_address("\"a\"@b"));
    assert_false(mime_is_address("a,c@b"));
    assert_false(mime_is_address("я@b.ru"));
    memset(longest, 'a', sizeof(longest));
    longest[100] = '@';
    longest[254] = '\0';
    assert_true(mime_is_address(longest));
    longest[254] = 'a';
    longest[255] = '\0';
    assert_false(mime_is_address(longest));
    assert_string_equal(mime_domain("a@b.ru"), "b.ru");
}

static void
dates_are_of_no_locale(void **state)
{
    char date[40];

    (void)state;
    mime_date(date, 0);
    assert_string_equal(date, "Thu, 01 Jan 1970 00:00:00 +0000");
    mime_date(date, 1790000000);
    assert_string_equal(date, "Mon, 21 Sep 2026 14:13:20 +0000");
}

static void
crlf(const char *value, const char *want)
{
    size_t len;
    char *got;

    got = mime_crlf(value, &len);
    assert_string_equal(got, want);
    assert_int_equal(len, strlen(want));
    free(got);
}

static void
every_line_end_becomes_crlf(void **state)
{
    (void)state;
    crlf("", "");
    crlf("a", "a\r\n");
    crlf("a\nb\n", "a\r\nb\r\n");
    crlf("a\r\nb", "a\r\nb\r\n");
    crlf("a\rb\r", "a\r\nb\r\n");
    crlf("\n\n", "\r\n\r\n");
    crlf("a\r\r\nb", "a\r\n\r\nb\r\n");
}

static void
the_shorter_encoder_is_chosen(void **state)
{
    static const char latin[] = "Hello, world. One \xc3\xa9 only.";
    static const char cyrillic[] = "Привет, мир";

    (void)state;
    assert_string_equal(mime_encoder(latin, strlen(latin)),
                        "quoted-printable");
    assert_string_equal(mime_encoder(cyrillic, strlen(cyrillic)), "base64");
    assert_string_equal(mime_encoder("", 0), "quoted-printable");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ascii_stays_as_it_is),
        cmocka_unit_test(the_rest_becomes_encoded_words),
        cmocka_unit_test(long_texts_are_folded_between_characters),
        cmocka_unit_test(control_characters_and_broken_text_never_get_out),
        cmocka_unit_test(addresses_are_ascii_and_plain),
        cmocka_unit_test(dates_are_of_no_locale),
        cmocka_unit_test(every_line_end_becomes_crlf),
        cmocka_unit_test(the_shorter_encoder_is_chosen),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
