/*
 * leadqctl jobs list, show, dead: what the views tell of jobs.  Ids, kinds
 * and outcomes; no address and no payload, which no view has.
 */

#include "ctl_command.h"
#include "ctl_db.h"
#include "ctl_error.h"
#include "ctl_number.h"
#include "ctl_table.h"

#include <stdio.h>
#include <string.h>

/* An age or a distance in one unit, with its sign: "-12s", "+3h". */
#define SPAN(at)                                                         \
    "(select case when s is null then ''"                                \
    " when abs(s) < 120 then to_char(s, 'FMSG9999990') || 's'"           \
    " when abs(s) < 7200 then to_char(s / 60, 'FMSG9999990') || 'm'"     \
    " when abs(s) < 172800 then to_char(s / 3600, 'FMSG9999990') || 'h'" \
    " else to_char(s / 86400, 'FMSG9999990') || 'd' end"                 \
    " from extract(epoch from (" at ") - now()) s)"

#define STAMP(at) "to_char(" at ", 'YYYY-MM-DD HH24:MI:SS')"

#define MATCHING \
    " where kind = coalesce($1, kind) and target = coalesce($2, target)"

#define LISTED                                                       \
    " from leadq.job" MATCHING                                       \
    " and lane = coalesce($3, lane) and state = coalesce($4, state)" \
    " order by coalesce(run_at, ready_at), job_id limit $5::integer"

static const char list_people[] =
    "select job_id as job, state, lane, left(kind, 10) as kind,"
    " left(target, 20) as target, attempt as try,"
    " " SPAN("coalesce(run_at, lease_until, ready_at)") " as due" LISTED;

static const char list_programs[] =
    "select job_id, state, lane, kind, target, ref, attempt, created_at,"
    " ready_at, run_at, lease_until, lease_worker" LISTED;

/* A job that is over has its last attempt's row only. */
static const char show_job[] =
    "select job_id, kind, target, lane, state, ref, attempt, created_at,"
    " ready_at, run_at, lease_until, lease_worker from ("
    "select 1 as n, job_id, kind, target, lane, state, ref, attempt,"
    " created_at, ready_at, run_at, lease_until, lease_worker, now() as at"
    " from leadq.job where job_id = $1::bigint"
    " union all "
    "select 2, job_id, kind, target,"
    " (array['rule', 'realtime', 'service', 'bulk'])[job_id % 8 + 1],"
    " outcome, ref, attempt, null, null, null, null, null, ended_at"
    " from leadq.job_attempt where job_id = $1::bigint) j"
    " order by n, at desc limit 1";

static const char show_people[] = "select attempt as try, " STAMP(
    "ended_at") " as ended, outcome, status,"
                " ms, concat_ws(' ', class, reason, code) as reason,"
                " coalesce(reply, '') as reply"
                " from leadq.job_attempt where job_id = $1::bigint"
                " order by ended_at, attempt";

static const char show_programs[] =
    "select attempt, ended_at, outcome, status, code, class, reason, ms, reply"
    " from leadq.job_attempt where job_id = $1::bigint"
    " order by ended_at, attempt";

static const char dead_reasons[] =
    "select count(*) as jobs, kind, reason from leadq.job_dead" MATCHING
    " group by kind, reason order by jobs desc, kind, reason";

#define DEAD                        \
    " from leadq.job_dead" MATCHING \
    " order by died_at desc, job_id limit $3::integer"

static const char dead_people[] =
    "select job_id as job, left(kind, 10) as kind, left(target, 20) as target,"
    " attempt as try, " SPAN("died_at") " as died, status,"
                                        " left(reason, 14) as reason" DEAD;

static const char dead_programs[] =
    "select job_id, kind, target, ref, attempt, died_at, status, reason" DEAD;

static int
is_word_of(const char *option, const char *word, const char *const *words)
{
    size_t i;

    for (i = 0; word != NULL && words[i] != NULL; i++) {
        if (strcmp(words[i], word) == 0) {
            return 1;
        }
    }
    if (word != NULL) {
        (void)ctl_error("there is no %s \"%s\"", option, word);
    }
    return word == NULL;
}

/* Prints a result for people or programs, and clears it. */
static int
print(const ctl_options_t *options, PGresult *res)
{
    int rc;

    if (res == NULL) {
        return -1;
    }
    rc = ctl_table_show(res, options->json);
    PQclear(res);
    return rc;
}

