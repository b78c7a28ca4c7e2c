
/*
 * Traps for robots: fields that are taken out, and the ages of form tokens to
 * the millisecond.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "keys.h"
#include "leadq_form.h"
#include "leadq_json.h"
#include "leadq_trap.h"
#include "leadq_uuid.h"


#define KEYS  "7 000102030405060708090a0b0c0d0e0f" \
              "101112131415161718191a1b1c1d1e1f\n"
#define NOW   INT64_C(1790000000123)


static const leadq_str_t  pot = { 7, "website" };
static const leadq_str_t  field = { 10, "form_token" };

static leadq_keys_t      *keys;
static leadq_str_t        good;
static leadq_uuid_gen_t   gen;


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


static void
make(int64_t at, char out[LEADQ_SIGNED_LEN + 1])
{
    unsigned char  id[16];

    leadq_uuid_init(&gen);
    assert_int_equal(leadq_uuid_next(&gen, (uint64_t) at, id), 0);
    leadq_trap_token_make(keys, id, out);
    assert_int_equal(strlen(out), LEADQ_SIGNED_LEN);
}


static leadq_trap_e
check(const char *token, int64_t now)
{
    leadq_pairs_t  pairs;

    memset(&pairs, 0, sizeof(pairs));
    pairs.n = 1;
    pairs.pair[0].name = field;
    pairs.pair[0].value.data = token;
    pairs.pair[0].value.len = strlen(token);
    pairs.pair[0].scalar = 1;

    return leadq_trap_token(&pairs, &field, keys, now, 3000, 7200000, &good);
}


static void
a_token_is_good_from_its_least_to_its_greatest_age(void **state)
{
    char  token[LEADQ_SIGNED_LEN + 1];

    (void) state;

    make(NOW, token);

    assert_int_equal(check(token, NOW - 100000), LEADQ_TRAP_TOKEN_YOUNG);
    assert_int_equal(check(token, NOW), LEADQ_TRAP_TOKEN_YOUNG);
    assert_int_equal(check(token, NOW + 2999), LEADQ_TRAP_TOKEN_YOUNG);
    assert_int_equal(good.len, 0);
    assert_int_equal(check(token, NOW + 3000), LEADQ_TRAP_NONE);
    assert_int_equal(check(token, NOW + 7200000), LEADQ_TRAP_NONE);
    assert_int_equal(check(token, NOW + 7200001), LEADQ_TRAP_TOKEN_OLD);
    assert_int_equal(check(token, NOW + 2 * LEADQ_FORM_TOKEN_MAX_MS),
                     LEADQ_TRAP_TOKEN_OLD);
}


/* Of one process, and of many. */

static void
no_two_tokens_of_a_millisecond_are_the_same(void **state)
{
    int            i, k;
    unsigned char  id[16];
    static char    tokens[256][LEADQ_SIGNED_LEN + 1];

    (void) state;

    leadq_uuid_init(&gen);

    for (i = 0; i < 128; i++) {
        assert_int_equal(leadq_uuid_next(&gen, (uint64_t) NOW, id), 0);
        leadq_trap_token_make(keys, id, tokens[i]);
    }

    for (i = 128; i < 256; i++) {
        make(NOW, tokens[i]);
    }

    for (i = 0; i < 256; i++) {
        assert_int_equal(check(tokens[i], NOW + 3000), LEADQ_TRAP_NONE);

        for (k = 0; k < i; k++) {
            assert_string_not_equal(tokens[i], tokens[k]);
        }
    }
}


static void
a_token_lasts_as_long_as_a_form_may_say(void **state)
{
    char           token[LEADQ_SIGNED_LEN + 1];
    leadq_pairs_t  pairs;

    (void) state;

    make(NOW, token);

    memset(&pairs, 0, sizeof(pairs));
    pairs.n = 1;
    pairs.pair[0].name = field;
    pairs.pair[0].value.data = token;
    pairs.pair[0].value.len = LEADQ_SIGNED_LEN;
    pairs.pair[0].scalar = 1;

    assert_int_equal(leadq_trap_token(&pairs, &field, keys,
                                      NOW + LEADQ_FORM_TOKEN_MAX_MS, 0,
                                      LEADQ_FORM_TOKEN_MAX_MS, &good),
                     LEADQ_TRAP_NONE);
    assert_int_equal(pairs.n, 0);
    assert_int_equal(good.len, LEADQ_SIGNED_LEN);
    assert_ptr_equal(good.data, token);
}


