
/*
 * Any bytes as a file of a spool: reading comes to its end, every record that
 * is found would be written as it was read, and one more is found when one is
 * appended, whatever lies before it.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "leadq_spool.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* Returns how many records there are. */

static size_t
read_all(const char *data, size_t size)
{
    size_t                n, used, len;
    leadq_buf_t           buf;
    leadq_spool_e         what;
    leadq_spool_record_t  record;

    for (n = 0, len = 0; /* void */ ; /* void */ ) {

        what = leadq_spool_next(data, len, len == size, &record, &used);

        if (what == LEADQ_SPOOL_END) {
            return n;
        }

        if (what == LEADQ_SPOOL_MORE) {
            if (used <= len || len == size) {
                abort();
            }

            len = used < size ? used : size;
            continue;
        }

        if (used == 0 || used > len) {
            abort();
        }

        if (what == LEADQ_SPOOL_RECORD) {
            leadq_buf_init(&buf, LEADQ_SPOOL_MAX);

            if (leadq_spool_put(&buf, &record) != 0 || buf.len != used
                || memcmp(buf.data, data, used) != 0)
            {
                abort();
            }

            leadq_buf_done(&buf);
            n++;
        }

        data += used;
        size -= used;
        len -= used;
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                n;
    leadq_buf_t           buf;
    leadq_spool_record_t  record;

    n = read_all((const char *) data, size);

    memset(&record, 7, sizeof(record.id));
    record.time_ms = 0;
    record.function = "lead";
    record.function_len = 4;
    record.row = "{\"a\":1}";
    record.row_len = 7;

    leadq_buf_init(&buf, size + 1024);
    leadq_buf_put(&buf, (const char *) data, size);

    if (leadq_spool_put(&buf, &record) != 0) {
        abort();
    }

    /* or one that the fuzzer has forged: it sees what sums are compared */

    if (read_all(buf.data, buf.len) < n + 1) {
        abort();
    }

    leadq_buf_done(&buf);

    return 0;
}
