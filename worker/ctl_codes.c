/*
 * leadqctl codes generate, list: promo codes of a programme.
 *
 * Codes are made here, a few thousand at a time, and are in the base before
 * anybody sees one: each batch of them is one transaction, in which SQL says
 * how many are new, and what is then written is read from the base.  So
 * whoever is interrupted, here or there, says --batch and gets the whole
 * list: what was committed, and the rest.
 */

#include "ctl_codes.h"
#include "ctl_command.h"
#include "ctl_db.h"
#include "ctl_error.h"
#include "ctl_interrupt.h"
#include "ctl_progress.h"
#include "ctl_table.h"

#include "array.h"
#include "leadq_uuid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_COUNT 10000000
#define BATCH 5000
#define MAX_ARRAY (1024 * 1024) /* of a batch */

/* PostgreSQL's text of a number of 64 bits. */
#define NUMBER_SIZE 24

typedef struct {
    const ctl_options_t *options; /* borrowed */
    char batch[LEADQ_UUID_LEN + 1];
    unsigned long count;    /* codes that are wanted */
    unsigned long have;     /* that are in the base */
    char last[NUMBER_SIZE]; /* id of the one that was written last */
    ctl_db_t db;
    FILE *out;         /* owned, unless it is standard output */
    const char *where; /* its name; borrowed */
    ctl_random_t random;
    ctl_progress_t progress;
    buf_t codes;
} generate_t;

/* --- the list ------------------------------------------------------------ */

