/*
 * What messages in the bounce mailbox say: reports of several servers,
 * complaints, and all that is none of our business.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "dsn.h"
#include "verp.h"

#define ADDRESS "b@bounce.brand.ru"
#define UUID "0198c000-0000-7000-8000-0000000000aa"

static leadq_keys_t *keys;
static char path[VERP_MAX_ADDRESS + 1];

static const unsigned char uuid[16] = {0x01, 0x98, 0xc0, 0x00, 0x00, 0x00,
                                       0x70, 0x00, 0x80, 0x00, 0x00, 0x00,
                                       0x00, 0x00, 0x00, 0xaa};

static int
set_up(void **state)
{
    char name[] = "/tmp/leadq-test-XXXXXX", err[200];
    FILE *file;
    int fd;

    (void)state;
    dsn_init();
    fd = mkstemp(name);
    file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL) {
        return -1;
    }
    (void)fputs("1 000102030405060708090a0b0c0d0e0f"
                "101112131415161718191a1b1c1d1e1f\n",
                file);
    (void)fclose(file);
    keys = leadq_keys_load(name, err, sizeof(err));
    (void)unlink(name);
    return keys == NULL ? -1 : verp_make(keys, ADDRESS, uuid, path);
}

static int
tear_down(void **state)
{
    (void)state;
    leadq_keys_free(keys);
    return 0;
}

/* A delivery report to an address, with fields and what came back. */
static dsn_t
report(const char *to, const char *fields, const char *letter)
{
    char text[8192];
    dsn_t dsn;
    int len;

    len = snprintf(
        text, sizeof(text),
        "From: MAILER-DAEMON@relay\r\nTo: %s\r\nAuto-Submitted: auto-replied"
        "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; "
        "report-type=delivery-status;\r\n boundary=\"b\"\r\n\r\n--b\r\n"
        "Content-Type: text/plain\r\n\r\nSorry.\r\n\r\n--b\r\nContent-Type: "
        "message/delivery-status\r\n\r\nReporting-MTA: dns; relay\r\n"
        "Original-Envelope-Id: %s\r\n\r\n%s\r\n--b\r\n%s\r\n--b--\r\n",
        to, strchr(to, '+') == NULL ? UUID : "", fields, letter);
    assert_in_range(len, 1, sizeof(text) - 1);
    dsn_read(text, (size_t)len, keys, ADDRESS, &dsn);
    return dsn;
}

#define FAILED "Final-Recipient: rfc822; a@b.ru\r\nAction: failed\r\n"

static void
fails(const char *status, const char *diagnostic, class_e class_,
      const char *code)
{
    char fields[800];
    dsn_t dsn;

    (void)snprintf(fields, sizeof(fields),
                   FAILED "Status: %s\r\nDiagnostic-Code: %s\r\n", status,
                   diagnostic);
    dsn = report(path, fields, "");
    if (dsn.kind != DSN_FAILED || dsn.class_ != class_
        || strcmp(dsn.code, code) != 0)
    {
        fail_msg("%s / %s: %s %s %s", status, diagnostic,
                 dsn_kind_name(dsn.kind), class_name(dsn.class_), dsn.code);
    }
}

static void
failures_have_a_class(void **state)
{
    (void)state;
    fails("5.1.1", "smtp; 550 5.1.1 No such user", CLASS_HARD, "5.1.1");
    fails("5.0.0", "smtp; 550-5.1.1 The account\r\n does not exist",
          CLASS_HARD, "5.1.1");
    fails("5.0.0", "smtp; 550 User unknown", CLASS_HARD, "5.0.0");
    fails("5.0.0", "smtp; 554 sorry", CLASS_SOFT, "5.0.0");
    fails("5.1.2", "", CLASS_HARD, "5.1.2");
    fails("4.2.2", "smtp; 452 4.2.2 Full", CLASS_SOFT, "4.2.2");
    fails("5.2.2", "smtp; 552 5.2.2 Full", CLASS_SOFT, "5.2.2");
    fails("5.7.1", "smtp; 554 5.7.1 Spam", CLASS_BLOCK, "5.7.1");
    fails("5.5.0", "smtp; 550 5.7.26 DMARC", CLASS_BLOCK, "5.7.26");
    fails("4.7.1", "smtp; 451 4.7.1 Blocked by policy", CLASS_BLOCK,
          "4.7.1");
    fails("4.7.1", "smtp; 451 4.7.1 Greylisted", CLASS_SOFT, "4.7.1");
    fails("4.4.1", "X-Postfix; connect to 192.0.2.1: timed out", CLASS_HARD,
          "4.4.1");
    fails("4.4.2", "smtp; lost connection", CLASS_SOFT, "4.4.2");
    fails("4.4.7", "smtp; expired", CLASS_SOFT, "4.4.7");
    fails("5.4.7", "smtp; expired: connection refused", CLASS_HARD, "5.4.7");
    fails("", "smtp; 550 mailbox unavailable", CLASS_HARD, "");
    fails("", "", CLASS_SOFT, "");
    fails("5.0.0", "smtp; host 5.1.1.1 said no", CLASS_SOFT, "5.0.0");
}

