/*
 * Owns libmicrohttpd's daemon, which has no thread of its own: the loop
 * watches its epoll descriptor, and a timer for its timeouts.
 *
 *     descriptor readable, or time over ─> MHD_run ─> answer
 *                                             └─> when next? ─> timer
 */

#include "sight.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGHT_CONNECTIONS 16
#define SIGHT_TIMEOUT_S 5
#define SIGHT_MAX_REQUEST ((size_t)8192) /* memory of a connection */
#define SIGHT_MAX_PAGE (1024 * 1024)
#define SIGHT_MAX_HOST 64

struct sight_s {
    struct MHD_Daemon *daemon; /* owned */
    const sight_page_t *pages; /* borrowed, as data */
    size_t n_pages;
    void *data;
    uv_poll_t poll;
    uv_timer_t timer;
    int rests; /* the last run left no timeout */
    int open;  /* handles that libuv has still to close */
};

/* --- the address --------------------------------------------------------- */

static int
is_loopback(const struct sockaddr_storage *address)
{
    const void *any = address;
    const struct sockaddr_in *in = any;
    const struct sockaddr_in6 *in6 = any;

    return address->ss_family == AF_INET
               ? ntohl(in->sin_addr.s_addr) >> 24 == 127
               : IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

int
sight_parse(const char *text, struct sockaddr_storage *address, fault_t *fault)
{
    void *any = address;
    struct sockaddr_in *in = any;
    struct sockaddr_in6 *in6 = any;
    char host[SIGHT_MAX_HOST];
    const char *colon;
    char *end;
    size_t len;
    long port;
    int good;

    memset(address, 0, sizeof(*address));
    colon = strrchr(text, ':');
    len = colon == NULL ? 0 : (size_t)(colon - text);
    if (len < 3 || len >= sizeof(host)) {
        return fault_set(fault, 0, "\"%s\" is not address:port", text);
    }
    port = strtol(colon + 1, &end, 10);
    if (end == colon + 1 || *end != '\0' || port < 1 || port > 65535) {
        return fault_set(fault, 0, "\"%s\" has no port 1..65535", text);
    }
    if (text[0] == '[' && text[len - 1] == ']') {
        (void)snprintf(host, sizeof(host), "%.*s", (int)len - 2, text + 1);
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)port);
        good = inet_pton(AF_INET6, host, &in6->sin6_addr) == 1;
    } else {
        (void)snprintf(host, sizeof(host), "%.*s", (int)len, text);
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)port);
        good = inet_pton(AF_INET, host, &in->sin_addr) == 1;
    }
    if (!good) {
        return fault_set(fault, 0, "\"%s\" is not address:port", text);
    }
    if (!is_loopback(address)) {
        return fault_set(fault, 0,
                         "\"%s\" is not on the loopback (127.0.0.1 or [::1])",
                         text);
    }
    return 0;
}

/* --- pages --------------------------------------------------------------- */

