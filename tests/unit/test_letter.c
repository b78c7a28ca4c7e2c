/*
 * A letter's payload: what becomes a header, and what kills the job.
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

#include "letter.h"

#define UUID "01923a4b-5c6d-7000-8000-00000000002a"

static leadq_keys_t *keys;
static fault_t fault;

static int
set_up(void **state)
{
    static const char text[] = "1 000102030405060708090a0b0c0d0e0f"
                               "101112131415161718191a1b1c1d1e1f\n";
    char name[] = "/tmp/leadq-test-XXXXXX", err[200];
    int fd;

    (void)state;
    fd = mkstemp(name);
    if (fd < 0 || write(fd, text, strlen(text)) < 0) {
        return -1;
    }
    (void)close(fd);
    keys = leadq_keys_load(name, err, sizeof(err));
    (void)unlink(name);
    return keys == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
    (void)state;
    leadq_keys_free(keys);
    return 0;
}

/* A good payload with one member replaced (json, or NULL: removed). */
static letter_t *
make(const char *member, const char *json)
{
    static const char good[] =
        "{\"message_id\":\"m1\",\"to\":\"a@b.ru\","
        "\"from_email\":\"c@d.ru\",\"from_name\":\"Brand\","
        "\"subject\":\"Hi {{name}}\",\"text\":\"{{name}} {{link}}\","
        "\"html\":\"<p>{{name}}</p>\",\"vars\":{\"name\":\"<A>\"},"
        "\"links\":{\"link\":{\"base\":\"https://d.ru/c/\","
        "\"purpose\":\"confirm\",\"subject\":\"" UUID "\","
        "\"expires\":1790000000}},\"list_unsubscribe\":\"link\","
        "\"list_id\":\"x.d.ru\"}";
    letter_t *letter;
    json_t *payload;

    payload = json_loads(good, 0, NULL);
    assert_non_null(payload);
    if (json == NULL && member != NULL) {
        (void)json_object_del(payload, member);
    } else if (member != NULL) {
        (void)json_object_set_new(payload, member,
                                  json_loads(json, JSON_DECODE_ANY, NULL));
    }
    memset(&fault, 0, sizeof(fault));
    letter = letter_new(payload, keys, 0, &fault);
    json_decref(payload);
    return letter;
}

static const char *
header(const letter_t *letter, const char *name)
{
    const char *const *headers = letter_smtp(letter)->headers;

    for (; *headers != NULL; headers++) {
        if (strncmp(*headers, name, strlen(name)) == 0) {
            return *headers + strlen(name);
        }
    }
    return NULL;
}

static void
a_payload_becomes_a_letter(void **state)
{
    const smtp_letter_t *smtp;
    letter_t *letter;

    (void)state;
    letter = make(NULL, NULL);
    assert_non_null(letter);
    smtp = letter_smtp(letter);
    assert_string_equal(smtp->from, "c@d.ru");
    assert_string_equal(smtp->to, "a@b.ru");
    assert_string_equal(header(letter, "From: "), "Brand <c@d.ru>");
    assert_string_equal(header(letter, "To: "), "<a@b.ru>");
    assert_string_equal(header(letter, "Subject: "), "Hi <A>");
    assert_string_equal(header(letter, "Message-ID: "), "<m1@d.ru>");
    assert_string_equal(header(letter, "Date: "),
                        "Thu, 01 Jan 1970 00:00:00 +0000");
    assert_string_equal(header(letter, "List-Id: "), "<x.d.ru>");
    assert_null(header(letter, "Reply-To: "));
    assert_int_equal(
        strncmp(header(letter, "List-Unsubscribe: "), "<https://d.ru/c/", 16),
        0);
    assert_int_equal(strlen(header(letter, "List-Unsubscribe: ")),
                     16 + LEADQ_SIGNED_LEN + 1);
    assert_int_equal(strncmp(smtp->text, "<A> https://d.ru/c/", 19), 0);
    assert_int_equal(smtp->text_len, 19 + LEADQ_SIGNED_LEN + 2);
    assert_string_equal(smtp->html, "<p>&lt;A&gt;</p>\r\n");
    letter_free(letter);
    letter_free(NULL);
}

