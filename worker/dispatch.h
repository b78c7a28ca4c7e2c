/*
 * Who acts: takes claimed jobs, lets them wait until their destination and
 * their pool have a connection for them, posts them, and gives them back
 * with an outcome.  Nothing here knows SQL.
 */

#ifndef LEADQ_DISPATCH_H
#define LEADQ_DISPATCH_H

#include "conf.h"
#include "job.h"
#include "list.h"

#include <uv.h>

#define DISPATCH_MAX_PER_HOST 20

typedef struct dispatch_s dispatch_t;

/* The job has ended; it belongs to the callee. */
typedef void (*dispatch_end_pt)(void *data, job_t *job);

/* conf is borrowed until dispatch_conf names another one. */
dispatch_t *dispatch_new(uv_loop_t *loop, const conf_t *conf,
                         dispatch_end_pt on_end, void *data)
    __attribute__((warn_unused_result));

/* Takes another configuration; posts under way go on with the old values. */
void dispatch_conf(dispatch_t *dispatch, const conf_t *conf);

/* Gives up everything that waits or posts.  Accepts NULL. */
void dispatch_free(dispatch_t *dispatch);

/* Takes a job in state WAITING; it may begin at once. */
void dispatch_take(dispatch_t *dispatch, job_t *job);

/*
 * Moves the jobs that had to begin before now_ms and did not to the list;
 * with UINT64_MAX every job that waits.
 */
void dispatch_overdue(dispatch_t *dispatch, uint64_t now_ms, list_t *jobs);

/* Stops a post; the job ends with outcome retry and the reason. */
void dispatch_stop(job_t *job, const char *reason);

/* How many posts are under way. */
size_t dispatch_posting(const dispatch_t *dispatch);

#endif
