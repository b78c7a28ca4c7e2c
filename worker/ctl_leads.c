/*
 * leadqctl leads show: all that happened to one lead, oldest first.
 */

#include "ctl_command.h"
#include "ctl_db.h"
#include "ctl_error.h"

#include "leadq_uuid.h"

#include <stdio.h>
#include <string.h>

enum { COLUMN_AT, COLUMN_WHAT, COLUMN_DETAIL, COLUMNS };

/* Characters, not bytes: a byte 10xxxxxx continues one. */
static int
width_of(const char *text)
{
    int width;

    for (width = 0; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return width;
}

/* Whoever wrote a lead does not write to the operator's terminal. */
static void
print_clean(const char *text)
{
    for (; *text != '\0'; text++) {
        (void)putchar((unsigned char)*text < ' ' || *text == '\177' ? '?'
                                                                    : *text);
    }
}

static void
print_cell(const char *text, int width)
{
    print_clean(text);
    (void)printf("%*s", width - width_of(text) + 2, "");
}

static void
print_row(const PGresult *res, int row, const int *widths)
{
    const char *detail = PQgetvalue(res, row, COLUMN_DETAIL);

    print_cell(PQgetvalue(res, row, COLUMN_AT), widths[COLUMN_AT]);
    if (detail[0] == '\0') {
        print_clean(PQgetvalue(res, row, COLUMN_WHAT));
    } else {
        print_cell(PQgetvalue(res, row, COLUMN_WHAT), widths[COLUMN_WHAT]);
        print_clean(detail);
    }
    (void)putchar('\n');
}

static void
print_story(const PGresult *res)
{
    int i, n, width, widths[COLUMNS];

    n = PQntuples(res);
    memset(widths, 0, sizeof(widths));
    for (i = 0; i < n * COLUMNS; i++) {
        width = width_of(PQgetvalue(res, i / COLUMNS, i % COLUMNS));
        if (width > widths[i % COLUMNS]) {
            widths[i % COLUMNS] = width;
        }
    }
    for (i = 0; i < n; i++) {
        print_row(res, i, widths);
    }
}

static int
show(ctl_db_t *db, const ctl_options_t *options)
{
    const char *const values[] = {options->operand};
    PGresult *res;
    int rc;

    if (ctl_db_open(db, options) == -1) {
        return -1;
    }
    res = ctl_db_query(db,
                       "select to_char(at, 'YYYY-MM-DD HH24:MI:SS.MSOF'),"
                       "       what, detail"
                       "  from leadq.lead_story"
                       " where lead_id = $1::uuid"
                       " order by at, what",
                       1, values);
    if (res == NULL) {
        return -1;
    }
    if (PQntuples(res) > 0) {
        print_story(res);
        rc = 0;
    } else {
        rc = ctl_error("there is no lead %s", options->operand);
    }
    PQclear(res);
    return rc;
}

ctl_exit_e
ctl_leads_show(const ctl_options_t *options)
{
    unsigned char id[16];
    ctl_db_t db;
    int rc;

    if (leadq_uuid_parse(options->operand, strlen(options->operand), id) == -1)
    {
        (void)ctl_error("\"%s\" is not the id of a lead", options->operand);
        return CTL_USAGE;
    }
    memset(&db, 0, sizeof(db));
    rc = show(&db, options);
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}