/* Codes are money: the file is for its owner alone. */
static int
open_list(generate_t *g)
{
    int fd;

    g->where = "standard output";
    g->out = stdout;
    if (g->options->out != NULL) {
        g->where = g->options->out;
        fd = open(g->where, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        g->out = fd == -1 ? NULL : fdopen(fd, "w");
    }
    if (g->out == NULL) {
        return ctl_error("%s: %s", g->where, strerror(errno));
    }
    (void)setvbuf(g->out, NULL, _IOFBF, 65536);
    (void)fputs("code\n", g->out);
    return 0;
}

/* Rows of batch_codes(). */
static int
write_codes(generate_t *g, const PGresult *res)
{
    char shown[CTL_CODES_SHOWN_SIZE];
    int i, n = PQntuples(res);

    for (i = 0; i < n; i++) {
        if (PQgetlength(res, i, 1) != LEADQ_PROMO_LEN) {
            return ctl_error("the base has a code of another length");
        }
        ctl_codes_show(PQgetvalue(res, i, 1), shown);
        (void)fprintf(g->out, "%s\n", shown);
    }
    if (n > 0) {
        (void)snprintf(g->last, sizeof(g->last), "%s",
                       PQgetvalue(res, n - 1, 0));
    }
    if (fflush(g->out) == EOF || ferror(g->out)) {
        return ctl_error("%s: %s", g->where, strerror(errno));
    }
    return 0;
}

static int
close_list(generate_t *g)
{
    int failed;

    if (g->out == NULL || g->out == stdout) {
        return 0;
    }
    failed = fsync(fileno(g->out)) == -1 && errno != EINVAL;
    failed = fclose(g->out) == EOF || failed;
    g->out = NULL;
    return failed ? ctl_error("%s: %s", g->where, strerror(errno)) : 0;
}

/* --- the base ------------------------------------------------------------ */

/* A number that a function has returned; -1: it has not. */
static long
call_number(generate_t *g, const char *sql, int n, const char *const *values)
{
    PGresult *res;
    long number;

    res = ctl_db_query(&g->db, sql, n, values);
    if (res == NULL) {
        return -1;
    }
    number = strtol(PQgetvalue(res, 0, 0), NULL, 10);
    PQclear(res);
    return number;
}

/* Begins a transaction in which nobody else adds to the batch. */
static int
begin(generate_t *g)
{
    const char *const values[] = {g->options->operand, g->batch};
    long have;

    if (ctl_db_begin(&g->db, 1) == -1) {
        return -1;
    }
    have = call_number(g, "select leadq.begin_batch($1, $2::uuid)", 2, values);
    g->have = have == -1 ? g->have : (unsigned long)have;
    return have == -1 ? -1 : 0;
}

/* Ends it, and writes what has come to the batch. */
static int
commit(generate_t *g, int *rows)
{
    char limit[NUMBER_SIZE];
    const char *const values[] = {g->batch, g->last, limit};
    PGresult *res;
    int rc;

    (void)snprintf(limit, sizeof(limit), "%d", BATCH);
    res = ctl_db_query(&g->db,
                       "select code_id, code from leadq.batch_codes($1::uuid,"
                       " $2::bigint, $3::integer)",
                       3, values);
    if (res == NULL) {
        return -1;
    }
    rc = ctl_db_commit(&g->db);
    if (rc == 0) {
        *rows = PQntuples(res);
        rc = write_codes(g, res);
    }
    PQclear(res);
    return rc;
}

static int
make_codes(generate_t *g, unsigned long n)
{
    char code[LEADQ_PROMO_LEN + 1];

    buf_reset(&g->codes);
    for (; n > 0; n--) {
        if (ctl_codes_make(&g->random, code) == -1) {
            return ctl_error("no random bytes: %s", strerror(errno));
        }
        array_add(&g->codes, code);
    }
    array_end(&g->codes);
    return g->codes.failed ? ctl_error("no memory") : 0;
}

/* One batch; 1: the base has what is wanted, and it is written. */
static int
take_batch(generate_t *g)
{
    const char *values[3];
    unsigned long missing;
    long added = 0;
    int rows;

    if (begin(g) == -1) {
        return -1;
    }
    missing = g->have < g->count ? g->count - g->have : 0;
    missing = missing < BATCH ? missing : BATCH;
    if (missing > 0) {
        if (make_codes(g, missing) == -1) {
            return -1;
        }
        values[0] = g->options->operand;
        values[1] = g->batch;
        values[2] = buf_str(&g->codes);
        added = call_number(
            g, "select leadq.add_codes($1, $2::uuid, $3::text[])", 3, values);
        if (added == -1) {
            return -1;
        }
    }
    if (commit(g, &rows) == -1) {
        return -1;
    }
    g->have += (unsigned long)added;
    ctl_progress_show(&g->progress, g->have, g->have);
    return g->have >= g->count && rows < BATCH;
}

/* What the batch has already is written before more is made. */
static int
write_old(generate_t *g)
{
    int rows;

    do {
        if (begin(g) == -1 || commit(g, &rows) == -1) {
            return -1;
        }
    } while (rows == BATCH && !ctl_interrupted());
    return 0;
}

/* --- generate ------------------------------------------------------------ */

static int
generate(generate_t *g)
{
    int rc;

    if (ctl_db_open(&g->db, g->options) == -1 || begin(g) == -1
        || ctl_db_commit(&g->db) == -1 || open_list(g) == -1)
    {
        return -1;
    }
    (void)fprintf(stderr, "leadqctl: batch %s\n", g->batch);
    ctl_interrupt_catch();
    rc = g->options->batch == NULL ? 0 : write_old(g);
    ctl_progress_begin(&g->progress, "codes", g->count, g->have, g->have);
    while (rc == 0 && !ctl_interrupted()) {
        rc = take_batch(g);
    }
    ctl_progress_end(&g->progress);
    if (rc == 0) {
        (void)ctl_error("interrupted");
    }
    if (close_list(g) == -1) {
        rc = -1;
    }
    if (rc == 1) {
        (void)fprintf(g->options->out == NULL ? stderr : stdout,
                      "batch %s: %lu codes\n", g->batch, g->have);
        return 0;
    }
    return ctl_error("stopped at %lu codes of %lu; the same command with "
                     "--batch %s writes them and goes on",
                     g->have, g->count, g->batch);
}

/* --batch, or one of our own. */
static int
read_batch(const char *text, char batch[LEADQ_UUID_LEN + 1])
{
    leadq_uuid_gen_t gen;
    struct timespec now;
    unsigned char id[16];

    if (text == NULL) {
        leadq_uuid_init(&gen);
        (void)clock_gettime(CLOCK_REALTIME, &now);
        if (leadq_uuid_next(&gen,
                            (uint64_t)now.tv_sec * 1000
                                + (uint64_t)now.tv_nsec / 1000000,
                            id)
            == -1)
        {
            return ctl_error("no random bytes");
        }
    } else if (leadq_uuid_parse(text, strlen(text), id) == -1) {
        return ctl_error("--batch \"%s\" is not a UUID", text);
    }
    leadq_uuid_format(id, batch);
    return 0;
}

static int
read_count(const char *text, unsigned long *count)
{
    char *end;

    errno = 0;
    *count = strtoul(text, &end, 10);
    if (errno != 0 || text[0] < '0' || text[0] > '9' || *end != '\0'
        || *count < 1 || *count > MAX_COUNT)
    {
        return ctl_error("COUNT \"%s\" is not a number 1..%d", text,
                         MAX_COUNT);
    }
    return 0;
}

ctl_exit_e
ctl_codes_generate(const ctl_options_t *options)
{
    static generate_t g;
    int rc;

    memset(&g, 0, sizeof(g));
    g.options = options;
    g.last[0] = '0';
    if (read_count(options->second, &g.count) == -1
        || read_batch(options->batch, g.batch) == -1)
    {
        return CTL_USAGE;
    }
    buf_init(&g.codes, MAX_ARRAY);
    rc = generate(&g);
    buf_done(&g.codes);
    ctl_db_close(&g.db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}

/* --- list ---------------------------------------------------------------- */

static int
list(ctl_db_t *db, const ctl_options_t *options)
{
    const char *const values[] = {options->operand};
    PGresult *res;
    int rc;

    res = ctl_db_query(db,
                       "select batch, to_char(made, 'YYYY-MM-DD HH24:MI:SS')"
                       " as made, codes, used from leadq.batches($1)",
                       1, values);
    if (res == NULL) {
        return -1;
    }
    rc = ctl_table_show(res, options->json);
    PQclear(res);
    return rc;
}

ctl_exit_e
ctl_codes_list(const ctl_options_t *options)
{
    ctl_db_t db = {0};
    int rc = -1;

    if (ctl_db_open(&db, options) == 0 && ctl_db_begin(&db, 1) == 0) {
        rc = list(&db, options);
    }
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}
