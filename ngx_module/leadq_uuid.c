
/*
 * UUIDs version 7, see leadq_uuid.h for layout and promises.
 */

#include "leadq_uuid.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>


#define LEADQ_UUID_COUNTER_MAX   0xfff
#define LEADQ_UUID_COUNTER_SEED  0x7ff


static int leadq_uuid_random(leadq_uuid_gen_t *gen, unsigned char *out,
    size_t len);


void
leadq_uuid_init(leadq_uuid_gen_t *gen)
{
    memset(gen, 0, sizeof(leadq_uuid_gen_t));
}


int
leadq_uuid_next(leadq_uuid_gen_t *gen, uint64_t now_ms, unsigned char id[16])
{
    int            i;
    unsigned char  seed[2];

    if (leadq_uuid_random(gen, id + 8, 8) != 0) {
        return -1;
    }

    if (now_ms <= gen->last_ms && gen->counter < LEADQ_UUID_COUNTER_MAX) {
        gen->counter++;

    } else {

        if (leadq_uuid_random(gen, seed, 2) != 0) {
            return -1;
        }

        if (now_ms <= gen->last_ms) {
            now_ms = gen->last_ms + 1;
        }

        gen->last_ms = now_ms;
        gen->counter = ((unsigned) seed[0] << 8 | seed[1])
                       & LEADQ_UUID_COUNTER_SEED;
    }

    for (i = 0; i < 6; i++) {
        id[i] = (unsigned char) (gen->last_ms >> (8 * (5 - i)));
    }

    id[6] = (unsigned char) (0x70 | gen->counter >> 8);
    id[7] = (unsigned char) (gen->counter & 0xff);
    id[8] = (unsigned char) (0x80 | (id[8] & 0x3f));

    return 0;
}


/* One system call serves some sixty ids. */

static int
leadq_uuid_random(leadq_uuid_gen_t *gen, unsigned char *out, size_t len)
{
    ssize_t  n;
    size_t   filled;

    if (gen->unused < len) {
        filled = 0;

        while (filled < sizeof(gen->pool)) {
            n = getrandom(gen->pool + filled, sizeof(gen->pool) - filled, 0);

            if (n < 0 && errno == EINTR) {
                continue;
            }

            if (n <= 0) {
                return -1;
            }

            filled += (size_t) n;
        }

        gen->unused = sizeof(gen->pool);
    }

    gen->unused -= len;
    memcpy(out, gen->pool + gen->unused, len);

    return 0;
}


void
leadq_uuid_format(const unsigned char id[16], char out[LEADQ_UUID_LEN + 1])
{
    int                i;
    static const char  hex[] = "0123456789abcdef";

    for (i = 0; i < 16; i++) {

        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *out++ = '-';
        }

        *out++ = hex[id[i] >> 4];
        *out++ = hex[id[i] & 0xf];
    }

    *out = '\0';
}


int
leadq_uuid_parse(const char *text, size_t len, unsigned char id[16])
{
    char           c;
    size_t         i, n;
    unsigned char  digit;

    if (len != LEADQ_UUID_LEN) {
        return -1;
    }

    n = 0;

    for (i = 0; i < len; i++) {
        c = text[i];

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-') {
                return -1;
            }

            continue;
        }

        if (c >= '0' && c <= '9') {
            digit = (unsigned char) (c - '0');

        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            digit = (unsigned char) ((c | 0x20) - 'a' + 10);

        } else {
            return -1;
        }

        id[n / 2] = (unsigned char) (n % 2 ? id[n / 2] << 4 | digit : digit);
        n++;
    }

    return 0;
}
