/*
 * Owns the table of keys.  A file is read in three steps: each line against
 * its row, defaults for the rows without a line, and then what the values
 * name: key file, password file, directory.
 */

#include "conf.h"
#include "conf_check.h"
#include "credential.h"
#include "fault.h"
#include "log.h"
#include "pg.h"
#include "sight.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONF_SECTION "leadq"
#define CONF_MAX_LINE 4096
#define CONF_MAX_SCHEMA 31

typedef struct conf_key_s conf_key_t;

/* Parses a value into its field; -1 with the fault's text set. */
typedef int (*conf_set_pt)(const conf_key_t *key, void *field,
                           const char *value, fault_t *fault);

struct conf_key_s {
    const char *name;
    size_t field; /* where it is in conf_t */
    conf_set_pt set;
    const char *initial; /* NULL: none */
    long min;            /* of numbers; of times in milliseconds */
    long max;
    int flags;
};

static int set_text(const conf_key_t *key, void *field, const char *value,
                    fault_t *fault);
static int set_count(const conf_key_t *key, void *field, const char *value,
                     fault_t *fault);
static int set_time(const conf_key_t *key, void *field, const char *value,
                    fault_t *fault);
static int set_tls(const conf_key_t *key, void *field, const char *value,
                   fault_t *fault);
static int set_level(const conf_key_t *key, void *field, const char *value,
                     fault_t *fault);
static int set_schema(const conf_key_t *key, void *field, const char *value,
                      fault_t *fault);
static int set_conninfo(const conf_key_t *key, void *field, const char *value,
                        fault_t *fault);
static int set_url(const conf_key_t *key, void *field, const char *value,
                   fault_t *fault);
static int set_bounce(const conf_key_t *key, void *field, const char *value,
                      fault_t *fault);
static int set_folder(const conf_key_t *key, void *field, const char *value,
                      fault_t *fault);
static int set_resolver(const conf_key_t *key, void *field, const char *value,
                        fault_t *fault);
static int set_host(const conf_key_t *key, void *field, const char *value,
                    fault_t *fault);
static int set_listen(const conf_key_t *key, void *field, const char *value,
                      fault_t *fault);
static int set_nets(const conf_key_t *key, void *field, const char *value,
                    fault_t *fault);

#define AT(field) offsetof(conf_t, field)

enum { REQUIRED = 1, RESTART = 2, PATH = 4 /* may begin with %d */ };

static const conf_key_t keys[] = {
    {"database", AT(database), set_conninfo, NULL, 0, 0, REQUIRED | RESTART},
    {"database_password_file", AT(database_password_file), set_text, NULL, 0,
     0, PATH},
    {"schema", AT(schema), set_schema, "leadq", 0, 0, RESTART},
    {"keys", AT(keys_file), set_text, NULL, 0, 0, REQUIRED | PATH},
    {"code_keys", AT(code_keys_file), set_text, NULL, 0, 0, PATH},
    {"check_keys", AT(check_keys_file), set_text, NULL, 0, 0, PATH},
    {"secrets_dir", AT(secrets_dir), set_text, NULL, 0, 0, PATH},
    {"smtp_url", AT(smtp_url), set_url, NULL, 0, 0, REQUIRED},
    {"smtp_user", AT(smtp_user), set_text, NULL, 0, 0, 0},
    {"smtp_password_file", AT(smtp_password_file), set_text, NULL, 0, 0, PATH},
    {"smtp_tls", AT(smtp_tls), set_tls, "try", 0, 0, 0},
    {"smtp_helo", AT(smtp_helo), set_host, NULL, 0, 0, 0},
    {"bounce_address", AT(bounce_address), set_bounce, NULL, 0, 0, 0},
    {"imap_url", AT(imap_url), set_url, "", 0, 0, 0},
    {"imap_user", AT(imap_user), set_text, NULL, 0, 0, 0},
    {"imap_password_file", AT(imap_password_file), set_text, NULL, 0, 0, PATH},
    {"imap_tls", AT(imap_tls), set_tls, "try", 0, 0, 0},
    {"imap_folder", AT(imap_folder), set_folder, "INBOX", 0, 0, 0},
    {"imap_done_folder", AT(imap_done_folder), set_folder, "leadq", 0, 0, 0},
    {"imap_poll", AT(imap_poll_ms), set_time, "30s", 100, 3600000, 0},
    {"resolver", AT(resolver), set_resolver, "", 0, 0, RESTART},
    {"max_inflight", AT(max_inflight), set_count, "256", 1, 4096, 0},
    {"reserve_realtime", AT(reserve_realtime), set_count, "10", 0, 40, 0},
    {"reserve_service", AT(reserve_service), set_count, "20", 0, 40, 0},
    {"smtp_connections", AT(smtp_connections), set_count, "20", 1, 500, 0},
    {"http_connections", AT(http_connections), set_count, "200", 1, 1000, 0},
    {"http_per_host", AT(http_per_host), set_count, "50", 1, 1000, 0},
    {"private_targets", AT(private_targets), set_nets, NULL, 0, 0, 0},
    {"breaker_failures", AT(breaker_failures), set_count, "10", 1, 1000, 0},
    {"breaker_pause", AT(breaker_pause_ms), set_time, "5s", 100, 600000, 0},
    {"breaker_pause_max", AT(breaker_pause_max_ms), set_time, "5m", 100,
     3600000, 0},
    {"batch", AT(batch), set_count, "100", 1, 1000, 0},
    {"lease", AT(lease_ms), set_time, "60s", 5000, 3600000, 0},
    {"poll", AT(poll_ms), set_time, "1s", 10, 60000, 0},
    {"shutdown_timeout", AT(shutdown_timeout_ms), set_time, "30s", 0, 600000,
     0},
    {"connect_timeout", AT(connect_timeout_ms), set_time, "5s", 100, 60000, 0},
    {"metrics_listen", AT(metrics_listen), set_listen, "", 0, 0, RESTART},
    {"log_level", AT(log_level), set_level, "info", 0, 0, 0},
};

