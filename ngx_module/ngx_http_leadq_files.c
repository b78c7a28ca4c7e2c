
/*
 * The files that a conninfo names.
 *
 * libpq reads them at every connect, in a worker process, and is silent about
 * a password file that it does not like: it asks without a password then.  So
 * they are looked at while somebody reads what nginx -t says.
 */

#include "ngx_http_leadq.h"


static char *ngx_http_leadq_file_check(ngx_conf_t *cf, const char *keyword,
    const char *path, ngx_uint_t secret);


static const struct {
    const char  *keyword;
    ngx_uint_t   secret;                        /* the owner's alone */
} ngx_http_leadq_files[] = {
    { "passfile", 1 },
    { "sslkey", 0 },                            /* libpq tells why not */
    { "sslcert", 0 },
    { "sslrootcert", 0 },
    { "sslcrl", 0 },
};

#define NGX_HTTP_LEADQ_FILES                                                  \
    (sizeof(ngx_http_leadq_files) / sizeof(ngx_http_leadq_files[0]))


char *
ngx_http_leadq_files_check(ngx_conf_t *cf, PQconninfoOption *given)
{
    size_t       i;
    const char  *path, *mode;

    for (i = 0; i < NGX_HTTP_LEADQ_FILES; i++) {

        path = ngx_http_leadq_hosts_option(given,
                                           ngx_http_leadq_files[i].keyword);

        if (path
            && ngx_http_leadq_file_check(cf, ngx_http_leadq_files[i].keyword,
                                         path, ngx_http_leadq_files[i].secret)
               != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    /* without a root, libpq would look into the home of the worker's user */

    mode = ngx_http_leadq_hosts_option(given, "sslmode");

    if (mode && ngx_strncmp(mode, "verify-", 7) == 0
        && ngx_http_leadq_hosts_option(given, "sslrootcert") == NULL)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "conninfo of \"leadq_database\" has "
                           "\"sslmode=%s\" and no \"sslrootcert\"", mode);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_file_check(ngx_conf_t *cf, const char *keyword,
    const char *path, ngx_uint_t secret)
{
    ngx_file_info_t  info;

    /* newer libpq: not a file, but the roots of the system or an engine */

    if (ngx_strcmp(path, "system") == 0 || ngx_strchr(path, ':')) {
        return NGX_CONF_OK;
    }

    if (path[0] != '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s=%s\" in the conninfo of \"leadq_database\" "
                           "is not an absolute path", keyword, path);
        return NGX_CONF_ERROR;
    }

    if (ngx_file_info(path, &info) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "\"%s=%s\" in the conninfo of \"leadq_database\" "
                           "cannot be used", keyword, path);
        return NGX_CONF_ERROR;
    }

    if (!S_ISREG(info.st_mode)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s=%s\" in the conninfo of \"leadq_database\" "
                           "is not a file", keyword, path);
        return NGX_CONF_ERROR;
    }

    if (secret && info.st_mode & (S_IRWXG|S_IRWXO)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%s=%s\" in the conninfo of \"leadq_database\" "
                           "is open to group or others, it must have mode "
                           "0600", keyword, path);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
