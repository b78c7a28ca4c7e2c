
/*
 * Limits of rate: rates as they are written, GCRA to the microsecond, keys of
 * addresses, a table that is too small.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include <cmocka.h>

#include "leadq_limit.h"


#define SECOND  UINT64_C(1000000)
#define NOW     (UINT64_C(86400) * SECOND)


static leadq_limit_table_t *
table_of(size_t bytes, size_t keys)
{
    void  *memory;

    memory = calloc(1, bytes);
    assert_non_null(memory);
    assert_int_equal(leadq_limit_init(memory, bytes, 42), keys);
    assert_true(leadq_limit_valid(memory, bytes));
    assert_false(leadq_limit_valid(memory, bytes + 1));

    return memory;
}


static leadq_limit_rate_t
rate_of(const char *text, unsigned burst)
{
    leadq_limit_rate_t  rate;

    assert_int_equal(leadq_limit_rate(text, strlen(text), burst, &rate), 0);

    return rate;
}


static void
rates_are_read(void **state)
{
    size_t              i;
    leadq_limit_rate_t  rate;

    static const struct {
        const char  *text;
        unsigned     burst;
        uint64_t     interval;
    } good[] = {
        { "1r/s", 0, SECOND }, { "10r/s", 5, SECOND / 10 },
        { "60r/m", 9, SECOND }, { "1r/m", 1, 60 * SECOND },
        { "100r/h", 2, 36 * SECOND }, { "1000r/d", 100000, 86400000 },
        { "100000r/s", 0, 10 }, { "007r/s", 0, 142857 },
    };

    static const char *const  bad[] = {
        "", "r/s", "0r/s", "100001r/s", "99999999999999999999r/s", "10",
        "10r", "10r/", "10r/w", "10r/ss", "10/s", "-1r/s", "1.5r/s", " 1r/s",
        "10R/s"
    };

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        rate = rate_of(good[i].text, good[i].burst);
        assert_int_equal(rate.interval_us, good[i].interval);
        assert_int_equal(rate.burst_us, good[i].interval * good[i].burst);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (leadq_limit_rate(bad[i], strlen(bad[i]), 0, &rate) != -1) {
            fail_msg("\"%s\" was taken", bad[i]);
        }
    }

    assert_int_equal(leadq_limit_rate("1r/s", 4, 100001, &rate), -1);
}


static void
a_burst_is_let_through_and_then_the_rate(void **state)
{
    size_t                i;
    leadq_limit_rate_t    rate;
    leadq_limit_table_t  *table;

    (void) state;

    table = table_of(4096, 252);
    rate = rate_of("10r/s", 4);

    for (i = 0; i < 5; i++) {
        assert_int_equal(leadq_limit_take(table, 7, NOW, &rate), 0);
    }

    /* the wait does not grow with being refused */

    assert_int_equal(leadq_limit_take(table, 7, NOW, &rate), 100000);
    assert_int_equal(leadq_limit_take(table, 7, NOW, &rate), 100000);
    assert_int_equal(leadq_limit_take(table, 7, NOW + 99999, &rate), 1);
    assert_int_equal(leadq_limit_take(table, 7, NOW + 100000, &rate), 0);
    assert_int_equal(leadq_limit_take(table, 7, NOW + 100000, &rate), 100000);

    assert_int_equal(leadq_limit_take(table, 8, NOW, &rate), 0);

    /* after a rest all of the burst is there again */

    for (i = 0; i < 5; i++) {
        assert_int_equal(leadq_limit_take(table, 7, NOW + SECOND, &rate), 0);
    }

    assert_int_equal(leadq_limit_take(table, 7, NOW + SECOND, &rate), 100000);

    free(table);
}


static void
over_a_long_time_the_rate_is_exact(void **state)
{
    size_t                i, passed;
    leadq_limit_rate_t    rate;
    leadq_limit_table_t  *table;

    (void) state;

    table = table_of(4096, 252);
    rate = rate_of("100r/m", 0);
    passed = 0;

    for (i = 0; i < 600 * 1000; i += 7) {
        passed += leadq_limit_take(table, 1, NOW + i * 1000, &rate) == 0;
    }

    assert_in_range(passed, 990, 1000);

    free(table);
}


