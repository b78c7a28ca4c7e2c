/*
 * leadqctl jobs retry, cancel, pause, resume, paused: what SQL does to jobs
 * when an operator says so.  Each command is one transaction, as the owner.
 */

#include "ctl_command.h"
#include "ctl_db.h"
#include "ctl_error.h"
#include "ctl_number.h"
#include "ctl_table.h"

#include "array.h"

#include <stdio.h>
#include <string.h>

#define MAX_IDS (1024 * 1024) /* bytes of the array */

/* A command that jobs are named to. */
typedef struct {
    const char *name;
    const char *done;    /* the result that was asked for */
    const char *by_id;   /* $1: the ids; gives job, result */
    const char *count;   /* $1, $2: kind and target; how many match */
    const char *by_kind; /* the same; gives result, jobs */
} change_t;

#define DEAD                                               \
    " from leadq.job_dead where kind = coalesce($1, kind)" \
    " and target = coalesce($2, target)"

#define UNBEGUN                                       \
    " from leadq.job where kind = coalesce($1, kind)" \
    " and target = coalesce($2, target)"              \
    " and lane <> 'rule' and state <> 'leased'"

static const change_t retry = {
    "retry", "ready",
    "select job_id as job, result from leadq.retry_jobs($1::bigint[])",
    "select count(*)" DEAD,
    "select result, count(*) as jobs"
    " from leadq.retry_jobs(array(select job_id" DEAD ")) group by 1"
    " order by 1"};

static const change_t cancel = {
    "cancel", "cancelled",
    "select job_id as job, result from leadq.cancel_jobs($1::bigint[])",
    "select count(*)" UNBEGUN,
    "select result, count(*) as jobs"
    " from leadq.cancel_jobs(array(select job_id" UNBEGUN ")) group by 1"
    " order by 1"};

/* One call as the owner; the result, owned by the caller, or NULL. */
static PGresult *
call(ctl_db_t *db, const char *sql, int n, const char *const *values)
{
    PGresult *res;

    if (ctl_db_begin(db, 1) == -1) {
        return NULL;
    }
    res = ctl_db_query(db, sql, n, values);
    if (res != NULL && ctl_db_commit(db) == -1) {
        PQclear(res);
        return NULL;
    }
    return res;
}

/* Every row's result is the one asked for. */
static int
all_done(const PGresult *res, const change_t *change)
{
    int row, column;

    column = PQfnumber(res, "result");
    for (row = 0; row < PQntuples(res); row++) {
        if (strcmp(PQgetvalue(res, row, column), change->done) != 0) {
            return 0;
        }
    }
    return 1;
}

static ctl_exit_e
finish(const ctl_options_t *options, const change_t *change, PGresult *res)
{
    ctl_exit_e rc = CTL_FAILED;

    if (res != NULL && ctl_table_show(res, options->json) == 0
        && all_done(res, change))
    {
        rc = CTL_OK;
    }
    PQclear(res);
    return rc;
}

static ctl_exit_e
change_ids(ctl_db_t *db, const ctl_options_t *options, const change_t *change)
{
    const char *values[1];
    ctl_exit_e rc;
    buf_t ids;
    char **id;

    for (id = options->operands; *id != NULL; id++) {
        if (!ctl_number_ok(*id)) {
            (void)ctl_error("\"%s\" is not the id of a job", *id);
            return CTL_USAGE;
        }
    }
    buf_init(&ids, MAX_IDS);
    for (id = options->operands; *id != NULL; id++) {
        array_add(&ids, *id);
    }
    array_end(&ids);
    values[0] = buf_str(&ids);
    rc = CTL_FAILED;
    if (ids.failed) {
        (void)ctl_error("too many ids");
    } else if (ctl_db_open(db, options) == 0) {
        rc = finish(options, change, call(db, change->by_id, 1, values));
    }
    buf_done(&ids);
    return rc;
}

/* Without --yes: says how many it would be. */
static ctl_exit_e
count_matching(ctl_db_t *db, const change_t *change, const char *const *values)
{
    PGresult *res;

    res = ctl_db_query(db, change->count, 2, values);
    if (res == NULL) {
        return CTL_FAILED;
    }
    (void)ctl_error("%s jobs match; say --yes to %s them",
                    PQgetvalue(res, 0, 0), change->name);
    PQclear(res);
    return CTL_USAGE;
}

