
/*
 * UUIDs version 7: layout, order, text.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "leadq_uuid.h"


static uint64_t
ms_of(const unsigned char id[16])
{
    int       i;
    uint64_t  ms;

    for (ms = 0, i = 0; i < 6; i++) {
        ms = ms << 8 | id[i];
    }

    return ms;
}


static void
an_id_has_time_version_and_variant(void **state)
{
    unsigned char     id[16];
    leadq_uuid_gen_t  gen;

    (void) state;

    leadq_uuid_init(&gen);
    assert_int_equal(leadq_uuid_next(&gen, 0x0123456789abULL, id), 0);
    assert_true(ms_of(id) == 0x0123456789abULL);
    assert_int_equal(id[6] >> 4, 7);
    assert_int_equal(id[8] >> 6, 2);
}


static void
ids_rise_within_a_millisecond_and_when_the_clock_falls(void **state)
{
    int               i;
    uint64_t          now;
    unsigned char     id[16], last[16];
    leadq_uuid_gen_t  gen;

    (void) state;

    leadq_uuid_init(&gen);
    memset(last, 0, sizeof(last));
    now = 1790000000000ULL;

    for (i = 0; i < 100000; i++) {
        assert_int_equal(leadq_uuid_next(&gen, now, id), 0);
        assert_true(memcmp(last, id, 16) < 0);
        memcpy(last, id, 16);

        if (i % 20000 == 19999) {
            now -= 3600 * 1000;
        }

        if (i % 7000 == 0) {
            now++;
        }
    }
}


static void
two_generators_do_not_meet(void **state)
{
    unsigned char     a[16], b[16];
    leadq_uuid_gen_t  one, two;

    (void) state;

    leadq_uuid_init(&one);
    leadq_uuid_init(&two);
    assert_int_equal(leadq_uuid_next(&one, 5, a), 0);
    assert_int_equal(leadq_uuid_next(&two, 5, b), 0);
    assert_memory_not_equal(a, b, 16);
}


static void
text_goes_both_ways(void **state)
{
    char           out[LEADQ_UUID_LEN + 1];
    unsigned char  id[16];

    (void) state;

    assert_int_equal(leadq_uuid_parse("01923A4b-5c6d-7000-8000-00000000002a",
                                      36, id), 0);
    leadq_uuid_format(id, out);
    assert_string_equal(out, "01923a4b-5c6d-7000-8000-00000000002a");
}


static void
other_text_is_refused(void **state)
{
    size_t         i;
    unsigned char  id[16];

    static const char *const  bad[] = {
        "", "01923a4b", "01923a4b5c6d70008000000000000002a000",
        "01923a4b-5c6d-7000-8000-00000000002",
        "01923a4b-5c6d-7000-8000-00000000002aa",
        "01923a4b-5c6d-7000-8000-00000000002g",
        "{1923a4b-5c6d-7000-8000-00000000002}",
        "01923a4b-5c6d-7000-8000+00000000002a",
        "01923a4b-5c6d-7000-8000-0000000000-a",
    };

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(leadq_uuid_parse(bad[i], strlen(bad[i]), id), -1);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(an_id_has_time_version_and_variant),
        cmocka_unit_test(
            ids_rise_within_a_millisecond_and_when_the_clock_falls),
        cmocka_unit_test(two_generators_do_not_meet),
        cmocka_unit_test(text_goes_both_ways),
        cmocka_unit_test(other_text_is_refused),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
