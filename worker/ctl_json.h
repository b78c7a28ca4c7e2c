/*
 * Where the values of a JSON text stand: jansson keeps no positions.
 *
 * One walk over the text notes the line of every value under its path
 * ("sources[0].network") and every key that an object has twice.  The text
 * should be JSON, checked by jansson; whatever it is, the walk ends inside
 * it, and what was noted until then holds.
 */

#ifndef LEADQ_CTL_JSON_H
#define LEADQ_CTL_JSON_H

#include <stddef.h>

#define CTL_JSON_MAX_DEPTH 32
#define CTL_JSON_MAX_PATH 512
#define CTL_JSON_MAX_VALUES 65536

/* So many keys of one object are compared with one another. */
#define CTL_JSON_MAX_KEYS 256

typedef struct ctl_json_s ctl_json_t;

/* Owned by the caller; NULL: no memory. */
ctl_json_t *ctl_json_new(const char *text) __attribute__((warn_unused_result));
void ctl_json_free(ctl_json_t *json);

/*
 * The line, from 1, on which the value begins; of what encloses it when
 * there is no such value; "" is the whole text.
 */
int ctl_json_line(const ctl_json_t *json, const char *path);

/* Calls fn for every key that its object had before, on the line first. */
void ctl_json_each_repeated(const ctl_json_t *json,
                            void (*fn)(void *data, const char *path, int line,
                                       int first),
                            void *data);

#endif
