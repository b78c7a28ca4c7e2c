
/*
 * Figures of all worker processes: what counts them (count), and what keeps
 * and shows them (sight).
 */

#ifndef NGX_HTTP_LEADQ_SIGHT_H_INCLUDED
#define NGX_HTTP_LEADQ_SIGHT_H_INCLUDED


#include "ngx_http_leadq.h"


/*
 * sight
 */

char *ngx_http_leadq_metrics(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_leadq_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* Checks a location with one of these directives at its end. */
char *ngx_http_leadq_sight_check(ngx_conf_t *cf,
    ngx_http_leadq_loc_conf_t *lcf);

/* Get and give back the slot of a worker process. */
void ngx_http_leadq_sight_open(ngx_cycle_t *cycle,
    ngx_http_leadq_main_conf_t *mcf);
void ngx_http_leadq_sight_close(ngx_http_leadq_main_conf_t *mcf);


/*
 * count
 */

/* Makes the context of a request, whose end will be counted, or NULL. */
ngx_http_leadq_ctx_t *ngx_http_leadq_ctx_add(ngx_http_request_t *r,
    ngx_http_leadq_function_t *function);

/* Microseconds of a clock that only goes on. */
uint64_t ngx_http_leadq_now_us(void);

/* Publish what the queue holds, or what the lanes are as well. */
void ngx_http_leadq_count_queue(ngx_http_leadq_pool_t *pool);
void ngx_http_leadq_count_lanes(ngx_http_leadq_pool_t *pool);

/* Something happened to a lane. */
void ngx_http_leadq_count_lane(ngx_http_leadq_pool_t *pool,
    leadq_lane_event_e event);

/* A batch: will be sent, has been settled, has failed. */
void ngx_http_leadq_count_sent(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch);
void ngx_http_leadq_count_settled(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_batch_t *batch);
void ngx_http_leadq_count_failed(ngx_http_leadq_pool_t *pool,
    const char *sqlstate);

/* A row: got no answer in time, will be freed. */
void ngx_http_leadq_count_expired(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job, leadq_expired_e state);
void ngx_http_leadq_count_freed(ngx_http_leadq_pool_t *pool,
    ngx_http_leadq_job_t *job);


#endif /* NGX_HTTP_LEADQ_SIGHT_H_INCLUDED */
