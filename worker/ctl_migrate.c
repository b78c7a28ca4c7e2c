/*
 * leadqctl migrate: brings a schema to the release whose SQL lies in a
 * directory.
 *
 *     bootstrap.sql    every time, as the connecting role: roles, schema,
 *                      the table of applied migrations
 *     migrations/      data; each file once, in a transaction of its own,
 *                      written down with its checksum in the same transaction
 *     functions/ views/ grants.sql
 *                      code; every time, all in one transaction
 *
 * Everything after bootstrap.sql runs as <schema>_owner.  A session lock
 * makes concurrent runs follow one another.  Whatever interrupts a run, what
 * was committed is written down, so that the next run goes on from there.
 */

#include "ctl_command.h"
#include "ctl_db.h"
#include "ctl_error.h"
#include "ctl_file.h"
#include "ctl_script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIGRATIONS "migrations"

typedef struct {
    const ctl_options_t *options; /* borrowed */
    ctl_db_t db;
    PGresult *applied; /* owned: name, sha256; NULL: nothing was applied yet */
    ctl_file_list_t migrations;
    ctl_file_list_t functions;
    ctl_file_list_t views;
    int n_migrations; /* applied by this run, or to be applied */
    int n_code;       /* files of code */
} migrate_t;

static const char *
verb(const migrate_t *m)
{
    return m->options->dry_run ? "would apply" : "applied";
}

/* "dir/name" below the directory of SQL; owned by the caller. */
static char *
sql_path(const migrate_t *m, const char *dir, const char *name)
{
    char *path;

    if (dir == NULL) {
        return ctl_file_join(m->options->sql_dir, name);
    }
    return asprintf(&path, "%s/%s/%s", m->options->sql_dir, dir, name) < 0
               ? NULL
               : path;
}

/* Reads a file and its path, both owned by the caller. */
static int
read_sql(const migrate_t *m, const char *dir, const char *name, char **path,
         char **text)
{
    fault_t fault;

    *text = NULL;
    *path = sql_path(m, dir, name);
    if (*path == NULL) {
        return ctl_error("no memory");
    }
    *text = ctl_file_read(*path, CTL_SCRIPT_MAX, &fault);
    if (*text == NULL) {
        (void)ctl_error("%s: %s", *path, fault.text);
        free(*path);
        *path = NULL;
        return -1;
    }
    return 0;
}

/* Runs one file in the transaction begun. */
static int
run_file(migrate_t *m, const char *dir, const char *name)
{
    char *path, *text;
    int rc;

    if (read_sql(m, dir, name, &path, &text) == -1) {
        return -1;
    }
    rc = ctl_db_script(&m->db, path, text);
    free(path);
    free(text);
    return rc;
}

static int
run_dir(migrate_t *m, const char *dir, const ctl_file_list_t *list)
{
    size_t i;

    for (i = 0; i < list->n; i++) {
        if (run_file(m, dir, list->names[i]) == -1) {
            return -1;
        }
    }
    return 0;
}

static int
list_dir(const migrate_t *m, const char *dir, int needed,
         ctl_file_list_t *list)
{
    char *path;
    int rc;

    path = ctl_file_join(m->options->sql_dir, dir);
    if (path == NULL) {
        return ctl_error("no memory");
    }
    rc = ctl_file_list(list, path);
    if (rc == -1 && errno == ENOENT && !needed) {
        rc = 0;
    }
    if (rc == -1) {
        (void)ctl_error("%s: %s", path, strerror(errno));
    }
    free(path);
    return rc;
}

/* --- one run after the other --------------------------------------------- */

static int
take_lock(migrate_t *m)
{
    const char *const values[] = {m->options->schema};
    PGresult *res;
    int taken;

    res = ctl_db_query(&m->db,
                       "select pg_try_advisory_lock("
                       "hashtext('leadqctl migrate'), hashtext($1))",
                       1, values);
    if (res == NULL) {
        return -1;
    }
    taken = PQgetvalue(res, 0, 0)[0] == 't';
    PQclear(res);
    if (taken) {
        return 0;
    }
    (void)ctl_error("waiting for another run of leadqctl migrate to end");
    return ctl_db_do(&m->db,
                     "select pg_advisory_lock("
                     "hashtext('leadqctl migrate'), hashtext($1))",
                     1, values);
}

