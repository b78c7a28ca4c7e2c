/*
 * worker.conf: defaults, units, secrets, what a reload may take.  Mistakes
 * and their lines: tests/worker/config.t.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf.h"
#include "credential.h"
#include "log.h"

static char dir[] = "/tmp/leadq-test-XXXXXX";
static char path[100], keys[100], password[100];

static void
spew(const char *name, const char *text)
{
    FILE *file;

    file = fopen(name, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int
set_up(void **state)
{
    (void)state;
    if (mkdtemp(dir) == NULL) {
        return -1;
    }
    (void)snprintf(path, sizeof(path), "%s/worker.conf", dir);
    (void)snprintf(keys, sizeof(keys), "%s/keys", dir);
    (void)snprintf(password, sizeof(password), "%s/password", dir);
    spew(keys, "1 000102030405060708090a0b0c0d0e0f"
               "101112131415161718191a1b1c1d1e1f\n");
    spew(password, "se cret;#\r\nsecond\n");
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    (void)unlink(keys);
    (void)unlink(password);
    return rmdir(dir);
}

static conf_t *
load(const char *more, char err[300])
{
    char text[1000];

    (void)snprintf(text, sizeof(text),
                   "[leadq]\ndatabase = dbname=x password='a;b'\n"
                   "keys = %s\nsmtp_url = smtp://relay:2525\n%s",
                   keys, more);
    spew(path, text);
    err[0] = '\0';
    return conf_load(path, err, 300);
}

static void
what_is_not_said_has_a_default(void **state)
{
    char err[300];
    conf_t *conf;

    (void)state;
    conf = load("", err);
    assert_string_equal(err, "");
    assert_non_null(conf);
    assert_string_equal(conf->database, "dbname=x password='a;b'");
    assert_string_equal(conf->schema, "leadq");
    assert_string_equal(conf->smtp_url, "smtp://relay:2525");
    assert_null(conf->secrets_dir);
    assert_null(conf->smtp_user);
    assert_null(conf->smtp_helo);
    assert_int_equal(conf->smtp_tls, CONF_TLS_TRY);
    assert_int_equal(conf->max_inflight, 256);
    assert_int_equal(conf->smtp_connections, 20);
    assert_int_equal(conf->http_connections, 200);
    assert_int_equal(conf->batch, 100);
    assert_int_equal(conf->lease_ms, 60000);
    assert_int_equal(conf->poll_ms, 1000);
    assert_int_equal(conf->shutdown_timeout_ms, 30000);
    assert_int_equal(conf->connect_timeout_ms, 5000);
    assert_int_equal(conf->log_level, LOG_LEVEL_INFO);
    assert_non_null(conf->keys);
    conf_free(conf);
    conf_free(NULL);
}

static void
times_have_units(void **state)
{
    char err[300];
    conf_t *conf;

    (void)state;
    conf = load("lease = 2m\npoll = 250ms\nshutdown_timeout = 0\n"
                "connect_timeout=3\n",
                err);
    assert_non_null(conf);
    assert_int_equal(conf->lease_ms, 120000);
    assert_int_equal(conf->poll_ms, 250);
    assert_int_equal(conf->shutdown_timeout_ms, 0);
    assert_int_equal(conf->connect_timeout_ms, 3000);
    conf_free(conf);
    assert_null(load("lease = 9223372036854775807m\n", err));
    assert_non_null(strstr(err, "out of range"));
    assert_null(load("poll = -1ms\n", err));
    assert_null(load("poll = ms\n", err));
}

static void
a_password_is_the_first_line_of_its_file(void **state)
{
    char more[300], err[300];
    conf_t *conf;

    (void)state;
    (void)snprintf(more, sizeof(more),
                   "smtp_user = me\nsmtp_password_file = %s\n", password);
    conf = load(more, err);
    assert_non_null(conf);
    assert_string_equal(conf->smtp_password, "se cret;#");
    conf_free(conf);
}

static void
the_password_of_the_database_joins_its_connection_string(void **state)
{
    char err[300];
    conf_t *conf;

    (void)state;
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
    spew(path, "[leadq]\ndatabase = postgres://me@db1,db2:6432/x\n"
               "database_password_file = %d/password\n"
               "keys = %d/keys\nsmtp_url = smtp://relay\nsecrets_dir=%d\n");
    conf = conf_load(path, err, sizeof(err));
    assert_non_null(conf);
    assert_string_equal(conf->database,
                        "user='me' dbname='x' host='db1,db2' port=',6432' "
                        "password='se cret;#'");
    assert_string_equal(conf->keys_file, keys);
    assert_string_equal(conf->secrets_dir, dir);
    conf_free(conf);
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);

    assert_null(load("database_password_file = %d/password\n", err));
    assert_non_null(strstr(err, ":2: database: there is a password in it"));
    assert_null(load("database_password_file = %d/none\n", err));
    assert_non_null(strstr(err, ":5: database_password_file"));
}

static void
without_credentials_they_lie_beside_the_file(void **state)
{
    char err[300];
    conf_t *conf;

    (void)state;
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    conf = load("smtp_user = me\nsmtp_password_file = %d/password\n", err);
    assert_non_null(conf);
    assert_string_equal(conf->smtp_password_file, password);
    conf_free(conf);
    assert_null(load("secrets_dir = %done\n", err)); /* a name, no directory */
    assert_non_null(strstr(err, ":5: secrets_dir \"%done\""));
}

static void
a_quote_in_a_password_ends_nothing(void **state)
{
    fault_t fault;
    char *text;

    (void)state;
    text = credential_conninfo("dbname=x", "it's \\ host=evil", &fault);
    assert_non_null(text);
    assert_string_equal(text, "dbname='x' password='it\\'s \\\\ host=evil'");
    credential_free(text);
    assert_null(credential_conninfo("dbname", "x", &fault));
    assert_non_null(strstr(fault.text, "not a connection string"));
}

static void
a_fault_names_the_first_line_that_is_wrong(void **state)
{
    char err[300], want[300];

    (void)state;
    assert_null(load("batch = 0\nbatch = 0\nnonsense\n", err));
    (void)snprintf(want, sizeof(want),
                   "%s:5: batch \"0\" is out of range 1..1000", path);
    assert_string_equal(err, want);
    assert_null(load("nonsense\nbatch = 0\n", err));
    (void)snprintf(want, sizeof(want), "%s:5: not \"key = value\"", path);
    assert_string_equal(err, want);
}

static void
some_keys_need_a_restart(void **state)
{
    char err[300];
    conf_t *one, *two;

    (void)state;
    one = load("", err);
    two = load("max_inflight = 5\nlog_level = debug\n", err);
    assert_non_null(one);
    assert_non_null(two);
    assert_null(conf_needs_restart(one, two));
    conf_free(two);
    two = load("schema = other\n", err);
    assert_non_null(two);
    assert_string_equal(conf_needs_restart(one, two), "schema");
    conf_free(one);
    conf_free(two);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_said_has_a_default),
        cmocka_unit_test(times_have_units),
        cmocka_unit_test(a_password_is_the_first_line_of_its_file),
        cmocka_unit_test(
            the_password_of_the_database_joins_its_connection_string),
        cmocka_unit_test(without_credentials_they_lie_beside_the_file),
        cmocka_unit_test(a_quote_in_a_password_ends_nothing),
        cmocka_unit_test(a_fault_names_the_first_line_that_is_wrong),
        cmocka_unit_test(some_keys_need_a_restart),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
