/*
 * What a worker shows of itself: /metrics in Prometheus' text format, and
 * /healthz as JSON.  Also measures how long each round of the loop is busy.
 */

#ifndef LEADQ_FIGURES_H
#define LEADQ_FIGURES_H

#include "fault.h"
#include "queue.h"

#include <uv.h>

typedef struct figures_s figures_t;

/*
 * Measures from now on, and listens at an address ("127.0.0.1:9464"); queue
 * is borrowed.  NULL with the fault set.
 */
figures_t *figures_new(uv_loop_t *loop, const char *listen,
                       const queue_t *queue, fault_t *fault)
    __attribute__((warn_unused_result));

/* Before the queue is freed.  Accepts NULL. */
void figures_free(figures_t *figures);

#endif
