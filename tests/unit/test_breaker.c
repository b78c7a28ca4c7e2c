/*
 * Circuit breaker and token bucket on a clock of the test's own.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "breaker.h"
#include "rate.h"

static const breaker_rule_t rule = {3, 1000, 4500};

static int
end(breaker_t *breaker, breaker_end_e how, int probe, uint64_t now_ms)
{
    return breaker_ended(breaker, &rule, how, probe, now_ms, 500);
}

static void
opened(breaker_t *breaker)
{
    int i;

    breaker_init(breaker);
    for (i = 0; i < 3; i++) {
        assert_true(breaker_may(breaker, 0));
        (void)end(breaker, BREAKER_BAD, 0, 0);
    }
    assert_int_equal(breaker->state, BREAKER_OPEN);
}

static void
it_opens_after_failures_in_a_row(void **state)
{
    breaker_t breaker;

    (void)state;
    breaker_init(&breaker);
    assert_int_equal(end(&breaker, BREAKER_BAD, 0, 0), 0);
    assert_int_equal(end(&breaker, BREAKER_BAD, 0, 0), 0);
    assert_int_equal(end(&breaker, BREAKER_GOOD, 0, 0), 0);
    assert_int_equal(end(&breaker, BREAKER_BAD, 0, 0), 0);
    assert_int_equal(end(&breaker, BREAKER_BAD, 0, 0), 0);
    assert_int_equal(end(&breaker, BREAKER_NOTHING, 0, 0), 0);
    assert_int_equal(breaker_wait_ms(&breaker, &rule, 0), 0);
    assert_int_equal(end(&breaker, BREAKER_BAD, 0, 0), 1);
    assert_string_equal(breaker_name(breaker.state), "open");
    assert_int_equal(breaker.opened, 1);
    assert_int_equal(breaker_wait_ms(&breaker, &rule, 400), 600);
}

static void
one_probe_decides(void **state)
{
    breaker_t breaker;

    (void)state;
    opened(&breaker);
    assert_false(breaker_may(&breaker, 999));
    assert_true(breaker_may(&breaker, 1000));
    assert_string_equal(breaker_name(breaker.state), "half-open");
    assert_false(breaker_may(&breaker, 1000));
    assert_false(breaker_may(&breaker, 100000));
    assert_int_equal(breaker_wait_ms(&breaker, &rule, 1000), 1000);
    assert_int_equal(end(&breaker, BREAKER_GOOD, 1, 1500), 1);
    assert_string_equal(breaker_name(breaker.state), "closed");
    assert_true(breaker_may(&breaker, 1500));
    assert_int_equal(end(&breaker, BREAKER_BAD, 0, 1500), 0);
}

static void
the_pause_doubles_up_to_its_maximum(void **state)
{
    static const uint64_t pauses[] = {2000, 4000, 4500, 4500};
    breaker_t breaker;
    uint64_t now = 1000;
    size_t i;

    (void)state;
    opened(&breaker);
    for (i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
        assert_true(breaker_may(&breaker, now));
        assert_int_equal(end(&breaker, BREAKER_BAD, 1, now), 1);
        assert_int_equal(breaker.until_ms, now + pauses[i]);
        assert_false(breaker_may(&breaker, now + pauses[i] - 1));
        now += pauses[i];
    }
    assert_int_equal(breaker.opened, 1);
    assert_true(breaker_may(&breaker, now));
    (void)end(&breaker, BREAKER_GOOD, 1, now);
    for (i = 0; i < 3; i++) {
        (void)end(&breaker, BREAKER_BAD, 0, now);
    }
    assert_int_equal(breaker.until_ms, now + 1000);
    assert_int_equal(breaker.opened, 2);
}

static void
late_failures_of_others_change_nothing(void **state)
{
    breaker_t breaker;

    (void)state;
    opened(&breaker);
    assert_int_equal(end(&breaker, BREAKER_BAD, 0, 500), 0);
    assert_int_equal(breaker.until_ms, 1000);
    assert_true(breaker_may(&breaker, 1000));
    assert_int_equal(end(&breaker, BREAKER_BAD, 0, 1100), 0);
    assert_false(breaker_may(&breaker, 1100));
    assert_int_equal(end(&breaker, BREAKER_NOTHING, 1, 1200), 1);
    assert_true(breaker_may(&breaker, 1200));
    assert_int_equal(end(&breaker, BREAKER_GOOD, 0, 1300), 1);
    assert_string_equal(breaker_name(breaker.state), "closed");
}

static void
the_jitter_is_a_fifth(void **state)
{
    breaker_t breaker;
    uint32_t random;
    int i;

    (void)state;
    for (random = 0; random < 5000; random++) {
        breaker_init(&breaker);
        for (i = 0; i < 3; i++) {
            (void)breaker_ended(&breaker, &rule, BREAKER_BAD, 0, 0, random);
        }
        assert_in_range(breaker.until_ms, 800, 1200);
    }
}

/* How many pass in so much time, asked every millisecond. */
static int
passed(rate_t *rate, uint64_t from_ms, uint64_t to_ms)
{
    uint64_t now;
    int n = 0;

    for (now = from_ms; now < to_ms; now++) {
        while (n < 100000 && rate_wait_ms(rate, now) == 0) {
            rate_take(rate, now);
            n++;
        }
    }
    return n;
}

static void
a_rate_is_kept(void **state)
{
    rate_t rate = {0, 0, 0};

    (void)state;
    rate_set(&rate, 20);
    assert_int_equal(passed(&rate, 50000, 50001), 2);
    assert_int_equal(rate_wait_ms(&rate, 50001), 49);
    assert_in_range(passed(&rate, 50001, 60000), 198, 201);
    rate_set(&rate, 5000);
    assert_in_range(passed(&rate, 70000, 80000), 49990, 50500);
    rate_set(&rate, 0.5);
    assert_int_equal(passed(&rate, 90000, 99000), 5);
    assert_int_equal(rate_time_ms(&rate, 3), 6000);
    rate_set(&rate, 0);
    assert_int_equal(rate_wait_ms(&rate, 99000), 0);
    assert_int_equal(rate_time_ms(&rate, 3), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_after_failures_in_a_row),
        cmocka_unit_test(one_probe_decides),
        cmocka_unit_test(the_pause_doubles_up_to_its_maximum),
        cmocka_unit_test(late_failures_of_others_change_nothing),
        cmocka_unit_test(the_jitter_is_a_fifth),
        cmocka_unit_test(a_rate_is_kept),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
