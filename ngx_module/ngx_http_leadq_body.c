
/*
 * The body of a request and its query: what can be refused from the headers
 * alone, and how the bytes become pairs of names and values.
 */

#include "ngx_http_leadq.h"

#include "leadq_form.h"
#include "leadq_json.h"
#include "leadq_media.h"
#include "leadq_multipart.h"


static leadq_code_e ngx_http_leadq_body_media(ngx_http_request_t *r,
    leadq_media_t *media);
static ngx_uint_t ngx_http_leadq_body_encoded(ngx_http_request_t *r);
static leadq_code_e ngx_http_leadq_body_pairs(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf, ngx_str_t *body, char *arena,
    leadq_pairs_t *pairs);
static ngx_int_t ngx_http_leadq_body_bytes(ngx_http_request_t *r,
    ngx_str_t *body);


/* leadq_args on | off; */

char *
ngx_http_leadq_args(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_leadq_loc_conf_t  *lcf = conf;

    ngx_str_t  *value;

    if (lcf->args) {
        return "is duplicate";
    }

    value = cf->args->elts;

    ngx_http_leadq_place(cf, &lcf->place);

    if (ngx_strcmp(value[1].data, "on") == 0) {
        lcf->args = 2;

    } else if (ngx_strcmp(value[1].data, "off") == 0) {
        lcf->args = 1;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%V %V\", it is \"on\" or \"off\"",
                           &cmd->name, &value[1]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_uint_t
ngx_http_leadq_body_taken(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf)
{
    return lcf->takes_body && r->method == NGX_HTTP_POST;
}


ngx_int_t
ngx_http_leadq_body_precheck(ngx_http_request_t *r,
    ngx_http_leadq_refusal_t *refusal)
{
    leadq_code_e      code;
    leadq_media_t     media;
    ngx_table_elt_t  *header;

    if (ngx_http_leadq_body_encoded(r)) {

        /* RFC 9110, 15.5.16: so that the client knows what it was */

        header = ngx_list_push(&r->headers_out.headers);
        if (header == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(header, sizeof(ngx_table_elt_t));

        header->hash = 1;
        ngx_str_set(&header->key, "Accept-Encoding");
        ngx_str_set(&header->value, "identity");

        refusal->status = NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;
        refusal->code = "unsupported-encoding";
        refusal->title = "The body must not be compressed";

        return NGX_DECLINED;
    }

    code = ngx_http_leadq_body_media(r, &media);

    if (code != LEADQ_OK) {
        refusal->status = code == LEADQ_BAD_MULTIPART
                          ? NGX_HTTP_BAD_REQUEST
                          : NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;
        refusal->code = leadq_code_name(code);
        refusal->title = leadq_code_detail(code);

        return NGX_DECLINED;
    }

    if (r->headers_in.content_length_n > NGX_HTTP_LEADQ_BODY_MAX) {
        refusal->status = NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
        refusal->code = "body-too-large";
        refusal->title = "The body is too large";

        return NGX_DECLINED;
    }

    return NGX_OK;
}


/*
 * A request without a body is an empty form.  nginx marks a body of HTTP/2
 * that has no length as chunked.
 */

static leadq_code_e
ngx_http_leadq_body_media(ngx_http_request_t *r, leadq_media_t *media)
{
    ngx_str_t     *type;
    leadq_code_e   code;

    if (r->headers_in.content_type == NULL) {
        media->type = LEADQ_MEDIA_FORM;
        media->boundary_len = 0;

        return r->headers_in.content_length_n <= 0 && !r->headers_in.chunked
               ? LEADQ_OK : LEADQ_BAD_MEDIA_TYPE;
    }

    type = &r->headers_in.content_type->value;

    code = leadq_media_read((char *) type->data, type->len, media);

    return media->type == LEADQ_MEDIA_TEXT ? LEADQ_BAD_MEDIA_TYPE : code;
}


/* "identity" is the name of no encoding at all. */

static ngx_uint_t
ngx_http_leadq_body_encoded(ngx_http_request_t *r)
{
    ngx_str_t  *encoding;

    encoding = ngx_http_leadq_header(r, "content-encoding");

    return encoding
           && !leadq_media_is((char *) encoding->data, encoding->len,
                              "identity");
}


ngx_int_t
ngx_http_leadq_body_parse(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf, leadq_pairs_t *pairs, leadq_code_e *code)
{
    char                  *arena;
    size_t                 args;
    ngx_int_t              rc;
    ngx_str_t              body;
    ngx_http_leadq_ctx_t  *ctx;

    rc = ngx_http_leadq_body_bytes(r, &body);

    if (rc != NGX_OK) {
        return rc;
    }

    args = lcf->args == 2 ? r->args.len : 0;

    if (lcf->shape.whole && r->method == NGX_HTTP_POST) {
        args = 0;                               /* the body is all of it */
    }

    arena = ngx_pnalloc(r->pool, body.len + args + 1);
    if (arena == NULL) {
        return NGX_ERROR;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_leadq_module);
    ctx->arena.data = (u_char *) arena;
    ctx->arena.len = body.len;

    *code = ngx_http_leadq_body_pairs(r, lcf, &body, arena, pairs);

    if (*code == LEADQ_OK && args) {
        *code = leadq_form_add((char *) r->args.data, args,
                               arena + body.len, pairs);
    }

    return NGX_OK;
}


static leadq_code_e
ngx_http_leadq_body_pairs(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf, ngx_str_t *body, char *arena,
    leadq_pairs_t *pairs)
{
    char           *data;
    leadq_code_e    code;
    leadq_media_t   media;

    if (!ngx_http_leadq_body_taken(r, lcf)) {
        return LEADQ_OK;
    }

    code = ngx_http_leadq_body_media(r, &media);

    if (code != LEADQ_OK) {
        return code;
    }

    data = (char *) body->data;

    switch (media.type) {

    case LEADQ_MEDIA_JSON:
        if (lcf->shape.whole) {
            leadq_json_whole(data, body->len, pairs);
            return LEADQ_OK;
        }

        return leadq_json_parse(data, body->len, arena, lcf->list, pairs);

    case LEADQ_MEDIA_MULTIPART:
        return leadq_multipart_parse(data, body->len, media.boundary,
                                     media.boundary_len, arena, pairs);

    case LEADQ_MEDIA_FORM:
    case LEADQ_MEDIA_TEXT:
    case LEADQ_MEDIA_OTHER:
        break;
    }

    return leadq_form_parse(data, body->len, arena, pairs);
}


void
ngx_http_leadq_body_wipe(ngx_http_request_t *r)
{
    ngx_buf_t             *b;
    ngx_chain_t           *cl;
    ngx_http_leadq_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_leadq_module);

    if (ctx->arena.len) {
        ngx_explicit_memzero(ctx->arena.data, ctx->arena.len);
    }

    for (cl = r->request_body ? r->request_body->bufs : NULL; cl;
         cl = cl->next)
    {
        b = cl->buf;

        if (!b->in_file && b->last > b->pos) {
            ngx_explicit_memzero(b->pos, b->last - b->pos);
        }
    }
}


/* One piece of memory, wherever nginx has put the body. */

static ngx_int_t
ngx_http_leadq_body_bytes(ngx_http_request_t *r, ngx_str_t *body)
{
    u_char       *p;
    off_t         len;
    size_t        size;
    ngx_buf_t    *b;
    ngx_chain_t  *cl, *bufs;

    ngx_str_set(body, "");

    if (r->request_body == NULL || r->request_body->bufs == NULL) {
        return NGX_OK;
    }

    bufs = r->request_body->bufs;
    len = 0;

    for (cl = bufs; cl; cl = cl->next) {
        len += ngx_buf_size(cl->buf);
    }

    if (len == 0) {
        return NGX_OK;
    }

    if (len > NGX_HTTP_LEADQ_BODY_MAX) {
        return NGX_DECLINED;
    }

    body->len = (size_t) len;

    if (bufs->next == NULL && !bufs->buf->in_file) {
        body->data = bufs->buf->pos;
        return NGX_OK;
    }

    body->data = ngx_pnalloc(r->pool, body->len);
    if (body->data == NULL) {
        return NGX_ERROR;
    }

    p = body->data;

    for (cl = bufs; cl; cl = cl->next) {
        b = cl->buf;
        size = (size_t) ngx_buf_size(b);

        if (size == 0) {
            continue;                       /* the end of a chunked body */
        }

        if (!b->in_file) {
            p = ngx_cpymem(p, b->pos, size);
            continue;
        }

        if (ngx_read_file(b->file, p, size, b->file_pos) != (ssize_t) size) {
            ngx_log_error(NGX_LOG_CRIT, r->connection->log, 0,
                          "leadq cannot read the body back from \"%V\"",
                          &b->file->name);
            return NGX_ERROR;
        }

        p += size;
    }

    return NGX_OK;
}
