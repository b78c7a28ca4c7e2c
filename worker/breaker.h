/*
 * A circuit breaker: spares a destination that is down, and us.  Pure: the
 * caller brings the time and a random number.
 *
 *              `limit` failures in a row
 *     CLOSED ───────────────────────────> OPEN <──────────┐
 *        ^                                 │ its pause    │ the probe fails:
 *        │ a success                       v is over      │ the pause doubles
 *        └──────────────────────────── HALF-OPEN ─────────┘
 *                                       one probe
 */

#ifndef LEADQ_BREAKER_H
#define LEADQ_BREAKER_H

#include <stdint.h>

typedef enum { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN } breaker_e;

/* What the end of a post says of its destination. */
typedef enum {
    BREAKER_GOOD,   /* it answers, whatever it says of the one job */
    BREAKER_BAD,    /* no connection, no answer, or it is in trouble itself */
    BREAKER_NOTHING /* the post never got there */
} breaker_end_e;

typedef struct {
    long limit; /* failures in a row that open it */
    long pause_ms;
    long pause_max_ms;
} breaker_rule_t;

typedef struct {
    breaker_e state;
    long failures; /* in a row */
    long pause_ms; /* the pause before its jitter */
    uint64_t until_ms;
    uint64_t opened; /* how often, ever */
} breaker_t;

void breaker_init(breaker_t *breaker);

/*
 * May a post begin?  1 in HALF-OPEN is said once: that post is the probe, and
 * breaker_ended() is told so.
 */
int breaker_may(breaker_t *breaker, uint64_t now_ms);

/* How long it is of no use to ask again; 0: ask now. */
long breaker_wait_ms(const breaker_t *breaker, const breaker_rule_t *rule,
                     uint64_t now_ms);

/*
 * A post has ended.  A failure that began before the breaker opened changes
 * nothing any more; a success always closes it.  random: any number, for the
 * jitter of a fifth.  Returns 1 when the state is another one now.
 */
int breaker_ended(breaker_t *breaker, const breaker_rule_t *rule,
                  breaker_end_e end, int probe, uint64_t now_ms,
                  uint32_t random);

const char *breaker_name(breaker_e state);

#endif