#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

/* One reading of one file. */
typedef struct {
    conf_t *conf;      /* borrowed */
    FILE *file;        /* borrowed */
    int line;          /* that inih was given last */
    int lines[N_KEYS]; /* where each key stands; 0: nowhere */
    int failed;
    fault_t fault;
} reading_t;

static int
set_text(const conf_key_t *key, void *field, const char *value, fault_t *fault)
{
    char **text = field;

    if (*value == '\0') {
        return fault_set(fault, 0, "%s is empty", key->name);
    }
    *text = strdup(value);
    if (*text == NULL) {
        return fault_set(fault, 0, "out of memory");
    }
    return 0;
}

static int
set_count(const conf_key_t *key, void *field, const char *value,
          fault_t *fault)
{
    long *count = field;
    char *end;

    errno = 0;
    *count = strtol(value, &end, 10);
    if (end == value || *end != '\0') {
        return fault_set(fault, 0, "%s \"%s\" is not a number", key->name,
                         value);
    }
    if (errno != 0 || *count < key->min || *count > key->max) {
        return fault_set(fault, 0, "%s \"%s\" is out of range %ld..%ld",
                         key->name, value, key->min, key->max);
    }
    return 0;
}

/* "500ms", "5s", "2m"; a bare number is seconds. */
static int
set_time(const conf_key_t *key, void *field, const char *value, fault_t *fault)
{
    long *ms = field, factor;
    char *end;

    errno = 0;
    *ms = strtol(value, &end, 10);
    factor = *end == '\0' || strcmp(end, "s") == 0 ? 1000
             : strcmp(end, "ms") == 0              ? 1
             : strcmp(end, "m") == 0               ? 60000
                                                   : 0;
    if (end == value || factor == 0) {
        return fault_set(fault, 0, "%s \"%s\" is not a time", key->name,
                         value);
    }
    if (errno != 0 || *ms < 0 || *ms > key->max / factor
        || *ms * factor < key->min)
    {
        return fault_set(fault, 0, "%s \"%s\" is out of range %ldms..%lds",
                         key->name, value, key->min, key->max / 1000);
    }
    *ms *= factor;
    return 0;
}

static int
set_tls(const conf_key_t *key, void *field, const char *value, fault_t *fault)
{
    static const char *const names[] = {"off", "try", "require"};
    conf_tls_e *tls = field;
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(value, names[i]) == 0) {
            *tls = (conf_tls_e)i;
            return 0;
        }
    }
    return fault_set(fault, 0, "%s \"%s\" is not off, try or require",
                     key->name, value);
}

static int
set_level(const conf_key_t *key, void *field, const char *value,
          fault_t *fault)
{
    long *level = field;

    *level = log_level_parse(value);
    if (*level < 0) {
        return fault_set(fault, 0,
                         "%s \"%s\" is not error, warn, info or debug",
                         key->name, value);
    }
    return 0;
}

