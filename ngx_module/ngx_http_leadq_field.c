
/*
 * The directive leadq_field: one field, its type and its options.
 *
 * What one directive can know is checked here; what needs the whole location
 * or all of http{} is checked in shape.
 */

#include "ngx_http_leadq.h"


typedef struct {
    ngx_str_t        *name;                     /* of the field */
    leadq_field_t    *field;
    ngx_uint_t        type_options;             /* LEADQ_OPT_* */
    ngx_int_t        *inside;
    ngx_int_t        *about;
    ngx_str_t        *key;
    ngx_str_t         text;                     /* of the option in hand */
} ngx_http_leadq_declared_t;


typedef struct {
    ngx_str_t     name;                         /* with "=" if it has one */
    ngx_uint_t    option;                       /* LEADQ_OPT_*, 0: any type */
    char       *(*set)(ngx_conf_t *cf, ngx_http_leadq_declared_t *declared);
} ngx_http_leadq_field_option_t;


static leadq_type_e ngx_http_leadq_field_type(ngx_str_t *name);
static ngx_int_t ngx_http_leadq_field_push(ngx_conf_t *cf,
    ngx_http_leadq_loc_conf_t *lcf, ngx_http_leadq_declared_t *declared);
static char *ngx_http_leadq_field_options(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared);
static char *ngx_http_leadq_field_option(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared, ngx_str_t *arg);
static char *ngx_http_leadq_field_finish(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared);
static char *ngx_http_leadq_field_together(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared);
static char *ngx_http_leadq_field_required(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared);
static char *ngx_http_leadq_field_min(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared);
static char *ngx_http_leadq_field_max(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared);
static char *ngx_http_leadq_field_alias(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared);
static char *ngx_http_leadq_field_default(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared);
static char *ngx_http_leadq_field_values(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared);
static char *ngx_http_leadq_field_from(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared);
static char *ngx_http_leadq_field_key(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared);
static char *ngx_http_leadq_field_purpose(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared);
static char *ngx_http_leadq_field_mac(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared);
static char *ngx_http_leadq_field_for(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared);
static char *ngx_http_leadq_field_variable(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared, const char *option,
    ngx_int_t *index);
static char *ngx_http_leadq_field_depth(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared);
static char *ngx_http_leadq_number(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared, const char *option, ngx_str_t *text,
    int64_t *number);
static char *ngx_http_leadq_length(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared, const char *option, ngx_str_t *text,
    size_t *length);


static ngx_http_leadq_field_option_t  ngx_http_leadq_field_table[] = {
    { ngx_string("required"), 0, ngx_http_leadq_field_required },
    { ngx_string("min="), LEADQ_OPT_MIN, ngx_http_leadq_field_min },
    { ngx_string("max="), LEADQ_OPT_MAX, ngx_http_leadq_field_max },
    { ngx_string("depth="), LEADQ_OPT_DEPTH, ngx_http_leadq_field_depth },
    { ngx_string("alias="), 0, ngx_http_leadq_field_alias },
    { ngx_string("default="), 0, ngx_http_leadq_field_default },
    { ngx_string("values="), LEADQ_OPT_VALUES, ngx_http_leadq_field_values },
    { ngx_string("from="), 0, ngx_http_leadq_field_from },
    { ngx_string("key="), LEADQ_OPT_KEY, ngx_http_leadq_field_key },
    { ngx_string("purpose="), LEADQ_OPT_KEY, ngx_http_leadq_field_purpose },
    { ngx_string("mac="), LEADQ_OPT_MAC, ngx_http_leadq_field_mac },
    { ngx_string("for="), LEADQ_OPT_MAC, ngx_http_leadq_field_for },
    { ngx_null_string, 0, NULL }
};


/* leadq_field NAME TYPE [option ...]; */

