
/*
 * Figures: slots, names, sums, texts.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "leadq_metrics.h"


static leadq_metrics_t      *metrics;
static leadq_metrics_sum_t   sum;


/* Processes below 1000 live. */
static int
alive(uint64_t pid)
{
    return pid < 1000;
}


static int
begin(void **state)
{
    (void) state;

    /* memory is not zeroed for us */

    metrics = aligned_alloc(LEADQ_METRICS_LINE, sizeof(leadq_metrics_t));
    assert_non_null(metrics);
    memset(metrics, 0x5a, sizeof(leadq_metrics_t));
    leadq_metrics_init(metrics);

    return 0;
}


static int
end(void **state)
{
    (void) state;
    free(metrics);
    return 0;
}


static void
slots_are_whole_cache_lines_and_versions_are_checked(void **state)
{
    (void) state;

    assert_int_equal(sizeof(leadq_slot_t) % LEADQ_METRICS_LINE, 0);
    assert_int_equal(offsetof(leadq_metrics_t, slot) % LEADQ_METRICS_LINE, 0);
    assert_int_equal(sizeof(leadq_function_metrics_t) % sizeof(uint64_t), 0);

    assert_true(leadq_metrics_fits(metrics));
    metrics->version++;
    assert_false(leadq_metrics_fits(metrics));
    metrics->version--;
    metrics->size -= 64;
    assert_false(leadq_metrics_fits(metrics));
}


static void
a_name_has_one_place_and_place_0_is_for_the_rest(void **state)
{
    char      name[80];
    unsigned  i;

    (void) state;

    assert_int_equal(leadq_metrics_function(metrics, "main", 4, "lead", 4), 1);
    assert_int_equal(leadq_metrics_function(metrics, "main", 4, "le", 2), 2);
    assert_int_equal(leadq_metrics_function(metrics, "other", 5, "lead", 4),
                     3);
    assert_int_equal(leadq_metrics_function(metrics, "main", 4, "lead", 4), 1);

    for (i = 4; i < LEADQ_METRICS_FUNCTIONS; i++) {
        snprintf(name, sizeof(name), "f%u", i);
        assert_int_equal(leadq_metrics_function(metrics, "main", 4, name,
                                                strlen(name)), i);
    }

    assert_int_equal(leadq_metrics_function(metrics, "main", 4, "more", 4), 0);
    assert_int_equal(leadq_metrics_function(metrics, "main", 4, "le", 2), 2);

    /* longer than any name that can be configured */

    memset(name, 'x', sizeof(name));
    assert_int_equal(leadq_metrics_database(metrics, name, sizeof(name)), 1);
    assert_int_equal(strlen(metrics->database[1].database),
                     LEADQ_METRICS_NAME - 1);

    for (i = 2; i < LEADQ_METRICS_DATABASES; i++) {
        snprintf(name, sizeof(name), "d%u", i);
        assert_int_equal(leadq_metrics_database(metrics, name, strlen(name)),
                         i);
    }

    assert_int_equal(leadq_metrics_database(metrics, "more", 4), 0);
}


static void
counters_outlive_processes_and_gauges_do_not(void **state)
{
    unsigned       i;
    leadq_slot_t  *a, *b;

    (void) state;

    a = leadq_metrics_claim(metrics, 10, alive);
    b = leadq_metrics_claim(metrics, 2000, alive);
    assert_ptr_not_equal(a, b);

    leadq_metrics_add(&a->function[1].request[0], 3);
    leadq_metrics_add(&b->function[1].request[0], 4);
    leadq_metrics_set(&b->database[1].gauge[LEADQ_GAUGE_LANES], 2);
    leadq_metrics_set(&b->database[1].gauge[LEADQ_GAUGE_ROWS], 7);

    leadq_metrics_sum(metrics, alive, &sum);
    assert_int_equal(sum.function[1].request[0], 7);
    assert_int_equal(sum.view[1].gauge[LEADQ_GAUGE_ROWS], 0);
    assert_int_equal(sum.processes, 1);

    /* the slot of a dead process: its counters stay, its gauges do not */

    assert_ptr_equal(leadq_metrics_claim(metrics, 11, alive), b);
    leadq_metrics_add(&b->function[1].request[0], 1);
    leadq_metrics_sum(metrics, alive, &sum);
    assert_int_equal(sum.function[1].request[0], 8);
    assert_int_equal(sum.view[1].gauge[LEADQ_GAUGE_ROWS], 0);
    assert_int_equal(sum.processes, 2);

    /* an id that has come again */

    assert_ptr_equal(leadq_metrics_claim(metrics, 10, alive), a);

    leadq_metrics_release(a);
    leadq_metrics_release(NULL);
    leadq_metrics_sum(metrics, alive, &sum);
    assert_int_equal(sum.function[1].request[0], 8);
    assert_int_equal(sum.processes, 1);
    assert_ptr_equal(leadq_metrics_claim(metrics, 12, alive), a);

    for (i = 2; i < LEADQ_METRICS_SLOTS; i++) {
        assert_non_null(leadq_metrics_claim(metrics, 100 + i, alive));
    }

    assert_null(leadq_metrics_claim(metrics, 999, alive));
    leadq_metrics_release(b);
    assert_ptr_equal(leadq_metrics_claim(metrics, 999, alive), b);
}


