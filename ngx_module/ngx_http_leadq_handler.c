
/*
 * The content handler: from the first byte of a request to its row in the
 * queue.
 *
 * What can be refused is refused before the body is read.  A location whose
 * fields all come from variables (a confirmation link, a one-click
 * unsubscription) does not look at the body at all.
 */

#include "ngx_http_leadq.h"

#include "leadq_form.h"
#include "leadq_json.h"


typedef enum {
    NGX_HTTP_LEADQ_FORM,
    NGX_HTTP_LEADQ_JSON,
    NGX_HTTP_LEADQ_OTHER
} ngx_http_leadq_media_e;


static ngx_int_t ngx_http_leadq_precheck(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf);
static ngx_http_leadq_media_e ngx_http_leadq_media(ngx_http_request_t *r);
static void ngx_http_leadq_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_leadq_process(ngx_http_request_t *r);
static ngx_int_t ngx_http_leadq_body(ngx_http_request_t *r, ngx_str_t *body);
static ngx_int_t ngx_http_leadq_parse(ngx_http_request_t *r,
    leadq_pairs_t *pairs, leadq_code_e *code);
static ngx_int_t ngx_http_leadq_unreadable(ngx_http_request_t *r,
    leadq_pairs_t *pairs, leadq_code_e code);
static ngx_int_t ngx_http_leadq_given(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf, leadq_given_t *given);


ngx_int_t
ngx_http_leadq_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_leadq_loc_conf_t  *lcf;

    if (r != r->main) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "leadq location in a subrequest");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_leadq_module);

    if (ngx_http_leadq_ctx_add(r, lcf->function) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_leadq_precheck(r, lcf);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (lcf->takes_body) {
        rc = ngx_http_read_client_request_body(r, ngx_http_leadq_body_handler);

        return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    r->main->count++;
    ngx_http_leadq_body_handler(r);

    return NGX_DONE;
}


/* NGX_DECLINED: go on; else the request has been answered so. */

static ngx_int_t
ngx_http_leadq_precheck(ngx_http_request_t *r, ngx_http_leadq_loc_conf_t *lcf)
{
    ngx_int_t        rc;
    ngx_str_t       *encoding;
    ngx_uint_t       status;
    const char      *code, *title;

    rc = ngx_http_leadq_pool_welcome(lcf->function->database->pool);
    encoding = ngx_http_leadq_header(r, "content-encoding");

    if (r->method != NGX_HTTP_POST) {
        status = NGX_HTTP_NOT_ALLOWED;
        code = "method-not-allowed";
        title = "Only POST is possible here";

    } else if (lcf->takes_body
               && (encoding || ngx_http_leadq_media(r)
                               == NGX_HTTP_LEADQ_OTHER))
    {
        status = NGX_HTTP_UNSUPPORTED_MEDIA_TYPE;
        code = "unsupported-media-type";
        title = "The body must be application/json or "
                "application/x-www-form-urlencoded";

    } else if (lcf->takes_body
               && r->headers_in.content_length_n > NGX_HTTP_LEADQ_BODY_MAX)
    {
        status = NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
        code = "body-too-large";
        title = "The body is too large";

    } else if (rc != NGX_OK) {
        status = NGX_HTTP_SERVICE_UNAVAILABLE;
        code = NULL;
        title = NULL;

    } else {
        return NGX_DECLINED;
    }

    if (ngx_http_discard_request_body(r) >= NGX_HTTP_SPECIAL_RESPONSE) {
        r->keepalive = 0;
    }

    if (code) {
        return ngx_http_leadq_reply_problem(r, status, code, title, NULL);
    }

    return ngx_http_leadq_reply_outcome(r, rc == NGX_BUSY
                                           ? NGX_HTTP_LEADQ_BUSY
                                           : NGX_HTTP_LEADQ_AWAY);
}


/* A request without a body is an empty form. */

static ngx_http_leadq_media_e
ngx_http_leadq_media(ngx_http_request_t *r)
{
    size_t             len;
    ngx_str_t         *type;
    ngx_uint_t         i;

    static const struct {
        ngx_str_t               name;
        ngx_http_leadq_media_e  media;
    } media[] = {
        { ngx_string("application/json"), NGX_HTTP_LEADQ_JSON },
        { ngx_string("application/x-www-form-urlencoded"),
          NGX_HTTP_LEADQ_FORM },
    };

    if (r->headers_in.content_type == NULL) {
        return r->headers_in.content_length_n <= 0 && !r->headers_in.chunked
               ? NGX_HTTP_LEADQ_FORM : NGX_HTTP_LEADQ_OTHER;
    }

    type = &r->headers_in.content_type->value;

    for (len = 0; len < type->len; len++) {
        if (type->data[len] == ';' || type->data[len] == ' ') {
            break;
        }
    }

    for (i = 0; i < sizeof(media) / sizeof(media[0]); i++) {
        if (len == media[i].name.len
            && ngx_strncasecmp(type->data, media[i].name.data, len) == 0)
        {
            return media[i].media;
        }
    }

    return NGX_HTTP_LEADQ_OTHER;
}


static void
ngx_http_leadq_body_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_leadq_process(r);

    if (rc != NGX_AGAIN) {
        ngx_http_finalize_request(r, rc);
    }
}


/* NGX_AGAIN: the row is queued; else what to finalize with. */