char *
ngx_http_leadq_field(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_leadq_loc_conf_t  *lcf = conf;

    ngx_str_t                  *value;
    leadq_str_t                 name;
    leadq_type_e                type;
    ngx_http_leadq_declared_t   declared;

    value = cf->args->elts;

    ngx_http_leadq_place(cf, &lcf->place);

    if (!ngx_http_leadq_is_name(&value[1])) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" in \"leadq_field\": "
                           "a letter a-z, then up to 62 of a-z, 0-9 and _",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    name.len = value[1].len;
    name.data = (char *) value[1].data;

    if (ngx_http_leadq_taken(lcf, &name)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate name \"%V\" in \"leadq_field\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    type = ngx_http_leadq_field_type(&value[2]);

    if (type == LEADQ_TYPES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown type \"%V\" of leadq_field \"%V\", "
                           "there are email, phone, digits, token, text, "
                           "bool, uuid, enum, signed, int, date, url, promo, "
                           "json, list and body",
                           &value[2], &value[1]);
        return NGX_CONF_ERROR;
    }

    if (lcf->fields && lcf->fields->nelts == LEADQ_FIELDS_MAX) {
        return "is one field too many, 64 are the limit";
    }

    if (ngx_http_leadq_field_push(cf, lcf, &declared) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    declared.name = &value[1];
    declared.type_options = leadq_types[type].options;

    declared.field->name = name;
    declared.field->rule.type = type;
    declared.field->rule.max = leadq_types[type].max_default;
    declared.field->rule.least = INT64_MIN;
    declared.field->rule.most = INT64_MAX;
    declared.field->rule.depth = type == LEADQ_TYPE_BODY
                                 ? LEADQ_DEPTH_BODY : LEADQ_DEPTH_DEFAULT;

    return ngx_http_leadq_field_options(cf, &declared);
}


/* LEADQ_TYPES: there is no such type. */

static leadq_type_e
ngx_http_leadq_field_type(ngx_str_t *name)
{
    leadq_type_e  type;

    for (type = 0; type < LEADQ_TYPES; type++) {
        if (ngx_strcmp(name->data, leadq_types[type].name) == 0) {
            break;
        }
    }

    return type;
}


/* The four arrays grow together. */

static ngx_int_t
ngx_http_leadq_field_push(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *lcf,
    ngx_http_leadq_declared_t *declared)
{
    if (lcf->fields == NULL) {
        lcf->fields = ngx_array_create(cf->pool, 8, sizeof(leadq_field_t));
        lcf->inside = ngx_array_create(cf->pool, 8, sizeof(ngx_int_t));
        lcf->about = ngx_array_create(cf->pool, 8, sizeof(ngx_int_t));
        lcf->keys = ngx_array_create(cf->pool, 8, sizeof(ngx_str_t));

        if (lcf->fields == NULL || lcf->inside == NULL || lcf->about == NULL
            || lcf->keys == NULL)
        {
            return NGX_ERROR;
        }
    }

    declared->field = ngx_array_push(lcf->fields);
    declared->inside = ngx_array_push(lcf->inside);
    declared->about = ngx_array_push(lcf->about);
    declared->key = ngx_array_push(lcf->keys);

    if (declared->field == NULL || declared->inside == NULL
        || declared->about == NULL || declared->key == NULL)
    {
        return NGX_ERROR;
    }

    ngx_memzero(declared->field, sizeof(leadq_field_t));
    ngx_str_null(declared->key);

    *declared->inside = NGX_ERROR;
    *declared->about = NGX_ERROR;

    return NGX_OK;
}


static char *
ngx_http_leadq_field_options(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 3; i < cf->args->nelts; i++) {
        if (ngx_http_leadq_field_option(cf, declared, &value[i])
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_leadq_field_finish(cf, declared);
}


static char *
ngx_http_leadq_field_option(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared, ngx_str_t *arg)
{
    ngx_str_t                      *text;
    ngx_http_leadq_field_option_t  *option;

    text = &declared->text;

    for (option = ngx_http_leadq_field_table; option->set; option++) {

        if (arg->len < option->name.len
            || ngx_strncmp(arg->data, option->name.data, option->name.len)
               != 0)
        {
            continue;
        }

        text->data = arg->data + option->name.len;
        text->len = arg->len - option->name.len;

        if (option->name.data[option->name.len - 1] == '=') {
            if (text->len == 0) {
                break;
            }

        } else if (text->len) {
            continue;
        }

        if (option->option && !(declared->type_options & option->option)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "leadq_field \"%V\" cannot have \"%V\", its "
                               "type is \"%s\"", declared->name, arg,
                               leadq_types[declared->field->rule.type].name);
            return NGX_CONF_ERROR;
        }

        return option->set(cf, declared);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" of leadq_field \"%V\"", arg,
                       declared->name);

    return NGX_CONF_ERROR;
}


/* What needs several options at once. */

static char *
ngx_http_leadq_field_finish(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared)
{
    leadq_code_e          code;
    leadq_rule_t         *rule;
    leadq_field_t        *field;
    static leadq_value_t  value;

    field = declared->field;
    rule = &field->rule;

    if (rule->min > rule->max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "leadq_field \"%V\" has min=%uz above max=%uz",
                           declared->name, rule->min, rule->max);
        return NGX_CONF_ERROR;
    }

    if (rule->least > rule->most) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "leadq_field \"%V\" has min=%L above max=%L",
                           declared->name, rule->least, rule->most);
        return NGX_CONF_ERROR;
    }

    if (rule->type == LEADQ_TYPE_ENUM && rule->nvalues == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "leadq_field \"%V\" of type \"enum\" needs "
                           "\"values=\"", declared->name);
        return NGX_CONF_ERROR;
    }

    if (ngx_http_leadq_field_together(cf, declared) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (field->fallback.len == 0) {
        return NGX_CONF_OK;
    }

    code = rule->type == LEADQ_TYPE_SIGNED
           ? LEADQ_LINK_MALFORMED
           : leadq_type_check(rule, field->fallback.data, field->fallback.len,
                              ngx_time(), &value);

    if (code != LEADQ_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "default of leadq_field \"%V\" %s",
                           declared->name, leadq_code_detail(code));
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* Options that need each other, and those that exclude each other. */

static char *
ngx_http_leadq_field_together(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared)
{
    leadq_rule_t   *rule;
    leadq_field_t  *field;

    field = declared->field;
    rule = &field->rule;

    if (rule->type == LEADQ_TYPE_SIGNED
        && (declared->key->len == 0 || rule->purpose == NULL))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "leadq_field \"%V\" of type \"signed\" needs "
                           "\"key=\" and \"purpose=\"", declared->name);
        return NGX_CONF_ERROR;
    }

    if (field->mac != (*declared->about != NGX_ERROR)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "leadq_field \"%V\" needs both \"mac=\" and "
                           "\"for=\" or none of them", declared->name);
        return NGX_CONF_ERROR;
    }

    if (rule->type == LEADQ_TYPE_BODY
        && (field->inside || field->naliases || field->fallback.len))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "leadq_field \"%V\" of type \"body\" cannot have "
                           "\"from=\", \"alias=\" or \"default=\"",
                           declared->name);
        return NGX_CONF_ERROR;
    }

    if (field->inside && field->naliases) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "leadq_field \"%V\" cannot have both \"from=\" "
                           "and \"alias=\"", declared->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_field_required(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared)
{
    declared->field->required = 1;

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_field_min(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared)
{
    if (declared->type_options & LEADQ_OPT_RANGE) {
        return ngx_http_leadq_number(cf, declared, "min", &declared->text,
                                     &declared->field->rule.least);
    }

    return ngx_http_leadq_length(cf, declared, "min", &declared->text,
                                 &declared->field->rule.min);
}


static char *
ngx_http_leadq_field_max(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared)
{
    if (declared->type_options & LEADQ_OPT_RANGE) {
        return ngx_http_leadq_number(cf, declared, "max", &declared->text,
                                     &declared->field->rule.most);
    }

    return ngx_http_leadq_length(cf, declared, "max", &declared->text,
                                 &declared->field->rule.max);
}


static char *
ngx_http_leadq_field_depth(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared)
{
    ngx_int_t  n;

    n = ngx_atoi(declared->text.data, declared->text.len);

    if (n < 1 || n > LEADQ_DEPTH_LIMIT) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"depth=%V\" of leadq_field \"%V\", "
                           "allowed is 1..%d", &declared->text,
                           declared->name, LEADQ_DEPTH_LIMIT);
        return NGX_CONF_ERROR;
    }

    declared->field->rule.depth = (size_t) n;

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_number(ngx_conf_t *cf, ngx_http_leadq_declared_t *declared,
    const char *option, ngx_str_t *text, int64_t *number)
{
    if (leadq_int_read((char *) text->data, text->len, number) != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%s=%V\" of leadq_field \"%V\", allowed "
                           "is %L..%L", option, text, declared->name,
                           INT64_MIN, INT64_MAX);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_length(ngx_conf_t *cf, ngx_http_leadq_declared_t *declared,
    const char *option, ngx_str_t *text, size_t *length)
{
    size_t     limit;
    ngx_int_t  n;

    limit = leadq_types[declared->field->rule.type].max_limit;
    n = ngx_atoi(text->data, text->len);

    if (n < 1 || (size_t) n > limit) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%s=%V\" of leadq_field \"%V\", allowed "
                           "is 1..%uz", option, text, declared->name, limit);
        return NGX_CONF_ERROR;
    }

    *length = (size_t) n;

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_field_alias(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared)
{
    ngx_uint_t    i, k;
    ngx_array_t  *list;
    leadq_str_t  *alias;

    list = ngx_http_leadq_list(cf, &declared->text);
    if (list == NULL) {
        return NGX_CONF_ERROR;
    }

    alias = list->elts;

    for (i = 0; i < list->nelts; i++) {

        for (k = 0; k < alias[i].len; k++) {
            if (alias[i].data[k] <= 0x20 || alias[i].data[k] >= 0x7f) {
                break;
            }
        }

        if (k == 0 || k < alias[i].len || k > LEADQ_NAME_MAX) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid alias \"%*s\" of leadq_field \"%V\": "
                               "1..64 printable ASCII characters",
                               alias[i].len, alias[i].data, declared->name);
            return NGX_CONF_ERROR;
        }
    }

    declared->field->aliases = alias;
    declared->field->naliases = list->nelts;

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_field_default(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared)
{
    declared->field->fallback.len = declared->text.len;
    declared->field->fallback.data = (char *) declared->text.data;

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_field_values(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared)
{
    ngx_uint_t    i;
    ngx_array_t  *list;
    leadq_str_t  *item;

    list = ngx_http_leadq_list(cf, &declared->text);
    if (list == NULL) {
        return NGX_CONF_ERROR;
    }

    item = list->elts;

    for (i = 0; i < list->nelts; i++) {

        if (item[i].len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "leadq_field \"%V\" has an empty value in "
                               "\"values=%V\"", declared->name,
                               &declared->text);
            return NGX_CONF_ERROR;
        }

        if (declared->field->rule.type == LEADQ_TYPE_PHONE
            && !leadq_phone_country(item[i].data, item[i].len))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown country \"%*s\" of leadq_field "
                               "\"%V\", there are ru, kz, by, ua, md, am, az, "
                               "ge, kg, tj and uz",
                               item[i].len, item[i].data, declared->name);
            return NGX_CONF_ERROR;
        }
    }

    declared->field->rule.values = item;
    declared->field->rule.nvalues = list->nelts;

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_field_from(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared)
{
    declared->field->inside = 1;

    return ngx_http_leadq_field_variable(cf, declared, "from",
                                         declared->inside);
}


