
/*
 * The module itself: directives, configurations and their end, the life of
 * worker processes.
 */

#include "ngx_http_leadq.h"

#include <openssl/ssl.h>


static void *ngx_http_leadq_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_leadq_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_leadq_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_leadq_pass_end(ngx_conf_t *cf,
    ngx_http_leadq_loc_conf_t *conf);
static char *ngx_http_leadq_pass(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_leadq_redirect(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_leadq_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_leadq_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_http_leadq_init_process(ngx_cycle_t *cycle);
static void ngx_http_leadq_exit_process(ngx_cycle_t *cycle);


static ngx_command_t  ngx_http_leadq_commands[] = {

    { ngx_string("leadq_database"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_leadq_database,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("leadq_key"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE2,
      ngx_http_leadq_key,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("leadq_pass"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE2,
      ngx_http_leadq_pass,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("leadq_field"),
      NGX_HTTP_LOC_CONF|NGX_CONF_2MORE,
      ngx_http_leadq_field,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("leadq_set"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE2,
      ngx_http_leadq_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("leadq_invalid"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_leadq_invalid,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("leadq_args"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_leadq_args,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("leadq_methods"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_leadq_methods,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("leadq_redirect"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE2,
      ngx_http_leadq_redirect,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("leadq_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_leadq_metrics,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("leadq_spool"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_leadq_spool,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("leadq_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_leadq_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("leadq_idempotency"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_leadq_idempotency,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("leadq_session"),
      NGX_HTTP_LOC_CONF|NGX_CONF_2MORE,
      ngx_http_leadq_session,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("leadq_limit_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_2MORE,
      ngx_http_leadq_limit_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("leadq_limit"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_leadq_limit,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("leadq_same_origin"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_leadq_same_origin,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("leadq_honeypot"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_leadq_honeypot,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("leadq_form_token"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_leadq_form_token,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("leadq_form_check"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_leadq_form_check,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_leadq_module_ctx = {
    ngx_http_leadq_vars_add,               /* preconfiguration */
    ngx_http_leadq_init,                   /* postconfiguration */

    ngx_http_leadq_create_main_conf,       /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_leadq_create_loc_conf,        /* create location configuration */
    ngx_http_leadq_merge_loc_conf          /* merge location configuration */
};


ngx_module_t  ngx_http_leadq_module = {
    NGX_MODULE_V1,
    &ngx_http_leadq_module_ctx,            /* module context */
    ngx_http_leadq_commands,               /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_leadq_init_module,            /* init module */
    ngx_http_leadq_init_process,           /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_http_leadq_exit_process,           /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_leadq_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_leadq_main_conf_t  *mcf;

    mcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_leadq_main_conf_t));
    if (mcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&mcf->databases, cf->pool, 1,
                       sizeof(ngx_http_leadq_database_t *))
        != NGX_OK
        || ngx_array_init(&mcf->keys, cf->pool, 1,
                          sizeof(ngx_http_leadq_key_t))
           != NGX_OK)
    {
        return NULL;
    }

    return mcf;
}


static void *
ngx_http_leadq_create_loc_conf(ngx_conf_t *cf)
{
    /*
     * Everything is zero; nothing is inherited but by "if" and
     * "limit_except" blocks, which get all of their location.
     */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_leadq_loc_conf_t));
}


static char *
ngx_http_leadq_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_leadq_loc_conf_t  *prev = parent;
    ngx_http_leadq_loc_conf_t  *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname && (prev->function || prev->sight)) {
        *conf = *prev;
        clcf->handler = prev->sight ? prev->sight : ngx_http_leadq_handler;
        return NGX_CONF_OK;
    }

    if ((clcf->noname && prev->guard.issue.keys) || conf->guard.issue.key.len)
    {
        return ngx_http_leadq_form_token_end(cf, prev, conf);
    }

    if (conf->sight) {
        return ngx_http_leadq_sight_check(cf, conf);
    }

    if (conf->place.line == 0) {
        return NGX_CONF_OK;
    }

    if (ngx_http_leadq_pass_end(cf, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_leadq_spool_set(cf, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_http_leadq_shape(cf, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_leadq_guard_end(cf, conf);
}


/* Finds the database and the function of "leadq_pass". */

static char *
ngx_http_leadq_pass_end(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *conf)
{
    ngx_uint_t                    i;
    ngx_http_leadq_database_t   **databases;
    ngx_http_leadq_main_conf_t   *mcf;

    if (conf->name.len == 0) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "location has leadq directives, but no \"leadq_pass\" "
                      "in %V:%ui", &conf->place.file, conf->place.line);
        return NGX_CONF_ERROR;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_leadq_module);
    databases = mcf->databases.elts;

    for (i = 0; i < mcf->databases.nelts; i++) {
        if (databases[i]->name.len == conf->database.len
            && ngx_strncmp(databases[i]->name.data, conf->database.data,
                           conf->database.len)
               == 0)
        {
            conf->function = ngx_http_leadq_function_get(cf, databases[i],
                                                         &conf->name);
            if (conf->function == NULL) {
                return NGX_CONF_ERROR;
            }
        }
    }

    if (conf->function == NULL) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "unknown database \"%V\" in \"leadq_pass\", there is no "
                      "such \"leadq_database\" in %V:%ui", &conf->database,
                      &conf->place.file, conf->place.line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_pass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_leadq_loc_conf_t  *lcf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    if (lcf->name.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (!ngx_http_leadq_is_name(&value[2])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid function \"%V\" in \"leadq_pass\": "
                           "a letter a-z, then up to 62 of a-z, 0-9 and _",
                           &value[2]);
        return NGX_CONF_ERROR;
    }

    lcf->database = value[1];
    lcf->name = value[2];

    /* errors that show at the end of the location name this line */

    lcf->place.line = 0;
    ngx_http_leadq_place(cf, &lcf->place);

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_leadq_handler;

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_redirect(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_leadq_loc_conf_t  *lcf = conf;

    size_t       i;
    ngx_str_t   *value;
    ngx_uint_t   n;

    if (lcf->redirect_ok.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (n = 1; n < 3; n++) {

        if (value[n].len == 0) {
            return "has an empty URL";
        }

        for (i = 0; i < value[n].len; i++) {
            if (value[n].data[i] <= 0x20 || value[n].data[i] >= 0x7f
                || value[n].data[i] == '#')
            {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid URL \"%V\" in \"leadq_redirect\":"
                                   " only ASCII without spaces and \"#\"",
                                   &value[n]);
                return NGX_CONF_ERROR;
            }
        }
    }

    lcf->redirect_ok = value[1];
    lcf->redirect_error = value[2];

    ngx_http_leadq_place(cf, &lcf->place);

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_leadq_init(ngx_conf_t *cf)
{
    ngx_uint_t                    i;
    ngx_http_leadq_database_t   **databases;
    ngx_http_leadq_main_conf_t   *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_leadq_module);
    databases = mcf->databases.elts;

    for (i = 0; i < mcf->databases.nelts; i++) {
        if (ngx_http_leadq_database_hosts(cf, databases[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_http_leadq_filter_init(cf);
}


static ngx_int_t
ngx_http_leadq_init_module(ngx_cycle_t *cycle)
{
    ngx_uint_t                    i;
    ngx_core_conf_t              *ccf;
    ngx_http_leadq_database_t   **databases;
    ngx_http_leadq_main_conf_t   *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_leadq_module);

    if (mcf == NULL || ngx_test_config) {
        return NGX_OK;
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);
    databases = mcf->databases.elts;

    if (mcf->databases.nelts) {
        PQinitOpenSSL(0, 0);                    /* nginx has done it */
    }

    for (i = 0; i < mcf->databases.nelts; i++) {
        ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0,
                      "leadq database \"%V\": up to %ui connections "
                      "(%i worker processes, %ui each)", &databases[i]->name,
                      databases[i]->connections
                          * (ngx_uint_t) ccf->worker_processes,
                      ccf->worker_processes, databases[i]->connections);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_leadq_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                    i;
    ngx_http_leadq_database_t   **databases;
    ngx_http_leadq_main_conf_t   *mcf;

    /* the cache manager and its loader come here as well */

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_leadq_module);

    if (mcf == NULL) {
        return NGX_OK;
    }

    /* timers begin here: the master's time may be hours old */

    ngx_time_update();

    ngx_http_leadq_sight_open(cycle, mcf);

    databases = mcf->databases.elts;

    for (i = 0; i < mcf->databases.nelts; i++) {
        if (ngx_http_leadq_pool_init(cycle, databases[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_leadq_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                    i;
    ngx_http_leadq_database_t   **databases;
    ngx_http_leadq_main_conf_t   *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_leadq_module);

    if (mcf == NULL) {
        return;
    }

    databases = mcf->databases.elts;

    for (i = 0; i < mcf->databases.nelts; i++) {
        if (databases[i]->pool) {
            ngx_http_leadq_pool_done(databases[i]->pool);
            databases[i]->pool = NULL;
        }
    }

    ngx_http_leadq_sight_close(mcf);
}
