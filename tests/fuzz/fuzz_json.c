
/*
 * Any bytes as a JSON body, and any bytes written as a JSON string: what we
 * write, jansson reads.
 */

#include <stdint.h>
#include <stdlib.h>

#include <jansson.h>

#include "leadq_json.h"
#include "leadq_utf8.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


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

    if (leadq_json_parse((const char *) data, size, arena, &pairs)
        == LEADQ_OK)
    {
        for (i = 0; i < pairs.n; i++) {
            s = &pairs.pair[i].value;

            if (s->data < arena || s->data + s->len > arena + size
                || !leadq_utf8_valid(s->data, s->len))
            {
                abort();
            }
        }
    }

    free(arena);

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