static char *
ngx_http_leadq_field_mac(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared)
{
    declared->field->mac = 1;
    *declared->key = declared->text;

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_field_for(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared)
{
    return ngx_http_leadq_field_variable(cf, declared, "for",
                                         declared->about);
}


static char *
ngx_http_leadq_field_variable(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared, const char *option,
    ngx_int_t *index)
{
    ngx_str_t  name;

    if (declared->text.len < 2 || declared->text.data[0] != '$') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%s=%V\" of leadq_field \"%V\", it "
                           "names one variable, as in \"%s=$arg_id\"",
                           option, &declared->text, declared->name, option);
        return NGX_CONF_ERROR;
    }

    name.data = declared->text.data + 1;
    name.len = declared->text.len - 1;

    *index = ngx_http_get_variable_index(cf, &name);

    return *index == NGX_ERROR ? NGX_CONF_ERROR : NGX_CONF_OK;
}


static char *
ngx_http_leadq_field_key(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared)
{
    *declared->key = declared->text;

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_field_purpose(ngx_conf_t *cf,
    ngx_http_leadq_declared_t *declared)
{
    if (!ngx_http_leadq_is_name(&declared->text)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"purpose=%V\" of leadq_field \"%V\": "
                           "a letter a-z, then up to 62 of a-z, 0-9 and _",
                           &declared->text, declared->name);
        return NGX_CONF_ERROR;
    }

    /* arguments of directives have terminators */

    declared->field->rule.purpose = (char *) declared->text.data;

    return NGX_CONF_OK;
}
