#include "redact.h"

#include <string.h>
#include <strings.h>

#define STARS "***"

/* The length of the longest secret that the text begins with. */
static size_t
secret_at(const char *text, size_t len, const char *const *secrets, size_t n)
{
    size_t i, secret, longest;

    longest = 0;
    for (i = 0; i < n; i++) {
        secret = secrets[i] == NULL ? 0 : strlen(secrets[i]);
        /* %2F and %2f are the same secret */
        if (secret > longest && secret <= len
            && strncasecmp(text, secrets[i], secret) == 0)
        {
            longest = secret;
        }
    }
    return longest;
}

size_t
redact(const char *text, size_t len, const char *const *secrets, size_t n,
       char *out, size_t size)
{
    size_t at, used, secret;

    used = 0;
    for (at = 0; at < len && used + sizeof(STARS) < size; at += secret) {
        secret = secret_at(text + at, len - at, secrets, n);
        if (secret > 0) {
            memcpy(out + used, STARS, strlen(STARS));
            used += strlen(STARS);
        } else {
            out[used++] = text[at];
            secret = 1;
        }
    }
    out[used] = '\0';
    return used;
}
