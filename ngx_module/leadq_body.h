
/*
 * The type "body": everything that a client says, as one value, for callbacks
 * of those whose fields nobody can list.
 *
 *     JSON   any value, as it was written but for the blanks between its
 *            tokens: also what the type "json" does not take, as long as
 *            PostgreSQL's jsonb does
 *     forms  { "name": "value", "twice": ["one", "two"] }, in order of the
 *            first of each name
 */

#ifndef LEADQ_BODY_H_INCLUDED
#define LEADQ_BODY_H_INCLUDED


#include "leadq_buf.h"
#include "leadq_pairs.h"


/*
 * Checks a body and writes its value.
 *
 * pairs  of a form or a query; or what leadq_json_whole() made
 * text   empty or used before; becomes the value, or empty if nothing was
 *        given (no pair, null).  Undefined unless LEADQ_OK is returned; may
 *        have failed.
 *
 * Returns LEADQ_OK or the code of what is wrong, as for the type "json".
 *
 * For leadq_shape_check().
 */
leadq_code_e leadq_body_check(const leadq_rule_t *rule,
    const leadq_pairs_t *pairs, leadq_buf_t *text);


#endif /* LEADQ_BODY_H_INCLUDED */
