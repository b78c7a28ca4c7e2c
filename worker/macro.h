/*
 * Macros of the URLs, bodies and headers of calls.
 *
 *     {name}                     the value, encoded for where it stands
 *     {_name}                    the value as it is
 *     {name:from=to from=to}     the value mapped; as it is when not listed
 *     {hmac_sha1:KEY,a+'-'+b}    hex HMAC of values and texts, one behind the
 *                                other, with the key of that name; a value
 *                                may be mapped; hmac_sha256, hmac_md5, too
 *
 * In URLs, forms and headers every other brace is an error.  In JSON a "{"
 * that no letter or "_" follows, and every lone "}", is JSON's own.
 */

#ifndef LEADQ_MACRO_H
#define LEADQ_MACRO_H

#include "buf.h"
#include "fault.h"

#include <stddef.h>

#define MACRO_MAX_NAME 32
#define MACRO_MAX_KEY 63    /* bytes of a key's name */
#define MACRO_MAX_TEXT 8192 /* that an HMAC is made of */

typedef enum {
    MACRO_URL,   /* percent-encoding: URLs and urlencoded bodies */
    MACRO_JSON,  /* the inside of a JSON string */
    MACRO_HEADER /* as it is: who sends it looks for control characters */
} macro_encoding_e;

/* What takes the place of a secret in a text for people: never encoded. */
extern const char macro_stars[];

typedef enum { MACRO_UNKNOWN, MACRO_KNOWN, MACRO_AMBIGUOUS } macro_known_e;

typedef struct {
    /* The value of a name, of at most MACRO_MAX_NAME bytes; NULL is empty. */
    const char *(*value)(void *data, const char *name, macro_known_e *known);

    /*
     * The HMAC ("sha1", "sha256", "md5") of a text with a key, as hex; both
     * are borrowed.  NULL is empty: who answers has noted why.
     */
    const char *(*hmac)(void *data, const char *digest, const char *key,
                        const char *text);
    void *data;
} macro_values_t;

/*
 * Adds the text with its macros replaced to out.  -1 with the fault set for
 * an unknown name, an unbalanced brace, a bad map or HMAC.  out may be NULL:
 * check only.
 */
int macro_expand(const char *text, size_t len, macro_encoding_e encoding,
                 const macro_values_t *values, buf_t *out, fault_t *fault)
    __attribute__((warn_unused_result));

#endif
