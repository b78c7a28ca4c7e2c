
/*
 * Bodies of the type multipart/form-data (RFC 7578).
 *
 * Fields only: a part that is a file (it has a filename, or a type other than
 * text/plain) is refused, and its name is told.
 */

#ifndef LEADQ_MULTIPART_H_INCLUDED
#define LEADQ_MULTIPART_H_INCLUDED


#include "leadq_pairs.h"


#define LEADQ_PART_HEAD_MAX  2048           /* bytes of a part's headers */


/*
 * Splits a body into its parts.
 *
 * body, len      any bytes
 * boundary       as from leadq_media_read(), not empty
 * arena          len bytes, must outlive the pairs
 * pairs          the result; repeated names are kept
 *
 * Returns LEADQ_OK, LEADQ_BAD_MULTIPART, LEADQ_BAD_ENCODING (a name that is
 * not UTF-8), LEADQ_BAD_CHARSET, LEADQ_TOO_MANY_FIELDS or LEADQ_FILE_PART;
 * pairs->culprit names the part where that is known.
 */
leadq_code_e leadq_multipart_parse(const char *body, size_t len,
    const char *boundary, size_t boundary_len, char *arena,
    leadq_pairs_t *pairs);


#endif /* LEADQ_MULTIPART_H_INCLUDED */