static void
a_request_can_be_taken_back(void **state)
{
    leadq_limit_rate_t    rate;
    leadq_limit_table_t  *table;

    (void) state;

    table = table_of(4096, 252);
    rate = rate_of("1r/h", 0);

    assert_int_equal(leadq_limit_take(table, 7, NOW, &rate), 0);
    leadq_limit_give(table, 8, &rate);
    assert_int_equal(leadq_limit_take(table, 7, NOW, &rate), 3600 * SECOND);
    leadq_limit_give(table, 7, &rate);
    assert_int_equal(leadq_limit_take(table, 7, NOW, &rate), 0);

    free(table);
}


static void
a_new_rate_does_not_inherit_the_wait_of_the_old(void **state)
{
    leadq_limit_rate_t    day, second;
    leadq_limit_table_t  *table;

    (void) state;

    table = table_of(4096, 252);
    day = rate_of("1r/d", 0);
    second = rate_of("1r/s", 0);

    assert_int_equal(leadq_limit_take(table, 7, NOW, &day), 0);
    assert_int_equal(leadq_limit_take(table, 7, NOW, &second), SECOND);

    free(table);
}


static void
a_table_too_small_is_lenient_and_says_so(void **state)
{
    uint64_t              i;
    leadq_limit_rate_t    rate;
    leadq_limit_table_t  *table;

    (void) state;

    table = table_of(128, 4);
    rate = rate_of("1r/h", 0);

    for (i = 1; i <= 4; i++) {
        assert_int_equal(leadq_limit_take(table, i, NOW + i, &rate), 0);
    }

    assert_int_equal(leadq_limit_forgotten(table), 0);
    assert_int_equal(leadq_limit_take(table, 5, NOW + 5, &rate), 0);
    assert_int_equal(leadq_limit_forgotten(table), 1);

    /* the one nearest to its rest had to go */

    assert_int_not_equal(leadq_limit_take(table, 2, NOW + 6, &rate), 0);
    assert_int_equal(leadq_limit_take(table, 1, NOW + 6, &rate), 0);

    /* after the rest of all nobody is forgotten too early */

    assert_int_equal(leadq_limit_forgotten(table), 2);
    assert_int_equal(leadq_limit_take(table, 9, 2 * NOW, &rate), 0);
    assert_int_equal(leadq_limit_forgotten(table), 2);

    assert_int_equal(leadq_limit_init(table, 127, 1), 0);

    free(table);
}


static void
a_table_of_its_size_holds_its_keys(void **state)
{
    uint64_t              i;
    leadq_limit_rate_t    rate;
    leadq_limit_table_t  *table;

    (void) state;

    /* half full */

    table = table_of(64 + 16384 * 64, 65536);
    rate = rate_of("1r/h", 0);

    for (i = 0; i < 32768; i++) {
        assert_int_equal(leadq_limit_take(table, i, NOW, &rate), 0);
    }

    assert_in_range(leadq_limit_forgotten(table), 0, 32768 / 10);

    free(table);
}


static uint64_t
key6(const char *text)
{
    unsigned char  address[16];

    assert_int_equal(inet_pton(AF_INET6, text, address), 1);

    return leadq_limit_key6(address);
}


static uint64_t
key4(const char *text)
{
    unsigned char  address[4];

    assert_int_equal(inet_pton(AF_INET, text, address), 1);

    return leadq_limit_key4(address);
}


static void
addresses_are_one_key_by_their_network(void **state)
{
    (void) state;

    assert_true(key6("2001:db8:1:2::1") == key6("2001:db8:1:2:ffff::9"));
    assert_true(key6("2001:db8:1:2::1") != key6("2001:db8:1:3::1"));
    assert_true(key4("192.0.2.1") != key4("192.0.2.2"));
    assert_true(key4("192.0.2.1") == key6("::ffff:192.0.2.1"));
    assert_true(key6("::192.0.2.1") == key6("::1"));
    assert_true(key4("0.0.0.0") != key6("::"));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(rates_are_read),
        cmocka_unit_test(a_burst_is_let_through_and_then_the_rate),
        cmocka_unit_test(over_a_long_time_the_rate_is_exact),
        cmocka_unit_test(a_request_can_be_taken_back),
        cmocka_unit_test(a_new_rate_does_not_inherit_the_wait_of_the_old),
        cmocka_unit_test(a_table_too_small_is_lenient_and_says_so),
        cmocka_unit_test(a_table_of_its_size_holds_its_keys),
        cmocka_unit_test(addresses_are_one_key_by_their_network),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
