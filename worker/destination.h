/*
 * A destination: who is posted to.  It keeps its own measure: how many posts
 * at a time, how many a second, whether it is down, how fast it answers; and
 * from that how many jobs may wait for it here, and when the others had
 * better come again.
 *
 * For HTTP it is a network with a host, for SMTP the relay.
 */

#ifndef LEADQ_DESTINATION_H
#define LEADQ_DESTINATION_H

#include "breaker.h"
#include "list.h"
#include "outcome.h"
#include "rate.h"
#include "stats.h"

#include <stddef.h>
#include <stdint.h>

#define DESTINATION_MAX_DELAY_S 60

typedef struct {
    list_t link;    /* of all destinations of a pool */
    list_t turn;    /* in its pool's ready or resting list, or in none */
    list_t waiting; /* job_t.link */
    list_t posting; /* job_t.link, in the order of their starts */
    size_t n_waiting;
    size_t n_posting;
    size_t n_owed; /* given back, and expected to come again */
    size_t places; /* posts at a time */
    rate_t rate;
    breaker_t breaker;
    double answer_ms; /* how long a post takes, lately; -1: unknown */
    uint64_t idle_ms; /* since when it has nothing to do */
    void *pool;       /* borrowed: of who owns the list */
    char *name;       /* owned */

    uint64_t done;
    uint64_t retry;
    uint64_t dead;
    stats_times_t times;
} destination_t;

/* A destination without jobs, or NULL: no memory. */
destination_t *destination_new(const char *name)
    __attribute__((warn_unused_result));

/* Its lists are empty, and it is in none.  */
void destination_free(destination_t *destination);

/* Nothing waits, nothing posts. */
int destination_is_idle(const destination_t *destination);

/* How many jobs may wait for it here. */
size_t destination_room(const destination_t *destination, uint64_t now_ms);

/*
 * How long a job that finds no room stays away: until those that were sent
 * away before it have had their turn.
 */
long destination_crowd_delay_s(const destination_t *destination,
                               uint64_t now_ms, uint32_t random);

/* The same for an open breaker: until its pause is over, and some after. */
long destination_breaker_delay_s(const destination_t *destination,
                                 const breaker_rule_t *rule, uint64_t now_ms,
                                 uint32_t random);

/* Counts what became of a post. */
void destination_count(destination_t *destination, const outcome_t *outcome);

/* What an outcome says of the destination. */
breaker_end_e destination_end(const outcome_t *outcome);

#endif
