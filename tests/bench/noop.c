/*
 * A worker without hands: claims jobs and settles them as done, by the very
 * statements of leadq-worker, over one connection in pipeline mode.  So it
 * shows what the queue itself costs.
 *
 *   noop CONNINFO BATCH JOBS      until JOBS were settled, or none is left
 *
 * Prints how many it has settled.  While one batch is being settled the next
 * claim is under way already.
 */

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID_SIZE 24    /* characters of an id with its comma */
#define TOKEN_SIZE 40 /* of a token */
#define BATCH_MAX 1000

static const char claim_sql[] =
    "select job_id, token, kind, target, attempt, payload"
    " from leadq.claim_jobs($1, '{realtime,service,bulk}', $2, $3, $4)";
static const char settle_sql[] =
    "select job_id, settled, state, next_s"
    " from leadq.settle_jobs($1, $2, $3, $4)";

static void
die(PGconn *conn, const char *what)
{
    (void)fprintf(stderr, "%s: %s", what, PQerrorMessage(conn));
    exit(EXIT_FAILURE);
}

static void
send_claim(PGconn *conn, long batch, const char *cursor)
{
    char limits[80], after[80];
    const char *values[] = {"noop", limits, after, "60"};

    (void)snprintf(limits, sizeof(limits), "{0,%ld,0}", batch);
    (void)snprintf(after, sizeof(after), "{0,%s,0}", cursor);
    if (PQsendQueryParams(conn, claim_sql, 4, NULL, values, NULL, NULL, 0) != 1
        || PQpipelineSync(conn) != 1)
    {
        die(conn, "claim");
    }
}

/* Settles what was claimed. */
static void
send_settle(PGconn *conn, const PGresult *jobs)
{
    static char arrays[4][BATCH_MAX * TOKEN_SIZE];
    const char *values[4];
    size_t len[4] = {0, 0, 0, 0};
    int i, row;

    for (row = 0; row < PQntuples(jobs); row++) {
        const char *words[4];

        words[0] = PQgetvalue(jobs, row, 0);
        words[1] = PQgetvalue(jobs, row, 1);
        words[2] = "done";
        words[3] = "{\\\"ms\\\": 1}";
        for (i = 0; i < 4; i++) {
            len[i] += (size_t)snprintf(arrays[i] + len[i],
                                       sizeof(arrays[i]) - len[i], "%s\"%s\"",
                                       row == 0 ? "{" : ",", words[i]);
        }
    }
    for (i = 0; i < 4; i++) {
        (void)snprintf(arrays[i] + len[i], sizeof(arrays[i]) - len[i], "}");
        values[i] = arrays[i];
    }
    if (PQsendQueryParams(conn, settle_sql, 4, NULL, values, NULL, NULL, 0)
            != 1
        || PQpipelineSync(conn) != 1)
    {
        die(conn, "settle");
    }
}

/* The rows of the next statement, past its Sync. */
static PGresult *
receive(PGconn *conn)
{
    PGresult *rows, *res;

    rows = PQgetResult(conn);
    if (PQresultStatus(rows) != PGRES_TUPLES_OK) {
        die(conn, "answer");
    }
    while ((res = PQgetResult(conn)) == NULL
           || PQresultStatus(res) != PGRES_PIPELINE_SYNC)
    {
        PQclear(res);
    }
    PQclear(res);
    return rows;
}

int
main(int argc, char **argv)
{
    char cursor[ID_SIZE] = "0";
    long batch, wanted, settled;
    PGresult *jobs, *answers;
    PGconn *conn;
    int n, row;

    batch = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    if (batch < 1 || batch > BATCH_MAX) {
        (void)fputs("usage: noop CONNINFO BATCH JOBS\n", stderr);
        return EXIT_FAILURE;
    }
    wanted = strtol(argv[3], NULL, 10);
    conn = PQconnectdb(argv[1]);
    if (PQstatus(conn) != CONNECTION_OK || PQenterPipelineMode(conn) != 1) {
        die(conn, "connect");
    }
    settled = 0;
    send_claim(conn, batch, cursor);
    for (;;) {
        jobs = receive(conn);
        n = PQntuples(jobs);
        if (n == 0) {
            break;
        }
        (void)snprintf(cursor, sizeof(cursor), "%s",
                       PQgetvalue(jobs, n - 1, 0));
        send_settle(conn, jobs);
        send_claim(conn, settled + n < wanted ? batch : 0, cursor);
        PQclear(jobs);
        answers = receive(conn);
        for (row = 0; row < PQntuples(answers); row++) {
            settled += *PQgetvalue(answers, row, 1) == 't';
        }
        PQclear(answers);
    }
    PQclear(jobs);
    PQfinish(conn);
    (void)printf("%ld\n", settled);
    return EXIT_SUCCESS;
}
