/*
 * What the doctor asks the database: one table of questions.  Each is one
 * statement in a transaction that is rolled back; its rows are lines of the
 * report: check, verdict, detail, advice.
 */

#include "ctl_doctor.h"
#include "ctl_error.h"
#include "ctl_file.h"
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    const char *check; /* for the report, when the statement itself fails */
    int as_owner;      /* or as who connected, who may see more of sessions */
    const char *sql;
} question_t;

static const question_t server_questions[] = {
    {"server", 0,
     "select 'server', case when current_setting('server_version_num')::int"
     " >= 150000 then 'ok' else 'fail' end,"
     " 'PostgreSQL ' || current_setting('server_version'),"
     " 'upgrade it to 15 or later'"
     " union all select 'primary', case when pg_is_in_recovery() then 'fail'"
     " else 'ok' end, case when pg_is_in_recovery() then 'this is a standby'"
     " else 'takes writes' end,"
     " 'connect to the primary: target_session_attrs=read-write'"},
    {"durability", 0,
     "select s.name, case when s.setting = 'off' then 'fail' else 'ok' end,"
     " s.setting, case s.name when 'synchronous_commit' then"
     " 'a lead that was answered may be lost in a crash: switch it on'"
     " else 'a crash may ruin the database: switch it on' end"
     " from pg_settings s"
     " where s.name in ('fsync', 'full_page_writes', 'synchronous_commit')"
     " order by s.name"},
    {"autovacuum", 0,
     "select 'autovacuum', case when bool_and(s.setting = 'on') then 'ok'"
     " else 'fail' end, string_agg(s.name || '=' || s.setting, ' '"
     " order by s.name), 'the hot tables swell without it: switch it on'"
     " from pg_settings s where s.name in ('autovacuum', 'track_counts')"},
    {"connections", 0,
     "select 'connections', case when n.used >= n.most then 'fail'"
     " when n.used > n.most * 0.9 then 'warn' else 'ok' end,"
     " format('%s of %s', n.used, n.most),"
     " 'raise max_connections, or find who holds them: pg_stat_activity'"
     " from (select count(*) as used, current_setting('max_connections')::int"
     " - current_setting('superuser_reserved_connections')::int as most"
     " from pg_stat_activity where backend_type = 'client backend') n"},
    {"vacuum horizon", 0,
     "select 'vacuum horizon', case when h.what is null then 'ok'"
     " else 'warn' end, coalesce(h.what, 'nothing holds vacuum back'),"
     " 'dead rows stay until it ends: end it, or drop the slot'"
     " from (select 1) one left join lateral ("
     "select format('session pid=%s, %s s old', pid,"
     " extract(epoch from now() - xact_start)::bigint) as what,"
     " age(backend_xmin) as xids from pg_stat_activity"
     " where backend_xmin is not null and now() - xact_start"
     " > interval '15 minutes'"
     " union all select format('prepared transaction %s of %s', gid, owner),"
     " age(transaction) from pg_prepared_xacts"
     " where now() - prepared > interval '15 minutes'"
     " union all select format('replication slot %s', slot_name),"
     " age(xmin) from pg_replication_slots where age(xmin) > 1000000"
     " order by xids desc limit 1) h on true"
     " union all select 'transaction ids', case when a.age > 1500000000"
     " then 'fail' when a.age > 500000000 then 'warn' else 'ok' end,"
     " format('%s since the last freeze', a.age),"
     " 'vacuum (freeze) the database, and see what keeps autovacuum from it'"
     " from (select age(datfrozenxid) from pg_database"
     " where datname = current_database()) a"
     " union all select 'replication slot ' || slot_name, 'warn',"
     " 'nobody reads it, status ' || coalesce(wal_status, 'none'),"
     " 'WAL piles up until the disk is full: start its reader, or drop it'"
     " from pg_replication_slots where not active"},
    {"size", 0,
     "select 'database size', 'ok',"
     " pg_size_pretty(pg_database_size(current_database())), null"},
};

