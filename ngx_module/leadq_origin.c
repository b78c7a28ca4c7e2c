
/*
 * Same origin or not; see leadq_origin.h.
 */

#include "leadq_origin.h"

#include <string.h>


static int leadq_origin_is(const leadq_str_t *value, const char *text,
    size_t len);
static int leadq_origin_host(const char *a, const char *b, size_t len);


int
leadq_origin_same(const leadq_str_t *site, const leadq_str_t *origin,
    const leadq_str_t *host, int tls)
{
    size_t  scheme;

    if (site != NULL) {
        return leadq_origin_is(site, "same-origin", 11);
    }

    if (origin == NULL || host == NULL || host->len == 0) {
        return 0;
    }

    /*
     * TLS may end before us, so "https" is fine without it.  Browsers leave
     * default ports out of both headers.
     */

    if (origin->len > 8 && memcmp(origin->data, "https://", 8) == 0) {
        scheme = 8;

    } else if (!tls && origin->len > 7
               && memcmp(origin->data, "http://", 7) == 0)
    {
        scheme = 7;

    } else {
        return 0;
    }

    return origin->len - scheme == host->len
           && leadq_origin_host(origin->data + scheme, host->data, host->len);
}


static int
leadq_origin_is(const leadq_str_t *value, const char *text, size_t len)
{
    return value->len == len && memcmp(value->data, text, len) == 0;
}


/* Names of hosts have no case. */

static int
leadq_origin_host(const char *a, const char *b, size_t len)
{
    char    x, y;
    size_t  i;

    for (i = 0; i < len; i++) {
        x = a[i];
        y = b[i];

        if (x >= 'A' && x <= 'Z') {
            x = (char) (x | 0x20);
        }

        if (y >= 'A' && y <= 'Z') {
            y = (char) (y | 0x20);
        }

        if (x != y) {
            return 0;
        }
    }

    return 1;
}
