/*
 * leadqctl import: an old base, a CSV file of any size, becomes leads of a
 * source.
 *
 * Lines are read and checked one by one, good ones go to SQL in batches.  A
 * batch is one transaction, which also keeps how far the file has been read:
 * whoever is interrupted, here or there, goes on from the last batch with
 * the same command.  And a lead's id follows from its source and address, so
 * that none becomes two, whatever file it comes in.
 */

#include "ctl_import.h"
#include "ctl_command.h"
#include "ctl_db.h"
#include "ctl_error.h"
#include "ctl_interrupt.h"
#include "ctl_progress.h"
#include "ctl_table.h"

#include "array.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BATCH_LEADS 500
#define BATCH_BYTES (1024 * 1024) /* of requests */
#define BATCH_LINES 10000         /* refused ones among them */
#define MAX_ARRAY (16 * 1024 * 1024)
#define MAX_TRIES 5 /* of a batch that met somebody else's locks */

typedef struct {
    const ctl_options_t *options; /* borrowed */
    FILE *file;                   /* owned */
    uint64_t size;
    char what[2 * EVP_MAX_MD_SIZE + 1]; /* the hash of file and options */
    ctl_db_t db;
    records_t records;
    ctl_import_map_t map;
    ctl_import_report_t report;
    ctl_progress_t progress;

    char *id; /* of the import; owned, as the next ones */
    char *salt;
    char *outcomes;
    int ended; /* the whole file is read */
    uint64_t at;
    uint64_t lines;
    uint64_t max_lines; /* of this run; 0: all */

    buf_t ids; /* the batch */
    buf_t requests;
    unsigned n_leads;
    unsigned n_lines;
} import_t;

/* --- the file ------------------------------------------------------------ */

static int
hash_file(import_t *import, EVP_MD_CTX *md)
{
    char chunk[65536];
    size_t n;

    while ((n = fread(chunk, 1, sizeof(chunk), import->file)) > 0) {
        if (EVP_DigestUpdate(md, chunk, n) != 1) {
            return -1;
        }
    }
    if (ferror(import->file)) {
        return -1;
    }
    rewind(import->file);
    return 0;
}

/* What is imported, and how it is read: both make it the same import. */
static int
hash_what(import_t *import)
{
    const ctl_options_t *options = import->options;
    const char *const parts[] = {options->map, options->set,
                                 options->delimiter, options->encoding};
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int i, len;
    EVP_MD_CTX *md;
    int rc;

    md = EVP_MD_CTX_new();
    rc = md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 ? 0 : -1;
    for (i = 0; i < sizeof(parts) / sizeof(parts[0]) && rc == 0; i++) {
        len = parts[i] == NULL ? 0 : (unsigned)strlen(parts[i]);
        rc = EVP_DigestUpdate(md, parts[i], len) == 1
                     && EVP_DigestUpdate(md, "", 1) == 1
                 ? 0
                 : -1;
    }
    errno = 0;
    if (rc == 0) {
        rc = hash_file(import, md);
    }
    if (rc == 0 && EVP_DigestFinal_ex(md, digest, &len) == 1) {
        for (i = 0; i < len; i++) {
            (void)snprintf(import->what + (size_t)i * 2, 3, "%02x", digest[i]);
        }
    } else {
        rc = ctl_error("%s: %s", options->operand,
                       errno == 0 ? "no memory" : strerror(errno));
    }
    EVP_MD_CTX_free(md);
    return rc;
}

static int
open_file(import_t *import)
{
    const char *path = import->options->operand;
    struct stat st;

    import->file = fopen(path, "re");
    if (import->file == NULL || fstat(fileno(import->file), &st) == -1) {
        return ctl_error("%s: %s", path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode)) {
        return ctl_error("%s: is not a file: what is imported is read twice",
                         path);
    }
    import->size = (uint64_t)st.st_size;
    return hash_what(import);
}

