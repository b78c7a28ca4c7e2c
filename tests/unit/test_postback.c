/*
 * Postbacks: what may be configured, what is sent, what an answer means.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "match.h"
#include "postback.h"

#define FORM "application/x-www-form-urlencoded"
#define JSON "application/json"

static fault_t fault;

static void
url(const char *text, const char *reason)
{
    int rc;

    memset(&fault, 0, sizeof(fault));
    rc = postback_check_url(text, strlen(text), postback_macro, &fault);
    assert_string_equal(rc == 0 ? "" : fault.text, reason);
}

static void
body(const char *text, const char *type, int line, const char *reason)
{
    int rc;

    memset(&fault, 0, sizeof(fault));
    rc = postback_check_body(text, strlen(text), type, postback_macro,
                             &fault);
    assert_string_equal(rc == 0 ? "" : fault.text, reason);
    assert_int_equal(rc == 0 ? 0 : fault.line, line);
}

static void
good_urls_of_the_wild_are_taken(void **state)
{
    (void)state;
    url("https://TRK/KEY/postback?subid={click_id}&status={status:processed="
        "lead approved=sale rejected=rejected}&tid={lead_id}&payout={payout}"
        "&currency=rub",
        "");
    url("https://TRK/click.php?cnv_id={click_id}&payout={payout}", "");
    url("https://net.go2cloud.org/aff_lsr?transaction_id={click_id}"
        "&security_token={token}&r={rand}",
        "");
    url("http://127.0.0.1:8080/{_sub1}/{sub30}?t={ts}&d={date}&h={time}", "");
    url("http://[::1]:80/?x={promo_code}", "");
    url("HTTPS://host", "");
}

static void
bad_urls_are_refused_with_a_reason(void **state)
{
    (void)state;
    url("ftp://host/", "the URL does not begin with http:// or https://");
    url("//host/", "the URL does not begin with http:// or https://");
    url("", "the URL does not begin with http:// or https://");
    url("http:///x", "the URL has no host");
    url("http://?x", "the URL has no host");
    url("http://{ip}/", "a macro in the host of the URL");
    url("http://u:p@host/", "the host of the URL has \"@\"");
    url("http://host:x/", "the port of the URL is not a number");
    url("http://host:/", "the port of the URL is not a number");
    url("http://h/?a={nothing}", "unknown macro \"nothing\"");
    url("http://h/?a={sub31}", "unknown macro \"sub31\"");
    url("http://h/?a={sub0}", "unknown macro \"sub0\"");
    url("http://h/?a={click_id", "\"{\" is not closed");
    url("http://h/?a=click_id}", "\"}\" without \"{\"");
    url("http://h/?a={}", "a macro without a proper name");
    url("http://h/?a={click-id}", "a macro without a proper name");
    url("http://h/?a={{click_id}}", "a macro without a proper name");
    url("http://h/?a={status:lead}", "a map of \"status\" is not from=to");
    url("http://h/?a={status:=x}", "a map of \"status\" is not from=to");
    url("http://h/?a={status:}", "the map of \"status\" is empty");
    url("http://h/?a={status:a={b}}", "\"{\" inside a map");
    url("http://h/?a=b c", "a blank, control or non-ASCII byte in the URL");
    url("http://h/\r\nHost: x",
        "a blank, control or non-ASCII byte in the URL");
}

static void
names_of_others_are_understood(void **state)
{
    static const char *const names[][2] = {
        {"click_id", "click_id"},   {"subid", "click_id"},
        {"aff_sub", "click_id"},    {"transaction_id", "click_id"},
        {"subacc4", "click_id"},    {"txid", "lead_id"},
        {"order_id", "lead_id"},    {"payment_status", "status"},
        {"sum", "payout"},          {"cur", "currency"},
        {"tariff_code", "goal"},    {"campaign_code", "offer_id"},
        {"conversion_time", "ts"},  {"date_only", "date"},
        {"uip", "ip"},              {"user_agent", "ua"},
        {"security_token", "token"}, {"coupon_code", "promo_code"},
        {"sub30", "sub30"},         {"sub_id_15", "sub15"},
        {"aff_sub5", "sub5"},       {"adv10", "sub10"},
        {"s5", "sub5"},             {"ext3", "sub3"},
        {"custom_field7", "sub7"},  {"time", "time"},
    };
    static const char *const none[] = {"",      "sub31",  "sub0",   "sub01",
                                       "s6",    "adv11",  "sub1x",  "click",
                                       "subid ", "id sub", "ext4"};
    char own[ALIAS_MAX + 1];
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(alias_find(names[i][0], own), ALIAS_OURS);
        assert_string_equal(own, names[i][1]);
    }
    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_int_equal(alias_find(none[i], own), ALIAS_NONE);
    }
    assert_int_equal(alias_find("tid", own), ALIAS_AMBIGUOUS);
    assert_int_equal(alias_find("s2", own), ALIAS_AMBIGUOUS);
    url("https://h/?a={subid}&b={_txid}&c={et:approved=1}&d={adv3}", "");
    url("https://h/?a={tid}", "the macro \"tid\" is one thing here and "
                              "another one there: use a name of ours");
}

static void
hmacs_are_checked(void **state)
{
    static const char form[] =
        "an HMAC is {hmac_sha1:KEY,a+b}, with sha1, sha256 or md5";

    (void)state;
    url("https://h/?s={hmac_sha1:key,campaign_code+order_id}", "");
    url("https://h/?s={hmac_md5:k.1,'a:'+click_id+':'+status:approved=1}", "");
    url("https://h/?s={hmac_sha512:key,click_id}", form);
    url("https://h/?s={hmac_sha1:key}", form);
    url("https://h/?s={hmac_sha1:,click_id}", form);
    url("https://h/?s={hmac_sha1}", form);
    url("https://h/?s={hmac_sha1:../key,click_id}",
        "the key of an HMAC is not the name of a secret");
    url("https://h/?s={hmac_sha1:key,click_id+}",
        "a macro without a proper name");
    url("https://h/?s={hmac_sha1:key,clck}", "unknown macro \"clck\"");
    url("https://h/?s={hmac_sha1:key,'a}", "\"'\" is not closed");
    url("https://h/?s={hmac_sha1:key,'a'click_id}",
        "no \"+\" between two parts of an HMAC");
    url("https://h/?s={hmac_sha1:key,status:x}",
        "a map of \"status\" is not from=to");
    body("{\"s\":\"{hmac_sha256:key,click_id}\"}", JSON, 0, "");
}

static void
bodies_are_forms_or_json(void **state)
{
    (void)state;
    body("a={click_id}&b={status:x=y}", FORM, 0, "");
    body("a={click_id}", NULL, 0, "");
    body("a={x}", FORM, 1, "unknown macro \"x\"");
    body("{\"a\": \"{click_id}\", \"b\": {\"c\": {payout}}}", JSON, 0, "");
    body("{\n\"a\": \"{nothing}\"}", JSON, 2, "unknown macro \"nothing\"");
    body("{\"a\": }", JSON, 1,
         "the body is not JSON: unexpected token near '}'");
    body("x", "text/plain", 0,
         "content_type is not application/json or "
         "application/x-www-form-urlencoded");
    assert_int_equal(
        postback_check_body(NULL, 0, NULL, postback_macro, &fault), 0);
    assert_int_equal(postback_check_method("GET", &fault), 0);
    assert_int_equal(postback_check_method("PUT", &fault), -1);
}

static void
matches_are_checked(void **state)
{
    (void)state;
    assert_int_equal(postback_check_match("any", NULL, &fault), 0);
    assert_int_equal(postback_check_match("json_path", "a.b=1", &fault), 0);
    assert_int_equal(postback_check_match("json_path", "a.b", &fault), -1);
    assert_int_equal(postback_check_match("json_path", "=1", &fault), -1);
    assert_int_equal(postback_check_match("body_prefix", NULL, &fault), -1);
    assert_int_equal(postback_check_match("body_prefix", "", &fault), -1);
    assert_int_equal(postback_check_match("regex", "x", &fault), -1);
}

static postback_t *
make(const char *url_text, const char *type, const char *text,
     const char *values)
{
    postback_t *postback;
    json_t *payload;

    payload = json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:o, s:{s:s, s:s}, s:i}",
                        "postback_id", "id-1", "method",
                        text == NULL ? "GET" : "POST", "url", url_text,
                        "content_type", type, "body", text, "values",
                        json_loads(values, 0, NULL), "match", "type",
                        "json_path", "value", "a.b=ok", "timeout_ms", 1234);
    assert_non_null(payload);
    postback = postback_new(payload, NULL, 1614265330, NULL, &fault);
    json_decref(payload);
    return postback;
}

static void
values_are_encoded_for_where_they_stand(void **state)
{
    const http_request_t *request;
    postback_t *postback;

    (void)state;
    postback =
        make("http://h:81/?a={click_id}&b={_click_id}&c={sub1}&d={rand}", NULL,
             NULL, "{\"click_id\":\"a-b._~/\"}");
    assert_non_null(postback);
    request = postback_request(postback);
    assert_string_equal(request->url,
                        "http://h:81/?a=a-b._~%2F&b=a-b._~/&c=&d=id-1");
    assert_string_equal(postback_host(postback), "h:81");
    assert_string_equal(request->method, "GET");
    assert_string_equal(request->headers[0], "Idempotency-Key: id-1");
    assert_int_equal(request->timeout_ms, 1234);
    assert_null(request->body);
    postback_free(postback);

    postback = make("http://h/", JSON, "{\"a\":\"{click_id}\"}",
                    "{\"click_id\":\"\\\"\\\\\\n\\u044f\"}");
    assert_non_null(postback);
    request = postback_request(postback);
    assert_string_equal(request->body, "{\"a\":\"\\\"\\\\\\u000a\xd1\x8f\"}");
    assert_int_equal(request->body_len, strlen(request->body));
    assert_string_equal(request->headers[1], "Content-Type: " JSON);
    postback_free(postback);

    postback = make("http://h/", NULL, "s={status:a=1 b=2}&t={payout:a=1}",
                    "{\"status\":\"b\",\"payout\":\"5 0\"}");
    assert_non_null(postback);
    assert_string_equal(postback_request(postback)->body, "s=2&t=5%200");
    postback_free(postback);
}

static void
raw_values_cannot_break_the_url(void **state)
{
    (void)state;
    assert_null(make("http://h/{_ua}", NULL, NULL, "{\"ua\":\"a b\"}"));
    assert_null(make("http://h/{_ua}", NULL, NULL, "{\"ua\":\"a\\r\\nX:y\"}"));
    assert_null(make("http://h/{token}", NULL, NULL, "{}"));
    assert_string_equal(fault.text, "no secret is configured");
}

static void
judge(const char *text, int status, outcome_e want)
{
    http_result_t result = {HTTP_REPLIED, status, 9, text,
                            strlen(text), NULL,   5};
    postback_t *postback;
    outcome_t outcome;

    postback = make("http://h/", NULL, NULL, "{}");
    outcome_init(&outcome);
    postback_judge(postback, &result, NULL, 0, &outcome);
    assert_int_equal(outcome.outcome, want);
    assert_int_equal(outcome.http, status);
    assert_int_equal(outcome.retry_after_s, want == OUTCOME_RETRY ? 9 : -1);
    postback_free(postback);
}

static void
answers_become_outcomes(void **state)
{
    static const int dead[] = {301, 302, 307, 400, 401, 403, 404, 410, 422};
    static const int retry[] = {408, 425, 429, 500, 502, 503, 504, 599};
    size_t i;

    (void)state;
    judge("{\"a\":{\"b\":\"ok\"}}", 200, OUTCOME_DONE);
    judge("{\"a\":{\"b\":\"ok\"}}", 202, OUTCOME_DONE);
    judge("{\"a\":{\"b\":\"no\"}}", 200, OUTCOME_RETRY);
    judge("{\"a\":\"b\"}", 200, OUTCOME_RETRY);
    judge("not json", 200, OUTCOME_RETRY);
    judge("", 204, OUTCOME_RETRY);
    for (i = 0; i < sizeof(dead) / sizeof(dead[0]); i++) {
        judge("", dead[i], OUTCOME_DEAD);
    }
    for (i = 0; i < sizeof(retry) / sizeof(retry[0]); i++) {
        judge("", retry[i], OUTCOME_RETRY);
    }
}

static void
bodies_are_matched(void **state)
{
    (void)state;
    assert_true(match_test(MATCH_ANY, NULL, "", 0));
    assert_true(match_test(MATCH_BODY_PREFIX, "ok", "ok!", 3));
    assert_false(match_test(MATCH_BODY_PREFIX, "ok", "no ok", 5));
    assert_false(match_test(MATCH_NOT_CONTAINS, "err", "an error", 8));
    assert_true(match_test(MATCH_NOT_CONTAINS, "err", "fine", 4));
    assert_true(match_test(MATCH_JSON_PATH, "n=1", "{\"n\":1}", 7));
    assert_true(match_test(MATCH_JSON_PATH, "t=true", "{\"t\":true}", 10));
    assert_true(match_test(MATCH_JSON_PATH, "t=null", "{\"t\":null}", 10));
    assert_true(match_test(MATCH_JSON_PATH, "s=", "{\"s\":\"\"}", 8));
    assert_false(match_test(MATCH_JSON_PATH, "a..b=1", "{\"a\":1}", 7));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_urls_of_the_wild_are_taken),
        cmocka_unit_test(bad_urls_are_refused_with_a_reason),
        cmocka_unit_test(names_of_others_are_understood),
        cmocka_unit_test(hmacs_are_checked),
        cmocka_unit_test(bodies_are_forms_or_json),
        cmocka_unit_test(matches_are_checked),
        cmocka_unit_test(values_are_encoded_for_where_they_stand),
        cmocka_unit_test(raw_values_cannot_break_the_url),
        cmocka_unit_test(answers_become_outcomes),
        cmocka_unit_test(bodies_are_matched),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
