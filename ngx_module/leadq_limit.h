
/*
 * Limits of rate for many keys in a fixed piece of memory that processes
 * share: GCRA, which needs one point in time for each key.
 *
 * A key's "theoretical arrival" moves on by one interval with every request.
 * A request is refused if that lies further in the future than the burst
 * allows; a key whose arrival is past is as good as none.
 *
 * The table is an array of buckets of four keys, one cache line each.  In a
 * full bucket the key that is nearest to its rest is forgotten: a table that
 * is too small becomes lenient, never strict.
 *
 * The caller holds a lock around leadq_limit_take() and leadq_limit_give().
 */

#ifndef LEADQ_LIMIT_H_INCLUDED
#define LEADQ_LIMIT_H_INCLUDED


#include <stddef.h>
#include <stdint.h>


#define LEADQ_LIMIT_RATE_MAX   100000       /* requests a unit, and burst */


typedef struct leadq_limit_table_s  leadq_limit_table_t;


typedef struct {
    uint64_t  interval_us;                  /* between two requests */
    uint64_t  burst_us;                     /* how far ahead one may be */
} leadq_limit_rate_t;


/*
 * Reads "10r/s", "60r/m", "100r/h" or "1000r/d", 1..100000 of them; burst is
 * how many may come at once besides the first, 0..100000.
 *
 * Returns 0, or -1 if it is none of these.
 */
int leadq_limit_rate(const char *text, size_t len, unsigned burst,
    leadq_limit_rate_t *rate);

/*
 * Makes a table of the memory, which is zeroed and aligned to 64 bytes; seed
 * is random, so that nobody can choose keys for one bucket.
 *
 * Returns how many keys there is room for, 0 if the memory is too small.
 */
size_t leadq_limit_init(void *memory, size_t bytes, uint64_t seed);

/* Returns 1 if the memory holds a table of this size and version. */
int leadq_limit_valid(const void *memory, size_t bytes);

/*
 * Counts a request of the key at a time that never goes back.
 *
 * Returns 0, or the microseconds after which it would be allowed; a request
 * that is refused is not counted.
 */
uint64_t leadq_limit_take(leadq_limit_table_t *table, uint64_t key,
    uint64_t now_us, const leadq_limit_rate_t *rate);

/* Takes the last request of the key back. */
void leadq_limit_give(leadq_limit_table_t *table, uint64_t key,
    const leadq_limit_rate_t *rate);

/* Keys that were forgotten too early, since the beginning. */
uint64_t leadq_limit_forgotten(const leadq_limit_table_t *table);

/*
 * The key of an address: IPv4 as a whole, IPv6 by its first 64 bits, in which
 * no IPv4 can be found.
 */
uint64_t leadq_limit_key4(const unsigned char address[4]);
uint64_t leadq_limit_key6(const unsigned char address[16]);


#endif /* LEADQ_LIMIT_H_INCLUDED */
