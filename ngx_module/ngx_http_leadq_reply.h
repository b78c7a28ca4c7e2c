
/*
 * The part of ngx_http_leadq.h, which includes it, about answers and what the
 * access log is told of them.
 */

#ifndef NGX_HTTP_LEADQ_REPLY_H_INCLUDED
#define NGX_HTTP_LEADQ_REPLY_H_INCLUDED


/*
 * reply: answers.  Each sends one and returns what to finalize with.
 */

/*
 * A problem that the request has by itself; code and title are static text,
 * errors may be NULL.
 */
ngx_int_t ngx_http_leadq_reply_problem(ngx_http_request_t *r,
    ngx_uint_t status, const char *code, const char *title,
    leadq_errors_t *errors);

/* The same with Retry-After. */
ngx_int_t ngx_http_leadq_reply_later(ngx_http_request_t *r,
    ngx_uint_t status, const char *code, const char *title, time_t seconds);

/* Why a row has no answer of SQL: 409, 422, 500, or 503 + Retry-After. */
ngx_int_t ngx_http_leadq_reply_outcome(ngx_http_request_t *r,
    ngx_http_leadq_outcome_e outcome);

/* JSON of the module's own; the text is copied. */
ngx_int_t ngx_http_leadq_reply_json(ngx_http_request_t *r, ngx_uint_t status,
    const char *text, size_t len);

/* One more header of the answer, borrowed; NULL: no memory. */
ngx_table_elt_t *ngx_http_leadq_header_add(ngx_http_request_t *r,
    const char *name, size_t len, ngx_str_t *value);

/* What SQL said. */
ngx_int_t ngx_http_leadq_reply_answer(ngx_http_request_t *r,
    ngx_http_leadq_answer_t *answer);


/*
 * filter: what nginx itself refuses in leadq locations becomes a problem too.
 */

ngx_int_t ngx_http_leadq_filter_init(ngx_conf_t *cf);


/*
 * vars
 */

ngx_int_t ngx_http_leadq_vars_add(ngx_conf_t *cf);

/* "answered"; NULL if there is no such outcome. */
const char *ngx_http_leadq_outcome_name(ngx_uint_t outcome);


#endif /* NGX_HTTP_LEADQ_REPLY_H_INCLUDED */
