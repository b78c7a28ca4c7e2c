/*
 * Owns a c-ares channel with a watch for each of its sockets and one timer,
 * and the look-ups under way.  c-ares cannot end a single query: a look-up
 * that was cancelled waits for its answer, or for its timeout, with nobody to
 * tell.
 */

#include "mx.h"
#include "list.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <ctype.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#define OFF "off"
#define TRY_MS 2000
#define TRIES 2
#define MAX_SERVERS 200 /* length of their text */
#define MAX_DOMAIN 253

typedef struct {
    list_t link;
    uv_poll_t poll;
    resolver_t *resolver; /* borrowed */
    ares_socket_t fd;
} watch_t;

struct resolver_s {
    uv_loop_t *loop;      /* borrowed */
    ares_channel channel; /* owned; NULL: off */
    list_t watches;       /* watch_t.link; owned */
    list_t done;          /* mx_t.link: to be told in the next round */
    uv_timer_t timer;     /* of c-ares */
    uv_idle_t soon;       /* somebody is to be told */
    int open;             /* handles that libuv has still to close */
    int freeing;
};

struct mx_s {
    list_t link;
    resolver_t *resolver; /* borrowed */
    char domain[MAX_DOMAIN + 1];
    int type; /* that is asked for */
    uint64_t begin_ms;
    int asking; /* c-ares holds it */
    mx_result_t result;
    mx_end_pt fn; /* NULL: cancelled */
    void *data;   /* borrowed */
};

static void ask(mx_t *mx, int type);

/* --- sockets and time ------------------------------------------------------
 */

static void set_timer(resolver_t *resolver);

static void
on_socket(uv_poll_t *poll, int status, int events)
{
    watch_t *watch = poll->data;
    resolver_t *resolver = watch->resolver;
    ares_socket_t fd = watch->fd;

    ares_process_fd(
        resolver->channel,
        status < 0 || (events & UV_READABLE) ? fd : ARES_SOCKET_BAD,
        status < 0 || (events & UV_WRITABLE) ? fd : ARES_SOCKET_BAD);
    set_timer(resolver);
}

static void
on_timer(uv_timer_t *timer)
{
    resolver_t *resolver = timer->data;

    ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_timer(resolver);
}

static void
set_timer(resolver_t *resolver)
{
    struct timeval wait;
    uint64_t ms;

    if (ares_timeout(resolver->channel, NULL, &wait) == NULL) {
        (void)uv_timer_stop(&resolver->timer);
        return;
    }
    ms = (uint64_t)wait.tv_sec * 1000 + (uint64_t)wait.tv_usec / 1000;
    (void)uv_timer_start(&resolver->timer, on_timer, ms + 1, 0);
}

static void
on_watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void
watch_close(watch_t *watch)
{
    list_remove(&watch->link);
    (void)uv_poll_stop(&watch->poll);
    uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
}

static watch_t *
watch_of(resolver_t *resolver, ares_socket_t fd)
{
    watch_t *watch;
    list_t *link;

    list_for_each (link, &resolver->watches) {
        watch = list_entry(link, watch_t, link);
        if (watch->fd == fd) {
            return watch;
        }
    }
    return NULL;
}

static watch_t *
watch_new(resolver_t *resolver, ares_socket_t fd)
{
    watch_t *watch;

    watch = calloc(1, sizeof(*watch));
    if (watch == NULL) {
        return NULL;
    }
    if (uv_poll_init_socket(resolver->loop, &watch->poll, fd) != 0) {
        free(watch);
        return NULL;
    }
    watch->resolver = resolver;
    watch->fd = fd;
    watch->poll.data = watch;
    list_append(&resolver->watches, &watch->link);
    return watch;
}

/* c-ares wants to know of other events on a socket, or is about to close it.
 */
static void
on_ares_socket(void *data, ares_socket_t fd, int readable, int writable)
{
    resolver_t *resolver = data;
    watch_t *watch = watch_of(resolver, fd);
    int events;

    events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
    if (events == 0) {
        if (watch != NULL) {
            watch_close(watch);
        }
        return;
    }
    if (watch == NULL) {
        watch = watch_new(resolver, fd);
        if (watch == NULL) {
            return; /* the query runs into its timeout */
        }
    }
    (void)uv_poll_start(&watch->poll, events, on_socket);
}

/* --- one look-up -----------------------------------------------------------
 */

static void
on_soon(uv_idle_t *soon)
{
    resolver_t *resolver = soon->data;
    mx_t *mx;

    while (!list_empty(&resolver->done)) {
        mx = list_entry(resolver->done.next, mx_t, link);
        list_remove(&mx->link);
        mx->fn(mx->data, &mx->result);
        free(mx);
    }
    (void)uv_idle_stop(soon);
}

