/*
 * Records of CSV files: what is one, what is none, and where each one ends.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "records.h"

typedef struct {
    FILE *file;
    records_t r;
} reader_t;

static void
open_text(reader_t *reader, const char *text, size_t len, char delimiter,
          const char *encoding)
{
    fault_t fault;

    reader->file = tmpfile();
    assert_non_null(reader->file);
    assert_int_equal(fwrite(text, 1, len, reader->file), len);
    rewind(reader->file);
    if (records_init(&reader->r, reader->file, delimiter, encoding, &fault)
        == -1)
    {
        fail_msg("%s", fault.text);
    }
}

static void
close_text(reader_t *reader)
{
    records_done(&reader->r);
    (void)fclose(reader->file);
}

/* "line [a|b]" for a record, "line code" for what is none. */
static void
describe(const records_t *r, records_e what, buf_t *out)
{
    size_t i;

    if (what == RECORDS_BAD) {
        buf_addf(out, "%d %s\n", (int)r->line, r->code);
        return;
    }
    buf_addf(out, "%d [", (int)r->line);
    for (i = 0; i < r->n; i++) {
        buf_add_str(out, i == 0 ? "" : "|");
        buf_add(out, r->fields[i].data, r->fields[i].len);
    }
    buf_add_str(out, "]\n");
}

static void
read_all(reader_t *reader, buf_t *out)
{
    records_e what;

    while ((what = records_next(&reader->r)) != RECORDS_END) {
        assert_int_not_equal(what, RECORDS_FAILED);
        describe(&reader->r, what, out);
    }
}

static void
check(const char *text, const char *expected)
{
    reader_t reader;
    buf_t out;

    buf_init(&out, 1 << 20);
    open_text(&reader, text, strlen(text), RECORDS_AUTO, NULL);
    read_all(&reader, &out);
    assert_string_equal(buf_str(&out), expected);
    assert_int_equal(reader.r.end, strlen(text));
    close_text(&reader);
    buf_done(&out);
}

static void
plain(void **state)
{
    (void)state;
    check("", "");
    check("\n\r\n\n", "");
    check("a,b\n", "1 [a|b]\n");
    check("a,b", "1 [a|b]\n");
    check("a,b\r\nc,d\r\n", "1 [a|b]\n2 [c|d]\n");
    check("a,b\n\n\nc,\n,\n", "1 [a|b]\n4 [c|]\n5 [|]\n");
    check(" a , b\n", "1 [ a | b]\n");
    check("\xef\xbb\xbf"
          "a,b\nc,d",
          "1 [a|b]\n2 [c|d]\n");
}

static void
quotes(void **state)
{
    (void)state;
    check("\"a,b\",\"c\"\"d\"\n", "1 [a,b|c\"d]\n");
    check("\"a\nb\n\nc\",d\ne,f\n", "1 [a\nb\n\nc|d]\n5 [e|f]\n");
    check("\"a\r\nb\",d", "1 [a\nb|d]\n");
    check("\"\",x\n", "1 [|x]\n");
}

/* What is broken costs its first line alone. */
static void
broken(void **state)
{
    (void)state;
    check("a\"b,c\nd,e\n", "1 bad-quote\n2 [d|e]\n");
    check("\"a\"b,c\nd,e\n", "1 bad-quote\n2 [d|e]\n");
    check("x,\"a\nb,c\nd,e\n", "1 bad-quote\n2 [b|c]\n3 [d|e]\n");
    check("a,b\n\"c\n", "1 [a|b]\n2 bad-quote\n");
    check("a,b\n\"c", "1 [a|b]\n2 bad-quote\n");
    check("\"a,\n\"b,\n\"c,\"\n", "1 bad-quote\n2 bad-quote\n3 [c,]\n");
}

static void
delimiters(void **state)
{
    reader_t reader;
    buf_t out;

    (void)state;
    check("a;b;c,d\n1,5;2;3\n", "1 [a|b|c,d]\n2 [1,5|2|3]\n");
    check("a\tb\n", "1 [a|b]\n");
    check("a|b\n", "1 [a|b]\n");
    check("\"a;b;c;d\",e\n", "1 [a;b;c;d|e]\n");
    check("email\na;b\n", "1 [email]\n2 [a;b]\n");

    buf_init(&out, 1 << 20);
    open_text(&reader, "a,b;c\n", 6, ';', NULL);
    read_all(&reader, &out);
    assert_string_equal(buf_str(&out), "1 [a,b|c]\n");
    close_text(&reader);
    buf_done(&out);
}

