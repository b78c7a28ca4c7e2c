
/*
 * Limits of rate in shared memory; see leadq_limit.h.
 */

#include "leadq_limit.h"

#include <string.h>


#define LEADQ_LIMIT_WAYS     4
#define LEADQ_LIMIT_VERSION  1
#define LEADQ_LIMIT_SECOND   UINT64_C(1000000)


typedef struct {
    uint64_t  key;
    uint64_t  arrival_us;                   /* 0: free */
} leadq_limit_slot_t;


typedef struct {
    leadq_limit_slot_t  slot[LEADQ_LIMIT_WAYS];
} leadq_limit_bucket_t;


struct leadq_limit_table_s {
    uint64_t              version;
    uint64_t              bytes;            /* of the memory */
    uint64_t              nbuckets;
    uint64_t              seed;
    uint64_t              forgotten;
    uint64_t              unused[3];        /* a cache line in all */
    leadq_limit_bucket_t  bucket[];
};


static leadq_limit_bucket_t *leadq_limit_bucket(leadq_limit_table_t *table,
    uint64_t key);
static leadq_limit_slot_t *leadq_limit_slot(leadq_limit_table_t *table,
    uint64_t key, uint64_t now_us);


int
leadq_limit_rate(const char *text, size_t len, unsigned burst,
    leadq_limit_rate_t *rate)
{
    size_t    i;
    uint64_t  n, period;

    n = 0;

    for (i = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
        n = n * 10 + (uint64_t) (text[i] - '0');

        if (n > LEADQ_LIMIT_RATE_MAX) {
            return -1;
        }
    }

    if (n == 0 || len - i != 3 || text[i] != 'r' || text[i + 1] != '/'
        || burst > LEADQ_LIMIT_RATE_MAX)
    {
        return -1;
    }

    switch (text[i + 2]) {

    case 's':
        period = 1;
        break;

    case 'm':
        period = 60;
        break;

    case 'h':
        period = 3600;
        break;

    case 'd':
        period = 24 * 3600;
        break;

    default:
        return -1;
    }

    rate->interval_us = period * LEADQ_LIMIT_SECOND / n;
    rate->burst_us = rate->interval_us * burst;

    return 0;
}


size_t
leadq_limit_init(void *memory, size_t bytes, uint64_t seed)
{
    size_t                n;
    leadq_limit_table_t  *table = memory;

    if (bytes < sizeof(leadq_limit_table_t) + sizeof(leadq_limit_bucket_t)) {
        return 0;
    }

    n = (bytes - sizeof(leadq_limit_table_t)) / sizeof(leadq_limit_bucket_t);

    if (n > UINT32_MAX) {
        n = UINT32_MAX;
    }

    table->version = LEADQ_LIMIT_VERSION;
    table->bytes = bytes;
    table->nbuckets = n;
    table->seed = seed;
    table->forgotten = 0;

    return n * LEADQ_LIMIT_WAYS;
}


int
leadq_limit_valid(const void *memory, size_t bytes)
{
    const leadq_limit_table_t  *table = memory;

    return table->version == LEADQ_LIMIT_VERSION && table->bytes == bytes;
}


uint64_t
leadq_limit_take(leadq_limit_table_t *table, uint64_t key, uint64_t now_us,
    const leadq_limit_rate_t *rate)
{
    uint64_t             ahead;
    leadq_limit_slot_t  *slot;

    slot = leadq_limit_slot(table, key, now_us);

    ahead = slot->arrival_us > now_us ? slot->arrival_us - now_us : 0;

    /* the rate may have become another one since */

    if (ahead > rate->burst_us + rate->interval_us) {
        ahead = rate->burst_us + rate->interval_us;
    }

    if (ahead > rate->burst_us) {
        return ahead - rate->burst_us;
    }

    slot->key = key;
    slot->arrival_us = now_us + ahead + rate->interval_us;

    return 0;
}


void
leadq_limit_give(leadq_limit_table_t *table, uint64_t key,
    const leadq_limit_rate_t *rate)
{
    size_t                 i;
    leadq_limit_bucket_t  *bucket;

    bucket = leadq_limit_bucket(table, key);

    for (i = 0; i < LEADQ_LIMIT_WAYS; i++) {
        if (bucket->slot[i].key == key
            && bucket->slot[i].arrival_us > rate->interval_us)
        {
            bucket->slot[i].arrival_us -= rate->interval_us;
            return;
        }
    }
}


uint64_t
leadq_limit_forgotten(const leadq_limit_table_t *table)
{
    return table->forgotten;
}


static leadq_limit_bucket_t *
leadq_limit_bucket(leadq_limit_table_t *table, uint64_t key)
{
    uint64_t  hash;

    /* the finalizer of MurmurHash3 */

    hash = key ^ table->seed;
    hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    hash ^= hash >> 33;

    return &table->bucket[(hash >> 32) * table->nbuckets >> 32];
}


/* The slot of the key; if it has none, the one to take. */

static leadq_limit_slot_t *
leadq_limit_slot(leadq_limit_table_t *table, uint64_t key, uint64_t now_us)
{
    size_t                 i;
    leadq_limit_slot_t    *slot, *least;
    leadq_limit_bucket_t  *bucket;

    bucket = leadq_limit_bucket(table, key);
    least = &bucket->slot[0];

    for (i = 0; i < LEADQ_LIMIT_WAYS; i++) {
        slot = &bucket->slot[i];

        if (slot->key == key && slot->arrival_us) {
            return slot;
        }

        if (slot->arrival_us < least->arrival_us) {
            least = slot;
        }
    }

    if (least->arrival_us > now_us) {
        table->forgotten++;
    }

    least->key = key;
    least->arrival_us = 0;

    return least;
}


/* As an IPv6 network this is multicast, from which nobody comes. */

uint64_t
leadq_limit_key4(const unsigned char address[4])
{
    return UINT64_C(0xffffffff) << 32 | (uint64_t) address[0] << 24
           | (uint64_t) address[1] << 16 | (uint64_t) address[2] << 8
           | address[3];
}


uint64_t
leadq_limit_key6(const unsigned char address[16])
{
    size_t                      i;
    uint64_t                    key;
    static const unsigned char  mapped[12] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
    };

    if (memcmp(address, mapped, sizeof(mapped)) == 0) {
        return leadq_limit_key4(address + sizeof(mapped));
    }

    key = 0;

    for (i = 0; i < 8; i++) {
        key = key << 8 | address[i];
    }

    return key;
}
