
/*
 * Any bytes as the body of a request: its row is JSON that jansson reads, has
 * MACs and never the value where it must not be read, and a whole body in it
 * is the same when it is sent again.
 *
 * The first byte says what body it is, and for which location.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "leadq_body.h"
#include "leadq_form.h"
#include "leadq_json.h"
#include "leadq_shape.h"
#include "leadq_session.h"


#define STR(text)  { sizeof(text) - 1, text }
#define ROW_MAX    (4 * 1024 * 1024)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


enum { CODE, WORD, NAME, QUIZ, TYPED };


static leadq_field_t  typed[TYPED] = {
    [CODE] = { .name = STR("code"), .mac = 1,
               .rule = { .type = LEADQ_TYPE_DIGITS, .min = 4, .max = 8 } },
    [WORD] = { .name = STR("word"), .mac = 1,
               .rule = { .type = LEADQ_TYPE_TOKEN, .max = 255 } },
    [NAME] = { .name = STR("name"),
               .rule = { .type = LEADQ_TYPE_TEXT, .max = 50 } },
    [QUIZ] = { .name = STR("quiz"),
               .rule = { .type = LEADQ_TYPE_JSON, .max = 500, .depth = 4 } },
};

static const leadq_field_t  whole = {
    .name = STR("receipt"),
    .rule = { .type = LEADQ_TYPE_BODY, .max = 300, .depth = LEADQ_DEPTH_BODY }
};

static const leadq_shape_t  shapes[2] = {
    { .fields = typed, .nfields = TYPED },
    { .fields = &whole, .nfields = 1, .whole = &whole }
};


static leadq_keys_t *
make_keys(void)
{
    int            fd;
    char           err[256], path[] = "/tmp/leadq-fuzz-XXXXXX";
    leadq_keys_t  *keys;
    static const char  text[] =
        "7 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
        "8 ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100\n";

    fd = mkstemp(path);

    if (fd < 0 || write(fd, text, sizeof(text) - 1) < 0) {
        abort();
    }

    close(fd);
    keys = leadq_keys_load(path, err, sizeof(err));
    unlink(path);

    return keys;
}


/* {"7":"64 digits","8":"64 digits"}, or nothing. */

static void
check_macs(json_t *macs)
{
    if (macs != NULL
        && (json_object_size(macs) != 2
            || json_string_length(json_object_get(macs, "7")) != LEADQ_MAC_HEX
            || json_string_length(json_object_get(macs, "8"))
               != LEADQ_MAC_HEX))
    {
        abort();
    }
}


/* The value of the row, {"receipt":...}, once more. */

static void
check_again(const leadq_buf_t *row)
{
    size_t         len;
    leadq_buf_t    text;
    const char    *value;
    leadq_pairs_t  pairs;

    static const char  before[] = "{\"receipt\":";

    if (row->len < sizeof(before)) {
        return;
    }

    value = row->data + sizeof(before) - 1;
    len = row->len - sizeof(before);

    leadq_buf_init(&text, ROW_MAX);
    leadq_json_whole(value, len, &pairs);

    if (len > whole.rule.max
        || leadq_body_check(&whole.rule, &pairs, &text) != LEADQ_OK
        || text.len != len || memcmp(text.data, value, len) != 0)
    {
        abort();
    }

    leadq_buf_done(&text);
}


static void
check_row(const leadq_shape_t *shape, const leadq_pairs_t *pairs)
{
    json_t              *json;
    leadq_buf_t          row;
    leadq_errors_t       errors;
    leadq_suggestions_t  suggestions;

    static const leadq_str_t  about[TYPED] = { STR("a"), STR("a") };
    const leadq_given_t       given = { .pairs = pairs, .about = about };

    leadq_buf_init(&row, ROW_MAX);

    if (leadq_shape_check(shape, &given, &errors, &suggestions, &row) != 0) {
        abort();
    }

    if (errors.n == 0) {
        json = json_loadb(row.data, row.len, JSON_DECODE_INT_AS_REAL, NULL);

        if (!json_is_object(json)) {
            abort();
        }

        check_macs(json_object_get(json, "code"));
        check_macs(json_object_get(json, "word"));
        json_decref(json);

        if (shape->whole != NULL) {
            check_again(&row);
        }
    }

    leadq_buf_done(&row);
}


/* As a header of cookies: values lie in it, behind their names. */

static void
check_cookies(const char *data, size_t size)
{
    const char  *p, *end;
    leadq_str_t  value;

    static const leadq_str_t  name = STR("sid");

    p = data;
    end = data + size;

    while (leadq_cookie_next(&p, end, &name, &value)) {
        if (value.data < data + 4 || value.data + value.len > p
            || memcmp(value.data - 4, "sid=", 4) != 0)
        {
            abort();
        }
    }

    if (p != end) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                  *body, *arena;
    leadq_code_e           code;
    leadq_pairs_t          pairs;
    const leadq_shape_t   *shape;
    static leadq_keys_t   *keys;

    if (keys == NULL) {
        keys = make_keys();
        typed[CODE].rule.keys = keys;
        typed[WORD].rule.keys = keys;
    }

    if (size-- < 1) {
        return 0;
    }

    body = malloc(size ? size : 1);
    arena = malloc(size ? size : 1);
    memcpy(body, data + 1, size);

    shape = &shapes[data[0] & 1];

    if (data[0] & 2) {
        code = leadq_form_parse(body, size, arena, &pairs);

    } else if (shape->whole != NULL) {
        leadq_json_whole(body, size, &pairs);
        code = LEADQ_OK;

    } else {
        code = leadq_json_parse(body, size, arena, NULL, &pairs);
    }

    if (code == LEADQ_OK) {
        check_row(shape, &pairs);
    }

    check_cookies(body, size);

    free(arena);
    free(body);

    return 0;
}
