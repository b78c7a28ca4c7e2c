/*
 * Calls to gateways: names, headers, what nobody is shown.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "postback.h"

#define TEXT "\xd0\x9a\xd0\xbe\xd0\xb4 0417"

static const postback_told_t told = {"0417", TEXT, "1", 0};
static fault_t fault;

/* body and headers (JSON) may be NULL. */
static postback_t *
make(const char *url, const char *body, const char *headers,
     const postback_told_t *how)
{
    postback_t *postback;
    json_t *payload;

    payload = json_pack(
        "{s:s, s:s, s:s, s:s, s:s?, s:o*, s:{s:s, s:s, s:s, s:s, s:s}}",
        "postback_id", "send-1", "method", body == NULL ? "GET" : "POST",
        "url", url, "content_type", POSTBACK_JSON, "body", body, "headers",
        headers == NULL ? NULL : json_loads(headers, 0, NULL), "values",
        "phone", "+79160000017", "digits", "79160000017", "sender", "Brand",
        "send_id", "send-1", "validity", "240");
    assert_non_null(payload);
    postback = postback_new(payload, NULL, 1614265330, how, &fault);
    json_decref(payload);
    return postback;
}

static void
a_gateway_has_names_of_its_own(void **state)
{
    postback_t *postback;

    (void)state;
    postback = make("http://h/?to={digits}&p={phone}&mes={text}&c={code}"
                    "&n={segments}&ttl={validity}&id={send_id}&r={rand}",
                    "{\"to\":\"{phone}\",\"text\":\"{text}\"}", NULL, &told);
    assert_non_null(postback);
    assert_string_equal(
        postback_request(postback)->url,
        "http://h/?to=79160000017&p=%2B79160000017&mes=%D0%9A%D0%BE%D0%B4"
        "%200417&c=0417&n=1&ttl=240&id=send-1&r=send-1");
    assert_string_equal(postback_request(postback)->body,
                        "{\"to\":\"+79160000017\",\"text\":\"" TEXT "\"}");
    assert_true(postback_request(postback)->secret);
    postback_free(postback);
    assert_null(make("http://h/?c={code}", NULL, NULL, NULL));
    assert_string_equal(fault.text, "unknown macro \"code\"");
}

static void
what_is_made_up_is_shown(void **state)
{
    static const postback_told_t made_up = {"1234", "Code 1234", "1", 1};
    postback_t *postback;

    (void)state;
    postback = make("http://h/?mes={text}&c={code}", NULL, "{\"X\": \"1\"}",
                    &made_up);
    assert_non_null(postback);
    assert_string_equal(postback_shown_url(postback),
                        "http://h/?mes=Code%201234&c=1234");
    assert_string_equal(postback_shown_header(postback, 0),
                        "Idempotency-Key: send-1");
    assert_string_equal(postback_shown_header(postback, 2), "X: 1");
    postback_free(postback);
}

static void
nobody_is_shown_the_code(void **state)
{
    static const postback_told_t none = {NULL, NULL, NULL, 0};
    postback_t *postback;

    (void)state;
    postback = make("http://h/?mes={text}&c={code}", "{\"t\":\"{text}\"}",
                    NULL, &told);
    assert_non_null(postback);
    assert_string_equal(postback_shown_url(postback),
                        "http://h/?mes=***&c=***");
    assert_string_equal(postback_shown_body(postback), "{\"t\":\"***\"}");
    postback_free(postback);
    postback = make("http://h/?mes={text}&c={code}", NULL, NULL, &none);
    assert_non_null(postback);
    assert_string_equal(postback_request(postback)->url, "http://h/?mes=&c=");
    postback_free(postback);
}

static int
has_header(const postback_t *postback, const char *want)
{
    const http_request_t *request = postback_request(postback);
    size_t i;

    for (i = 0; i < request->n_headers; i++) {
        if (strcmp(request->headers[i], want) == 0) {
            return 1;
        }
    }
    return 0;
}

static void
headers_are_as_they_are(void **state)
{
    postback_t *postback;

    (void)state;
    postback = make("http://h/", "{}",
                    "{\"Authorization\": \"Key {sender}/{phone}\","
                    " \"X-Id\": \"{send_id}\"}",
                    &told);
    assert_non_null(postback);
    assert_true(has_header(postback, "Authorization: Key Brand/+79160000017"));
    assert_true(has_header(postback, "X-Id: send-1"));
    assert_true(has_header(postback, "Idempotency-Key: send-1"));
    postback_free(postback);
}

static void
headers_are_lines(void **state)
{
    static const char *const bad[] = {
        "{\"X\": \"{text}\"}", "{\"X\": \"a\\r\\nY: b\"}", "{\"X\": \"\\t\"}",
        "{\"X Y\": \"a\"}",    "{\"\": \"a\"}",            "{\"X:\": \"a\"}",
        "{\"X\": 1}",          "{\"X\": \"{nothing}\"}",   "{\"X\": \"a}\"}"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_null(make("http://h/", NULL, bad[i], &told));
    }
    assert_null(make("http://h/", NULL,
                     "{\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\",\"e\":\"\","
                     "\"f\":\"\",\"g\":\"\",\"h\":\"\",\"i\":\"\"}",
                     &told));
    assert_string_equal(fault.text, "more than 8 headers");
}

static void
what_is_hidden_is_not_kept(void **state)
{
    static const char *const hidden[] = {"0417", NULL, "79160000017"};
    static const char text[] = "sent 0417 to +79160000017: \"" TEXT "\"";
    http_result_t result = {HTTP_REPLIED, 200, -1, text, sizeof(text) - 1,
                            NULL, 5};
    postback_t *postback;
    outcome_t outcome;

    (void)state;
    postback = make("http://h/?x=1", NULL, NULL, &told);
    assert_non_null(postback);
    outcome_init(&outcome);
    postback_judge(postback, &result, hidden, 3, &outcome);
    assert_int_equal(outcome.outcome, OUTCOME_DONE);
    assert_string_equal(outcome.reply,
                        "sent *** to +***: \"\xd0\x9a\xd0\xbe\xd0\xb4 ***\"");
    postback_free(postback);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gateway_has_names_of_its_own),
        cmocka_unit_test(nobody_is_shown_the_code),
        cmocka_unit_test(what_is_made_up_is_shown),
        cmocka_unit_test(headers_are_as_they_are),
        cmocka_unit_test(headers_are_lines),
        cmocka_unit_test(what_is_hidden_is_not_kept),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
