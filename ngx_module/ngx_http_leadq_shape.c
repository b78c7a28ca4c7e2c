
/*
 * The directives leadq_set and leadq_invalid, and how all that a location
 * declares becomes its shape, once http{} is complete.
 *
 * Errors that show so late name the place that was remembered.
 */

#include "ngx_http_leadq.h"


static char *ngx_http_leadq_shape_body(ngx_conf_t *cf,
    ngx_http_leadq_loc_conf_t *lcf);
static char *ngx_http_leadq_shape_names(ngx_conf_t *cf,
    ngx_http_leadq_loc_conf_t *lcf);
static ngx_uint_t ngx_http_leadq_among(const leadq_str_t *one,
    const leadq_str_t *list, ngx_uint_t n);
static char *ngx_http_leadq_shape_keys(ngx_conf_t *cf,
    ngx_http_leadq_loc_conf_t *lcf);
static char *ngx_http_leadq_shape_macs(ngx_conf_t *cf,
    ngx_http_leadq_loc_conf_t *lcf);
static char *ngx_http_leadq_shape_invalid(ngx_conf_t *cf,
    ngx_http_leadq_loc_conf_t *lcf);


/* leadq_set NAME VALUE; */

char *
ngx_http_leadq_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_leadq_loc_conf_t  *lcf = conf;

    ngx_str_t                         *value;
    leadq_str_t                        name, *slot;
    ngx_http_complex_value_t          *cv;
    ngx_http_compile_complex_value_t   ccv;

    value = cf->args->elts;

    ngx_http_leadq_place(cf, &lcf->place);

    if (!ngx_http_leadq_is_name(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" in \"leadq_set\": "
                           "a letter a-z, then up to 62 of a-z, 0-9 and _",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    name.len = value[1].len;
    name.data = (char *) value[1].data;

    if (ngx_http_leadq_taken(lcf, &name)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate name \"%V\" in \"leadq_set\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    if (lcf->sets == NULL) {
        lcf->sets = ngx_array_create(cf->pool, 4, sizeof(leadq_str_t));
        lcf->values = ngx_array_create(cf->pool, 4,
                                       sizeof(ngx_http_complex_value_t));

        if (lcf->sets == NULL || lcf->values == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (lcf->sets->nelts == LEADQ_FIELDS_MAX) {
        return "is one value too many, 64 are the limit";
    }

    slot = ngx_array_push(lcf->sets);
    cv = ngx_array_push(lcf->values);

    if (slot == NULL || cv == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = name;

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[2];
    ccv.complex_value = cv;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* leadq_invalid reject | pass if=FIELD [only=f1,f2]; */

char *
ngx_http_leadq_invalid(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_leadq_loc_conf_t  *lcf = conf;

    ngx_str_t   *value, list;
    ngx_uint_t   i;

    if (lcf->invalid) {
        return "is duplicate";
    }

    value = cf->args->elts;

    ngx_http_leadq_place(cf, &lcf->place);
    ngx_http_leadq_place(cf, &lcf->invalid_place);

    if (ngx_strcmp(value[1].data, "reject") == 0 && cf->args->nelts == 2) {
        lcf->invalid = 1;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "pass") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"leadq_invalid %V\", it is \"reject\" or "
                           "\"pass if=FIELD [only=FIELD,FIELD]\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    lcf->invalid = 2;

    for (i = 2; i < cf->args->nelts; i++) {

        if (value[i].len > 3 && ngx_strncmp(value[i].data, "if=", 3) == 0) {
            lcf->pass_if.data = value[i].data + 3;
            lcf->pass_if.len = value[i].len - 3;
            continue;
        }

        if (value[i].len > 5 && ngx_strncmp(value[i].data, "only=", 5) == 0) {
            list.data = value[i].data + 5;
            list.len = value[i].len - 5;
            lcf->only = ngx_http_leadq_list(cf, &list);

            if (lcf->only == NULL) {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" of \"leadq_invalid\"",
                           &value[i]);
        return NGX_CONF_ERROR;
    }

    if (lcf->pass_if.len == 0) {
        return "pass needs \"if=FIELD\"";
    }

    return NGX_CONF_OK;
}


/* The location is complete: fills lcf->shape. */

char *
ngx_http_leadq_shape(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *lcf)
{
    leadq_shape_t  *shape;

    shape = &lcf->shape;

    if (lcf->fields) {
        shape->fields = lcf->fields->elts;
        shape->nfields = lcf->fields->nelts;
    }

    if (lcf->sets) {
        shape->sets = lcf->sets->elts;
        shape->nsets = lcf->sets->nelts;
    }

    if (ngx_http_leadq_shape_body(cf, lcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (lcf->args == 2 && !lcf->takes_body) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "location has \"leadq_args on\", but no "
                      "\"leadq_field\" that a client fills in %V:%ui",
                      &lcf->place.file, lcf->place.line);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_leadq_shape_names(cf, lcf) != NGX_CONF_OK
        || ngx_http_leadq_shape_keys(cf, lcf) != NGX_CONF_OK
        || ngx_http_leadq_shape_macs(cf, lcf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_http_leadq_shape_invalid(cf, lcf);
}


/* What the body is for: fields, one list of them if it is an array, or all. */

static char *
ngx_http_leadq_shape_body(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *lcf)
{
    ngx_uint_t      i, n;
    leadq_field_t  *field;

    field = lcf->fields ? lcf->fields->elts : NULL;
    n = 0;

    for (i = 0; i < lcf->shape.nfields; i++) {
        if (field[i].inside) {
            continue;
        }

        n++;
        lcf->takes_body = 1;

        if (field[i].rule.type == LEADQ_TYPE_BODY) {
            lcf->shape.whole = &field[i];
        }

        if (field[i].rule.type != LEADQ_TYPE_LIST) {
            continue;
        }

        if (lcf->list) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "location has more than one \"leadq_field\" of "
                          "type \"list\" that a client fills in %V:%ui",
                          &lcf->place.file, lcf->place.line);
            return NGX_CONF_ERROR;
        }

        lcf->list = &field[i].name;
    }

    if (lcf->shape.whole && (n > 1 || lcf->guard.honeypot.len
                             || lcf->guard.check.key.len))
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "location has a \"leadq_field\" of type \"body\", so "
                      "there is no other one that a client fills, nor a trap "
                      "in %V:%ui", &lcf->place.file, lcf->place.line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* An alias must not be what another field or alias is called. */

static char *
ngx_http_leadq_shape_names(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *lcf)
{
    ngx_uint_t           i, k, other, n;
    leadq_field_t       *field;
    const leadq_str_t   *alias, *name;

    field = lcf->fields ? lcf->fields->elts : NULL;

    for (i = 0; i < lcf->shape.nfields; i++) {
        for (k = 0; k < field[i].naliases; k++) {
            alias = &field[i].aliases[k];

            for (other = 0; other <= i; other++) {

                name = &field[other].name;
                n = other == i ? k : field[other].naliases;

                if (ngx_http_leadq_among(alias, name, 1)
                    || ngx_http_leadq_among(alias, field[other].aliases, n))
                {
                    goto taken;
                }
            }

            for (other = i + 1; other < lcf->shape.nfields; other++) {
                if (ngx_http_leadq_among(alias, &field[other].name, 1)) {
                    goto taken;
                }
            }

            if (ngx_http_leadq_among(alias, lcf->shape.sets,
                                     lcf->shape.nsets))
            {
                goto taken;
            }
        }
    }

    return NGX_CONF_OK;

taken:

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "alias \"%*s\" of leadq_field \"%*s\" is the name or an "
                  "alias of another one in %V:%ui", alias->len, alias->data,
                  field[i].name.len, field[i].name.data,
                  &lcf->place.file, lcf->place.line);

    return NGX_CONF_ERROR;
}


static ngx_uint_t
ngx_http_leadq_among(const leadq_str_t *one, const leadq_str_t *list,
    ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        if (list[i].len == one->len
            && ngx_memcmp(list[i].data, one->data, one->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static char *
ngx_http_leadq_shape_keys(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *lcf)
{
    ngx_str_t                   *name;
    ngx_uint_t                   i, k;
    leadq_field_t               *field;
    ngx_http_leadq_key_t        *key;
    ngx_http_leadq_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_leadq_module);
    key = mcf->keys.elts;

    for (i = 0; i < lcf->shape.nfields; i++) {
        field = (leadq_field_t *) lcf->fields->elts + i;
        name = (ngx_str_t *) lcf->keys->elts + i;

        if (name->len == 0) {
            continue;
        }

        for (k = 0; k < mcf->keys.nelts; k++) {
            if (key[k].name.len == name->len
                && ngx_memcmp(key[k].name.data, name->data, name->len) == 0)
            {
                field->rule.keys = key[k].keys;
            }
        }

        if (field->rule.keys == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "unknown key \"%V\" of leadq_field \"%*s\", there "
                          "is no such \"leadq_key\" in %V:%ui", name,
                          field->name.len, field->name.data,
                          &lcf->place.file, lcf->place.line);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* What must not be read later must not be in a log. */

static char *
ngx_http_leadq_shape_macs(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *lcf)
{
    ngx_uint_t      i;
    leadq_field_t  *field;

    for (i = 0; i < lcf->shape.nfields; i++) {
        field = (leadq_field_t *) lcf->fields->elts + i;

        if (!field->mac || field->inside) {
            continue;
        }

        if (lcf->args == 2) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "leadq_field \"%*s\" has \"mac=\", so it must not "
                          "come from the query, but its location has "
                          "\"leadq_args on\" in %V:%ui", field->name.len,
                          field->name.data, &lcf->place.file,
                          lcf->place.line);
            return NGX_CONF_ERROR;
        }

        lcf->wipes = 1;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_shape_invalid(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *lcf)
{
    ngx_str_t       missing;
    ngx_uint_t      i;
    leadq_str_t    *only;
    leadq_field_t  *field, *condition;

    if (lcf->invalid != 2) {
        return NGX_CONF_OK;
    }

    missing = lcf->pass_if;
    condition = ngx_http_leadq_shape_find(lcf, missing.data, missing.len);

    if (condition == NULL) {
        goto unknown;
    }

    lcf->shape.pass_if = condition;

    if (lcf->only == NULL) {
        for (i = 0; i < lcf->shape.nfields; i++) {
            field = (leadq_field_t *) lcf->fields->elts + i;
            field->passes = field != condition;
        }

        return NGX_CONF_OK;
    }

    only = lcf->only->elts;

    for (i = 0; i < lcf->only->nelts; i++) {
        missing.data = (u_char *) only[i].data;
        missing.len = only[i].len;

        field = ngx_http_leadq_shape_find(lcf, missing.data, missing.len);

        if (field == NULL || field == condition) {
            goto unknown;
        }

        field->passes = 1;
    }

    return NGX_CONF_OK;

unknown:

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"leadq_invalid\" names \"%V\", which is no other "
                  "\"leadq_field\" of its location in %V:%ui", &missing,
                  &lcf->invalid_place.file, lcf->invalid_place.line);

    return NGX_CONF_ERROR;
}


leadq_field_t *
ngx_http_leadq_shape_find(ngx_http_leadq_loc_conf_t *lcf, u_char *data,
    size_t len)
{
    ngx_uint_t      i;
    leadq_field_t  *field;

    for (i = 0; i < lcf->shape.nfields; i++) {
        field = (leadq_field_t *) lcf->fields->elts + i;

        if (field->name.len == len
            && ngx_memcmp(field->name.data, data, len) == 0)
        {
            return field;
        }
    }

    return NULL;
}


/* Fields and set values share one space of names: the keys of the row. */

ngx_uint_t
ngx_http_leadq_taken(ngx_http_leadq_loc_conf_t *lcf, leadq_str_t *name)
{
    ngx_uint_t      i;
    leadq_field_t  *field;

    if (lcf->fields) {
        field = lcf->fields->elts;

        for (i = 0; i < lcf->fields->nelts; i++) {
            if (ngx_http_leadq_among(name, &field[i].name, 1)) {
                return 1;
            }
        }
    }

    return lcf->sets
           && ngx_http_leadq_among(name, lcf->sets->elts, lcf->sets->nelts);
}


void
ngx_http_leadq_place(ngx_conf_t *cf, ngx_http_leadq_place_t *place)
{
    if (place->line == 0 && cf->conf_file) {
        place->file = cf->conf_file->file.name;
        place->line = cf->conf_file->line;
    }
}


ngx_uint_t
ngx_http_leadq_is_name(ngx_str_t *name)
{
    size_t  i;
    u_char  c;

    if (name->len == 0 || name->len > 63) {
        return 0;
    }

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (c >= 'a' && c <= 'z') {
            continue;
        }

        if (i == 0 || ((c < '0' || c > '9') && c != '_')) {
            return 0;
        }
    }

    return 1;
}


ngx_array_t *
ngx_http_leadq_list(ngx_conf_t *cf, ngx_str_t *text)
{
    u_char       *p, *end, *comma;
    ngx_array_t  *list;
    leadq_str_t  *item;

    list = ngx_array_create(cf->pool, 4, sizeof(leadq_str_t));
    if (list == NULL) {
        return NULL;
    }

    end = text->data + text->len;

    for (p = text->data; p <= end; p = comma + 1) {

        comma = ngx_strlchr(p, end, ',');
        if (comma == NULL) {
            comma = end;
        }

        item = ngx_array_push(list);
        if (item == NULL) {
            return NULL;
        }

        item->data = (char *) p;
        item->len = comma - p;
    }

    return list;
}
