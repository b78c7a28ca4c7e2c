/*
 * leadqctl rewards list, approve, issue, cancel: the gifts that owners of
 * codes have earned.
 */

#include "ctl_command.h"
#include "ctl_db.h"
#include "ctl_error.h"
#include "ctl_number.h"
#include "ctl_table.h"

#include <stdio.h>
#include <string.h>

static int
is_state(const char *state)
{
    static const char *const names[] = {"pending", "approved", "issued",
                                        "cancelled", "clawed_back"};
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], state) == 0) {
            return 1;
        }
    }
    (void)ctl_error("--state \"%s\" is not pending, approved, issued,"
                    " cancelled or clawed_back",
                    state);
    return 0;
}

static int
list(ctl_db_t *db, const ctl_options_t *options)
{
    const char *const values[] = {options->state};
    PGresult *res;
    int rc;

    if (ctl_db_open(db, options) == -1 || ctl_db_begin(db, 1) == -1) {
        return -1;
    }
    res = ctl_db_query(db,
                       "select reward, programme, code, phone, state, flags,"
                       " to_char(earned_at, 'YYYY-MM-DD HH24:MI') as earned,"
                       " to_char(due_at, 'YYYY-MM-DD HH24:MI') as held_until"
                       " from leadq.rewards($1)",
                       1, values);
    if (res == NULL) {
        return -1;
    }
    rc = ctl_table_show(res, options->json);
    PQclear(res);
    return rc;
}

ctl_exit_e
ctl_rewards_list(const ctl_options_t *options)
{
    ctl_db_t db = {0};
    int rc;

    if (options->state != NULL && !is_state(options->state)) {
        return CTL_USAGE;
    }
    rc = list(&db, options);
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}

static int
set(ctl_db_t *db, const ctl_options_t *options, const char *state)
{
    const char *const values[] = {options->operand, state};
    PGresult *res;

    if (ctl_db_open(db, options) == -1 || ctl_db_begin(db, 0) == -1) {
        return -1;
    }
    res =
        ctl_db_query(db, "select leadq.reward_set($1::bigint, $2)", 2, values);
    if (res == NULL || ctl_db_commit(db) == -1) {
        PQclear(res);
        return -1;
    }
    (void)printf("gift %s: was %s, is %s\n", options->operand,
                 PQgetvalue(res, 0, 0), state);
    PQclear(res);
    return 0;
}

static ctl_exit_e
become(const ctl_options_t *options, const char *state)
{
    ctl_db_t db = {0};
    int rc;

    if (!ctl_number_ok(options->operand)) {
        (void)ctl_error("\"%s\" is not the number of a gift",
                        options->operand);
        return CTL_USAGE;
    }
    rc = set(&db, options, state);
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}

ctl_exit_e
ctl_rewards_approve(const ctl_options_t *options)
{
    return become(options, "approved");
}

ctl_exit_e
ctl_rewards_issue(const ctl_options_t *options)
{
    return become(options, "issued");
}

ctl_exit_e
ctl_rewards_cancel(const ctl_options_t *options)
{
    return become(options, "cancelled");
}
