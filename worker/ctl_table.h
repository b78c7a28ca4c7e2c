/*
 * What commands print of a query's result: columns for people, JSON for
 * programs.
 */

#ifndef LEADQ_CTL_TABLE_H
#define LEADQ_CTL_TABLE_H

#include <jansson.h>
#include <libpq-fe.h>

/*
 * Columns as wide as their widest value, two blanks between them, numbers to
 * the right; control characters become "?": whoever wrote a value does not
 * write to the operator's terminal.  header: the names of the columns above.
 */
void ctl_table_print(const PGresult *res, int header);

/* A row as an object: numbers, booleans and nulls as such, the rest texts.
 * Owned by the caller; NULL: no memory. */
json_t *ctl_table_row(const PGresult *res, int row)
    __attribute__((warn_unused_result));

/* All rows as an array. */
json_t *ctl_table_rows(const PGresult *res)
    __attribute__((warn_unused_result));

/* Prints a document and drops it; -1, said on standard error: not whole. */
int ctl_table_json(json_t *json) __attribute__((warn_unused_result));

/* The rows for people, or with json for programs: 0, or -1 as above. */
int ctl_table_show(const PGresult *res, int json)
    __attribute__((warn_unused_result));

#endif