ctl_exit_e
ctl_jobs_list(const ctl_options_t *options)
{
    static const char *const lanes[] = {"rule", "realtime", "service", "bulk",
                                        NULL};
    static const char *const states[] = {"ready", "leased", "scheduled",
                                         "parked", NULL};
    const char *values[5] = {options->kind, options->target, options->lane,
                             options->state};
    ctl_db_t db = {0};
    int rc;

    values[4] = ctl_number_limit(options);
    if (values[4] == NULL || !is_word_of("lane", options->lane, lanes)
        || !is_word_of("state", options->state, states))
    {
        return CTL_USAGE;
    }
    rc = ctl_db_open(&db, options);
    if (rc == 0) {
        rc = print(options,
                   ctl_db_query(&db,
                                options->json ? list_programs : list_people, 5,
                                values));
    }
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}

/* --- show ---------------------------------------------------------------- */

/* Each value that there is on a line of its own. */
static void
print_job(const PGresult *res)
{
    int i;

    for (i = 0; i < PQnfields(res); i++) {
        if (!PQgetisnull(res, 0, i)) {
            (void)printf("%-12s  %s\n", PQfname(res, i),
                         PQgetvalue(res, 0, i));
        }
    }
    (void)putchar('\n');
}

static int
print_story(const ctl_options_t *options, const PGresult *job,
            const PGresult *attempts)
{
    json_t *story;

    if (!options->json) {
        print_job(job);
        if (PQntuples(attempts) == 0) {
            (void)printf("no attempt has ended\n");
        } else {
            ctl_table_print(attempts, 1);
        }
        return 0;
    }
    story = ctl_table_row(job, 0);
    if (json_object_set_new(story, "attempts", ctl_table_rows(attempts)) != 0)
    {
        json_decref(story);
        story = NULL;
    }
    return ctl_table_json(story);
}

static int
show(ctl_db_t *db, const ctl_options_t *options)
{
    const char *const values[] = {options->operand};
    PGresult *job, *attempts;
    int rc;

    if (ctl_db_open(db, options) == -1) {
        return -1;
    }
    job = ctl_db_query(db, show_job, 1, values);
    attempts =
        job == NULL
            ? NULL
            : ctl_db_query(db, options->json ? show_programs : show_people, 1,
                           values);
    if (attempts == NULL) {
        rc = -1;
    } else if (PQntuples(job) == 0) {
        rc = ctl_error("there is no job %s", options->operand);
    } else {
        rc = print_story(options, job, attempts);
    }
    PQclear(job);
    PQclear(attempts);
    return rc;
}

ctl_exit_e
ctl_jobs_show(const ctl_options_t *options)
{
    ctl_db_t db = {0};
    int rc;

    if (!ctl_number_ok(options->operand)) {
        (void)ctl_error("\"%s\" is not the id of a job", options->operand);
        return CTL_USAGE;
    }
    rc = show(&db, options);
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}

/* --- dead ---------------------------------------------------------------- */

static int
print_dead(const ctl_options_t *options, const PGresult *reasons,
           const PGresult *jobs)
{
    json_t *all;

    if (options->json) {
        all = json_pack("{so,so}", "reasons", ctl_table_rows(reasons), "jobs",
                        ctl_table_rows(jobs));
        return ctl_table_json(all);
    }
    if (PQntuples(reasons) == 0) {
        (void)printf("no dead letters\n");
        return 0;
    }
    ctl_table_print(reasons, 1);
    (void)putchar('\n');
    ctl_table_print(jobs, 1);
    return 0;
}

static int
dead(ctl_db_t *db, const ctl_options_t *options, const char *limit)
{
    const char *const values[] = {options->kind, options->target, limit};
    PGresult *reasons, *jobs;
    int rc;

    if (ctl_db_open(db, options) == -1) {
        return -1;
    }
    reasons = ctl_db_query(db, dead_reasons, 2, values);
    jobs = reasons == NULL
               ? NULL
               : ctl_db_query(db, options->json ? dead_programs : dead_people,
                              3, values);
    rc = jobs == NULL ? -1 : print_dead(options, reasons, jobs);
    PQclear(reasons);
    PQclear(jobs);
    return rc;
}

ctl_exit_e
ctl_jobs_dead(const ctl_options_t *options)
{
    const char *limit = ctl_number_limit(options);
    ctl_db_t db = {0};
    int rc;

    if (limit == NULL) {
        return CTL_USAGE;
    }
    rc = dead(&db, options, limit);
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}