static ngx_int_t
ngx_http_leadq_process(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    leadq_buf_t                 row;
    leadq_code_e                code;
    leadq_pairs_t               pairs;
    leadq_given_t               given;
    leadq_errors_t              errors;
    ngx_http_leadq_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_leadq_module);

    pairs.n = 0;
    code = LEADQ_OK;

    if (lcf->takes_body) {
        rc = ngx_http_leadq_parse(r, &pairs, &code);

        if (rc != NGX_OK) {
            return rc;
        }

        if (code != LEADQ_OK) {
            return ngx_http_leadq_unreadable(r, &pairs, code);
        }
    }

    given.pairs = &pairs;

    if (ngx_http_leadq_given(r, lcf, &given) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    leadq_buf_init(&row, NGX_HTTP_LEADQ_ROW_MAX);

    if (leadq_shape_check(&lcf->shape, &given, &errors, &row) != 0) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "leadq row does not fit");
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    } else if (errors.n) {
        rc = ngx_http_leadq_reply_problem(r, 422, "validation",
                                          "Some fields are not valid",
                                          &errors);

    } else {

        /* reading the body may have taken a while */

        rc = ngx_http_leadq_pool_welcome(lcf->function->database->pool);

        if (rc == NGX_OK) {
            rc = ngx_http_leadq_job_add(r, lcf->function, &row) == NGX_OK
                 ? NGX_AGAIN : NGX_HTTP_INTERNAL_SERVER_ERROR;

        } else {
            rc = ngx_http_leadq_reply_outcome(r, rc == NGX_BUSY
                                                 ? NGX_HTTP_LEADQ_BUSY
                                                 : NGX_HTTP_LEADQ_AWAY);
        }
    }

    leadq_buf_done(&row);

    return rc;
}


/* One piece of memory, wherever nginx has put the body. */

static ngx_int_t
ngx_http_leadq_body(ngx_http_request_t *r, ngx_str_t *body)
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


static ngx_int_t
ngx_http_leadq_parse(ngx_http_request_t *r, leadq_pairs_t *pairs,
    leadq_code_e *code)
{
    char       *arena;
    ngx_int_t   rc;
    ngx_str_t   body;

    rc = ngx_http_leadq_body(r, &body);

    if (rc == NGX_DECLINED) {
        return ngx_http_leadq_reply_problem(r,
                                            NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                            "body-too-large",
                                            "The body is too large", NULL);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    arena = ngx_pnalloc(r->pool, body.len + 1);
    if (arena == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    *code = ngx_http_leadq_media(r) == NGX_HTTP_LEADQ_JSON
            ? leadq_json_parse((char *) body.data, body.len, arena, pairs)
            : leadq_form_parse((char *) body.data, body.len, arena, pairs);

    return NGX_OK;
}


/* The body as a whole is wrong; sometimes one field is known to blame. */

static ngx_int_t
ngx_http_leadq_unreadable(ngx_http_request_t *r, leadq_pairs_t *pairs,
    leadq_code_e code)
{
    leadq_errors_t  errors;

    errors.n = 0;

    if (pairs->culprit.len) {
        errors.n = 1;
        errors.error[0].field = pairs->culprit;
        errors.error[0].code = code;

        if (errors.error[0].field.len > LEADQ_NAME_MAX) {
            errors.error[0].field.len = LEADQ_NAME_MAX;
        }
    }

    if (code == LEADQ_DUPLICATE_FIELD) {
        return ngx_http_leadq_reply_problem(r, 422, "validation",
                                            "A field is given more than once",
                                            &errors);
    }

    return ngx_http_leadq_reply_problem(r, NGX_HTTP_BAD_REQUEST,
                                        leadq_code_name(code),
                                        leadq_code_detail(code), &errors);
}


/* What the server adds: values of variables, set values, the time. */

static ngx_int_t
ngx_http_leadq_given(ngx_http_request_t *r, ngx_http_leadq_loc_conf_t *lcf,
    leadq_given_t *given)
{
    ngx_int_t                  *index;
    ngx_str_t                   value;
    ngx_uint_t                  i;
    leadq_str_t                *inside, *sets;
    ngx_http_complex_value_t   *cv;
    ngx_http_variable_value_t  *v;

    inside = ngx_pcalloc(r->pool,
                         (lcf->shape.nfields + lcf->shape.nsets + 1)
                         * sizeof(leadq_str_t));
    if (inside == NULL) {
        return NGX_ERROR;
    }

    sets = inside + lcf->shape.nfields;

    index = lcf->inside ? lcf->inside->elts : NULL;

    for (i = 0; i < lcf->shape.nfields; i++) {

        if (index[i] == NGX_ERROR) {
            continue;
        }

        v = ngx_http_get_indexed_variable(r, (ngx_uint_t) index[i]);

        if (v && !v->not_found) {
            inside[i].data = (char *) v->data;
            inside[i].len = v->len;
        }
    }

    cv = lcf->values ? lcf->values->elts : NULL;

    for (i = 0; i < lcf->shape.nsets; i++) {

        if (ngx_http_complex_value(r, &cv[i], &value) != NGX_OK) {
            return NGX_ERROR;
        }

        sets[i].data = (char *) value.data;
        sets[i].len = value.len;
    }

    given->inside = inside;
    given->sets = sets;
    given->now = ngx_time();

    return NGX_OK;
}


ngx_str_t *
ngx_http_leadq_header(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    len = ngx_strlen(name);

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (header[i].key.len == len
                && ngx_strncasecmp(header[i].key.data, (u_char *) name, len)
                   == 0)
            {
                return &header[i].value;
            }
        }
    }

    return NULL;
}


ngx_uint_t
ngx_http_leadq_wants_html(ngx_http_request_t *r)
{
    ngx_str_t  *accept;

    accept = ngx_http_leadq_header(r, "accept");

    return accept
           && ngx_strlcasestrn(accept->data, accept->data + accept->len,
                               (u_char *) "text/html", 9 - 1)
              != NULL;
}
