
/*
 * Idempotency: a request that names itself by a key becomes the same row as
 * often as it is sent.
 *
 *     id = UUID version 8 of HMAC-SHA-256(key, text), where text is
 *          "idempotency", database, schema, function, origin, each with a
 *          zero byte behind it, four bytes of length of scope, scope, value
 *
 * The id says nothing about the key, and nobody without the secret can tell
 * the id of a key.  A repeat with another content is known by the fingerprint
 * of what was said first.
 */

#ifndef LEADQ_IDEMPOTENCY_H_INCLUDED
#define LEADQ_IDEMPOTENCY_H_INCLUDED


#include "leadq_types.h"


#define LEADQ_KEY_VALUE_MAX     255         /* of the header, bytes */
#define LEADQ_FINGERPRINT_LEN   32


typedef struct {
    leadq_str_t  database;                  /* names: no zero bytes in them */
    leadq_str_t  schema;
    leadq_str_t  function;
    leadq_str_t  origin;                    /* where the value comes from */
    leadq_str_t  scope;                     /* whose keys; any bytes */
    leadq_str_t  value;                     /* any bytes */
} leadq_idempotency_t;


/* Returns 1 for 1..255 visible ASCII characters. */
int leadq_idempotency_key(const char *text, size_t len);

/*
 * Writes the id; returns 0, or -1 (no memory, or the parts are longer than
 * they can be).
 */
int leadq_idempotency_id(const leadq_keys_t *keys,
    const leadq_idempotency_t *parts, unsigned char id[16]);

/*
 * Writes the first half of SHA-256 of a text in hexadecimal digits, and a
 * terminator; returns 0, or -1 (no memory).  It tells apart what one client
 * says by mistake; who wants to deceive has only his own key to do it with.
 */
int leadq_fingerprint(const char *text, size_t len,
    char hex[LEADQ_FINGERPRINT_LEN + 1]);


#endif /* LEADQ_IDEMPOTENCY_H_INCLUDED */