static void
a_value_is_in_the_bucket_whose_bound_is_not_less(void **state)
{
    unsigned           i;
    leadq_histogram_t  h;

    (void) state;

    static const struct {
        uint64_t  us;
        unsigned  bucket;
    } us[] = {
        { 0, 0 }, { 250, 0 }, { 251, 1 }, { 500, 1 }, { 501, 2 },
        { 1000, 2 }, { 99999, 8 }, { 100000, 8 }, { 100001, 9 },
        { 5000000, 13 }, { 5000001, 14 }, { UINT32_MAX + 1000ull, 14 },
    }, rows[] = {
        { 1, 0 }, { 2, 1 }, { 3, 2 }, { 4, 2 }, { 5, 3 }, { 256, 8 },
        { 1024, 10 }, { 1025, 11 },
    };

    for (i = 0; i < sizeof(us) / sizeof(us[0]); i++) {
        memset(&h, 0, sizeof(h));
        leadq_metrics_us(&h, us[i].us);
        assert_int_equal(h.bucket[us[i].bucket], 1);
        assert_int_equal(h.sum, us[i].us);
    }

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(&h, 0, sizeof(h));
        leadq_metrics_rows(&h, rows[i].us);
        assert_int_equal(h.bucket[rows[i].bucket], 1);
    }
}


static void
classes_are_two_characters_of_the_sqlstate(void **state)
{
    (void) state;

    assert_int_equal(leadq_metrics_class("08006"), LEADQ_CLASS_08);
    assert_int_equal(leadq_metrics_class("23505"), LEADQ_CLASS_23);
    assert_int_equal(leadq_metrics_class("P0001"), LEADQ_CLASS_P0);
    assert_int_equal(leadq_metrics_class("57P01"), LEADQ_CLASS_57);
    assert_int_equal(leadq_metrics_class("XX000"), LEADQ_CLASS_OTHER);
    assert_int_equal(leadq_metrics_class("2"), LEADQ_CLASS_OTHER);
    assert_int_equal(leadq_metrics_class(""), LEADQ_CLASS_OTHER);
}


static void
the_status_follows_lanes_and_queues_of_the_living(void **state)
{
    uint64_t       *gauge;
    leadq_slot_t   *slot;
    unsigned        i;

    (void) state;

    for (i = 0; i < 3; i++) {
        slot = leadq_metrics_claim(metrics, i + 1, alive);
        gauge = slot->database[1].gauge;
        leadq_metrics_set(&gauge[LEADQ_GAUGE_LANES], i == 2 ? 0 : 2);
        leadq_metrics_set(&gauge[LEADQ_GAUGE_ROWS_MAX], 10);
        leadq_metrics_set(&gauge[LEADQ_GAUGE_BYTES_MAX], 1000);
        leadq_metrics_set(&gauge[LEADQ_GAUGE_ROWS], i == 1 ? 10 : 3);
        leadq_metrics_set(&slot->database[1].down_since_ms, 5000 + i);
    }

    leadq_metrics_sum(metrics, alive, &sum);
    assert_int_equal(sum.view[1].gauge[LEADQ_GAUGE_ROWS], 16);
    assert_int_equal(sum.view[1].full, 1);
    assert_int_equal(sum.view[1].without, 2);
    assert_int_equal(sum.view[1].down_since_ms, 5001);

    assert_int_equal(leadq_metrics_status(&sum.view[1], 4000, 1000),
                     LEADQ_STATUS_WAITING);
    assert_int_equal(leadq_metrics_status(&sum.view[1], 6001, 1000),
                     LEADQ_STATUS_WAITING);
    assert_int_equal(leadq_metrics_status(&sum.view[1], 6002, 1000),
                     LEADQ_STATUS_AWAY);
    sum.view[1].gauge[LEADQ_GAUGE_READY] = 1;
    assert_int_equal(leadq_metrics_status(&sum.view[1], 6002, 1000),
                     LEADQ_STATUS_FULL);
    sum.view[1].full = 0;
    assert_int_equal(leadq_metrics_status(&sum.view[1], 6002, 1000),
                     LEADQ_STATUS_OK);
}


