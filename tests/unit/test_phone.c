
/*
 * The type "phone" (threat 9): what is typed, and the one number that it
 * means, or why no code goes there.  Numbers that cost the one who sends are
 * refused: foreign ones, premium rates, satellites, landlines, free calls.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vectors.h"


/* All mean one number. */

static const vector_t  ways[] = {
    { "89161234567", "+79161234567" },
    { "8 (916) 123-45-67", "+79161234567" },
    { "8-916-123-45-67", "+79161234567" },
    { "9161234567", "+79161234567" },
    { "79161234567", "+79161234567" },
    { "+7 916 123-45-67", "+79161234567" },
    { "+7(916)123/45/67", "+79161234567" },
    { "  +7 916 1234567  ", "+79161234567" },
    { "810 7 916 1234567", "+79161234567" },
    { "+89161234567", "+79161234567" },
    { "8+79161234567", "+79161234567" },
    { "007 916 1234567", "+79161234567" },
    { "８９１６１２３４５６７", "+79161234567" },
    { "＋７ ９１６ 123-45-67", "+79161234567" },
    { "\xe2\x80\xad+7 916 123\xe2\x80\x91""45\xe2\x80\x91""67\xe2\x80\xac",
      "+79161234567" },
    { "+7\xc2\xa0""916\xc2\xa0""123.45.67", "+79161234567" },
    { "8 916 123\xe2\x80\x93""45\xe2\x88\x92""67", "+79161234567" },
    { "+7 999 000 00 00", "+79990000000" },
    { "+7 900 000 00 01", "+79000000001" },
    { "", "" },
};


/* Nobody is sent anything there. */

static const vector_t  refused[] = {

    /* letters, extensions, signs that are none of a number */

    { "8(916)FLOWERS", "!phone-bad-chars" },
    { "+7 916 123-45-67 доб. 12", "!phone-bad-chars" },
    { "+7 916 123-45-67 ext 12", "!phone-bad-chars" },
    { "tel:+79161234567", "!phone-bad-chars" },
    { "89161234567;ext=1", "!phone-bad-chars" },
    { "89161234567,12", "!phone-bad-chars" },
    { "#89161234567", "!phone-bad-chars" },
    { "*21*89161234567#", "!phone-bad-chars" },
    { "+7916+1234567", "!phone-bad-chars" },
    { "++79161234567", "!phone-bad-chars" },
    { "7+9161234567", "!phone-bad-chars" },
    { "8916l234567", "!phone-bad-chars" },
    { "8916123456O", "!phone-bad-chars" },
    { "٨٩١٦١٢٣٤٥٦٧", "!phone-bad-chars" },
    { "8916\t1234567", "!control-character" },
    { "89161234567\r\nBcc: 1", "!control-character" },
    { "8916\xff", "!not-utf8" },

    /* too few and too many digits */

    { "8916123456", "!phone-not-mobile" },
    { "+7916123456", "!phone-too-short" },
    { "12345", "!phone-too-short" },
    { "112", "!phone-too-short" },
    { "+", "!phone-too-short" },
    { "-", "!phone-too-short" },
    { "+791612345678", "!phone-too-long" },
    { "891612345678", "!phone-too-long" },
    { "8916123456789161234567", "!phone-too-long" },
    { "123456789012345678901234567890123", "!phone-too-long" },
    { "+1234567890123456", "!phone-too-long" },

    /* of Russia, and no mobile: landlines, free, premium, not assigned */

    { "8-495-123-45-67", "!phone-not-mobile" },
    { "4951234567", "!phone-not-mobile" },
    { "+7 812 123 45 67", "!phone-not-mobile" },
    { "+7 383 123 45 67", "!phone-not-mobile" },
    { "88001234567", "!phone-not-mobile" },
    { "+7 800 123 45 67", "!phone-not-mobile" },
    { "+7 803 123 45 67", "!phone-not-mobile" },
    { "+7 804 123 45 67", "!phone-not-mobile" },
    { "+7 809 123 45 67", "!phone-not-mobile" },
    { "8 809 505 12 34", "!phone-not-mobile" },
    { "+7 100 123 45 67", "!phone-not-mobile" },
    { "+7 940 123 45 67", "!phone-not-mobile" },
    { "8 940 123-45-67", "!phone-not-mobile" },
    { "9401234567", "!phone-not-mobile" },
    { "０４９５１２３４５６７", "!phone-needs-country" },

    /* neighbours: Kazakhstan shares +7, others are dialled as at home */

    { "87011234567", "!phone-country" },
    { "+7 701 123 45 67", "!phone-country" },
    { "+7 600 123 45 67", "!phone-country" },
    { "8 029 123 45 67", "!phone-needs-country" },
    { "029 123 45 67", "!phone-needs-country" },
    { "375291234567", "!phone-needs-country" },
    { "380501234567", "!phone-needs-country" },
    { "+375 29 123 45 67", "!phone-country" },
    { "810 375 29 123 45 67", "!phone-country" },
    { "+380 50 123 45 67", "!phone-country" },
    { "+998 90 123 45 67", "!phone-country" },
    { "+996 555 12 34 56", "!phone-country" },
    { "+995 555 12 34 56", "!phone-country" },
    { "+374 91 12 34 56", "!phone-country" },
    { "+373 69 12 34 56", "!phone-country" },

    /* far away, where codes are dear: what pumping of messages likes */

    { "+49 151 23456789", "!phone-country" },
    { "+12025550123", "!phone-country" },
    { "+1 900 555 01 23", "!phone-country" },
    { "+1 876 555 0123", "!phone-country" },
    { "+44 7911 123456", "!phone-country" },
    { "+44 909 8790000", "!phone-country" },
    { "0044 7911 123456", "!phone-country" },
    { "810 44 7911 123456", "!phone-country" },
    { "+92 300 1234567", "!phone-country" },
    { "+94 71 123 4567", "!phone-country" },
    { "+234 803 123 4567", "!phone-country" },
    { "+371 2123 4567", "!phone-country" },
    { "+53 5 1234567", "!phone-country" },
    { "+870 773 123456", "!phone-country" },
    { "+8816 31234567", "!phone-country" },
    { "+979 1 1234 5678", "!phone-country" },
    { "+800 1234 5678", "!phone-country" },
};


