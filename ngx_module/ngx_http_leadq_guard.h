
/*
 * The part of ngx_http_leadq.h, which includes it, about what stands between
 * a request and its row besides its shape.
 */

#ifndef NGX_HTTP_LEADQ_GUARD_H_INCLUDED
#define NGX_HTTP_LEADQ_GUARD_H_INCLUDED


#define NGX_HTTP_LEADQ_LIMITS       4           /* of a location */

#define NGX_HTTP_LEADQ_ORIGIN_OFF     1
#define NGX_HTTP_LEADQ_ORIGIN_ON      2
#define NGX_HTTP_LEADQ_ORIGIN_DRY_RUN 3

#define NGX_HTTP_LEADQ_IDEM_OFF       1
#define NGX_HTTP_LEADQ_IDEM_OPTIONAL  2
#define NGX_HTTP_LEADQ_IDEM_REQUIRED  3


typedef struct ngx_http_leadq_zone_s  ngx_http_leadq_zone_t;


/* leadq_idempotency */
typedef struct {
    ngx_http_leadq_place_t        place;
    ngx_uint_t                    mode;         /* 0 unset, else _IDEM_* */
    ngx_str_t                     key;          /* name */
    ngx_str_t                     field;        /* len 0: the header */
    ngx_http_complex_value_t     *scope;        /* NULL: none */

    leadq_keys_t                 *keys;         /* borrowed */
    const leadq_field_t          *source;       /* NULL: the header */
} ngx_http_leadq_idempotency_t;


/* leadq_session */
typedef struct {
    ngx_http_leadq_place_t        place;
    ngx_str_t                     cookie;       /* name */
    ngx_str_t                     key;          /* name */
    time_t                        life;         /* seconds */

    leadq_keys_t                 *keys;         /* borrowed; NULL: unset */
} ngx_http_leadq_session_t;


/* leadq_limit */
typedef struct {
    ngx_shm_zone_t               *shm;
    ngx_http_leadq_zone_t        *zone;         /* of leadq_limit_zone */
    ngx_uint_t                    dry_run;
} ngx_http_leadq_limit_t;


/* leadq_form_check, leadq_form_token */
typedef struct {
    ngx_http_leadq_place_t        place;
    ngx_str_t                     key;          /* name; len 0: unset */
    ngx_str_t                     field;        /* of the check */
    ngx_msec_t                    min;          /* age of a token */
    ngx_msec_t                    max;
    ngx_uint_t                    once;         /* the row has "$form" */

    leadq_keys_t                 *keys;         /* borrowed; NULL: unset */
} ngx_http_leadq_form_t;


/* leadq_methods */
typedef struct {
    ngx_uint_t                    taken;        /* NGX_HTTP_POST|...; 0 unset
                                                   until the end */
    ngx_str_t                     allow;        /* the header */
    const char                   *title;        /* of a refusal */
} ngx_http_leadq_methods_t;


/* All of a location. */
typedef struct {
    ngx_http_leadq_session_t      session;
    ngx_http_leadq_idempotency_t  idempotency;
    ngx_str_t                     honeypot;     /* len 0: none */
    ngx_http_leadq_form_t         check;
    ngx_http_leadq_form_t         issue;        /* a location of tokens */

    ngx_http_leadq_place_t        limit_place;
    ngx_http_leadq_limit_t        limits[NGX_HTTP_LEADQ_LIMITS];
    ngx_uint_t                    nlimits;

    ngx_uint_t                    origin;       /* 0 unset, _ORIGIN_* */
} ngx_http_leadq_guard_t;


/*
 * guard: what stands between a request and its row besides its shape.
 */

/* The end of the location, after its shape is known. */
char *ngx_http_leadq_guard_end(ngx_conf_t *cf,
    ngx_http_leadq_loc_conf_t *lcf);

/*
 * Before the body is read.  NGX_DECLINED: go on; else the request has been
 * answered so.
 */
ngx_int_t ngx_http_leadq_guard(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf);

/*
 * Gives up the body, if it has not been read; before a refusal is sent, whose
 * header says whether the connection stays.
 */
void ngx_http_leadq_guard_discard(ngx_http_request_t *r);

/* What the guards add to the row; takes their own fields out of the pairs. */
void ngx_http_leadq_guard_body(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf, leadq_pairs_t *pairs,
    leadq_extra_t *extra);


/*
 * methods: which of them a location takes.
 */

char *ngx_http_leadq_methods(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* The end of the location, after its shape is known. */
char *ngx_http_leadq_methods_end(ngx_conf_t *cf,
    ngx_http_leadq_loc_conf_t *lcf);


/*
 * session: requests of the same browser.
 */

char *ngx_http_leadq_session(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_leadq_session_end(ngx_conf_t *cf,
    ngx_http_leadq_loc_conf_t *lcf);

/*
 * Finds the session of the request, or begins one and adds the headers of it
 * to the answer, whatever that will be; for the context.
 *
 * Returns NGX_OK, or NGX_ERROR (no memory, no random bytes).
 */
ngx_int_t ngx_http_leadq_session_begin(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf);


/*
 * origin: requests from other sites.
 */

char *ngx_http_leadq_same_origin(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* Is it from a page of this site?  As ngx_http_leadq_guard(). */
ngx_int_t ngx_http_leadq_origin_check(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf);


/*
 * limit: how often an address may ask.
 */

char *ngx_http_leadq_limit_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_leadq_limit(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_leadq_limit_end(ngx_conf_t *cf,
    ngx_http_leadq_loc_conf_t *lcf);

/* Counts the request.  As ngx_http_leadq_guard(). */
ngx_int_t ngx_http_leadq_limit_check(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf);


/*
 * idempotency: the directive, the header, the id.
 */

char *ngx_http_leadq_idempotency(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_leadq_idempotency_end(ngx_conf_t *cf,
    ngx_http_leadq_loc_conf_t *lcf);

/* Is the header right?  As ngx_http_leadq_guard(). */
ngx_int_t ngx_http_leadq_idempotency_before(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf);

/* Which field is the key, and is a fingerprint needed? */
void ngx_http_leadq_idempotency_extra(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf, leadq_extra_t *extra);

/* The row is good: makes its id.  As ngx_http_leadq_guard(). */
ngx_int_t ngx_http_leadq_idempotency_id(ngx_http_request_t *r,
    ngx_http_leadq_loc_conf_t *lcf, leadq_extra_t *extra, leadq_buf_t *row);


/*
 * form: traps for robots.
 */

char *ngx_http_leadq_honeypot(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_leadq_form_check(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_leadq_form_token(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* The ends of a location that has traps, and of one that issues tokens. */
char *ngx_http_leadq_form_end(ngx_conf_t *cf, ngx_http_leadq_loc_conf_t *lcf);
char *ngx_http_leadq_form_token_end(ngx_conf_t *cf,
    ngx_http_leadq_loc_conf_t *prev, ngx_http_leadq_loc_conf_t *lcf);

/* The content handler of such a location. */
ngx_int_t ngx_http_leadq_form_token_handler(ngx_http_request_t *r);

/*
 * Takes the fields of the traps out; what they add to the row: the trap that
 * was tripped, the token that is good once.
 */
void ngx_http_leadq_form_trap(ngx_http_leadq_loc_conf_t *lcf,
    leadq_pairs_t *pairs, leadq_extra_t *extra);


#endif /* NGX_HTTP_LEADQ_GUARD_H_INCLUDED */
