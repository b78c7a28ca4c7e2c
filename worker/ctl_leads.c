/*
 * leadqctl leads show: all that happened to one lead, oldest first.
 * leadqctl leads resend: what its network has not acknowledged, once more.
 */

#include "ctl_command.h"
#include "ctl_db.h"
#include "ctl_error.h"
#include "ctl_table.h"

#include "leadq_uuid.h"

#include <string.h>

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
        ctl_table_print(res, 0);
        rc = 0;
    } else {
        rc = ctl_error("there is no lead %s", options->operand);
    }
    PQclear(res);
    return rc;
}

/* What SQL refuses comes as P0001 with the reason. */
static int
report_refusal(const ctl_db_t *db, const PGresult *res)
{
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

    if (state == NULL || strcmp(state, "P0001") != 0) {
        ctl_db_report(db, res);
        return -1;
    }
    return ctl_error("%s", PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY));
}

static int
resend(ctl_db_t *db, const ctl_options_t *options)
{
    const char *const values[] = {options->operand, options->second};
    PGresult *res;
    int rc = -1;

    if (ctl_db_open(db, options) == -1 || ctl_db_begin(db, 1) == -1) {
        return -1;
    }
    res = ctl_db_try(db,
                     "select network, status, result"
                     "  from leadq.resend_lead($1::uuid, $2)",
                     2, values);
    if (!ctl_db_good(res)) {
        (void)report_refusal(db, res);
    } else if (ctl_db_commit(db) == 0) {
        ctl_table_print(res, 0);
        rc = 0;
    }
    PQclear(res);
    return rc;
}

static ctl_exit_e
with_lead(const ctl_options_t *options,
          int (*fn)(ctl_db_t *db, const ctl_options_t *options))
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
    rc = fn(&db, options);
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}

ctl_exit_e
ctl_leads_show(const ctl_options_t *options)
{
    return with_lead(options, show);
}

ctl_exit_e
ctl_leads_resend(const ctl_options_t *options)
{
    return with_lead(options, resend);
}
