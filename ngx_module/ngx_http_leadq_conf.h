
/*
 * What reads the configuration: directives, and the end of a location.
 * Included by ngx_http_leadq.h.
 */

#ifndef NGX_HTTP_LEADQ_CONF_H_INCLUDED
#define NGX_HTTP_LEADQ_CONF_H_INCLUDED


/*
 * database: the directives leadq_database and leadq_key.
 */

char *ngx_http_leadq_database(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_leadq_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* The keys of that name, or NULL after having logged the mistake. */
leadq_keys_t *ngx_http_leadq_keys_get(ngx_conf_t *cf, ngx_str_t *name,
    const char *directive, ngx_http_leadq_place_t *place);

/* Finds or makes the function that a location calls; NULL: no memory. */
ngx_http_leadq_function_t *ngx_http_leadq_function_get(ngx_conf_t *cf,
    ngx_http_leadq_database_t *database, ngx_str_t *name);


/*
 * hosts: which hosts a conninfo names, and their addresses.
 */

/* The value of an option, or NULL if it is absent or empty. */
const char *ngx_http_leadq_hosts_option(PQconninfoOption *given,
    const char *keyword);

/* Finds files that libpq could not use; returns as a directive's handler. */
char *ngx_http_leadq_files_check(ngx_conf_t *cf, PQconninfoOption *given);

/* Fills database->hosts; returns what a directive's handler returns. */
char *ngx_http_leadq_hosts_set(ngx_conf_t *cf,
    ngx_http_leadq_database_t *database, PQconninfoOption *given);

/* Decides who resolves names, once all of http{} is known. */
ngx_int_t ngx_http_leadq_database_hosts(ngx_conf_t *cf,
    ngx_http_leadq_database_t *database);


/*
 * field: the directive leadq_field.
 */

char *ngx_http_leadq_field(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


/*
 * shape: the directives leadq_set and leadq_invalid, and the shape of a
 * location.
 */

char *ngx_http_leadq_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_leadq_invalid(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* Fills lcf->shape at the end of the location. */
char *ngx_http_leadq_shape(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *lcf);

/* Returns 1 if a field or a set value of the location has the name. */
ngx_uint_t ngx_http_leadq_taken(ngx_http_leadq_loc_conf_t *lcf,
    leadq_str_t *name);

/* The field that is declared under the name, or NULL. */
leadq_field_t *ngx_http_leadq_shape_find(ngx_http_leadq_loc_conf_t *lcf,
    u_char *data, size_t len);

/* Remembers the place of a directive if it is the first. */
void ngx_http_leadq_place(ngx_conf_t *cf, ngx_http_leadq_place_t *place);

/* Returns 1 for [a-z][a-z0-9_]{0,62}. */
ngx_uint_t ngx_http_leadq_is_name(ngx_str_t *name);

/* Splits "a,b"; returns an array of leadq_str_t or NULL (no memory). */
ngx_array_t *ngx_http_leadq_list(ngx_conf_t *cf, ngx_str_t *text);


#endif /* NGX_HTTP_LEADQ_CONF_H_INCLUDED */
