
/*
 * Answers: problems of the module, answers of SQL, and redirects of browser
 * forms, which get 303 instead of either.
 *
 * Nothing that PostgreSQL says about an error ever goes out here.
 */

#include "ngx_http_leadq.h"

#include "leadq_problem.h"


#define NGX_HTTP_LEADQ_REPLY_MAX   (64 * 1024)
#define NGX_HTTP_LEADQ_HEADER_MAX  2048


static ngx_int_t ngx_http_leadq_send(ngx_http_request_t *r, ngx_uint_t status,
    const char *body, size_t len);
static ngx_int_t ngx_http_leadq_send_json(ngx_http_request_t *r,
    ngx_uint_t status, const char *body, size_t len);
static ngx_int_t ngx_http_leadq_redirect_ok(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf);
static ngx_int_t ngx_http_leadq_redirect_error(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf, leadq_buf_t *brief);
static ngx_int_t ngx_http_leadq_see_other(ngx_http_request_t *r,
    ngx_str_t *url);
static ngx_int_t ngx_http_leadq_headers(ngx_http_request_t *r,
    const char *text);
static ngx_int_t ngx_http_leadq_header_line(ngx_http_request_t *r,
    const char *line, size_t len);
static ngx_uint_t ngx_http_leadq_is_form(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf);


/* What SQL may set. */

static const char *const  ngx_http_leadq_allowed[] = {
    "Location", "Retry-After", "Content-Language", "Link"
};

#define NGX_HTTP_LEADQ_ALLOWED                                                \
    (sizeof(ngx_http_leadq_allowed) / sizeof(ngx_http_leadq_allowed[0]))


ngx_int_t
ngx_http_leadq_reply_problem(ngx_http_request_t *r, ngx_uint_t status,
    const char *code, const char *title, leadq_errors_t *errors)
{
    ngx_int_t                   rc;
    ngx_str_t                   allow;
    leadq_buf_t                 buf;
    ngx_http_leadq_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_leadq_module);

    leadq_buf_init(&buf, NGX_HTTP_LEADQ_REPLY_MAX);

    if (ngx_http_leadq_is_form(r, lcf)) {
        leadq_problem_brief(&buf, code, errors);
        rc = ngx_http_leadq_redirect_error(r, lcf, &buf);
        leadq_buf_done(&buf);

        return rc;
    }

    if (status == NGX_HTTP_NOT_ALLOWED) {
        if (lcf->function) {
            allow = lcf->methods.allow;

        } else {
            ngx_str_set(&allow, "GET, HEAD");
        }

        if (ngx_http_leadq_header_add(r, "Allow", 5, &allow) == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    leadq_problem_put(&buf, (int) status, code, title, errors);

    rc = buf.failed ? NGX_HTTP_INTERNAL_SERVER_ERROR
                    : ngx_http_leadq_send(r, status, buf.data, buf.len);

    leadq_buf_done(&buf);

    return rc;
}


ngx_int_t
ngx_http_leadq_reply_outcome(ngx_http_request_t *r,
    ngx_http_leadq_outcome_e outcome)
{
    ngx_http_leadq_ctx_t       *ctx;
    ngx_http_leadq_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_leadq_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_leadq_module);

    ctx->outcome = outcome;

    switch (outcome) {

    case NGX_HTTP_LEADQ_REFUSED:
        return ngx_http_leadq_reply_problem(r, 422, "refused",
                                            "This cannot be stored", NULL);

    case NGX_HTTP_LEADQ_CONFLICT:
        return ngx_http_leadq_reply_problem(r, NGX_HTTP_CONFLICT, "conflict",
                                            "This contradicts what is stored",
                                            NULL);

    case NGX_HTTP_LEADQ_ANSWERED:
    case NGX_HTTP_LEADQ_INVALID:
    case NGX_HTTP_LEADQ_FAILED:
    case NGX_HTTP_LEADQ_SPOOLED:
    case NGX_HTTP_LEADQ_ABORTED:
        return ngx_http_leadq_reply_problem(r, NGX_HTTP_INTERNAL_SERVER_ERROR,
                                            "internal-error",
                                            "Something is wrong here", NULL);

    case NGX_HTTP_LEADQ_BUSY:
    case NGX_HTTP_LEADQ_AWAY:
        break;
    }

    return ngx_http_leadq_reply_later(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                      outcome == NGX_HTTP_LEADQ_BUSY
                                      ? "queue-full" : "database-away",
                                      "Please try again in a moment",
                                      ngx_http_leadq_pool_retry_after(
                                          lcf->function->database->pool));
}


