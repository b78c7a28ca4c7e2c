
/*
 * Files of a spool: what one process writes another reads, in order and
 * whole, and nobody reads what is being written.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "leadq_journal.h"


static char             dir[] = "/tmp/leadq-journal-XXXXXX";
static leadq_journal_t  journal = { dir, "main", 65536 };
static leadq_reader_t   reader;


static int
run(const char *command)
{
    char  line[256];

    snprintf(line, sizeof(line), "cd %s && %s", dir, command);

    return system(line);
}


static int
start(void **state)
{
    (void) state;

    memcpy(dir + sizeof(dir) - 7, "XXXXXX", 6);

    if (mkdtemp(dir) == NULL) {
        return -1;
    }

    leadq_reader_init(&reader, &journal);

    return 0;
}


static int
end(void **state)
{
    char  line[64];

    (void) state;

    leadq_reader_close(&reader);
    snprintf(line, sizeof(line), "rm -r %s", dir);

    return system(line);
}


/* Appends rows named from..to of the function. */

static int
append(leadq_writer_t *writer, const char *function, int from, int to)
{
    int                   rc;
    char                  row[16];
    leadq_buf_t           buf;
    leadq_spool_record_t  record;

    leadq_buf_init(&buf, 65536);
    memset(&record, 0, sizeof(record));

    for ( /* void */ ; from <= to; from++) {
        record.function = function;
        record.function_len = strlen(function);
        record.row = row;
        record.row_len = (size_t) snprintf(row, sizeof(row), "%d", from);
        assert_int_equal(leadq_spool_put(&buf, &record), 0);
    }

    rc = leadq_writer_append(writer, 1000, buf.data, buf.len);
    leadq_buf_done(&buf);

    return rc;
}


/* All rows from now on: "lead 1 2, vote 3"; advances. */

static const char *
all(size_t rows)
{
    int          len, rc;
    size_t       i;
    static char  text[4096];

    text[0] = '\0';
    len = 0;

    while ((rc = leadq_reader_next(&reader, rows, 1000000)) == 1) {
        assert_true(reader.n > 0 && reader.n <= rows);

        len += snprintf(text + len, sizeof(text) - (size_t) len, "%s%.*s",
                        len ? ", " : "", (int) reader.record[0].function_len,
                        reader.record[0].function);

        for (i = 0; i < reader.n; i++) {
            len += snprintf(text + len, sizeof(text) - (size_t) len, " %.*s",
                            (int) reader.record[i].row_len,
                            reader.record[i].row);
        }

        leadq_reader_advance(&reader);
    }

    assert_int_equal(rc, 0);

    return text;
}


static void
rows_come_back_in_order_and_their_file_goes(void **state)
{
    leadq_writer_t  writer;

    (void) state;

    leadq_writer_init(&writer, &journal);

    assert_int_equal(append(&writer, "lead", 1, 3), 0);
    assert_int_equal(append(&writer, "vote", 4, 4), 0);
    assert_int_equal(append(&writer, "lead", 5, 9), 0);
    leadq_writer_close(&writer);
    assert_int_equal(append(&writer, "lead", 10, 11), 0);
    leadq_writer_close(&writer);

    assert_string_equal(all(4), "lead 1 2 3, vote 4, lead 5 6 7 8, lead 9, "
                                "lead 10 11");
    assert_int_equal(run("! ls *.spool *.damaged 2> /dev/null"), 0);
}


static void
what_is_not_dealt_with_comes_again(void **state)
{
    leadq_writer_t  writer;

    (void) state;

    leadq_writer_init(&writer, &journal);
    assert_int_equal(append(&writer, "lead", 1, 4), 0);
    leadq_writer_close(&writer);

    assert_int_equal(leadq_reader_next(&reader, 2, 1000), 1);
    assert_int_equal(leadq_reader_next(&reader, 2, 1000), 1);
    assert_int_equal(reader.record[0].row[0], '1');
    leadq_reader_advance(&reader);
    assert_int_equal(leadq_reader_next(&reader, 2, 1000), 1);
    assert_int_equal(reader.record[0].row[0], '3');

    /* a reader that ends without a word leaves everything */

    leadq_reader_close(&reader);
    assert_string_equal(all(100), "lead 1 2 3 4");
}


static void
a_file_being_written_is_left_alone(void **state)
{
    leadq_writer_t  writer, other;

    (void) state;

    leadq_writer_init(&writer, &journal);
    leadq_writer_init(&other, &journal);

    assert_int_equal(append(&writer, "lead", 1, 2), 0);
    assert_int_equal(append(&other, "lead", 3, 4), 0);
    assert_string_equal(all(100), "");

    leadq_writer_close(&other);
    assert_string_equal(all(100), "lead 3 4");

    assert_int_equal(append(&writer, "lead", 5, 5), 0);
    leadq_writer_close(&writer);
    assert_string_equal(all(100), "lead 1 2 5");
}


