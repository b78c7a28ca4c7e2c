#include "pool.h"

#include <stdlib.h>
#include <string.h>

int
pool_init(pool_t *pool, uv_loop_t *loop, void (*on_ready)(pool_t *pool),
          void *owner)
{
    pool->tokens = malloc(sizeof(*pool->tokens));
    if (pool->tokens == NULL) {
        return -1;
    }
    (void)uv_timer_init(loop, pool->tokens);
    pool->tokens->data = pool;
    pool->loop = loop;
    pool->on_ready = on_ready;
    pool->owner = owner;
    list_init(&pool->destinations);
    list_init(&pool->ready);
    list_init(&pool->resting);
    return 0;
}

static void
on_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

void
pool_done(pool_t *pool)
{
    if (pool->tokens == NULL) {
        return;
    }
    while (!list_empty(&pool->destinations)) {
        destination_free(
            list_entry(pool->destinations.next, destination_t, link));
    }
    uv_close((uv_handle_t *)pool->tokens, on_timer_closed);
    pool->tokens = NULL;
}

/* The one that has been idle the longest; rather one that is not down. */
static void
forget_one(pool_t *pool)
{
    destination_t *destination, *oldest[2] = {NULL, NULL};
    list_t *link;
    int down;

    list_for_each (link, &pool->destinations) {
        destination = list_entry(link, destination_t, link);
        down = destination->breaker.state != BREAKER_CLOSED;
        if (destination_is_idle(destination)
            && (oldest[down] == NULL
                || destination->idle_ms < oldest[down]->idle_ms))
        {
            oldest[down] = destination;
        }
    }
    destination = oldest[0] == NULL ? oldest[1] : oldest[0];
    if (destination != NULL) {
        destination_free(destination);
        pool->n_destinations--;
    }
}

destination_t *
pool_destination(pool_t *pool, const char *name)
{
    destination_t *destination;
    list_t *link;

    list_for_each (link, &pool->destinations) {
        destination = list_entry(link, destination_t, link);
        if (strcmp(destination->name, name) == 0) {
            return destination;
        }
    }
    if (pool->n_destinations >= POOL_MAX_REMEMBERED) {
        forget_one(pool);
    }
    destination = destination_new(name);
    if (destination != NULL) {
        destination->pool = pool;
        list_append(&pool->destinations, &destination->link);
        pool->n_destinations++;
    }
    return destination;
}

static void
on_token(uv_timer_t *timer)
{
    pool_t *pool = timer->data;
    list_t rested;

    list_init(&rested);
    list_join(&rested, &pool->resting);
    while (!list_empty(&rested)) {
        pool_place(list_entry(rested.next, destination_t, turn));
    }
    pool->on_ready(pool);
}

/* The timer is for the one that rests least. */
static void
rest(destination_t *destination, uint64_t wait_ms)
{
    pool_t *pool = destination->pool;

    list_append(&pool->resting, &destination->turn);
    if (!uv_is_active((uv_handle_t *)pool->tokens)
        || wait_ms < uv_timer_get_due_in(pool->tokens))
    {
        (void)uv_timer_start(pool->tokens, on_token, wait_ms, 0);
    }
}

void
pool_place(destination_t *destination)
{
    pool_t *pool = destination->pool;
    uint64_t now_ms = uv_now(pool->loop), wait_ms;

    list_remove(&destination->turn);
    if (destination->n_waiting == 0) {
        destination->n_owed = 0;
        destination->idle_ms = now_ms;
    } else if (destination->n_posting < destination->places) {
        wait_ms = rate_wait_ms(&destination->rate, now_ms);
        if (wait_ms == 0) {
            list_append(&pool->ready, &destination->turn);
        } else {
            rest(destination, wait_ms);
        }
    }
}

destination_t *
pool_next(pool_t *pool)
{
    return pool->posting < pool->limit && !list_empty(&pool->ready)
               ? list_entry(pool->ready.next, destination_t, turn)
               : NULL;
}
