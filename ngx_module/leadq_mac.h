
/*
 * MACs in the place of a value that nobody may read later: a one-time code
 * that somebody has typed, say.
 *
 *     { "1": "<64 digits>", "2": "<64 digits>" }
 *
 * Key id and HMAC-SHA-256(key, about ":" value) in hexadecimal digits, for
 * every key of the file in its order: who made the one to compare with took
 * the first of them, and may have done so before the last reload.
 */

#ifndef LEADQ_MAC_H_INCLUDED
#define LEADQ_MAC_H_INCLUDED


#include "leadq_buf.h"
#include "leadq_types.h"


#define LEADQ_ABOUT_MAX  255                /* bytes */


/*
 * Appends the object.
 *
 * about       what the value belongs to, 1..255 bytes: the same value says
 *             nothing about anything else
 * value, len  at most LEADQ_VALUE_MAX bytes; every copy of them is wiped
 *
 * Returns 0, or -1: about is empty or too long, or libcrypto failed.
 *
 * For leadq_shape_check().
 */
int leadq_mac_put(leadq_buf_t *buf, const leadq_keys_t *keys,
    const leadq_str_t *about, const char *value, size_t len);


#endif /* LEADQ_MAC_H_INCLUDED */