/*
 * Once the lock is ours: how long a statement may wait for other locks, and
 * that it ends when nobody is there any more to commit it.
 */
static int
set_limits(migrate_t *m)
{
    const char *const values[] = {m->options->lock_timeout};

    return ctl_db_do(&m->db,
                     "select set_config('lock_timeout', $1, false),"
                     " set_config('statement_timeout', '0', false),"
                     " set_config('client_connection_check_interval', '5s',"
                     " false)",
                     1, values);
}

/* --- what was applied before --------------------------------------------- */

static int
bootstrap(migrate_t *m)
{
    if (ctl_db_begin(&m->db, 0) == -1
        || run_file(m, NULL, "bootstrap.sql") == -1
        || ctl_db_commit(&m->db) == -1)
    {
        return -1;
    }
    (void)printf("applied bootstrap.sql\n");
    return 0;
}

static int
load_applied(migrate_t *m)
{
    PGresult *res;
    int exists;

    /* A dry run may come before the first bootstrap. */
    res =
        ctl_db_query(&m->db, "select to_regclass('leadq.migration')", 0, NULL);
    if (res == NULL) {
        return -1;
    }
    exists = !PQgetisnull(res, 0, 0);
    PQclear(res);
    if (!exists) {
        return 0;
    }
    m->applied = ctl_db_query(
        &m->db, "select name, sha256 from leadq.migration order by name", 0,
        NULL);
    return m->applied == NULL ? -1 : 0;
}

/* The checksum with which a migration was applied, or NULL. */
static const char *
applied_sha256(const migrate_t *m, const char *name)
{
    int i, n;

    n = m->applied == NULL ? 0 : PQntuples(m->applied);
    for (i = 0; i < n; i++) {
        if (strcmp(PQgetvalue(m->applied, i, 0), name) == 0) {
            return PQgetvalue(m->applied, i, 1);
        }
    }
    return NULL;
}

static int
check_present(const migrate_t *m)
{
    const char *name;
    size_t k;
    int i, n, rc;

    rc = 0;
    n = m->applied == NULL ? 0 : PQntuples(m->applied);
    for (i = 0; i < n; i++) {
        name = PQgetvalue(m->applied, i, 0);
        for (k = 0; k < m->migrations.n; k++) {
            if (strcmp(m->migrations.names[k], name) == 0) {
                break;
            }
        }
        if (k == m->migrations.n) {
            rc = ctl_error("%s/%s/%s: was applied to schema %s but is not "
                           "here: is this an older release?",
                           m->options->sql_dir, MIGRATIONS, name,
                           m->options->schema);
        }
    }
    return rc;
}

static int
check_unchanged(const migrate_t *m, const char *path, const char *name,
                const char *sha256)
{
    const char *applied;

    applied = applied_sha256(m, name);
    if (applied == NULL || strcmp(applied, sha256) == 0) {
        return 0;
    }
    return ctl_error("%s: has changed since it was applied to schema %s "
                     "(sha256 %.12s..., applied %.12s...); put it back and "
                     "write a new migration",
                     path, m->options->schema, sha256, applied);
}

/* --- migrations ---------------------------------------------------------- */

static int
apply_migration(migrate_t *m, const char *path, const char *text,
                const char *name, const char *sha256)
{
    const char *const values[] = {name, sha256};

    if (!m->options->dry_run
        && (ctl_db_begin(&m->db, 1) == -1
            || ctl_db_script(&m->db, path, text) == -1
            || ctl_db_do(&m->db,
                         "insert into leadq.migration (name, sha256)"
                         " values ($1, $2)",
                         2, values)
                   == -1
            || ctl_db_commit(&m->db) == -1))
    {
        return ctl_error("nothing of %s was applied", path);
    }
    m->n_migrations++;
    (void)printf("%s %s/%s\n", verb(m), MIGRATIONS, name);
    return 0;
}

/* Checks one migration against what was applied; with apply, applies it. */
static int
visit_migration(migrate_t *m, const char *name, int apply)
{
    char *path, *text;
    char sha256[CTL_FILE_SHA256_LEN + 1];
    int rc;

    if (read_sql(m, MIGRATIONS, name, &path, &text) == -1) {
        return -1;
    }
    rc = ctl_file_sha256(text, sha256);
    if (rc == -1) {
        (void)ctl_error("%s: no checksum", path);
    } else if (!apply) {
        rc = check_unchanged(m, path, name, sha256);
    } else if (applied_sha256(m, name) == NULL) {
        rc = apply_migration(m, path, text, name, sha256);
    }
    free(path);
    free(text);
    return rc;
}

