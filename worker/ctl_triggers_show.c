/*
 * leadqctl triggers list, test: which triggers there are and what they did;
 * what each would do with an event.  Nothing is changed.
 */

#include "ctl_command.h"
#include "ctl_db.h"
#include "ctl_error.h"
#include "ctl_table.h"

#include "leadq_uuid.h"

#include <string.h>

static const char list_people[] =
    "select name, event, action,"
    " case when enabled then 'on' else 'off' end as state,"
    " done, planned, skipped, cancelled, dead,"
    " coalesce(to_char(last_at, 'YYYY-MM-DD HH24:MI'), '') as last"
    " from leadq.trigger_activity order by name";

static const char list_programs[] =
    "select name, event, action, enabled, done, planned, skipped, cancelled,"
    " dead, last_at from leadq.trigger_activity order by name";

#define TEST " from leadq.test_triggers($1, $2, $3::uuid, $4::jsonb)"

static const char test_people[] =
    "select trigger, verdict, action,"
    " coalesce(to_char(act_at, 'YYYY-MM-DD HH24:MI'), '') as at,"
    " coalesce(reason, '') as reason" TEST;

static const char test_programs[] =
    "select trigger, verdict, action, act_at as at, reason" TEST;

/* Prints the rows and drops them. */
static int
print(PGresult *res, int json)
{
    int rc;

    rc = !json && PQntuples(res) == 0 ? ctl_error("there are no triggers")
                                      : ctl_table_show(res, json);
    PQclear(res);
    return rc;
}

static int
list(ctl_db_t *db, const ctl_options_t *options)
{
    PGresult *res;

    if (ctl_db_open(db, options) == -1) {
        return -1;
    }
    res =
        ctl_db_query(db, options->json ? list_programs : list_people, 0, NULL);
    return res == NULL ? -1 : print(res, options->json);
}

ctl_exit_e
ctl_triggers_list(const ctl_options_t *options)
{
    ctl_db_t db;
    int rc;

    memset(&db, 0, sizeof(db));
    rc = list(&db, options);
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}

/* SQL's own words when the event or the person is not there. */
static void
report(const ctl_db_t *db, const PGresult *res)
{
    const char *state, *message;

    state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    if (state != NULL && message != NULL && strcmp(state, "P0001") == 0) {
        (void)ctl_error("%s", message);
    } else {
        ctl_db_report(db, res);
    }
}

static int
test(ctl_db_t *db, const ctl_options_t *options)
{
    const char *const values[] = {options->operand, options->address,
                                  options->lead, options->data};
    PGresult *res;

    if (ctl_db_open(db, options) == -1 || ctl_db_begin(db, 1) == -1) {
        return -1;
    }
    res =
        ctl_db_try(db, options->json ? test_programs : test_people, 4, values);
    if (!ctl_db_good(res)) {
        report(db, res);
        PQclear(res);
        return -1;
    }
    return print(res, options->json);
}

static int
check_options(const ctl_options_t *options)
{
    unsigned char id[16];
    json_t *data;
    int good;

    if (options->lead != NULL
        && leadq_uuid_parse(options->lead, strlen(options->lead), id) == -1)
    {
        return ctl_error("--lead \"%s\" is not the id of a lead",
                         options->lead);
    }
    if (options->data != NULL) {
        data = json_loads(options->data, 0, NULL);
        good = json_is_object(data);
        json_decref(data);
        if (!good) {
            return ctl_error("--data is not a JSON object");
        }
    }
    return 0;
}

ctl_exit_e
ctl_triggers_test(const ctl_options_t *options)
{
    ctl_db_t db;
    int rc;

    if (check_options(options) == -1) {
        return CTL_USAGE;
    }
    memset(&db, 0, sizeof(db));
    rc = test(&db, options);
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}
