
/*
 * Any bytes as a token: nothing but the one token that we made is accepted.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "leadq_signed.h"


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
    char                  token[LEADQ_SIGNED_LEN + 1];
    leadq_signed_e        rc;
    unsigned char         subject[16];
    static leadq_keys_t  *keys;

    static const unsigned char  known[16] = {
        0x01, 0x92, 0x3a, 0x4b, 0x5c, 0x6d, 0x70, 0x00,
        0x80, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x2a
    };

    if (keys == NULL) {
        keys = make_keys();
    }

    leadq_signed_make(keys, "confirm", known, 1790000000, token);

    rc = leadq_signed_read(keys, "confirm", (const char *) data, size,
                           1700000000, subject);

    if (rc == LEADQ_SIGNED_OK
        && (size != LEADQ_SIGNED_LEN || memcmp(data, token, size) != 0))
    {
        abort();
    }

    return 0;
}
