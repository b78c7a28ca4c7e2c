
/*
 * Further field types: int, date, url, promo, json.  A result that begins
 * with "!" is the code of a refusal; "" means "not given".
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "leadq_promo.h"
#include "vectors.h"


static void
ints(void **state)
{
    leadq_rule_t  all = { .type = LEADQ_TYPE_INT, .least = INT64_MIN,
                          .most = INT64_MAX };
    leadq_rule_t  some = { .type = LEADQ_TYPE_INT, .least = -5, .most = 120 };

    static const vector_t  of_all[] = {
        { "", "" }, { "0", "0" }, { "-0", "0" }, { "+7", "7" },
        { " 0012 ", "12" }, { "-5", "-5" },
        { "9223372036854775807", "9223372036854775807" },
        { "-9223372036854775808", "-9223372036854775808" },
        { "9223372036854775808", "!int-too-large" },
        { "-9223372036854775809", "!int-too-small" },
        { "99999999999999999999999999", "!int-too-large" },
        { "00000000000000000000000000001", "1" },
        { "1.0", "!int-bad-value" }, { "1e3", "!int-bad-value" },
        { "+", "!int-bad-value" }, { "-", "!int-bad-value" },
        { "--1", "!int-bad-value" }, { "1 000", "!int-bad-value" },
        { "0x1", "!int-bad-value" }, { "１", "!int-bad-value" },
        { "99999999999999999999999999x", "!int-bad-value" },
    };

    static const vector_t  of_some[] = {
        { "-5", "-5" }, { "-6", "!int-too-small" },
        { "120", "120" }, { "121", "!int-too-large" },
    };

    (void) state;

    CHECK(&all, of_all);
    CHECK(&some, of_some);
    check_one(&all, "1\0", 2, "!int-bad-value");
}


static void
dates(void **state)
{
    leadq_rule_t  rule = { .type = LEADQ_TYPE_DATE };

    static const vector_t  vectors[] = {
        { "", "" }, { "2026-12-31", "2026-12-31" },
        { " 2024-02-29\n", "2024-02-29" }, { "2000-02-29", "2000-02-29" },
        { "0001-01-01", "0001-01-01" }, { "9999-12-31", "9999-12-31" },
        { "2025-02-29", "!date-no-such-day" },
        { "1900-02-29", "!date-no-such-day" },
        { "2026-04-31", "!date-no-such-day" },
        { "2026-00-01", "!date-no-such-day" },
        { "2026-13-01", "!date-no-such-day" },
        { "2026-01-00", "!date-no-such-day" },
        { "2026-01-32", "!date-no-such-day" },
        { "0000-01-01", "!date-no-such-day" },
        { "31.12.2026", "!date-bad-format" },
        { "2026-1-1", "!date-bad-format" },
        { "2026/01/01", "!date-bad-format" },
        { "2026-01-01T00:00:00", "!date-bad-format" },
        { "20260101", "!date-bad-format" }, { "today", "!date-bad-format" },
        { "２０26-0", "!date-bad-format" },
    };

    (void) state;

    CHECK(&rule, vectors);
}


static void
urls(void **state)
{
    leadq_rule_t  rule = { .type = LEADQ_TYPE_URL, .max = 60 };

    static const vector_t  vectors[] = {
        { "", "" },
        { "https://brand.ru/a?b=c#d", "https://brand.ru/a?b=c#d" },
        { " HTTPS://Brand.RU ", "https://brand.ru/" },
        { "http://brand.ru?a", "http://brand.ru/?a" },
        { "http://brand.ru#a", "http://brand.ru/#a" },
        { "http://brand.ru:80/", "http://brand.ru/" },
        { "https://brand.ru:0443", "https://brand.ru/" },
        { "https://brand.ru:/", "https://brand.ru/" },
        { "http://brand.ru:443/", "http://brand.ru:443/" },
        { "http://localhost:8080/a[]=~'()!*;,", "http://localhost:8080/"
          "a[]=~'()!*;," },
        { "http://почта.рф/привет?я=%41",
          "!too-long" },
        { "http://почта.рф/я", "http://xn--80a1acny.xn--p1ai/%D1%8F" },
        { "http://192.0.2.1/", "http://192.0.2.1/" },
        { "http://[2001:DB8:0::1]:8080/a", "http://[2001:db8::1]:8080/a" },
        { "http://a.ru/@b", "http://a.ru/@b" },
        { "http://a.ru/0123456789012345678901234567890123456789012345678",
          "!too-long" },
        { "http://a.ru/012345678901234567890123456789012345678901234567",
          "http://a.ru/012345678901234567890123456789012345678901234567" },

        { "brand.ru", "!url-bad-scheme" }, { "//brand.ru", "!url-bad-scheme" },
        { "ftp://brand.ru/", "!url-bad-scheme" },
        { "javascript:alert(1)", "!url-bad-scheme" },
        { "http:/brand.ru", "!url-bad-scheme" },
        { "https:/", "!url-bad-scheme" }, { "h", "!url-bad-scheme" },
        { "http://", "!url-bad-host" }, { "http:///a", "!url-bad-host" },
        { "http://:80/", "!url-bad-host" },
        { "http://a..b/", "!url-bad-host" },
        { "http://-a.ru/", "!url-bad-host" },
        { "http://a_b.ru/", "!url-bad-host" },
        { "http://a%2eru/", "!url-bad-host" },
        { "http://a.ru./", "!url-bad-host" },
        { "http://1.2.3/", "!url-bad-host" },
        { "http://1.2.3.256/", "!url-bad-host" },
        { "http://a.1b/", "!url-bad-host" },
        { "http://[::1/", "!url-bad-host" },
        { "http://[x]/", "!url-bad-host" },
        { "http://[::1]x/", "!url-bad-host" },
        { "http://[fe80::1%25eth0]/", "!url-bad-host" },
        { "http://a.ru:x/", "!url-bad-port" },
        { "http://a.ru:0/", "!url-bad-port" },
        { "http://a.ru:65536/", "!url-bad-port" },
        { "http://a.ru:99999999999999999999/", "!url-bad-port" },
        { "http://user@a.ru/", "!url-user" },
        { "https://bank.ru:x@evil.ru/", "!url-user" },
        { "http://a.ru/a b", "!url-bad-chars" },
        { "http://a.ru/\xc2\xa0", "!url-bad-chars" },
        { "http://a.ru/\"x", "!url-bad-chars" },
        { "http://a.ru/<x>", "!url-bad-chars" },
        { "http://a.ru\\x", "!url-bad-chars" },
        { "http://a.ru/{x}", "!url-bad-chars" },
        { "http://a.ru/%", "!url-bad-chars" },
        { "http://a.ru/%4", "!url-bad-chars" },
        { "http://a.ru/%zz", "!url-bad-chars" },
        { "http://a.ru/a\nb", "!control-character" },
        { "http://a.ru/\xe2\x80\xae", "!control-character" },
        { "http://a.ru/\xff", "!not-utf8" },
    };

    (void) state;

    CHECK(&rule, vectors);
}


/* otp-and-codes.md 2.4 and 5.6 */

