/*
 * Signatures of what we send, by HMAC-SHA256.
 *
 * POST: Standard Webhooks, "v1,<base64 of id.timestamp.body>", one for each
 * key, so that a key can be changed while the other side still has the old
 * one.  GET: hex over the query as it stands before "&sig=".
 *
 * Networks that have ways of their own get an HMAC of a text.
 *
 * A key is a line: "whsec_" and base64, or any other text as it is.
 */

#ifndef LEADQ_SIGN_H
#define LEADQ_SIGN_H

#include "buf.h"
#include "secret.h"

#define SIGN_MIN_KEY 16
#define SIGN_HEX 65 /* with its terminator */

/* Is every line a key?  NULL, or what is wrong as static text. */
const char *sign_check(const secret_t *keys)
    __attribute__((warn_unused_result));

/* Adds the value of the header webhook-signature.  -1: out of memory. */
int sign_webhook(const secret_t *keys, const char *id, long long timestamp,
                 const char *body, size_t len, buf_t *out)
    __attribute__((warn_unused_result));

/*
 * Adds the hex HMAC ("sha1", "sha256", "md5") of a text with the first key,
 * which may be short: a network chose it.  -1: no such digest, no memory.
 */
int sign_text(const secret_t *keys, const char *digest, const char *text,
              buf_t *out) __attribute__((warn_unused_result));

/* Signs a query with the first key. */
int sign_query(const secret_t *keys, const char *query, char hex[SIGN_HEX])
    __attribute__((warn_unused_result));

#endif
