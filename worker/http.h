/*
 * One HTTP call.  The request is data, the result is a value; nothing here
 * knows jobs.
 */

#ifndef LEADQ_HTTP_H
#define LEADQ_HTTP_H

#include "transfer.h"

#include <stddef.h>

#define HTTP_MAX_REPLY (64 * 1024)

typedef enum {
    HTTP_REPLIED, /* there is a status */
    HTTP_TIMEOUT,
    HTTP_FAILED, /* name, connection, TLS or protocol */
    HTTP_REFUSED /* the request itself is unusable (URL) */
} http_end_e;

typedef struct {
    const char *method; /* GET or POST; all borrowed */
    const char *url;
    const char *content_type; /* NULL without a body */
    const char *body;         /* may be NULL */
    size_t body_len;
    const char *id; /* Idempotency-Key */
    long timeout_ms;
} http_request_t;

typedef struct {
    http_end_e end;
    int status;
    long retry_after_s; /* -1: not said */
    const char *body;   /* borrowed, terminated; first HTTP_MAX_REPLY bytes */
    size_t body_len;
    const char *problem; /* static text when there is no status */
    long ms;
} http_result_t;

typedef struct http_s http_t;

/* The result is borrowed; the call itself is gone when this returns. */
typedef void (*http_end_pt)(void *data, const http_result_t *result);

/*
 * Begins a call; fn follows, never before http_start returns.  NULL: no
 * memory, fn is not called.
 */
http_t *http_start(transfer_pool_t *pool, const http_request_t *request,
                   long connect_timeout_ms, http_end_pt fn, void *data)
    __attribute__((warn_unused_result));

/* Ends a call without fn; accepts NULL. */
void http_cancel(http_t *http);

#endif
