/*
 * SQL scripts as text: putting the schema's name in, and finding the line of
 * what the server complains about.  Knows no libpq.
 */

#ifndef LEADQ_CTL_SCRIPT_H
#define LEADQ_CTL_SCRIPT_H

#define CTL_SCRIPT_MAX (4 * 1024 * 1024)

/* The longest schema name; the longest role, <schema>_worker, still fits. */
#define CTL_SCRIPT_MAX_SCHEMA 31

/* Whether a schema may have this name: [a-z][a-z0-9_]{0,30}. */
int ctl_script_schema_ok(const char *schema);

/*
 * The script for a schema: every word that is "leadq" or begins with
 * "leadq_" gets the schema's name instead of "leadq".  A word is a run of
 * letters, digits, "_" and bytes beyond ASCII, whatever it stands in: names,
 * strings, comments.  A word after a single colon stays: "urn:leadq:problem"
 * is no schema, "x::leadq.type" has one.  Lines stay where they are.  Owned by
 * the caller; NULL: no memory, or a script beyond CTL_SCRIPT_MAX.
 */
char *ctl_script_rename(const char *text, const char *schema)
    __attribute__((warn_unused_result));

/* The line, from 1, of a position that counts characters from 1. */
int ctl_script_line_of(const char *text, long position);

/*
 * The line on which the statement of this index (from 0) begins, or 0 when
 * there are not so many.  Empty statements do not count.
 */
int ctl_script_statement_line(const char *text, int index);

#endif
