
/*
 * Variables for the access log:
 *
 *     $leadq_id        the id of the row
 *     $leadq_outcome   answered, invalid, refused, conflict, busy, away,
 *                      failed or aborted
 *     $leadq_batch     rows in the batch that carried it
 *     $leadq_wait      seconds in the queue, with milliseconds
 *     $leadq_db_time   seconds from sending to the answer
 *     $leadq_guard     which guard or trap had something against the request
 *     $leadq_attempts  how often it was sent
 *     $leadq_sqlstate  the error of the last batch with it that failed; a row
 *                      may be stored nevertheless, by a smaller batch
 *
 * Each is empty where there is nothing to say.
 */

#include "ngx_http_leadq.h"


typedef enum {
    NGX_HTTP_LEADQ_VAR_ID,
    NGX_HTTP_LEADQ_VAR_OUTCOME,
    NGX_HTTP_LEADQ_VAR_BATCH,
    NGX_HTTP_LEADQ_VAR_WAIT,
    NGX_HTTP_LEADQ_VAR_DB_TIME,
    NGX_HTTP_LEADQ_VAR_GUARD,
    NGX_HTTP_LEADQ_VAR_ATTEMPTS,
    NGX_HTTP_LEADQ_VAR_SQLSTATE
} ngx_http_leadq_var_e;


static ngx_int_t ngx_http_leadq_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_http_variable_t  ngx_http_leadq_vars[] = {

    { ngx_string("leadq_id"), NULL, ngx_http_leadq_variable,
      NGX_HTTP_LEADQ_VAR_ID, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("leadq_outcome"), NULL, ngx_http_leadq_variable,
      NGX_HTTP_LEADQ_VAR_OUTCOME, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("leadq_batch"), NULL, ngx_http_leadq_variable,
      NGX_HTTP_LEADQ_VAR_BATCH, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("leadq_wait"), NULL, ngx_http_leadq_variable,
      NGX_HTTP_LEADQ_VAR_WAIT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("leadq_db_time"), NULL, ngx_http_leadq_variable,
      NGX_HTTP_LEADQ_VAR_DB_TIME, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("leadq_guard"), NULL, ngx_http_leadq_variable,
      NGX_HTTP_LEADQ_VAR_GUARD, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("leadq_attempts"), NULL, ngx_http_leadq_variable,
      NGX_HTTP_LEADQ_VAR_ATTEMPTS, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("leadq_sqlstate"), NULL, ngx_http_leadq_variable,
      NGX_HTTP_LEADQ_VAR_SQLSTATE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


/* Indexed by ngx_http_leadq_outcome_e. */

static const ngx_str_t  ngx_http_leadq_outcomes[] = {
    ngx_string("answered"),
    ngx_string("invalid"),
    ngx_string("refused"),
    ngx_string("conflict"),
    ngx_string("busy"),
    ngx_string("away"),
    ngx_string("failed"),
    ngx_string("spooled"),
    ngx_string("aborted"),
};

#define NGX_HTTP_LEADQ_OUTCOMES                                               \
    (sizeof(ngx_http_leadq_outcomes) / sizeof(ngx_http_leadq_outcomes[0]))

_Static_assert(NGX_HTTP_LEADQ_OUTCOMES <= LEADQ_METRICS_OUTCOMES,
               "each outcome needs a counter");


const char *
ngx_http_leadq_outcome_name(ngx_uint_t outcome)
{
    return outcome < NGX_HTTP_LEADQ_OUTCOMES
           ? (const char *) ngx_http_leadq_outcomes[outcome].data : NULL;
}


ngx_int_t
ngx_http_leadq_vars_add(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_leadq_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_leadq_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    u_char                *p;
    ngx_http_leadq_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_leadq_module);

    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, LEADQ_UUID_LEN + NGX_INT_T_LEN + 4);
    if (p == NULL) {
        return NGX_ERROR;
    }

    v->data = p;

    switch ((ngx_http_leadq_var_e) data) {

    case NGX_HTTP_LEADQ_VAR_ID:
        p = ngx_cpymem(p, ctx->id, ctx->has_id ? LEADQ_UUID_LEN : 0);
        break;

    case NGX_HTTP_LEADQ_VAR_OUTCOME:
        v->data = ngx_http_leadq_outcomes[ctx->outcome].data;
        p = v->data + ngx_http_leadq_outcomes[ctx->outcome].len;
        break;

    case NGX_HTTP_LEADQ_VAR_BATCH:
        if (ctx->batch) {
            p = ngx_sprintf(p, "%ui", ctx->batch);
        }

        break;

    case NGX_HTTP_LEADQ_VAR_WAIT:
        if (ctx->has_id) {
            p = ngx_sprintf(p, "%M.%03M", ctx->wait / 1000, ctx->wait % 1000);
        }

        break;

    case NGX_HTTP_LEADQ_VAR_DB_TIME:
        if (ctx->batch) {
            p = ngx_sprintf(p, "%M.%03M", ctx->db_time / 1000,
                            ctx->db_time % 1000);
        }

        break;

    case NGX_HTTP_LEADQ_VAR_GUARD:
        v->data = (u_char *) (ctx->guard ? ctx->guard : "");
        p = v->data + ngx_strlen(v->data);
        break;

    case NGX_HTTP_LEADQ_VAR_ATTEMPTS:
        if (ctx->has_id) {
            p = ngx_sprintf(p, "%ui", ctx->sendings);
        }

        break;

    case NGX_HTTP_LEADQ_VAR_SQLSTATE:
        p = ngx_sprintf(p, "%s", ctx->sqlstate);
        break;
    }

    v->len = p - v->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}
