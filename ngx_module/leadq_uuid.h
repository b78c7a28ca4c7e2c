
/*
 * UUIDs version 7 (RFC 9562): time-ordered, so that rows arrive at the right
 * edge of every index, and random enough that nobody guesses a neighbour's.
 *
 *     48 bits unix milliseconds | 7 | 12 bits counter | 2 | 62 bits random
 *
 * The counter begins at a random number below 2048 in every millisecond and
 * steps by one; when it runs over, the millisecond is borrowed from the
 * future.  So the ids of one generator never fall, whatever the clock does.
 *
 * A generator belongs to one process: make it after fork(), never share it.
 */

#ifndef LEADQ_UUID_H_INCLUDED
#define LEADQ_UUID_H_INCLUDED


#include <stddef.h>
#include <stdint.h>


#define LEADQ_UUID_LEN  36                  /* of the text form */


typedef struct {
    uint64_t       last_ms;
    unsigned       counter;
    size_t         unused;                  /* bytes left in pool */
    unsigned char  pool[512];               /* from getrandom() */
} leadq_uuid_gen_t;


/* Makes a generator ready; one of all zeroes is ready as well. */
void leadq_uuid_init(leadq_uuid_gen_t *gen);

/*
 * Writes the next id.  now_ms is unix time in milliseconds.
 *
 * Returns 0, or -1 if the system has no random bytes for us.
 */
int leadq_uuid_next(leadq_uuid_gen_t *gen, uint64_t now_ms,
    unsigned char id[16]);

/* Writes the canonical lower-case text and its terminator. */
void leadq_uuid_format(const unsigned char id[16],
    char out[LEADQ_UUID_LEN + 1]);

/*
 * Reads the text form 8-4-4-4-12, either case, any version.
 *
 * Returns 0, or -1 for anything else.
 */
int leadq_uuid_parse(const char *text, size_t len, unsigned char id[16]);


#endif /* LEADQ_UUID_H_INCLUDED */
