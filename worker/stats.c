#include "stats.h"
#include "log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The row of a kind; the last row takes all that found no other. */
static stats_kind_t *
kind_of(stats_t *stats, const char *name)
{
    stats_kind_t *kind;
    size_t i;

    for (i = 0; i < STATS_KINDS; i++) {
        kind = &stats->kinds[i];
        if (i == STATS_KINDS - 1) {
            name = "(other)";
        }
        if (kind->name[0] == '\0') {
            (void)snprintf(kind->name, sizeof(kind->name), "%s", name);
            return kind;
        }
        if (strcmp(kind->name, name) == 0) {
            return kind;
        }
    }
    return &stats->kinds[STATS_KINDS - 1];
}

void
stats_settled(stats_t *stats, const char *name, outcome_e outcome)
{
    stats_kind_t *kind = kind_of(stats, name);

    switch (outcome) {
    case OUTCOME_DONE:
        stats->done++;
        kind->done++;
        break;
    case OUTCOME_RETRY:
        stats->retry++;
        kind->retry++;
        break;
    case OUTCOME_DEAD:
        stats->dead++;
        kind->dead++;
        break;
    }
}

void
stats_observe(stats_times_t *times, double seconds)
{
    size_t i;

    for (i = 0; i < STATS_BOUNDS && seconds > stats_bounds[i]; i++) {
        continue;
    }
    times->buckets[i]++;
    times->seconds += seconds;
}

void
stats_log(const stats_t *stats, const char *verb)
{
    log_info("worker %s claimed=%" PRIu64 " done=%" PRIu64 " retry=%" PRIu64
             " dead=%" PRIu64 " lost=%" PRIu64 " released=%" PRIu64,
             verb, stats->claimed, stats->done, stats->retry, stats->dead,
             stats->lost, stats->released);
}