static int
apply_migrations(migrate_t *m)
{
    size_t i;
    int apply, rc;

    rc = check_present(m);
    for (apply = 0; apply <= 1 && rc == 0; apply++) {
        for (i = 0; i < m->migrations.n; i++) {
            if (visit_migration(m, m->migrations.names[i], apply) == -1) {
                rc = -1;
                if (apply) {
                    break;
                }
            }
        }
    }
    return rc;
}

/* --- code ---------------------------------------------------------------- */

static void
print_dir(migrate_t *m, const char *dir, const ctl_file_list_t *list)
{
    size_t i;

    for (i = 0; i < list->n; i++) {
        (void)printf("%s %s/%s\n", verb(m), dir, list->names[i]);
        m->n_code++;
    }
}

/*
 * Functions may call one another and read views, whatever the order of the
 * files: first all are made with their bodies unread, then made again with
 * the bodies checked.
 */
static int
run_code(migrate_t *m)
{
    if (ctl_db_begin(&m->db, 1) == -1
        || ctl_db_do(&m->db, "set local check_function_bodies = off", 0, NULL)
               == -1
        || run_dir(m, "functions", &m->functions) == -1
        || run_dir(m, "views", &m->views) == -1
        || ctl_db_do(&m->db, "set local check_function_bodies = on", 0, NULL)
               == -1
        || run_dir(m, "functions", &m->functions) == -1
        || run_file(m, NULL, "grants.sql") == -1
        || ctl_db_commit(&m->db) == -1)
    {
        return ctl_error("nothing of functions, views and grants was applied");
    }
    return 0;
}

static int
apply_code(migrate_t *m)
{
    if (!m->options->dry_run && run_code(m) == -1) {
        return -1;
    }
    print_dir(m, "functions", &m->functions);
    print_dir(m, "views", &m->views);
    (void)printf("%s grants.sql\n", verb(m));
    m->n_code++;
    return 0;
}

static int
make_test_database(migrate_t *m)
{
    if (ctl_db_begin(&m->db, 1) == -1
        || ctl_db_do(&m->db, "update leadq.clock set test = true", 0, NULL)
               == -1
        || ctl_db_commit(&m->db) == -1)
    {
        return -1;
    }
    (void)printf("schema %s: a test database, its clock can be shifted\n",
                 m->options->schema);
    return 0;
}

static void
print_summary(const migrate_t *m)
{
    (void)printf("schema %s: migrations: ", m->options->schema);
    if (m->n_migrations == 0) {
        (void)printf("nothing to do");
    } else {
        (void)printf("%d %s", m->n_migrations,
                     m->options->dry_run ? "to apply" : "applied");
    }
    (void)printf("; code: %d files%s\n", m->n_code,
                 m->options->dry_run ? " to apply" : "");
}

static int
read_dirs(migrate_t *m)
{
    return list_dir(m, MIGRATIONS, 1, &m->migrations) == -1
                   || list_dir(m, "functions", 0, &m->functions) == -1
                   || list_dir(m, "views", 0, &m->views) == -1
               ? -1
               : 0;
}

static int
migrate(migrate_t *m)
{
    const int dry_run = m->options->dry_run;

    if (read_dirs(m) == -1 || ctl_db_open(&m->db, m->options) == -1) {
        return -1;
    }
    if (!dry_run
        && (take_lock(m) == -1 || set_limits(m) == -1 || bootstrap(m) == -1))
    {
        return -1;
    }
    if (load_applied(m) == -1 || apply_migrations(m) == -1
        || apply_code(m) == -1) {
        return -1;
    }
    if (m->options->test_database && !dry_run && make_test_database(m) == -1) {
        return -1;
    }
    print_summary(m);
    return 0;
}

ctl_exit_e
ctl_migrate(const ctl_options_t *options)
{
    migrate_t m;
    int rc;

    memset(&m, 0, sizeof(m));
    m.options = options;
    rc = migrate(&m);
    PQclear(m.applied);
    ctl_db_close(&m.db);
    ctl_file_list_done(&m.migrations);
    ctl_file_list_done(&m.functions);
    ctl_file_list_done(&m.views);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}