static const question_t schema_questions[] = {
    {"contract", 1,
     "select 'contract', case when leadq.worker_api() = $1::int then 'ok'"
     " else 'fail' end, format('version %s, this release speaks %s',"
     " leadq.worker_api(), $1),"
     " 'run leadqctl migrate of the release that the workers have'"},
    {"role", 1,
     "select 'role ' || r.name, case when count(*) filter (where not"
     " coalesce(has_function_privilege(o.oid, p.oid, 'execute'), false)) = 0"
     " and bool_and(has_schema_privilege(o.oid, 'leadq'::regnamespace,"
     " 'usage')) then 'ok' else 'fail' end,"
     " case when min(o.oid) is null then 'does not exist'"
     " else format('may call %s of %s functions', count(*) filter (where"
     " has_function_privilege(o.oid, p.oid, 'execute')), count(*)) end,"
     " 'run leadqctl migrate, which makes roles and gives them rights'"
     " from (values ('leadq_worker', array['worker_api', 'claim_jobs',"
     " 'settle_jobs', 'release_jobs', 'extend_jobs', 'promote_jobs',"
     " 'run_rules', 'maintain', 'queue_figures', 'code_figures',"
     " 'lease_mailbox', 'take_reports']),"
     " ('leadq_web', array['web_api', 'web_lead', 'web_confirm',"
     " 'web_unsubscribe', 'web_mail_event'])) r (name, functions)"
     " cross join unnest(r.functions) f (name)"
     " left join pg_roles o on o.rolname = r.name"
     " left join pg_proc p on p.pronamespace = 'leadq'::regnamespace"
     " and p.proname = f.name group by r.name order by r.name"},
    {"test clock", 1,
     "select 'schema clock', case when shift = interval '0' then 'ok'"
     " else 'fail' end, case when not test then 'that of the server'"
     " else 'of a test database, shifted by ' || shift end,"
     " 'shift it back: every rule goes by it' from leadq.clock"},
    {"partitions", 1,
     "select 'partitions', case when count(*) filter (where t.oid is null) = 0"
     " then 'ok' else 'fail' end, case when count(*) filter (where t.oid is"
     " null) = 0 then 'made ahead' else 'missing: ' || string_agg(n.name, ' ')"
     " filter (where t.oid is null) end,"
     " 'start leadq-worker: it makes them, and logs why it cannot'"
     " from (select 'job_scheduled_' || to_char(leadq.now() at time zone"
     " 'UTC' + make_interval(days => d), 'YYYYMMDD')"
     " from generate_series(0, 3) d"
     " union all select p || to_char(date_trunc('month', leadq.now()"
     " at time zone 'UTC') + make_interval(months => m), 'YYYYMMDD')"
     " from unnest(array['job_done_', 'event_']) p, generate_series(0, 1) m)"
     " n (name) left join lateral (select to_regclass('leadq.' || n.name))"
     " t (oid) on true"},
    {"workers", 0,
     "select 'workers', case when count(*) = 0 then 'warn' else 'ok' end,"
     " format('%s connections of leadq_worker', count(*)),"
     " 'start one: systemctl start leadq-worker'"
     " from pg_stat_activity where usename = 'leadq_worker'"},
    {"leases", 1,
     "select 'leases', case when count(*) filter (where lease_until <"
     " pg_catalog.now() - interval '1 minute') = 0 then 'ok' else 'warn' end,"
     " format('%s jobs of %s workers, %s of them run out', count(*),"
     " count(distinct lease_worker), count(*) filter (where lease_until <"
     " pg_catalog.now())),"
     " 'no worker takes over what a dead one held: see that one runs'"
     " from leadq.job_ready where lease_until is not null"},
    {"queue", 1,
     "select 'lane ' || r.lane, case when o.value > l.fail then 'fail'"
     " when o.value > l.warn then 'warn' else 'ok' end,"
     " format('%s ready, the oldest for %s s', r.value, o.value::bigint),"
     " 'see that workers run and what their log says; more of them, or more"
     " max_inflight, if they are only busy'"
     " from leadq.queue_figures() r join leadq.queue_figures() o"
     " on o.lane = r.lane and o.figure = 'oldest_s'"
     " join (values ('rule', 10, 120), ('realtime', 5, 60),"
     " ('service', 60, 900), ('bulk', 3600, 86400)) l (lane, warn, fail)"
     " on l.lane = r.lane where r.figure = 'ready' order by l.warn, l.lane"},
    {"scheduled jobs", 1,
     "select 'scheduled jobs', case when s.late > 300 then 'fail'"
     " when s.late > 30 then 'warn' else 'ok' end,"
     " format('the first is %s s late', s.late),"
     " 'nobody promotes them: see that a worker runs'"
     " from (select coalesce(greatest(extract(epoch from leadq.now()"
     " - min(run_at)), 0), 0)::bigint as late from leadq.job_scheduled"
     " where run_at < leadq.now()) s"},
    {"dead letters", 1,
     "select 'dead letters', case when count(*) = 0 then 'ok' else 'warn' end,"
     " count(*) || ' in seven days', 'leadqctl jobs dead says why;"
     " leadqctl jobs retry brings them back'"
     " from (select from leadq.job_dead where died_at > leadq.now()"
     " - interval '7 days' limit 100000) d"},
    {"pauses", 1,
     "select 'pauses', case when count(*) = 0 then 'ok' else 'warn' end,"
     " case when count(*) = 0 then 'none' else string_agg(format("
     "'kind %s to %s since %s (%s)', coalesce(kind, 'every'),"
     " coalesce(target, 'every'), to_char(paused_at, 'YYYY-MM-DD HH24:MI'),"
     " reason), ', ') end, 'leadqctl jobs resume lifts them'"
     " from leadq.job_pause"},
};

