/*
 * Signatures, and what is taken out of an answer.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "redact.h"
#include "sign.h"

static secret_t keys;

static void
set_keys(const char *first, const char *second)
{
    memset(&keys, 0, sizeof(keys));
    (void)snprintf(keys.line[0], sizeof(keys.line[0]), "%s", first);
    keys.n = 1;
    if (second != NULL) {
        (void)snprintf(keys.line[1], sizeof(keys.line[1]), "%s", second);
        keys.n = 2;
    }
}

/* The example that Standard Webhooks publishes. */
static void
the_published_example_holds(void **state)
{
    static const char body[] = "{\"test\": 2432232314}";
    buf_t out;

    (void)state;
    set_keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", NULL);
    assert_null(sign_check(&keys));
    buf_init(&out, 1000);
    assert_int_equal(sign_webhook(&keys, "msg_p5jXN8AQM9LWM0D4loKWxJek",
                                  1614265330, body, strlen(body), &out),
                     0);
    assert_string_equal(buf_str(&out),
                        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    buf_done(&out);
}

static void
each_key_signs(void **state)
{
    buf_t out;

    (void)state;
    set_keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
             "0123456789abcdef plain");
    assert_null(sign_check(&keys));
    buf_init(&out, 1000);
    assert_int_equal(sign_webhook(&keys, "m", 1, "", 0, &out), 0);
    assert_int_equal(out.len, 2 * 47 + 1);
    assert_int_equal(out.data[47], ' ');
    assert_int_equal(strncmp(out.data + 48, "v1,", 3), 0);
    assert_int_not_equal(strncmp(out.data, out.data + 48, 47), 0);
    buf_done(&out);
}

/* Reckoned with the openssl program. */
static void
a_query_is_signed_with_the_first_key(void **state)
{
    char hex[SIGN_HEX];

    (void)state;
    set_keys("0123456789abcdef0123", "fedcba9876543210fedc");
    assert_int_equal(sign_query(&keys, "a=1&ts=5", hex), 0);
    assert_string_equal(hex,
                        "015f636dbea0db17d6497e7ceb1095b0"
                        "791684180870c6de745190c07c3129bf");
}

static void
bad_keys_are_told(void **state)
{
    static const char *const bad[] = {"short", "whsec_", "whsec_MfKQ9r8G",
                                      "whsec_MfKQ9r8GKYqrTwj!PD8ILPZIo2La"};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        set_keys("0123456789abcdef", bad[i]);
        assert_string_equal(sign_check(&keys),
                            "a key to sign with is too short or no base64");
    }
}

static void
redacted(const char *text, const char *want)
{
    static const char *const secrets[] = {"s3cr&t", "s3cr%2Ft", NULL, ""};
    char out[64];
    size_t len;

    len = redact(text, strlen(text), secrets, 4, out, sizeof(out));
    assert_string_equal(out, want);
    assert_int_equal(len, strlen(want));
}

static void
secrets_become_stars(void **state)
{
    char text[200];

    (void)state;
    redacted("ok", "ok");
    redacted("", "");
    redacted("token s3cr&t is bad, s3cr%2ft too", "token *** is bad, *** too");
    redacted("s3cr&ts3cr&t", "******");
    redacted("s3cr", "s3cr");
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    memcpy(text + 56, "s3cr&t", 6);
    redacted(text, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                   "***x");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_example_holds),
        cmocka_unit_test(each_key_signs),
        cmocka_unit_test(a_query_is_signed_with_the_first_key),
        cmocka_unit_test(bad_keys_are_told),
        cmocka_unit_test(secrets_become_stars),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
