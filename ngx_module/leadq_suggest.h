
/*
 * Likelier e-mail addresses: "anna@gmial.com" may be right, but anna@gmail.com
 * is what most people mean.  A suggestion never replaces what was typed and
 * never refuses it.
 */

#ifndef LEADQ_SUGGEST_H_INCLUDED
#define LEADQ_SUGGEST_H_INCLUDED


#include "leadq_buf.h"
#include "leadq_types.h"


#define LEADQ_SUGGESTIONS_MAX  4
#define LEADQ_SUGGESTION_MAX   254          /* bytes, as those of an address */


typedef struct {
    leadq_str_t  field;                     /* borrowed from the shape */
    size_t       len;
    char         data[LEADQ_SUGGESTION_MAX];
} leadq_suggestion_t;


typedef struct {
    size_t              n;
    leadq_suggestion_t  suggestion[LEADQ_SUGGESTIONS_MAX];
} leadq_suggestions_t;


/*
 * Suggests another domain for an address, which may be an invalid one.
 *
 * Returns 1 and the whole address in suggestion, or 0.
 */
int leadq_suggest_email(const char *text, size_t len,
    leadq_suggestion_t *suggestion);

/* Appends {"email":"anna@gmail.com"}. */
void leadq_suggest_put(leadq_buf_t *buf,
    const leadq_suggestions_t *suggestions);

/*
 * Appends the text of a JSON object with a further member "suggest", whose
 * JSON text is given.
 *
 * Returns 1, or 0 and nothing appended if the text is no object or has such
 * a member already.
 */
int leadq_suggest_splice(leadq_buf_t *buf, const char *object, size_t len,
    const char *suggest, size_t suggest_len);


#endif /* LEADQ_SUGGEST_H_INCLUDED */