ngx_int_t
ngx_http_leadq_reply_later(ngx_http_request_t *r, ngx_uint_t status,
    const char *code, const char *title, time_t seconds)
{
    u_char     *p;
    ngx_str_t   value;

    p = ngx_pnalloc(r->pool, NGX_TIME_T_LEN);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    value.data = p;
    value.len = ngx_sprintf(p, "%T", seconds) - p;

    if (ngx_http_leadq_header_add(r, "Retry-After", 11, &value) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_leadq_reply_problem(r, status, code, title, NULL);
}


ngx_int_t
ngx_http_leadq_reply_answer(ngx_http_request_t *r,
    ngx_http_leadq_answer_t *answer)
{
    ngx_int_t                   rc;
    leadq_buf_t                 brief;
    ngx_http_leadq_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_leadq_module);

    /* a function that sends people on knows better where to */

    if (ngx_http_leadq_is_form(r, lcf)
        && (answer->status < 300 || answer->status >= 400))
    {
        if (answer->status < 400) {
            return ngx_http_leadq_redirect_ok(r, lcf);
        }

        leadq_buf_init(&brief, NGX_HTTP_LEADQ_REPLY_MAX);

        leadq_problem_shorten(&brief, answer->body ? answer->body : "",
                              answer->body ? answer->body_len : 0, "failed");

        rc = ngx_http_leadq_redirect_error(r, lcf, &brief);
        leadq_buf_done(&brief);

        return rc;
    }

    if (answer->headers
        && ngx_http_leadq_headers(r, answer->headers) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_leadq_send(r, answer->status, answer->body,
                               answer->body ? answer->body_len : 0);
}


ngx_int_t
ngx_http_leadq_reply_json(ngx_http_request_t *r, ngx_uint_t status,
    const char *text, size_t len)
{
    return ngx_http_leadq_send_json(r, status, text, len);
}


/* Suggestions go along with what was taken, and with what was not valid. */

static ngx_int_t
ngx_http_leadq_send(ngx_http_request_t *r, ngx_uint_t status,
    const char *body, size_t len)
{
    ngx_int_t              rc;
    leadq_buf_t            buf;
    ngx_http_leadq_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_leadq_module);

    if (ctx->suggest.len == 0 || len == 0
        || (status != 422 && (status < 200 || status > 299)))
    {
        return ngx_http_leadq_send_json(r, status, body, len);
    }

    leadq_buf_init(&buf, len + ctx->suggest.len + 64);

    if (leadq_suggest_splice(&buf, body, len, (char *) ctx->suggest.data,
                             ctx->suggest.len)
        && !buf.failed)
    {
        rc = ngx_http_leadq_send_json(r, status, buf.data, buf.len);

    } else {
        rc = ngx_http_leadq_send_json(r, status, body, len);
    }

    leadq_buf_done(&buf);

    return rc;
}


/* Sends status and JSON; the body is copied. */

