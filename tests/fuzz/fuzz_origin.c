
/*
 * Any bytes as Sec-Fetch-Site, Origin, Host and Idempotency-Key, lines of the
 * input: who is taken for the same site wrote the name of Host behind a
 * scheme, and a key has visible characters only.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "leadq_idempotency.h"
#include "leadq_origin.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* The next line, in memory of its own: nothing behind it may be read. */

static char *
take(const uint8_t **p, const uint8_t *end, leadq_str_t *str)
{
    char           *copy;
    size_t          len;
    const uint8_t  *eol;

    eol = *p < end ? memchr(*p, '\n', (size_t) (end - *p)) : NULL;
    len = (size_t) ((eol ? eol : end) - *p);

    copy = malloc(len ? len : 1);
    if (len) {
        memcpy(copy, *p, len);
    }

    *p = eol ? eol + 1 : end;
    str->data = copy;
    str->len = len;

    return copy;
}


static int
is_same(const leadq_str_t *origin, const leadq_str_t *host, const char *scheme)
{
    size_t  len;

    len = strlen(scheme);

    return host->len && origin->len == len + host->len
           && strncasecmp(origin->data, scheme, len) == 0
           && strncasecmp(origin->data + len, host->data, host->len) == 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char           *line[4];
    size_t          i;
    leadq_str_t     site, origin, host, key;
    const uint8_t  *end;

    end = data + size;
    line[0] = take(&data, end, &site);
    line[1] = take(&data, end, &origin);
    line[2] = take(&data, end, &host);
    line[3] = take(&data, end, &key);

    if (leadq_origin_same(&site, &origin, &host, 1)
        != (site.len == 11 && memcmp(site.data, "same-origin", 11) == 0))
    {
        abort();
    }

    if (leadq_origin_same(NULL, &origin, &host, 1)
        && !is_same(&origin, &host, "https://"))
    {
        abort();
    }

    if (leadq_idempotency_key(key.data, key.len)) {
        if (key.len == 0 || key.len > LEADQ_KEY_VALUE_MAX) {
            abort();
        }

        for (i = 0; i < key.len; i++) {
            if (key.data[i] < 0x21 || key.data[i] > 0x7e) {
                abort();
            }
        }
    }

    for (i = 0; i < 4; i++) {
        free(line[i]);
    }

    return 0;
}
