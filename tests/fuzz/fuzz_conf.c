/*
 * Any bytes as worker.conf: a good configuration has its numbers in their
 * ranges, a bad one a reason.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];
static int fd = -1;

/*
 * May the input be read?  A key may name any file, and some (a pipe of ours)
 * would never end: only these paths are opened here.
 */
static int
is_harmless(const uint8_t *data, size_t size)
{
    static const char *const paths[] = {
        "/proc/self/fd/100\n", "/tmp\n", "/run ", "/run\n", "//", "/nowhere"};
    size_t i, n, len, skip;

    for (i = 0; i < size; i += skip) {
        skip = 1;
        if (data[i] != '/') {
            continue;
        }
        skip = 0;
        for (n = 0; n < sizeof(paths) / sizeof(paths[0]); n++) {
            len = strlen(paths[n]);
            if (size - i >= len && memcmp(data + i, paths[n], len) == 0) {
                skip = len;
            }
        }
        if (skip == 0) {
            return 0;
        }
    }
    return 1;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char keys[] = "1 000102030405060708090a0b0c0d0e0f"
                               "101112131415161718191a1b1c1d1e1f\n";
    char err[300];
    conf_t *conf;
    int key_fd;

    if (!is_harmless(data, size)) {
        return -1;
    }
    if (fd < 0) {
        key_fd = memfd_create("keys", 0);
        if (freopen("/dev/null", "r", stdin) == NULL || key_fd < 0
            || dup2(key_fd, 100) != 100
            || write(key_fd, keys, strlen(keys)) < 0)
        {
            abort(); /* the corpus says "keys = /proc/self/fd/100" */
        }
        fd = memfd_create("conf", 0);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size) {
        abort();
    }
    err[0] = '\0';
    conf = conf_load(path, err, sizeof(err));
    if (conf == NULL) {
        if (err[0] == '\0') {
            abort();
        }
        return 0;
    }
    if (conf->max_inflight < 1 || conf->max_inflight > 4096 || conf->batch < 1
        || conf->batch > 1000 || conf->lease_ms < 5000
        || conf->lease_ms > 3600000 || conf->poll_ms < 10
        || conf->shutdown_timeout_ms < 0 || conf->keys == NULL
        || conf->smtp_url == NULL || conf->database == NULL)
    {
        abort();
    }
    conf_free(conf);
    return 0;
}
