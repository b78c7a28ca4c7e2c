/*
 * Arming: before a code is sent, SQL is told what will prove it, and says
 * whether it is still to be sent.
 *
 *     taken ─> waiting ─> asking ─> armed ──> to be posted
 *                 │          ├────> not armed: ended, stale
 *                 │          └────> the answer was lost, or refused
 *                 v                          v
 *               overdue: to be given back <──┘
 *
 * One statement for all that wait.  What comes while it is under way waits
 * for the next.  Only when it is committed is a job out of here: whatever
 * happens before, nothing has been sent.
 */

#ifndef LEADQ_ARMING_H
#define LEADQ_ARMING_H

#include "list.h"
#include "session.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

typedef struct job_s job_t;

/* A job that is out belongs to the callee. */
typedef struct {
    void (*on_armed)(void *data, job_t *job); /* in state WAITING */
    void (*on_stale)(void *data, job_t *job); /* in state ENDED */
    pg_answer_pt on_answer; /* of the session: hands it to arming_answer() */
} arming_events_t;

typedef struct {
    uv_loop_t *loop;    /* borrowed */
    session_t *session; /* borrowed */
    arming_events_t events;
    void *data;      /* borrowed */
    list_t waiting;  /* job_t.link */
    list_t asking;   /* in the statement under way */
    list_t returned; /* to be given back */
    size_t max;      /* shrinks when SQL refuses a batch */
} arming_t;

void arming_init(arming_t *arming, uv_loop_t *loop, session_t *session,
                 const arming_events_t *events, void *data);

/* Takes a job of kind code, in state WAITING. */
void arming_take(arming_t *arming, job_t *job);

/* Sends the statement, if anything waits and none is under way. */
void arming_pump(arming_t *arming);

void arming_answer(arming_t *arming, const pg_answer_t *answer);

/*
 * Moves the jobs that are to be given back to the list: those that had to
 * begin before now_ms and wait still (with UINT64_MAX every one), and those
 * whose statement came to nothing.
 */
void arming_overdue(arming_t *arming, uint64_t now_ms, list_t *jobs);

/* Moves all jobs to the list; answers are not waited for any more. */
void arming_done(arming_t *arming, list_t *jobs);

#endif
