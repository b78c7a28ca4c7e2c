
/*
 * A shape is what one location declares about its requests: the fields with
 * their types, what is set by the server, and what happens to bad values.
 * Checking a request against its shape gives either the list of everything
 * that is wrong, or the row: one JSON object of normalised values.
 *
 *     { "email": "anna@mial.ru", "consent_pd": true, "source": "landing",
 *       "$invalid": { "phone": "phone-too-short" },
 *       "$suggest": { "email": "anna@mail.ru" },
 *       "$session": "5f2c19...", "$trap": "honeypot",
 *       "$fingerprint": "9f86d0..." }
 *
 * bool, int, json, list and body are written as JSON has them, other types as
 * strings, and what has mac set as its MACs.  "$invalid" appears only in
 * shapes that let bad values pass, "$suggest" only where an address has a
 * likelier one, the others only if the caller asks for them.
 */

#ifndef LEADQ_SHAPE_H_INCLUDED
#define LEADQ_SHAPE_H_INCLUDED


#include "leadq_buf.h"
#include "leadq_pairs.h"
#include "leadq_suggest.h"


#define LEADQ_FIELDS_MAX  64
#define LEADQ_ERRORS_MAX  (LEADQ_FIELDS_MAX + LEADQ_PAIRS_MAX)


typedef struct {
    leadq_str_t         name;
    leadq_rule_t        rule;
    leadq_str_t         fallback;           /* if nothing is given; len 0 */
    const leadq_str_t  *aliases;
    size_t              naliases;
    unsigned            required:1;
    unsigned            inside:1;           /* from the server, not the body */
    unsigned            passes:1;           /* bad values may travel on */
    unsigned            mac:1;              /* MACs of rule.keys stand for it,
                                               see leadq_mac.h */
} leadq_field_t;


typedef struct {
    const leadq_field_t  *fields;           /* borrowed */
    size_t                nfields;
    const leadq_str_t    *sets;             /* names of trusted values */
    size_t                nsets;
    const leadq_field_t  *pass_if;          /* NULL: bad values are refused */
    const leadq_field_t  *whole;            /* of the type "body", takes all
                                               pairs; or NULL */
} leadq_shape_t;


/* What the caller adds to a row, and wants to know about it. */
typedef struct {
    const char           *session;          /* for "$session", or NULL */
    const char           *trap;             /* for "$trap", or NULL */
    leadq_str_t           once;             /* its hash is "$form"; len 0:
                                               none is wanted */
    const leadq_field_t  *key;              /* idempotency key, or NULL */
    size_t                key_at;           /* its value in the row, JSON; */
    size_t                key_len;          /* 0 if it was not given */
    unsigned              fingerprint:1;    /* "$fingerprint" is wanted */
} leadq_extra_t;


/* One request. */
typedef struct {
    const leadq_pairs_t  *pairs;            /* of the body */
    const leadq_str_t    *inside;           /* per field with inside set */
    const leadq_str_t    *sets;             /* per set; any bytes */
    int64_t               now;              /* unix seconds */
    leadq_extra_t        *extra;            /* NULL: nothing of it */
    const leadq_str_t    *about;            /* per field with mac set */
} leadq_given_t;


typedef struct {
    leadq_str_t   field;                    /* borrowed from shape or pairs */
    leadq_code_e  code;
} leadq_error_t;


typedef struct {
    size_t         n;
    leadq_error_t  error[LEADQ_ERRORS_MAX];
} leadq_errors_t;


/*
 * Checks a request and writes its row.
 *
 * errors       every fault, unknown fields first, then in order of declaration
 * suggestions  for e-mail addresses, good or bad
 * row          initialised; the row if there are no errors, else of no meaning
 *
 * Returns 0, or -1 if the row did not fit into its buffer, or a MAC could not
 * be made.
 *
 * Called once per request, when its body is complete.
 */
int leadq_shape_check(const leadq_shape_t *shape, const leadq_given_t *given,
    leadq_errors_t *errors, leadq_suggestions_t *suggestions,
    leadq_buf_t *row);


#endif /* LEADQ_SHAPE_H_INCLUDED */
