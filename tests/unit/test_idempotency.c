
/*
 * Ids of idempotency keys and fingerprints: known vectors, and what a row
 * has of them.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "leadq_form.h"
#include "leadq_idempotency.h"
#include "leadq_shape.h"
#include "leadq_uuid.h"


#define KEY_A  "000102030405060708090a0b0c0d0e0f" \
               "101112131415161718191a1b1c1d1e1f"
#define KEY_B  "ffeeddccbbaa99887766554433221100" \
               "ffeeddccbbaa99887766554433221100"

#define STR(s)  { sizeof(s) - 1, s }


static leadq_keys_t *
keys_of(const char *text)
{
    int            fd;
    char           err[256], path[] = "/tmp/leadq-test-XXXXXX";
    leadq_keys_t  *keys;

    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (int) strlen(text));
    close(fd);

    keys = leadq_keys_load(path, err, sizeof(err));
    unlink(path);
    assert_non_null(keys);

    return keys;
}


static void
a_key_is_visible_ascii(void **state)
{
    char  text[LEADQ_KEY_VALUE_MAX + 1];

    (void) state;

    memset(text, '~', sizeof(text));

    assert_true(leadq_idempotency_key("!", 1));
    assert_true(leadq_idempotency_key(text, LEADQ_KEY_VALUE_MAX));
    assert_false(leadq_idempotency_key(text, LEADQ_KEY_VALUE_MAX + 1));
    assert_false(leadq_idempotency_key(text, 0));
    assert_false(leadq_idempotency_key("a b", 3));
    assert_false(leadq_idempotency_key("a\0b", 3));
    assert_false(leadq_idempotency_key("a\x7f", 2));
    assert_false(leadq_idempotency_key("\xd0\xb0", 2));
}


static void
a_known_id_stays_the_same(void **state)
{
    char                 text[LEADQ_UUID_LEN + 1];
    leadq_keys_t        *one, *two;
    unsigned char        id[16], again[16];
    leadq_idempotency_t  parts = {
        STR("main"), STR("leadq"), STR("lead"), STR("idempotency-key"),
        STR(""), STR("order-17")
    };

    (void) state;

    one = keys_of("7 " KEY_A "\n");
    two = keys_of("8 " KEY_B "\n7 " KEY_A "\n");

    assert_int_equal(leadq_idempotency_id(one, &parts, id), 0);
    leadq_uuid_format(id, text);

    /* computed independently by perl: Digest::SHA */
    assert_string_equal(text, "c22163db-2502-8fb0-a526-aa3c8feb5149");

    assert_int_equal(leadq_idempotency_id(two, &parts, again), 0);
    assert_memory_equal(id, again, 16);

    leadq_keys_free(one);
    leadq_keys_free(two);
}


static void
every_part_counts_and_none_runs_into_the_next(void **state)
{
    size_t          i, k;
    leadq_keys_t   *keys;
    unsigned char   id[8][16];

    static const leadq_idempotency_t  parts[8] = {
        { STR("m"), STR("s"), STR("f"), STR("o"), STR("ab"), STR("c") },
        { STR("M"), STR("s"), STR("f"), STR("o"), STR("ab"), STR("c") },
        { STR("m"), STR("S"), STR("f"), STR("o"), STR("ab"), STR("c") },
        { STR("m"), STR("s"), STR("F"), STR("o"), STR("ab"), STR("c") },
        { STR("m"), STR("s"), STR("f"), STR("O"), STR("ab"), STR("c") },
        { STR("m"), STR("s"), STR("f"), STR("o"), STR("a"), STR("bc") },
        { STR("m"), STR("s"), STR("f"), STR("o"), STR(""), STR("abc") },
        { STR("ms"), STR(""), STR("f"), STR("o"), STR("ab"), STR("c") },
    };

    (void) state;

    keys = keys_of("7 " KEY_A "\n");

    for (i = 0; i < 8; i++) {
        assert_int_equal(leadq_idempotency_id(keys, &parts[i], id[i]), 0);

        for (k = 0; k < i; k++) {
            assert_memory_not_equal(id[i], id[k], 16);
        }
    }

    leadq_keys_free(keys);
}


