/*
 * Codes and sends: what is derived, what the gateway gets, what SQL is told.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "keys.h"
#include "sending.h"

#define ID "0198c000-0000-7000-8000-000000000001"
#define SEED "000102030405060708090a0b0c0d0e0f"

static leadq_keys_t *code_keys, *check_keys;
static fault_t fault;
static const char *reason;

static int
load_keys(void **state)
{
    (void)state;
    code_keys = keys_of("3 " KEY_A "\n1 " KEY_B "\n");
    check_keys = keys_of("7 " KEY_B "\n3 " KEY_A "\n");
    return code_keys == NULL || check_keys == NULL ? -1 : 0;
}

static int
drop_keys(void **state)
{
    (void)state;
    leadq_keys_free(code_keys);
    leadq_keys_free(check_keys);
    return 0;
}

/* code and answer are JSON. */
static sending_t *
make(const char *code, const char *answer)
{
    sending_t *sending;
    json_t *payload;

    payload = json_pack("{s:o, s:o, s:{s:s}}", "code",
                        json_loads(code, JSON_DECODE_ANY, NULL), "answer",
                        json_loads(answer, 0, NULL), "values", "digits",
                        "79160000017");
    assert_non_null(payload);
    sending = sending_new(payload, code_keys, check_keys, &reason, &fault);
    json_decref(payload);
    return sending;
}

#define CODE(more) "{\"id\":\"" ID "\",\"seed\":\"" SEED "\"" more "}"
#define CHOSEN \
    "{\"id\":\"" ID "\",\"seed\":null,\"digits\":4,\"text\":null," \
    "\"chosen\":true}"

static void
codes_are_derived(void **state)
{
    static const struct {
        int key;
        size_t n;
        const char *seed, *digits;
    } known[] = {
        {3, 4, SEED, "2096"},     {3, 6, SEED, "232096"},
        {3, 8, SEED, "70232096"}, {1, 6, SEED, "417050"},
        {CODE_FIRST_KEY, 6, SEED, "232096"},
        {3, 4, "0000000000000000000000000000000a", "0098"},
    };
    code_t code;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        assert_int_equal(code_derive(code_keys, known[i].key, ID,
                                     known[i].seed, known[i].n, &code),
                         0);
        assert_string_equal(code.digits, known[i].digits);
        assert_int_equal(code.key, known[i].key < 0 ? 3 : known[i].key);
    }
    assert_int_equal(code_derive(code_keys, 2, ID, SEED, 4, &code), -1);
    assert_int_equal(code_derive(code_keys, 256, ID, SEED, 4, &code), -1);
}

static void
codes_are_proved(void **state)
{
    code_proof_t proof;

    (void)state;
    assert_int_equal(code_prove(check_keys, ID, "0417", &proof), 0);
    assert_int_equal(proof.key, 7);
    assert_string_equal(proof.hex, "f3f1c823c67311859b4976fe2e58fa06"
                                   "fb20669ffeb88c7e5633fcc4fda74a55");
    assert_true(code_is_digits("0417"));
    assert_false(code_is_digits("041"));
    assert_false(code_is_digits("041700000"));
    assert_false(code_is_digits("04 7"));
    assert_true(code_is_id(ID));
    assert_false(code_is_id("0198C000-0000-7000-8000-000000000001"));
    assert_false(code_is_id("0198c000-0000-7000-8000-00000000001"));
    assert_false(code_is_id(ID "0"));
}

static void
a_text_has_the_code_wherever_it_asks_for_it(void **state)
{
    sending_t *sending;

    (void)state;
    sending = make(CODE(",\"key\":null,\"digits\":6,\"chosen\":false,"
                        "\"text\":\"\\u041a\\u043e\\u0434 {code}."
                        "\\n\\n@b.ru #{code}\""),
                   "{}");
    assert_non_null(sending);
    assert_string_equal(sending_told(sending)->text,
                        "\xd0\x9a\xd0\xbe\xd0\xb4 232096.\n\n@b.ru #232096");
    assert_string_equal(sending_told(sending)->code, "232096");
    assert_string_equal(sending_told(sending)->segments, "1");
    assert_int_equal(sending_code(sending)->key, 3);
    assert_int_equal(sending_proof(sending)->key, 7);
    sending_built(sending);
    assert_null(sending_told(sending)->text);
    sending_free(sending);

    sending = make(CODE(",\"key\":1,\"digits\":4,\"chosen\":false,"
                        "\"text\":null"),
                   "{}");
    assert_non_null(sending);
    assert_null(sending_told(sending)->text);
    assert_string_equal(sending_told(sending)->code, "7050");
    assert_int_equal(sending_code(sending)->key, 1);
    assert_int_equal(sending_segments(sending), 1);
    sending_free(sending);
}