/* --delimiter: a character, or its name. */
static int
read_delimiter(const char *text, char *delimiter)
{
    if (text == NULL) {
        return 0;
    }
    if (strcmp(text, "tab") == 0 || strcmp(text, "\t") == 0) {
        *delimiter = '\t';
    } else if (strlen(text) == 1 && strchr("\"\r\n", text[0]) == NULL
               && (unsigned char)text[0] < 0x80)
    {
        *delimiter = text[0];
    } else {
        return ctl_error("--delimiter \"%s\" is not one character, or tab",
                         text);
    }
    return 0;
}

/* Reads the first line: the names of the columns. */
static int
open_records(import_t *import)
{
    const ctl_options_t *options = import->options;
    fault_t fault;
    char delimiter = RECORDS_AUTO;

    if (read_delimiter(options->delimiter, &delimiter) == -1) {
        return -1;
    }
    if (records_init(&import->records, import->file, delimiter,
                     options->encoding, &fault)
        == -1)
    {
        return ctl_error("%s: %s", options->operand, fault.text);
    }
    switch (records_next(&import->records)) {
    case RECORDS_ROW:
        return 0;
    case RECORDS_BAD:
        return ctl_error("%s:%llu: %s", options->operand,
                         (unsigned long long)import->records.line,
                         import->records.detail);
    case RECORDS_END:
        return ctl_error("%s: is empty: the first line names the columns",
                         options->operand);
    case RECORDS_FAILED:
        break;
    }
    return ctl_error("%s: %s", options->operand, strerror(errno));
}

/* --- the database -------------------------------------------------------- */

/* How far the import has come; of a new one nothing is kept yet. */
static int
find_place(import_t *import, int *letters)
{
    const char *const values[] = {import->options->source, import->what};
    PGresult *res;

    if (ctl_db_open(&import->db, import->options) == -1
        || ctl_db_begin(&import->db, 1) == -1)
    {
        return -1;
    }
    res = ctl_db_query(&import->db,
                       "select import_id, salt, outcomes, at_byte, lines,"
                       " ended, letters from leadq.import_begin($1, $2)",
                       2, values);
    if (res == NULL) {
        return -1;
    }
    import->id = strdup(PQgetvalue(res, 0, 0));
    import->salt = strdup(PQgetvalue(res, 0, 1));
    import->outcomes = strdup(PQgetvalue(res, 0, 2));
    import->at = strtoull(PQgetvalue(res, 0, 3), NULL, 10);
    import->lines = strtoull(PQgetvalue(res, 0, 4), NULL, 10);
    import->ended = PQgetvalue(res, 0, 5)[0] == 't';
    *letters = PQgetvalue(res, 0, 6)[0] == 't';
    PQclear(res);
    if (import->id == NULL || import->salt == NULL || import->outcomes == NULL)
    {
        return ctl_error("no memory");
    }
    return 0;
}

/* One try; the outcomes, owned by the caller, or a bad result. */
static PGresult *
try_batch(import_t *import, const char *const *values)
{
    PGresult *res;

    if (ctl_db_begin(&import->db, 1) == -1) {
        return NULL;
    }
    res = ctl_db_try(&import->db,
                     "select leadq.import_leads($1::bigint, $2::bigint,"
                     " $3::bigint, $4::bigint, $5::jsonb, $6::uuid[],"
                     " $7::text[], $8::boolean)",
                     8, values);
    if (!ctl_db_good(res)) {
        return res;
    }
    if (ctl_db_commit(&import->db) == -1) {
        PQclear(res);
        return NULL;
    }
    return res;
}

/* Whether a worker was in the way, and the batch may be sent again. */
static int
may_retry(const PGresult *res)
{
    const char *state;

    state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    return state != NULL && strncmp(state, "40", 2) == 0;
}

static int
call_batch(import_t *import, const char *const *values)
{
    PGresult *res;
    char *outcomes;
    int tries;

    for (tries = 1; (res = try_batch(import, values)) != NULL; tries++) {
        if (ctl_db_good(res)) {
            break;
        }
        if (!may_retry(res) || tries == MAX_TRIES) {
            ctl_db_report(&import->db, res);
            PQclear(res);
            return -1;
        }
        PQclear(res);
        if (ctl_db_do(&import->db, "rollback", 0, NULL) == -1) {
            return -1;
        }
    }
    if (res == NULL) {
        return -1;
    }
    outcomes = strdup(PQgetvalue(res, 0, 0));
    PQclear(res);
    free(import->outcomes);
    import->outcomes = outcomes;
    return outcomes == NULL ? ctl_error("no memory") : 0;
}