static void
more_than_fits_is_an_error(void **state)
{
    char                *scope;
    leadq_keys_t        *keys;
    unsigned char        id[16];
    leadq_idempotency_t  parts = {
        STR("m"), STR("s"), STR("f"), STR("o"), STR(""), STR("v")
    };

    (void) state;

    keys = keys_of("7 " KEY_A "\n");
    scope = calloc(1, 70000);
    parts.scope.data = scope;
    parts.scope.len = 70000;

    assert_int_equal(leadq_idempotency_id(keys, &parts, id), -1);

    free(scope);
    leadq_keys_free(keys);
}


/* What an urlencoded body becomes, with what was asked for besides. */

static void
row_of(const char *body, leadq_extra_t *extra, const char *expected)
{
    char                 arena[256];
    leadq_buf_t          row;
    leadq_pairs_t        pairs;
    leadq_errors_t       errors;
    leadq_suggestions_t  suggestions;

    static const leadq_field_t  fields[] = {
        { .name = STR("name"), .rule = { .type = LEADQ_TYPE_TEXT,
                                         .max = 100 } },
        { .name = STR("yes"), .rule = { .type = LEADQ_TYPE_BOOL } },
    };
    static const leadq_str_t  set_names[] = { STR("ip") };
    static const leadq_str_t  set_values[] = { STR("::1") };
    static const leadq_shape_t  shape = {
        .fields = fields, .nfields = 2, .sets = set_names, .nsets = 1
    };

    leadq_given_t  given = {
        .pairs = &pairs, .sets = set_values, .extra = extra
    };

    extra->key = extra->key ? &fields[0] : NULL;

    assert_int_equal(leadq_form_parse(body, strlen(body), arena, &pairs),
                     LEADQ_OK);
    leadq_buf_init(&row, 1000);
    assert_int_equal(leadq_shape_check(&shape, &given, &errors,
                                       &suggestions, &row),
                     0);
    assert_int_equal(errors.n, 0);
    leadq_buf_put(&row, "", 1);
    assert_string_equal(row.data, expected);

    if (extra->key_len) {
        assert_memory_equal(row.data + extra->key_at, "\"a\\\"\"", 5);
    }

    leadq_buf_done(&row);
}


static void
a_row_has_what_was_asked_for(void **state)
{
    leadq_extra_t        extra;
    const leadq_field_t  some = { .name = STR("any") };

    (void) state;

    memset(&extra, 0, sizeof(extra));
    row_of("name=a", &extra, "{\"name\":\"a\",\"ip\":\"::1\"}");

    extra.trap = "honeypot";
    row_of("", &extra, "{\"ip\":\"::1\",\"$trap\":\"honeypot\"}");

    /* half of sha256 of {"name":"a\"","yes":true */
    extra.trap = NULL;
    extra.fingerprint = 1;
    extra.key = &some;
    row_of("name=a%22&yes=1", &extra,
           "{\"name\":\"a\\\"\",\"yes\":true,\"ip\":\"::1\",\"$fingerprint\":"
           "\"c7ebede32d59f83e7918986e13f0d41d\"}");
    assert_int_equal(extra.key_len, 5);

    /* the key was not given */
    row_of("yes=1", &extra, "{\"yes\":true,\"ip\":\"::1\"}");
    assert_int_equal(extra.key_len, 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(a_key_is_visible_ascii),
        cmocka_unit_test(a_known_id_stays_the_same),
        cmocka_unit_test(every_part_counts_and_none_runs_into_the_next),
        cmocka_unit_test(more_than_fits_is_an_error),
        cmocka_unit_test(a_row_has_what_was_asked_for),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
