/*
 * A job: one leased piece of work, from the claim to the settling.
 *
 *     claimed ──> WAITING ──> POSTING ──> ENDED ──> settled, freed
 *                    │                      ^
 *                    │ its time to start    │ unusable payload,
 *                    │ is over, shutdown    │ unknown kind
 *                    └──> released, freed   └── (straight from claimed)
 *
 * A post may begin in the first half of its lease and lasts at most the
 * other half less a second: so it ends, and is settled, while the lease
 * holds.
 */

#ifndef LEADQ_JOB_H
#define LEADQ_JOB_H

#include "conf.h"
#include "list.h"
#include "outcome.h"

#include <stddef.h>
#include <stdint.h>

#define JOB_MAX_WORD 64

typedef struct job_s job_t;

/* What SQL hands out; all borrowed. */
typedef struct {
    int64_t id;
    const char *token;
    const char *kind;
    const char *target;
    int attempt;
    const char *payload; /* may be NULL */
    uint64_t claimed_ms; /* loop time when the claim was sent */
    uint64_t lease_ms;
} job_claim_t;

typedef enum { JOB_WAITING, JOB_POSTING, JOB_ENDED } job_state_e;

/* Pool of connections that a job needs. */
typedef enum { JOB_SMTP, JOB_HTTP, JOB_POOLS } job_pool_e;

struct job_s {
    list_t link; /* in the one list that its state names */
    int64_t id;
    char token[JOB_MAX_WORD];
    char kind[JOB_MAX_WORD];
    char target[JOB_MAX_WORD];
    int attempt;
    job_state_e state;
    uint64_t start_by_ms; /* loop time */
    long limit_ms;        /* the longest a post may take */
    outcome_t outcome;
    int repeated; /* it was settled before, with an unknown end */

    job_pool_e pool;
    void *acting;                /* borrowed: of who lets it wait and post */
    struct letter_s *letter;     /* owned; kind letter */
    struct postback_s *postback; /* owned; kind postback */
    struct smtp_s *smtp;         /* owned while posting */
    struct http_s *http;         /* owned while posting */
};

/*
 * A job, owned by the caller, in state WAITING; or in ENDED with outcome
 * dead, when there is nothing to post.  NULL: no memory.
 */
job_t *job_new(const job_claim_t *claim, const conf_t *conf)
    __attribute__((warn_unused_result));

/* Stops what is under way without an end; accepts NULL. */
void job_free(job_t *job);

/* Where it posts to: what concurrency is counted by; borrowed. */
const char *job_destination(const job_t *job);

void job_set_state(job_t *job, job_state_e state);

#endif
