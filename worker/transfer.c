/*
 * Owns one multi handle, a timer, and a watch for each connection.  libcurl
 * tells which sockets and how long to wait; libuv waits:
 *
 *     socket ready ┐
 *     time is up   ├─> curl_multi_socket_action ─> finished ones ─> on_end
 *     "0 ms" asked ┘
 *
 * A timer of 0 ms is not a timer here: libcurl asks for it again and again,
 * and libuv runs a timer that is armed inside a timer callback in the same
 * round, which starves the loop.  An idle handle runs once in every round.
 *
 * libcurl wants to know nothing of a connection between two transfers.  Its
 * watch stays all the same, until libcurl closes the socket: a call over a
 * connection that is kept alive costs no change of what the kernel watches.
 */

#include "transfer.h"
#include "log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    uv_poll_t poll;
    transfer_pool_t *pool; /* borrowed */
    curl_socket_t fd;
    int events; /* that libuv waits for; 0: none */
    int idle;   /* no transfer uses the connection */
} watch_t;

struct transfer_pool_s {
    uv_loop_t *loop; /* borrowed */
    CURLM *multi;    /* owned */
    uv_timer_t timer;
    uv_idle_t soon;    /* what libcurl calls a timer of 0 ms */
    int open;          /* handles that libuv has still to close */
    watch_t **watches; /* owned; by descriptor */
    size_t n_watches;
};

/* Hands the ends of transfers to their owners. */
static void
collect(transfer_pool_t *pool)
{
    transfer_t *transfer;
    CURLMsg *msg;
    CURLcode code;
    CURL *easy;
    int left;

    while ((msg = curl_multi_info_read(pool->multi, &left)) != NULL) {
        if (msg->msg != CURLMSG_DONE) {
            continue;
        }
        /* the message dies with the handle's removal */
        easy = msg->easy_handle;
        code = msg->data.result;
        transfer = NULL;
        (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
        (void)curl_multi_remove_handle(pool->multi, easy);
        assert(transfer != NULL);
        transfer->running = 0;
        transfer->on_end(transfer, code);
    }
}

static void
act(transfer_pool_t *pool, curl_socket_t fd, int bits)
{
    int running;

    (void)curl_multi_socket_action(pool->multi, fd, bits, &running);
    collect(pool);
}

static void
on_socket(uv_poll_t *poll, int status, int events)
{
    watch_t *watch = poll->data;
    int bits;

    if (watch->idle) {
        /* the peer has closed it, which libcurl sees when it looks */
        (void)uv_poll_stop(&watch->poll);
        watch->events = 0;
        return;
    }
    bits = 0;
    if (status < 0) {
        bits = CURL_CSELECT_ERR;
    } else {
        bits |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
        bits |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
    }
    act(watch->pool, watch->fd, bits);
}

static void
on_timer(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void
on_soon(uv_idle_t *soon)
{
    (void)uv_idle_stop(soon);
    act(soon->data, CURL_SOCKET_TIMEOUT, 0);
}

static void
on_watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static watch_t *
watch_of(const transfer_pool_t *pool, curl_socket_t fd)
{
    return (size_t)fd < pool->n_watches ? pool->watches[fd] : NULL;
}

/* Makes room for a descriptor; there are as many as the process may open. */
static int
watches_grow(transfer_pool_t *pool, curl_socket_t fd)
{
    watch_t **watches;
    size_t n;

    if ((size_t)fd < pool->n_watches) {
        return 0;
    }
    n = (size_t)fd + 64;
    watches = realloc(pool->watches, n * sizeof(watch_t *));
    if (watches == NULL) {
        return -1;
    }
    memset(watches + pool->n_watches, 0,
           (n - pool->n_watches) * sizeof(watch_t *));
    pool->watches = watches;
    pool->n_watches = n;
    return 0;
}

static watch_t *
watch_new(transfer_pool_t *pool, curl_socket_t fd)
{
    watch_t *watch;

    if (watches_grow(pool, fd) != 0) {
        return NULL;
    }
    watch = calloc(1, sizeof(*watch));
    if (watch == NULL) {
        return NULL;
    }
    watch->pool = pool;
    watch->fd = fd;
    if (uv_poll_init_socket(pool->loop, &watch->poll, fd) != 0) {
        free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    pool->watches[fd] = watch;
    return watch;
}

static void
watch_close(watch_t *watch)
{
    if (watch != NULL) {
        watch->pool->watches[watch->fd] = NULL;
        (void)uv_poll_stop(&watch->poll);
        uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
    }
}

/* libcurl is done with a connection. */
static int
on_curl_close(void *data, curl_socket_t fd)
{
    watch_close(watch_of(data, fd));
    return close(fd);
}

/*
 * Has the transfer's connection answered?  Then on_curl_close() is told of
 * its end; of the end of one that never came about nobody is.
 */
static int
has_answered(CURL *easy, curl_socket_t fd)
{
    transfer_t *transfer;
    long code;

    transfer = NULL;
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    if (transfer == NULL || transfer->fd != fd) {
        return 0; /* or it is libcurl's own handle, which closes connections */
    }
    transfer->fd = CURL_SOCKET_BAD;
    code = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    return code > 0;
}

static void
note_socket(CURL *easy, curl_socket_t fd)
{
    transfer_t *transfer;

    transfer = NULL;
    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    if (transfer != NULL) {
        transfer->fd = fd;
    }
}

/* libcurl wants to know of other events on a socket. */
static int
on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *data,
               void *socket_data)
{
    transfer_pool_t *pool = data;
    watch_t *watch = watch_of(pool, fd);
    int events;

    (void)socket_data;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL && has_answered(easy, fd)) {
            watch->idle = 1;
        } else {
            watch_close(watch);
        }
        return 0;
    }
    note_socket(easy, fd);
    if (watch == NULL) {
        watch = watch_new(pool, fd);
        if (watch == NULL) {
            return -1;
        }
    }
    events = 0;
    events |= what & CURL_POLL_IN ? UV_READABLE : 0;
    events |= what & CURL_POLL_OUT ? UV_WRITABLE : 0;
    watch->idle = 0;
    if (watch->events == events) {
        return 0;
    }
    watch->events = events;
    return uv_poll_start(&watch->poll, events, on_socket) == 0 ? 0 : -1;
}

