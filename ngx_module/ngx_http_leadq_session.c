
/*
 * The directive leadq_session: which requests come from the same browser.
 *
 * The token comes as a cookie, or as a header from a program or from a page
 * elsewhere that gets no cookies.  What a request without a good one gets, it
 * gets with whatever answer: its session has begun.
 */

#include "ngx_http_leadq.h"

#include "leadq_session.h"


#define NGX_HTTP_LEADQ_SESSION_MIN  60          /* seconds */
#define NGX_HTTP_LEADQ_SESSION_MAX  (30 * 86400)


static char *ngx_http_leadq_session_option(ngx_conf_t *cf,
    ngx_http_leadq_session_t *conf, ngx_str_t *arg);
static char *ngx_http_leadq_session_cookie(ngx_conf_t *cf,
    ngx_http_leadq_session_t *conf);
static char *ngx_http_leadq_session_life(ngx_conf_t *cf,
    ngx_http_leadq_session_t *conf, ngx_str_t *text);
static leadq_session_e ngx_http_leadq_session_find(ngx_http_request_t *r,
    ngx_http_leadq_session_t *own, u_char subject[16]);
static leadq_session_e ngx_http_leadq_session_seek(ngx_http_request_t *r,
    ngx_http_leadq_session_t *own, ngx_uint_t cookies, u_char subject[16]);
static leadq_session_e ngx_http_leadq_session_read(
    ngx_http_leadq_session_t *own, ngx_str_t *value, ngx_uint_t cookies,
    ngx_uint_t *tries, u_char subject[16]);
static ngx_int_t ngx_http_leadq_session_answer(ngx_http_request_t *r,
    ngx_http_leadq_session_t *own, u_char subject[16]);


static ngx_str_t  ngx_http_leadq_session_name = ngx_string("Leadq-Session");
static ngx_str_t  ngx_http_leadq_session_cookies = ngx_string("Cookie");


/* leadq_session cookie=NAME key=NAME [life=1d]; */

