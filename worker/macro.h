/*
 * Macros of postback URLs and bodies.
 *
 *     {name}                     the value, encoded for where it stands
 *     {_name}                    the value as it is
 *     {name:from=to from=to}     the value mapped; as it is when not listed
 *
 * In URLs and forms every other brace is an error.  In JSON a "{" that no
 * letter or "_" follows, and every lone "}", is JSON's own.
 */

#ifndef LEADQ_MACRO_H
#define LEADQ_MACRO_H

#include "buf.h"
#include "fault.h"

#include <stddef.h>

#define MACRO_MAX_NAME 32

typedef enum {
    MACRO_URL, /* percent-encoding: URLs and urlencoded bodies */
    MACRO_JSON /* the inside of a JSON string */
} macro_encoding_e;

/* The value of a name: NULL means empty. *known is 0 for an unknown name. */
typedef const char *(*macro_value_pt)(void *data, const char *name,
                                      int *known);

/*
 * Adds the text with its macros replaced to out.  -1 with the fault set for
 * an unknown name, an unbalanced brace or a bad map.  out may be NULL: check
 * only.
 */
int macro_expand(const char *text, size_t len, macro_encoding_e encoding,
                 macro_value_pt value, void *data, buf_t *out, fault_t *fault)
    __attribute__((warn_unused_result));

#endif
