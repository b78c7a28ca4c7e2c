/*
 * libcurl's multi interface on the libuv loop: the one core under http and
 * smtp.  A pool is one multi handle with its connections; a transfer is one
 * easy handle that a pool drives.
 *
 * Owners must not start, stop or free transfers inside libcurl's own
 * callbacks (write, header, debug); on_end is outside of them.
 */

#ifndef LEADQ_TRANSFER_H
#define LEADQ_TRANSFER_H

#include <curl/curl.h>
#include <uv.h>

typedef struct transfer_pool_s transfer_pool_t;
typedef struct transfer_s transfer_t;

/* The last thing that happens to a transfer; it may free it. */
typedef void (*transfer_end_pt)(transfer_t *transfer, CURLcode code);

struct transfer_s {
    transfer_pool_t *pool; /* borrowed */
    CURL *easy;            /* owned */
    transfer_end_pt on_end;
    curl_socket_t fd; /* its connection, or CURL_SOCKET_BAD */
    int running;
};

transfer_pool_t *transfer_pool_new(uv_loop_t *loop)
    __attribute__((warn_unused_result));

/* How many idle connections are worth keeping. */
void transfer_pool_limit(transfer_pool_t *pool, long max_connections);

/* No transfer may be left.  The memory goes once libuv has closed the rest. */
void transfer_pool_free(transfer_pool_t *pool);

/* Makes the easy handle, with the options that every transfer has. */
int transfer_init(transfer_t *transfer, transfer_pool_t *pool)
    __attribute__((warn_unused_result));

/* Hands the transfer to the pool: on_end follows, never before it returns. */
int transfer_start(transfer_t *transfer) __attribute__((warn_unused_result));

/* Stops a running transfer without on_end; it may be started again. */
void transfer_stop(transfer_t *transfer);

/* The same, and frees the easy handle. */
void transfer_done(transfer_t *transfer);

/* Milliseconds that the transfer took so far. */
long transfer_ms(const transfer_t *transfer);

/* Whether it made a connection, and did not just use one that was there. */
int transfer_is_fresh(const transfer_t *transfer);

/* Whether the peer has ended the connection in the middle. */
int transfer_is_lost(CURLcode code);

/* A short static word for a failure that has no reply: "dns", "connect".. */
const char *transfer_problem(CURLcode code);

#endif
