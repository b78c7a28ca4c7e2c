
/*
 * Any bytes as a multipart body, the first line of them as its Content-Type:
 * the pairs stay inside the arena, names are valid text, and writing the
 * pairs as a form again gives the same pairs.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "leadq_buf.h"
#include "leadq_media.h"
#include "leadq_multipart.h"
#include "leadq_utf8.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static int
plain(const leadq_pairs_t *pairs)
{
    size_t  i, k;

    for (i = 0; i < pairs->n; i++) {
        for (k = 0; k < pairs->pair[i].name.len; k++) {
            if (strchr("\"\\\r\n%", pairs->pair[i].name.data[k])) {
                return 0;
            }
        }
    }

    return 1;
}


static void
check_again(const leadq_pairs_t *pairs, const leadq_media_t *media)
{
    char                  *arena;
    size_t                 i;
    leadq_buf_t            buf;
    const leadq_pair_t    *pair;
    static leadq_pairs_t   again;

    leadq_buf_init(&buf, 64 * 1024 * 1024);

    for (i = 0; i < pairs->n; i++) {
        pair = &pairs->pair[i];

        leadq_buf_puts(&buf, "--");
        leadq_buf_put(&buf, media->boundary, media->boundary_len);
        leadq_buf_puts(&buf, "\r\nContent-Disposition: form-data; name=\"");
        leadq_buf_put(&buf, pair->name.data, pair->name.len);
        leadq_buf_puts(&buf, "\"\r\n\r\n");
        leadq_buf_put(&buf, pair->value.data, pair->value.len);
        leadq_buf_puts(&buf, "\r\n");
    }

    leadq_buf_puts(&buf, "--");
    leadq_buf_put(&buf, media->boundary, media->boundary_len);
    leadq_buf_puts(&buf, "--");

    arena = malloc(buf.len);

    if (leadq_multipart_parse(buf.data, buf.len, media->boundary,
                              media->boundary_len, arena, &again) != LEADQ_OK
        || again.n != pairs->n)
    {
        abort();
    }

    for (i = 0; i < pairs->n; i++) {
        if (again.pair[i].value.len != pairs->pair[i].value.len
            || memcmp(again.pair[i].value.data, pairs->pair[i].value.data,
                      again.pair[i].value.len) != 0)
        {
            abort();
        }
    }

    free(arena);
    leadq_buf_done(&buf);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                  *body, *arena;
    size_t                 i, len;
    const uint8_t         *line;
    leadq_str_t           *name, *value;
    leadq_media_t          media;
    static leadq_pairs_t   pairs;

    line = size ? memchr(data, '\n', size) : NULL;

    if (line == NULL
        || leadq_media_read((const char *) data, (size_t) (line - data),
                            &media) != LEADQ_OK
        || media.type != LEADQ_MEDIA_MULTIPART)
    {
        return 0;
    }

    len = size - (size_t) (line + 1 - data);
    body = malloc(len ? len : 1);
    arena = malloc(len ? len : 1);
    memcpy(body, line + 1, len);

    if (leadq_multipart_parse(body, len, media.boundary, media.boundary_len,
                              arena, &pairs) == LEADQ_OK)
    {
        for (i = 0; i < pairs.n; i++) {
            name = &pairs.pair[i].name;
            value = &pairs.pair[i].value;

            if (name->len == 0 || !leadq_utf8_valid(name->data, name->len)
                || value->data < arena
                || value->data + value->len > arena + len)
            {
                abort();
            }
        }

        if (plain(&pairs)) {
            check_again(&pairs, &media);
        }
    }

    free(arena);
    free(body);

    return 0;
}
