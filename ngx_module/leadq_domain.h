
/*
 * Domain names, for the types that have one inside.
 */

#ifndef LEADQ_DOMAIN_H_INCLUDED
#define LEADQ_DOMAIN_H_INCLUDED


#include <stddef.h>


#define LEADQ_DOMAIN_MAX  253               /* bytes, as A-labels */


/*
 * Writes a domain in lower case, international labels as A-labels, with a
 * terminator.  The text has neither blanks nor control characters.
 *
 * Returns 0, or -1 if IDNA knows no such name or it is too long.
 */
int leadq_domain_ascii(const char *in, size_t len,
    char out[LEADQ_DOMAIN_MAX + 1]);

/* Returns 0 for letters a-z, digits and inner hyphens, at most 63, else -1. */
int leadq_domain_label(const char *label, size_t len);


#endif /* LEADQ_DOMAIN_H_INCLUDED */
