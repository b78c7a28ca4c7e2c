
/*
 * The type "list"; it has a file of its own because its value is bigger than
 * those of other types.
 */

#ifndef LEADQ_LIST_H_INCLUDED
#define LEADQ_LIST_H_INCLUDED


#include "leadq_buf.h"
#include "leadq_types.h"


/*
 * Checks and normalises a list: a JSON array, or the one value of it.
 *
 * in, len  any bytes
 * list     empty or used before; becomes an array of those values that pass
 *          as the type "json", or empty if nothing was given.  Undefined
 *          unless LEADQ_OK is returned; may have failed.
 *
 * An array must end where its text does; of its values, those that do not
 * pass are left out.
 */
leadq_code_e leadq_list_check(const leadq_rule_t *rule, const char *in,
    size_t len, leadq_buf_t *list);

/* Whether a body looks like an array. */
int leadq_list_begins(const char *in, size_t len);


#endif /* LEADQ_LIST_H_INCLUDED */
