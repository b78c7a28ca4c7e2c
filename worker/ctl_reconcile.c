/*
 * leadqctl report partners: what each network was told on a day, as CSV, to
 * be compared with the network's own list.
 *
 * Rows come a thousand at a time, network by network; so does a file.
 */

#include "ctl_command.h"
#include "ctl_csv.h"
#include "ctl_db.h"
#include "ctl_error.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SOME "1000"
#define MAX_NETWORK 64

typedef struct {
    const char *dir; /* NULL: all go to standard output */
    char date[16];
    char network[MAX_NETWORK]; /* of the file that is open */
    char path[PATH_MAX];
    char part[PATH_MAX]; /* what it is called until it is whole */
    FILE *out;           /* owned, but for stdout; or NULL */
    long rows;           /* in it */
} report_t;

static const char day_query[] =
    "select coalesce($1::date, (now() at time zone 'UTC')::date - 1)::text";

static const char rows_query[] =
    "declare report no scroll cursor for"
    " select to_char(at at time zone 'UTC', 'YYYY-MM-DD') as date,"
    "        to_char(at at time zone 'UTC', 'HH24:MI:SS') as time,"
    "        network::text, source::text, offer_id::text, click_id::text,"
    "        lead_id, status::text, reason::text, payout, currency::text,"
    "        to_char(received_at at time zone 'UTC',"
    "                'YYYY-MM-DD HH24:MI:SS') as received_at,"
    "        state::text,"
    "        to_char(ended_at at time zone 'UTC',"
    "                'YYYY-MM-DD HH24:MI:SS') as ended_at"
    "   from leadq.partner_report"
    "  where at >= $1::date::timestamp at time zone 'UTC'"
    "    and at < ($1::date + 1)::timestamp at time zone 'UTC'"
    "    and network = coalesce($2, network)"
    "  order by network, at, lead_id, status <> 'processed'";

enum { COLUMN_NETWORK = 2 };

/* The file is whole: now it gets its name. */
static int
close_file(report_t *report)
{
    FILE *out = report->out;

    report->out = NULL;
    if (out == NULL) {
        return 0;
    }
    if (report->dir == NULL) {
        return fflush(out) == EOF ? ctl_error("cannot print all of it") : 0;
    }
    if (fclose(out) == EOF || rename(report->part, report->path) == -1) {
        (void)ctl_error("%s: %s", report->path, strerror(errno));
        (void)unlink(report->part);
        return -1;
    }
    (void)printf("%s: %ld rows\n", report->path, report->rows);
    return 0;
}

/* A network's name is made of letters that file names take. */
static int
open_file(report_t *report, const char *network)
{
    int len;

    (void)snprintf(report->network, sizeof(report->network), "%s", network);
    report->rows = 0;
    if (report->dir == NULL) {
        report->out = stdout;
        return 0;
    }
    len = snprintf(report->path, sizeof(report->path), "%s/%s-%s.csv",
                   report->dir, network, report->date);
    if (len < 0 || (size_t)len >= sizeof(report->path)
        || (size_t)snprintf(report->part, sizeof(report->part), "%s.part",
                            report->path)
               >= sizeof(report->part))
    {
        return ctl_error("%s: the path is too long", report->dir);
    }
    report->out = fopen(report->part, "we");
    return report->out == NULL
               ? ctl_error("%s: %s", report->part, strerror(errno))
               : 0;
}

static int
write_row(report_t *report, const PGresult *res, int row)
{
    const char *network = PQgetvalue(res, row, COLUMN_NETWORK);

    if (report->out == NULL
        || (report->dir != NULL && strcmp(report->network, network) != 0))
    {
        if (close_file(report) == -1 || open_file(report, network) == -1) {
            return -1;
        }
        ctl_csv_row(report->out, res, -1);
    }
    ctl_csv_row(report->out, res, row);
    report->rows++;
    return ferror(report->out) ? ctl_error("cannot write all of it") : 0;
}

static int
write_rows(report_t *report, ctl_db_t *db)
{
    PGresult *res;
    int row, n, rc;

    do {
        res = ctl_db_query(db, "fetch " SOME " from report", 0, NULL);
        if (res == NULL) {
            return -1;
        }
        n = PQntuples(res);
        rc = 0;
        for (row = 0; rc == 0 && row < n; row++) {
            rc = write_row(report, res, row);
        }
        PQclear(res);
    } while (rc == 0 && n > 0);
    return rc == 0 ? close_file(report) : -1;
}

static int
find_day(report_t *report, ctl_db_t *db, const char *date)
{
    const char *const values[] = {date};
    PGresult *res;

    res = ctl_db_try(db, day_query, 1, values);
    if (ctl_db_good(res)) {
        (void)snprintf(report->date, sizeof(report->date), "%s",
                       PQgetvalue(res, 0, 0));
        PQclear(res);
        return 0;
    }
    if (date == NULL || PQresultErrorField(res, PG_DIAG_SQLSTATE) == NULL
        || strncmp(PQresultErrorField(res, PG_DIAG_SQLSTATE), "22", 2) != 0)
    {
        ctl_db_report(db, res);
    } else {
        (void)ctl_error("--date \"%s\" is not a day: 2026-01-31", date);
    }
    PQclear(res);
    return -1;
}

static int
make_report(report_t *report, ctl_db_t *db, const ctl_options_t *options)
{
    const char *values[] = {report->date, options->network};

    if (ctl_db_open(db, options) == -1
        || find_day(report, db, options->date) == -1
        || ctl_db_begin(db, 0) == -1
        || ctl_db_do(db, rows_query, 2, values) == -1
        || write_rows(report, db) == -1)
    {
        return -1;
    }
    if (report->network[0] == '\0') {
        (void)fprintf(stderr, "%s%snothing was told on %s\n",
                      options->network == NULL ? "" : options->network,
                      options->network == NULL ? "" : ": ", report->date);
    }
    return 0;
}

ctl_exit_e
ctl_report_partners(const ctl_options_t *options)
{
    report_t report;
    ctl_db_t db;
    int rc;

    memset(&report, 0, sizeof(report));
    memset(&db, 0, sizeof(db));
    report.dir = options->out;
    rc = make_report(&report, &db, options);
    if (rc != 0 && report.out != NULL && report.dir != NULL) {
        (void)fclose(report.out);
        (void)unlink(report.part);
    }
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}
