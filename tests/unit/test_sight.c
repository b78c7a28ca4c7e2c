/*
 * The pure parts of what a worker shows: its address, its counters.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>

#include "sight.h"
#include "stats.h"

static void
addresses(void **state)
{
    static const struct {
        const char *text;
        int port; /* 0: refused */
        const char *reason;
    } cases[] = {
        {"127.0.0.1:9464", 9464, NULL},
        {"127.9.8.7:1", 1, NULL},
        {"[::1]:65535", 65535, NULL},
        {"", 0, "not address:port"},
        {":80", 0, "not address:port"},
        {"127.0.0.1", 0, "not address:port"},
        {"127.0.0.1:", 0, "no port"},
        {"127.0.0.1:0", 0, "no port"},
        {"127.0.0.1:65536", 0, "no port"},
        {"127.0.0.1:80x", 0, "no port"},
        {"127.0.0:80", 0, "not address:port"},
        {"localhost:80", 0, "not address:port"},
        {"::1:80", 0, "not address:port"},
        {"[127.0.0.1]:80", 0, "not address:port"},
        {"0.0.0.0:80", 0, "not on the loopback"},
        {"128.0.0.1:80", 0, "not on the loopback"},
        {"[::]:80", 0, "not on the loopback"},
        {"[::ffff:127.0.0.1]:80", 0, "not on the loopback"},
        {"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:80", 0,
         "not address:port"},
    };
    struct sockaddr_storage address;
    const void *any = &address;
    const struct sockaddr_in *in = any;
    fault_t fault;
    size_t i;
    int rc;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fault.text[0] = '\0';
        rc = sight_parse(cases[i].text, &address, &fault);
        assert_int_equal(rc, cases[i].port != 0 ? 0 : -1);
        if (rc == 0) {
            assert_int_equal(ntohs(in->sin_port), cases[i].port);
        } else {
            assert_non_null(strstr(fault.text, cases[i].reason));
        }
    }
}

static void
times(void **state)
{
    stats_times_t t;

    (void)state;
    memset(&t, 0, sizeof(t));
    stats_observe(&t, 0);
    stats_observe(&t, 0.005);
    stats_observe(&t, 0.0051);
    stats_observe(&t, 10);
    stats_observe(&t, 11);
    assert_int_equal(t.buckets[0], 2); /* a bound belongs to its bucket */
    assert_int_equal(t.buckets[1], 1);
    assert_int_equal(t.buckets[STATS_BOUNDS - 1], 1);
    assert_int_equal(t.buckets[STATS_BOUNDS], 1);
    assert_true(t.seconds > 21.01 && t.seconds < 21.02);
}

static void
kinds(void **state)
{
    stats_t stats;
    char name[20];
    int i;

    (void)state;
    memset(&stats, 0, sizeof(stats));
    stats_settled(&stats, "letter", OUTCOME_DONE);
    stats_settled(&stats, "letter", OUTCOME_RETRY);
    stats_settled(&stats, "letter", OUTCOME_DEAD);
    stats_settled(&stats, "letter", OUTCOME_DEAD);
    for (i = 0; i < 50; i++) {
        (void)snprintf(name, sizeof(name), "kind%d", i);
        stats_settled(&stats, name, OUTCOME_DONE);
    }
    assert_string_equal(stats.kinds[0].name, "letter");
    assert_int_equal(stats.kinds[0].done, 1);
    assert_int_equal(stats.kinds[0].retry, 1);
    assert_int_equal(stats.kinds[0].dead, 2);
    assert_string_equal(stats.kinds[1].name, "kind0");
    assert_string_equal(stats.kinds[STATS_KINDS - 1].name, "(other)");
    assert_int_equal(stats.kinds[STATS_KINDS - 1].done, 50 - 14);
    assert_int_equal(stats.done, 51);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(times),
        cmocka_unit_test(kinds),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
