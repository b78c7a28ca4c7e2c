
/*
 * The directives leadq_database and leadq_key, and the functions that
 * locations call in a database.
 */

#include "ngx_http_leadq.h"


#define NGX_HTTP_LEADQ_SIZE  0
#define NGX_HTTP_LEADQ_TIME  1
#define NGX_HTTP_LEADQ_NUM   2


typedef struct {
    ngx_str_t    name;                          /* with "=" */
    ngx_uint_t   type;
    size_t       offset;
    ngx_uint_t   value;                         /* default */
    ngx_uint_t   min;
    ngx_uint_t   max;
    const char  *range;
} ngx_http_leadq_option_t;


static char *ngx_http_leadq_database_options(ngx_conf_t *cf,
    ngx_http_leadq_database_t *database);
static char *ngx_http_leadq_option(ngx_conf_t *cf,
    ngx_http_leadq_database_t *database, ngx_str_t *arg);
static ngx_int_t ngx_http_leadq_option_parse(ngx_http_leadq_option_t *option,
    ngx_str_t *text);
static char *ngx_http_leadq_conninfo(ngx_conf_t *cf,
    ngx_http_leadq_database_t *database, ngx_str_t *text);
static char *ngx_http_leadq_conninfo_set(ngx_conf_t *cf,
    ngx_http_leadq_database_t *database, PQconninfoOption *given);
static ngx_uint_t ngx_http_leadq_conninfo_ours(const char *keyword);
static char *ngx_http_leadq_strdup(ngx_pool_t *pool, const char *text);
static void ngx_http_leadq_key_free(void *data);


#define NGX_HTTP_LEADQ_OPTION(name, type, field, value, min, max, range)      \
    { ngx_string(name "="), type,                                             \
      offsetof(ngx_http_leadq_database_t, field), value, min, max, range }


static ngx_http_leadq_option_t  ngx_http_leadq_options[] = {

    NGX_HTTP_LEADQ_OPTION("connections", NGX_HTTP_LEADQ_NUM, connections,
                          2, 1, 64, "1..64"),
    NGX_HTTP_LEADQ_OPTION("batch", NGX_HTTP_LEADQ_NUM, batch,
                          256, 1, 1024, "1..1024"),
    NGX_HTTP_LEADQ_OPTION("depth", NGX_HTTP_LEADQ_NUM, depth,
                          2, 1, 8, "1..8"),
    NGX_HTTP_LEADQ_OPTION("queue", NGX_HTTP_LEADQ_NUM, queue,
                          8192, 1, 1048576, "1..1048576"),
    NGX_HTTP_LEADQ_OPTION("queue_bytes", NGX_HTTP_LEADQ_SIZE, queue_bytes,
                          16 * 1024 * 1024, 65536, 1024 * 1024 * 1024,
                          "64k..1g"),
    NGX_HTTP_LEADQ_OPTION("timeout", NGX_HTTP_LEADQ_TIME, timeout,
                          5000, 100, 300000, "100ms..5m"),
    NGX_HTTP_LEADQ_OPTION("connect_timeout", NGX_HTTP_LEADQ_TIME,
                          connect_timeout, 3000, 100, 60000, "100ms..1m"),
    NGX_HTTP_LEADQ_OPTION("lifetime", NGX_HTTP_LEADQ_TIME, lifetime,
                          3600000, 1000, 86400000, "1s..1d"),
};

#define NGX_HTTP_LEADQ_OPTIONS                                                \
    (sizeof(ngx_http_leadq_options) / sizeof(ngx_http_leadq_option_t))


/* What libpq gets besides the conninfo: name, value, "even if given". */

static const struct {
    const char  *keyword;
    const char  *value;
    ngx_uint_t   always;
} ngx_http_leadq_extras[] = {
    { "application_name", "leadq", 0 },
    { "client_encoding", "UTF8", 1 },
    { "gssencmode", "disable", 0 },         /* Kerberos would block */
    { "keepalives_idle", "30", 0 },
    { "keepalives_interval", "10", 0 },
    { "keepalives_count", "3", 0 },
    { "tcp_user_timeout", "5000", 0 },
};

