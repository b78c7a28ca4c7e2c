/*
 * What the parts of leadqctl import share: how columns become fields, and
 * what is said of lines that are refused.
 */

#ifndef LEADQ_CTL_IMPORT_H
#define LEADQ_CTL_IMPORT_H

#include "ctl_command.h"
#include "records.h"

#include "leadq_shape.h"
#include "leadq_uuid.h"

#include <jansson.h>

/* --- columns to fields --------------------------------------------------- */

typedef struct {
    leadq_field_t fields[LEADQ_FIELDS_MAX];
    leadq_shape_t shape;
    int columns[LEADQ_FIELDS_MAX]; /* of each field; -1: none */
    char *map;                     /* owned, as the next one */
    char *set;
    leadq_str_t values[LEADQ_FIELDS_MAX]; /* of --set; data NULL: none */
    int letters;                          /* each line needs an e-mail */
    const char *source;                   /* borrowed */
} ctl_import_map_t;

/*
 * Reads --map and --set and finds the columns of a header.  letters: the
 * source writes to its leads.  -1 once the mistake is printed.
 */
int ctl_import_map_init(ctl_import_map_t *map, const records_t *header,
                        const ctl_options_t *options, int letters)
    __attribute__((warn_unused_result));
void ctl_import_map_done(ctl_import_map_t *map);

/*
 * Checks a record as the web tier would.  row is its request, unless there
 * are errors.  -1: no memory.
 */
int ctl_import_map_check(const ctl_import_map_t *map, const records_t *record,
                         leadq_errors_t *errors, buf_t *row)
    __attribute__((warn_unused_result));

/*
 * The id of an imported lead, of its source, click id and address: the same
 * however often it is imported.  -1: no memory.
 */
int ctl_import_map_id(const ctl_import_map_t *map, const char *salt,
                      const buf_t *row, char id[LEADQ_UUID_LEN + 1])
    __attribute__((warn_unused_result));

/* --- lines that are refused ---------------------------------------------- */

typedef struct {
    const char *path;    /* of the file that is imported; borrowed */
    FILE *file;          /* owned; NULL: none is wanted */
    json_t *counts;      /* owned; of the batch, by field and code */
    unsigned long lines; /* refused in this run */
    int shown;           /* the first ones are told on standard error */
} ctl_import_report_t;

/* again: the import goes on, and the file of refused lines with it. */
int ctl_import_report_init(ctl_import_report_t *report,
                           const ctl_options_t *options,
                           const records_t *header, int again)
    __attribute__((warn_unused_result));
void ctl_import_report_done(ctl_import_report_t *report);

/* A line that is no record, or a record with errors.  -1: not written. */
int ctl_import_report_add(ctl_import_report_t *report, const records_t *record,
                          const leadq_errors_t *errors)
    __attribute__((warn_unused_result));

/* All that was refused is in the file. */
int ctl_import_report_flush(ctl_import_report_t *report)
    __attribute__((warn_unused_result));

#endif
