/*
 * HTTP calls.  The request is data, the result is a value; nothing here knows
 * jobs.  A client keeps the handles of calls that ended for the next ones.
 */

#ifndef LEADQ_HTTP_H
#define LEADQ_HTTP_H

#include "guard.h"
#include "transfer.h"

#include <stddef.h>

#define HTTP_MAX_REPLY (64 * 1024)
#define HTTP_MAX_HEAD (64 * 1024) /* all headers of an answer */
#define HTTP_MAX_HEADERS 16       /* of a request */

typedef enum {
    HTTP_REPLIED, /* there is a status */
    HTTP_TIMEOUT,
    HTTP_FAILED, /* name, connection, TLS or protocol */
    HTTP_REFUSED /* the request itself is unusable (URL, guarded address) */
} http_end_e;

typedef struct {
    const char *method; /* GET or POST; all borrowed until the end */
    const char *url;
    const char *body; /* may be NULL */
    size_t body_len;
    char *const *headers; /* "Name: value"; "Name:" takes out libcurl's */
    size_t n_headers;     /* at most HTTP_MAX_HEADERS */
    long timeout_ms;
    int secret; /* neither URL nor reply outlives the call */
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

typedef struct http_client_s http_client_t;
typedef struct http_s http_t;

/* The result is borrowed; the call itself is gone when this returns. */
typedef void (*http_end_pt)(void *data, const http_result_t *result);

/* The pool is borrowed and must outlive the client. */
http_client_t *http_client_new(transfer_pool_t *pool)
    __attribute__((warn_unused_result));

/* For calls that begin from now on; guard is borrowed. */
void http_client_conf(http_client_t *client, const guard_t *guard,
                      long connect_timeout_ms, size_t max_spare);

/* No call may be left.  Accepts NULL. */
void http_client_free(http_client_t *client);

/*
 * Begins a call; fn follows, never before http_start returns.  NULL: no
 * memory, fn is not called.
 */
http_t *http_start(http_client_t *client, const http_request_t *request,
                   http_end_pt fn, void *data)
    __attribute__((warn_unused_result));

/* Ends a call without fn; accepts NULL. */
void http_cancel(http_t *http);

#endif