#define NGX_HTTP_LEADQ_EXTRAS                                                 \
    (sizeof(ngx_http_leadq_extras) / sizeof(ngx_http_leadq_extras[0]))


/* leadq_database NAME "conninfo" [option=value ...]; */

char *
ngx_http_leadq_database(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_leadq_main_conf_t  *mcf = conf;

    ngx_str_t                   *value;
    ngx_uint_t                   i;
    ngx_http_leadq_database_t   *database, **slot;

    value = cf->args->elts;

    if (!ngx_http_leadq_is_name(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" in \"leadq_database\": "
                           "a letter a-z, then up to 62 of a-z, 0-9 and _",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    slot = mcf->databases.elts;

    for (i = 0; i < mcf->databases.nelts; i++) {
        if (slot[i]->name.len == value[1].len
            && ngx_memcmp(slot[i]->name.data, value[1].data, value[1].len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate leadq_database \"%V\"", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    slot = ngx_array_push(&mcf->databases);
    database = ngx_pcalloc(cf->pool, sizeof(ngx_http_leadq_database_t));

    if (slot == NULL || database == NULL
        || ngx_array_init(&database->functions, cf->pool, 4,
                          sizeof(ngx_http_leadq_function_t *))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    *slot = database;

    database->name = value[1];
    database->index = mcf->databases.nelts - 1;
    ngx_str_set(&database->schema, "leadq");
    ngx_http_leadq_place(cf, &database->place);

    if (ngx_http_leadq_database_options(cf, database) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    database->check = ngx_pnalloc(cf->pool, database->schema.len + 64);
    if (database->check == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_sprintf((u_char *) database->check,
                "select %V.web_api(), pg_catalog.pg_is_in_recovery()%Z",
                &database->schema);

    return ngx_http_leadq_conninfo(cf, database, &value[2]);
}


static char *
ngx_http_leadq_database_options(ngx_conf_t *cf,
    ngx_http_leadq_database_t *database)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 0; i < NGX_HTTP_LEADQ_OPTIONS; i++) {
        *(ngx_uint_t *) ((u_char *) database
                         + ngx_http_leadq_options[i].offset) =
            ngx_http_leadq_options[i].value;
    }

    for (i = 3; i < cf->args->nelts; i++) {
        if (ngx_http_leadq_option(cf, database, &value[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (database->queue < database->batch) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "leadq_database \"%V\": queue=%ui is less than "
                           "batch=%ui", &database->name, database->queue,
                           database->batch);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_option(ngx_conf_t *cf, ngx_http_leadq_database_t *database,
    ngx_str_t *arg)
{
    ngx_str_t                 text;
    ngx_int_t                 n;
    ngx_uint_t                i;
    ngx_http_leadq_option_t  *option;

    if (arg->len > 7 && ngx_strncmp(arg->data, "schema=", 7) == 0) {
        database->schema.data = arg->data + 7;
        database->schema.len = arg->len - 7;

        if (ngx_http_leadq_is_name(&database->schema)) {
            return NGX_CONF_OK;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid schema \"%V\" in \"leadq_database\": "
                           "a letter a-z, then up to 62 of a-z, 0-9 and _",
                           &database->schema);
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < NGX_HTTP_LEADQ_OPTIONS; i++) {
        option = &ngx_http_leadq_options[i];

        if (arg->len < option->name.len
            || ngx_strncmp(arg->data, option->name.data, option->name.len)
               != 0)
        {
            continue;
        }

        text.data = arg->data + option->name.len;
        text.len = arg->len - option->name.len;

        n = ngx_http_leadq_option_parse(option, &text);

        if (n == NGX_DECLINED) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "time \"%V\" in \"leadq_database\" has no "
                               "unit, as \"5s\" or \"500ms\" have", arg);
            return NGX_CONF_ERROR;
        }

        if (n == NGX_ERROR || (ngx_uint_t) n < option->min
            || (ngx_uint_t) n > option->max)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in \"leadq_database\", "
                               "allowed is %s", arg, option->range);
            return NGX_CONF_ERROR;
        }

        *(ngx_uint_t *) ((u_char *) database + option->offset) =
            (ngx_uint_t) n;

        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown parameter \"%V\" in \"leadq_database\"", arg);

    return NGX_CONF_ERROR;
}


/* A bare number would be read as seconds by nginx and as ms by people. */

static ngx_int_t
ngx_http_leadq_option_parse(ngx_http_leadq_option_t *option, ngx_str_t *text)
{
    if (text->len == 0) {
        return NGX_ERROR;
    }

    if (option->type == NGX_HTTP_LEADQ_NUM) {
        return ngx_atoi(text->data, text->len);
    }

    if (option->type == NGX_HTTP_LEADQ_SIZE) {
        return ngx_parse_size(text);
    }

    if (text->data[text->len - 1] >= '0' && text->data[text->len - 1] <= '9') {
        return NGX_DECLINED;
    }

    return ngx_parse_time(text, 0);
}


static char *
ngx_http_leadq_conninfo(ngx_conf_t *cf, ngx_http_leadq_database_t *database,
    ngx_str_t *text)
{
    char              *rc, *error, *p, *conninfo;
    PQconninfoOption  *given;

    conninfo = ngx_pnalloc(cf->temp_pool, text->len + 1);
    if (conninfo == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memcpy(conninfo, text->data, text->len);
    conninfo[text->len] = '\0';

    error = NULL;
    given = PQconninfoParse(conninfo, &error);

    if (given == NULL) {

        if (error != NULL) {
            for (p = error; *p; p++) {
                if (*p == '\n') {
                    *p = p[1] ? ' ' : '\0';
                }
            }
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid conninfo in \"leadq_database\": %s",
                           error ? error : "no memory");
        PQfreemem(error);

        return NGX_CONF_ERROR;
    }

    rc = ngx_http_leadq_conninfo_set(cf, database, given);

    PQconninfoFree(given);

    return rc;
}


/* Copies what was given, less the hosts, plus the extras. */

static char *
ngx_http_leadq_conninfo_set(ngx_conf_t *cf,
    ngx_http_leadq_database_t *database, PQconninfoOption *given)
{
    size_t             i, n;
    const char       **keywords, **values;
    PQconninfoOption  *option;

    if (ngx_http_leadq_hosts_option(given, "service")) {
        return "has \"service\" in its conninfo, write the parameters there";
    }

    if (ngx_http_leadq_hosts_option(given, "dbname") == NULL) {
        return "has no \"dbname\" in its conninfo";
    }

    if (ngx_http_leadq_files_check(cf, given) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    for (n = 0, option = given; option->keyword; option++) {
        n++;
    }

    n += NGX_HTTP_LEADQ_EXTRAS + 3 + 1;         /* hosts, NULL */

    keywords = ngx_pcalloc(cf->pool, n * sizeof(char *));
    values = ngx_pcalloc(cf->pool, n * sizeof(char *));

    if (keywords == NULL || values == NULL) {
        return NGX_CONF_ERROR;
    }

    n = 3;                                      /* filled at each connect */

    for (option = given; option->keyword; option++) {

        if (option->val == NULL
            || ngx_http_leadq_conninfo_ours(option->keyword))
        {
            continue;
        }

        keywords[n] = ngx_http_leadq_strdup(cf->pool, option->keyword);
        values[n] = ngx_http_leadq_strdup(cf->pool, option->val);

        if (keywords[n] == NULL || values[n] == NULL) {
            return NGX_CONF_ERROR;
        }

        n++;
    }

    for (i = 0; i < NGX_HTTP_LEADQ_EXTRAS; i++) {
        if (ngx_http_leadq_extras[i].always
            || ngx_http_leadq_hosts_option(given,
                                           ngx_http_leadq_extras[i].keyword)
               == NULL)
        {
            keywords[n] = ngx_http_leadq_extras[i].keyword;
            values[n++] = ngx_http_leadq_extras[i].value;
        }
    }

    database->keywords = keywords;
    database->values = values;

    return ngx_http_leadq_hosts_set(cf, database, given);
}


/* What the module decides itself: where to, and in which encoding. */

static ngx_uint_t
ngx_http_leadq_conninfo_ours(const char *keyword)
{
    return ngx_strcmp(keyword, "host") == 0
           || ngx_strcmp(keyword, "hostaddr") == 0
           || ngx_strcmp(keyword, "port") == 0
           || ngx_strcmp(keyword, "client_encoding") == 0;
}


static char *
ngx_http_leadq_strdup(ngx_pool_t *pool, const char *text)
{
    ngx_str_t  s;

    s.data = (u_char *) text;
    s.len = ngx_strlen(text) + 1;

    return (char *) ngx_pstrdup(pool, &s);
}


ngx_http_leadq_function_t *
ngx_http_leadq_function_get(ngx_conf_t *cf,
    ngx_http_leadq_database_t *database, ngx_str_t *name)
{
    ngx_uint_t                   i;
    ngx_http_leadq_function_t   *function, **slot;

    slot = database->functions.elts;

    for (i = 0; i < database->functions.nelts; i++) {
        if (slot[i]->name.len == name->len
            && ngx_memcmp(slot[i]->name.data, name->data, name->len) == 0)
        {
            return slot[i];
        }
    }

    function = ngx_pcalloc(cf->pool, sizeof(ngx_http_leadq_function_t));
    slot = ngx_array_push(&database->functions);

    if (function == NULL || slot == NULL) {
        return NULL;
    }

    *slot = function;

    function->name = *name;
    function->database = database;
    function->index = database->functions.nelts - 1;
    function->sql = ngx_pnalloc(cf->pool,
                                database->schema.len + name->len + 80);

    if (function->sql == NULL) {
        return NULL;
    }

    ngx_sprintf((u_char *) function->sql,
                "select n, status, headers, body "
                "from %V.web_%V($1::uuid[], $2::text[])%Z",
                &database->schema, name);

    return function;
}


/* leadq_key NAME FILE; */

char *
ngx_http_leadq_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_leadq_main_conf_t  *mcf = conf;

    char                   err[NGX_MAX_ERROR_STR / 2];
    ngx_str_t             *value, path;
    ngx_uint_t             i;
    ngx_pool_cleanup_t    *cln;
    ngx_http_leadq_key_t  *key;

    value = cf->args->elts;
    key = mcf->keys.elts;

    for (i = 0; i < mcf->keys.nelts; i++) {
        if (key[i].name.len == value[1].len
            && ngx_memcmp(key[i].name.data, value[1].data, value[1].len) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate leadq_key \"%V\"", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    path = value[2];

    if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    key = ngx_array_push(&mcf->keys);
    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (key == NULL || cln == NULL) {
        return NGX_CONF_ERROR;
    }

    key->name = value[1];
    key->keys = leadq_keys_load((char *) path.data, err, sizeof(err));

    if (key->keys == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "leadq_key \"%V\": %s", &value[1], err);
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_http_leadq_key_free;
    cln->data = key->keys;

    return NGX_CONF_OK;
}


static void
ngx_http_leadq_key_free(void *data)
{
    leadq_keys_free(data);
}


leadq_keys_t *
ngx_http_leadq_keys_get(ngx_conf_t *cf, ngx_str_t *name,
    const char *directive, ngx_http_leadq_place_t *place)
{
    ngx_uint_t                   i;
    ngx_http_leadq_key_t        *key;
    ngx_http_leadq_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_leadq_module);
    key = mcf->keys.elts;

    for (i = 0; i < mcf->keys.nelts; i++) {
        if (key[i].name.len == name->len
            && ngx_memcmp(key[i].name.data, name->data, name->len) == 0)
        {
            return key[i].keys;
        }
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "unknown key \"%V\" in \"%s\", there is no such "
                  "\"leadq_key\" in %V:%ui", name, directive, &place->file,
                  place->line);

    return NULL;
}