static void
what_may_be_missing_may_be_missing(void **state)
{
    static const char *const members[] = {"from_name", "html", "vars",
                                          "list_unsubscribe", "list_id"};
    letter_t *letter;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        letter = make(members[i], NULL);
        assert_non_null(letter);
        letter_free(letter);
    }
    letter = make("reply_to", "\"help@d.ru\"");
    assert_string_equal(header(letter, "Reply-To: "), "<help@d.ru>");
    letter_free(letter);
}

static void
refuse(const char *member, const char *json, const char *reason)
{
    assert_null(make(member, json));
    assert_string_equal(fault.text, reason);
}

static void
a_payload_that_is_unusable_says_why(void **state)
{
    (void)state;
    refuse("message_id", NULL, "the payload has no message_id");
    refuse("message_id", "\"a@b\"", "the payload has no message_id");
    refuse("message_id", "\"a\\r\\nBcc: x\"", "the payload has no message_id");
    refuse("to", NULL, "to is not an address");
    refuse("to", "\"a@b>\\r\\nDATA\"", "to is not an address");
    refuse("from_email", "\"c\"", "from_email is not an address");
    refuse("reply_to", "\"c\\nX: y\"", "reply_to is not an address");
    refuse("subject", NULL, "the payload has no subject");
    refuse("subject", "\"{{\"", "subject line 1: a tag is not closed");
    refuse("text", NULL, "the payload has no text");
    refuse("text", "\"a\\n{{#b}}\"",
           "text line 2: section \"b\" is not closed");
    refuse("html", "\"{{>x}}\"",
           "html line 1: {{>..}}: partials are not supported");
    refuse("vars", "[]", "the payload's vars are no object");
    refuse("links", "{\"a\":{}}", "link a is not complete");
    refuse("links",
           "{\"a\":{\"base\":\"x\",\"purpose\":\"p\","
           "\"subject\":\"no\"}}",
           "link a is not complete");
    refuse("list_unsubscribe", "\"nothing\"",
           "list_unsubscribe is not a link");
    refuse("list_id", "\"a>\\nX: y\"", "list_id is not a name");
}

static void
headers_say_whether_it_is_one_of_many(void **state)
{
    letter_t *letter;
    json_t *payload;

    (void)state;
    letter = make(NULL, NULL);
    assert_string_equal(header(letter, "Auto-Submitted: "), "auto-generated");
    assert_null(header(letter, "Precedence: "));
    letter_free(letter);
    letter = make("bulk", "true");
    assert_null(header(letter, "Auto-Submitted: "));
    assert_null(header(letter, "Feedback-ID: "));
    assert_string_equal(header(letter, "Precedence: "), "bulk");
    letter_free(letter);

    payload = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s}", "message_id",
                        "m1", "to", "a@b.ru", "from_email", "c@d.ru",
                        "subject", "x", "text", "x", "bulk", 1, "feedback_id",
                        "promo:shop:chain:d-ru");
    letter = letter_new(payload, keys, 0, &fault);
    assert_non_null(letter);
    assert_string_equal(header(letter, "Feedback-ID: "),
                        "promo:shop:chain:d-ru");
    letter_free(letter);
    (void)json_object_set_new(payload, "feedback_id", json_string("a\nb"));
    assert_null(letter_new(payload, keys, 0, &fault));
    assert_string_equal(fault.text, "feedback_id is not a name");
    json_decref(payload);
}

static void
a_line_end_in_a_value_stays_out_of_the_headers(void **state)
{
    letter_t *letter;

    (void)state;
    letter = make("vars", "{\"name\":\"A\\r\\nBcc: x@y.ru\"}");
    assert_non_null(letter);
    assert_null(strchr(header(letter, "Subject: "), '\n'));
    assert_null(header(letter, "Bcc"));
    letter_free(letter);
    letter = make("from_name", "\"A\\r\\nBcc: x@y.ru\"");
    assert_non_null(letter);
    assert_null(strchr(header(letter, "From: "), '\n'));
    letter_free(letter);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_payload_becomes_a_letter),
        cmocka_unit_test(what_may_be_missing_may_be_missing),
        cmocka_unit_test(a_payload_that_is_unusable_says_why),
        cmocka_unit_test(headers_say_whether_it_is_one_of_many),
        cmocka_unit_test(a_line_end_in_a_value_stays_out_of_the_headers),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