/* The lines before the next record. */
static uint64_t
lines_read(const import_t *import)
{
    return import->records.line + import->records.n_used - 1;
}

static void
empty_batch(import_t *import)
{
    buf_reset(&import->ids);
    buf_reset(&import->requests);
    import->n_leads = 0;
    import->n_lines = 0;
    import->at = import->records.end;
    import->lines = lines_read(import);
    json_object_clear(import->report.counts);
}

static int
send_batch(import_t *import, int last)
{
    char from[24], to[24], lines[24];
    const char *values[8];
    char *refused;
    int rc;

    if (ctl_import_report_flush(&import->report) == -1) {
        return -1;
    }
    array_end(&import->ids);
    array_end(&import->requests);
    refused = json_dumps(import->report.counts, JSON_COMPACT);
    if (refused == NULL || import->ids.failed || import->requests.failed) {
        free(refused);
        return ctl_error("no memory");
    }
    (void)snprintf(from, sizeof(from), "%llu", (unsigned long long)import->at);
    (void)snprintf(to, sizeof(to), "%llu",
                   (unsigned long long)import->records.end);
    (void)snprintf(lines, sizeof(lines), "%llu",
                   (unsigned long long)lines_read(import));
    values[0] = import->id;
    values[1] = from;
    values[2] = to;
    values[3] = lines;
    values[4] = refused;
    values[5] = buf_str(&import->ids);
    values[6] = buf_str(&import->requests);
    values[7] = last ? "true" : "false";
    rc = import->options->dry_run ? 0 : call_batch(import, values);
    free(refused);
    if (rc == 0) {
        empty_batch(import);
        ctl_progress_show(&import->progress, import->at, import->lines);
    }
    return rc;
}

/* --- lines --------------------------------------------------------------- */

static int
take_row(import_t *import, buf_t *row)
{
    static leadq_errors_t errors;
    char id[LEADQ_UUID_LEN + 1];

    if (ctl_import_map_check(&import->map, &import->records, &errors, row)
        == -1) {
        return ctl_error("no memory");
    }
    if (errors.n > 0) {
        return ctl_import_report_add(&import->report, &import->records,
                                     &errors);
    }
    if (ctl_import_map_id(&import->map, import->salt, row, id) == -1) {
        return ctl_error("no memory");
    }
    array_add(&import->ids, id);
    array_add(&import->requests, buf_str(row));
    import->n_leads++;
    return 0;
}

/* 1: the run is over, its last batch is sent. */
static int
take_next(import_t *import, buf_t *row, uint64_t stop_at)
{
    records_e what;
    int rc;

    what = records_next(&import->records);
    switch (what) {
    case RECORDS_ROW:
        rc = take_row(import, row);
        break;
    case RECORDS_BAD:
        rc = ctl_import_report_add(&import->report, &import->records, NULL);
        break;
    case RECORDS_END:
        import->ended = 1;
        return send_batch(import, 1) == -1 ? -1 : 1;
    case RECORDS_FAILED:
    default:
        return ctl_error("%s: %s", import->options->operand, strerror(errno));
    }
    if (rc == -1) {
        return -1;
    }
    import->n_lines++;
    if (ctl_interrupted() || (stop_at != 0 && lines_read(import) >= stop_at)) {
        return send_batch(import, 0) == -1 ? -1 : 1;
    }
    if (import->n_leads == BATCH_LEADS || import->n_lines == BATCH_LINES
        || import->requests.len >= BATCH_BYTES)
    {
        return send_batch(import, 0);
    }
    return 0;
}

static int
take_lines(import_t *import)
{
    uint64_t stop_at;
    buf_t row;
    int rc;

    if (import->at > 0
        && records_seek(&import->records, import->at, import->lines) == -1)
    {
        return ctl_error("%s: %s", import->options->operand, strerror(errno));
    }
    stop_at =
        import->max_lines == 0 ? 0 : lines_read(import) + import->max_lines;
    ctl_progress_begin(&import->progress, "lines", import->size, import->at,
                       import->lines);
    buf_init(&row, BATCH_BYTES);
    while ((rc = take_next(import, &row, stop_at)) == 0) {
    }
    buf_done(&row);
    ctl_progress_end(&import->progress);
    return rc == 1 ? 0 : -1;
}

