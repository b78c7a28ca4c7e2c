
/*
 * JSON, in both directions: bodies of the type application/json, and the text
 * of rows and answers.
 */

#ifndef LEADQ_JSON_H_INCLUDED
#define LEADQ_JSON_H_INCLUDED


#include "leadq_buf.h"
#include "leadq_pairs.h"


#define LEADQ_JSON_VALUES       1024        /* in a whole body, */
#define LEADQ_JSON_VALUES_LIST  16384       /* where lists are expected */


/*
 * Reads one object of scalars.  Integers become their digits, true and false
 * these words, null the empty text; other values are marked as no scalars,
 * for the type "json" or for an answer that names the field.  Every pair has
 * its raw text as well.
 *
 * body, len  any bytes, must outlive the pairs
 * arena      len bytes, must outlive the pairs
 * list       the field of the type "list", or NULL.  A body that is an array
 *            is its value, unread
 *
 * Returns LEADQ_OK, LEADQ_BAD_JSON, LEADQ_BAD_ENCODING,
 * LEADQ_TOO_MANY_FIELDS or LEADQ_DUPLICATE_FIELD (then pairs->culprit names
 * the field).
 */
leadq_code_e leadq_json_parse(const char *body, size_t len, char *arena,
    const leadq_str_t *list, leadq_pairs_t *pairs);

/*
 * Takes a body as one value, unread: one pair of raw text without a name, or
 * none if there are only blanks.  For the type "body".
 */
void leadq_json_whole(const char *body, size_t len, leadq_pairs_t *pairs);

/*
 * Appends text as a JSON string, quotes included.  Bytes that are not UTF-8,
 * and NUL, become U+FFFD, so that the result is valid whatever came in.
 */
void leadq_json_put(leadq_buf_t *buf, const char *text, size_t len);


#endif /* LEADQ_JSON_H_INCLUDED */