static const char  *outcomes[] = { "good", "bad", NULL };


static void
the_text_is_exact_and_never_half(void **state)
{
    leadq_buf_t    buf;
    leadq_slot_t  *slot;

    (void) state;

    leadq_metrics_database(metrics, "main", 4);
    leadq_metrics_function(metrics, "main", 4, "lead", 4);
    slot = leadq_metrics_claim(metrics, 1, alive);
    leadq_metrics_add(&slot->function[1].request[1], 18446744073709551615ull);
    leadq_metrics_us(&slot->function[1].wait, 300);
    leadq_metrics_us(&slot->function[1].wait, 700);
    leadq_metrics_us(&slot->function[1].wait, 9000000);
    leadq_metrics_sum(metrics, alive, &sum);

    leadq_buf_init(&buf, 65536);
    leadq_metrics_text(&buf, metrics, &sum, outcomes);
    leadq_buf_put(&buf, "", 1);
    assert_false(buf.failed);

    assert_non_null(strstr(buf.data, "# TYPE leadq_wait_seconds histogram\n"));
    assert_non_null(strstr(buf.data, "\nleadq_requests_total{database="
        "\"main\",function=\"lead\",outcome=\"bad\"} 18446744073709551615\n"));
    assert_non_null(strstr(buf.data, "function=\"lead\",le=\"0.00025\"} 0\n"));
    assert_non_null(strstr(buf.data, "function=\"lead\",le=\"0.0005\"} 1\n"));
    assert_non_null(strstr(buf.data, "function=\"lead\",le=\"5\"} 2\n"));
    assert_non_null(strstr(buf.data, "function=\"lead\",le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(buf.data, "leadq_wait_seconds_sum{database="
        "\"main\",function=\"lead\"} 9.001000\n"));
    assert_null(strstr(buf.data, "(other)"));
    leadq_buf_done(&buf);

    /* what found no place of its own shows up all the same */

    leadq_metrics_add(&slot->function[0].request[0], 1);
    leadq_metrics_sum(metrics, alive, &sum);
    leadq_metrics_text(&buf, metrics, &sum, outcomes);
    leadq_buf_put(&buf, "", 1);
    assert_non_null(strstr(buf.data, "\nleadq_requests_total{database="
        "\"(other)\",function=\"(other)\",outcome=\"good\"} 1\n"));
    leadq_buf_done(&buf);

    /* no room is a failure, not half a page that looks whole */

    leadq_buf_init(&buf, 1000);
    leadq_metrics_text(&buf, metrics, &sum, outcomes);
    assert_true(buf.failed);
    leadq_buf_done(&buf);
}


static void
the_json_of_a_database_is_complete(void **state)
{
    leadq_buf_t            buf;
    leadq_database_view_t  view;

    (void) state;

    memset(&view, 0, sizeof(view));
    view.gauge[LEADQ_GAUGE_LANES] = 4;
    view.gauge[LEADQ_GAUGE_ROWS] = 5;
    view.without = 2;

    leadq_buf_init(&buf, 4096);
    leadq_metrics_status_put(&buf, "main2", 4, &view, LEADQ_STATUS_AWAY);
    leadq_buf_put(&buf, "", 1);
    assert_string_equal(buf.data,
        "{\"name\":\"main\",\"status\":\"away\",\"reachable\":false,"
        "\"lanes\":{\"ready\":0,\"of\":4,\"processes_without\":2},"
        "\"queue\":{\"rows\":5,\"waiting\":0,\"of\":0,\"bytes\":0,"
        "\"of_bytes\":0,\"processes_full\":0}}");
    leadq_buf_done(&buf);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            slots_are_whole_cache_lines_and_versions_are_checked, begin, end),
        cmocka_unit_test_setup_teardown(
            a_name_has_one_place_and_place_0_is_for_the_rest, begin, end),
        cmocka_unit_test_setup_teardown(
            counters_outlive_processes_and_gauges_do_not, begin, end),
        cmocka_unit_test(a_value_is_in_the_bucket_whose_bound_is_not_less),
        cmocka_unit_test(classes_are_two_characters_of_the_sqlstate),
        cmocka_unit_test_setup_teardown(
            the_status_follows_lanes_and_queues_of_the_living, begin, end),
        cmocka_unit_test_setup_teardown(
            the_text_is_exact_and_never_half, begin, end),
        cmocka_unit_test(the_json_of_a_database_is_complete),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
