/*
 * What a network's words mean: how an answer with status 2xx is told from a
 * success (some networks say "error" with a smile), and a failure that no
 * repeat will mend from one that passes.
 *
 *     any            whatever it says
 *     body_prefix    the body begins with the value
 *     contains       the body has the value somewhere
 *     not_contains   the body has the value nowhere
 *     json_path      "a.b=value": what stands at a.b (jpath.h) is value
 */

#ifndef LEADQ_MATCH_H
#define LEADQ_MATCH_H

#include "fault.h"

#include <stddef.h>

typedef enum {
    MATCH_ANY,
    MATCH_BODY_PREFIX,
    MATCH_CONTAINS,
    MATCH_NOT_CONTAINS,
    MATCH_JSON_PATH
} match_e;

/* Reads and checks a type with its value (may be NULL). */
int match_parse(const char *type, const char *value, match_e *match,
                fault_t *fault) __attribute__((warn_unused_result));

/* Is this body, terminated, what the value says? */
int match_test(match_e match, const char *value, const char *body, size_t len);

#endif
