
/*
 * Host names of a conninfo, asked of nginx's resolver before every connect.
 *
 * All names are asked at once, so that one whose name server is slow or gone
 * costs the others nothing but half of the time there is for connecting.
 * Each address of a name becomes a host of its own, in the order of the
 * conninfo.  A name that has no answer keeps the addresses that it had before,
 * so that a name server that is gone does not take the database with it; one
 * that never had any is left out as long as one host remains.
 */

#include "ngx_http_leadq.h"


/* One host of the conninfo, and what has become known about it. */
typedef struct {
    ngx_http_leadq_names_t      *names;         /* borrowed */
    ngx_http_leadq_host_t       *host;          /* borrowed */
    ngx_resolver_ctx_t          *ctx;           /* while it is asked */
    ngx_array_t                  found;         /* _host_t */
} ngx_http_leadq_question_t;


struct ngx_http_leadq_names_s {
    ngx_pool_t                  *pool;          /* owned, with this struct */
    ngx_http_leadq_lane_t       *lane;          /* borrowed; NULL: known */
    ngx_http_leadq_question_t   *question;      /* for each of the hosts */
    ngx_uint_t                   n;
    ngx_uint_t                   open;          /* without an answer yet */
};


static ngx_http_leadq_names_t *ngx_http_leadq_names_new(
    ngx_http_leadq_lane_t *lane);
static void ngx_http_leadq_names_ask(ngx_http_leadq_question_t *question);
static void ngx_http_leadq_names_handler(ngx_resolver_ctx_t *ctx);
static ngx_int_t ngx_http_leadq_names_add(ngx_http_leadq_question_t *question,
    ngx_resolver_addr_t *addr);
static void ngx_http_leadq_names_recall(ngx_http_leadq_names_t *names);
static void ngx_http_leadq_names_close(ngx_http_leadq_names_t *names);
static void ngx_http_leadq_names_done(ngx_http_leadq_names_t *names);


void
ngx_http_leadq_names_resolve(ngx_http_leadq_lane_t *lane)
{
    ngx_uint_t               i;
    ngx_http_leadq_names_t  *names;

    names = ngx_http_leadq_names_new(lane);

    if (names == NULL) {
        ngx_http_leadq_lane_fail(lane, "no memory");
        return;
    }

    lane->names = names;

    /* answers may come from within: this loop counts as one more question */

    names->open = 1;

    for (i = 0; i < names->n; i++) {
        ngx_http_leadq_names_ask(&names->question[i]);
    }

    ngx_http_leadq_names_close(names);
}


static ngx_http_leadq_names_t *
ngx_http_leadq_names_new(ngx_http_leadq_lane_t *lane)
{
    ngx_uint_t               i;
    ngx_pool_t              *pool;
    ngx_array_t             *hosts;
    ngx_http_leadq_names_t  *names;

    pool = ngx_create_pool(1024, lane->pool->log);
    if (pool == NULL) {
        return NULL;
    }

    hosts = &lane->pool->database->hosts;

    names = ngx_pcalloc(pool, sizeof(ngx_http_leadq_names_t));

    if (names == NULL) {
        goto failed;
    }

    names->pool = pool;
    names->lane = lane;
    names->n = hosts->nelts;
    names->question = ngx_pcalloc(pool, names->n
                                        * sizeof(ngx_http_leadq_question_t));

    if (names->question == NULL) {
        goto failed;
    }

    for (i = 0; i < names->n; i++) {
        names->question[i].names = names;
        names->question[i].host = (ngx_http_leadq_host_t *) hosts->elts + i;

        if (ngx_array_init(&names->question[i].found, pool, 2,
                           sizeof(ngx_http_leadq_host_t))
            != NGX_OK)
        {
            goto failed;
        }
    }

    return names;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


void
ngx_http_leadq_names_cancel(ngx_http_leadq_lane_t *lane)
{
    ngx_uint_t               i;
    ngx_http_leadq_names_t  *names;

    names = lane->names;

    if (names == NULL) {
        return;
    }

    lane->names = NULL;

    for (i = 0; i < names->n; i++) {
        if (names->question[i].ctx) {
            ngx_resolve_name_done(names->question[i].ctx);
        }
    }

    ngx_destroy_pool(names->pool);
}


void
ngx_http_leadq_names_forget(ngx_http_leadq_pool_t *pool)
{
    if (pool->known) {
        ngx_destroy_pool(pool->known->pool);
        pool->known = NULL;
    }
}


/* A host that nobody need resolve answers for itself. */

static void
ngx_http_leadq_names_ask(ngx_http_leadq_question_t *question)
{
    ngx_resolver_ctx_t         *ctx;
    ngx_http_leadq_database_t  *database;

    if (!question->host->name) {
        (void) ngx_http_leadq_names_add(question, NULL);
        return;
    }

    database = question->names->lane->pool->database;

    ctx = ngx_resolve_start(database->resolver, NULL);

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        return;
    }

    ctx->name = question->host->host;
    ctx->handler = ngx_http_leadq_names_handler;
    ctx->data = question;
    ctx->timeout = database->connect_timeout / 2;
    ctx->cancelable = 1;

    question->ctx = ctx;
    question->names->open++;

    if (ngx_resolve_name(ctx) != NGX_OK) {
        question->ctx = NULL;                   /* nginx has freed it */
        question->names->open--;
    }
}


