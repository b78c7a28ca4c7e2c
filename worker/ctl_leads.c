/*
 * leadqctl leads show: all that happened to one lead, oldest first.
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