static void
one_reader_at_a_time(void **state)
{
    leadq_reader_t  *second;
    leadq_writer_t   writer;

    (void) state;

    second = malloc(sizeof(leadq_reader_t));
    assert_non_null(second);
    leadq_reader_init(second, &journal);
    leadq_writer_init(&writer, &journal);

    assert_int_equal(append(&writer, "lead", 1, 2), 0);
    leadq_writer_close(&writer);
    assert_int_equal(append(&writer, "lead", 3, 4), 0);
    leadq_writer_close(&writer);

    assert_int_equal(leadq_reader_next(&reader, 100, 1000), 1);
    assert_int_equal(leadq_reader_next(second, 100, 1000), 0);
    leadq_reader_close(&reader);
    assert_int_equal(leadq_reader_next(second, 100, 1000), 1);

    leadq_reader_close(second);
    free(second);
}


static void
a_torn_tail_is_passed_over_and_kept(void **state)
{
    leadq_writer_t  writer;

    (void) state;

    leadq_writer_init(&writer, &journal);
    assert_int_equal(append(&writer, "lead", 1, 3), 0);
    leadq_writer_close(&writer);
    assert_int_equal(append(&writer, "lead", 4, 5), 0);
    leadq_writer_close(&writer);

    assert_int_equal(run("truncate -s -5 $(ls *.spool | head -n 1)"), 0);
    assert_string_equal(all(100), "lead 1 2, lead 4 5");
    assert_int_equal(run("test $(ls *.damaged | wc -l) = 1"), 0);
    assert_true(reader.spoilt > 0);
}


static void
the_size_is_a_limit_for_all_files(void **state)
{
    int             n;
    leadq_writer_t  writer;

    (void) state;

    leadq_writer_init(&writer, &journal);

    for (n = 0; append(&writer, "lead", 1, 10) == 0; n++) {
        assert_true(n < 1000);
    }

    assert_int_equal(errno, ENOSPC);
    assert_true(n > 80 && n < 120);
    assert_int_equal(run("test $(du -cb main.* | tail -n 1 | cut -f 1) "
                         "-le 65536"), 0);

    leadq_writer_close(&writer);

    while (leadq_reader_next(&reader, 100, 1000) == 1) {
        n -= (int) reader.n / 10;
        leadq_reader_advance(&reader);
    }

    assert_int_equal(n, 0);
    assert_int_equal(append(&writer, "lead", 1, 10), 0);
    leadq_writer_close(&writer);
}


static void
refused_rows_are_kept_and_can_be_given_back(void **state)
{
    leadq_buf_t           buf;
    leadq_writer_t        writer;
    leadq_spool_record_t  record;

    (void) state;

    leadq_writer_init(&writer, &journal);
    assert_int_equal(append(&writer, "lead", 1, 1), 0);
    leadq_writer_close(&writer);

    assert_int_equal(leadq_reader_next(&reader, 100, 1000), 1);
    record = reader.record[0];
    leadq_buf_init(&buf, 1000);
    assert_int_equal(leadq_spool_put(&buf, &record), 0);
    assert_int_equal(leadq_reader_refuse(&reader, buf.data, buf.len), 0);
    leadq_buf_done(&buf);
    leadq_reader_advance(&reader);

    assert_string_equal(all(100), "");
    assert_int_equal(run("mv main.refused main.refused.spool"), 0);
    assert_string_equal(all(100), "lead 1");
}


static void
other_names_are_not_ours(void **state)
{
    (void) state;

    assert_int_equal(run("echo x > main2.1.spool; echo x > main.txt; "
                         "echo x > other.1.spool"), 0);
    assert_string_equal(all(100), "");
    assert_int_equal(run("test -e main2.1.spool && test -e other.1.spool"),
                     0);
}


static void
a_missing_directory_is_an_error(void **state)
{
    leadq_writer_t   writer;
    leadq_journal_t  nowhere = { "/nonexistent/leadq", "main", 65536 };

    (void) state;

    leadq_writer_init(&writer, &nowhere);
    assert_int_equal(append(&writer, "lead", 1, 1), -1);
    assert_int_equal(errno, ENOENT);

    reader.journal = &nowhere;
    assert_int_equal(leadq_reader_next(&reader, 1, 1), -1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(
            rows_come_back_in_order_and_their_file_goes, start, end),
        cmocka_unit_test_setup_teardown(
            what_is_not_dealt_with_comes_again, start, end),
        cmocka_unit_test_setup_teardown(
            a_file_being_written_is_left_alone, start, end),
        cmocka_unit_test_setup_teardown(one_reader_at_a_time, start, end),
        cmocka_unit_test_setup_teardown(
            a_torn_tail_is_passed_over_and_kept, start, end),
        cmocka_unit_test_setup_teardown(
            the_size_is_a_limit_for_all_files, start, end),
        cmocka_unit_test_setup_teardown(
            refused_rows_are_kept_and_can_be_given_back, start, end),
        cmocka_unit_test_setup_teardown(other_names_are_not_ours, start, end),
        cmocka_unit_test_setup_teardown(
            a_missing_directory_is_an_error, start, end),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