static void
promo_codes(void **state)
{
    leadq_rule_t  rule = { .type = LEADQ_TYPE_PROMO };

    static const vector_t  vectors[] = {
        { "", "" },
        { "23456789ACE4", "23456789ACE4" },
        { "k7mp-4tx9-a2ch", "K7MP4TX9A2CH" },
        { " K7MP 4TX9\xc2\xa0" "A2CH ", "K7MP4TX9A2CH" },
        { "K7MP–4TX9—A2CH", "K7MP4TX9A2CH" },
        { "K７MP4TX９A２CH", "K7MP4TX9A2CH" },

        /* letters that look the same, either case, mixed */

        { "АСЕНКМРТХ238", "ACEHKMPTX238" },
        { "асенкмртх238", "ACEHKMPTX238" },
        { "К7МР-4ТХ9-А2СН", "K7MP4TX9A2CH" },
        { "К7MР-4TХ9-A2CН", "K7MP4TX9A2CH" },

        /* the keys of the Russian layout */

        { "ФСУРЛЬЗЕЧ238", "ACEHKMPTX238" },
        { "л7ьз-4еч9-ф2ср", "K7MP4TX9A2CH" },
        { "С2З3Е4У5С6ЗЗ", "C2P3T4E5C6PP" },

        /* no half of each */

        { "Л7ЬP-4ЕЧ9-Ф2СР", "!promo-bad-chars" },

        { "K7MP4TX9A2CK", "!code-typo" },
        { "K7PM4TX9A2CH", "!code-typo" },
        { "К7РМ-4ТХ9-А2СН", "!code-typo" },
        { "K7MP4TX9A2HC", "!code-typo" },
        { "л7ьз4еч9ф2сс", "!promo-bad-chars" },
        { "K7MP4TX9A2C", "!too-short" }, { "-", "!too-short" },
        { "K7MP4TX9A2CHH", "!too-long" },
        { "K7MP4TX9A2C0", "!promo-bad-chars" },
        { "B7MP4TX9A2CH", "!promo-bad-chars" },
        { "В7MP4TX9A2CH", "!promo-bad-chars" },     /* Cyrillic */
        { "K7MP_4TX9A2CH", "!promo-bad-chars" },
        { "K7MP\n4TX9A2CH", "!promo-bad-chars" },
        { "скидка", "!promo-bad-chars" },
    };

    (void) state;

    CHECK(&rule, vectors);
    check_one(&rule, "K7MP4TX9A2C\0", 12, "!promo-bad-chars");
}


