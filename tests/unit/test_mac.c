
/*
 * MACs in the place of a value: what the row has instead of a typed code.
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
#include "leadq_mac.h"
#include "leadq_shape.h"


#define STR(text)  { sizeof(text) - 1, text }

#define KEYS                                                                  \
    "8 ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100\n"    \
    "0 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

/* openssl's: dgst -sha256 -mac HMAC -macopt hexkey:KEY of "UUID:012345" */
#define MACS                                                                  \
    "{\"8\":\"3827f5fd06c666841111cd97c11afacd"                               \
    "873462211187fd185fa4d78538fc7b96\","                                     \
    "\"0\":\"652aca70f66e936ac9e9a98ca6562b1d"                                \
    "e2203f11ff7bad94c2bee721a2f8a2c3\"}"

/* half of SHA-256 of the row as far as the client said it */
#define FINGERPRINT  "934d9e21134ddee2dd337f2664f1e825"


enum { CODE, NAME, FIELDS };


static const leadq_str_t  id = STR("0b5e9f3e-1111-4222-8333-444455556666");
static leadq_keys_t      *keys;


static leadq_field_t  fields[FIELDS] = {
    [CODE] = { .name = STR("code"), .required = 1, .mac = 1,
               .rule = { .type = LEADQ_TYPE_DIGITS, .min = 4, .max = 8 } },
    [NAME] = { .name = STR("name"),
               .rule = { .type = LEADQ_TYPE_TEXT, .max = 20 } },
};

static leadq_shape_t  shape = { .fields = fields, .nfields = FIELDS };


static int
load_keys(void **state)
{
    (void) state;

    keys = keys_of(KEYS);
    fields[CODE].rule.keys = keys;

    return keys ? 0 : -1;
}


static int
free_keys(void **state)
{
    (void) state;

    leadq_keys_free(keys);

    return 0;
}


/* The row of a form, or "" and the errors. */

static void
check(const char *form, const char *fingerprint, const char *expected,
    leadq_errors_t *errors)
{
    int            rc;
    char           arena[256], got[1024];
    leadq_buf_t    row;
    leadq_pairs_t  pairs;
    leadq_extra_t  extra = { .session = "5f2c",
                             .fingerprint = fingerprint != NULL };

    const leadq_str_t    about[FIELDS] = { [CODE] = id };
    const leadq_given_t  given = { .pairs = &pairs, .extra = &extra,
                                   .about = about };

    static leadq_suggestions_t  suggestions;

    assert_int_equal(leadq_form_parse(form, strlen(form), arena, &pairs),
                     LEADQ_OK);
    leadq_buf_init(&row, sizeof(got) - 1);

    rc = leadq_shape_check(&shape, &given, errors, &suggestions, &row);
    assert_int_equal(rc, 0);

    memcpy(got, row.data, row.len);
    got[errors->n ? 0 : row.len] = '\0';
    leadq_buf_done(&row);

    assert_string_equal(got, expected);
}


static void
every_key_of_the_file_makes_a_mac_in_its_order(void **state)
{
    leadq_buf_t  buf;

    (void) state;

    leadq_buf_init(&buf, 1024);
    assert_int_equal(leadq_mac_put(&buf, keys, &id, "012345", 6), 0);
    assert_int_equal(buf.len, strlen(MACS));
    assert_memory_equal(buf.data, MACS, buf.len);
    leadq_buf_done(&buf);
}


static void
a_value_belongs_to_something(void **state)
{
    char         text[LEADQ_ABOUT_MAX + 1];
    leadq_buf_t  buf;
    leadq_str_t  about;

    (void) state;

    memset(text, 'a', sizeof(text));
    about.data = text;
    leadq_buf_init(&buf, 1024);

    about.len = 0;
    assert_int_equal(leadq_mac_put(&buf, keys, &about, "1", 1), -1);
    about.len = LEADQ_ABOUT_MAX + 1;
    assert_int_equal(leadq_mac_put(&buf, keys, &about, "1", 1), -1);
    about.len = LEADQ_ABOUT_MAX;
    assert_int_equal(leadq_mac_put(&buf, keys, &about, "1",
                                   LEADQ_VALUE_MAX + 1), -1);
    assert_int_equal(buf.len, 0);
    assert_int_equal(leadq_mac_put(&buf, keys, &about, "1", 1), 0);

    leadq_buf_done(&buf);
}


static void
a_row_has_the_macs_and_not_the_value(void **state)
{
    leadq_errors_t  errors;

    (void) state;

    check("name=a&code=+012345+", NULL,
          "{\"code\":" MACS ",\"name\":\"a\",\"$session\":\"5f2c\"}",
          &errors);
    assert_int_equal(errors.n, 0);

    /* so the fingerprint is made of them; the session is no part of it */

    check("code=012345", "", "{\"code\":" MACS ",\"$session\":\"5f2c\","
          "\"$fingerprint\":\"" FINGERPRINT "\"}", &errors);
    assert_int_equal(errors.n, 0);
}


static void
a_bad_value_is_an_error_like_any_other(void **state)
{
    size_t          i;
    leadq_errors_t  errors;

    static const struct {
        const char    *form;
        leadq_code_e   code;
    } cases[] = {
        { "", LEADQ_REQUIRED }, { "code=+", LEADQ_REQUIRED },
        { "code=123", LEADQ_TOO_SHORT }, { "code=123456789", LEADQ_TOO_LONG },
        { "code=12a4", LEADQ_DIGITS_BAD_CHARS },
        { "code=1234&code=1234", LEADQ_DUPLICATE_FIELD },
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(cases[i].form, NULL, "", &errors);
        assert_int_equal(errors.n, 1);
        assert_int_equal(errors.error[0].code, cases[i].code);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(every_key_of_the_file_makes_a_mac_in_its_order),
        cmocka_unit_test(a_value_belongs_to_something),
        cmocka_unit_test(a_row_has_the_macs_and_not_the_value),
        cmocka_unit_test(a_bad_value_is_an_error_like_any_other),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, load_keys, free_keys);
}
