/*
 * leadqctl report funnel: how many letters of each source arrived, after
 * which one people confirmed, what became of the leads, what they cost.
 *
 *     columns   three tables, for people
 *     --csv     a line for each letter of each source
 *     --json    the document that the page shows
 */

#include "ctl_command.h"
#include "ctl_csv.h"
#include "ctl_db.h"
#include "ctl_error.h"
#include "ctl_table.h"

#include <stdio.h>
#include <string.h>

#define PERIOD "leadq.report_period($1::date, $2::date, $3) p, "
#define WANTED " where $4::text is null or r.source = $4 "

#define LETTERS                                       \
    "select r.* from " PERIOD                         \
    "leadq.report_letters(p.since, p.until) r" WANTED \
    "order by r.source, r.series, r.step"

#define N_VALUES 4

static const struct {
    const char *title;
    const char *sql;
} tables[] = {
    {"letters", LETTERS},
    {"leads",
     "select r.* from " PERIOD "leadq.report_leads(p.since, p.until) r" WANTED
     "order by r.source"},
    {"rejected and expired", "select r.* from " PERIOD
                             "leadq.report_reasons(p.since, p.until) r" WANTED
                             "order by r.source, r.leads desc, r.reason"},
};

#define N_TABLES (sizeof(tables) / sizeof(tables[0]))

static int
print_tables(ctl_db_t *db, const char *const *values)
{
    PGresult *res;
    size_t i;

    for (i = 0; i < N_TABLES; i++) {
        res = ctl_db_query(db, tables[i].sql, N_VALUES, values);
        if (res == NULL) {
            return -1;
        }
        (void)printf("%s%s:\n", i == 0 ? "" : "\n", tables[i].title);
        if (PQntuples(res) > 0) {
            ctl_table_print(res, 1);
        } else {
            (void)printf("none in this period\n");
        }
        PQclear(res);
    }
    return 0;
}

static int
print_csv(ctl_db_t *db, const char *const *values)
{
    PGresult *res;
    int row;

    res = ctl_db_query(db, LETTERS, N_VALUES, values);
    if (res == NULL) {
        return -1;
    }
    for (row = -1; row < PQntuples(res); row++) {
        ctl_csv_row(stdout, res, row);
    }
    PQclear(res);
    return fflush(stdout) == 0 && !ferror(stdout)
               ? 0
               : ctl_error("cannot print all of it");
}

static int
print_json(ctl_db_t *db, const char *const *values)
{
    PGresult *res;
    json_t *json;

    res = ctl_db_query(
        db,
        "select case when $4::text is null then d"
        "       else jsonb_set(d, '{sources}', jsonb_path_query_array(d,"
        "            '$.sources[*] ? (@.source == $s)',"
        "            jsonb_build_object('s', $4::text))) end"
        "  from leadq.report_funnel($1::date, $2::date, $3) d",
        N_VALUES, values);
    if (res == NULL) {
        return -1;
    }
    json = json_loads(PQgetvalue(res, 0, 0), 0, NULL);
    PQclear(res);
    return ctl_table_json(json);
}

static int
report(ctl_db_t *db, const ctl_options_t *options)
{
    const char *const values[N_VALUES] = {
        options->since, options->until,
        options->zone == NULL ? "UTC" : options->zone, options->source};

    if (ctl_db_open(db, options) == -1) {
        return -1;
    }
    if (options->json) {
        return print_json(db, values);
    }
    return options->csv ? print_csv(db, values) : print_tables(db, values);
}

ctl_exit_e
ctl_report_funnel(const ctl_options_t *options)
{
    ctl_db_t db;
    int rc;

    if (options->csv && options->json) {
        (void)ctl_error("--csv and --json exclude each other");
        return CTL_USAGE;
    }
    memset(&db, 0, sizeof(db));
    rc = report(&db, options);
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}