static void
what_cannot_be_used_is_refused(void **state)
{
    static const char *const bad[][2] = {
        {"{}", "bad-payload"},
        {"null", "bad-payload"},
        {CODE(",\"digits\":3"), "bad-payload"},
        {CODE(",\"digits\":9"), "bad-payload"},
        {"{\"id\":\"x\",\"seed\":\"" SEED "\",\"digits\":4}", "bad-payload"},
        {"{\"id\":\"" ID "\",\"seed\":\"00\",\"digits\":4}", "bad-payload"},
        {CODE(",\"digits\":4,\"key\":2"), "keys"},
        {CODE(",\"digits\":4,\"key\":-1"), "keys"},
        {CODE(",\"digits\":4,\"key\":4294967299"), "keys"},
    };
    const leadq_keys_t *none = NULL;
    sending_t *sending;
    json_t *payload;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_null(make(bad[i][0], "{}"));
        assert_string_equal(reason, bad[i][1]);
    }
    payload = json_pack("{s:o}", "code",
                        json_loads(CODE(",\"digits\":4"), 0, NULL));
    sending = sending_new(payload, none, check_keys, &reason, &fault);
    assert_null(sending);
    assert_string_equal(reason, "keys");
    assert_string_equal(fault.text, "code_keys is not configured");
    sending = sending_new(payload, code_keys, none, &reason, &fault);
    assert_null(sending);
    assert_string_equal(reason, "keys");
    json_decref(payload);
}

/* Judges an answer of 200, with the outcome's text as JSON. */
static void
judge(const char *code, const char *paths, const char *answer,
      const char *want)
{
    http_result_t result = {HTTP_REPLIED,    200,  -1, answer,
                            strlen(answer), NULL, 5};
    postback_t *postback;
    sending_t *sending;
    outcome_t outcome;
    json_t *payload;
    char *text;

    sending = make(code, paths);
    assert_non_null(sending);
    payload = json_pack("{s:s, s:s, s:s}", "postback_id", "1", "method",
                        "GET", "url", "http://h/");
    postback =
        postback_new(payload, NULL, 0, sending_told(sending), &fault);
    assert_non_null(postback);
    json_decref(payload);
    outcome_init(&outcome);
    sending_judge(sending, postback, check_keys, &result, &outcome);
    text = outcome_json(&outcome);
    assert_non_null(text);
    assert_string_equal(text, want);
    free(text);
    postback_free(postback);
    sending_free(sending);
}

#define PATHS "{\"id\":\"m.0.id\",\"code\":\"code\",\"operator\":\"op\"}"
#define MAC_0417 \
    "f3f1c823c67311859b4976fe2e58fa06fb20669ffeb88c7e5633fcc4fda74a55"

static void
an_answer_is_taken_apart(void **state)
{
    static const char code[] = CODE(",\"digits\":6");

    (void)state;
    judge(code, PATHS, "{\"m\":[{\"id\":17}],\"op\":\"mts\",\"t\":\"232096\"}",
          "{\"ms\":5,\"http\":200,\"reply\":\"{\\\"m\\\":[{\\\"id\\\":17}],"
          "\\\"op\\\":\\\"mts\\\",\\\"t\\\":\\\"***\\\"}\",\"segments\":1,"
          "\"provider_id\":\"17\",\"operator\":\"mts\"}");
    judge(code, "{\"id\":\"*\"}", "abc-1\r\n",
          "{\"ms\":5,\"http\":200,\"reply\":\"abc-1 \",\"segments\":1,"
          "\"provider_id\":\"abc-1\"}");
    judge(code, "{\"id\":\"*\"}", "a\nb",
          "{\"ms\":5,\"http\":200,\"reply\":\"a b\",\"segments\":1}");
    judge(code, "{}", "to +7 9160000017, 89160000017, 79160000017",
          "{\"ms\":5,\"http\":200,\"reply\":\"to +7 ***, 8***, ***\","
          "\"segments\":1}");
}

static void
digits_that_a_gateway_chose_are_proved(void **state)
{
    (void)state;
    judge(CHOSEN, PATHS, "{\"code\":\"0417\"}",
          "{\"ms\":5,\"http\":200,\"reply\":\"{\\\"code\\\":\\\"***\\\"}\","
          "\"segments\":1,\"mac\":\"" MAC_0417 "\",\"check_key\":7}");
    judge(CHOSEN, PATHS, "{\"code\":417}",
          "{\"ms\":5,\"http\":200,\"reply\":\"{\\\"code\\\":***}\","
          "\"segments\":1,\"mac\":\"" MAC_0417 "\",\"check_key\":7}");
    judge(CHOSEN, PATHS, "{\"code\":\"04171\",\"m\":0}",
          "{\"ms\":5,\"http\":200,\"reply\":\"{\\\"code\\\":\\\"***\\\","
          "\\\"m\\\":0}\",\"segments\":1,\"mac\":\"5216c0ea873a841fbd6f"
          "79cccaf005ea34781e12e9299e21374a4b98d29794a5\",\"check_key\":7}");
}

static void
without_them_the_call_was_for_nothing(void **state)
{
    (void)state;
    judge(CHOSEN, PATHS, "{\"ok\":1}",
          "{\"ms\":5,\"http\":200,\"reason\":\"no-code\","
          "\"reply\":\"{\\\"ok\\\":1}\",\"segments\":1}");
    judge(CHOSEN, PATHS, "{\"code\":\"12a4\"}",
          "{\"ms\":5,\"http\":200,\"reason\":\"no-code\","
          "\"reply\":\"{\\\"code\\\":\\\"***\\\"}\",\"segments\":1}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_are_derived),
        cmocka_unit_test(codes_are_proved),
        cmocka_unit_test(a_text_has_the_code_wherever_it_asks_for_it),
        cmocka_unit_test(what_cannot_be_used_is_refused),
        cmocka_unit_test(an_answer_is_taken_apart),
        cmocka_unit_test(digits_that_a_gateway_chose_are_proved),
        cmocka_unit_test(without_them_the_call_was_for_nothing),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, load_keys, drop_keys);
}
