/*
 * A key file for a test, read.
 */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "leadq_signed.h"

#define KEY_A \
    "000102030405060708090a0b0c0d0e0f" \
    "101112131415161718191a1b1c1d1e1f"
#define KEY_B \
    "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a" \
    "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"

static leadq_keys_t *
keys_of(const char *lines)
{
    char path[] = "/tmp/leadq-test-XXXXXX", err[200];
    leadq_keys_t *keys;
    FILE *file;
    int fd;

    fd = mkstemp(path);
    file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL) {
        return NULL;
    }
    (void)fputs(lines, file);
    (void)fclose(file);
    keys = leadq_keys_load(path, err, sizeof(err));
    (void)unlink(path);
    return keys;
}
