/*
 * A job: one leased piece of work, from the claim to the settling.
 *
 *     claimed ──> WAITING ──> POSTING ──> ENDED ──> settled, freed
 *                    │                      ^
 *                    │ its time to start    │ unusable payload, unknown kind,
 *                    │ is over, shutdown    │ nothing but to be judged, stale
 *                    └──> released, freed   └── (straight from claimed)
 *
 * A post may begin in the first half of its lease.  The lease is extended
 * while it is under way, before half of it is over; a post whose lease cannot
 * be extended is stopped before the lease runs out.
 */

#ifndef LEADQ_JOB_H
#define LEADQ_JOB_H

#include "conf.h"
#include "http.h"
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
typedef enum { JOB_SMTP, JOB_HTTP, JOB_DNS, JOB_POOLS } job_pool_e;

struct job_s {
    list_t link;  /* in the one list that its state names */
    list_t lease; /* in the list of all that are leased */
    int64_t id;
    char token[JOB_MAX_WORD];
    char kind[JOB_MAX_WORD];
    char target[JOB_MAX_WORD];
    int attempt;
    job_state_e state;
    uint64_t leased_ms;   /* loop time when the lease was asked for */
    uint64_t lease_ms;    /* and how long it lasts from then */
    int extending;        /* it is asked for anew */
    uint64_t start_by_ms; /* loop time */
    long limit_ms;        /* the longest a post may take */
    long delay_s;         /* given back: until then; 0: at once */
    outcome_t outcome;
    int repeated; /* it was settled before, with an unknown end */

    job_pool_e pool;
    void *acting;                /* borrowed: of who lets it wait and post */
    uint64_t started_ms;         /* loop time, while posting */
    int probe;                   /* it tells whether a breaker closes */
    struct letter_s *letter;     /* owned; kind letter */
    struct postback_s *postback; /* owned; of what is posted by HTTP */
    struct sending_s *sending;   /* owned; kind code */
    struct message_s *message;   /* owned; kind sms */
    json_t *question;            /* owned; poll, captcha, identity: payload */
    json_t *receipts;            /* owned; kinds receipt, poll */
    char *domain;                /* owned; kind mx */
    struct smtp_s *smtp;         /* owned while posting */
    struct http_s *http;         /* owned while posting */
    struct mx_s *mx;             /* owned while posting */
};

/*
 * A job, owned by the caller, in state WAITING; or in ENDED with its outcome,
 * when there is nothing to post.  NULL: no memory.
 */
job_t *job_new(const job_claim_t *claim, const conf_t *conf)
    __attribute__((warn_unused_result));

/* Stops what is under way without an end; accepts NULL. */
void job_free(job_t *job);

void job_set_state(job_t *job, job_state_e state);

/* What the answer to its post means. */
void job_judge(job_t *job, const http_result_t *result, const conf_t *conf);

/* It is not to be sent any more: ends it, dead. */
void job_set_stale(job_t *job);

/* The line of a settled job; state and next_s (may be NULL) are SQL's. */
void job_log_settled(const job_t *job, const char *state, const char *next_s);

/* The line of a job that was not ours any more when we settled it. */
void job_log_lost(const job_t *job);

#endif