static void
what_is_no_form_token_is_forged_or_missing(void **state)
{
    char           token[LEADQ_SIGNED_LEN + 1];
    unsigned char  id[16] = { 0 };

    (void) state;

    assert_int_equal(check("", NOW), LEADQ_TRAP_TOKEN_MISSING);
    assert_int_equal(check("x", NOW), LEADQ_TRAP_TOKEN_FORGED);

    make(NOW, token);
    token[20] = token[20] == 'A' ? 'B' : 'A';
    assert_int_equal(check(token, NOW + 5000), LEADQ_TRAP_TOKEN_FORGED);

    leadq_signed_make(keys, "confirm", id, NOW, token);
    assert_int_equal(check(token, NOW), LEADQ_TRAP_TOKEN_FORGED);
}


/* Pairs left over after both traps, and what they said. */

static void
traps_of_form(const char *body, leadq_trap_e honeypot, leadq_trap_e token,
    const char *left)
{
    char           arena[512], names[512];
    size_t         i;
    leadq_pairs_t  pairs;

    assert_int_equal(leadq_form_parse(body, strlen(body), arena, &pairs),
                     LEADQ_OK);
    assert_int_equal(leadq_trap_honeypot(&pairs, &pot), honeypot);
    assert_int_equal(leadq_trap_token(&pairs, &field, keys, NOW, 0, 1000,
                                      &good),
                     token);
    assert_int_equal(good.len, token ? 0 : LEADQ_SIGNED_LEN);

    names[0] = '\0';

    for (i = 0; i < pairs.n; i++) {
        strncat(names, pairs.pair[i].name.data, pairs.pair[i].name.len);
    }

    assert_string_equal(names, left);
}


static void
the_fields_of_traps_are_taken_out(void **state)
{
    char  token[LEADQ_SIGNED_LEN + 1], body[256];

    (void) state;

    traps_of_form("", LEADQ_TRAP_NONE, LEADQ_TRAP_TOKEN_MISSING, "");
    traps_of_form("a=1&b=2&a=3", LEADQ_TRAP_NONE, LEADQ_TRAP_TOKEN_MISSING,
                  "aba");
    traps_of_form("website=&a=1", LEADQ_TRAP_NONE, LEADQ_TRAP_TOKEN_MISSING,
                  "a");
    traps_of_form("a=1&website=x&b=&form_token=x&c=", LEADQ_TRAP_HONEYPOT,
                  LEADQ_TRAP_TOKEN_FORGED, "abc");
    traps_of_form("website=&website=", LEADQ_TRAP_HONEYPOT,
                  LEADQ_TRAP_TOKEN_MISSING, "");

    make(NOW, token);
    strcpy(body, "form_token=");
    strcat(body, token);
    traps_of_form(body, LEADQ_TRAP_NONE, LEADQ_TRAP_NONE, "");
    strcat(body, "&website=&form_token=");
    traps_of_form(body, LEADQ_TRAP_NONE, LEADQ_TRAP_TOKEN_FORGED, "");
}


static void
lists_and_objects_fall_into_traps(void **state)
{
    char           arena[256];
    leadq_pairs_t  pairs;

    static const char  body[] = "{\"website\":[],\"form_token\":{}}";

    (void) state;

    assert_int_equal(leadq_json_parse(body, strlen(body), arena, NULL,
                                      &pairs), LEADQ_OK);
    assert_int_equal(leadq_trap_honeypot(&pairs, &pot), LEADQ_TRAP_HONEYPOT);
    assert_int_equal(leadq_trap_token(&pairs, &field, keys, NOW, 0, 1000,
                                      &good),
                     LEADQ_TRAP_TOKEN_FORGED);
}


static void
every_trap_has_its_name(void **state)
{
    (void) state;

    assert_null(leadq_trap_name(LEADQ_TRAP_NONE));
    assert_string_equal(leadq_trap_name(LEADQ_TRAP_HONEYPOT), "honeypot");
    assert_string_equal(leadq_trap_name(LEADQ_TRAP_TOKEN_MISSING),
                        "form-token-missing");
    assert_string_equal(leadq_trap_name(LEADQ_TRAP_TOKEN_FORGED),
                        "form-token-forged");
    assert_string_equal(leadq_trap_name(LEADQ_TRAP_TOKEN_YOUNG),
                        "form-token-young");
    assert_string_equal(leadq_trap_name(LEADQ_TRAP_TOKEN_OLD),
                        "form-token-old");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_token_is_good_from_its_least_to_its_greatest_age),
        cmocka_unit_test(no_two_tokens_of_a_millisecond_are_the_same),
        cmocka_unit_test(a_token_lasts_as_long_as_a_form_may_say),
        cmocka_unit_test(what_is_no_form_token_is_forged_or_missing),
        cmocka_unit_test(the_fields_of_traps_are_taken_out),
        cmocka_unit_test(lists_and_objects_fall_into_traps),
        cmocka_unit_test(every_trap_has_its_name),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, load_keys, free_keys);
}
