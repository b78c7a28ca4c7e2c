
/*
 * Field types: tables of what comes in and what comes out.  A result that
 * begins with "!" is the code of a refusal; "" means "not given".
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vectors.h"


#define A10   "aaaaaaaaaa"
#define A60   A10 A10 A10 A10 A10 A10
#define L63   A60 "bbb"


/* mission.md M-12, A-4; otp-and-codes.md 4 */

static void
email_addresses(void **state)
{
    leadq_rule_t  rule = { .type = LEADQ_TYPE_EMAIL };

    static const vector_t  vectors[] = {
        { "anna@mail.ru", "anna@mail.ru" },
        { "  anna@mail.ru\r\n", "anna@mail.ru" },
        { "", "" },
        { "   ", "" },
        { "Anna.Petrova+shop@Mail.RU", "Anna.Petrova+shop@mail.ru" },
        { "a@b.co", "a@b.co" },
        { "o'brien@x-y.example", "o'brien@x-y.example" },
        { "!#$%&'*+-/=?^_`{|}~@a.ru", "!#$%&'*+-/=?^_`{|}~@a.ru" },
        { "1@2.example", "1@2.example" },
        { "anna@почта.рф", "anna@xn--80a1acny.xn--p1ai" },
        { "anna@ПОЧТА.РФ", "anna@xn--80a1acny.xn--p1ai" },
        { "anna@XN--80A1ACNY.xn--p1ai", "anna@xn--80a1acny.xn--p1ai" },
        { "anna@straße.de", "anna@xn--strae-oqa.de" },
        { "anna@ｍａｉｌ．ｒｕ", "anna@mail.ru" },

        { "myaccount@mail", "!email-no-domain" },
        { "myaccount@mail.", "!email-no-domain" },
        { "myaccount@", "!email-no-domain" },
        { "anna petrova@mail.ru", "!email-space" },
        { "anna@mail .ru", "!email-space" },
        { "anna\xc2\xa0@mail.ru", "!email-space" },
        { "anna.mail.ru", "!email-no-at" },
        { "anna", "!email-no-at" },
        { "anna@@mail.ru", "!email-many-at" },
        { "anna@mail.ru@mail.ru", "!email-many-at" },
        { "@mail.ru", "!email-no-local" },
        { ".anna@mail.ru", "!email-bad-local" },
        { "anna.@mail.ru", "!email-bad-local" },
        { "an..na@mail.ru", "!email-bad-local" },
        { "\"anna\"@mail.ru", "!email-bad-local" },
        { "anna,olga@mail.ru", "!email-bad-local" },
        { "<anna>@mail.ru", "!email-bad-local" },
        { "анна@mail.ru", "!email-not-ascii" },
        { "anna@mail..ru", "!email-bad-domain" },
        { "anna@.ru", "!email-bad-domain" },
        { "anna@-mail.ru", "!email-bad-domain" },
        { "anna@mail-.ru", "!email-bad-domain" },
        { "anna@ma_il.ru", "!email-bad-domain" },
        { "anna@mail.ru,", "!email-bad-domain" },
        { "anna@mail.ru.", "!email-bad-domain" },
        { "anna@[127.0.0.1]", "!email-bad-domain" },
        { "anna@127.0.0.1", "!email-bad-domain" },
        { "anna@xn--a.ru", "!email-bad-domain" },
        { "anna@" L63 "b.ru", "!email-bad-domain" },
        { "anna@\xe2\x80\x8b.ru", "!email-space" },
        { "anna\x01@mail.ru", "!control-character" },
        { "anna\ninjected@mail.ru", "!control-character" },
        { "anna@mail\xff.ru", "!not-utf8" },
        { A60 "aaaaa@mail.ru", "!email-too-long" },
        { A60 "aaaa@mail.ru", A60 "aaaa@mail.ru" },
        { A60 "aaaa@" L63 "." L63 "." L63 ".ru", "!email-too-long" },
        { "a@" L63 "." L63 "." L63 "." L63 ".ru", "!email-too-long" },
    };

    (void) state;

    CHECK(&rule, vectors);
}


