
/*
 * The directives leadq_limit_zone and leadq_limit: how often an address may
 * ask, over all worker processes and all reloads.
 *
 * A zone holds one table (see leadq_limit.h) under the lock of its slab pool,
 * which the master releases if a worker process dies with it.
 */

#include "ngx_http_leadq.h"

#include "leadq_limit.h"


#define NGX_HTTP_LEADQ_LIMIT_MIN    (8 * 4096)
#define NGX_HTTP_LEADQ_LIMIT_MAX    (1024 * 1024 * 1024)
#define NGX_HTTP_LEADQ_LIMIT_LOG    60000       /* ms between two warnings */


struct ngx_http_leadq_zone_s {
    ngx_str_t             name;
    ngx_shm_zone_t       *shm;
    leadq_limit_rate_t    rate;

    ngx_slab_pool_t      *shpool;               /* in shared memory */
    leadq_limit_table_t  *table;                /* in shared memory */
    size_t                bytes;                /* of the table */

    uint64_t              forgotten;            /* when it was last told */
    ngx_msec_t            told;
};


static char *ngx_http_leadq_limit_rate(ngx_conf_t *cf,
    ngx_http_leadq_zone_t *zone);
static ngx_int_t ngx_http_leadq_limit_init(ngx_shm_zone_t *shm, void *data);
static uint64_t ngx_http_leadq_limit_take(ngx_http_request_t *r,
    ngx_http_leadq_zone_t *zone, uint64_t key);
static void ngx_http_leadq_limit_give(ngx_http_leadq_limit_t *limit,
    ngx_uint_t n, uint64_t key);
static ngx_int_t ngx_http_leadq_limit_key(ngx_connection_t *c, uint64_t *key);


/* leadq_limit_zone NAME SIZE rate=RATE [burst=NUMBER]; */