/* c-ares may answer before ares_query returns: the end is told later. */
static void
end(mx_t *mx)
{
    resolver_t *resolver = mx->resolver;

    if (mx->fn == NULL || resolver->freeing) {
        free(mx);
        return;
    }
    mx->result.ms = (long)(uv_now(resolver->loop) - mx->begin_ms);
    list_append(&resolver->done, &mx->link);
    (void)uv_idle_start(&resolver->soon, on_soon);
}

static void
end_with(mx_t *mx, mx_verdict_e verdict)
{
    mx->result.verdict = verdict;
    end(mx);
}

static void
fail(mx_t *mx, int status)
{
    mx->result.failed = 1;
    mx->result.problem = status == ARES_ETIMEOUT ? "timeout" : "dns";
    end(mx);
}

/* The hosts: a lone "." is a refusal, the most preferred one names who it is.
 */
static void
judge_hosts(mx_t *mx, const struct ares_mx_reply *hosts)
{
    const struct ares_mx_reply *host, *best;

    best = hosts;
    for (host = hosts; host != NULL; host = host->next) {
        if (host->priority < best->priority) {
            best = host;
        }
    }
    if (best->host[0] == '\0' || strcmp(best->host, ".") == 0) {
        end_with(mx, hosts->next == NULL ? MX_NULL : MX_NONE);
        return;
    }
    mx_group(best->host, mx->result.group);
    end_with(mx, MX_GOOD);
}

static int
has_address(int type, unsigned char *answer, int len)
{
    struct ares_addr6ttl v6;
    struct ares_addrttl v4;
    int status, n;

    n = 1;
    status = type == ns_t_a
                 ? ares_parse_a_reply(answer, len, NULL, &v4, &n)
                 : ares_parse_aaaa_reply(answer, len, NULL, &v6, &n);
    return status == ARES_SUCCESS && n > 0;
}

/* There is nothing of the type: the next one, or it takes no mail. */
static void
next_type(mx_t *mx)
{
    if (mx->type == ns_t_aaaa) {
        end_with(mx, MX_NONE);
    } else {
        ask(mx, mx->type == ns_t_mx ? ns_t_a : ns_t_aaaa);
    }
}

static void
on_answer(void *data, int status, int timeouts, unsigned char *answer, int len)
{
    struct ares_mx_reply *hosts;
    mx_t *mx = data;

    (void)timeouts;
    mx->asking = 0;
    if (mx->fn == NULL || mx->resolver->freeing) {
        free(mx);
        return;
    }
    hosts = NULL;
    if (status == ARES_SUCCESS && mx->type == ns_t_mx) {
        status = ares_parse_mx_reply(answer, len, &hosts);
    }
    if (status == ARES_ENOTFOUND || status == ARES_EBADNAME) {
        end_with(mx, MX_NONE);
    } else if (status == ARES_ENODATA
               || (status == ARES_SUCCESS && mx->type == ns_t_mx
                   && hosts == NULL))
    {
        next_type(mx);
    } else if (status != ARES_SUCCESS) {
        fail(mx, status);
    } else if (hosts != NULL) {
        judge_hosts(mx, hosts);
    } else if (has_address(mx->type, answer, len)) {
        mx_group(mx->domain, mx->result.group);
        end_with(mx, MX_GOOD);
    } else {
        next_type(mx);
    }
    ares_free_data(hosts);
}

static void
ask(mx_t *mx, int type)
{
    mx->type = type;
    mx->asking = 1;
    ares_query(mx->resolver->channel, mx->domain, ns_c_in, type, on_answer,
               mx);
    set_timer(mx->resolver);
}

mx_t *
mx_start(resolver_t *resolver, const char *domain, mx_end_pt fn, void *data)
{
    mx_t *mx;

    mx = calloc(1, sizeof(*mx));
    if (mx == NULL) {
        return NULL;
    }
    list_init(&mx->link);
    mx->resolver = resolver;
    mx->begin_ms = uv_now(resolver->loop);
    mx->fn = fn;
    mx->data = data;
    (void)snprintf(mx->domain, sizeof(mx->domain), "%s", domain);
    if (resolver->channel == NULL) {
        end_with(mx, MX_UNCLEAR);
    } else if (strlen(domain) > MAX_DOMAIN) {
        end_with(mx, MX_NONE);
    } else {
        ask(mx, ns_t_mx);
    }
    return mx;
}

void
mx_cancel(mx_t *mx)
{
    if (mx != NULL) {
        mx->fn = NULL;
        if (!mx->asking) {
            list_remove(&mx->link);
            free(mx);
        }
    }
}

