
/*
 * The directive leadq_methods: which methods a location takes.
 *
 * Only POST has a body: that of another method means nothing to anybody
 * (RFC 9110, 9.3.1 and 9.3.5) and is thrown away unread.
 */

#include "ngx_http_leadq.h"


typedef struct {
    ngx_str_t     name;
    ngx_uint_t    methods;                      /* of nginx */
    ngx_str_t     allow;
} ngx_http_leadq_method_t;


static ngx_int_t ngx_http_leadq_methods_list(ngx_conf_t *cf,
    ngx_http_leadq_methods_t *conf);


/* In the order in which answers name them. */

static ngx_http_leadq_method_t  ngx_http_leadq_method_table[] = {
    { ngx_string("GET"), NGX_HTTP_GET|NGX_HTTP_HEAD,
      ngx_string("GET, HEAD") },
    { ngx_string("POST"), NGX_HTTP_POST, ngx_string("POST") },
    { ngx_string("DELETE"), NGX_HTTP_DELETE, ngx_string("DELETE") },
    { ngx_null_string, 0, ngx_null_string }
};


/* leadq_methods POST|GET|DELETE ...; */

char *
ngx_http_leadq_methods(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_leadq_loc_conf_t  *lcf = conf;

    ngx_str_t                *value;
    ngx_uint_t                i;
    ngx_http_leadq_method_t  *method;

    if (lcf->methods.taken) {
        return "is duplicate";
    }

    value = cf->args->elts;

    ngx_http_leadq_place(cf, &lcf->place);

    for (i = 1; i < cf->args->nelts; i++) {

        for (method = ngx_http_leadq_method_table; method->name.len; method++)
        {
            if (ngx_strcmp(value[i].data, method->name.data) == 0) {
                break;
            }
        }

        if (method->name.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid method \"%V\" in \"leadq_methods\", "
                               "there are POST, GET and DELETE", &value[i]);
            return NGX_CONF_ERROR;
        }

        if (lcf->methods.taken & method->methods) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate method \"%V\" in \"leadq_methods\"",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        lcf->methods.taken |= method->methods;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_leadq_methods_end(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *lcf)
{
    if (lcf->methods.taken == 0) {
        lcf->methods.taken = NGX_HTTP_POST;
    }

    if ((lcf->methods.taken & ~NGX_HTTP_POST) && lcf->takes_body
        && lcf->args != 2)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "location has a \"leadq_methods\" other than POST, so "
                      "its fields need \"from=\" or \"leadq_args on\" in "
                      "%V:%ui", &lcf->place.file, lcf->place.line);
        return NGX_CONF_ERROR;
    }

    return ngx_http_leadq_methods_list(cf, &lcf->methods) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* "GET, HEAD, POST", and the sentence of it, once for all requests. */

static ngx_int_t
ngx_http_leadq_methods_list(ngx_conf_t *cf, ngx_http_leadq_methods_t *conf)
{
    u_char                   *allow, *title;
    ngx_uint_t                many;
    ngx_http_leadq_method_t  *method;

    allow = ngx_pnalloc(cf->pool, sizeof("GET, HEAD, POST, DELETE"));
    title = ngx_pnalloc(cf->pool, sizeof("Only GET, HEAD, POST, DELETE")
                                  + sizeof(" are possible here"));
    if (allow == NULL || title == NULL) {
        return NGX_ERROR;
    }

    conf->allow.data = allow;

    for (method = ngx_http_leadq_method_table; method->name.len; method++) {
        if (conf->taken & method->methods) {
            allow = ngx_sprintf(allow, "%s%V",
                                allow == conf->allow.data ? "" : ", ",
                                &method->allow);
        }
    }

    conf->allow.len = allow - conf->allow.data;
    many = ngx_strlchr(conf->allow.data, allow, ',') != NULL;

    conf->title = (char *) title;
    ngx_sprintf(title, "Only %V %s possible here%Z", &conf->allow,
                many ? "are" : "is");

    return NGX_OK;
}
