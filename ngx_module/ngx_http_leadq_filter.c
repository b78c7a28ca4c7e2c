
/*
 * In leadq locations nginx itself refuses requests too: a body that is too
 * large, an address that is denied, a limit that is reached.  Programs get
 * problems for these as well; browsers keep nginx's pages.
 */

#include "ngx_http_leadq.h"

#include "leadq_problem.h"


typedef struct {
    ngx_uint_t   status;
    const char  *code;
    const char  *title;
} ngx_http_leadq_status_t;


static ngx_int_t ngx_http_leadq_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_leadq_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_leadq_page(ngx_http_request_t *r,
    ngx_http_leadq_ctx_t *ctx);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


static const ngx_http_leadq_status_t  ngx_http_leadq_statuses[] = {
    { 400, "bad-request", "The request is not well-formed" },
    { 401, "unauthorized", "Credentials are needed" },
    { 403, "forbidden", "This is not allowed" },
    { 404, "not-found", "There is nothing here" },
    { 405, "method-not-allowed", "Only POST is possible here" },
    { 408, "timeout", "The request took too long to arrive" },
    { 411, "length-required", "The length of the body must be given" },
    { 413, "body-too-large", "The body is too large" },
    { 414, "uri-too-long", "The URI is too long" },
    { 415, "unsupported-media-type", "The type of the body is not known" },
    { 429, "too-many-requests", "Please slow down" },
    { 500, "internal-error", "Something is wrong here" },
    { 503, "unavailable", "Please try again in a moment" },
    { 0, "refused", "The request was refused" }
};


ngx_int_t
ngx_http_leadq_filter_init(ngx_conf_t *cf)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_leadq_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_leadq_body_filter;

    return NGX_OK;
}


static ngx_int_t
ngx_http_leadq_header_filter(ngx_http_request_t *r)
{
    ngx_http_leadq_ctx_t       *ctx;
    ngx_http_leadq_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_leadq_module);

    if ((lcf->function == NULL && lcf->guard.issue.keys == NULL)
        || r != r->main || r->headers_out.status < 400)
    {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_leadq_module);

    if (ctx == NULL) {
        ctx = ngx_http_leadq_ctx_add(r, lcf->function);
        if (ctx == NULL || ngx_http_leadq_session_begin(r, lcf) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ctx->answered || ngx_http_leadq_wants_html(r)) {
        return ngx_http_next_header_filter(r);
    }

    if (ngx_http_leadq_page(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_str_set(&r->headers_out.content_type, "application/problem+json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    ngx_http_clear_content_length(r);
    ngx_http_clear_accept_ranges(r);
    r->headers_out.content_length_n = ctx->page.len;

    return ngx_http_next_header_filter(r);
}


static ngx_int_t
ngx_http_leadq_page(ngx_http_request_t *r, ngx_http_leadq_ctx_t *ctx)
{
    leadq_buf_t                     buf;
    const ngx_http_leadq_status_t  *status;

    status = ngx_http_leadq_statuses;

    while (status->status && status->status != r->headers_out.status) {
        status++;
    }

    leadq_buf_init(&buf, 4096);
    leadq_problem_put(&buf, (int) r->headers_out.status, status->code,
                      status->title, NULL);

    ctx->page.len = buf.len;
    ctx->page.data = ngx_pnalloc(r->pool, buf.len);

    if (ctx->page.data == NULL || buf.failed) {
        leadq_buf_done(&buf);
        return NGX_ERROR;
    }

    ngx_memcpy(ctx->page.data, buf.data, buf.len);
    leadq_buf_done(&buf);

    return NGX_OK;
}


/* The first piece of nginx's page is replaced by ours, the rest dropped. */

static ngx_int_t
ngx_http_leadq_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t             *b;
    ngx_chain_t           *cl, out;
    ngx_http_leadq_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_leadq_module);

    if (ctx == NULL || ctx->page.len == 0 || in == NULL) {
        return ngx_http_next_body_filter(r, in);
    }

    for (cl = in; cl; cl = cl->next) {
        cl->buf->pos = cl->buf->last;
        cl->buf->file_pos = cl->buf->file_last;
    }

    if (ctx->answered) {
        return NGX_OK;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = ctx->page.data;
    b->last = ctx->page.data + ctx->page.len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    ctx->answered = 1;

    return ngx_http_next_body_filter(r, &out);
}
