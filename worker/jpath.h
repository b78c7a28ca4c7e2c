/*
 * Dotted paths into JSON that others have written: "a.b" is the member b of
 * the member a, a number is the place in an array: "messages.0.id".  "*" is
 * the whole.
 */

#ifndef LEADQ_JPATH_H
#define LEADQ_JPATH_H

#include <jansson.h>
#include <stddef.h>

#define JPATH_NUMBER 24 /* bytes of an integer as text */

/*
 * The body of an answer as JSON, owned by the caller: an object, an array, or
 * what is neither as one text, without blanks around it.  NULL: no UTF-8, no
 * memory.
 */
json_t *jpath_body(const char *body, size_t len)
    __attribute__((warn_unused_result));

/* The value at the path of len bytes; borrowed; NULL: there is none. */
const json_t *jpath_find(const json_t *root, const char *path, size_t len);

/*
 * A string, an integer or a truth as text, borrowed from the value or in
 * number; NULL for everything else, and for NULL.
 */
const char *jpath_text(const json_t *value, char number[JPATH_NUMBER]);

/* Both: the text at a path, which may be NULL. */
const char *jpath_text_at(const json_t *root, const char *path,
                          char number[JPATH_NUMBER]);

/*
 * Keeps the text at a path: as it is, or, when it is none, has control
 * characters or no room in size bytes, not at all: "" then.
 */
void jpath_keep(const json_t *root, const char *path, char *out, size_t size);

#endif
