
/*
 * What the result of a batch means for its jobs.
 *
 *     rows and a commit        every row has its answer
 *     class 22, 23, P0         some row is to blame: halves, until it is alone
 *     40001, 40P01             once more, then halves
 *     53, 57014, 55P03         later: 503
 *     08, 57P, 25006           the lane is lost (see pg), the rows wait again
 *     the rest                 a bug of the schema: 500
 */

#include "ngx_http_leadq.h"


typedef enum {
    NGX_HTTP_LEADQ_HALVE,
    NGX_HTTP_LEADQ_RESEND,
    NGX_HTTP_LEADQ_LATER,
    NGX_HTTP_LEADQ_RECONNECT,
    NGX_HTTP_LEADQ_BUG
} ngx_http_leadq_verdict_e;


static ngx_http_leadq_verdict_e ngx_http_leadq_verdict(const char *sqlstate);
static ngx_http_leadq_outcome_e ngx_http_leadq_alone(const char *sqlstate);
static void ngx_http_leadq_batch_answer(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch);
static ngx_uint_t ngx_http_leadq_batch_row(ngx_http_leadq_batch_t *batch,
    int row, ngx_http_leadq_answer_t *answer);
static void ngx_http_leadq_batch_fail(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch, ngx_uint_t from, ngx_uint_t n,
    ngx_http_leadq_outcome_e outcome);
static void ngx_http_leadq_batch_again(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch, ngx_uint_t from, ngx_uint_t n);


/* The first prefix that fits decides. */

static const struct {
    const char                *prefix;
    ngx_http_leadq_verdict_e   verdict;
} ngx_http_leadq_verdicts[] = {
    { "22", NGX_HTTP_LEADQ_HALVE },         /* data exception */
    { "23", NGX_HTTP_LEADQ_HALVE },         /* integrity constraint */
    { "P0", NGX_HTTP_LEADQ_HALVE },         /* raise in plpgsql */
    { "40001", NGX_HTTP_LEADQ_RESEND },     /* serialization failure */
    { "40P01", NGX_HTTP_LEADQ_RESEND },     /* deadlock */
    { "53", NGX_HTTP_LEADQ_LATER },         /* insufficient resources */
    { "57014", NGX_HTTP_LEADQ_LATER },      /* statement_timeout */
    { "55P03", NGX_HTTP_LEADQ_LATER },      /* lock_timeout */
    { "08", NGX_HTTP_LEADQ_RECONNECT },     /* connection exception */
    { "57P", NGX_HTTP_LEADQ_RECONNECT },    /* shutdown, crash, starting */
    { "25006", NGX_HTTP_LEADQ_RECONNECT },  /* read-only: a standby now */
    { "", NGX_HTTP_LEADQ_BUG }
};


static ngx_http_leadq_verdict_e
ngx_http_leadq_verdict(const char *sqlstate)
{
    size_t      len;
    ngx_uint_t  i;

    for (i = 0; /* void */ ; i++) {
        len = ngx_strlen(ngx_http_leadq_verdicts[i].prefix);

        if (ngx_strncmp(sqlstate, ngx_http_leadq_verdicts[i].prefix, len)
            == 0)
        {
            return ngx_http_leadq_verdicts[i].verdict;
        }
    }
}


ngx_uint_t
ngx_http_leadq_ends_lane(const char *sqlstate)
{
    return ngx_http_leadq_verdict(sqlstate) == NGX_HTTP_LEADQ_RECONNECT;
}


/* What a row gets that fails all alone. */

static ngx_http_leadq_outcome_e
ngx_http_leadq_alone(const char *sqlstate)
{
    if (ngx_strncmp(sqlstate, "22", 2) == 0) {
        return NGX_HTTP_LEADQ_REFUSED;
    }

    if (ngx_strncmp(sqlstate, "23", 2) == 0) {
        return NGX_HTTP_LEADQ_CONFLICT;
    }

    if (ngx_strncmp(sqlstate, "40", 2) == 0) {
        return NGX_HTTP_LEADQ_AWAY;
    }

    return NGX_HTTP_LEADQ_FAILED;
}


void
ngx_http_leadq_batch_settle(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch)
{
    ngx_http_leadq_verdict_e  verdict;

    if (!batch->failed) {
        ngx_http_leadq_batch_answer(pool, batch);
        ngx_http_leadq_batch_free(batch);
        return;
    }

    verdict = ngx_http_leadq_verdict(batch->sqlstate);

    if (verdict == NGX_HTTP_LEADQ_RESEND && batch->resent) {
        verdict = NGX_HTTP_LEADQ_HALVE;
    }

    switch (verdict) {

    case NGX_HTTP_LEADQ_RESEND:
        batch->resent = 1;
        ngx_http_leadq_batch_again(pool, batch, 0, batch->n);
        break;

    case NGX_HTTP_LEADQ_HALVE:

        if (batch->n > 1) {

            /* the second half first: each goes before what is there */

            ngx_http_leadq_batch_again(pool, batch, batch->n / 2,
                                       batch->n - batch->n / 2);
            ngx_http_leadq_batch_again(pool, batch, 0, batch->n / 2);
            break;
        }

        batch->job[0]->blamed = 1;
        ngx_http_leadq_batch_fail(pool, batch, 0, 1,
                                  ngx_http_leadq_alone(batch->sqlstate));
        break;

    case NGX_HTTP_LEADQ_LATER:
        ngx_http_leadq_batch_fail(pool, batch, 0, batch->n,
                                  NGX_HTTP_LEADQ_AWAY);
        break;

    case NGX_HTTP_LEADQ_RECONNECT:
    case NGX_HTTP_LEADQ_BUG:
        ngx_http_leadq_batch_fail(pool, batch, 0, batch->n,
                                  NGX_HTTP_LEADQ_FAILED);
        break;
    }

    ngx_http_leadq_batch_free(batch);
}