static enum MHD_Result
answer(struct MHD_Connection *connection, unsigned status, const char *type,
       const buf_t *text)
{
    struct MHD_Response *response;
    enum MHD_Result rc;
    const char *body = buf_str(text);

    /* the cast is the library's: it copies, and its argument is not const */
    response = MHD_create_response_from_buffer(
        strlen(body), (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
    if (response == NULL) {
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, "Content-Type", type);
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        (void)MHD_add_response_header(response, "Allow", "GET, HEAD");
    }
    rc = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return rc;
}

static const sight_page_t *
page_of(const sight_t *sight, const char *path)
{
    size_t i;

    for (i = 0; i < sight->n_pages; i++) {
        if (strcmp(sight->pages[i].path, path) == 0) {
            return &sight->pages[i];
        }
    }
    return NULL;
}

/* Nobody needs a body here: the answer comes before one is read. */
static enum MHD_Result
on_request(void *data, struct MHD_Connection *connection, const char *path,
           const char *method, const char *version, const char *body,
           size_t *body_len, void **request)
{
    const sight_t *sight = data;
    const sight_page_t *page;
    const char *type = "text/plain; charset=utf-8";
    enum MHD_Result rc;
    unsigned status;
    buf_t out;

    (void)version;
    (void)body;
    (void)body_len;
    (void)request;
    buf_init(&out, SIGHT_MAX_PAGE);
    page = page_of(sight, path);
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0
        && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
    {
        status = MHD_HTTP_METHOD_NOT_ALLOWED;
        buf_add_str(&out, "only GET and HEAD\n");
    } else if (page == NULL) {
        status = MHD_HTTP_NOT_FOUND;
        buf_add_str(&out, "no such page\n");
    } else {
        type = page->type;
        status = page->write(sight->data, &out);
    }
    if (out.failed) {
        status = MHD_HTTP_INTERNAL_SERVER_ERROR;
        type = "text/plain; charset=utf-8";
        buf_reset(&out);
    }
    rc = answer(connection, status, type, &out);
    buf_done(&out);
    return rc;
}

/* --- the loop ------------------------------------------------------------ */

static void on_timer(uv_timer_t *timer);

/*
 * A daemon that was full listens again in the run after the one that made
 * room, and may have no timeout to tell of between the two: it rests only
 * after a second run without one.
 */
static void
run(sight_t *sight)
{
    MHD_UNSIGNED_LONG_LONG ms;
    int rests;

    (void)MHD_run(sight->daemon);
    rests = MHD_get_timeout(sight->daemon, &ms) != MHD_YES;
    if (rests && sight->rests) {
        (void)uv_timer_stop(&sight->timer);
    } else {
        (void)uv_timer_start(&sight->timer, on_timer, rests ? 0 : ms, 0);
    }
    sight->rests = rests;
}

static void
on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

static void
on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(poll->data);
}

static void
on_closed(uv_handle_t *handle)
{
    sight_t *sight = handle->data;

    if (--sight->open == 0) {
        free(sight);
    }
}

void
sight_free(sight_t *sight)
{
    if (sight != NULL) {
        uv_close((uv_handle_t *)&sight->poll, on_closed);
        uv_close((uv_handle_t *)&sight->timer, on_closed);
        MHD_stop_daemon(sight->daemon);
    }
}

static struct MHD_Daemon *
listen_at(sight_t *sight, const struct sockaddr_storage *address)
{
    unsigned flags = MHD_USE_EPOLL;

    if (address->ss_family == AF_INET6) {
        flags |= MHD_USE_IPv6;
    }
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, sight, MHD_OPTION_SOCK_ADDR, address,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)SIGHT_CONNECTIONS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SIGHT_TIMEOUT_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, SIGHT_MAX_REQUEST, MHD_OPTION_END);
}

sight_t *
sight_new(uv_loop_t *loop, const char *listen, const sight_page_t *pages,
          size_t n_pages, void *data, fault_t *fault)
{
    const union MHD_DaemonInfo *info;
    struct sockaddr_storage address;
    sight_t *sight;

    if (sight_parse(listen, &address, fault) != 0) {
        return NULL;
    }
    sight = calloc(1, sizeof(*sight));
    if (sight == NULL) {
        (void)fault_set(fault, 0, "out of memory");
        return NULL;
    }
    sight->pages = pages;
    sight->n_pages = n_pages;
    sight->data = data;
    errno = 0;
    sight->daemon = listen_at(sight, &address);
    info = sight->daemon == NULL
               ? NULL
               : MHD_get_daemon_info(sight->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL || uv_poll_init(loop, &sight->poll, info->epoll_fd) != 0)
    {
        (void)fault_set(fault, 0, "cannot listen at \"%s\": %s", listen,
                        errno == 0 ? "no epoll" : strerror(errno));
        if (sight->daemon != NULL) {
            MHD_stop_daemon(sight->daemon);
        }
        free(sight);
        return NULL;
    }
    (void)uv_timer_init(loop, &sight->timer);
    sight->poll.data = sight;
    sight->timer.data = sight;
    sight->open = 2;
    (void)uv_poll_start(&sight->poll, UV_READABLE, on_poll);
    return sight;
}
