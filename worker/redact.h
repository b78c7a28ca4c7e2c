/*
 * Takes secrets out of what a peer says, before anybody keeps its words.
 */

#ifndef LEADQ_REDACT_H
#define LEADQ_REDACT_H

#include <stddef.h>

/*
 * Copies text to out (size bytes, terminator included) with "***" in the place
 * of each secret; NULL and "" are no secrets.  Returns the length.
 */
size_t redact(const char *text, size_t len, const char *const *secrets,
              size_t n, char *out, size_t size);

#endif
