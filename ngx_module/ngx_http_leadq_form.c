
/*
 * Traps for robots: the directives leadq_honeypot, leadq_form_token and
 * leadq_form_check, and the location that issues tokens.
 */

#include "ngx_http_leadq.h"

#include "leadq_trap.h"


#define NGX_HTTP_LEADQ_FORM_FIELD  "form_token"
#define NGX_HTTP_LEADQ_FORM_ONCE   (24 * 3600 * 1000)


typedef struct {
    ngx_str_t    name;                          /* with "=" */
    size_t       offset;
    ngx_msec_t   min;
    ngx_msec_t   max;
    const char  *range;
} ngx_http_leadq_age_t;


static char *ngx_http_leadq_form_options(ngx_conf_t *cf,
    ngx_http_leadq_form_t *form, ngx_uint_t checks);
static char *ngx_http_leadq_form_option(ngx_conf_t *cf,
    ngx_http_leadq_form_t *form, ngx_str_t *arg, ngx_uint_t checks);
static char *ngx_http_leadq_form_age(ngx_conf_t *cf,
    ngx_http_leadq_form_t *form, ngx_http_leadq_age_t *age, ngx_str_t *arg);
static char *ngx_http_leadq_form_name(ngx_conf_t *cf, ngx_str_t *name,
    const char *directive);
static char *ngx_http_leadq_form_taken(ngx_conf_t *cf,
    ngx_http_leadq_loc_conf_t *lcf, ngx_str_t *name);


static ngx_http_leadq_age_t  ngx_http_leadq_ages[] = {
    { ngx_string("min="), offsetof(ngx_http_leadq_form_t, min),
      0, 3600 * 1000, "0s..1h" },
    { ngx_string("max="), offsetof(ngx_http_leadq_form_t, max),
      1000, LEADQ_FORM_TOKEN_MAX_MS, "1s..7d" },
};


/* leadq_honeypot FIELD; */

char *
ngx_http_leadq_honeypot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_leadq_loc_conf_t  *lcf = conf;

    ngx_str_t  *value;

    if (lcf->guard.honeypot.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    ngx_http_leadq_place(cf, &lcf->place);

    lcf->guard.honeypot = value[1];

    return ngx_http_leadq_form_name(cf, &value[1], "leadq_honeypot");
}


/* leadq_form_check key=NAME [field=form_token] [min=3s] [max=2h] [once]; */

char *
ngx_http_leadq_form_check(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_leadq_loc_conf_t  *lcf = conf;

    if (lcf->guard.check.key.len) {
        return "is duplicate";
    }

    ngx_http_leadq_place(cf, &lcf->place);
    ngx_str_set(&lcf->guard.check.field, NGX_HTTP_LEADQ_FORM_FIELD);

    return ngx_http_leadq_form_options(cf, &lcf->guard.check, 1);
}


/* leadq_form_token key=NAME [min=3s] [max=2h]; */