static ctl_exit_e
change_matching(ctl_db_t *db, const ctl_options_t *options,
                const change_t *change)
{
    const char *const values[] = {options->kind, options->target};

    if (options->kind == NULL && options->target == NULL) {
        (void)ctl_error("jobs %s needs ids, or --kind or --target",
                        change->name);
        return CTL_USAGE;
    }
    if (ctl_db_open(db, options) == -1) {
        return CTL_FAILED;
    }
    if (!options->yes) {
        return count_matching(db, change, values);
    }
    return finish(options, change, call(db, change->by_kind, 2, values));
}

static ctl_exit_e
run_change(const ctl_options_t *options, const change_t *change)
{
    ctl_db_t db = {0};
    ctl_exit_e rc;

    if (options->operands[0] == NULL) {
        rc = change_matching(&db, options, change);
    } else if (options->kind != NULL || options->target != NULL) {
        (void)ctl_error("jobs %s takes ids, or --kind and --target, not both",
                        change->name);
        rc = CTL_USAGE;
    } else {
        rc = change_ids(&db, options, change);
    }
    ctl_db_close(&db);
    return rc;
}

ctl_exit_e
ctl_jobs_retry(const ctl_options_t *options)
{
    return run_change(options, &retry);
}

ctl_exit_e
ctl_jobs_cancel(const ctl_options_t *options)
{
    return run_change(options, &cancel);
}

/* --- pauses -------------------------------------------------------------- */

/* What is in force now, after whatever the command did. */
static int
print_pauses(ctl_db_t *db, const ctl_options_t *options)
{
    PGresult *res;
    int rc;

    res = call(db,
               options->json
                   ? "select kind, target, paused_at, reason"
                     " from leadq.job_pause order by paused_at"
                   : "select coalesce(kind, 'every') as kind,"
                     " coalesce(target, 'every') as target,"
                     " to_char(paused_at, 'YYYY-MM-DD HH24:MI:SS') as since,"
                     " reason from leadq.job_pause order by paused_at",
               0, NULL);
    if (res == NULL) {
        return -1;
    }
    if (options->json || PQntuples(res) > 0) {
        rc = ctl_table_show(res, options->json);
    } else {
        (void)printf("nothing is paused\n");
        rc = 0;
    }
    PQclear(res);
    return rc;
}

/* Calls a function that counts jobs, says so, and lists the pauses. */
static int
change_pauses(ctl_db_t *db, const ctl_options_t *options, const char *sql,
              int n, const char *const *values, const char *what)
{
    PGresult *res;

    if (ctl_db_open(db, options) == -1) {
        return -1;
    }
    res = call(db, sql, n, values);
    if (res == NULL) {
        return -1;
    }
    if (!options->json) {
        (void)printf("%s: %s jobs\n\n", what, PQgetvalue(res, 0, 0));
    }
    PQclear(res);
    return print_pauses(db, options);
}

/* A pause of everything is not said by leaving something out. */
static int
names_something(const ctl_options_t *options, const char *name)
{
    if (options->kind != NULL || options->target != NULL || options->yes) {
        return 1;
    }
    (void)ctl_error("jobs %s needs --kind or --target, or --yes for every job",
                    name);
    return 0;
}

ctl_exit_e
ctl_jobs_pause(const ctl_options_t *options)
{
    const char *const values[] = {options->kind, options->target,
                                  options->reason == NULL ? "none given"
                                                          : options->reason};
    ctl_db_t db = {0};
    int rc;

    if (!names_something(options, "pause")) {
        return CTL_USAGE;
    }
    rc = change_pauses(&db, options, "select leadq.pause_jobs($1, $2, $3)", 3,
                       values, "held back now");
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}

ctl_exit_e
ctl_jobs_resume(const ctl_options_t *options)
{
    const char *const values[] = {options->kind, options->target};
    ctl_db_t db = {0};
    int rc;

    if (!names_something(options, "resume")) {
        return CTL_USAGE;
    }
    rc = change_pauses(&db, options, "select leadq.resume_jobs($1, $2)", 2,
                       values, "ready again");
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}

ctl_exit_e
ctl_jobs_paused(const ctl_options_t *options)
{
    ctl_db_t db = {0};
    int rc;

    rc = ctl_db_open(&db, options);
    if (rc == 0) {
        rc = print_pauses(&db, options);
    }
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}