static doctor_e
verdict_of(const char *word)
{
    return *word == 'o' ? DOCTOR_OK : *word == 'w' ? DOCTOR_WARN : DOCTOR_FAIL;
}

static void
say_refused(doctor_t *doctor, const char *check, const PGresult *res)
{
    const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

    doctor_say(doctor, DOCTOR_FAIL, check,
               "connect as a superuser or a member of the owner role, to a "
               "schema that leadqctl migrate has brought to this release",
               "%s %s", state == NULL ? "08000" : state,
               text == NULL ? "the connection is lost" : text);
}

/* A good result, owned by the caller, or NULL once that is said. */
static PGresult *
try(doctor_t *doctor, const question_t *q, int n, const char *const *values)
{
    PGresult *res;

    res = ctl_db_try(&doctor->db,
                     q->as_owner ? "set local role leadq_owner"
                                 : "set local role none",
                     0, NULL);
    if (ctl_db_good(res)) {
        PQclear(res);
        res = ctl_db_try(&doctor->db, q->sql, n, values);
    }
    if (!ctl_db_good(res)) {
        say_refused(doctor, q->check, res);
        PQclear(res);
        return NULL;
    }
    return res;
}

static PGresult *
ask(doctor_t *doctor, const question_t *q)
{
    char api[16];
    const char *values[] = {api};
    PGresult *res;

    (void)snprintf(api, sizeof(api), "%d", SESSION_API);
    PQclear(ctl_db_try(&doctor->db, "begin", 0, NULL));
    res = try(doctor, q, strstr(q->sql, "$1") != NULL, values);
    PQclear(ctl_db_try(&doctor->db, "rollback", 0, NULL));
    return res;
}

static void
ask_all(doctor_t *doctor, const question_t *questions, size_t n)
{
    PGresult *res;
    size_t i;
    int row;

    for (i = 0; i < n; i++) {
        res = ask(doctor, &questions[i]);
        for (row = 0; res != NULL && row < PQntuples(res); row++) {
            doctor_say(doctor, verdict_of(PQgetvalue(res, row, 1)),
                       PQgetvalue(res, row, 0), PQgetvalue(res, row, 3), "%s",
                       PQgetvalue(res, row, 2));
        }
        PQclear(res);
    }
}

/* --- clocks -------------------------------------------------------------- */

