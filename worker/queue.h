/*
 * The conversation with SQL: claims jobs while there is room, has them acted
 * upon, settles them, and gives back what could not begin in time.
 */

#ifndef LEADQ_QUEUE_H
#define LEADQ_QUEUE_H

#include "conf.h"

#include <stddef.h>
#include <uv.h>

typedef struct queue_s queue_t;

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

#endif
