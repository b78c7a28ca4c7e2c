/*
 * Any bytes as a CSV file: reading comes to an end, no byte of the file is
 * lost or handed out twice, and who goes on from behind a record finds the
 * next one.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "records.h"

#define MAX_RECORDS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    uint64_t line;
    uint64_t end;
    uint64_t next; /* the lines before the next one */
    uint64_t n;
    uint64_t what; /* all of a size: compared as bytes */
} seen_t;

static void
need(int condition)
{
    if (!condition) {
        abort();
    }
}

static uint64_t
count_lines(const records_t *r)
{
    uint64_t n;
    size_t i;

    n = 0;
    for (i = 0; i < r->raw.len; i++) {
        n += r->raw.data[i] == '\n';
    }
    return n == 0 ? 1 : n; /* too long, or the last one */
}

static size_t
read_all(records_t *r, const uint8_t *data, size_t size, seen_t *seen)
{
    records_e what;
    uint64_t end;
    size_t i, n;

    end = r->end;
    for (n = 0; (what = records_next(r)) != RECORDS_END; n++) {
        need(what == RECORDS_ROW || what == RECORDS_BAD);
        need(r->end > end && r->end <= size);
        need(what == RECORDS_ROW ? r->n > 0 : r->n == 0 && r->code != NULL);
        need(r->raw.len <= r->end - end);
        if (what == RECORDS_ROW) {
            need(memcmp(data + r->end - r->raw.len, r->raw.data, r->raw.len)
                 == 0);
        }
        for (i = 0; i < r->n; i++) {
            need(r->fields[i].len <= r->text.len);
        }
        end = r->end;
        if (n < MAX_RECORDS) {
            seen[n] = (seen_t){r->line, r->end, r->line + count_lines(r) - 1,
                               r->n, what};
        }
    }
    return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static seen_t seen[MAX_RECORDS], again[MAX_RECORDS];
    records_t r;
    fault_t fault;
    FILE *file;
    size_t i, n;

    if (size < 2) {
        return 0;
    }
    data++;
    size--;
    file = fmemopen((void *)(uintptr_t)data, size, "r");
    need(file != NULL);
    if (records_init(&r, file, RECORDS_AUTO,
                     data[-1] & 1 ? "WINDOWS-1251" : NULL, &fault)
        == 0)
    {
        n = read_all(&r, data, size, seen);
        if (n > 1 && n <= MAX_RECORDS) {
            i = data[-1] % (n - 1);
            need(records_seek(&r, seen[i].end, seen[i].next) == 0);
            need(read_all(&r, data, size, again) == n - i - 1);
            need(memcmp(again, seen + i + 1, (n - i - 1) * sizeof(*seen))
                 == 0);
        }
    }
    records_done(&r);
    (void)fclose(file);
    return 0;
}