static void
ngx_http_leadq_names_handler(ngx_resolver_ctx_t *ctx)
{
    ngx_uint_t                  i, level;
    ngx_http_leadq_pool_t      *pool;
    ngx_http_leadq_question_t  *question;

    question = ctx->data;
    pool = question->names->lane->pool;

    if (ctx->state) {
        level = NGX_LOG_WARN;

        if (ngx_http_leadq_lane_quiet(pool)) {
            level = NGX_LOG_DEBUG;
        }

        ngx_log_error(level, pool->log, 0,
                      "leadq cannot resolve \"%V\" (%i: %s)", &ctx->name,
                      ctx->state, ngx_resolver_strerror(ctx->state));
    }

    for (i = 0; ctx->state == 0 && i < ctx->naddrs; i++) {
        if (ngx_http_leadq_names_add(question, &ctx->addrs[i]) != NGX_OK) {
            break;
        }
    }

    question->ctx = NULL;

    ngx_resolve_name_done(ctx);
    ngx_http_leadq_names_close(question->names);
}


static ngx_int_t
ngx_http_leadq_names_add(ngx_http_leadq_question_t *question,
    ngx_resolver_addr_t *addr)
{
    u_char                 *text;
    ngx_http_leadq_host_t  *item;

    text = ngx_pnalloc(question->names->pool, NGX_SOCKADDR_STRLEN);
    item = text ? ngx_array_push(&question->found) : NULL;

    if (item == NULL) {
        return NGX_ERROR;
    }

    *item = *question->host;

    if (addr) {
        item->hostaddr.data = text;
        item->hostaddr.len = ngx_sock_ntop(addr->sockaddr, addr->socklen,
                                           text, NGX_SOCKADDR_STRLEN, 0);
    }

    return NGX_OK;
}


/* What was known before is copied where there is no answer now. */

static void
ngx_http_leadq_names_recall(ngx_http_leadq_names_t *names)
{
    ngx_uint_t              i, k;
    ngx_array_t            *found, *before;
    ngx_http_leadq_host_t  *host, *item;

    if (names->lane->pool->known == NULL) {
        return;
    }

    for (i = 0; i < names->n; i++) {
        found = &names->question[i].found;
        before = &names->lane->pool->known->question[i].found;
        host = before->elts;

        if (found->nelts) {
            continue;
        }

        for (k = 0; k < before->nelts; k++) {

            item = ngx_array_push(found);
            if (item == NULL) {
                return;
            }

            *item = host[k];
            item->hostaddr.data = ngx_pstrdup(names->pool, &host[k].hostaddr);

            if (item->hostaddr.data == NULL) {
                found->nelts--;
                return;
            }
        }
    }
}


/* One question less; the last one ends this. */

static void
ngx_http_leadq_names_close(ngx_http_leadq_names_t *names)
{
    if (--names->open == 0) {
        ngx_http_leadq_names_done(names);
    }
}


static void
ngx_http_leadq_names_done(ngx_http_leadq_names_t *names)
{
    void                   *place;
    ngx_uint_t              i;
    ngx_array_t             hosts, *found;
    ngx_http_leadq_lane_t  *lane;

    lane = names->lane;

    ngx_http_leadq_names_recall(names);

    if (ngx_array_init(&hosts, names->pool, 2 * names->n,
                       sizeof(ngx_http_leadq_host_t))
        != NGX_OK)
    {
        ngx_http_leadq_lane_fail(lane, "no memory");
        return;
    }

    for (i = 0; i < names->n; i++) {
        found = &names->question[i].found;

        if (found->nelts == 0) {
            continue;
        }

        place = ngx_array_push_n(&hosts, found->nelts);
        if (place == NULL) {
            ngx_http_leadq_lane_fail(lane, "no memory");
            return;
        }

        ngx_memcpy(place, found->elts,
                   found->nelts * sizeof(ngx_http_leadq_host_t));
    }

    if (hosts.nelts == 0) {
        ngx_http_leadq_lane_fail(lane, "no address is known for its hosts");
        return;
    }

    /* from now on they are what is known, and live until the next ones */

    ngx_http_leadq_names_forget(lane->pool);

    lane->pool->known = names;
    lane->names = NULL;
    names->lane = NULL;

    ngx_http_leadq_lane_connect(lane, &hosts);
}