/* libcurl wants to be called after some time, at once, or not at all. */
static int
on_curl_timer(CURLM *multi, long timeout_ms, void *data)
{
    transfer_pool_t *pool = data;

    (void)multi;
    (void)uv_idle_stop(&pool->soon);
    if (timeout_ms > 0) {
        (void)uv_timer_start(&pool->timer, on_timer, (uint64_t)timeout_ms, 0);
        return 0;
    }
    (void)uv_timer_stop(&pool->timer);
    if (timeout_ms == 0) {
        (void)uv_idle_start(&pool->soon, on_soon);
    }
    return 0;
}

static int
set_options(transfer_pool_t *pool)
{
    CURLM *multi = pool->multi;

    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket)
                       == CURLM_OK
                   && curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, pool)
                          == CURLM_OK
                   && curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION,
                                        on_curl_timer)
                          == CURLM_OK
                   && curl_multi_setopt(multi, CURLMOPT_TIMERDATA, pool)
                          == CURLM_OK
                   && curl_multi_setopt(multi, CURLMOPT_PIPELINING,
                                        CURLPIPE_MULTIPLEX)
                          == CURLM_OK
               ? 0
               : -1;
}

transfer_pool_t *
transfer_pool_new(uv_loop_t *loop)
{
    transfer_pool_t *pool;

    pool = calloc(1, sizeof(*pool));
    if (pool == NULL) {
        return NULL;
    }
    pool->loop = loop;
    pool->multi = curl_multi_init();
    if (pool->multi == NULL) {
        free(pool);
        return NULL;
    }
    (void)uv_timer_init(loop, &pool->timer);
    (void)uv_idle_init(loop, &pool->soon);
    pool->timer.data = pool;
    pool->soon.data = pool;
    pool->open = 2;
    if (set_options(pool) != 0) {
        transfer_pool_free(pool);
        return NULL;
    }
    return pool;
}

/*
 * Who starts transfers keeps to the limit, so libcurl has nothing to queue;
 * it is told only how many idle connections are worth keeping.
 */
void
transfer_pool_limit(transfer_pool_t *pool, long max_connections)
{
    (void)curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS,
                            max_connections);
}

static void
on_pool_closed(uv_handle_t *handle)
{
    transfer_pool_t *pool = handle->data;

    if (--pool->open == 0) {
        free(pool->watches);
        free(pool);
    }
}

void
transfer_pool_free(transfer_pool_t *pool)
{
    if (pool != NULL) {
        (void)curl_multi_cleanup(pool->multi);
        uv_close((uv_handle_t *)&pool->timer, on_pool_closed);
        uv_close((uv_handle_t *)&pool->soon, on_pool_closed);
    }
}

int
transfer_init(transfer_t *transfer, transfer_pool_t *pool)
{
    CURL *easy;

    transfer->pool = pool;
    transfer->running = 0;
    transfer->easy = easy = curl_easy_init();
    if (easy == NULL) {
        return -1;
    }
    if (curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_curl_close)
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, pool) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_PROXY, "") != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_NETRC, CURL_NETRC_IGNORED)
               != CURLE_OK)
    {
        transfer_done(transfer);
        return -1;
    }
    return 0;
}

int
transfer_start(transfer_t *transfer)
{
    CURLMcode code;

    transfer->fd = CURL_SOCKET_BAD;
    code = curl_multi_add_handle(transfer->pool->multi, transfer->easy);
    if (code != CURLM_OK) {
        log_error("transfer start problem=%d", (int)code);
        return -1;
    }
    transfer->running = 1;
    return 0;
}

void
transfer_stop(transfer_t *transfer)
{
    if (transfer->running) {
        (void)curl_multi_remove_handle(transfer->pool->multi, transfer->easy);
        transfer->running = 0;
    }
}

void
transfer_done(transfer_t *transfer)
{
    transfer_stop(transfer);
    curl_easy_cleanup(transfer->easy);
    transfer->easy = NULL;
}

long
transfer_ms(const transfer_t *transfer)
{
    curl_off_t total_us;

    total_us = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_TOTAL_TIME_T, &total_us);
    return (long)(total_us / 1000);
}

int
transfer_is_fresh(const transfer_t *transfer)
{
    long n;

    n = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &n);
    return n > 0;
}

int
transfer_is_lost(CURLcode code)
{
    switch (code) {
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_PARTIAL_FILE:
        return 1;
    default:
        return 0;
    }
}

const char *
transfer_problem(CURLcode code)
{
    if (transfer_is_lost(code)) {
        return "connection-lost";
    }
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return "dns";
    case CURLE_COULDNT_CONNECT:
        return "connect";
    case CURLE_OPERATION_TIMEDOUT:
        return "timeout";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return "tls";
    case CURLE_LOGIN_DENIED:
        return "login";
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return "bad-url";
    case CURLE_OUT_OF_MEMORY:
        return "memory";
    default:
        return "protocol";
    }
}
