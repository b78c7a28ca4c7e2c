/*
 * Receipts: whom they are from, what they say.
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

#include "receipt.h"

static char dir[] = "/tmp/leadq-test-XXXXXX";
static fault_t fault;

static int
add_secret(const char *name, const char *lines)
{
    char path[64];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    file = fopen(path, "w");
    return file == NULL || fputs(lines, file) == EOF || fclose(file) != 0;
}

static int
make_secrets(void **state)
{
    (void)state;
    return mkdtemp(dir) == NULL || add_secret("smsc", "old\ns3cret\n")
           || add_secret("twilio", "12345\n");
}

static int
drop_secrets(void **state)
{
    char path[64];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/smsc", dir);
    (void)unlink(path);
    (void)snprintf(path, sizeof(path), "%s/twilio", dir);
    (void)unlink(path);
    return rmdir(dir);
}

/* The receipts as JSON, or the reason why there are none. */
static void
reads(const char *how, const char *body, const char *signature,
      const char *want)
{
    const char *problem;
    json_t *payload, *receipts;
    char *text;

    payload = json_pack("{s:o, s:o, s:s?}", "receipts",
                        json_loads(how, 0, NULL), "body",
                        json_loads(body, JSON_DECODE_ANY, NULL), "signature",
                        signature);
    assert_non_null(payload);
    problem = receipt_read(payload, dir, &receipts, &fault);
    if (problem != NULL) {
        assert_null(receipts);
        assert_string_equal(problem, want);
    } else {
        text = json_dumps(receipts, JSON_COMPACT);
        assert_string_equal(text, want);
        free(text);
        json_decref(receipts);
    }
    json_decref(payload);
}

#define SMSC(verify) \
    "{\"verify\":\"" verify "\",\"verify_secret\":\"smsc\",\"id\":\"id\"," \
    "\"status\":\"status\",\"states\":{\"1\":\"delivered\"," \
    "\"3\":\"expired\",\"25\":\"undelivered\"},\"error\":\"err\"," \
    "\"errors\":{\"0\":\"none\",\"6\":\"unreachable\"}}"
#define MD5 "392997f185c2e5b79273b381dbc7ba39"
#define SHA1 "2aa2c81265f0f0f85bbd10c6cb59d5b5251fa5fa"
#define BODY(more) \
    "{\"id\":\"42\",\"phone\":\"79160000017\",\"status\":\"1\"" more "}"
#define DELIVERED \
    "[{\"id\":\"42\",\"send\":null,\"state\":\"delivered\"," \
    "\"error\":\"none\"}]"

static void
smsc_signs_with_digests(void **state)
{
    (void)state;
    reads(SMSC("smsc"), BODY(",\"md5\":\"" MD5 "\""), NULL, DELIVERED);
    reads(SMSC("smsc"), BODY(",\"sha1\":\"" SHA1 "\""), NULL, DELIVERED);
    reads(SMSC("smsc"), BODY(",\"md5\":\"" MD5 "\",\"sha1\":\"" SHA1 "\""),
          NULL, DELIVERED);
    reads(SMSC("smsc"),
          BODY(",\"md5\":\"392997F185C2E5B79273B381DBC7BA39\""), NULL,
          DELIVERED);
    reads(SMSC("smsc"), BODY(""), NULL, "signature");
    reads(SMSC("smsc"), BODY(",\"md5\":\"\""), NULL, "signature");
    reads(SMSC("smsc"), BODY(",\"md5\":\"" SHA1 "\""), NULL, "signature");
    reads(SMSC("smsc"),
          BODY(",\"md5\":\"" MD5 "\",\"sha1\":\"" MD5 "\""), NULL,
          "signature");
    reads(SMSC("smsc"),
          "{\"id\":\"42\",\"phone\":\"79160000017\",\"status\":\"3\","
          "\"md5\":\"" MD5 "\"}",
          NULL, "signature");
    reads(SMSC("smsc"), "[]", NULL, "signature");
}

#define TWILIO \
    "{\"verify\":\"twilio\",\"verify_secret\":\"twilio\",\"verify_url\":" \
    "\"https://mycompany.com/myapp.php?foo=1&bar=2\",\"id\":\"CallSid\"," \
    "\"status\":\"Digits\",\"states\":{\"1234\":\"sent\"}}"
#define CALL(digits) \
    "{\"To\":\"+18005551212\",\"CallSid\":\"CA1234567890ABCDE\"," \
    "\"Digits\":\"" digits "\",\"From\":\"+14158675309\"," \
    "\"Caller\":\"+14158675309\"}"
#define SIGNATURE "RSOYDt4T1cUTdK1PDd93/VVr8B8="

static void
twilio_signs_url_and_fields(void **state)
{
    (void)state;
    reads(TWILIO, CALL("1234"), SIGNATURE,
          "[{\"id\":\"CA1234567890ABCDE\",\"send\":null,\"state\":\"sent\","
          "\"error\":\"none\"}]");
    reads(TWILIO, CALL("1235"), SIGNATURE, "signature");
    reads(TWILIO, CALL("1234"), "RSOYDt4T1cUTdK1PDd93/VVr8B9=", "signature");
    reads(TWILIO, CALL("1234"), "", "signature");
    reads(TWILIO, CALL("1234"), NULL, "signature");
    reads(TWILIO, "{\"Digits\":1234}", SIGNATURE, "signature");
    reads(TWILIO, "{\"Digits\":{\"a\":\"b\"}}", SIGNATURE, "signature");
    reads(TWILIO, "\"text\"", SIGNATURE, "signature");
}

