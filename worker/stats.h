/*
 * Counters of what a worker has claimed and settled, and histograms: for its
 * log and its metrics.
 */

#ifndef LEADQ_STATS_H
#define LEADQ_STATS_H

#include "outcome.h"

#include <stddef.h>
#include <stdint.h>

/* Upper bounds of the buckets of a histogram, in seconds; the last is +Inf. */
static const double stats_bounds[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                      0.5,   1,    2.5,   5,    10};

#define STATS_BOUNDS (sizeof(stats_bounds) / sizeof(stats_bounds[0]))
#define STATS_BUCKETS (STATS_BOUNDS + 1)

/* Kinds beyond these are counted together, as the last one, "(other)". */
#define STATS_KINDS 16
#define STATS_MAX_KIND 64

typedef struct {
    uint64_t buckets[STATS_BUCKETS]; /* each alone, not cumulative */
    double seconds;                  /* the sum */
} stats_times_t;

typedef struct {
    char name[STATS_MAX_KIND]; /* "": not used yet */
    uint64_t done;
    uint64_t retry;
    uint64_t dead;
} stats_kind_t;

typedef struct {
    uint64_t claimed;
    uint64_t done;
    uint64_t retry;
    uint64_t dead;
    uint64_t lost;     /* the lease was gone when we settled */
    uint64_t released; /* given back unstarted */
    stats_kind_t kinds[STATS_KINDS];
} stats_t;

void stats_settled(stats_t *stats, const char *kind, outcome_e outcome);

void stats_observe(stats_times_t *times, double seconds);

/* One line, with the verb: "worker stop claimed=.. done=..". */
void stats_log(const stats_t *stats, const char *verb);

#endif
