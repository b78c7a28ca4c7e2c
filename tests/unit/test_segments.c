/*
 * Segments of text messages: what a gateway bills.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "segments.h"

#define MAX_TEXT 2000

/* The text, n times, with another one before and behind it. */
static long
count(const char *before, const char *text, size_t n, const char *behind)
{
    char all[MAX_TEXT];
    size_t len;

    len = strlen(before);
    memcpy(all, before, len);
    for (; n > 0; n--) {
        assert_true(len + strlen(text) + strlen(behind) <= sizeof(all));
        memcpy(all + len, text, strlen(text));
        len += strlen(text);
    }
    memcpy(all + len, behind, strlen(behind));
    return segments_count(all, len + strlen(behind));
}

static long
of(const char *text)
{
    return segments_count(text, strlen(text));
}

static void
codes_as_they_are_sent(void **state)
{
    (void)state;
    assert_int_equal(
        of("Код 1234. Никому не говорите.\n@brand.ru #1234"), 1);
    assert_int_equal(of("1234 - ваш код для brand.ru. Никому его не сообщайте."
                        "\n\n@brand.ru #1234"),
                     1);
    assert_int_equal(of("1234 - ваш код для brand.ru. Никому его не сообщайте!"
                        "!\n\n@brand.ru #1234"),
                     2);
    assert_int_equal(of("Brand code: 1234\n\n@brand.ru #1234"), 1);
}

static void
limits_of_septets(void **state)
{
    (void)state;
    assert_int_equal(count("", "a", 1, ""), 1);
    assert_int_equal(count("", "a", 160, ""), 1);
    assert_int_equal(count("", "a", 161, ""), 2);
    assert_int_equal(count("", "a", 306, ""), 2);
    assert_int_equal(count("", "a", 307, ""), 3);
    assert_int_equal(count("", "a", 459, ""), 3);
    assert_int_equal(count("", "a", 460, ""), 4);
    assert_int_equal(count("", "à", 160, ""), 1);
}

static void
limits_of_units(void **state)
{
    (void)state;
    assert_int_equal(count("", "я", 70, ""), 1);
    assert_int_equal(count("", "я", 71, ""), 2);
    assert_int_equal(count("", "я", 134, ""), 2);
    assert_int_equal(count("", "я", 135, ""), 3);
    assert_int_equal(count("", "a", 69, "я"), 1);
    assert_int_equal(count("", "a", 70, "я"), 2);
    assert_int_equal(count("я", "a", 134, ""), 3);
}

static void
extension_characters(void **state)
{
    static const char *const two[] = {"^", "{", "}", "\\", "[", "~",
                                      "]", "|", "€", "\f"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(two) / sizeof(two[0]); i++) {
        assert_int_equal(count("", two[i], 80, ""), 1);
        assert_int_equal(count("", two[i], 80, "a"), 2);
    }

    /* Of a pair no half goes into another part: 76 pairs fill one. */
    assert_int_equal(count("", "€", 152, "a"), 2);
    assert_int_equal(count("", "€", 153, ""), 3);
    assert_int_equal(count("a", "€", 152, "a"), 2);
    assert_int_equal(count("a", "€", 153, ""), 3);
    assert_int_equal(count("aa", "€", 152, ""), 3);
}

static void
pairs_of_units(void **state)
{
    (void)state;
    assert_int_equal(count("", "😀", 35, ""), 1);
    assert_int_equal(count("", "😀", 35, "a"), 2);
    assert_int_equal(count("", "😀", 66, ""), 2);
    assert_int_equal(count("", "😀", 67, ""), 3);
    assert_int_equal(count("a", "😀", 66, "a"), 2);
    assert_int_equal(count("a", "😀", 66, "aa"), 3);
}

/* All of GSM-7, and neighbours of it that are not. */
static void
alphabet(void **state)
{
    static const char *const in =
        "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;"
        "<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzä"
        "öñüà";
    static const char *const out[] = {"`",  "ç", "«", "—", "’",   "\t",
                                      "\v", "á", "Α", "А", "\177"};
    size_t i;

    (void)state;
    assert_int_equal(count(in, "a", 160 - 127, ""), 1);
    assert_int_equal(count(in, "a", 160 - 127, "a"), 2);
    for (i = 0; i < sizeof(out) / sizeof(out[0]); i++) {
        assert_int_equal(count(out[i], "a", 69, ""), 1);
        assert_int_equal(count(out[i], "a", 70, ""), 2);
    }
    assert_int_equal(segments_count("\0aaaa", 5), 1);
}

static void
no_text(void **state)
{
    (void)state;
    assert_int_equal(of(""), 0);
    assert_int_equal(of("\xff"), -1);
    assert_int_equal(of("Код \xd0"), -1);
    assert_int_equal(of("\xed\xa0\x80"), -1);
    assert_int_equal(of("\xc0\x80"), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_as_they_are_sent),
        cmocka_unit_test(limits_of_septets),
        cmocka_unit_test(limits_of_units),
        cmocka_unit_test(extension_characters),
        cmocka_unit_test(pairs_of_units),
        cmocka_unit_test(alphabet),
        cmocka_unit_test(no_text),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
