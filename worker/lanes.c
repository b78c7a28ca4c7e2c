#include "lanes.h"

#define REWIND_MS 1000

lane_e
lane_of(int64_t id)
{
    switch (id % 8) {
    case 1:
        return LANE_REALTIME;
    case 2:
        return LANE_SERVICE;
    default:
        return LANE_BULK;
    }
}

void
lanes_hint(lanes_t *lanes)
{
    int i;

    for (i = 0; i < LANES; i++) {
        lanes->lanes[i].empty = 0;
    }
}

/* What is kept for the lane and not in use. */
static long
reserve_left(const lane_t *lane, long percent, const conf_t *conf)
{
    long left = conf->max_inflight * percent / 100 - lane->held;

    return left < 0 ? 0 : left;
}

int
lanes_plan(lanes_t *lanes, const conf_t *conf, uint64_t now_ms)
{
    long own[LANES], common, room;
    lane_t *lane;
    int i, wanted;

    own[LANE_REALTIME] = reserve_left(&lanes->lanes[LANE_REALTIME],
                                      conf->reserve_realtime, conf);
    own[LANE_SERVICE] =
        reserve_left(&lanes->lanes[LANE_SERVICE], conf->reserve_service, conf);
    own[LANE_BULK] = 0;
    room = conf->max_inflight - lanes_held(lanes);
    common = room - own[LANE_REALTIME] - own[LANE_SERVICE];
    wanted = 0;
    for (i = 0; i < LANES; i++) {
        lane = &lanes->lanes[i];
        if (now_ms - lanes->rewound_ms >= REWIND_MS) {
            lane->cursor = 0;
        }
        lane->got = 0;
        lane->last = 0;
        lane->limit = own[i];
        if (!lane->empty && common > 0) {
            lane->limit += common;
        }
        if (lane->limit > conf->batch) {
            lane->limit = conf->batch;
        }
        if (lane->limit > room) {
            lane->limit = room > 0 ? room : 0;
        }
        if (lane->limit > own[i]) {
            common -= lane->limit - own[i];
        }
        room -= lane->limit;
        wanted |= !lane->empty && lane->limit > 0;
    }
    if (now_ms - lanes->rewound_ms >= REWIND_MS) {
        lanes->rewound_ms = now_ms;
    }
    return wanted;
}

void
lanes_got(lanes_t *lanes, int64_t id, int held)
{
    lane_t *lane = &lanes->lanes[lane_of(id)];

    lane->got++;
    lane->held += held;
    if (id > lane->last) {
        lane->last = id;
    }
}

int
lanes_end(lanes_t *lanes)
{
    lane_t *lane;
    int i, more;

    more = 0;
    for (i = 0; i < LANES; i++) {
        lane = &lanes->lanes[i];
        if (lane->limit > 0) {
            lane->empty = lane->got < lane->limit;
            lane->cursor = lane->empty ? 0 : lane->last;
        }
        more |= !lane->empty;
    }
    return more;
}

void
lanes_leave(lanes_t *lanes, int64_t id)
{
    lanes->lanes[lane_of(id)].held--;
}

long
lanes_held(const lanes_t *lanes)
{
    return lanes->lanes[LANE_REALTIME].held + lanes->lanes[LANE_SERVICE].held
           + lanes->lanes[LANE_BULK].held;
}
