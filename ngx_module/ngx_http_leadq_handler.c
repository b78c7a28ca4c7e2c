
/*
 * The content handler: from the first byte of a request to its row in the
 * queue.
 *
 * What can be refused is refused before the body is read.  A location whose
 * fields all come from variables (a confirmation link, a one-click
 * unsubscription) does not look at the body at all.
 */

#include "ngx_http_leadq.h"

#include "leadq_mac.h"


static ngx_int_t ngx_http_leadq_precheck(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf);
static void ngx_http_leadq_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_leadq_process(ngx_http_request_t *r);
static ngx_int_t ngx_http_leadq_enqueue(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf, leadq_buf_t *row);
static ngx_int_t ngx_http_leadq_unreadable(ngx_http_request_t *r,
    leadq_pairs_t *pairs, leadq_code_e code);
static void ngx_http_leadq_suggest(ngx_http_request_t *r,
    leadq_suggestions_t *suggestions);
static ngx_int_t ngx_http_leadq_given(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf, leadq_given_t *given);
static void ngx_http_leadq_variables(ngx_http_request_t *r,
    ngx_array_t *indexes, leadq_str_t *values);


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

    if (ngx_http_leadq_session_begin(r, lcf) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_leadq_precheck(r, lcf);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_leadq_guard(r, lcf);
    }

    if (rc != NGX_DECLINED) {
        return rc;
    }

    if (ngx_http_leadq_body_taken(r, lcf)) {
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
    ngx_int_t                 rc;
    ngx_http_leadq_refusal_t  refusal;

    rc = ngx_http_leadq_welcome(lcf);

    refusal.status = NGX_HTTP_SERVICE_UNAVAILABLE;
    refusal.code = NULL;
    refusal.title = NULL;

    if (!(r->method & lcf->methods.taken)) {
        refusal.status = NGX_HTTP_NOT_ALLOWED;
        refusal.code = "method-not-allowed";
        refusal.title = lcf->methods.title;

    } else if (ngx_http_leadq_body_taken(r, lcf)
               && ngx_http_leadq_body_precheck(r, &refusal) == NGX_ERROR)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (refusal.code == NULL && rc == NGX_OK) {
        return NGX_DECLINED;
    }

    if (ngx_http_discard_request_body(r) >= NGX_HTTP_SPECIAL_RESPONSE) {
        r->keepalive = 0;
    }

    if (refusal.code) {
        return ngx_http_leadq_reply_problem(r, refusal.status, refusal.code,
                                            refusal.title, NULL);
    }

    return ngx_http_leadq_reply_outcome(r, rc == NGX_BUSY
                                           ? NGX_HTTP_LEADQ_BUSY
                                           : NGX_HTTP_LEADQ_AWAY);
}


static void
ngx_http_leadq_body_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_leadq_loc_conf_t  *lcf;

    rc = ngx_http_leadq_process(r);

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_leadq_module);

    if (lcf->wipes) {
        ngx_http_leadq_body_wipe(r);
    }

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
    leadq_extra_t               extra;
    leadq_pairs_t               pairs;
    leadq_given_t               given;
    leadq_errors_t              errors;
    leadq_suggestions_t         suggestions;
    ngx_http_leadq_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_leadq_module);

    pairs.n = 0;
    pairs.culprit.len = 0;
    code = LEADQ_OK;

    if (lcf->takes_body) {
        rc = ngx_http_leadq_body_parse(r, lcf, &pairs, &code);

        if (rc == NGX_DECLINED) {
            return ngx_http_leadq_reply_problem(
                       r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                       "body-too-large", "The body is too large", NULL);
        }

        if (rc != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (code != LEADQ_OK) {
            return ngx_http_leadq_unreadable(r, &pairs, code);
        }
    }

    ngx_http_leadq_guard_body(r, lcf, &pairs, &extra);

    given.pairs = &pairs;
    given.extra = &extra;

    if (ngx_http_leadq_given(r, lcf, &given) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    leadq_buf_init(&row, NGX_HTTP_LEADQ_ROW_MAX);

    rc = leadq_shape_check(&lcf->shape, &given, &errors, &suggestions, &row);

    ngx_http_leadq_suggest(r, &suggestions);

    if (rc != 0) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "leadq row does not fit");
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;

    } else if (errors.n) {
        rc = ngx_http_leadq_reply_problem(r, 422, "validation",
                                          "Some fields are not valid",
                                          &errors);

    } else {
        rc = ngx_http_leadq_idempotency_id(r, lcf, &extra, &row);

        if (rc == NGX_DECLINED) {
            rc = ngx_http_leadq_enqueue(r, lcf, &row);
        }
    }

    leadq_buf_done(&row);

    return rc;
}


