#include "arming.h"
#include "array.h"
#include "job.h"
#include "job_arrays.h"
#include "sending.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_JOBS 500
#define AGAIN_S 2 /* when SQL has refused: not at once */

#define ARRAYS 6

void
arming_init(arming_t *arming, uv_loop_t *loop, session_t *session,
            const arming_events_t *events, void *data)
{
    arming->loop = loop;
    arming->session = session;
    arming->events = *events;
    arming->data = data;
    arming->max = MAX_JOBS;
    list_init(&arming->waiting);
    list_init(&arming->asking);
    list_init(&arming->returned);
}

void
arming_take(arming_t *arming, job_t *job)
{
    list_append(&arming->waiting, &job->link);
}

static void
give_back(arming_t *arming, job_t *job, long delay_s)
{
    list_remove(&job->link);
    job->delay_s = delay_s;
    list_append(&arming->returned, &job->link);
}

static void
give_all_back(arming_t *arming, long delay_s)
{
    while (!list_empty(&arming->asking)) {
        give_back(arming, list_entry(arming->asking.next, job_t, link),
                  delay_s);
    }
}

/* Not refused is armed; what is not in the answer is not ours any more. */
static void
take_answer(arming_t *arming, const PGresult *rows)
{
    job_t *job;
    int row;

    for (row = 0; row < PQntuples(rows); row++) {
        job = job_arrays_find(&arming->asking,
                              strtoll(PQgetvalue(rows, row, 0), NULL, 10));
        if (job == NULL || *PQgetvalue(rows, row, 1) != 't') {
            continue;
        }
        list_remove(&job->link);
        if (job->start_by_ms < uv_now(arming->loop)) {
            give_back(arming, job, 0);
        } else {
            arming->events.on_armed(arming->data, job);
        }
    }
    while (!list_empty(&arming->asking)) {
        job = list_entry(arming->asking.next, job_t, link);
        list_remove(&job->link);
        job_set_stale(job);
        arming->events.on_stale(arming->data, job);
    }
}

static size_t
count(const list_t *jobs)
{
    list_t *link;
    size_t n = 0;

    list_for_each (link, jobs) {
        n++;
    }
    return n;
}

/* Once more, in front; a bad job is closed in by halving. */
static void
take_refusal(arming_t *arming, pg_advice_e advice)
{
    size_t n = count(&arming->asking);

    switch (advice) {
    case PG_AGAIN:
        break;
    case PG_PAUSE:
        give_all_back(arming, AGAIN_S);
        break;
    case PG_GIVEUP:
        arming->max = n > 1 ? n / 2 : 1;
        if (n == 1) {
            give_all_back(arming, AGAIN_S);
        }
        break;
    }
    list_join(&arming->asking, &arming->waiting);
    list_join(&arming->waiting, &arming->asking);
}

void
arming_answer(arming_t *arming, const pg_answer_t *answer)
{
    switch (answer->end) {
    case PG_ROWS:
        arming->max = arming->max < MAX_JOBS ? arming->max * 2 : MAX_JOBS;
        take_answer(arming, answer->rows);
        break;
    case PG_REFUSED:
        take_refusal(arming, pg_advice(answer->sqlstate));
        break;
    case PG_LOST:
        give_all_back(arming, 0);
        break;
    }
}

static void
add_number(buf_t *array, long number)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%ld", number);
    array_add(array, text);
}

static void
add_job(buf_t *arrays, const job_t *job)
{
    const code_t *code = sending_code(job->sending);
    const code_proof_t *proof = sending_proof(job->sending);

    job_arrays_add(arrays, job);
    if (code == NULL || proof == NULL) {
        array_add(&arrays[2], NULL);
        array_add(&arrays[3], NULL);
        array_add(&arrays[4], NULL);
    } else {
        add_number(&arrays[2], code->key);
        add_number(&arrays[3], proof->key);
        array_add(&arrays[4], proof->hex);
    }
    add_number(&arrays[5], sending_segments(job->sending));
}

void
arming_pump(arming_t *arming)
{
    const char *values[ARRAYS];
    buf_t arrays[ARRAYS];
    job_t *job;
    size_t n;

    if (list_empty(&arming->waiting)
        || session_is_under_way(arming->session, SQL_ARM))
    {
        return;
    }
    job_arrays_open(arrays, ARRAYS);
    for (n = 0; n < arming->max && !list_empty(&arming->waiting); n++) {
        job = list_entry(arming->waiting.next, job_t, link);
        add_job(arrays, job);
        list_remove(&job->link);
        list_append(&arming->asking, &job->link);
    }
    job_arrays_end(arrays, values, ARRAYS);
    if (session_send(arming->session, SQL_ARM, values,
                     arming->events.on_answer)
        != 0)
    {
        list_join(&arming->asking, &arming->waiting);
        list_join(&arming->waiting, &arming->asking);
    }
    job_arrays_close(arrays, ARRAYS);
}

void
arming_overdue(arming_t *arming, uint64_t now_ms, list_t *jobs)
{
    job_t *job;

    while (!list_empty(&arming->waiting)) {
        job = list_entry(arming->waiting.next, job_t, link);
        if (job->start_by_ms >= now_ms) {
            break; /* they stand in the order of their claims */
        }
        give_back(arming, job, 0);
    }
    list_join(jobs, &arming->returned);
}

void
arming_done(arming_t *arming, list_t *jobs)
{
    list_join(jobs, &arming->waiting);
    list_join(jobs, &arming->asking);
    list_join(jobs, &arming->returned);
}