void
ngx_http_leadq_batch_failed(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch, const char *sqlstate)
{
    ngx_uint_t  i;

    batch->failed = 1;
    ngx_cpystrn((u_char *) batch->sqlstate, (u_char *) sqlstate,
                sizeof(batch->sqlstate));

    for (i = 0; i < batch->n; i++) {
        ngx_memcpy(batch->job[i]->sqlstate, batch->sqlstate,
                   sizeof(batch->sqlstate));
    }

    ngx_http_leadq_count_failed(pool, batch->sqlstate);
}


/* Never the message of the server: its DETAIL quotes rows. */

void
ngx_http_leadq_batch_log(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch, PGresult *res)
{
    const char                *constraint, *table;
    ngx_uint_t                 level;
    ngx_http_leadq_verdict_e   verdict;

    constraint = PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME);
    table = PQresultErrorField(res, PG_DIAG_TABLE_NAME);

    verdict = ngx_http_leadq_verdict(batch->sqlstate);

    level = verdict == NGX_HTTP_LEADQ_BUG
            ? NGX_LOG_CRIT
            : verdict == NGX_HTTP_LEADQ_HALVE && batch->n > 1
            ? NGX_LOG_INFO : NGX_LOG_WARN;

    ngx_log_error(level, pool->log, 0,
                  "leadq batch failed function=%V rows=%ui sqlstate=%s "
                  "table=%s constraint=%s",
                  &pool->waiting[batch->function].function->name, batch->n,
                  batch->sqlstate, table ? table : "-",
                  constraint ? constraint : "-");
}


/* Each row of the result finds its job by n; n is 1-based. */

static void
ngx_http_leadq_batch_answer(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch)
{
    int                        row, rows;
    ngx_int_t                  n;
    ngx_uint_t                 i, lost;
    ngx_http_leadq_job_t      *job;
    ngx_http_leadq_answer_t    answer;
    ngx_http_leadq_function_t *function;

    rows = batch->result && PQnfields(batch->result) == 4
           ? PQntuples(batch->result) : 0;
    lost = batch->n;

    for (row = 0; row < rows; row++) {

        n = ngx_atoi((u_char *) PQgetvalue(batch->result, row, 0),
                     PQgetlength(batch->result, row, 0));

        if (n < 1 || (ngx_uint_t) n > batch->n || batch->job[n - 1] == NULL
            || !ngx_http_leadq_batch_row(batch, row, &answer))
        {
            continue;
        }

        job = batch->job[n - 1];
        batch->job[n - 1] = NULL;
        lost--;

        ngx_http_leadq_job_answer(pool, job, &answer);
    }

    if (lost == 0) {
        return;
    }

    function = pool->waiting[batch->function].function;

    ngx_log_error(NGX_LOG_ERR, pool->log, 0,
                  "leadq function \"%V\" left %ui of %ui rows without a "
                  "valid answer", &function->name, lost, batch->n);

    for (i = 0; i < batch->n; i++) {
        if (batch->job[i]) {
            batch->job[i]->blamed = 1;
            ngx_http_leadq_job_fail(pool, batch->job[i],
                                    NGX_HTTP_LEADQ_FAILED);
        }
    }
}


static ngx_uint_t
ngx_http_leadq_batch_row(ngx_http_leadq_batch_t *batch, int row,
    ngx_http_leadq_answer_t *answer)
{
    PGresult   *res;
    ngx_int_t   status;

    res = batch->result;

    if (PQgetisnull(res, row, 1)) {
        return 0;
    }

    status = ngx_atoi((u_char *) PQgetvalue(res, row, 1),
                      PQgetlength(res, row, 1));

    if (status < 200 || status > 599) {
        return 0;
    }

    answer->status = status;
    answer->headers = PQgetisnull(res, row, 2) ? NULL
                                               : PQgetvalue(res, row, 2);
    answer->body = PQgetisnull(res, row, 3) ? NULL : PQgetvalue(res, row, 3);
    answer->body_len = PQgetlength(res, row, 3);

    return 1;
}


static void
ngx_http_leadq_batch_fail(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch, ngx_uint_t from, ngx_uint_t n,
    ngx_http_leadq_outcome_e outcome)
{
    ngx_uint_t  i;

    for (i = from; i < from + n; i++) {
        ngx_http_leadq_job_fail(pool, batch->job[i], outcome);
    }
}


/* A batch of some jobs of this one, to be sent before all that waits. */

static void
ngx_http_leadq_batch_again(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch, ngx_uint_t from, ngx_uint_t n)
{
    ngx_http_leadq_batch_t  *again;

    again = ngx_http_leadq_batch_new(batch->function, batch->job + from, n);

    if (again == NULL) {
        ngx_http_leadq_batch_fail(pool, batch, from, n, NGX_HTTP_LEADQ_FAILED);
        return;
    }

    again->resent = batch->resent;

    ngx_queue_insert_head(&pool->again, &again->queue);
    ngx_http_leadq_pool_flush(pool);
}