static double
now_s(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Leases and signed links go by both clocks. */
static void
check_clock(doctor_t *doctor)
{
    static const question_t q = {
        "clock", 0, "select extract(epoch from clock_timestamp())"};
    double before, after, apart;
    PGresult *res;

    before = now_s();
    res = ask(doctor, &q);
    after = now_s();
    if (res == NULL) {
        return;
    }
    apart = strtod(PQgetvalue(res, 0, 0), NULL) - (before + after) / 2;
    apart = apart < 0 ? -apart : apart;
    doctor_say(doctor,
               apart > 10 + (after - before)  ? DOCTOR_FAIL
               : apart > 1 + (after - before) ? DOCTOR_WARN
                                              : DOCTOR_OK,
               "clock", "keep both hosts in time: chrony or systemd-timesyncd",
               "%.1f s between this host and the database", apart);
    PQclear(res);
}

/* --- migrations ---------------------------------------------------------- */

/* What is wrong with a file of this release, or NULL. */
static const char *
problem_of(const char *dir, const char *name, const PGresult *applied)
{
    char sha256[CTL_FILE_SHA256_LEN + 1];
    const char *problem;
    char *path, *text;
    fault_t fault;
    int row;

    path = ctl_file_join(dir, name);
    text = path == NULL ? NULL : ctl_file_read(path, 1 << 22, &fault);
    problem = "is not applied";
    if (text == NULL || ctl_file_sha256(text, sha256) != 0) {
        problem = "cannot be read";
    } else {
        for (row = 0; row < PQntuples(applied); row++) {
            if (strcmp(PQgetvalue(applied, row, 0), name) == 0) {
                problem = strcmp(PQgetvalue(applied, row, 1), sha256) == 0
                              ? NULL
                              : "has changed since it was applied";
            }
        }
    }
    free(path);
    free(text);
    return problem;
}

static void
compare(doctor_t *doctor, const char *dir, const ctl_file_list_t *list,
        const PGresult *applied)
{
    const char *problem;
    size_t i;

    for (i = 0; i < list->n; i++) {
        problem = problem_of(dir, list->names[i], applied);
        if (problem != NULL) {
            doctor_say(doctor, DOCTOR_FAIL, "migrations",
                       "run leadqctl migrate of the release that is installed",
                       "%s %s", list->names[i], problem);
            return;
        }
    }
    if (PQntuples(applied) > (int)list->n) {
        doctor_say(doctor, DOCTOR_FAIL, "migrations",
                   "install the release that the schema is of",
                   "the schema has %d, this release %zu: it is older",
                   PQntuples(applied), list->n);
        return;
    }
    doctor_say(doctor, DOCTOR_OK, "migrations", NULL, "%zu applied", list->n);
}

/* 0: the schema is there. */
static int
check_migrations(doctor_t *doctor)
{
    static const question_t q = {"schema", 1,
                                 "select name, sha256 from leadq.migration"};
    ctl_file_list_t list;
    PGresult *applied;
    char *dir;

    applied = ask(doctor, &q);
    if (applied == NULL) {
        return -1;
    }
    memset(&list, 0, sizeof(list));
    dir = ctl_file_join(doctor->options->sql_dir, "migrations");
    if (dir == NULL || ctl_file_list(&list, dir) != 0) {
        doctor_say(
            doctor, DOCTOR_WARN, "migrations", "name the directory: --sql-dir",
            "cannot be compared: no SQL in %s", doctor->options->sql_dir);
    } else {
        compare(doctor, dir, &list, applied);
    }
    ctl_file_list_done(&list);
    PQclear(applied);
    free(dir);
    return 0;
}

/* As the worker itself would: its conninfo, its password, its role. */
static void
check_login(doctor_t *doctor)
{
    ctl_options_t options = *doctor->options;
    ctl_db_t db = {0};

    options.database = doctor->conf->database;
    options.schema = doctor->conf->schema;
    if (ctl_db_open(&db, &options) == 0
        && ctl_db_do(&db, "select leadq.worker_api()", 0, NULL) == 0)
    {
        doctor_say(doctor, DOCTOR_OK, "worker login", NULL, "as %s",
                   PQuser(db.conn));
    } else {
        doctor_say(doctor, DOCTOR_FAIL, "worker login",
                   "correct database in worker.conf, pg_hba.conf or the pass "
                   "file",
                   "the database refuses it");
    }
    ctl_db_close(&db);
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

void
doctor_database(doctor_t *doctor)
{
    if (doctor->conf != NULL) {
        check_login(doctor);
    }
    if (ctl_db_open(&doctor->db, doctor->options) == -1) {
        doctor_say(doctor, DOCTOR_FAIL, "database",
                   "start it, or correct --database", "no connection");
        return;
    }
    doctor->connected = 1;
    doctor_say(doctor, DOCTOR_OK, "database", NULL, "reachable");
    ask_all(doctor, server_questions, COUNT(server_questions));
    check_clock(doctor);
    if (check_migrations(doctor) == 0) {
        ask_all(doctor, schema_questions, COUNT(schema_questions));
    }
}
