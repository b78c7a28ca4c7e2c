
/*
 * The directive leadq_same_origin: requests that carry a session must come
 * from pages of the site itself, or another site could send them in the name
 * of whoever is logged in here.
 */

#include "ngx_http_leadq.h"

#include "leadq_origin.h"


static leadq_str_t *ngx_http_leadq_origin_header(ngx_http_request_t *r,
    const char *name, leadq_str_t *value);


static ngx_conf_enum_t  ngx_http_leadq_origin_modes[] = {
    { ngx_string("off"), NGX_HTTP_LEADQ_ORIGIN_OFF },
    { ngx_string("on"), NGX_HTTP_LEADQ_ORIGIN_ON },
    { ngx_string("dry_run"), NGX_HTTP_LEADQ_ORIGIN_DRY_RUN },
    { ngx_null_string, 0 }
};


/* leadq_same_origin off|on|dry_run; */

char *
ngx_http_leadq_same_origin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_leadq_loc_conf_t  *lcf = conf;

    ngx_str_t        *value;
    ngx_conf_enum_t  *mode;

    if (lcf->guard.origin) {
        return "is duplicate";
    }

    value = cf->args->elts;

    ngx_http_leadq_place(cf, &lcf->place);

    for (mode = ngx_http_leadq_origin_modes; mode->name.len; mode++) {
        if (ngx_strcmp(value[1].data, mode->name.data) == 0) {
            lcf->guard.origin = mode->value;
            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid \"leadq_same_origin %V\", it is \"on\", "
                       "\"off\" or \"dry_run\"", &value[1]);

    return NGX_CONF_ERROR;
}


ngx_int_t
ngx_http_leadq_origin_check(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf)
{
    int                    tls;
    ngx_uint_t             dry_run;
    leadq_str_t            site, origin, host;
    ngx_http_leadq_ctx_t  *ctx;

    if (lcf->guard.origin <= NGX_HTTP_LEADQ_ORIGIN_OFF) {
        return NGX_DECLINED;
    }

    tls = 0;

#if (NGX_HTTP_SSL)
    tls = r->connection->ssl != NULL;
#endif

    if (leadq_origin_same(
            ngx_http_leadq_origin_header(r, "sec-fetch-site", &site),
            ngx_http_leadq_origin_header(r, "origin", &origin),
            ngx_http_leadq_origin_header(r, "host", &host), tls))
    {
        return NGX_DECLINED;
    }

    dry_run = lcf->guard.origin == NGX_HTTP_LEADQ_ORIGIN_DRY_RUN;

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "leadq request is not from a page of this site%s",
                  dry_run ? ", dry run" : "");

    ctx = ngx_http_get_module_ctx(r, ngx_http_leadq_module);
    ctx->guard = dry_run ? "origin-dry-run" : "origin";

    if (dry_run) {
        return NGX_DECLINED;
    }

    ngx_http_leadq_guard_discard(r);

    return ngx_http_leadq_reply_problem(r, NGX_HTTP_FORBIDDEN,
                                        "cross-origin",
                                        "Only pages of this site may ask",
                                        NULL);
}


/* NULL: there is no such header. */

static leadq_str_t *
ngx_http_leadq_origin_header(ngx_http_request_t *r, const char *name,
    leadq_str_t *value)
{
    ngx_str_t  *header;

    header = ngx_http_leadq_header(r, name);

    if (header == NULL) {
        return NULL;
    }

    value->data = (char *) header->data;
    value->len = header->len;

    return value;
}
