
/*
 * UTF-8 as PostgreSQL wants it: shortest form, no surrogates, nothing above
 * U+10FFFF.  One bad byte that slips through fails the batch of everybody.
 */

#ifndef LEADQ_UTF8_H_INCLUDED
#define LEADQ_UTF8_H_INCLUDED


#include <stddef.h>
#include <stdint.h>


#define LEADQ_UTF8_BAD  (-1)


/*
 * Decodes the character at *p and moves *p behind it.  Needs *p < end.
 *
 * Returns the code point, or LEADQ_UTF8_BAD and *p moved by one byte.
 */
int32_t leadq_utf8_next(const char **p, const char *end);

/* Returns 1 if all of the text is valid UTF-8, otherwise 0. */
int leadq_utf8_valid(const char *text, size_t len);

/*
 * Returns 1 for what has no business in one line of text: C0, DEL, C1, line
 * and paragraph separators, and the marks that turn the writing direction.
 */
int leadq_utf8_control(int32_t cp);

/* Returns 1 for a blank of whatever width, U+0020 and U+00A0 among them. */
int leadq_utf8_space(int32_t cp);


#endif /* LEADQ_UTF8_H_INCLUDED */
