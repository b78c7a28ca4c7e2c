/*
 * What SQL wants called besides jobs: rules that run inside it, scheduled
 * jobs to promote, upkeep.  It also knows when to look again: at a
 * notification, when the next scheduled job is due, and at the latest after
 * the poll time.
 */

#ifndef LEADQ_CHORES_H
#define LEADQ_CHORES_H

#include "conf.h"

#include <uv.h>

typedef struct chores_s chores_t;

/* There may be jobs to claim. */
typedef void (*chores_hint_pt)(void *data);

/* conf is borrowed until chores_conf names another one. */
chores_t *chores_new(uv_loop_t *loop, const conf_t *conf,
                     chores_hint_pt on_hint, void *data)
    __attribute__((warn_unused_result));
void chores_conf(chores_t *chores, const conf_t *conf);
void chores_free(chores_t *chores);

/* Jobs were settled: rules may have become due. */
void chores_want(chores_t *chores);

/* Sends what is wanted and possible; called once in each round. */
void chores_pump(chores_t *chores);

#endif