char *
ngx_http_leadq_form_token(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_leadq_loc_conf_t  *lcf = conf;

    ngx_http_core_loc_conf_t  *clcf;

    if (lcf->guard.issue.key.len) {
        return "is duplicate";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_leadq_form_token_handler;

    return ngx_http_leadq_form_options(cf, &lcf->guard.issue, 0);
}


static char *
ngx_http_leadq_form_options(ngx_conf_t *cf, ngx_http_leadq_form_t *form,
    ngx_uint_t checks)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    ngx_http_leadq_place(cf, &form->place);

    form->min = 3000;
    form->max = 2 * 3600 * 1000;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_leadq_form_option(cf, form, &value[i], checks)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (form->key.len == 0) {
        return "needs \"key=NAME\"";
    }

    if (form->min >= form->max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" has min=%Mms, not below max=%Mms",
                           &value[0], form->min, form->max);
        return NGX_CONF_ERROR;
    }

    /* who remembers what was sent may forget it after that */

    if (form->once && form->max > NGX_HTTP_LEADQ_FORM_ONCE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" has \"once\" and max=%Mms, above 1d",
                           &value[0], form->max);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_leadq_form_option(ngx_conf_t *cf, ngx_http_leadq_form_t *form,
    ngx_str_t *arg, ngx_uint_t checks)
{
    ngx_str_t             *value;
    ngx_uint_t             i;
    ngx_http_leadq_age_t  *age;

    value = cf->args->elts;

    if (arg->len > 4 && ngx_strncmp(arg->data, "key=", 4) == 0) {
        form->key.data = arg->data + 4;
        form->key.len = arg->len - 4;
        return NGX_CONF_OK;
    }

    if (checks && arg->len > 6 && ngx_strncmp(arg->data, "field=", 6) == 0) {
        form->field.data = arg->data + 6;
        form->field.len = arg->len - 6;
        return ngx_http_leadq_form_name(cf, &form->field, "leadq_form_check");
    }

    if (checks && arg->len == 4 && ngx_strncmp(arg->data, "once", 4) == 0) {
        form->once = 1;
        return NGX_CONF_OK;
    }

    for (i = 0; i < sizeof(ngx_http_leadq_ages) / sizeof(*age); i++) {
        age = &ngx_http_leadq_ages[i];

        if (arg->len > age->name.len
            && ngx_strncmp(arg->data, age->name.data, age->name.len) == 0)
        {
            return ngx_http_leadq_form_age(cf, form, age, arg);
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" of \"%V\"", arg, &value[0]);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_leadq_form_age(ngx_conf_t *cf, ngx_http_leadq_form_t *form,
    ngx_http_leadq_age_t *age, ngx_str_t *arg)
{
    u_char      last;
    ngx_int_t   ms;
    ngx_str_t   text, *value;

    value = cf->args->elts;

    text.data = arg->data + age->name.len;
    text.len = arg->len - age->name.len;
    last = text.data[text.len - 1];

    if (last >= '0' && last <= '9') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" of \"%V\" has no unit, allowed is %s", arg,
                           &value[0], age->range);
        return NGX_CONF_ERROR;
    }

    ms = ngx_parse_time(&text, 0);

    if (ms == NGX_ERROR || (ngx_msec_t) ms < age->min
        || (ngx_msec_t) ms > age->max)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"%V\", allowed is %s",
                           arg, &value[0], age->range);
        return NGX_CONF_ERROR;
    }

    *(ngx_msec_t *) ((u_char *) form + age->offset) = (ngx_msec_t) ms;

    return NGX_CONF_OK;
}


/* Pages need a name that a field may have, with capitals and "-" as well. */

static char *
ngx_http_leadq_form_name(ngx_conf_t *cf, ngx_str_t *name,
    const char *directive)
{
    size_t  i;

    for (i = 0; i < name->len; i++) {
        if (name->data[i] <= 0x20 || name->data[i] >= 0x7f) {
            break;
        }
    }

    if (i == 0 || i < name->len || i > LEADQ_NAME_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name \"%V\" in \"%s\": 1..64 printable "
                           "ASCII characters", name, directive);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_leadq_form_end(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *lcf)
{
    ngx_http_leadq_form_t  *check;

    check = &lcf->guard.check;

    if (lcf->guard.honeypot.len) {
        lcf->takes_body = 1;

        if (ngx_http_leadq_form_taken(cf, lcf, &lcf->guard.honeypot)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (check->key.len == 0) {
        return NGX_CONF_OK;
    }

    lcf->takes_body = 1;
    check->keys = ngx_http_leadq_keys_get(cf, &check->key, "leadq_form_check",
                                          &check->place);
    if (check->keys == NULL) {
        return NGX_CONF_ERROR;
    }

    if (lcf->guard.honeypot.len == check->field.len
        && ngx_memcmp(lcf->guard.honeypot.data, check->field.data,
                      check->field.len)
           == 0)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"leadq_honeypot\" and \"leadq_form_check\" have the "
                      "same field \"%V\" in %V:%ui", &check->field,
                      &check->place.file, check->place.line);
        return NGX_CONF_ERROR;
    }

    return ngx_http_leadq_form_taken(cf, lcf, &check->field);
}


/* A trap must not take the value of a field away. */

static char *
ngx_http_leadq_form_taken(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *lcf,
    ngx_str_t *name)
{
    ngx_uint_t      i, k;
    leadq_str_t     text;
    leadq_field_t  *field;

    text.data = (char *) name->data;
    text.len = name->len;

    if (ngx_http_leadq_taken(lcf, &text)) {
        goto taken;
    }

    field = lcf->fields ? lcf->fields->elts : NULL;

    for (i = 0; i < lcf->shape.nfields; i++) {
        for (k = 0; k < field[i].naliases; k++) {
            if (field[i].aliases[k].len == name->len
                && ngx_memcmp(field[i].aliases[k].data, name->data, name->len)
                   == 0)
            {
                goto taken;
            }
        }
    }

    return NGX_CONF_OK;

taken:

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "trap \"%V\" is the name or an alias of a field in %V:%ui",
                  name, &lcf->place.file, lcf->place.line);

    return NGX_CONF_ERROR;
}