#define N(table)  (sizeof(table) / sizeof(table[0]))


/* otp-and-codes.md 1.4 and 5.5 */

static void
one_number_is_typed_in_many_ways(void **state)
{
    leadq_rule_t  rule = { .type = LEADQ_TYPE_PHONE };

    (void) state;

    CHECK(&rule, ways);
}


static void
sixty_numbers_get_no_code(void **state)
{
    size_t        i, k;
    leadq_rule_t  rule = { .type = LEADQ_TYPE_PHONE };

    (void) state;

    CHECK(&rule, refused);

    for (i = 0; i < N(refused); i++) {
        assert_int_equal(refused[i].out[0], '!');

        for (k = 0; k < i; k++) {
            assert_string_not_equal(refused[i].in, refused[k].in);
        }
    }

    assert_true(N(refused) >= 60);
}


static void
countries_that_are_served(void **state)
{
    leadq_rule_t  rule = { .type = LEADQ_TYPE_PHONE };

    static const leadq_str_t  countries[] = {
        { 2, "ru" }, { 2, "by" }, { 2, "kz" }
    };

    static const vector_t  vectors[] = {
        { "89161234567", "+79161234567" },
        { "+375 29 123 45 67", "+375291234567" },
        { "810375291234567", "+375291234567" },
        { "00375291234567", "+375291234567" },
        { "87011234567", "+77011234567" },
        { "+375 17 123 45 67", "!phone-not-mobile" },
        { "+375 29 123 45 6", "!phone-too-short" },
        { "+375 29 123 45 678", "!phone-too-long" },
        { "+998901234567", "!phone-country" },
        { "+7 940 123 45 67", "!phone-not-mobile" },
        { "+7 809 123 45 67", "!phone-not-mobile" },
    };

    (void) state;

    rule.values = countries;
    rule.nvalues = N(countries);

    CHECK(&rule, vectors);

    assert_true(leadq_phone_country("kz", 2));
    assert_false(leadq_phone_country("xx", 2));
    assert_false(leadq_phone_country("ru ", 3));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(one_number_is_typed_in_many_ways),
        cmocka_unit_test(sixty_numbers_get_no_code),
        cmocka_unit_test(countries_that_are_served),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
