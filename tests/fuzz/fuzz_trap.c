
/*
 * Any bytes as a form with traps: only the token that we made is good, and
 * what is left are the other fields, in their order.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "leadq_form.h"
#include "leadq_trap.h"


#define NOW  INT64_C(1790000000123)


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static leadq_keys_t *
make_keys(void)
{
    int            fd;
    char           err[256], path[] = "/tmp/leadq-fuzz-XXXXXX";
    leadq_keys_t  *keys;
    static const char  text[] =
        "7 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

    fd = mkstemp(path);

    if (fd < 0 || write(fd, text, sizeof(text) - 1) < 0) {
        abort();
    }

    close(fd);
    keys = leadq_keys_load(path, err, sizeof(err));
    unlink(path);

    return keys;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                  *arena, token[LEADQ_SIGNED_LEN + 1];
    size_t                 i, k;
    leadq_pairs_t          pairs, before;
    leadq_str_t            good;
    leadq_trap_e           trap;
    static leadq_keys_t   *keys;

    static const leadq_str_t    pot = { 1, "w" };
    static const leadq_str_t    field = { 1, "t" };
    static const unsigned char  id[16] = {
        0x01, 0xa0, 0xc4, 0x4f, 0xb8, 0x7b, 0x70, 0x00,
        0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x2a
    };

    if (keys == NULL) {
        keys = make_keys();
    }

    arena = malloc(size ? size : 1);

    if (leadq_form_parse((const char *) data, size, arena, &pairs)
        != LEADQ_OK)
    {
        free(arena);
        return 0;
    }

    before = pairs;

    (void) leadq_trap_honeypot(&pairs, &pot);
    trap = leadq_trap_token(&pairs, &field, keys, NOW, 0,
                            LEADQ_FORM_TOKEN_MAX_MS, &good);

    for (i = 0, k = 0; i < before.n; i++) {

        if (before.pair[i].name.len == 1
            && (before.pair[i].name.data[0] == 'w'
                || before.pair[i].name.data[0] == 't'))
        {
            continue;
        }

        if (k == pairs.n
            || memcmp(&pairs.pair[k++], &before.pair[i],
                      sizeof(leadq_pair_t)) != 0)
        {
            abort();
        }
    }

    if (k != pairs.n) {
        abort();
    }

    leadq_trap_token_make(keys, id, token);

    if (good.len != (trap == LEADQ_TRAP_NONE ? LEADQ_SIGNED_LEN : 0)
        || (good.len && memcmp(good.data, token, good.len) != 0))
    {
        abort();
    }

    free(arena);

    return 0;
}
