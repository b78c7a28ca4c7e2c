/*
 * A token bucket, kept as the time at which it is full again: one number, no
 * timer, no drift.  Pure: the caller brings the time.
 */

#ifndef LEADQ_RATE_H
#define LEADQ_RATE_H

#include <stdint.h>

#define RATE_MAX 10000 /* a second */

typedef struct {
    uint64_t each_us; /* time of one token; 0: no limit */
    uint64_t room_us; /* what the bucket holds beyond the first token */
    uint64_t full_us; /* when it is full again */
} rate_t;

/*
 * So many a second, 0: no limit; a tenth of a second's worth at once.  What
 * was used is not forgotten.
 */
void rate_set(rate_t *rate, double per_s);

/* How long to wait for a token; 0: there is one. */
uint64_t rate_wait_ms(const rate_t *rate, uint64_t now_ms);

/* Takes a token that is there. */
void rate_take(rate_t *rate, uint64_t now_ms);

/* How long until so many more tokens have come. */
uint64_t rate_time_ms(const rate_t *rate, uint64_t tokens);

#endif
