#include "stats.h"
#include "log.h"

#include <inttypes.h>

void
stats_settled(stats_t *stats, outcome_e outcome)
{
    switch (outcome) {
    case OUTCOME_DONE:
        stats->done++;
        break;
    case OUTCOME_RETRY:
        stats->retry++;
        break;
    case OUTCOME_DEAD:
        stats->dead++;
        break;
    }
}

void
stats_log(const stats_t *stats, const char *verb)
{
    log_info("worker %s claimed=%" PRIu64 " done=%" PRIu64 " retry=%" PRIu64
             " dead=%" PRIu64 " lost=%" PRIu64 " released=%" PRIu64,
             verb, stats->claimed, stats->done, stats->retry, stats->dead,
             stats->lost, stats->released);
}
