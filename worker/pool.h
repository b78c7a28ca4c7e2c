/*
 * A pool of places to post from, and the destinations that share them: which
 * are known, which have something to do, whose turn it is.
 *
 *     ready     a job waits, a place and a token are free: they take turns
 *     resting   a job waits and a place is free, but the rate has no token
 *     neither   nothing waits, or every place is taken
 */

#ifndef LEADQ_POOL_H
#define LEADQ_POOL_H

#include "destination.h"
#include "list.h"

#include <stddef.h>
#include <uv.h>

#define POOL_MAX_REMEMBERED 256

typedef struct pool_s pool_t;

struct pool_s {
    uv_loop_t *loop;     /* borrowed */
    list_t destinations; /* destination_t.link, all of them; owned */
    list_t ready;        /* destination_t.turn */
    list_t resting;      /* destination_t.turn */
    size_t n_destinations;
    size_t limit;           /* posts at a time */
    size_t per_destination; /* the same, for one that has no wish */
    size_t posting;
    int starting;       /* its owner is handing out turns */
    uv_timer_t *tokens; /* owned; until somebody rests no more */
    void (*on_ready)(pool_t *pool);
    void *owner; /* borrowed */
};

/* on_ready: somebody may have a turn after a rest. */
int pool_init(pool_t *pool, uv_loop_t *loop, void (*on_ready)(pool_t *pool),
              void *owner) __attribute__((warn_unused_result));

/* No job may be left; a zeroed pool is accepted. */
void pool_done(pool_t *pool);

/*
 * The destination of that name, a new one if need be; NULL: no memory.  As
 * many are kept as have something to do, and POOL_MAX_REMEMBERED at least.
 */
destination_t *pool_destination(pool_t *pool, const char *name)
    __attribute__((warn_unused_result));

/* Puts the destination where it now belongs. */
void pool_place(destination_t *destination);

/* Whose turn it is, or NULL. */
destination_t *pool_next(pool_t *pool);

#endif
