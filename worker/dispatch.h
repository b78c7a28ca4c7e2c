/*
 * Who acts: takes claimed jobs, lets them wait until their destination and
 * their pool have a connection for them, posts them, and gives them back
 * with an outcome; or unstarted, when their destination is down or crowded.
 * Nothing here knows SQL.
 */

#ifndef LEADQ_DISPATCH_H
#define LEADQ_DISPATCH_H

#include "conf.h"
#include "job.h"
#include "list.h"
#include "smtp.h"
#include "stats.h"

#include <uv.h>

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
 * Moves the jobs that are to be given back to the list: those that had to
 * begin before now_ms and did not (with UINT64_MAX every job that waits), and
 * those whose destination is down or crowded, with their delay_s.
 */
void dispatch_overdue(dispatch_t *dispatch, uint64_t now_ms, list_t *jobs);

/*
 * Targets whose jobs cannot begin now, each with the seconds until they may:
 * what SQL had better not hand out.
 */
typedef void (*dispatch_avoid_pt)(void *data, const char *target, long wait_s);
void dispatch_avoid(const dispatch_t *dispatch, dispatch_avoid_pt fn,
                    void *data);

/* Stops a post; the job ends with outcome retry and the reason. */
void dispatch_stop(job_t *job, const char *reason);

/* What a destination shows of itself; borrowed for the call. */
typedef struct {
    const char *name;
    const char *pool;    /* "smtp" "http" "dns" */
    const char *breaker; /* "closed" "open" "half-open" */
    size_t waiting;
    size_t posting;
    uint64_t done;
    uint64_t retry;
    uint64_t dead;
    uint64_t opened;
    const uint64_t *buckets; /* STATS_BUCKETS, each alone */
    double seconds;
} destination_view_t;

typedef void (*dispatch_view_pt)(void *data, const destination_view_t *view);

void dispatch_each(const dispatch_t *dispatch, dispatch_view_pt fn,
                   void *data);

/* The relay of a configuration; host is what it greets as by default. */
void dispatch_relay(const conf_t *conf, const char *host,
                    smtp_server_t *server);

/* How many posts are under way. */
size_t dispatch_posting(const dispatch_t *dispatch);

#endif