char *
ngx_http_leadq_form_token_end(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *prev,
    ngx_http_leadq_loc_conf_t *lcf)
{
    ngx_http_leadq_form_t     *issue;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname) {
        *lcf = *prev;
        clcf->handler = ngx_http_leadq_form_token_handler;
        return NGX_CONF_OK;
    }

    issue = &lcf->guard.issue;

    /* what else there is belongs to leadq_pass, but limits are possible */

    if (lcf->name.len || lcf->fields || lcf->sets || lcf->invalid
        || lcf->redirect_ok.len || lcf->guard.idempotency.mode
        || lcf->guard.session.key.len || lcf->methods.taken || lcf->args
        || lcf->guard.origin || lcf->guard.honeypot.len
        || lcf->guard.check.key.len)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"leadq_form_token\" needs a location of its own in "
                      "%V:%ui", &issue->place.file, issue->place.line);
        return NGX_CONF_ERROR;
    }

    issue->keys = ngx_http_leadq_keys_get(cf, &issue->key, "leadq_form_token",
                                          &issue->place);

    if (issue->keys == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_http_leadq_limit_end(cf, lcf);
}


void
ngx_http_leadq_form_trap(ngx_http_leadq_loc_conf_t *lcf, leadq_pairs_t *pairs,
    leadq_extra_t *extra)
{
    ngx_time_t    *tp;
    leadq_str_t    name, good;
    leadq_trap_e   honeypot, token;

    honeypot = LEADQ_TRAP_NONE;
    token = LEADQ_TRAP_NONE;

    if (lcf->guard.honeypot.len) {
        name.data = (char *) lcf->guard.honeypot.data;
        name.len = lcf->guard.honeypot.len;
        honeypot = leadq_trap_honeypot(pairs, &name);
    }

    if (lcf->guard.check.keys) {
        name.data = (char *) lcf->guard.check.field.data;
        name.len = lcf->guard.check.field.len;
        tp = ngx_timeofday();

        token = leadq_trap_token(pairs, &name, lcf->guard.check.keys,
                                 (int64_t) tp->sec * 1000 + tp->msec,
                                 (int64_t) lcf->guard.check.min,
                                 (int64_t) lcf->guard.check.max, &good);

        if (lcf->guard.check.once) {
            extra->once = good;
        }
    }

    extra->trap = leadq_trap_name(honeypot ? honeypot : token);
}


/* GET or HEAD: one token, for one form. */

ngx_int_t
ngx_http_leadq_form_token_handler(ngx_http_request_t *r)
{
    char                        token[LEADQ_SIGNED_LEN + 1];
    u_char                      id[16], *p;
    u_char                      text[LEADQ_SIGNED_LEN + 2 * NGX_INT64_LEN
                                     + 64];
    ngx_int_t                   rc;
    ngx_time_t                 *tp;
    ngx_http_leadq_loc_conf_t  *lcf;

    static leadq_uuid_gen_t     gen;            /* of this process */

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_leadq_module);

    if (ngx_http_leadq_ctx_add(r, NULL) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_leadq_reply_problem(r, NGX_HTTP_NOT_ALLOWED,
                                            "method-not-allowed",
                                            "Only GET and HEAD are possible "
                                            "here", NULL);
    }

    rc = ngx_http_leadq_limit_check(r, lcf);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    tp = ngx_timeofday();

    if (leadq_uuid_next(&gen, (uint64_t) tp->sec * 1000 + (uint64_t) tp->msec,
                        id)
        != 0)
    {
        ngx_log_error(NGX_LOG_CRIT, r->connection->log, ngx_errno,
                      "leadq has no random bytes");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    leadq_trap_token_make(lcf->guard.issue.keys, id, token);

    if (token[0] == '\0') {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_snprintf(text, sizeof(text), "{\"token\":\"%s\","
                     "\"min_age_ms\":%M,\"max_age_ms\":%M}\n", token,
                     lcf->guard.issue.min, lcf->guard.issue.max);

    return ngx_http_leadq_reply_json(r, NGX_HTTP_OK, (char *) text, p - text);
}