static void
a_letter_is_named_in_four_ways(void **state)
{
    dsn_t dsn;
    char *json;

    (void)state;
    dsn = report(path, FAILED "Status: 5.1.1\r\n", "");
    assert_true(dsn.verp.known);
    assert_memory_equal(dsn.verp.uuid, uuid, 16);
    assert_string_equal(dsn.recipient, "a@b.ru");
    dsn = report("<b@bounce.brand.ru>", FAILED "Status: 5.1.1\r\n",
                 "Content-Type: text/rfc822-headers\r\n\r\nSubject: x\r\n"
                 "Message-ID:\r\n <" UUID "@brand.ru>\r\n");
    assert_false(dsn.verp.known);
    assert_true(dsn.envid.known);
    assert_true(dsn.message_id.known);
    assert_memory_equal(dsn.message_id.uuid, uuid, 16);
    dsn = report("<b@bounce.brand.ru>", FAILED "Status: 5.1.1\r\n",
                 "Content-Type: message/rfc822\r\n\r\nMessage-ID: <" UUID
                 "@brand.ru>\r\n\r\nHello\r\n");
    assert_true(dsn.message_id.known);
    json = dsn_json(&dsn);
    assert_string_equal(json, "{\"kind\":\"failed\",\"envid\":\"" UUID
                              "\",\"message_id\":\"" UUID
                              "\",\"recipient\":\"a@b.ru\",\"class\":\"hard\","
                              "\"code\":\"5.1.1\"}");
    free(json);
}

static void
only_what_reached_nobody_has_failed(void **state)
{
    dsn_t dsn;

    (void)state;
    dsn = report(path, "Action: delayed\r\nStatus: 4.4.1\r\n", "");
    assert_int_equal(dsn.kind, DSN_DELAYED);
    assert_int_equal(dsn.class_, CLASS_NONE);
    dsn = report(path, "Action: delivered\r\nStatus: 2.0.0\r\n", "");
    assert_int_equal(dsn.kind, DSN_DELIVERED);
    dsn = report(path, FAILED "Status: 5.1.1\r\n\r\nAction: relayed\r\n", "");
    assert_int_equal(dsn.kind, DSN_DELIVERED);
    dsn = report(path, "Action: delayed\r\n\r\n" FAILED "Status: 5.1.1\r\n",
                 "");
    assert_int_equal(dsn.kind, DSN_FAILED);
    dsn = report(path, "Action: what\r\n", "");
    assert_int_equal(dsn.kind, DSN_IGNORED);
}

static dsn_t
message(const char *text)
{
    dsn_t dsn;

    dsn_read(text, strlen(text), keys, ADDRESS, &dsn);
    return dsn;
}

#define FEEDBACK(fields)                                                 \
    "MIME-Version: 1.0\nContent-Type: multipart/report; boundary=b\n\n"  \
    "--b\nContent-Type: message/feedback-report\n\n" fields "\n--b\n"    \
    "Content-Type: message/rfc822\n\nMessage-ID: <" UUID "@brand.ru>\n\n" \
    "--b--\n"

static void
complaints_are_complaints(void **state)
{
    dsn_t dsn;

    (void)state;
    dsn = message(FEEDBACK("Feedback-Type: abuse\nOriginal-Rcpt-To: <a@b.ru>"
                           "\n"));
    assert_int_equal(dsn.kind, DSN_COMPLAINT);
    assert_true(dsn.message_id.known);
    assert_string_equal(dsn.recipient, "a@b.ru");
    dsn = message(FEEDBACK("Feedback-Type: not-spam\n"));
    assert_int_equal(dsn.kind, DSN_IGNORED);
}

static void
the_rest_is_ignored(void **state)
{
    char text[600];

    (void)state;
    assert_int_equal(message("").kind, DSN_IGNORED);
    assert_int_equal(message("nonsense").kind, DSN_IGNORED);
    (void)snprintf(text, sizeof(text),
                   "From: Anna <a@b.ru>\nTo: %s\nSubject: re\n\nuser unknown"
                   "\n",
                   path);
    assert_int_equal(message(text).kind, DSN_IGNORED);
    (void)snprintf(text, sizeof(text),
                   "From: postmaster@b.ru\nTo: %s\nAuto-Submitted: "
                   "auto-replied\n\n550 5.1.1 user unknown\n",
                   path);
    assert_int_equal(message(text).kind, DSN_IGNORED);
    (void)snprintf(text, sizeof(text),
                   "From: MAILER-DAEMON@b.ru\nTo: %s\n\nI could not deliver:"
                   " user unknown\n",
                   path);
    assert_int_equal(message(text).kind, DSN_FAILED);
    assert_int_equal(message(text).class_, CLASS_HARD);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_have_a_class),
        cmocka_unit_test(a_letter_is_named_in_four_ways),
        cmocka_unit_test(only_what_reached_nobody_has_failed),
        cmocka_unit_test(complaints_are_complaints),
        cmocka_unit_test(the_rest_is_ignored),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
