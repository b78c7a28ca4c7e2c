/*
 * leadqctl codes: what is made by chance is what the type "promo" takes, is
 * no word, and prefers no symbol.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl_codes.h"

#include "leadq_types.h"

#define CODES 100000

static void
codes(void **state)
{
    static const char letters[] = "ACEHKMPTX";
    static ctl_random_t random;
    char code[LEADQ_PROMO_LEN + 1], shown[CTL_CODES_SHOWN_SIZE];
    leadq_rule_t rule;
    leadq_value_t value;
    size_t i, k, row;

    (void)state;
    memset(&rule, 0, sizeof(rule));
    rule.type = LEADQ_TYPE_PROMO;
    for (i = 0; i < CODES; i++) {
        assert_int_equal(ctl_codes_make(&random, code), 0);
        assert_int_equal(strspn(code, LEADQ_PROMO_SYMBOLS), LEADQ_PROMO_LEN);
        assert_int_equal(leadq_promo_symbol(code), code[LEADQ_PROMO_LEN - 1]);
        ctl_codes_show(code, shown);
        assert_int_equal(strlen(shown), 14);
        assert_int_equal(
            leadq_type_check(&rule, shown, strlen(shown), 0, &value),
            LEADQ_OK);
        assert_int_equal(value.len, LEADQ_PROMO_LEN);
        assert_memory_equal(value.data, code, LEADQ_PROMO_LEN);
        for (k = 0, row = 0; k < LEADQ_PROMO_LEN; k++) {
            row = strchr(letters, code[k]) == NULL ? 0 : row + 1;
            assert_true(row < 4);
        }
    }
}

/* Each of the 17 symbols comes first about as often as any other. */
static void
chance(void **state)
{
    static ctl_random_t random;
    static unsigned seen[256];
    char code[LEADQ_PROMO_LEN + 1];
    const char *p;
    size_t i;

    (void)state;
    for (i = 0; i < CODES; i++) {
        assert_int_equal(ctl_codes_make(&random, code), 0);
        seen[(unsigned char)code[0]]++;
    }
    for (p = LEADQ_PROMO_SYMBOLS; *p != '\0'; p++) {
        /* a letter begins a word of four and is rejected more often */
        assert_in_range(seen[(unsigned char)*p], CODES / 17 * 85 / 100,
                        CODES / 17 * 115 / 100);
    }
}

static void
shown(void **state)
{
    char text[CTL_CODES_SHOWN_SIZE];

    (void)state;
    ctl_codes_show("22223333444A", text);
    assert_string_equal(text, "2222-3333-444A");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes),
        cmocka_unit_test(chance),
        cmocka_unit_test(shown),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