char *
ngx_http_leadq_limit_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                   *rc;
    ssize_t                 size;
    ngx_str_t              *value;
    ngx_http_leadq_zone_t  *zone;

    value = cf->args->elts;

    if (!ngx_http_leadq_is_name(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" in \"leadq_limit_zone\": "
                           "a letter a-z, then up to 62 of a-z, 0-9 and _",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    size = ngx_parse_size(&value[2]);

    if (size == NGX_ERROR || size < NGX_HTTP_LEADQ_LIMIT_MIN
        || size > NGX_HTTP_LEADQ_LIMIT_MAX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\" in \"leadq_limit_zone\", "
                           "allowed is 32k..1g", &value[2]);
        return NGX_CONF_ERROR;
    }

    zone = ngx_pcalloc(cf->pool, sizeof(ngx_http_leadq_zone_t));
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->name = value[1];

    rc = ngx_http_leadq_limit_rate(cf, zone);

    if (rc != NGX_CONF_OK) {
        return rc;
    }

    zone->shm = ngx_shared_memory_add(cf, &zone->name, (size_t) size,
                                      &ngx_http_leadq_module);
    if (zone->shm == NULL) {
        return NGX_CONF_ERROR;
    }

    if (zone->shm->data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate leadq_limit_zone \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    zone->shm->init = ngx_http_leadq_limit_init;
    zone->shm->data = zone;

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_limit_rate(ngx_conf_t *cf, ngx_http_leadq_zone_t *zone)
{
    ngx_int_t    burst;
    ngx_str_t   *value, rate;
    ngx_uint_t   i;

    value = cf->args->elts;
    burst = 0;

    ngx_str_null(&rate);

    for (i = 3; i < cf->args->nelts; i++) {

        if (value[i].len > 5 && ngx_strncmp(value[i].data, "rate=", 5) == 0) {
            rate.data = value[i].data + 5;
            rate.len = value[i].len - 5;
            continue;
        }

        if (value[i].len > 6 && ngx_strncmp(value[i].data, "burst=", 6) == 0) {
            burst = ngx_atoi(value[i].data + 6, value[i].len - 6);

            if (burst < 0 || burst > LEADQ_LIMIT_RATE_MAX) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid value \"%V\" in "
                                   "\"leadq_limit_zone\", allowed is "
                                   "0..100000", &value[i]);
                return NGX_CONF_ERROR;
            }

            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" of \"leadq_limit_zone\"",
                           &value[i]);
        return NGX_CONF_ERROR;
    }

    if (rate.len == 0) {
        return "needs \"rate=\", as in \"rate=60r/m\"";
    }

    if (leadq_limit_rate((char *) rate.data, rate.len, (unsigned) burst,
                         &zone->rate)
        != 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"rate=%V\" in \"leadq_limit_zone\","
                           " allowed is 1..100000 with r/s, r/m, r/h or r/d",
                           &rate);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* A zone of the same name and size goes on over a reload. */

static ngx_int_t
ngx_http_leadq_limit_init(ngx_shm_zone_t *shm, void *data)
{
    uint64_t                seed;
    leadq_uuid_gen_t        gen;
    u_char                  id[16];
    ngx_http_leadq_zone_t  *zone, *old;

    old = data;
    zone = shm->data;
    zone->shpool = (ngx_slab_pool_t *) shm->shm.addr;

    if (old && leadq_limit_valid(old->table, old->bytes)) {
        zone->table = old->table;
        zone->bytes = old->bytes;
        zone->forgotten = leadq_limit_forgotten(zone->table);
        return NGX_OK;
    }

    zone->bytes = zone->shpool->pfree * ngx_pagesize;
    zone->table = ngx_slab_calloc(zone->shpool, zone->bytes);

    leadq_uuid_init(&gen);

    if (zone->table == NULL || leadq_uuid_next(&gen, 0, id) != 0) {
        ngx_log_error(NGX_LOG_EMERG, shm->shm.log, 0,
                      "leadq limit zone \"%V\" cannot be made", &zone->name);
        return NGX_ERROR;
    }

    ngx_memcpy(&seed, id + 8, sizeof(seed));

    return leadq_limit_init(zone->table, zone->bytes, seed) ? NGX_OK
                                                            : NGX_ERROR;
}


/* leadq_limit ZONE [dry_run]; */

char *
ngx_http_leadq_limit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_leadq_loc_conf_t  *lcf = conf;

    ngx_str_t               *value;
    ngx_uint_t               i;
    ngx_shm_zone_t          *shm;
    ngx_http_leadq_limit_t  *limit;

    value = cf->args->elts;

    ngx_http_leadq_place(cf, &lcf->place);
    ngx_http_leadq_place(cf, &lcf->guard.limit_place);

    /* size 0: it may be defined further down */

    shm = ngx_shared_memory_add(cf, &value[1], 0, &ngx_http_leadq_module);
    if (shm == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < lcf->guard.nlimits; i++) {
        if (lcf->guard.limits[i].shm == shm) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate \"leadq_limit %V\"", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    if (lcf->guard.nlimits == NGX_HTTP_LEADQ_LIMITS) {
        return "is one limit too many, a location may have 4";
    }

    limit = &lcf->guard.limits[lcf->guard.nlimits++];
    limit->shm = shm;

    if (cf->args->nelts == 3) {

        if (ngx_strcmp(value[2].data, "dry_run") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" of \"leadq_limit\", "
                               "there is \"dry_run\"", &value[2]);
            return NGX_CONF_ERROR;
        }

        limit->dry_run = 1;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_leadq_limit_end(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *lcf)
{
    ngx_uint_t  i;

    for (i = 0; i < lcf->guard.nlimits; i++) {

        if (lcf->guard.limits[i].shm->data == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "unknown zone \"%V\" in \"leadq_limit\", there is "
                          "no such \"leadq_limit_zone\" in %V:%ui",
                          &lcf->guard.limits[i].shm->shm.name,
                          &lcf->guard.limit_place.file,
                          lcf->guard.limit_place.line);
            return NGX_CONF_ERROR;
        }

        lcf->guard.limits[i].zone = lcf->guard.limits[i].shm->data;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_leadq_limit_check(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf)
{
    time_t                   seconds;
    uint64_t                 key, wait;
    ngx_uint_t               i;
    ngx_http_leadq_ctx_t    *ctx;
    ngx_http_leadq_limit_t  *limit;

    if (lcf->guard.nlimits == 0
        || ngx_http_leadq_limit_key(r->connection, &key) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_leadq_module);

    for (i = 0; i < lcf->guard.nlimits; i++) {
        limit = &lcf->guard.limits[i];
        wait = ngx_http_leadq_limit_take(r, limit->zone, key);

        if (wait == 0) {
            continue;
        }

        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "leadq limit \"%V\" is reached%s", &limit->zone->name,
                      limit->dry_run ? ", dry run" : "");

        ctx->guard = limit->dry_run ? "limit-dry-run" : "limit";

        if (limit->dry_run) {
            continue;
        }

        /* who is refused by one limit counts in none */

        ngx_http_leadq_limit_give(lcf->guard.limits, i, key);

        ngx_http_leadq_guard_discard(r);

        seconds = (time_t) ((wait + 999999) / 1000000);

        return ngx_http_leadq_reply_later(r, NGX_HTTP_TOO_MANY_REQUESTS,
                                          "too-many-requests",
                                          "Please slow down", seconds);
    }

    return NGX_DECLINED;
}


static uint64_t
ngx_http_leadq_limit_take(ngx_http_request_t *r, ngx_http_leadq_zone_t *zone,
    uint64_t key)
{
    uint64_t  wait, forgotten;

    ngx_shmtx_lock(&zone->shpool->mutex);

    wait = leadq_limit_take(zone->table, key,
                            (uint64_t) ngx_current_msec * 1000, &zone->rate);
    forgotten = leadq_limit_forgotten(zone->table);

    ngx_shmtx_unlock(&zone->shpool->mutex);

    if (forgotten != zone->forgotten
        && (zone->told == 0 || ngx_current_msec - zone->told
                               > NGX_HTTP_LEADQ_LIMIT_LOG))
    {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "leadq limit zone \"%V\" is too small, it forgot %uL "
                      "addresses too early", &zone->name,
                      forgotten - zone->forgotten);

        zone->forgotten = forgotten;
        zone->told = ngx_current_msec;
    }

    return wait;
}


/* Takes back what the first n limits have counted. */

static void
ngx_http_leadq_limit_give(ngx_http_leadq_limit_t *limit, ngx_uint_t n,
    uint64_t key)
{
    ngx_uint_t              i;
    ngx_http_leadq_zone_t  *zone;

    for (i = 0; i < n; i++) {
        zone = limit[i].zone;

        if (limit[i].dry_run) {
            continue;
        }

        ngx_shmtx_lock(&zone->shpool->mutex);
        leadq_limit_give(zone->table, key, &zone->rate);
        ngx_shmtx_unlock(&zone->shpool->mutex);
    }
}


/* NGX_DECLINED: it came through a socket file, from no address. */

static ngx_int_t
ngx_http_leadq_limit_key(ngx_connection_t *c, uint64_t *key)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    switch (c->sockaddr->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) c->sockaddr;
        *key = leadq_limit_key4((u_char *) &sin->sin_addr);
        return NGX_OK;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) c->sockaddr;
        *key = leadq_limit_key6(sin6->sin6_addr.s6_addr);
        return NGX_OK;
#endif

    default:
        return NGX_DECLINED;
    }
}