static void
digits_and_tokens(void **state)
{
    leadq_rule_t  digits = { .type = LEADQ_TYPE_DIGITS, .min = 4, .max = 6 };
    leadq_rule_t  token = { .type = LEADQ_TYPE_TOKEN, .min = 0, .max = 8 };

    static const vector_t  d[] = {
        { "1234", "1234" }, { " 001234 ", "001234" }, { "", "" },
        { "123", "!too-short" }, { "1234567", "!too-long" },
        { "12a4", "!digits-bad-chars" }, { "12 34", "!digits-bad-chars" },
        { "１２３４", "!digits-bad-chars" },
    };

    static const vector_t  t[] = {
        { "a.b~c\"\\'", "a.b~c\"\\'" }, { "", "" },
        { "123456789", "!too-long" }, { "a b", "!token-bad-chars" },
        { "a\x7f", "!token-bad-chars" }, { "привет", "!token-bad-chars" },
        { "a\nb", "!token-bad-chars" }, { "a\xff", "!not-utf8" },
    };

    (void) state;

    CHECK(&digits, d);
    CHECK(&token, t);
    check_one(&token, "a\0b", 3, "!token-bad-chars");
}


static void
texts(void **state)
{
    leadq_rule_t  rule = { .type = LEADQ_TYPE_TEXT, .min = 2, .max = 5 };

    static const vector_t  vectors[] = {
        { "Анна", "Анна" }, { " \t Ан \r\n", "Ан" }, { "", "" },
        { "Аннаа", "Аннаа" }, { "Аннааа", "!too-long" },
        { "А", "!too-short" }, { "😀😀", "😀😀" }, { "<b>&\"", "<b>&\"" },
        { "a\nb", "!control-character" }, { "a\tb", "!control-character" },
        { "a\x1b[", "!control-character" }, { "a\x7f", "!control-character" },
        { "a\xc2\x85", "!control-character" },
        { "a\xe2\x80\xae""b", "!control-character" },
        { "a\xe2\x80\xa8""b", "!control-character" },
        { "a\xff", "!not-utf8" }, { "a\xc0\x80", "!not-utf8" },
        { "a\xed\xa0\x80", "!not-utf8" }, { "a\xf4\x90\x80\x80", "!not-utf8" },
        { "a\xe2\x82", "!not-utf8" }, { "a\xc3(", "!not-utf8" },
    };

    (void) state;

    CHECK(&rule, vectors);
    check_one(&rule, "a\0b", 3, "!control-character");
    check_one(&rule, "\0\0", 2, "!control-character");
}


static void
the_longest_value(void **state)
{
    static char   big[LEADQ_VALUE_MAX + 2];
    leadq_rule_t  rule = { .type = LEADQ_TYPE_TEXT, .max = 8192 };

    (void) state;

    memset(big, 'x', sizeof(big) - 1);
    check_one(&rule, big, LEADQ_VALUE_MAX + 1, "!too-long");
    big[LEADQ_VALUE_MAX] = '\0';
    check_one(&rule, big, LEADQ_VALUE_MAX, big);
}


static void
bools_uuids_and_enums(void **state)
{
    leadq_rule_t  rule_bool = { .type = LEADQ_TYPE_BOOL };
    leadq_rule_t  rule_uuid = { .type = LEADQ_TYPE_UUID };
    leadq_rule_t  rule_enum = { .type = LEADQ_TYPE_ENUM };

    static const leadq_str_t  values[] = { { 2, "ru" }, { 7, "english" } };

    static const vector_t  bools[] = {
        { "true", "true" }, { "1", "true" }, { "on", "true" },
        { "yes", "true" }, { "false", "false" }, { "0", "false" },
        { "off", "false" }, { "no", "false" }, { "", "" },
        { "TRUE", "!bool-bad-value" }, { "2", "!bool-bad-value" },
    };

    static const vector_t  uuids[] = {
        { "01923A4B-5C6D-7000-8000-00000000002A",
          "01923a4b-5c6d-7000-8000-00000000002a" },
        { "", "" },
        { "01923a4b5c6d7000800000000000002a", "!uuid-bad-value" },
        { "x", "!uuid-bad-value" },
    };

    static const vector_t  enums[] = {
        { "ru", "ru" }, { " english ", "english" }, { "", "" },
        { "RU", "!enum-bad-value" }, { "r", "!enum-bad-value" },
        { "rus", "!enum-bad-value" },
    };

    (void) state;

    rule_enum.values = values;
    rule_enum.nvalues = 2;

    CHECK(&rule_bool, bools);
    CHECK(&rule_uuid, uuids);
    CHECK(&rule_enum, enums);
}


static void
every_code_has_a_name_and_a_text(void **state)
{
    int  i;

    (void) state;

    for (i = 0; i < LEADQ_CODES; i++) {
        assert_non_null(leadq_code_name((leadq_code_e) i));
        assert_non_null(leadq_code_detail((leadq_code_e) i));
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(email_addresses),
        cmocka_unit_test(digits_and_tokens),
        cmocka_unit_test(texts),
        cmocka_unit_test(the_longest_value),
        cmocka_unit_test(bools_uuids_and_enums),
        cmocka_unit_test(every_code_has_a_name_and_a_text),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
