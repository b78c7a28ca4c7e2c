
/*
 * The directive leadq_idempotency: requests that name themselves.
 *
 * The key is the header Idempotency-Key or the value of a field, and makes
 * the id of the row (see leadq_idempotency.h).  No table is asked here: that
 * a repeat is one is found by SQL, where the id is there already.
 */

#include "ngx_http_leadq.h"

#include "leadq_idempotency.h"


static char *ngx_http_leadq_idempotency_option(ngx_conf_t *cf,
    ngx_http_leadq_idempotency_t *conf, ngx_str_t *arg);
static char *ngx_http_leadq_idempotency_scope(ngx_conf_t *cf,
    ngx_http_leadq_idempotency_t *conf, ngx_str_t *text);
static ngx_uint_t ngx_http_leadq_idempotency_header(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_int_t ngx_http_leadq_idempotency_missing(ngx_http_request_t *r,
    const char *title);


static ngx_str_t  ngx_http_leadq_idempotency_name =
    ngx_string("idempotency-key");


/* leadq_idempotency off|optional|required [key=] [field=] [scope=]; */

char *
ngx_http_leadq_idempotency(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_leadq_loc_conf_t  *lcf = conf;

    ngx_str_t                     *value;
    ngx_uint_t                     i;
    ngx_http_leadq_idempotency_t  *own;

    own = &lcf->guard.idempotency;

    if (own->mode) {
        return "is duplicate";
    }

    value = cf->args->elts;

    ngx_http_leadq_place(cf, &lcf->place);
    ngx_http_leadq_place(cf, &own->place);

    if (ngx_strcmp(value[1].data, "off") == 0) {
        own->mode = NGX_HTTP_LEADQ_IDEM_OFF;

    } else if (ngx_strcmp(value[1].data, "optional") == 0) {
        own->mode = NGX_HTTP_LEADQ_IDEM_OPTIONAL;

    } else if (ngx_strcmp(value[1].data, "required") == 0) {
        own->mode = NGX_HTTP_LEADQ_IDEM_REQUIRED;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"leadq_idempotency %V\", it is \"off\", "
                           "\"optional\" or \"required\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_http_leadq_idempotency_option(cf, own, &value[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (own->mode != NGX_HTTP_LEADQ_IDEM_OFF && own->key.len == 0) {
        return "needs \"key=NAME\"";
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_idempotency_option(ngx_conf_t *cf,
    ngx_http_leadq_idempotency_t *conf, ngx_str_t *arg)
{
    ngx_str_t  text;

    if (arg->len > 4 && ngx_strncmp(arg->data, "key=", 4) == 0) {
        conf->key.data = arg->data + 4;
        conf->key.len = arg->len - 4;
        return NGX_CONF_OK;
    }

    if (arg->len > 6 && ngx_strncmp(arg->data, "field=", 6) == 0) {
        conf->field.data = arg->data + 6;
        conf->field.len = arg->len - 6;
        return NGX_CONF_OK;
    }

    if (arg->len > 6 && ngx_strncmp(arg->data, "scope=", 6) == 0) {
        text.data = arg->data + 6;
        text.len = arg->len - 6;
        return ngx_http_leadq_idempotency_scope(cf, conf, &text);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" of \"leadq_idempotency\", "
                       "there are \"key=NAME\", \"field=NAME\" and "
                       "\"scope=TEXT\"", arg);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_leadq_idempotency_scope(ngx_conf_t *cf,
    ngx_http_leadq_idempotency_t *conf, ngx_str_t *text)
{
    ngx_http_compile_complex_value_t  ccv;

    conf->scope = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (conf->scope == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = text;
    ccv.complex_value = conf->scope;

    return ngx_http_compile_complex_value(&ccv) == NGX_OK ? NGX_CONF_OK
                                                          : NGX_CONF_ERROR;
}


char *
ngx_http_leadq_idempotency_end(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *lcf)
{
    ngx_http_leadq_idempotency_t  *own;

    own = &lcf->guard.idempotency;

    if (own->mode <= NGX_HTTP_LEADQ_IDEM_OFF) {
        return NGX_CONF_OK;
    }

    own->keys = ngx_http_leadq_keys_get(cf, &own->key, "leadq_idempotency",
                                        &own->place);
    if (own->keys == NULL) {
        return NGX_CONF_ERROR;
    }

    if (own->field.len == 0) {
        return NGX_CONF_OK;
    }

    own->source = ngx_http_leadq_shape_find(lcf, own->field.data,
                                            own->field.len);
    if (own->source == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"leadq_idempotency\" names \"%V\", which is no "
                      "\"leadq_field\" of its location in %V:%ui",
                      &own->field, &own->place.file, own->place.line);
        return NGX_CONF_ERROR;
    }

    if (own->source->mac) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"leadq_idempotency\" names \"%V\", which has "
                      "\"mac=\" and so another value after a change of its "
                      "key in %V:%ui",
                      &own->field, &own->place.file, own->place.line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_leadq_idempotency_before(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf)
{
    ngx_str_t                      value;
    ngx_uint_t                     n;
    ngx_http_leadq_idempotency_t  *own;

    own = &lcf->guard.idempotency;

    if (own->mode <= NGX_HTTP_LEADQ_IDEM_OFF || own->source) {
        return NGX_DECLINED;
    }

    n = ngx_http_leadq_idempotency_header(r, &value);

    if (n == 0) {
        return own->mode == NGX_HTTP_LEADQ_IDEM_REQUIRED
               ? ngx_http_leadq_idempotency_missing(r,
                     "The header Idempotency-Key is required")
               : NGX_DECLINED;
    }

    if (n > 1 || !leadq_idempotency_key((char *) value.data, value.len)) {
        ngx_http_leadq_guard_discard(r);

        return ngx_http_leadq_reply_problem(r, NGX_HTTP_BAD_REQUEST,
                                            "idempotency-key-invalid",
                                            "Idempotency-Key must be one "
                                            "header of 1 to 255 visible "
                                            "ASCII characters", NULL);
    }

    return NGX_DECLINED;
}


void
ngx_http_leadq_idempotency_extra(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf, leadq_extra_t *extra)
{
    ngx_str_t                      value;
    ngx_http_leadq_idempotency_t  *own;

    own = &lcf->guard.idempotency;

    if (own->mode <= NGX_HTTP_LEADQ_IDEM_OFF) {
        return;
    }

    extra->key = own->source;
    extra->fingerprint = own->source
                         || ngx_http_leadq_idempotency_header(r, &value);
}


ngx_int_t
ngx_http_leadq_idempotency_id(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf, leadq_extra_t *extra, leadq_buf_t *row)
{
    ngx_str_t                      value, scope;
    leadq_idempotency_t            parts;
    ngx_http_leadq_ctx_t          *ctx;
    ngx_http_leadq_idempotency_t  *own;

    own = &lcf->guard.idempotency;

    if (own->mode <= NGX_HTTP_LEADQ_IDEM_OFF) {
        return NGX_DECLINED;
    }

    ngx_str_null(&value);
    ngx_str_null(&scope);

    if (own->source) {
        value.data = (u_char *) row->data + extra->key_at;
        value.len = extra->key_len;
        parts.origin = own->source->name;

    } else {
        (void) ngx_http_leadq_idempotency_header(r, &value);
        parts.origin.data = (char *) ngx_http_leadq_idempotency_name.data;
        parts.origin.len = ngx_http_leadq_idempotency_name.len;
    }

    if (value.len == 0) {
        return own->mode == NGX_HTTP_LEADQ_IDEM_REQUIRED
               ? ngx_http_leadq_idempotency_missing(r,
                     "The field that identifies the request is required")
               : NGX_DECLINED;
    }

    if (own->scope && ngx_http_complex_value(r, own->scope, &scope) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    parts.database.data = (char *) lcf->database.data;
    parts.database.len = lcf->database.len;
    parts.schema.data = (char *) lcf->function->database->schema.data;
    parts.schema.len = lcf->function->database->schema.len;
    parts.function.data = (char *) lcf->name.data;
    parts.function.len = lcf->name.len;
    parts.scope.data = (char *) scope.data;
    parts.scope.len = scope.len;
    parts.value.data = (char *) value.data;
    parts.value.len = value.len;

    ctx = ngx_http_get_module_ctx(r, ngx_http_leadq_module);

    if (leadq_idempotency_id(own->keys, &parts, ctx->key_id) != 0) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "leadq cannot make an id of the idempotency key");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->keyed = 1;

    return NGX_DECLINED;
}


/* How many headers Idempotency-Key there are, and the last of them. */

static ngx_uint_t
ngx_http_leadq_idempotency_header(ngx_http_request_t *r, ngx_str_t *value)
{
    ngx_uint_t        i, n;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    n = 0;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (header[i].key.len == ngx_http_leadq_idempotency_name.len
                && ngx_strncasecmp(header[i].key.data,
                                   ngx_http_leadq_idempotency_name.data,
                                   header[i].key.len)
                   == 0)
            {
                *value = header[i].value;
                n++;
            }
        }
    }

    return n;
}


static ngx_int_t
ngx_http_leadq_idempotency_missing(ngx_http_request_t *r, const char *title)
{
    ngx_http_leadq_guard_discard(r);

    return ngx_http_leadq_reply_problem(r, NGX_HTTP_BAD_REQUEST,
                                        "idempotency-key-required", title,
                                        NULL);
}