/* --- what became of them ------------------------------------------------- */

static int
print_outcomes(const import_t *import, int ended)
{
    const ctl_options_t *options = import->options;
    json_t *json, *value;
    const char *name;

    json = json_loads(import->outcomes, 0, NULL);
    if (options->json) {
        return ctl_table_json(json_pack(
            "{s:s, s:I, s:b, s:o}", "source", options->source, "lines",
            (json_int_t)import->lines, "ended", ended, "outcomes", json));
    }
    (void)printf("%s: %llu lines read%s\n", options->operand,
                 (unsigned long long)import->lines,
                 ended ? ", to the end" : "; the same command goes on");
    json_object_foreach(json, name, value)
    {
        (void)printf("%10lld  %s\n", (long long)json_integer_value(value),
                     name);
    }
    json_decref(json);
    return 0;
}

/* A dry run has no outcomes but those that it refused. */
static int
print_dry_run(const import_t *import)
{
    (void)printf("%s: %llu lines read, %lu would be refused; nothing was "
                 "changed\n",
                 import->options->operand, (unsigned long long)import->lines,
                 import->report.lines);
    return 0;
}

static int
finish(import_t *import, int ended)
{
    int rc;

    if (import->options->dry_run) {
        return print_dry_run(import);
    }
    rc = print_outcomes(import, ended);
    return ctl_interrupted() ? ctl_error("interrupted") : rc;
}

static int
run(import_t *import)
{
    int letters;

    if (open_file(import) == -1 || open_records(import) == -1
        || find_place(import, &letters) == -1)
    {
        return -1;
    }
    if (import->ended) {
        (void)fprintf(stderr, "leadqctl: %s was imported before\n",
                      import->options->operand);
        return print_outcomes(import, 1);
    }
    if (ctl_import_map_init(&import->map, &import->records, import->options,
                            letters)
            == -1
        || ctl_import_report_init(&import->report, import->options,
                                  &import->records, import->at > 0)
               == -1
        || ctl_db_do(&import->db,
                     import->options->dry_run ? "rollback" : "commit", 0, NULL)
               == -1)
    {
        return -1;
    }
    ctl_interrupt_catch();
    if (take_lines(import) == -1) {
        return ctl_error("stopped behind line %llu; the same command goes on "
                         "from there",
                         (unsigned long long)import->lines);
    }
    return finish(import, import->ended);
}

static void
import_done(import_t *import)
{
    ctl_import_report_done(&import->report);
    ctl_import_map_done(&import->map);
    records_done(&import->records);
    ctl_db_close(&import->db);
    if (import->file != NULL) {
        (void)fclose(import->file);
    }
    free(import->id);
    free(import->salt);
    free(import->outcomes);
    buf_done(&import->ids);
    buf_done(&import->requests);
}

/* --lines: how much of the file is taken in this run. */
static int
read_lines(const char *text, uint64_t *lines)
{
    unsigned long long number;
    char *end;

    *lines = 0;
    if (text == NULL) {
        return 0;
    }
    errno = 0;
    number = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || text[0] < '0' || text[0] > '9'
        || number == 0)
    {
        return ctl_error("--lines \"%s\" is not a number from 1", text);
    }
    *lines = number;
    return 0;
}

ctl_exit_e
ctl_import(const ctl_options_t *options)
{
    static import_t import;
    int rc;

    if (options->source == NULL) {
        (void)ctl_error("import needs --source NAME");
        return CTL_USAGE;
    }
    memset(&import, 0, sizeof(import));
    import.options = options;
    buf_init(&import.ids, MAX_ARRAY);
    buf_init(&import.requests, MAX_ARRAY);
    if (read_lines(options->lines, &import.max_lines) == -1) {
        return CTL_USAGE;
    }
    rc = run(&import);
    import_done(&import);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}
