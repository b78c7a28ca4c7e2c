/*
 * Any bytes as a message of the bounce mailbox: it is read without harm, a
 * failure has a class that a report may have, and what is told is JSON.
 */

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dsn.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static leadq_keys_t *keys;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char path[] = "/tmp/leadq-fuzz-XXXXXX", err[200];
    FILE *file;
    int fd;

    (void)argc;
    (void)argv;
    dsn_init();
    fd = mkstemp(path);
    file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL) {
        abort();
    }
    (void)fputs("1 000102030405060708090a0b0c0d0e0f"
                "101112131415161718191a1b1c1d1e1f\n",
                file);
    (void)fclose(file);
    keys = leadq_keys_load(path, err, sizeof(err));
    (void)unlink(path);
    if (keys == NULL) {
        abort();
    }
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_error_t error;
    json_t *json;
    char *text;
    dsn_t dsn;

    dsn_read((const char *)data, size, keys, "b@bounce.brand.ru", &dsn);
    if (dsn.kind == DSN_FAILED && dsn.class_ != CLASS_HARD
        && dsn.class_ != CLASS_SOFT && dsn.class_ != CLASS_BLOCK)
    {
        abort();
    }
    text = dsn_json(&dsn);
    json = text == NULL ? NULL : json_loads(text, 0, &error);
    if (json == NULL) {
        abort();
    }
    json_decref(json);
    free(text);
    return 0;
}
