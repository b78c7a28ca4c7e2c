
/*
 * Signed link tokens: one known vector, every kind of damage, key files.
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

#include "leadq_signed.h"


#define KEY_A                                                                 \
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define KEY_B                                                                 \
    "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"
#define NOW    1790000000


static const unsigned char  subject[16] = {
    0x01, 0x92, 0x3a, 0x4b, 0x5c, 0x6d, 0x70, 0x00,
    0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x2a
};


static leadq_keys_t *
load(const char *text, char *err, size_t errlen)
{
    int            fd;
    char           path[] = "/tmp/leadq-test-XXXXXX";
    leadq_keys_t  *keys;

    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (int) strlen(text));
    close(fd);

    err[0] = '\0';
    keys = leadq_keys_load(path, err, errlen);
    unlink(path);

    return keys;
}


static leadq_keys_t *
keys_of(const char *text)
{
    char           err[256];
    leadq_keys_t  *keys;

    keys = load(text, err, sizeof(err));
    assert_string_equal(err, "");
    assert_non_null(keys);

    return keys;
}


static void
a_known_token_stays_the_same(void **state)
{
    char           token[LEADQ_SIGNED_LEN + 1];
    leadq_keys_t  *keys;

    (void) state;

    keys = keys_of("7 " KEY_A "\n");
    leadq_signed_make(keys, "confirm", subject, NOW, token);

    /* computed independently by python3: hmac, hashlib, base64 */
    assert_string_equal(token,
        "AQcAarE7gAGSOktcbXAAgAAAAAAAACqnO3wzUQSI2dMMnj10L33D");

    leadq_keys_free(keys);
}


static void
a_token_is_read_back_until_it_expires(void **state)
{
    char           token[LEADQ_SIGNED_LEN + 1];
    leadq_keys_t  *keys;
    unsigned char  got[16];

    (void) state;

    keys = keys_of("# two keys\n\n 7\t" KEY_A " # signs\r\n8 " KEY_B "\n");
    leadq_signed_make(keys, "confirm", subject, NOW, token);
    assert_int_equal(strlen(token), LEADQ_SIGNED_LEN);

    memset(got, 0, sizeof(got));
    assert_int_equal(leadq_signed_read(keys, "confirm", token, 52, NOW - 1,
                                       got), LEADQ_SIGNED_OK);
    assert_memory_equal(got, subject, 16);
    assert_int_equal(leadq_signed_read(keys, "confirm", token, 52, NOW, got),
                     LEADQ_SIGNED_EXPIRED);

    leadq_keys_free(keys);
}


static void
an_old_key_still_verifies_and_a_removed_one_does_not(void **state)
{
    char           token[LEADQ_SIGNED_LEN + 1];
    leadq_keys_t  *was, *now, *later;
    unsigned char  got[16];

    (void) state;

    was = keys_of("7 " KEY_A "\n");
    now = keys_of("8 " KEY_B "\n7 " KEY_A "\n");
    later = keys_of("8 " KEY_B "\n");

    leadq_signed_make(was, "confirm", subject, NOW, token);
    assert_int_equal(leadq_signed_read(now, "confirm", token, 52, 0, got),
                     LEADQ_SIGNED_OK);
    assert_int_equal(leadq_signed_read(later, "confirm", token, 52, 0, got),
                     LEADQ_SIGNED_FORGED);

    leadq_keys_free(was);
    leadq_keys_free(now);
    leadq_keys_free(later);
}


static void
every_changed_character_is_noticed(void **state)
{
    int             i;
    char            token[LEADQ_SIGNED_LEN + 1], c;
    leadq_keys_t   *keys;
    leadq_signed_e  rc;
    unsigned char   got[16];

    (void) state;

    keys = keys_of("7 " KEY_A "\n");
    leadq_signed_make(keys, "confirm", subject, NOW, token);

    for (i = 0; i < LEADQ_SIGNED_LEN; i++) {
        c = token[i];
        token[i] = c == 'A' ? 'B' : 'A';
        rc = leadq_signed_read(keys, "confirm", token, 52, 0, got);
        assert_true(rc == LEADQ_SIGNED_FORGED || rc == LEADQ_SIGNED_MALFORMED);
        token[i] = c;
    }

    assert_int_equal(leadq_signed_read(keys, "unsubscribe", token, 52, 0, got),
                     LEADQ_SIGNED_FORGED);

    leadq_keys_free(keys);
}


static void
what_is_no_token_is_malformed(void **state)
{
    size_t         i;
    leadq_keys_t  *keys;
    unsigned char  got[16];

    static const char *const  bad[] = {
        "", "A",
        "AQcAarE7gAGSOktcbXAAgAAAAAAAACqnO3wzUQSI2dMMnj10L33",
        "AQcAarE7gAGSOktcbXAAgAAAAAAAACqnO3wzUQSI2dMMnj10L33DA",
        "AQcAarE7gAGSOktcbXAAgAAAAAAAACqnO3wzUQSI2dMM/j10L33D",
        "AQcAarE7gAGSOktcbXAAgAAAAAAAACqnO3wzUQSI2dMMnj10L33=",
        "AgcAarE7gAGSOktcbXAAgAAAAAAAACqnO3wzUQSI2dMMnj10L33D",
    };

    (void) state;

    keys = keys_of("7 " KEY_A "\n");

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(leadq_signed_read(keys, "confirm", bad[i],
                                           strlen(bad[i]), 0, got),
                         LEADQ_SIGNED_MALFORMED);
    }

    leadq_keys_free(keys);
}