static int
set_schema(const conf_key_t *key, void *field, const char *value,
           fault_t *fault)
{
    const char *p;

    for (p = value; *p != '\0'; p++) {
        if (!islower((unsigned char)*p)
            && (p == value || (!isdigit((unsigned char)*p) && *p != '_')))
        {
            break;
        }
    }
    if (*p != '\0' || p == value || p - value > CONF_MAX_SCHEMA) {
        return fault_set(fault, 0,
                         "%s \"%s\" is not [a-z][a-z0-9_]*, at most %d long",
                         key->name, value, CONF_MAX_SCHEMA);
    }
    return set_text(key, field, value, fault);
}

/* The value may hold a password: it is not quoted. */
static int
set_conninfo(const conf_key_t *key, void *field, const char *value,
             fault_t *fault)
{
    if (!pg_is_conninfo(value)) {
        return fault_set(fault, 0, "%s is not a connection string of libpq",
                         key->name);
    }
    return set_text(key, field, value, fault);
}

static int
set_host(const conf_key_t *key, void *field, const char *value, fault_t *fault)
{
    const char *p;

    for (p = value; isalnum((unsigned char)*p) || *p == '.' || *p == '-'; p++)
    {
        continue;
    }
    if (*p != '\0') {
        return fault_set(fault, 0, "%s \"%s\" is not a host name", key->name,
                         value);
    }
    return set_text(key, field, value, fault);
}

/* address:port of the loopback, or nothing. */
static int
set_listen(const conf_key_t *key, void *field, const char *value,
           fault_t *fault)
{
    struct sockaddr_storage address;
    char **text = field;
    fault_t reason;

    if (*value != '\0' && sight_parse(value, &address, &reason) != 0) {
        return fault_set(fault, 0, "%s %.200s", key->name, reason.text);
    }
    *text = strdup(value);
    return *text == NULL ? fault_set(fault, 0, "out of memory") : 0;
}

static int
set_nets(const conf_key_t *key, void *field, const char *value, fault_t *fault)
{
    fault_t found;

    if (guard_parse(field, value, &found) != 0) {
        return fault_set(fault, 0, "%s: %s", key->name, found.text);
    }
    return 0;
}

/* The scheme is the beginning of the key. */
static int
set_url(const conf_key_t *key, void *field, const char *value, fault_t *fault)
{
    char **text = field, scheme[5];

    (void)snprintf(scheme, sizeof(scheme), "%s", key->name);
    if (*value == '\0' && !(key->flags & REQUIRED)) {
        *text = strdup(value);
        return *text == NULL ? fault_set(fault, 0, "out of memory") : 0;
    }
    return conf_check_url(key->name, scheme, value, fault) != 0
               ? -1
               : set_text(key, field, value, fault);
}

static int
set_bounce(const conf_key_t *key, void *field, const char *value,
           fault_t *fault)
{
    return conf_check_bounce(key->name, value, fault) != 0
               ? -1
               : set_text(key, field, value, fault);
}

static int
set_folder(const conf_key_t *key, void *field, const char *value,
           fault_t *fault)
{
    return conf_check_folder(key->name, value, fault) != 0
               ? -1
               : set_text(key, field, value, fault);
}

static int
set_resolver(const conf_key_t *key, void *field, const char *value,
             fault_t *fault)
{
    char **text = field;

    if (conf_check_resolver(key->name, value, fault) != 0) {
        return -1;
    }
    *text = strdup(value);
    return *text == NULL ? fault_set(fault, 0, "out of memory") : 0;
}

static int
fail(reading_t *reading, int line)
{
    if (!reading->failed) {
        reading->failed = 1;
        reading->fault.line = line;
    }
    return 0; /* an error, to inih */
}

static int
on_key(void *user, const char *section, const char *name, const char *value)
{
    reading_t *reading = user;
    fault_t *fault = &reading->fault;
    size_t i;

    if (reading->failed) {
        return 0;
    }
    if (strcmp(section, CONF_SECTION) != 0) {
        (void)fault_set(fault, 0,
                        *section == '\0' ? "\"%s\" before any section"
                                         : "\"%s\" in unknown section \"%s\"",
                        name, section);
        return fail(reading, reading->line);
    }
    for (i = 0; i < N_KEYS; i++) {
        if (strcmp(name, keys[i].name) == 0) {
            break;
        }
    }
    if (i == N_KEYS) {
        (void)fault_set(fault, 0, "unknown key \"%s\"", name);
        return fail(reading, reading->line);
    }
    if (reading->lines[i] != 0) {
        (void)fault_set(fault, 0, "%s is repeated, first on line %d", name,
                        reading->lines[i]);
        return fail(reading, reading->line);
    }
    reading->lines[i] = reading->line;
    if (keys[i].set(&keys[i], (char *)reading->conf + keys[i].field, value,
                    fault)
        != 0)
    {
        return fail(reading, reading->line);
    }
    return 1;
}

