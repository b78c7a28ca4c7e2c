/*
 * Rows as CSV (RFC 4180, lines end with a line feed): for other programs,
 * and for spreadsheets.
 */

#ifndef LEADQ_CTL_CSV_H
#define LEADQ_CTL_CSV_H

#include <libpq-fe.h>
#include <stdio.h>

/*
 * Writes a row, -1 the names of the columns.  Null is nothing.  A text that
 * begins with "=", "+", "-" or "@" gets an apostrophe before it: whoever
 * wrote it has no formula computed on the desk of who reads it.  The stream
 * remembers errors.
 */
void ctl_csv_row(FILE *out, const PGresult *res, int row);

#endif