static void
times_outside_of_five_bytes_are_clamped(void **state)
{
    char           token[LEADQ_SIGNED_LEN + 1];
    leadq_keys_t  *keys;
    unsigned char  got[16];

    (void) state;

    keys = keys_of("7 " KEY_A "\n");

    leadq_signed_make(keys, "c", subject, INT64_MAX, token);
    assert_int_equal(leadq_signed_read(keys, "c", token, 52, NOW, got),
                     LEADQ_SIGNED_OK);
    leadq_signed_make(keys, "c", subject, -5, token);
    assert_int_equal(leadq_signed_read(keys, "c", token, 52, 0, got),
                     LEADQ_SIGNED_EXPIRED);

    leadq_keys_free(keys);
}


/* The expected ones are openssl's: dgst -sha256 -mac HMAC -macopt hexkey: */

static void
a_text_has_a_mac_under_each_key_of_the_file(void **state)
{
    size_t         i;
    char           hex[LEADQ_MAC_HEX + 1];
    leadq_keys_t  *keys;
    unsigned char  id, mac[LEADQ_MAC_LEN], last[LEADQ_MAC_LEN];

    static const char  text[] =
        "0b5e9f3e-1111-4222-8333-444455556666:012345";
    static const struct {
        unsigned char  id;
        const char    *hex;
    } known[] = {
        { 8, "3827f5fd06c666841111cd97c11afacd"
             "873462211187fd185fa4d78538fc7b96" },
        { 0, "652aca70f66e936ac9e9a98ca6562b1d"
             "e2203f11ff7bad94c2bee721a2f8a2c3" },
    };

    (void) state;

    keys = keys_of("8 " KEY_B "\n0 " KEY_A "\n");

    for (i = 0; i < 2; i++) {
        assert_int_equal(leadq_keys_mac_each(keys, i, text, strlen(text),
                                             &id, mac), 0);
        leadq_mac_hex(mac, hex);
        assert_int_equal(id, known[i].id);
        assert_string_equal(hex, known[i].hex);

        assert_int_equal(leadq_keys_mac_of(keys, id, text, strlen(text),
                                           mac), 0);
        leadq_mac_hex(mac, hex);
        assert_string_equal(hex, known[i].hex);
    }

    assert_int_equal(leadq_keys_mac_each(keys, 2, text, 1, &id, mac), 1);
    assert_int_equal(leadq_keys_mac_of(keys, 7, text, 1, mac), 1);

    /* the first is the newest, the last the oldest */

    assert_int_equal(leadq_keys_mac_first(keys, text, strlen(text), &id, mac),
                     0);
    leadq_mac_hex(mac, hex);
    assert_int_equal(id, 8);
    assert_string_equal(hex, known[0].hex);

    assert_int_equal(leadq_keys_mac_each(keys, 1, text, strlen(text), NULL,
                                         mac), 0);
    assert_int_equal(leadq_keys_mac(keys, text, strlen(text), last), 0);
    assert_memory_equal(mac, last, LEADQ_MAC_LEN);

    leadq_keys_free(keys);
}


static void
a_wrong_key_file_is_refused_with_its_line(void **state)
{
    size_t  i;
    char    err[256];

    static const struct {
        const char  *text;
        const char  *reason;
    } cases[] = {
        { "", ":0: has no key" },
        { "# only\n", ":1: has no key" },
        { "x " KEY_A "\n", ":1: does not begin with a key id 0..255" },
        { "256 " KEY_A, ":1: key id is out of range 0..255" },
        { "99999999999999999999999 " KEY_A, "key id is out of range" },
        { "7\n", ":1: has no hexadecimal key after the key id" },
        { "7 " KEY_A "\n7 " KEY_B "\n", ":2: key id is repeated" },
        { "7 0011\n", ":1: key needs an even number of 64..128" },
        { "7 " KEY_A "0\n", ":1: key needs an even number of 64..128" },
        { "7 " KEY_A KEY_A KEY_A "\n", "key needs an even number" },
        { "7 zz0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
          "key has something else than hexadecimal digits" },
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_null(load(cases[i].text, err, sizeof(err)));
        if (strstr(err, cases[i].reason) == NULL) {
            fail_msg("\"%s\" has no \"%s\"", err, cases[i].reason);
        }
    }

    assert_null(leadq_keys_load("/nowhere/at.all", err, sizeof(err)));
    assert_non_null(strstr(err, "No such file"));

    leadq_keys_free(NULL);
}


static void
a_seventeenth_key_and_an_endless_line_are_refused(void **state)
{
    int    i;
    char   err[256], text[2048], *p;

    (void) state;

    for (p = text, i = 0; i < 17; i++) {
        p += sprintf(p, "%d %s\n", i, KEY_A);
    }

    assert_null(load(text, err, sizeof(err)));
    assert_non_null(strstr(err, ":17: is one key too many"));

    memset(text, ' ', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_null(load(text, err, sizeof(err)));
    assert_non_null(strstr(err, ":1: line is too long"));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_known_token_stays_the_same),
        cmocka_unit_test(a_token_is_read_back_until_it_expires),
        cmocka_unit_test(an_old_key_still_verifies_and_a_removed_one_does_not),
        cmocka_unit_test(every_changed_character_is_noticed),
        cmocka_unit_test(what_is_no_token_is_malformed),
        cmocka_unit_test(times_outside_of_five_bytes_are_clamped),
        cmocka_unit_test(a_text_has_a_mac_under_each_key_of_the_file),
        cmocka_unit_test(a_wrong_key_file_is_refused_with_its_line),
        cmocka_unit_test(a_seventeenth_key_and_an_endless_line_are_refused),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
