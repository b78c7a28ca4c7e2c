#include "breaker.h"

#include <string.h>

void
breaker_init(breaker_t *breaker)
{
    memset(breaker, 0, sizeof(*breaker));
}

int
breaker_may(breaker_t *breaker, uint64_t now_ms)
{
    switch (breaker->state) {
    case BREAKER_CLOSED:
        return 1;
    case BREAKER_OPEN:
        if (now_ms < breaker->until_ms) {
            return 0;
        }
        breaker->state = BREAKER_HALF_OPEN;
        return 1;
    case BREAKER_HALF_OPEN:
        return 0;
    }
    return 0;
}

long
breaker_wait_ms(const breaker_t *breaker, const breaker_rule_t *rule,
                uint64_t now_ms)
{
    switch (breaker->state) {
    case BREAKER_CLOSED:
        return 0;
    case BREAKER_OPEN:
        return now_ms < breaker->until_ms ? (long)(breaker->until_ms - now_ms)
                                          : 0;
    case BREAKER_HALF_OPEN:
        return rule->pause_ms; /* the probe will tell */
    }
    return 0;
}

/* From four fifths to six fifths of the pause. */
static void
open_until(breaker_t *breaker, uint64_t now_ms, uint32_t random)
{
    uint64_t pause_ms = (uint64_t)breaker->pause_ms;

    breaker->state = BREAKER_OPEN;
    breaker->until_ms =
        now_ms + pause_ms * 4 / 5 + pause_ms * 2 * (random % 1001) / 5000;
}

int
breaker_ended(breaker_t *breaker, const breaker_rule_t *rule,
              breaker_end_e end, int probe, uint64_t now_ms, uint32_t random)
{
    breaker_e before = breaker->state;

    switch (end) {
    case BREAKER_GOOD:
        breaker->state = BREAKER_CLOSED;
        breaker->failures = 0;
        break;
    case BREAKER_BAD:
        breaker->failures++;
        if (before == BREAKER_CLOSED && breaker->failures >= rule->limit) {
            breaker->pause_ms = rule->pause_ms;
            breaker->opened++;
            open_until(breaker, now_ms, random);
        } else if (before == BREAKER_HALF_OPEN && probe) {
            breaker->pause_ms = breaker->pause_ms > rule->pause_max_ms / 2
                                    ? rule->pause_max_ms
                                    : breaker->pause_ms * 2;
            open_until(breaker, now_ms, random);
        }
        break;
    case BREAKER_NOTHING:
        if (before == BREAKER_HALF_OPEN && probe) {
            breaker->state = BREAKER_OPEN; /* the next one is the probe */
            breaker->until_ms = now_ms;
        }
        break;
    }
    return breaker->state != before;
}

const char *
breaker_name(breaker_e state)
{
    switch (state) {
    case BREAKER_CLOSED:
        return "closed";
    case BREAKER_OPEN:
        return "open";
    case BREAKER_HALF_OPEN:
        return "half-open";
    }
    return "?";
}