/* inih asks for a line: this is how we know which one it is at. */
static char *
next_line(char *line, int size, void *user)
{
    reading_t *reading = user;

    if (fgets(line, size, reading->file) == NULL) {
        return NULL;
    }
    reading->line++;
    if (strchr(line, '\n') == NULL && !feof(reading->file) && !reading->failed)
    {
        (void)fault_set(&reading->fault, 0, "the line is longer than %d bytes",
                        size - 2);
        (void)fail(reading, reading->line);
        return NULL;
    }
    return line;
}

static int
read_lines(reading_t *reading)
{
    int line;

    ini_allow_multiline = 0;
    ini_allow_inline_comments = 0; /* passwords may have any character */
    ini_use_stack = 0;
    ini_initial_alloc = CONF_MAX_LINE;
    ini_max_line = CONF_MAX_LINE;
    line = ini_parse_stream(next_line, reading, on_key, reading);
    if (line > 0 && (!reading->failed || line < reading->fault.line)) {
        (void)fault_set(&reading->fault, line, "not \"key = value\"");
        return -1;
    }
    return reading->failed || line < 0 ? -1 : 0;
}

static int
set_defaults(reading_t *reading)
{
    void *field;
    size_t i;

    for (i = 0; i < N_KEYS; i++) {
        if (reading->lines[i] != 0) {
            continue;
        }
        if (keys[i].flags & REQUIRED) {
            return fault_set(&reading->fault, 0, "%s is missing",
                             keys[i].name);
        }
        field = (char *)reading->conf + keys[i].field;
        if (keys[i].initial != NULL
            && keys[i].set(&keys[i], field, keys[i].initial, &reading->fault)
                   != 0)
        {
            return -1;
        }
    }
    return 0;
}

static int
line_of(const reading_t *reading, const char *name)
{
    size_t i;

    for (i = 0; i < N_KEYS; i++) {
        if (strcmp(keys[i].name, name) == 0) {
            return reading->lines[i];
        }
    }
    return 0;
}

/* "%d/links.key": the credentials of the service. */
static int
resolve_paths(reading_t *reading, const char *conf_path)
{
    char **field, *path;
    size_t i;

    for (i = 0; i < N_KEYS; i++) {
        field = (char **)(void *)((char *)reading->conf + keys[i].field);
        if (!(keys[i].flags & PATH) || *field == NULL) {
            continue;
        }
        path = credential_path(*field, conf_path);
        if (path == NULL) {
            return fault_set(&reading->fault, reading->lines[i],
                             "%s is too long a path", keys[i].name);
        }
        free(*field);
        *field = path;
    }
    return 0;
}

/* Puts the file's password into the connection string. */
static int
read_database_password(reading_t *reading)
{
    conf_t *conf = reading->conf;
    fault_t fault;
    char *password, *conninfo;

    if (conf->database_password_file == NULL) {
        return 0;
    }
    password = credential_read(conf->database_password_file);
    if (password == NULL) {
        return fault_set(&reading->fault,
                         line_of(reading, "database_password_file"),
                         "database_password_file \"%s\": %s",
                         conf->database_password_file, strerror(errno));
    }
    conninfo = credential_conninfo(conf->database, password, &fault);
    credential_free(password);
    if (conninfo == NULL) {
        return fault_set(&reading->fault, line_of(reading, "database"),
                         "database: %s", fault.text);
    }
    credential_free(conf->database);
    conf->database = conninfo;
    return 0;
}

/* A user and the password in a file: both or none. */
static int
read_login(reading_t *reading, const char *what, const char *user,
           const char *file, char **password)
{
    char key[40];

    if ((user == NULL) != (file == NULL)) {
        return fault_set(&reading->fault, 0,
                         "%s_user and %s_password_file go together", what,
                         what);
    }
    if (file == NULL) {
        return 0;
    }
    (void)snprintf(key, sizeof(key), "%s_password_file", what);
    *password = credential_read(file);
    return *password == NULL
               ? fault_set(&reading->fault, line_of(reading, key),
                           "%s \"%s\": %s", key, file, strerror(errno))
               : 0;
}

