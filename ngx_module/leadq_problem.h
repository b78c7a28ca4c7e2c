
/*
 * Problems (RFC 9457): the JSON that tells a program and a person what was
 * wrong, and the short form of it that fits into the URL of an error page.
 *
 *     {"type":"urn:leadq:problem:validation","title":"...","status":422,
 *      "errors":[{"field":"email","code":"email-no-at","detail":"..."}]}
 *
 *     email.email-no-at,phone.phone-too-short
 */

#ifndef LEADQ_PROBLEM_H_INCLUDED
#define LEADQ_PROBLEM_H_INCLUDED


#include "leadq_buf.h"
#include "leadq_shape.h"


/*
 * Appends the JSON text of a problem.
 *
 * code    the end of its type
 * title   one sentence in English
 * errors  of single fields, or NULL
 */
void leadq_problem_put(leadq_buf_t *buf, int status, const char *code,
    const char *title, const leadq_errors_t *errors);

/*
 * Appends the short form: "field.code" for every error, or the code alone if
 * there are none.  Safe in a query string as it is.
 */
void leadq_problem_brief(leadq_buf_t *buf, const char *code,
    const leadq_errors_t *errors);

/*
 * Appends the short form of a problem that came from SQL as JSON, or other
 * if the text is none.
 */
void leadq_problem_shorten(leadq_buf_t *buf, const char *text, size_t len,
    const char *other);


#endif /* LEADQ_PROBLEM_H_INCLUDED */
