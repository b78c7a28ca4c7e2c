#include "rate.h"

void
rate_set(rate_t *rate, double per_s)
{
    uint64_t burst;

    if (per_s <= 0) {
        rate->each_us = 0;
        return;
    }
    rate->each_us = (uint64_t)(1e6 / per_s);
    burst = (uint64_t)(per_s / 10);
    rate->room_us = burst > 1 ? (burst - 1) * rate->each_us : 0;
}

uint64_t
rate_wait_ms(const rate_t *rate, uint64_t now_ms)
{
    uint64_t now_us = now_ms * 1000;

    if (rate->each_us == 0 || rate->full_us <= now_us + rate->room_us) {
        return 0;
    }
    return (rate->full_us - now_us - rate->room_us + 999) / 1000;
}

void
rate_take(rate_t *rate, uint64_t now_ms)
{
    uint64_t now_us = now_ms * 1000;

    if (rate->each_us > 0) {
        rate->full_us =
            (rate->full_us > now_us ? rate->full_us : now_us) + rate->each_us;
    }
}

uint64_t
rate_time_ms(const rate_t *rate, uint64_t tokens)
{
    return rate->each_us * tokens / 1000;
}