static int
read_keys(reading_t *reading, const char *name, const char *file,
          leadq_keys_t **into)
{
    char err[sizeof(reading->fault.text) - 16];

    if (file == NULL) {
        return 0;
    }
    *into = leadq_keys_load(file, err, sizeof(err));
    return *into == NULL ? fault_set(&reading->fault, line_of(reading, name),
                                     "%s: %s", name, err)
                         : 0;
}

/* What the values name must be there. */
static int
read_files(reading_t *reading)
{
    conf_t *conf = reading->conf;
    fault_t *fault = &reading->fault;
    struct stat st;

    if (read_keys(reading, "keys", conf->keys_file, &conf->keys) != 0
        || read_keys(reading, "code_keys", conf->code_keys_file,
                     &conf->code_keys)
               != 0
        || read_keys(reading, "check_keys", conf->check_keys_file,
                     &conf->check_keys)
               != 0)
    {
        return -1;
    }
    if (conf->secrets_dir != NULL) {
        errno = 0;
        if (stat(conf->secrets_dir, &st) == 0 && !S_ISDIR(st.st_mode)) {
            errno = ENOTDIR;
        }
        if (errno != 0 || access(conf->secrets_dir, R_OK | X_OK) != 0) {
            return fault_set(fault, line_of(reading, "secrets_dir"),
                             "secrets_dir \"%s\": %s", conf->secrets_dir,
                             strerror(errno));
        }
    }
    if (read_login(reading, "smtp", conf->smtp_user, conf->smtp_password_file,
                   &conf->smtp_password)
            != 0
        || read_login(reading, "imap", conf->imap_user,
                      conf->imap_password_file, &conf->imap_password)
               != 0)
    {
        return -1;
    }
    if (*conf->imap_url != '\0'
        && (conf->imap_user == NULL || conf->bounce_address == NULL))
    {
        return fault_set(fault, line_of(reading, "imap_url"),
                         "imap_url needs imap_user and bounce_address");
    }
    return read_database_password(reading);
}

conf_t *
conf_load(const char *path, char *err, size_t errlen)
{
    reading_t reading;
    int failed;

    memset(&reading, 0, sizeof(reading));
    reading.file = fopen(path, "re");
    if (reading.file == NULL) {
        (void)snprintf(err, errlen, "%s: %s", path, strerror(errno));
        return NULL;
    }
    (void)fault_set(&reading.fault, 0, "out of memory");
    reading.conf = calloc(1, sizeof(*reading.conf));
    failed = reading.conf == NULL || read_lines(&reading) != 0
             || set_defaults(&reading) != 0
             || resolve_paths(&reading, path) != 0
             || read_files(&reading) != 0;
    (void)fclose(reading.file);
    if (!failed) {
        return reading.conf;
    }
    if (reading.fault.line > 0) {
        (void)snprintf(err, errlen, "%s:%d: %s", path, reading.fault.line,
                       reading.fault.text);
    } else {
        (void)snprintf(err, errlen, "%s: %s", path, reading.fault.text);
    }
    conf_free(reading.conf);
    return NULL;
}

void
conf_free(conf_t *conf)
{
    if (conf == NULL) {
        return;
    }
    leadq_keys_free(conf->keys);
    leadq_keys_free(conf->code_keys);
    leadq_keys_free(conf->check_keys);
    credential_free(conf->smtp_password);
    credential_free(conf->imap_password);
    credential_free(conf->database);
    free(conf->database_password_file);
    free(conf->schema);
    free(conf->keys_file);
    free(conf->code_keys_file);
    free(conf->check_keys_file);
    free(conf->secrets_dir);
    free(conf->smtp_url);
    free(conf->smtp_user);
    free(conf->smtp_password_file);
    free(conf->smtp_helo);
    free(conf->bounce_address);
    free(conf->imap_url);
    free(conf->imap_user);
    free(conf->imap_password_file);
    free(conf->imap_folder);
    free(conf->imap_done_folder);
    free(conf->resolver);
    free(conf->metrics_listen);
    free(conf);
}

const char *
conf_needs_restart(const conf_t *old, const conf_t *conf)
{
    size_t i;

    for (i = 0; i < N_KEYS; i++) {
        /* keys that need a restart are texts, and never NULL */
        if ((keys[i].flags & RESTART)
            && strcmp(*(char *const *)(const void *)((const char *)old
                                                     + keys[i].field),
                      *(char *const *)(const void *)((const char *)conf
                                                     + keys[i].field))
                   != 0)
        {
            return keys[i].name;
        }
    }
    return NULL;
}
