/*
 * Records of a CSV file (RFC 4180, read by libcsv), one after another, in
 * bounded memory.
 *
 * A line of the file is read, brought to UTF-8 and given to libcsv; a record
 * is over with the line that its last quote is closed on.  What breaks the
 * rules costs its first line alone: reading goes on with the next line, so
 * that a quote which nobody closed swallows no other record.
 *
 * Ends of lines are LF or CR LF; empty lines are no records.  A byte order
 * mark of UTF-8 is skipped.  Values are as they stand in the file: whether
 * they are UTF-8 is for others to check.
 */

#ifndef LEADQ_RECORDS_H
#define LEADQ_RECORDS_H

#include "buf.h"
#include "fault.h"

#include "leadq_types.h"

#include <csv.h>
#include <stdint.h>
#include <stdio.h>

#define RECORDS_MAX_FIELDS 256
#define RECORDS_MAX_LEN (64 * 1024) /* bytes of a record */
#define RECORDS_MAX_LINES 100       /* of a record */

/* "Auto": the one of , ; TAB | that the first line has most often. */
#define RECORDS_AUTO '\0'

typedef enum {
    RECORDS_ROW,   /* fields is a record */
    RECORDS_BAD,   /* a line is no record; code and detail say why */
    RECORDS_END,   /* of the file */
    RECORDS_FAILED /* it cannot be read, or no memory; errno is set */
} records_e;

typedef struct {
    /* The record or line in hand; borrowed until the next one. */
    uint64_t line; /* its first line, from 1 */
    uint64_t end;  /* the byte behind it */
    size_t n;
    leadq_str_t fields[RECORDS_MAX_FIELDS];
    leadq_str_t raw;    /* as it stands in the file */
    const char *code;   /* "bad-quote": for programs */
    const char *detail; /* English, after "the line" */

    FILE *file; /* borrowed */
    char delimiter;
    void *iconv; /* owned; NULL: values are taken as they are */
    struct csv_parser csv;
    int has_csv;
    buf_t lines;     /* read, and not over */
    size_t fed;      /* of them, to libcsv */
    size_t used;     /* of them, by the record in hand */
    unsigned n_fed;  /* lines fed */
    unsigned n_used; /* lines used */
    buf_t utf8;      /* a line, converted */
    buf_t text;      /* the values, one behind another */
    size_t lens[RECORDS_MAX_FIELDS];
    int row;       /* libcsv has seen the end of the record */
    int too_many;  /* fields */
    size_t excess; /* bytes of a line that were not kept */
} records_t;

/*
 * Reads a file from its beginning.  encoding: a name of iconv, one in which
 * ASCII is ASCII; NULL: UTF-8.  0, or -1 with the fault set; records_done() is
 * due in any case.
 */
int records_init(records_t *r, FILE *file, char delimiter,
                 const char *encoding, fault_t *fault)
    __attribute__((warn_unused_result));
void records_done(records_t *r);

records_e records_next(records_t *r) __attribute__((warn_unused_result));

/* Goes to a byte and line where a record begins; -1: errno is set. */
int records_seek(records_t *r, uint64_t at, uint64_t lines)
    __attribute__((warn_unused_result));

#endif
