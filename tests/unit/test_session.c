
/*
 * Sessions: cookies of a header, and the halves of a token's life.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "keys.h"
#include "leadq_session.h"


#define KEYS  "7 000102030405060708090a0b0c0d0e0f" \
              "101112131415161718191a1b1c1d1e1f\n"
#define NOW   INT64_C(1790000000)
#define LIFE  INT64_C(86400)


static leadq_keys_t  *keys;


static int
load_keys(void **state)
{
    (void) state;

    keys = keys_of(KEYS);

    return keys ? 0 : -1;
}


static int
free_keys(void **state)
{
    (void) state;

    leadq_keys_free(keys);

    return 0;
}


/* The values of cookies "sid" in a header, as "a|b". */

static void
cookies(const char *header, const char *expected)
{
    char         got[256];
    const char  *p, *end;
    leadq_str_t  value;

    static const leadq_str_t  name = { 3, "sid" };

    got[0] = '\0';
    p = header;
    end = header + strlen(header);

    while (leadq_cookie_next(&p, end, &name, &value)) {
        assert_true(p <= end && value.data + value.len <= end);
        strncat(got, value.data, value.len);
        strcat(got, "|");
    }

    if (strcmp(got, expected) != 0) {
        fail_msg("\"%s\" has \"%s\" and not \"%s\"", header, got, expected);
    }
}


static void
cookies_of_one_name_are_found_among_others(void **state)
{
    (void) state;

    cookies("sid=a", "a|");
    cookies("x=1; sid=a; y=2", "a|");
    cookies("sid=a; sid=b;sid=c", "a|b|c|");
    cookies(" sid=a=b \t; ", "a=b|");
    cookies("sid=", "|");
    cookies("sid=\"a\"", "\"a\"|");

    cookies("", "");
    cookies(";;; ;", "");
    cookies("sid", "");
    cookies("sid ; SID=a; xsid=a; sidx=a; x=sid=a; sid =a", "");
}


static leadq_session_e
read_at(const char *token, int64_t now, unsigned char subject[16])
{
    leadq_str_t  text;

    text.data = token;
    text.len = strlen(token);

    return leadq_session_read(keys, &text, now, LIFE, subject);
}


static void
a_token_is_good_and_then_aged_and_then_nothing(void **state)
{
    char           token[LEADQ_SIGNED_LEN + 1];
    unsigned char  subject[16], got[16];

    (void) state;

    assert_int_equal(leadq_session_new(subject), 0);
    leadq_session_make(keys, subject, NOW, LIFE, token);

    assert_int_equal(read_at(token, NOW, got), LEADQ_SESSION_GOOD);
    assert_memory_equal(got, subject, 16);
    assert_int_equal(read_at(token, NOW + LIFE / 2 - 1, got),
                     LEADQ_SESSION_GOOD);
    memset(got, 0, 16);
    assert_int_equal(read_at(token, NOW + LIFE / 2, got), LEADQ_SESSION_AGED);
    assert_memory_equal(got, subject, 16);
    assert_int_equal(read_at(token, NOW + LIFE - 1, got), LEADQ_SESSION_AGED);
    assert_int_equal(read_at(token, NOW + LIFE, got), LEADQ_SESSION_NONE);
}


static void
other_tokens_are_no_sessions(void **state)
{
    char           token[LEADQ_SIGNED_LEN + 1];
    unsigned char  subject[16] = { 0 }, got[16];

    (void) state;

    leadq_signed_make(keys, "form", subject, NOW + LIFE, token);
    assert_int_equal(read_at(token, NOW, got), LEADQ_SESSION_NONE);

    leadq_session_make(keys, subject, NOW, LIFE, token);
    token[20] = token[20] == 'A' ? 'B' : 'A';
    assert_int_equal(read_at(token, NOW, got), LEADQ_SESSION_NONE);
    assert_int_equal(read_at("", NOW, got), LEADQ_SESSION_NONE);
}


static void
subjects_are_never_the_same(void **state)
{
    char           hex[LEADQ_SESSION_HEX + 1];
    unsigned char  one[16], other[16];

    static const unsigned char  known[16] = { 0x0f, 0xa0, [15] = 0x01 };

    (void) state;

    assert_int_equal(leadq_session_new(one), 0);
    assert_int_equal(leadq_session_new(other), 0);
    assert_memory_not_equal(one, other, 16);

    leadq_session_hex(known, hex);
    assert_string_equal(hex, "0fa00000000000000000000000000001");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(cookies_of_one_name_are_found_among_others),
        cmocka_unit_test(a_token_is_good_and_then_aged_and_then_nothing),
        cmocka_unit_test(other_tokens_are_no_sessions),
        cmocka_unit_test(subjects_are_never_the_same),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, load_keys, free_keys);
}
