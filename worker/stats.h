/*
 * Counters of what a worker has settled, for its log.
 */

#ifndef LEADQ_STATS_H
#define LEADQ_STATS_H

#include "outcome.h"

#include <stdint.h>

typedef struct {
    uint64_t claimed;
    uint64_t done;
    uint64_t retry;
    uint64_t dead;
    uint64_t lost;     /* the lease was gone when we settled */
    uint64_t released; /* given back unstarted */
} stats_t;

void stats_settled(stats_t *stats, outcome_e outcome);

/* One line, with the verb: "worker stop claimed=.. done=..". */
void stats_log(const stats_t *stats, const char *verb);

#endif
