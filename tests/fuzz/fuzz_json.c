
/*
 * Any bytes as a JSON body, and any bytes written as a JSON string: what we
 * write, jansson reads, and so it does every value of a body by itself.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "leadq_json.h"
#include "leadq_list.h"
#include "leadq_suggest.h"
#include "leadq_utf8.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* The raw text of a value is one value by itself. */

static void
check_raw(const leadq_str_t *raw)
{
    json_t  *value;

    value = json_loadb(raw->data, raw->len,
                       JSON_DECODE_ANY | JSON_REJECT_DUPLICATES
                       | JSON_ALLOW_NUL, NULL);
    if (value == NULL) {
        abort();
    }

    json_decref(value);
}


/* An object stays one when a suggestion is put in. */

static void
check_splice(const char *data, size_t size)
{
    int          done;
    json_t      *object;
    leadq_buf_t  buf;

    object = memchr(data, '\0', size) ? NULL : json_loadb(data, size, 0, NULL);

    if (json_is_object(object)) {
        leadq_buf_init(&buf, size + 64);

        done = leadq_suggest_splice(&buf, data, size, "{\"a\":1}", 7);

        json_decref(object);
        object = done ? json_loadb(buf.data, buf.len, 0, NULL) : NULL;

        if (done && !json_is_object(json_object_get(object, "suggest"))) {
            abort();
        }

        leadq_buf_done(&buf);
    }

    json_decref(object);
}


/* What is a list is an array, and the same list when it is read again. */

static void
check_list(const char *data, size_t size)
{
    json_t              *array;
    leadq_buf_t          once, twice;
    const leadq_rule_t   rule = { .type = LEADQ_TYPE_LIST, .max = size + 2,
                                  .depth = 3 };

    leadq_buf_init(&once, size + 2);
    leadq_buf_init(&twice, size + 2);

    if (leadq_list_check(&rule, data, size, &once) == LEADQ_OK && once.len) {
        array = json_loadb(once.data, once.len, JSON_REJECT_DUPLICATES, NULL);

        if (once.failed || !json_is_array(array)
            || leadq_list_check(&rule, once.data, once.len, &twice)
               != LEADQ_OK
            || once.len != twice.len
            || memcmp(once.data, twice.data, once.len) != 0)
        {
            abort();
        }

        json_decref(array);
    }

    leadq_buf_done(&once);
    leadq_buf_done(&twice);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char           *arena;
    size_t          i;
    json_t         *text;
    leadq_buf_t     buf;
    leadq_str_t    *s;
    leadq_pairs_t   pairs;

    arena = malloc(size ? size : 1);

    if (leadq_json_parse((const char *) data, size, arena, NULL,
                         &pairs)
        == LEADQ_OK)
    {
        for (i = 0; i < pairs.n; i++) {
            s = &pairs.pair[i].value;

            if (s->data < arena || s->data + s->len > arena + size
                || !leadq_utf8_valid(s->data, s->len))
            {
                abort();
            }

            check_raw(&pairs.pair[i].raw);
        }
    }

    free(arena);

    check_splice((const char *) data, size);
    check_list((const char *) data, size);

    leadq_buf_init(&buf, 6 * size + 2);
    leadq_json_put(&buf, (const char *) data, size);

    if (buf.failed) {
        abort();
    }

    text = json_loadb(buf.data, buf.len, JSON_DECODE_ANY, NULL);
    if (text == NULL) {
        abort();
    }

    json_decref(text);
    leadq_buf_done(&buf);

    return 0;
}