/* As ngx_http_leadq_process(). */

static ngx_int_t
ngx_http_leadq_enqueue(ngx_http_request_t *r, ngx_http_leadq_loc_conf_t *lcf,
    leadq_buf_t *row)
{
    ngx_int_t  rc;

    /* reading the body may have taken a while */

    rc = ngx_http_leadq_welcome(lcf);

    if (rc != NGX_OK) {
        return ngx_http_leadq_reply_outcome(r, rc == NGX_BUSY
                                               ? NGX_HTTP_LEADQ_BUSY
                                               : NGX_HTTP_LEADQ_AWAY);
    }

    return ngx_http_leadq_job_add(r, lcf->function, row) == NGX_OK
           ? NGX_AGAIN : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* The body as a whole is wrong; sometimes one field is known to blame. */

static ngx_int_t
ngx_http_leadq_unreadable(ngx_http_request_t *r, leadq_pairs_t *pairs,
    leadq_code_e code)
{
    ngx_uint_t      status;
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

    if (code == LEADQ_FILE_PART) {
        return ngx_http_leadq_reply_problem(r, 422, "validation",
                                            "Files are not taken here",
                                            &errors);
    }

    status = code == LEADQ_BAD_CHARSET ? NGX_HTTP_UNSUPPORTED_MEDIA_TYPE
                                       : NGX_HTTP_BAD_REQUEST;

    return ngx_http_leadq_reply_problem(r, status, leadq_code_name(code),
                                        leadq_code_detail(code), &errors);
}


/* Kept as JSON text for whatever answer this request gets. */

static void
ngx_http_leadq_suggest(ngx_http_request_t *r,
    leadq_suggestions_t *suggestions)
{
    ngx_str_t              text;
    leadq_buf_t            buf;
    ngx_http_leadq_ctx_t  *ctx;

    if (suggestions->n == 0) {
        return;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_leadq_module);

    leadq_buf_init(&buf, NGX_HTTP_LEADQ_SUGGEST_MAX);
    leadq_suggest_put(&buf, suggestions);

    text.data = (u_char *) buf.data;
    text.len = buf.len;

    if (!buf.failed) {
        ctx->suggest.data = ngx_pstrdup(r->pool, &text);
        ctx->suggest.len = ctx->suggest.data ? text.len : 0;
    }

    leadq_buf_done(&buf);
}


/* What the server adds: values of variables, set values, the time. */

static ngx_int_t
ngx_http_leadq_given(ngx_http_request_t *r, ngx_http_leadq_loc_conf_t *lcf,
    leadq_given_t *given)
{
    ngx_str_t                  value;
    ngx_uint_t                 i;
    leadq_str_t               *inside, *about, *sets;
    leadq_field_t             *field;
    ngx_http_complex_value_t  *cv;

    inside = ngx_pcalloc(r->pool,
                         (2 * lcf->shape.nfields + lcf->shape.nsets + 1)
                         * sizeof(leadq_str_t));
    if (inside == NULL) {
        return NGX_ERROR;
    }

    about = inside + lcf->shape.nfields;
    sets = about + lcf->shape.nfields;

    ngx_http_leadq_variables(r, lcf->inside, inside);
    ngx_http_leadq_variables(r, lcf->about, about);

    field = lcf->fields ? lcf->fields->elts : NULL;

    for (i = 0; i < lcf->shape.nfields; i++) {
        if (field[i].mac
            && (about[i].len == 0 || about[i].len > LEADQ_ABOUT_MAX))
        {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "leadq has nothing in \"for=\" of leadq_field "
                          "\"%*s\", or more than 255 bytes",
                          field[i].name.len, field[i].name.data);
            return NGX_ERROR;
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
    given->about = about;
    given->sets = sets;
    given->now = ngx_time();

    return NGX_OK;
}


/* Values of the variables that fields name; empty for the others. */

static void
ngx_http_leadq_variables(ngx_http_request_t *r, ngx_array_t *indexes,
    leadq_str_t *values)
{
    ngx_int_t                  *index;
    ngx_uint_t                  i;
    ngx_http_variable_value_t  *v;

    if (indexes == NULL) {
        return;
    }

    index = indexes->elts;

    for (i = 0; i < indexes->nelts; i++) {

        if (index[i] == NGX_ERROR) {
            continue;
        }

        v = ngx_http_get_indexed_variable(r, (ngx_uint_t) index[i]);

        if (v && !v->not_found) {
            values[i].data = (char *) v->data;
            values[i].len = v->len;
        }
    }
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