static void
a_person_has_to_mend_what_is_configured(void **state)
{
    (void)state;
    reads("{\"verify\":\"md5\"}", "{}", NULL, "bad-payload");
    reads("{\"verify\":\"smsc\",\"verify_secret\":\"none\"}", "{}", NULL,
          "bad-payload");
    assert_string_equal(fault.text,
                        "verify_secret: the secret's file cannot be read");
    reads("{\"verify\":\"smsc\"}", "{}", NULL, "bad-payload");
}

static void
states_and_errors_get_our_names(void **state)
{
    (void)state;
    reads(SMSC("none"), BODY(",\"err\":\"6\""), NULL,
          "[{\"id\":\"42\",\"send\":null,\"state\":\"delivered\","
          "\"error\":\"unreachable\"}]");
    reads(SMSC("none"), "{\"id\":42,\"status\":25,\"err\":6}", NULL,
          "[{\"id\":\"42\",\"send\":null,\"state\":\"undelivered\","
          "\"error\":\"unreachable\"}]");
    reads(SMSC("none"), "{\"id\":42,\"status\":3,\"err\":77}", NULL,
          "[{\"id\":\"42\",\"send\":null,\"state\":\"expired\","
          "\"error\":\"unknown\"}]");
    reads(SMSC("none"), "{\"id\":42,\"status\":-7}", NULL,
          "[{\"id\":\"42\",\"send\":null,\"state\":\"unknown\","
          "\"error\":\"none\"}]");
    reads("{\"id\":\"i\",\"status\":\"s\",\"states\":{\"1\":\"drop table\"}}",
          "{\"i\":1,\"s\":1}", NULL,
          "[{\"id\":\"1\",\"send\":null,\"state\":\"unknown\","
          "\"error\":\"none\"}]");
}

#define LIST \
    "{\"each\":\"result.list\",\"send\":\"our\",\"id\":\"m.id\"," \
    "\"status\":\"s\",\"states\":{\"ok\":\"read\"}}"

static void
lists_are_walked(void **state)
{
    (void)state;
    reads(LIST,
          "{\"result\":{\"list\":[{\"our\":\"a\",\"s\":\"ok\"},"
          "{\"m\":{\"id\":9},\"s\":\"?\"},{\"s\":\"ok\"},7,{\"our\":\"b\"}]}}",
          NULL,
          "[{\"id\":null,\"send\":\"a\",\"state\":\"read\",\"error\":\"none\"}"
          ",{\"id\":\"9\",\"send\":null,\"state\":\"unknown\","
          "\"error\":\"none\"}]");
    reads(LIST, "{\"result\":{\"list\":[]}}", NULL, "[]");
    reads(LIST, "{\"result\":{\"list\":[1,2]}}", NULL, "receipt");
    reads(LIST, "{\"result\":{}}", NULL, "receipt");
    reads("{\"each\":\"*\",\"id\":\"0\",\"status\":\"1\"}", "[[\"x\",2]]",
          NULL,
          "[{\"id\":\"x\",\"send\":null,\"state\":\"unknown\","
          "\"error\":\"none\"}]");
}

static void
what_says_nothing_is_not_understood(void **state)
{
    char body[300];

    (void)state;
    reads(SMSC("none"), "{}", NULL, "receipt");
    reads(SMSC("none"), "{\"id\":\"42\"}", NULL, "receipt");
    reads(SMSC("none"), "{\"status\":\"1\"}", NULL, "receipt");
    reads(SMSC("none"), "null", NULL, "receipt");
    reads(SMSC("none"), "{\"id\":{},\"status\":[]}", NULL, "receipt");
    (void)snprintf(body, sizeof(body), "{\"id\":\"%0101d\",\"status\":1}", 1);
    reads(SMSC("none"), body, NULL, "receipt");
}

static void
answers(const char *how, const char *body, const char *want)
{
    json_t *poll = json_loads(how, 0, NULL), *receipts;
    char *text;

    receipts = receipt_answer(poll, "send-1", body, strlen(body));
    text = receipts == NULL ? NULL : json_dumps(receipts, JSON_COMPACT);
    if (want == NULL) {
        assert_null(text);
    } else {
        assert_non_null(text);
        assert_string_equal(text, want);
    }
    free(text);
    json_decref(receipts);
    json_decref(poll);
}

static void
a_poll_is_about_our_send(void **state)
{
    static const char how[] = "{\"status\":\"result.dlv.status\",\"states\":"
                              "{\"undelivered\":\"undelivered\"}}";
    static const char plain[] = "{\"status\":\"*\",\"states\":"
                                "{\"DELIVRD\":\"delivered\"}}";

    (void)state;
    answers(how, "{\"result\":{\"dlv\":{\"status\":\"undelivered\"}}}",
            "[{\"id\":null,\"send\":\"send-1\",\"state\":\"undelivered\","
            "\"error\":\"unknown\"}]");
    answers(how, "{\"result\":{}}", NULL);
    answers(how, "oops", NULL);
    answers(plain, " DELIVRD\r\n",
            "[{\"id\":null,\"send\":\"send-1\",\"state\":\"delivered\","
            "\"error\":\"none\"}]");
    answers(plain, "\xff", NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smsc_signs_with_digests),
        cmocka_unit_test(twilio_signs_url_and_fields),
        cmocka_unit_test(a_person_has_to_mend_what_is_configured),
        cmocka_unit_test(states_and_errors_get_our_names),
        cmocka_unit_test(lists_are_walked),
        cmocka_unit_test(what_says_nothing_is_not_understood),
        cmocka_unit_test(a_poll_is_about_our_send),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_secrets, drop_secrets);
}