static ngx_int_t
ngx_http_leadq_send_json(ngx_http_request_t *r, ngx_uint_t status,
    const char *body, size_t len)
{
    ngx_int_t              rc;
    ngx_str_t              value;
    ngx_buf_t             *b;
    ngx_chain_t            out;
    ngx_http_leadq_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_leadq_module);
    ctx->answered = 1;

    ngx_str_set(&value, "no-store");

    if (ngx_http_leadq_header_add(r, "Cache-Control", 13, &value) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    /* If-Match and the like are about resources, not about what was done */

    r->disable_not_modified = 1;
    r->headers_out.status = status;
    r->headers_out.content_length_n = len;

    if (len == 0 || status == NGX_HTTP_NO_CONTENT
        || status == NGX_HTTP_NOT_MODIFIED)
    {
        r->header_only = 1;

        return ngx_http_send_header(r);
    }

    if (status < 400) {
        ngx_str_set(&r->headers_out.content_type, "application/json");

    } else {
        ngx_str_set(&r->headers_out.content_type, "application/problem+json");
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_create_temp_buf(r->pool, len);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->last = ngx_cpymem(b->last, body, len);
    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


/* A person with a browser, in a location that has pages for people. */

static ngx_uint_t
ngx_http_leadq_is_form(ngx_http_request_t *r, ngx_http_leadq_loc_conf_t *lcf)
{
    return lcf->redirect_ok.len && ngx_http_leadq_wants_html(r);
}


static ngx_int_t
ngx_http_leadq_redirect_ok(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf)
{
    return ngx_http_leadq_see_other(r, &lcf->redirect_ok);
}


/* The URL of the error page with "error=" and the short form. */

static ngx_int_t
ngx_http_leadq_redirect_error(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf, leadq_buf_t *brief)
{
    size_t      len;
    ngx_str_t   url;
    ngx_uint_t  query;

    len = ngx_min(brief->len, NGX_HTTP_LEADQ_HEADER_MAX);

    url.len = lcf->redirect_error.len + sizeof("?error=") - 1 + len;
    url.data = ngx_pnalloc(r->pool, url.len);

    if (url.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    query = ngx_strlchr(lcf->redirect_error.data,
                        lcf->redirect_error.data + lcf->redirect_error.len,
                        '?')
            != NULL;

    ngx_sprintf(url.data, "%V%serror=%*s", &lcf->redirect_error,
                query ? "&" : "?", len, brief->data);

    return ngx_http_leadq_see_other(r, &url);
}


static ngx_int_t
ngx_http_leadq_see_other(ngx_http_request_t *r, ngx_str_t *url)
{
    ngx_table_elt_t  *location;

    location = ngx_http_leadq_header_add(r, "Location", 8, url);
    if (location == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.location = location;

    return ngx_http_leadq_send(r, NGX_HTTP_SEE_OTHER, NULL, 0);
}


/* Lines "Name: value"; what is not allowed is left out and logged. */

static ngx_int_t
ngx_http_leadq_headers(ngx_http_request_t *r, const char *text)
{
    size_t     len;
    ngx_int_t  rc;

    for ( /* void */ ; *text; text += len + (text[len] == '\n')) {

        len = strcspn(text, "\n");

        if (len == 0) {
            continue;
        }

        rc = ngx_http_leadq_header_line(r, text, len);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_DECLINED) {
            ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                          "leadq function set a header that it may not set, "
                          "or an invalid value of it");
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_leadq_header_line(ngx_http_request_t *r, const char *line,
    size_t len)
{
    size_t            name_len;
    ngx_str_t         value;
    ngx_uint_t        i;
    ngx_table_elt_t  *header;

    name_len = strcspn(line, ":\n");

    for (i = 0; i < NGX_HTTP_LEADQ_ALLOWED; i++) {
        if (name_len == ngx_strlen(ngx_http_leadq_allowed[i])
            && ngx_strncasecmp((u_char *) line,
                               (u_char *) ngx_http_leadq_allowed[i], name_len)
               == 0)
        {
            break;
        }
    }

    if (i == NGX_HTTP_LEADQ_ALLOWED || name_len == len) {
        return NGX_DECLINED;
    }

    value.data = (u_char *) line + name_len + 1;
    value.len = len - name_len - 1;

    while (value.len && *value.data == ' ') {
        value.data++;
        value.len--;
    }

    if (value.len == 0 || value.len > NGX_HTTP_LEADQ_HEADER_MAX
        || ngx_strlchr(value.data, value.data + value.len, '\r'))
    {
        return NGX_DECLINED;
    }

    value.data = ngx_pstrdup(r->pool, &value);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    header = ngx_http_leadq_header_add(r, ngx_http_leadq_allowed[i], name_len,
                                       &value);
    if (header == NULL) {
        return NGX_ERROR;
    }

    if (i == 0) {
        r->headers_out.location = header;
    }

    return NGX_OK;
}


ngx_table_elt_t *
ngx_http_leadq_header_add(ngx_http_request_t *r, const char *name, size_t len,
    ngx_str_t *value)
{
    ngx_table_elt_t  *header;

    header = ngx_list_push(&r->headers_out.headers);
    if (header == NULL) {
        return NULL;
    }

    ngx_memzero(header, sizeof(ngx_table_elt_t));

    header->hash = 1;
    header->key.data = (u_char *) name;
    header->key.len = len;
    header->value = *value;

    return header;
}
