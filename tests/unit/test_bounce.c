/*
 * The classification of mail servers' replies: formats.md C3, row by row,
 * and replies as they are met.  Facts M-13, M-14, M-15.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bounce.h"

static void
check(smtp_phase_e phase, int smtp, const char *reply, outcome_e want,
      class_e class_)
{
    smtp_result_t result = {SMTP_REPLIED, phase, smtp, reply, NULL, 7};
    outcome_t outcome;
    char line[200], got[200];

    outcome_init(&outcome);
    bounce_judge(&result, &outcome);
    (void)snprintf(line, sizeof(line), "%d %s: %s %s", smtp, reply,
                   outcome_name(want), class_name(class_));
    (void)snprintf(got, sizeof(got), "%d %s: %s %s", smtp, reply,
                   outcome_name(outcome.outcome), class_name(outcome.class_));
    assert_string_equal(got, line);
    assert_int_equal(outcome.smtp, smtp);
    assert_int_equal(outcome.ms, 7);
}

#define HARD(smtp, reply) \
    check(SMTP_RCPT, smtp, reply, OUTCOME_DEAD, CLASS_HARD)
#define SOFT(smtp, reply) \
    check(SMTP_RCPT, smtp, reply, OUTCOME_DEAD, CLASS_SOFT)
#define BLOCK(smtp, reply) \
    check(SMTP_RCPT, smtp, reply, OUTCOME_DEAD, CLASS_BLOCK)
#define WAIT(smtp, reply, class_) \
    check(SMTP_RCPT, smtp, reply, OUTCOME_RETRY, class_)

static void
addresses_that_do_not_exist_are_hard(void **state)
{
    (void)state;
    HARD(550, "5.1.1 <a@b.ru>: Recipient address rejected: User unknown");
    HARD(550, "5.1.2 Bad destination");
    HARD(556, "5.1.10 Null MX");
    HARD(550, "5.4.4 Host not found");
    HARD(553, "5.1.3 Bad address syntax");
    HARD(550, "5.1.0 Address rejected");
    HARD(550, "5.1.4 Ambiguous");
    HARD(551, "5.1.6 Moved");
    HARD(550, "5.2.1 Mailbox disabled");
    HARD(525, "5.7.13 User account disabled");
    HARD(550, "5.7.17 Mailbox owner has changed");
    HARD(550, "User unknown");
    HARD(550, "No such user here");
    HARD(550, "mailbox unavailable");
    HARD(553, "sorry");
    HARD(501, "bad address");
}

static void
full_and_large_is_soft(void **state)
{
    (void)state;
    SOFT(552, "5.2.2 Mailbox full");
    SOFT(550, "5.2.3 Message too large");
    SOFT(552, "5.3.4 Message too big for system");
    SOFT(550, "5.3.0 Other mail system problem");
    SOFT(550, "5.4.6 Routing loop");
    SOFT(550, "5.4.7 Delivery time expired");
    SOFT(550, "Quota exceeded");
    SOFT(552, "sorry");
    SOFT(554, "5.0.0 sorry");
    SOFT(554, "sorry");
    check(SMTP_DATA, 552, "sorry", OUTCOME_DEAD, CLASS_SOFT);
}

static void
what_speaks_of_us_is_block(void **state)
{
    (void)state;
    BLOCK(550, "5.1.8 Sender's domain does not exist");
    BLOCK(550, "5.7.1 Rejected: spam");
    BLOCK(550, "5.7.26 DMARC");
    BLOCK(550, "5.7.515 Access denied");
    BLOCK(554, "5.6.0 Content rejected");
    BLOCK(503, "5.5.1 Bad sequence");
    BLOCK(554, "Your IP is in a blacklist");
    check(SMTP_MAIL, 550, "sorry", OUTCOME_DEAD, CLASS_BLOCK);
    check(SMTP_DATA, 554, "sorry", OUTCOME_DEAD, CLASS_BLOCK);
    WAIT(421, "4.7.0 Try later", CLASS_NETWORK);
    WAIT(450, "4.7.32 DMARC alignment", CLASS_BLOCK);
    WAIT(451, "4.7.1 Rate limit: blocked for a while", CLASS_BLOCK);
    check(SMTP_MAIL, 451, "4.1.8 Domain not found", OUTCOME_RETRY,
          CLASS_BLOCK);
}

static void
what_may_pass_is_tried_again(void **state)
{
    (void)state;
    WAIT(450, "4.7.1 Greylisted, see http://x", CLASS_GREYLIST);
    WAIT(450, "4.2.0 Greylisted", CLASS_GREYLIST);
    WAIT(451, "Please try again later", CLASS_GREYLIST);
    WAIT(450, "mailbox unavailable", CLASS_GREYLIST);
    WAIT(452, "4.2.2 Over quota", CLASS_SOFT);
    WAIT(451, "4.3.0 Temporary problem", CLASS_SOFT);
    WAIT(451, "4.4.1 No answer from host", CLASS_SOFT);
    WAIT(452, "sorry", CLASS_SOFT);
    WAIT(450, "4.0.0 sorry", CLASS_SOFT);
}

static void
a_session_that_fails_says_nothing_of_the_address(void **state)
{
    smtp_result_t result = {SMTP_FAILED, SMTP_RCPT, 0, "", "connect", 3};
    outcome_t outcome;

    (void)state;
    check(SMTP_SESSION, 554, "5.7.1 Go away", OUTCOME_RETRY, CLASS_NETWORK);
    check(SMTP_SESSION, 535, "5.7.8 Bad credentials", OUTCOME_RETRY,
          CLASS_NETWORK);
    outcome_init(&outcome);
    bounce_judge(&result, &outcome);
    assert_int_equal(outcome.outcome, OUTCOME_RETRY);
    assert_int_equal(outcome.class_, CLASS_NETWORK);
    assert_string_equal(outcome.reason, "connect");
    result.end = SMTP_ACCEPTED;
    result.code = 250;
    outcome_init(&outcome);
    bounce_judge(&result, &outcome);
    assert_int_equal(outcome.outcome, OUTCOME_DONE);
    assert_int_equal(outcome.class_, CLASS_NONE);
}

static void
code(const char *reply, int smtp, const char *want)
{
    char got[12];

    bounce_code(reply, smtp, got);
    assert_string_equal(got, want);
}

static void
enhanced_codes_are_read_with_care(void **state)
{
    (void)state;
    code("5.1.1 x", 550, "5.1.1");
    code("5.1.10", 550, "5.1.10");
    code("4.7.515 x", 450, "4.7.515");
    code("4.1.1 x", 550, "");
    code("5.1 x", 550, "");
    code("5.1.1.1 x", 550, "");
    code("5..1 x", 550, "");
    code("5.1. x", 550, "");
    code("55.1.1 x", 550, "");
    code("5.12345.12345 x", 550, "");
    code("2.0.0 x", 250, "");
    code("", 550, "");
}

static void
replies_are_kept_short_and_clean(void **state)
{
    char text[400];
    outcome_t outcome;

    (void)state;
    outcome_init(&outcome);
    outcome_reply(&outcome, "a\r\n\tb\x01\xff\xd1\x8f", 9);
    assert_string_equal(outcome.reply, "a b ?\xd1\x8f");
    memset(text, 'x', sizeof(text));
    memcpy(text + 199, "\xd1\x8f", 2);
    outcome_reply(&outcome, text, sizeof(text));
    assert_int_equal(strlen(outcome.reply), 199);
    outcome_reply(&outcome, "", 0);
    assert_string_equal(outcome.reply, "");
}

static void
details_name_what_applies(void **state)
{
    outcome_t outcome;
    char *json;

    (void)state;
    outcome_init(&outcome);
    json = outcome_json(&outcome);
    assert_string_equal(json, "{\"ms\":0}");
    free(json);
    outcome.ms = 182;
    outcome.http = 503;
    outcome.smtp = 550;
    strcpy(outcome.code, "5.1.1");
    outcome.class_ = CLASS_HARD;
    outcome.retry_after_s = 30;
    outcome.reason = "status";
    strcpy(outcome.reply, "a \"b\"");
    json = outcome_json(&outcome);
    assert_string_equal(json, "{\"ms\":182,\"http\":503,\"smtp\":550,"
                              "\"code\":\"5.1.1\",\"class\":\"hard\","
                              "\"retry_after_s\":30,\"reason\":\"status\","
                              "\"reply\":\"a \\\"b\\\"\"}");
    free(json);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_that_do_not_exist_are_hard),
        cmocka_unit_test(full_and_large_is_soft),
        cmocka_unit_test(what_speaks_of_us_is_block),
        cmocka_unit_test(what_may_pass_is_tried_again),
        cmocka_unit_test(a_session_that_fails_says_nothing_of_the_address),
        cmocka_unit_test(enhanced_codes_are_read_with_care),
        cmocka_unit_test(replies_are_kept_short_and_clean),
        cmocka_unit_test(details_name_what_applies),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
