
/*
 * Records of a spool: whole ones, torn ones, damaged ones and what lies
 * between them.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "leadq_spool.h"


#define ROWS  5


/* Rows "{...}" of rising length, all with the id n n n ... */

static size_t
fill(leadq_buf_t *buf, size_t ends[ROWS])
{
    int                   i;
    char                  row[256];
    leadq_spool_record_t  record;

    leadq_buf_init(buf, 65536);
    memset(row, 'x', sizeof(row));

    for (i = 0; i < ROWS; i++) {
        memset(record.id, i, sizeof(record.id));
        record.time_ms = 1700000000000ULL + (uint64_t) i;
        record.function = "lead";
        record.function_len = 4;
        record.row = row;
        record.row_len = 1 + (size_t) i * 50;

        assert_int_equal(leadq_spool_put(buf, &record), 0);
        ends[i] = buf->len;
    }

    return buf->len;
}


/* Which ids a file has, as bits. */

static unsigned
ids(const char *data, size_t len)
{
    size_t                at, used;
    unsigned              found;
    leadq_spool_e         what;
    leadq_spool_record_t  record;

    found = 0;

    for (at = 0; /* void */ ; at += used) {
        what = leadq_spool_next(data + at, len - at, 1, &record, &used);

        if (what == LEADQ_SPOOL_END) {
            return found;
        }

        assert_true(what != LEADQ_SPOOL_MORE);
        assert_true(used > 0 && used <= len - at);

        if (what == LEADQ_SPOOL_RECORD) {
            assert_memory_equal(record.function, "lead", 4);
            assert_int_equal(record.row_len, 1 + record.id[0] * 50);
            assert_int_equal(record.time_ms, 1700000000000ULL + record.id[0]);
            found |= 1U << record.id[0];
        }
    }
}


static void
what_is_put_is_read(void **state)
{
    size_t       ends[ROWS];
    leadq_buf_t  buf;

    (void) state;

    fill(&buf, ends);
    assert_int_equal(ids(buf.data, buf.len), 31);
    leadq_buf_done(&buf);
}


static void
a_tail_torn_anywhere_costs_the_last_row_only(void **state)
{
    int          i;
    size_t       len, ends[ROWS];
    unsigned     whole;
    leadq_buf_t  buf;

    (void) state;

    fill(&buf, ends);

    for (len = 0; len <= buf.len; len++) {

        for (whole = 0, i = 0; i < ROWS; i++) {
            whole |= ends[i] <= len ? 1U << i : 0;
        }

        assert_int_equal(ids(buf.data, len), whole);
    }

    leadq_buf_done(&buf);
}


static void
a_changed_byte_costs_its_own_row_only(void **state)
{
    int          i;
    size_t       at, ends[ROWS];
    leadq_buf_t  buf;

    (void) state;

    fill(&buf, ends);

    for (at = 0, i = 0; at < buf.len; at++) {

        i += at == ends[i];

        buf.data[at] ^= 0x41;
        assert_int_equal(ids(buf.data, buf.len), 31U & ~(1U << i));
        buf.data[at] ^= 0x41;
    }

    leadq_buf_done(&buf);
}


static void
rows_after_a_torn_one_are_found(void **state)
{
    size_t       cut, ends[ROWS];
    leadq_buf_t  buf, joined;

    (void) state;

    fill(&buf, ends);

    for (cut = 1; cut < ends[1] - ends[0]; cut++) {
        leadq_buf_init(&joined, 65536);
        leadq_buf_put(&joined, buf.data, ends[0] + cut);
        leadq_buf_put(&joined, buf.data + ends[1], buf.len - ends[1]);

        assert_int_equal(ids(joined.data, joined.len), 29);
        leadq_buf_done(&joined);
    }

    leadq_buf_done(&buf);
}


static void
a_piece_of_a_file_asks_for_more(void **state)
{
    size_t                len, used, ends[ROWS];
    leadq_buf_t           buf;
    leadq_spool_record_t  record;

    (void) state;

    fill(&buf, ends);

    for (len = 0; len < ends[0]; len++) {
        assert_int_equal(leadq_spool_next(buf.data, len, 0, &record, &used),
                         LEADQ_SPOOL_MORE);
        assert_true(used > len && used <= ends[0]);
    }

    leadq_buf_done(&buf);
}


static void
limits_hold(void **state)
{
    leadq_buf_t           buf;
    leadq_spool_record_t  record;

    (void) state;

    leadq_buf_init(&buf, 65536);
    memset(&record, 0, sizeof(record));
    record.function = "lead";
    record.row = "{}";

    record.function_len = 0;
    record.row_len = 2;
    assert_int_equal(leadq_spool_put(&buf, &record), -1);

    record.function_len = LEADQ_SPOOL_NAME_MAX + 1;
    assert_int_equal(leadq_spool_put(&buf, &record), -1);

    record.function_len = 4;
    record.row_len = 0;
    assert_int_equal(leadq_spool_put(&buf, &record), -1);

    record.row_len = LEADQ_SPOOL_ROW_MAX + 1;
    assert_int_equal(leadq_spool_put(&buf, &record), -1);

    assert_int_equal(buf.len, 0);
    leadq_buf_done(&buf);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(what_is_put_is_read),
        cmocka_unit_test(a_tail_torn_anywhere_costs_the_last_row_only),
        cmocka_unit_test(a_changed_byte_costs_its_own_row_only),
        cmocka_unit_test(rows_after_a_torn_one_are_found),
        cmocka_unit_test(a_piece_of_a_file_asks_for_more),
        cmocka_unit_test(limits_hold),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