/* One wrong symbol, or two neighbours in the wrong order, always show. */

static void
a_promo_code_shows_every_slip(void **state)
{
    char      code[LEADQ_PROMO_LEN], was;
    size_t    i, k, round;
    unsigned  seed;

    static const char  symbols[] = "23456789ACEHKMPTX";

    (void) state;

    seed = 1;

    for (round = 0; round < 500; round++) {

        for (i = 0; i < LEADQ_PROMO_LEN - 1; i++) {
            seed = seed * 1103515245 + 12345;
            code[i] = symbols[(seed >> 16) % 17];
        }

        code[i] = leadq_promo_symbol(code);
        assert_non_null(strchr(symbols, code[i]));

        for (i = 0; i < LEADQ_PROMO_LEN; i++) {
            was = code[i];

            for (k = 0; k < 17; k++) {
                code[i] = symbols[k];
                assert_int_equal(leadq_promo_symbol(code)
                                 == code[LEADQ_PROMO_LEN - 1],
                                 code[i] == was);
            }

            code[i] = was;
        }

        for (i = 0; i < LEADQ_PROMO_LEN - 1; i++) {
            was = code[i];
            code[i] = code[i + 1];
            code[i + 1] = was;

            assert_int_equal(leadq_promo_symbol(code)
                             == code[LEADQ_PROMO_LEN - 1],
                             code[i] == code[i + 1]);

            code[i + 1] = code[i];
            code[i] = was;
        }
    }

    assert_int_equal(leadq_promo_symbol("K7MP4TX9A2O"), '\0');
}


static void
nested_values(void **state)
{
    leadq_rule_t  rule = { .type = LEADQ_TYPE_JSON, .max = 40, .depth = 3 };

    static const vector_t  vectors[] = {
        { "", "" }, { "null", "" }, { " null\n", "" },
        { "{}", "{}" }, { "[]", "[]" }, { "0", "0" }, { "true", "true" },
        { "\"a\"", "\"a\"" }, { "\"\"", "\"\"" },
        { "{ \"a\" : [ 1 ,\n\t2 ] }", "{\"a\":[1,2]}" },
        { "[1.10, 1E5, -0.0, 1e-999]", "[1.10,1E5,-0.0,1e-999]" },
        { "\"a  b\\n\\\"\\\\ \\u0410я\"", "\"a  b\\n\\\"\\\\ \\u0410я\"" },
        { "[\"]\",\"[[[[[\"]", "[\"]\",\"[[[[[\"]" },
        { "[[[]]]", "[[[]]]" }, { "[[],[],{}]", "[[],[],{}]" },
        { "[[[[]]]]", "!json-too-deep" }, { "[{\"a\":[{}]}]",
          "!json-too-deep" },
        { "\"01234567890123456789012345678901234567\"",
          "\"01234567890123456789012345678901234567\"" },
        { "\"012345678901234567890123456789012345678\"", "!too-long" },
        { "1 2", "!json-bad-value" }, { "{\"a\":1,}", "!json-bad-value" },
        { "{", "!json-bad-value" }, { "]", "!json-bad-value" },
        { "[}", "!json-bad-value" }, { "'a'", "!json-bad-value" },
        { "\"a", "!json-bad-value" }, { "\"a\\", "!json-bad-value" },
        { "nul", "!json-bad-value" }, { "NaN", "!json-bad-value" },
        { "{\"a\":1,\"a\":2}", "!json-bad-value" },
        { "\"\\ud800\"", "!json-bad-value" }, { "1e400", "!json-bad-value" },
        { "1e-1000", "!json-bad-value" }, { "1E+01000", "!json-bad-value" },
        { "1e+0000001", "1e+0000001" },
        { "9223372036854775808", "!json-bad-value" },
        { "\"\\u0000\"", "!control-character" },
        { "{\"\\u0000\":1}", "!control-character" },
        { "\"\\\\u0000\"", "\"\\\\u0000\"" },
        { "\"a\nb\"", "!control-character" },
        { "\"\x7f\"", "!control-character" },
        { "\"\xe2\x80\xae\"", "!control-character" },
        { "\"\xff\"", "!not-utf8" },
    };

    (void) state;

    CHECK(&rule, vectors);
    check_one(&rule, "8\0", 2, "!json-bad-value");
    check_one(&rule, "[8]\0]", 5, "!json-bad-value");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(ints),
        cmocka_unit_test(dates),
        cmocka_unit_test(urls),
        cmocka_unit_test(promo_codes),
        cmocka_unit_test(a_promo_code_shows_every_slip),
        cmocka_unit_test(nested_values),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
