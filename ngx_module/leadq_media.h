
/*
 * What a Content-Type says about a body: which parser it needs, whether its
 * text is UTF-8, and where the parts of a multipart body end.
 */

#ifndef LEADQ_MEDIA_H_INCLUDED
#define LEADQ_MEDIA_H_INCLUDED


#include "leadq_types.h"


#define LEADQ_BOUNDARY_MAX  70              /* characters, RFC 2046 */


typedef enum {
    LEADQ_MEDIA_FORM,
    LEADQ_MEDIA_JSON,
    LEADQ_MEDIA_MULTIPART,
    LEADQ_MEDIA_TEXT,                       /* of one part, never of a body */
    LEADQ_MEDIA_OTHER
} leadq_media_e;


typedef struct {
    leadq_media_e  type;
    size_t         boundary_len;            /* 0: there is none */
    char           boundary[LEADQ_BOUNDARY_MAX];
} leadq_media_t;


/*
 * Reads the value of a Content-Type.
 *
 * Returns LEADQ_OK, LEADQ_BAD_MEDIA_TYPE (not well-formed, or none of ours),
 * LEADQ_BAD_CHARSET (other than UTF-8 or its part US-ASCII) or
 * LEADQ_BAD_MULTIPART (no valid boundary).
 */
leadq_code_e leadq_media_read(const char *text, size_t len,
    leadq_media_t *media);

/* Returns 1 if both are the same but for the case of ASCII letters. */
int leadq_media_is(const char *text, size_t len, const char *name);

/*
 * Reads the next parameter, "; name=value" or '; name="value"', and moves *p
 * behind it.  The value is without quotes, but with its backslashes.
 *
 * Returns 1, 0 at the end of the text, or -1 if it is not well-formed.
 */
int leadq_media_parameter(const char **p, const char *end, leadq_str_t *name,
    leadq_str_t *value);


#endif /* LEADQ_MEDIA_H_INCLUDED */
