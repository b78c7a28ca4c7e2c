
/*
 * What stands between a request and its row besides its shape, in the order
 * in which it is asked.
 */

#include "ngx_http_leadq.h"


char *
ngx_http_leadq_guard_end(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *lcf)
{
    if (ngx_http_leadq_session_end(cf, lcf) != NGX_CONF_OK
        || ngx_http_leadq_limit_end(cf, lcf) != NGX_CONF_OK
        || ngx_http_leadq_form_end(cf, lcf) != NGX_CONF_OK
        || ngx_http_leadq_methods_end(cf, lcf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_http_leadq_idempotency_end(cf, lcf);
}


ngx_int_t
ngx_http_leadq_guard(ngx_http_request_t *r, ngx_http_leadq_loc_conf_t *lcf)
{
    ngx_int_t  rc;

    rc = ngx_http_leadq_origin_check(r, lcf);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_leadq_idempotency_before(r, lcf);
    }

    if (rc == NGX_DECLINED) {
        rc = ngx_http_leadq_limit_check(r, lcf);
    }

    return rc;
}


void
ngx_http_leadq_guard_discard(ngx_http_request_t *r)
{
    if (ngx_http_discard_request_body(r) >= NGX_HTTP_SPECIAL_RESPONSE) {
        r->keepalive = 0;
    }
}


void
ngx_http_leadq_guard_body(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf, leadq_pairs_t *pairs,
    leadq_extra_t *extra)
{
    ngx_http_leadq_ctx_t  *ctx;

    ngx_memzero(extra, sizeof(leadq_extra_t));

    ctx = ngx_http_get_module_ctx(r, ngx_http_leadq_module);

    extra->session = ctx->session;
    ngx_http_leadq_form_trap(lcf, pairs, extra);

    if (extra->trap) {
        ctx->guard = extra->trap;
    }

    ngx_http_leadq_idempotency_extra(r, lcf, extra);
}
