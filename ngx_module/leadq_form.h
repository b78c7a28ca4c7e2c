
/*
 * Bodies of the type application/x-www-form-urlencoded.
 */

#ifndef LEADQ_FORM_H_INCLUDED
#define LEADQ_FORM_H_INCLUDED


#include "leadq_pairs.h"


/*
 * Decodes a form.
 *
 * body, len  any bytes
 * arena      len bytes, must outlive the pairs
 * pairs      the result; repeated names are kept, for leadq_shape_check()
 *
 * Returns LEADQ_OK, LEADQ_BAD_FORM (a broken %-escape, a pair without a
 * name), LEADQ_BAD_ENCODING (a name that is not UTF-8) or
 * LEADQ_TOO_MANY_FIELDS.
 */
leadq_code_e leadq_form_parse(const char *body, size_t len, char *arena,
    leadq_pairs_t *pairs);

/* The same, but adds to the pairs that are there: those of a query string. */
leadq_code_e leadq_form_add(const char *body, size_t len, char *arena,
    leadq_pairs_t *pairs);


#endif /* LEADQ_FORM_H_INCLUDED */
