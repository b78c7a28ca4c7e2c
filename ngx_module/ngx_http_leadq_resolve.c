
/*
 * Host names of a conninfo, asked of nginx's resolver before every connect,
 * one after the other.  Each address of a name becomes a host of its own;
 * names that nobody knows are left out as long as one host remains.
 */

#include "ngx_http_leadq.h"


struct ngx_http_leadq_names_s {
    ngx_pool_t             *pool;               /* owned, with this struct */
    ngx_http_leadq_lane_t  *lane;               /* borrowed */
    ngx_resolver_ctx_t     *ctx;                /* the question being asked */
    ngx_uint_t              next;               /* of database->hosts */
    ngx_array_t             hosts;              /* the result */
};


static void ngx_http_leadq_names_next(ngx_http_leadq_names_t *names);
static void ngx_http_leadq_names_handler(ngx_resolver_ctx_t *ctx);
static ngx_int_t ngx_http_leadq_names_add(ngx_http_leadq_names_t *names,
    ngx_http_leadq_host_t *host, ngx_resolver_addr_t *addr);
static void ngx_http_leadq_names_done(ngx_http_leadq_names_t *names);


void
ngx_http_leadq_names_resolve(ngx_http_leadq_lane_t *lane)
{
    ngx_pool_t              *pool;
    ngx_http_leadq_names_t  *names;

    pool = ngx_create_pool(1024, lane->pool->log);
    if (pool == NULL) {
        ngx_http_leadq_lane_fail(lane, "no memory");
        return;
    }

    names = ngx_pcalloc(pool, sizeof(ngx_http_leadq_names_t));

    if (names == NULL
        || ngx_array_init(&names->hosts, pool, 4,
                          sizeof(ngx_http_leadq_host_t))
           != NGX_OK)
    {
        ngx_destroy_pool(pool);
        ngx_http_leadq_lane_fail(lane, "no memory");
        return;
    }

    names->pool = pool;
    names->lane = lane;
    lane->names = names;

    ngx_http_leadq_names_next(names);
}


void
ngx_http_leadq_names_cancel(ngx_http_leadq_lane_t *lane)
{
    ngx_http_leadq_names_t  *names;

    names = lane->names;

    if (names == NULL) {
        return;
    }

    lane->names = NULL;

    if (names->ctx) {
        ngx_resolve_name_done(names->ctx);
    }

    ngx_destroy_pool(names->pool);
}


/* Asks for the next name; may come back here from inside the resolver. */

static void
ngx_http_leadq_names_next(ngx_http_leadq_names_t *names)
{
    ngx_resolver_ctx_t         *ctx;
    ngx_http_leadq_host_t      *host;
    ngx_http_leadq_database_t  *database;

    database = names->lane->pool->database;
    host = database->hosts.elts;

    while (names->next < database->hosts.nelts && !host[names->next].name) {

        if (ngx_http_leadq_names_add(names, &host[names->next], NULL)
            != NGX_OK)
        {
            ngx_http_leadq_lane_fail(names->lane, "no memory");
            return;
        }

        names->next++;
    }

    if (names->next == database->hosts.nelts) {
        ngx_http_leadq_names_done(names);
        return;
    }

    ctx = ngx_resolve_start(database->resolver, NULL);

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        ngx_http_leadq_lane_fail(names->lane, "no resolver for its host");
        return;
    }

    ctx->name = host[names->next].host;
    ctx->handler = ngx_http_leadq_names_handler;
    ctx->data = names;
    ctx->timeout = database->connect_timeout;
    ctx->cancelable = 1;

    names->ctx = ctx;

    if (ngx_resolve_name(ctx) != NGX_OK) {
        names->ctx = NULL;
        ngx_http_leadq_lane_fail(names->lane, "cannot ask for its host");
    }
}


static void
ngx_http_leadq_names_handler(ngx_resolver_ctx_t *ctx)
{
    ngx_int_t                rc;
    ngx_uint_t               i;
    ngx_http_leadq_host_t   *host;
    ngx_http_leadq_names_t  *names;

    names = ctx->data;

    host = (ngx_http_leadq_host_t *) names->lane->pool->database->hosts.elts
           + names->next;
    rc = NGX_OK;

    if (ctx->state) {
        ngx_log_error(NGX_LOG_WARN, names->lane->pool->log, 0,
                      "leadq cannot resolve \"%V\" (%i: %s)", &ctx->name,
                      ctx->state, ngx_resolver_strerror(ctx->state));
    }

    for (i = 0; ctx->state == 0 && i < ctx->naddrs && rc == NGX_OK; i++) {
        rc = ngx_http_leadq_names_add(names, host, &ctx->addrs[i]);
    }

    names->ctx = NULL;
    names->next++;

    ngx_resolve_name_done(ctx);

    if (rc != NGX_OK) {
        ngx_http_leadq_lane_fail(names->lane, "no memory");
        return;
    }

    ngx_http_leadq_names_next(names);
}


static ngx_int_t
ngx_http_leadq_names_add(ngx_http_leadq_names_t *names,
    ngx_http_leadq_host_t *host, ngx_resolver_addr_t *addr)
{
    ngx_http_leadq_host_t  *item;

    item = ngx_array_push(&names->hosts);
    if (item == NULL) {
        return NGX_ERROR;
    }

    *item = *host;

    if (addr == NULL) {
        return NGX_OK;
    }

    item->hostaddr.data = ngx_pnalloc(names->pool, NGX_SOCKADDR_STRLEN);
    if (item->hostaddr.data == NULL) {
        return NGX_ERROR;
    }

    item->hostaddr.len = ngx_sock_ntop(addr->sockaddr, addr->socklen,
                                       item->hostaddr.data,
                                       NGX_SOCKADDR_STRLEN, 0);

    return NGX_OK;
}


static void
ngx_http_leadq_names_done(ngx_http_leadq_names_t *names)
{
    ngx_http_leadq_lane_t  *lane;

    lane = names->lane;

    if (names->hosts.nelts == 0) {
        ngx_http_leadq_lane_fail(lane, "no address is known for its hosts");
        return;
    }

    /* the names live until their addresses have been handed over */

    lane->names = NULL;
    ngx_http_leadq_lane_connect(lane, &names->hosts);
    ngx_destroy_pool(names->pool);
}
