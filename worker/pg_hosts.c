/*
 * Owns the three lists while they grow, host by host:
 *
 *     host=db1,/run/pg port=5432   ->   host     db1,db1,/run/pg
 *                                       hostaddr 10.0.0.1,fd00::1,
 *                                       port     5432,5432,5432
 */

#include "pg_hosts.h"
#include "buf.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MAX 4096

struct pg_hosts_s {
    uv_getaddrinfo_t lookup;
    uv_timer_t soon; /* when there is nothing to look up */
    uv_loop_t *loop; /* borrowed */
    char *hosts;     /* owned: of the conninfo or the environment, or NULL */
    char *ports;
    const char *host; /* in hosts: the one that is looked up */
    const char *port; /* in ports: its port */
    buf_t out_hosts;
    buf_t out_addresses;
    buf_t out_ports;
    int resolved;   /* addresses so far, sockets included */
    pg_hosts_pt fn; /* NULL: cancelled */
    void *data;     /* borrowed */
};

static void look_up(pg_hosts_t *hosts);

static void
hosts_free(pg_hosts_t *hosts)
{
    free(hosts->hosts);
    free(hosts->ports);
    buf_done(&hosts->out_hosts);
    buf_done(&hosts->out_addresses);
    buf_done(&hosts->out_ports);
    free(hosts);
}

static void
on_soon_closed(uv_handle_t *handle)
{
    hosts_free(handle->data);
}

/* The end, in a round of its own: the timer's. */
static void
on_soon(uv_timer_t *timer)
{
    pg_hosts_t *hosts = timer->data;
    int failed;

    failed = hosts->hosts != NULL
             && (hosts->resolved == 0 || hosts->out_hosts.failed
                 || hosts->out_addresses.failed || hosts->out_ports.failed);
    if (hosts->fn != NULL && hosts->hosts == NULL) {
        hosts->fn(hosts->data, NULL, NULL, NULL, NULL);
    } else if (hosts->fn != NULL) {
        hosts->fn(hosts->data, buf_str(&hosts->out_hosts),
                  buf_str(&hosts->out_addresses), buf_str(&hosts->out_ports),
                  failed ? "no host has an address" : NULL);
    }
    uv_close((uv_handle_t *)timer, on_soon_closed);
}

static void
add(pg_hosts_t *hosts, const char *address)
{
    const char *comma = hosts->resolved++ == 0 ? "" : ",";

    buf_addf(&hosts->out_hosts, "%s%.*s", comma,
             (int)strcspn(hosts->host, ","), hosts->host);
    buf_addf(&hosts->out_addresses, "%s%s", comma, address);
    buf_addf(&hosts->out_ports, "%s%.*s", comma,
             (int)strcspn(hosts->port, ","), hosts->port);
}

/* Moves to the next host; a single port is everyone's. */
static void
next(pg_hosts_t *hosts)
{
    hosts->host += strcspn(hosts->host, ",");
    if (*hosts->host == '\0') {
        hosts->host = NULL;
        return;
    }
    hosts->host++;
    if (strchr(hosts->port, ',') != NULL) {
        hosts->port = strchr(hosts->port, ',') + 1;
    }
}

static void
on_looked_up(uv_getaddrinfo_t *lookup, int status, struct addrinfo *result)
{
    pg_hosts_t *hosts = lookup->data;
    const struct addrinfo *info;
    char address[64];

    for (info = status == 0 ? result : NULL; info != NULL;
         info = info->ai_next) {
        if (getnameinfo(info->ai_addr, info->ai_addrlen, address,
                        sizeof(address), NULL, 0, NI_NUMERICHOST)
            == 0)
        {
            add(hosts, address);
        }
    }
    uv_freeaddrinfo(result);
    next(hosts);
    look_up(hosts);
}

/* Looks the present host up, or ends. */
static void
look_up(pg_hosts_t *hosts)
{
    struct addrinfo hints;
    char name[256];
    size_t len;

    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;
    for (; hosts->host != NULL && hosts->fn != NULL; next(hosts)) {
        len = strcspn(hosts->host, ",");
        if (len == 0 || *hosts->host == '/' || *hosts->host == '@') {
            add(hosts, ""); /* a socket: libpq knows where */
            continue;
        }
        if (len >= sizeof(name)) {
            continue;
        }
        memcpy(name, hosts->host, len);
        name[len] = '\0';
        if (uv_getaddrinfo(hosts->loop, &hosts->lookup, on_looked_up, name,
                           NULL, &hints)
            == 0)
        {
            return;
        }
    }
    (void)uv_timer_start(&hosts->soon, on_soon, 0, 0);
}

static const char *
value_of(const PQconninfoOption *options, const char *keyword)
{
    for (; options != NULL && options->keyword != NULL; options++) {
        if (strcmp(options->keyword, keyword) == 0) {
            return options->val;
        }
    }
    return NULL;
}

/* What there is to look up; nothing when addresses or a service are named. */
static int
read_conninfo(pg_hosts_t *hosts, const char *conninfo)
{
    PQconninfoOption *options, *defaults;
    const char *host, *port;
    int failed;

    options = PQconninfoParse(conninfo, NULL);
    defaults = PQconndefaults();
    failed = 0;
    host = value_of(options, "host");
    host = host == NULL ? value_of(defaults, "host") : host;
    port = value_of(options, "port");
    port = port == NULL ? value_of(defaults, "port") : port;
    if (host != NULL && *host != '\0' && port != NULL
        && value_of(options, "hostaddr") == NULL
        && value_of(defaults, "hostaddr") == NULL
        && value_of(options, "service") == NULL)
    {
        hosts->hosts = strdup(host);
        hosts->ports = strdup(port);
        failed = hosts->hosts == NULL || hosts->ports == NULL;
        hosts->host = hosts->hosts;
        hosts->port = hosts->ports;
    }
    PQconninfoFree(options);
    PQconninfoFree(defaults);
    return failed ? -1 : 0;
}

pg_hosts_t *
pg_hosts_start(uv_loop_t *loop, const char *conninfo, pg_hosts_pt fn,
               void *data)
{
    pg_hosts_t *hosts;

    hosts = calloc(1, sizeof(*hosts));
    if (hosts == NULL) {
        return NULL;
    }
    buf_init(&hosts->out_hosts, LIST_MAX);
    buf_init(&hosts->out_addresses, LIST_MAX);
    buf_init(&hosts->out_ports, LIST_MAX);
    if (read_conninfo(hosts, conninfo) != 0) {
        hosts_free(hosts);
        return NULL;
    }
    hosts->loop = loop;
    hosts->fn = fn;
    hosts->data = data;
    hosts->lookup.data = hosts;
    (void)uv_timer_init(loop, &hosts->soon);
    hosts->soon.data = hosts;
    look_up(hosts);
    return hosts;
}

void
pg_hosts_cancel(pg_hosts_t *hosts)
{
    if (hosts != NULL) {
        hosts->fn = NULL; /* the lookup under way still ends, and frees */
        (void)uv_cancel((uv_req_t *)&hosts->lookup);
    }
}
