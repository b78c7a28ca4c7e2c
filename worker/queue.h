/*
 * The conversation with SQL: claims jobs while there is room, has them acted
 * upon, settles them, and gives back what could not begin in time.
 */

#ifndef LEADQ_QUEUE_H
#define LEADQ_QUEUE_H

#include "chores.h"
#include "conf.h"
#include "dispatch.h"
#include "stats.h"

#include <stddef.h>
#include <uv.h>

typedef struct queue_s queue_t;

/* What a queue shows of itself; all borrowed until the loop goes on. */
typedef struct {
    const stats_t *stats;
    const chores_figure_t *figures[CHORES_KINDS];
    size_t n_figures[CHORES_KINDS];
    size_t held;
    size_t posting;
    int stopping;
    int database_up;       /* both connections are ready */
    uint64_t patience_ms;  /* half a lease */
    uint64_t away_ms;      /* since when the jobs connection is not */
    uint64_t unsettled_ms; /* since when ends wait and nothing is settled */
} queue_view_t;

/* conf is borrowed until queue_conf names another one. */
queue_t *queue_new(uv_loop_t *loop, const conf_t *conf, const char *worker)
    __attribute__((warn_unused_result));

/* Takes another configuration; what needs a restart is not looked at. */
void queue_conf(queue_t *queue, const conf_t *conf);

/*
 * Claims no more, gives back what has not begun; fn follows once what is
 * under way has ended and is settled.
 */
void queue_stop(queue_t *queue, void (*fn)(void *data), void *data);

/* Jobs that are ours: waiting, posting, or not yet settled. */
size_t queue_held(const queue_t *queue);

/* Drops everything; leases run out.  Accepts NULL. */
void queue_free(queue_t *queue);

void queue_view(const queue_t *queue, queue_view_t *view);

void queue_each_destination(const queue_t *queue, dispatch_view_pt fn,
                            void *data);

#endif