/* Second levels under which names are registered, in many countries. */
static int
is_registry(const char *label, size_t len)
{
    static const char *const names[] = {"ac",  "co",  "com", "edu",
                                        "gov", "net", "org"};
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strlen(names[i]) == len && strncasecmp(label, names[i], len) == 0)
        {
            return 1;
        }
    }
    return 0;
}

void
mx_group(const char *host, char group[MX_MAX_GROUP + 1])
{
    const char *dots[3] = {NULL, NULL, NULL}, *begin, *p;
    size_t len, i;

    len = strlen(host);
    len -= len > 0 && host[len - 1] == '.';
    for (p = host; p < host + len; p++) {
        if (*p == '.') {
            dots[2] = dots[1];
            dots[1] = dots[0];
            dots[0] = p;
        }
    }
    begin = dots[1] == NULL ? host : dots[1] + 1;
    if (dots[1] != NULL && host + len - dots[0] == 3
        && is_registry(begin, (size_t)(dots[0] - begin)))
    {
        begin = dots[2] == NULL ? host : dots[2] + 1;
    }
    len -= (size_t)(begin - host);
    len = len > MX_MAX_GROUP ? MX_MAX_GROUP : len;
    for (i = 0; i < len; i++) {
        group[i] = (char)tolower((unsigned char)begin[i]);
    }
    group[len] = '\0';
}

/* --- life ------------------------------------------------------------------
 */

/* Commas with blanks around them, as people write, become c-ares' own. */
static int
tidy(const char *servers, char text[MAX_SERVERS + 1])
{
    size_t n;

    n = 0;
    for (; *servers != '\0'; servers++) {
        if (isspace((unsigned char)*servers)) {
            continue;
        }
        if (n == MAX_SERVERS) {
            return -1;
        }
        text[n++] = *servers;
    }
    text[n] = '\0';
    return 0;
}

static ares_channel
channel_new(const char *servers, struct ares_options *options, int mask)
{
    char text[MAX_SERVERS + 1];
    ares_channel channel;

    options->timeout = TRY_MS;
    options->tries = TRIES;
    mask |= ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
    if (tidy(servers, text) != 0
        || ares_init_options(&channel, options, mask) != ARES_SUCCESS)
    {
        return NULL;
    }
    if (*text != '\0'
        && ares_set_servers_ports_csv(channel, text) != ARES_SUCCESS) {
        ares_destroy(channel);
        return NULL;
    }
    return channel;
}

int
resolver_is(const char *servers)
{
    struct ares_options options;
    ares_channel channel;

    if (strcmp(servers, OFF) == 0) {
        return 1;
    }
    memset(&options, 0, sizeof(options));
    channel = channel_new(servers, &options, 0);
    if (channel == NULL) {
        return 0;
    }
    ares_destroy(channel);
    return 1;
}

static void
on_closed(uv_handle_t *handle)
{
    resolver_t *resolver = handle->data;

    if (--resolver->open == 0) {
        free(resolver);
    }
}

resolver_t *
resolver_new(uv_loop_t *loop, const char *servers)
{
    struct ares_options options;
    resolver_t *resolver;

    resolver = calloc(1, sizeof(*resolver));
    if (resolver == NULL) {
        return NULL;
    }
    resolver->loop = loop;
    list_init(&resolver->watches);
    list_init(&resolver->done);
    (void)uv_timer_init(loop, &resolver->timer);
    (void)uv_idle_init(loop, &resolver->soon);
    resolver->timer.data = resolver;
    resolver->soon.data = resolver;
    resolver->open = 2;
    if (strcmp(servers, OFF) == 0) {
        return resolver;
    }
    memset(&options, 0, sizeof(options));
    options.sock_state_cb = on_ares_socket;
    options.sock_state_cb_data = resolver;
    resolver->channel = channel_new(servers, &options, ARES_OPT_SOCK_STATE_CB);
    if (resolver->channel == NULL) {
        resolver_free(resolver);
        return NULL;
    }
    return resolver;
}

void
resolver_free(resolver_t *resolver)
{
    mx_t *mx;

    if (resolver == NULL) {
        return;
    }
    resolver->freeing = 1;
    if (resolver->channel != NULL) {
        ares_destroy(resolver->channel);
    }
    while (!list_empty(&resolver->done)) {
        mx = list_entry(resolver->done.next, mx_t, link);
        list_remove(&mx->link);
        free(mx);
    }
    uv_close((uv_handle_t *)&resolver->timer, on_closed);
    uv_close((uv_handle_t *)&resolver->soon, on_closed);
}
