#include "destination.h"
#include "job.h"

#include <stdlib.h>
#include <string.h>

#define LATELY 8 /* an answer counts as one of so many */

destination_t *
destination_new(const char *name)
{
    destination_t *destination;

    destination = calloc(1, sizeof(*destination));
    if (destination == NULL) {
        return NULL;
    }
    destination->name = strdup(name);
    if (destination->name == NULL) {
        free(destination);
        return NULL;
    }
    list_init(&destination->link);
    list_init(&destination->turn);
    list_init(&destination->waiting);
    list_init(&destination->posting);
    breaker_init(&destination->breaker);
    destination->answer_ms = -1;
    return destination;
}

void
destination_free(destination_t *destination)
{
    list_remove(&destination->link);
    list_remove(&destination->turn);
    free(destination->name);
    free(destination);
}

int
destination_is_idle(const destination_t *destination)
{
    return destination->n_waiting == 0 && destination->n_posting == 0;
}

/* How many posts it takes in a second, as far as we know. */
static double
per_second(const destination_t *destination, uint64_t now_ms)
{
    double answer_ms = destination->answer_ms, per_s, oldest_ms;
    const job_t *oldest;

    if (!list_empty(&destination->posting)) {
        oldest = list_entry(destination->posting.next, job_t, link);
        oldest_ms = (double)(now_ms - oldest->started_ms);
        answer_ms = oldest_ms > answer_ms ? oldest_ms : answer_ms;
    }
    answer_ms = answer_ms < 0.1 ? 0.1 : answer_ms;
    per_s = 1000.0 * (double)destination->places / answer_ms;
    if (destination->rate.each_us > 0
        && per_s > 1e6 / (double)destination->rate.each_us)
    {
        per_s = 1e6 / (double)destination->rate.each_us;
    }
    return per_s;
}

/*
 * What it takes in a second, since nobody who is sent away comes back sooner;
 * and a few in any case, so that no place is empty between two claims.
 */
size_t
destination_room(const destination_t *destination, uint64_t now_ms)
{
    size_t least = destination->places / 4 + 1;
    double room;

    if (destination->answer_ms < 0) {
        return destination->places; /* until the first answer tells */
    }
    room = per_second(destination, now_ms);
    return room > (double)least ? (size_t)room : least;
}

static long
bounded(double delay_s)
{
    return delay_s < 1                         ? 1
           : delay_s > DESTINATION_MAX_DELAY_S ? DESTINATION_MAX_DELAY_S
                                               : (long)delay_s;
}

long
destination_crowd_delay_s(const destination_t *destination, uint64_t now_ms,
                          uint32_t random)
{
    double ahead = (double)(destination->n_waiting + destination->n_owed);

    if (destination->answer_ms < 0) {
        return 1 + (long)(random % 2);
    }
    /* up to half as long again: they shall not all come at once */
    return bounded(ahead / per_second(destination, now_ms)
                   * (1 + (double)(random % 1000) / 2000));
}

long
destination_breaker_delay_s(const destination_t *destination,
                            const breaker_rule_t *rule, uint64_t now_ms,
                            uint32_t random)
{
    long wait_s;

    wait_s = breaker_wait_ms(&destination->breaker, rule, now_ms) / 1000 + 1;
    return wait_s + (long)(random % (uint32_t)(wait_s / 2 + 1));
}

void
destination_count(destination_t *destination, const outcome_t *outcome)
{
    double ms = (double)outcome->ms;

    switch (outcome->outcome) {
    case OUTCOME_DONE:
        destination->done++;
        break;
    case OUTCOME_RETRY:
        destination->retry++;
        break;
    case OUTCOME_DEAD:
        destination->dead++;
        break;
    }
    stats_observe(&destination->times, ms / 1000);
    if (destination->answer_ms < 0) {
        destination->answer_ms = ms;
    } else {
        destination->answer_ms += (ms - destination->answer_ms) / LATELY;
    }
}

breaker_end_e
destination_end(const outcome_t *outcome)
{
    if (outcome->class_ == CLASS_NETWORK || outcome->http >= 500) {
        return BREAKER_BAD;
    }
    if (outcome->http == 0 && outcome->smtp == 0) {
        /* no word from it: trouble on the way, or a post that never left */
        return outcome->outcome == OUTCOME_RETRY  ? BREAKER_BAD
               : outcome->outcome == OUTCOME_DEAD ? BREAKER_NOTHING
                                                  : BREAKER_GOOD;
    }
    return BREAKER_GOOD;
}
