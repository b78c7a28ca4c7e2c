/*
 * Where postbacks may go: addresses, networks an operator allows, ports.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "guard.h"

static fault_t fault;

static int
may(const char *allowed, const char *text)
{
    struct sockaddr_storage address;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)&address;
    struct sockaddr_in *four = (struct sockaddr_in *)&address;
    guard_t guard;

    memset(&address, 0, sizeof(address));
    assert_int_equal(guard_parse(&guard, allowed, &fault), 0);
    address.ss_family = strchr(text, ':') == NULL ? AF_INET : AF_INET6;
    assert_int_equal(inet_pton(address.ss_family, text,
                               address.ss_family == AF_INET
                                   ? (void *)&four->sin_addr
                                   : (void *)&six->sin6_addr),
                     1);
    return guard_may(&guard, (struct sockaddr *)&address);
}

static void
public_addresses_are_allowed(void **state)
{
    static const char *const good[] = {
        "8.8.8.8",       "1.1.1.1",        "172.15.255.255", "172.32.0.1",
        "100.63.255.255", "100.128.0.0",   "192.167.0.1",    "198.17.0.1",
        "223.255.255.255", "2a02:6b8::1",  "2606:4700::1111",
        "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (!may("", good[i])) {
            fail_msg("%s is refused", good[i]);
        }
    }
}

static void
every_other_address_is_refused(void **state)
{
    static const char *const bad[] = {
        "0.0.0.0",         "10.1.2.3",        "127.0.0.1",
        "127.255.255.255", "169.254.169.254", "172.16.0.1",
        "172.31.255.255",  "192.168.1.1",     "100.64.0.1",
        "100.127.255.255", "192.0.0.8",       "192.0.2.1",
        "192.88.99.1",     "198.18.0.1",      "198.19.255.255",
        "198.51.100.7",    "203.0.113.9",     "224.0.0.1",
        "239.1.1.1",       "240.0.0.1",       "255.255.255.255",
        "::",              "::1",             "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "::127.0.0.1",     "64:ff9b::a00:1",
        "64:ff9b:1::1",    "2002:7f00:1::1",  "2002:a9fe:a9fe::1",
        "2001::1",         "2001:db8::1",     "2001:10::1",
        "3fff::1",         "fe80::1",         "fec0::1",
        "fc00::1",         "fd12:3456::1",    "ff02::1",
        "100::1",          "4000::1"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (may("", bad[i])) {
            fail_msg("%s is allowed", bad[i]);
        }
    }
}

static void
an_operator_allows_networks(void **state)
{
    (void)state;
    assert_true(may("127.0.0.0/8, ::1", "127.0.0.1"));
    assert_true(may("127.0.0.0/8, ::1", "::1"));
    assert_true(may("127.0.0.0/8", "::ffff:127.0.0.1"));
    assert_true(may("127.0.0.0/8", "64:ff9b::7f00:1"));
    assert_true(may("10.0.0.0/15,fd00::/8", "fd12::1"));
    assert_true(may("10.2.0.0/15", "10.3.255.255"));
    assert_false(may("10.2.0.0/15", "10.4.0.0"));
    assert_false(may("127.0.0.0/8, ::1", "::2"));
    assert_false(may("127.0.0.0/8", "169.254.169.254"));
    assert_true(may("0.0.0.0/0", "10.0.0.1"));
    assert_false(may("0.0.0.0/0", "fd00::1"));
}

static void
bad(const char *text, const char *reason)
{
    guard_t guard;

    assert_int_equal(guard_parse(&guard, text, &fault), -1);
    assert_string_equal(fault.text, reason);
}

static void
bad_networks_are_named(void **state)
{
    (void)state;
    bad("10.0.0.0/33", "\"10.0.0.0/33\" is no network like 10.0.0.0/8 or ::1");
    bad("::1, 10.0.0.1/8",
        "\"10.0.0.1/8\" is no network like 10.0.0.0/8 or ::1");
    bad("localhost", "\"localhost\" is no network like 10.0.0.0/8 or ::1");
    bad("10.0.0.0/", "\"10.0.0.0/\" is no network like 10.0.0.0/8 or ::1");
    bad("::/129", "\"::/129\" is no network like 10.0.0.0/8 or ::1");
    bad("::1/-1", "\"::1/-1\" is no network like 10.0.0.0/8 or ::1");
}

static void
ports_are_the_usual_ones_and_those_named(void **state)
{
    static const long extra[] = {8080, 8443};

    (void)state;
    assert_true(guard_port(80, NULL, 0));
    assert_true(guard_port(443, extra, 2));
    assert_true(guard_port(8443, extra, 2));
    assert_false(guard_port(22, extra, 2));
    assert_false(guard_port(8443, extra, 1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_addresses_are_allowed),
        cmocka_unit_test(every_other_address_is_refused),
        cmocka_unit_test(an_operator_allows_networks),
        cmocka_unit_test(bad_networks_are_named),
        cmocka_unit_test(ports_are_the_usual_ones_and_those_named),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
