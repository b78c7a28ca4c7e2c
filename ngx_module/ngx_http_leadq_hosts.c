
/*
 * The hosts of a conninfo.
 *
 * libpq must never look up a host name: it would block the worker process in
 * getaddrinfo().  So the list of hosts is taken out of the conninfo here,
 * and given back at every connect with an address for each of them: at once
 * by the master process, or later by nginx's resolver (see resolve).
 */

#include "ngx_http_leadq.h"


static ngx_uint_t ngx_http_leadq_hosts_count(const char *list);
static ngx_int_t ngx_http_leadq_hosts_item(ngx_conf_t *cf, const char *list,
    ngx_uint_t i, ngx_str_t *item);
static void ngx_http_leadq_hosts_kind(ngx_http_leadq_host_t *item);
static ngx_int_t ngx_http_leadq_hosts_now(ngx_conf_t *cf,
    ngx_http_leadq_database_t *database);


const char *
ngx_http_leadq_hosts_option(PQconninfoOption *given, const char *keyword)
{
    PQconninfoOption  *option;

    for (option = given; option->keyword; option++) {
        if (ngx_strcmp(option->keyword, keyword) == 0) {
            return option->val && *option->val ? option->val : NULL;
        }
    }

    return NULL;
}


/* host and hostaddr are lists of one length, port too or it is for all. */

char *
ngx_http_leadq_hosts_set(ngx_conf_t *cf, ngx_http_leadq_database_t *database,
    PQconninfoOption *given)
{
    const char             *hosts, *addrs, *ports;
    ngx_uint_t              i, n, nports;
    ngx_http_leadq_host_t  *item;

    hosts = ngx_http_leadq_hosts_option(given, "host");
    addrs = ngx_http_leadq_hosts_option(given, "hostaddr");
    ports = ngx_http_leadq_hosts_option(given, "port");

    n = ngx_http_leadq_hosts_count(hosts ? hosts : addrs);
    nports = ngx_http_leadq_hosts_count(ports);

    if ((hosts && addrs && ngx_http_leadq_hosts_count(addrs) != n)
        || (nports != 1 && nports != n))
    {
        return "has lists of different lengths in \"host\", \"hostaddr\" "
               "and \"port\"";
    }

    if (ngx_array_init(&database->hosts, cf->pool, n,
                       sizeof(ngx_http_leadq_host_t))
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < n; i++) {
        item = ngx_array_push(&database->hosts);
        if (item == NULL) {
            return NGX_CONF_ERROR;
        }

        if (ngx_http_leadq_hosts_item(cf, hosts, i, &item->host) != NGX_OK
            || ngx_http_leadq_hosts_item(cf, addrs, i, &item->hostaddr)
               != NGX_OK
            || ngx_http_leadq_hosts_item(cf, ports, nports == 1 ? 0 : i,
                                         &item->port)
               != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        ngx_http_leadq_hosts_kind(item);
    }

    return NGX_CONF_OK;
}


/* Is it a socket, an address, or a name? */

static void
ngx_http_leadq_hosts_kind(ngx_http_leadq_host_t *item)
{
    u_char      addr[16];
    ngx_str_t  *host;

    item->name = 0;
    host = &item->host;

    if (item->hostaddr.len || host->len == 0
        || host->data[0] == '/' || host->data[0] == '@')
    {
        return;
    }

    if (ngx_inet_addr(host->data, host->len) != INADDR_NONE
        || ngx_inet6_addr(host->data, host->len, addr) == NGX_OK)
    {
        item->hostaddr = *host;
        return;
    }

    item->name = 1;
}


/* An absent list is one empty item, as libpq has it. */

static ngx_uint_t
ngx_http_leadq_hosts_count(const char *list)
{
    ngx_uint_t  n;

    for (n = 1; list && *list; list++) {
        n += *list == ',';
    }

    return n;
}


/* Copies item i of a list. */

static ngx_int_t
ngx_http_leadq_hosts_item(ngx_conf_t *cf, const char *list, ngx_uint_t i,
    ngx_str_t *item)
{
    ngx_str_t  source;

    ngx_str_null(item);

    if (list == NULL) {
        return NGX_OK;
    }

    for ( /* void */ ; i; i--) {
        list += strcspn(list, ",") + 1;
    }

    source.data = (u_char *) list;
    source.len = strcspn(list, ",");

    item->len = source.len;
    item->data = ngx_pstrdup(cf->pool, &source);

    return item->data ? NGX_OK : NGX_ERROR;
}


/* Called when all of http{} has been read, "resolver" included. */

ngx_int_t
ngx_http_leadq_database_hosts(ngx_conf_t *cf,
    ngx_http_leadq_database_t *database)
{
    ngx_uint_t                 i, names;
    ngx_http_leadq_host_t     *host;
    ngx_http_core_loc_conf_t  *clcf;

    names = 0;
    host = database->hosts.elts;

    for (i = 0; i < database->hosts.nelts; i++) {
        names += host[i].name;
    }

    if (names == 0) {
        return NGX_OK;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->resolver && clcf->resolver->connections.nelts) {
        database->resolver = clcf->resolver;
        return NGX_OK;
    }

    return ngx_http_leadq_hosts_now(cf, database);
}


/* Without a resolver names are looked up once, as proxy_pass does it. */

static ngx_int_t
ngx_http_leadq_hosts_now(ngx_conf_t *cf, ngx_http_leadq_database_t *database)
{
    u_char                  text[NGX_SOCKADDR_STRLEN];
    size_t                  len;
    ngx_url_t               u;
    ngx_uint_t              i, k;
    ngx_array_t             all;
    ngx_http_leadq_host_t  *host, *item;

    if (ngx_array_init(&all, cf->pool, 4, sizeof(ngx_http_leadq_host_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    host = database->hosts.elts;

    for (i = 0; i < database->hosts.nelts; i++) {

        ngx_memzero(&u, sizeof(ngx_url_t));
        u.host = host[i].host;

        if (host[i].name
            && ngx_inet_resolve_host(cf->pool, &u) != NGX_OK)
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "%s \"%V\" of leadq_database \"%V\" in %V:%ui",
                          u.err ? u.err : "no memory for host", &host[i].host,
                          &database->name, &database->place.file,
                          database->place.line);
            return NGX_ERROR;
        }

        for (k = 0; k < (host[i].name ? u.naddrs : 1); k++) {

            item = ngx_array_push(&all);
            if (item == NULL) {
                return NGX_ERROR;
            }

            *item = host[i];

            if (!host[i].name) {
                continue;
            }

            len = ngx_sock_ntop(u.addrs[k].sockaddr, u.addrs[k].socklen,
                                text, NGX_SOCKADDR_STRLEN, 0);

            item->name = 0;
            item->hostaddr.len = len;
            item->hostaddr.data = ngx_pnalloc(cf->pool, len);

            if (item->hostaddr.data == NULL) {
                return NGX_ERROR;
            }

            ngx_memcpy(item->hostaddr.data, text, len);
        }
    }

    database->hosts = all;

    return NGX_OK;
}