char *
ngx_http_leadq_session(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_leadq_loc_conf_t  *lcf = conf;

    ngx_str_t                 *value;
    ngx_uint_t                 i;
    ngx_http_leadq_session_t  *own;

    own = &lcf->guard.session;

    if (own->place.line) {
        return "is duplicate";
    }

    value = cf->args->elts;

    ngx_http_leadq_place(cf, &lcf->place);
    ngx_http_leadq_place(cf, &own->place);

    own->life = 86400;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_leadq_session_option(cf, own, &value[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (own->cookie.len == 0 || own->key.len == 0) {
        return "needs \"cookie=NAME\" and \"key=NAME\"";
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_session_option(ngx_conf_t *cf, ngx_http_leadq_session_t *conf,
    ngx_str_t *arg)
{
    ngx_str_t  text;

    if (arg->len > 4 && ngx_strncmp(arg->data, "key=", 4) == 0) {
        conf->key.data = arg->data + 4;
        conf->key.len = arg->len - 4;
        return NGX_CONF_OK;
    }

    if (arg->len > 7 && ngx_strncmp(arg->data, "cookie=", 7) == 0) {
        conf->cookie.data = arg->data + 7;
        conf->cookie.len = arg->len - 7;
        return ngx_http_leadq_session_cookie(cf, conf);
    }

    if (arg->len > 5 && ngx_strncmp(arg->data, "life=", 5) == 0) {
        text.data = arg->data + 5;
        text.len = arg->len - 5;
        return ngx_http_leadq_session_life(cf, conf, &text);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" of \"leadq_session\", there "
                       "are \"cookie=NAME\", \"key=NAME\" and \"life=TIME\"",
                       arg);

    return NGX_CONF_ERROR;
}


/* A token of RFC 9110, as RFC 6265 wants it. */

static char *
ngx_http_leadq_session_cookie(ngx_conf_t *cf, ngx_http_leadq_session_t *conf)
{
    size_t   i;
    u_char  *name;

    name = conf->cookie.data;

    for (i = 0; i < conf->cookie.len; i++) {
        if (name[i] <= 0x20 || name[i] >= 0x7f
            || ngx_strchr("()<>@,;:\\\"/[]?={}", name[i]))
        {
            break;
        }
    }

    if (i < conf->cookie.len || i > LEADQ_NAME_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid cookie \"%V\" in \"leadq_session\": 1..64 "
                           "letters, digits and !#$%%&'*+-.^_`|~",
                           &conf->cookie);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_session_life(ngx_conf_t *cf, ngx_http_leadq_session_t *conf,
    ngx_str_t *text)
{
    ngx_int_t  seconds;

    if (text->data[text->len - 1] >= '0' && text->data[text->len - 1] <= '9') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"life=%V\" of \"leadq_session\" has no unit, "
                           "allowed is 1m..30d", text);
        return NGX_CONF_ERROR;
    }

    seconds = ngx_parse_time(text, 1);

    if (seconds == NGX_ERROR || seconds < NGX_HTTP_LEADQ_SESSION_MIN
        || seconds > NGX_HTTP_LEADQ_SESSION_MAX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"life=%V\" in \"leadq_session\", "
                           "allowed is 1m..30d", text);
        return NGX_CONF_ERROR;
    }

    conf->life = (time_t) seconds;

    return NGX_CONF_OK;
}


char *
ngx_http_leadq_session_end(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *lcf)
{
    ngx_http_leadq_session_t  *own;

    own = &lcf->guard.session;

    if (own->place.line == 0) {
        return NGX_CONF_OK;
    }

    own->keys = ngx_http_leadq_keys_get(cf, &own->key, "leadq_session",
                                        &own->place);

    return own->keys ? NGX_CONF_OK : NGX_CONF_ERROR;
}


ngx_int_t
ngx_http_leadq_session_begin(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf)
{
    u_char                     subject[16];
    leadq_session_e            found;
    ngx_http_leadq_ctx_t      *ctx;
    ngx_http_leadq_session_t  *own;

    own = &lcf->guard.session;

    if (own->keys == NULL) {
        return NGX_OK;
    }

    found = ngx_http_leadq_session_find(r, own, subject);

    if (found == LEADQ_SESSION_NONE && leadq_session_new(subject) != 0) {
        ngx_log_error(NGX_LOG_CRIT, r->connection->log, 0,
                      "leadq has no random bytes");
        return NGX_ERROR;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_leadq_module);

    ctx->session = ngx_pnalloc(r->pool, LEADQ_SESSION_HEX + 1);
    if (ctx->session == NULL) {
        return NGX_ERROR;
    }

    leadq_session_hex(subject, ctx->session);

    return found == LEADQ_SESSION_GOOD
           ? NGX_OK : ngx_http_leadq_session_answer(r, own, subject);
}


/* Any good one will do, the cookie's first. */

static leadq_session_e
ngx_http_leadq_session_find(ngx_http_request_t *r,
    ngx_http_leadq_session_t *own, u_char subject[16])
{
    leadq_session_e  found;

    found = ngx_http_leadq_session_seek(r, own, 1, subject);

    return found == LEADQ_SESSION_NONE
           ? ngx_http_leadq_session_seek(r, own, 0, subject) : found;
}


/* Browsers send several of a name, of other paths and domains. */

static leadq_session_e
ngx_http_leadq_session_seek(ngx_http_request_t *r,
    ngx_http_leadq_session_t *own, ngx_uint_t cookies, u_char subject[16])
{
    ngx_str_t        *name;
    ngx_uint_t        i, tries;
    leadq_session_e   found;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    name = cookies ? &ngx_http_leadq_session_cookies
                   : &ngx_http_leadq_session_name;
    tries = LEADQ_SESSION_TRIES;
    found = LEADQ_SESSION_NONE;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        header = part->elts;

        for (i = 0; i < part->nelts && found == LEADQ_SESSION_NONE; i++) {
            if (header[i].key.len == name->len
                && ngx_strncasecmp(header[i].key.data, name->data, name->len)
                   == 0)
            {
                found = ngx_http_leadq_session_read(own, &header[i].value,
                                                    cookies, &tries, subject);
            }
        }
    }

    return found;
}


static leadq_session_e
ngx_http_leadq_session_read(ngx_http_leadq_session_t *own, ngx_str_t *value,
    ngx_uint_t cookies, ngx_uint_t *tries, u_char subject[16])
{
    const char       *p, *end;
    leadq_str_t       name, token;
    leadq_session_e   found;

    p = (char *) value->data;
    end = p + value->len;

    token.data = p;
    token.len = value->len;

    name.data = (char *) own->cookie.data;
    name.len = own->cookie.len;

    while (*tries && (!cookies || leadq_cookie_next(&p, end, &name, &token))) {

        found = leadq_session_read(own->keys, &token, ngx_time(), own->life,
                                   subject);

        if (found != LEADQ_SESSION_NONE || !cookies) {
            return found;
        }

        (*tries)--;
    }

    return LEADQ_SESSION_NONE;
}


/* Both ways to keep it: whoever asks knows which is theirs. */

static ngx_int_t
ngx_http_leadq_session_answer(ngx_http_request_t *r,
    ngx_http_leadq_session_t *own, u_char subject[16])
{
    char        token[LEADQ_SIGNED_LEN + 1];
    u_char     *p;
    size_t      len;
    ngx_str_t   cookie, header;

    leadq_session_make(own->keys, subject, ngx_time(), own->life, token);

    if (token[0] == '\0') {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "leadq cannot sign a session");
        return NGX_ERROR;
    }

    len = own->cookie.len + LEADQ_SIGNED_LEN + NGX_TIME_T_LEN
          + sizeof("=; Path=/; HttpOnly; SameSite=Lax; Max-Age=; Secure");

    p = ngx_pnalloc(r->pool, len + LEADQ_SIGNED_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    header.data = p;
    header.len = LEADQ_SIGNED_LEN;
    cookie.data = ngx_cpymem(p, token, LEADQ_SIGNED_LEN);

    p = ngx_sprintf(cookie.data, "%V=%s; Path=/; HttpOnly; SameSite=Lax; "
                    "Max-Age=%T", &own->cookie, token, own->life);

#if (NGX_HTTP_SSL)

    if (r->connection->ssl) {
        p = ngx_cpymem(p, "; Secure", sizeof("; Secure") - 1);
    }

#endif

    cookie.len = p - cookie.data;

    if (ngx_http_leadq_header_add(r, "Set-Cookie", 10, &cookie) == NULL
        || ngx_http_leadq_header_add(r,
               (char *) ngx_http_leadq_session_name.data,
               ngx_http_leadq_session_name.len, &header)
           == NULL)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}
