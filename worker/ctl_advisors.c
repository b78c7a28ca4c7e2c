/*
 * leadqctl advisors lift: lets an advisor go on whom a limit has stopped.
 */

#include "ctl_command.h"
#include "ctl_db.h"
#include "ctl_error.h"

#include <stdio.h>
#include <string.h>

static int
lift(ctl_db_t *db, const char *name)
{
    const char *const values[] = {name};
    PGresult *res;
    int rc = -1;

    res = ctl_db_query(db, "select leadq.lift_advisor($1)", 1, values);
    if (res == NULL) {
        return -1;
    }
    if (strcmp(PQgetvalue(res, 0, 0), "0") == 0) {
        (void)ctl_error("\"%s\" has typed no code that a limit counts", name);
    } else if (ctl_db_commit(db) == 0) {
        (void)printf("%s may go on: what was typed until now counts no"
                     " more\n",
                     name);
        rc = 0;
    }
    PQclear(res);
    return rc;
}

ctl_exit_e
ctl_advisors_lift(const ctl_options_t *options)
{
    ctl_db_t db = {0};
    int rc = -1;

    if (ctl_db_open(&db, options) == 0 && ctl_db_begin(&db, 1) == 0) {
        rc = lift(&db, options->operand);
    }
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}
