/*
 * How many jobs of which lane may be claimed next, and from which id on.
 * Pure: no SQL, no clock.
 *
 * Of max_inflight a share is kept for the lane realtime and one for service;
 * what is left is common, and goes to lanes in this order as long as they
 * have jobs.  So bulk fills what nobody else needs, and never all of it.
 *
 * A lane that gave as many as it was asked for has more: the next claim asks
 * it from there on, and walks over no job that is leased already.  Otherwise,
 * and at least once a second, a claim begins at the start again, for ids that
 * came out of order: promoted, given back, lost by another worker.
 */

#ifndef LEADQ_LANES_H
#define LEADQ_LANES_H

#include "conf.h"

#include <stddef.h>
#include <stdint.h>

/* In the order of claim_jobs; a job's id % 8 is its lane and one. */
typedef enum { LANE_REALTIME, LANE_SERVICE, LANE_BULK, LANES } lane_e;

typedef struct {
    long held;      /* jobs from their claim to their end */
    long limit;     /* of the claim under way */
    long got;       /* by it */
    int64_t cursor; /* it asks for greater ids */
    int64_t last;   /* the greatest that it got */
    int empty;      /* since the last hint */
} lane_t;

typedef struct {
    lane_t lanes[LANES];
    uint64_t rewound_ms;
} lanes_t;

lane_e lane_of(int64_t id);

/* Each lane may have jobs. */
void lanes_hint(lanes_t *lanes);

/* Sets limits and cursors of a claim; 0: there is nothing to ask for. */
int lanes_plan(lanes_t *lanes, const conf_t *conf, uint64_t now_ms)
    __attribute__((warn_unused_result));

/* A job of the claim; we hold it, or could not. */
void lanes_got(lanes_t *lanes, int64_t id, int held);

/* The claim was answered; 1: there may be more. */
int lanes_end(lanes_t *lanes) __attribute__((warn_unused_result));

/* A job is held no more. */
void lanes_leave(lanes_t *lanes, int64_t id);

long lanes_held(const lanes_t *lanes);

#endif
