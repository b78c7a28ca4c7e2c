/*
 * What SQL wants called besides jobs: rules that run inside it, scheduled
 * jobs to promote, upkeep.  It also knows when to look again: at a
 * notification, when the next scheduled job is due, and at the latest after
 * the poll time.
 */

#ifndef LEADQ_CHORES_H
#define LEADQ_CHORES_H

#include "conf.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define CHORES_MAX_FIGURES 500
#define CHORES_MAX_LABELS 4
#define CHORES_MAX_WORD 104

typedef struct chores_s chores_t;

/* A row of queue_figures() or code_figures(). */
typedef struct {
    char name[CHORES_MAX_WORD];
    char labels[CHORES_MAX_LABELS][CHORES_MAX_WORD]; /* "": none */
    double value;
} chores_figure_t;

/* Of which of them. */
typedef enum { CHORES_QUEUE, CHORES_CODES, CHORES_KINDS } chores_kind_e;

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

/* Is the connection ready? */
int chores_is_ready(const chores_t *chores);

/*
 * What the function of a kind last said, if that was not too long ago; asked
 * in the background as long as metrics_listen is set.  Borrowed until the
 * loop goes on; returns how many.
 */
size_t chores_figures(const chores_t *chores, chores_kind_e kind,
                      const chores_figure_t **figures);

#endif
