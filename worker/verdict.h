/*
 * Verdicts: what somebody outside says of a person, in words of his own.
 *
 * Of all that an answer tells, papers and names among it, this is what is
 * kept, and by which name he knows the check.
 */

#ifndef LEADQ_VERDICT_H
#define LEADQ_VERDICT_H

#include <jansson.h>

#define VERDICT_OTHERS "*" /* in place of all words that are not listed */

/*
 * "passed", "failed", "unavailable" or "pending", static texts, by how an
 * answer is read: the path "state", and "states", their words with what they
 * mean.  What says nothing that we know is pending.
 */
const char *verdict_read(const json_t *how, const json_t *answer);

/* Is it one of these four? */
int verdict_is(const char *word);

#endif