static void
encodings(void **state)
{
    static const char *const refused[] = {"UTF-16", "UTF-16LE", "KLINGON",
                                          "IBM1047"};
    static const char text[] = "a;\xc0\xed\xed\xe0\n"; /* windows-1251 */
    reader_t reader;
    fault_t fault;
    buf_t out;
    size_t i;

    (void)state;
    buf_init(&out, 1 << 20);
    open_text(&reader, text, strlen(text), RECORDS_AUTO, "WINDOWS-1251");
    read_all(&reader, &out);
    assert_string_equal(buf_str(&out), "1 [a|Анна]\n");
    close_text(&reader);

    buf_reset(&out);
    open_text(&reader, "a\n\xff\nb\n", 6, RECORDS_AUTO, "UTF-8");
    read_all(&reader, &out);
    assert_string_equal(buf_str(&out), "1 [a]\n2 bad-encoding\n3 [b]\n");
    close_text(&reader);
    buf_done(&out);

    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        reader.file = tmpfile();
        assert_non_null(reader.file);
        assert_int_equal(records_init(&reader.r, reader.file, RECORDS_AUTO,
                                      refused[i], &fault),
                         -1);
        close_text(&reader);
    }
    reader.file = tmpfile();
    assert_non_null(reader.file);
    assert_int_equal(fwrite("\xff\xfe"
                            "a\0",
                            1, 4, reader.file),
                     4);
    rewind(reader.file);
    assert_int_equal(
        records_init(&reader.r, reader.file, RECORDS_AUTO, NULL, &fault), -1);
    assert_string_equal(fault.text,
                        "is UTF-16: bring it to UTF-8 with iconv(1)");
    close_text(&reader);
}

/* A text of n times a piece. */
static void
repeat(buf_t *text, const char *piece, int n)
{
    int i;

    for (i = 0; i < n; i++) {
        buf_add_str(text, piece);
    }
}

static void
bounds(void **state)
{
    buf_t text;

    (void)state;
    buf_init(&text, 1 << 20);
    repeat(&text, "x", 200000);
    buf_add_str(&text, "\na,b\n");
    check(buf_str(&text), "1 too-long\n2 [a|b]\n");

    buf_reset(&text);
    buf_add_str(&text, "\"a\n");
    repeat(&text, "y", 100000);
    buf_add_str(&text, "\nc\n");
    check(buf_str(&text), "1 bad-quote\n2 too-long\n3 [c]\n");

    buf_reset(&text);
    repeat(&text, ",", RECORDS_MAX_FIELDS);
    buf_add_str(&text, "\na\n");
    check(buf_str(&text), "1 too-many-columns\n2 [a]\n");

    /* the lines behind a quote that is never closed are read for themselves */
    buf_reset(&text);
    buf_add_str(&text, "\"");
    repeat(&text, "\n", RECORDS_MAX_LINES + 5);
    buf_add_str(&text, "b\n");
    check(buf_str(&text), "1 bad-quote\n106 [b]\n");
    buf_done(&text);
}

static void
bytes(void **state)
{
    reader_t reader;

    (void)state;
    open_text(&reader, "a\0b,c\n", 6, RECORDS_AUTO, NULL);
    assert_int_equal(records_next(&reader.r), RECORDS_ROW);
    assert_int_equal(reader.r.n, 2);
    assert_int_equal(reader.r.fields[0].len, 3);
    close_text(&reader);
}

/* From behind a record the next one follows, on its line. */
static void
places(void **state)
{
    static const char text[] = "a,b\n\n\"c\nd\",e\n\"bad\nf,g\n";
    static const struct {
        uint64_t end, lines;
        const char *rest;
    } cases[] = {
        {4, 1, "3 [c\nd|e]\n5 bad-quote\n6 [f|g]\n"},
        {13, 4, "5 bad-quote\n6 [f|g]\n"},
        {18, 5, "6 [f|g]\n"},
        {22, 6, ""},
    };
    reader_t reader;
    buf_t out;
    size_t i;

    (void)state;
    buf_init(&out, 1 << 16);
    open_text(&reader, text, strlen(text), RECORDS_AUTO, NULL);
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_not_equal(records_next(&reader.r), RECORDS_END);
        assert_int_equal(reader.r.end, cases[i].end);
        assert_int_equal(reader.r.line + reader.r.n_used - 1, cases[i].lines);
    }
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        buf_reset(&out);
        assert_int_equal(
            records_seek(&reader.r, cases[i].end, cases[i].lines), 0);
        read_all(&reader, &out);
        assert_string_equal(buf_str(&out), cases[i].rest);
    }
    close_text(&reader);
    buf_done(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),  cmocka_unit_test(quotes),
        cmocka_unit_test(broken), cmocka_unit_test(delimiters),
        cmocka_unit_test(bounds), cmocka_unit_test(encodings),
        cmocka_unit_test(bytes),  cmocka_unit_test(places),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
