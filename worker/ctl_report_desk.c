/*
 * leadqctl report desk, visits, flags, redemptions, codes: what happened at
 * points, as CSV, all of it.
 *
 * The server writes the lines (COPY), so a table of millions takes no memory
 * here.  What people type at tills is no formula for a spreadsheet: it gets
 * an apostrophe when it begins like one.
 */

#include "ctl_command.h"
#include "ctl_db.h"
#include "ctl_error.h"

#include <stdio.h>
#include <string.h>

#define N_VALUES 2

/* A text that somebody typed, as it may stand in a cell. */
#define TYPED(column) \
    "regexp_replace(" column ", '^([=+@-])', '''\\1') as " column

#define DAYS " where day between %L::date and %L::date order by day"

#define DESK "select * from leadq.desk_report" DAYS ", point, advisor"
#define VISITS "select * from leadq.visit_list" DAYS
#define FLAGS \
    "select * from leadq.visit_flag_list" DAYS ", advisor, visit_id, rule"
#define REDEMPTIONS                                                         \
    "select redemption_id, day, point, advisor, programme, code_id,"        \
    " state, created_at, redeemed_at, closed_at, chain, uses_left, " TYPED( \
        "receipt") ", " TYPED("reason") ", rewarded"                        \
                                        " from leadq.redemption_list" DAYS  \
                                        ", created_at"
#define CODES "select * from leadq.code_list" DAYS ", code_id"

/* The copy of a query over some days; by the server, which knows quoting. */
#define STATEMENT(query)                                                   \
    "select format($c$copy (" query ") to stdout (format csv, header)$c$," \
    " coalesce(d.since, '-infinity'), coalesce(d.until, 'infinity'))"      \
    " from (select $1::date, $2::date) d (since, until)"

static int export(ctl_db_t *db, const char *sql, const ctl_options_t *options)
{
    const char *const values[N_VALUES] = {options->since, options->until};
    PGresult *res;
    int rc;

    if (ctl_db_open(db, options) == -1) {
        return -1;
    }
    res = ctl_db_query(db, sql, N_VALUES, values);
    if (res == NULL) {
        return -1;
    }
    rc = ctl_db_copy(db, PQgetvalue(res, 0, 0), stdout);
    PQclear(res);
    return rc;
}

static ctl_exit_e
report(const char *sql, const ctl_options_t *options)
{
    ctl_db_t db;
    int rc;

    memset(&db, 0, sizeof(db));
    rc = export(&db, sql, options);
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}

ctl_exit_e
ctl_report_desk(const ctl_options_t *options)
{
    return report(STATEMENT(DESK), options);
}

ctl_exit_e
ctl_report_visits(const ctl_options_t *options)
{
    return report(STATEMENT(VISITS), options);
}

ctl_exit_e
ctl_report_flags(const ctl_options_t *options)
{
    return report(STATEMENT(FLAGS), options);
}

ctl_exit_e
ctl_report_redemptions(const ctl_options_t *options)
{
    return report(STATEMENT(REDEMPTIONS), options);
}

ctl_exit_e
ctl_report_codes(const ctl_options_t *options)
{
    return report(STATEMENT(CODES), options);
}
