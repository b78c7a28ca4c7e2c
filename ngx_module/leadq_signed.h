
/*
 * Signed link tokens: "this link, for this purpose, until this time, is about
 * this subject", proved by a MAC, so that no table is asked to refuse a link
 * that somebody made up.
 *
 *     payload = version 1 | key id 1 | expires 5 | subject 16      (23 bytes)
 *     mac     = first 16 bytes of HMAC-SHA-256(key, purpose || 0 || payload)
 *     token   = base64url(payload || mac), without padding     (52 characters)
 *
 * The nginx module reads tokens (field type "signed"), the worker makes them.
 * The same keys serve whatever else needs a MAC.
 * Nothing here knows nginx, libpq or libuv.
 */

#ifndef LEADQ_SIGNED_H_INCLUDED
#define LEADQ_SIGNED_H_INCLUDED


#include <stddef.h>
#include <stdint.h>


#define LEADQ_SIGNED_LEN  52
#define LEADQ_MAC_LEN     32            /* of leadq_keys_mac(), bytes */
#define LEADQ_MAC_HEX     (2 * LEADQ_MAC_LEN)


typedef struct leadq_keys_s  leadq_keys_t;


typedef enum {
    LEADQ_SIGNED_OK,
    LEADQ_SIGNED_MALFORMED,     /* not a token of ours at all */
    LEADQ_SIGNED_FORGED,        /* unknown key, other purpose or wrong MAC */
    LEADQ_SIGNED_EXPIRED        /* genuine, but its time is over */
} leadq_signed_e;


/*
 * Reads a key file: lines "ID HEX" (ID 0..255, HEX 64..128 digits), "#" begins
 * a comment.  The first line signs, every line verifies.
 *
 * Returns the keys, owned by the caller, or NULL with a text in err that names
 * file, line and reason, but never any of the key.
 *
 * Called by "nginx -t", by the worker at start and at SIGHUP.
 */
leadq_keys_t *leadq_keys_load(const char *path, char *err, size_t errlen);

/* Wipes and frees the keys; accepts NULL. */
void leadq_keys_free(leadq_keys_t *keys);

/*
 * Writes HMAC-SHA-256 of a text under the last key of the file: the one that
 * stays while newer ones are put before it.
 *
 * Returns 0, or -1 if libcrypto failed (out of memory).
 */
int leadq_keys_mac(const leadq_keys_t *keys, const char *text, size_t len,
    unsigned char mac[LEADQ_MAC_LEN]);

/*
 * The same under the first key: the one that makes what is new.  id, which
 * may be NULL, becomes the id of that key, to be kept beside the MAC.
 */
int leadq_keys_mac_first(const leadq_keys_t *keys, const char *text,
    size_t len, unsigned char *id, unsigned char mac[LEADQ_MAC_LEN]);

/*
 * The same under the key of that id.  Returns 0, 1 if there is no such key
 * (any more), or -1 if libcrypto failed.
 */
int leadq_keys_mac_of(const leadq_keys_t *keys, unsigned char id,
    const char *text, size_t len, unsigned char mac[LEADQ_MAC_LEN]);

/*
 * The same under each key: key i, from 0 on, in order of the file.  Returns
 * 0, 1 behind the last one, or -1 if libcrypto failed.
 *
 *     for (i = 0; (rc = leadq_keys_mac_each(keys, i, ...)) == 0; i++)
 */
int leadq_keys_mac_each(const leadq_keys_t *keys, size_t i, const char *text,
    size_t len, unsigned char *id, unsigned char mac[LEADQ_MAC_LEN]);

/* Writes a MAC as hexadecimal digits, lower case, and a terminator. */
void leadq_mac_hex(const unsigned char mac[LEADQ_MAC_LEN],
    char hex[LEADQ_MAC_HEX + 1]);

/*
 * Writes a token and its terminator to out.
 *
 * purpose    what the link may do, for example "confirm"; at most 64 bytes
 * subject    UUID of what the link is about
 * expires    first second at which the token is no more valid, unix time
 *
 * out is the empty string when libcrypto failed (out of memory).
 */
void leadq_signed_make(const leadq_keys_t *keys, const char *purpose,
    const unsigned char subject[16], int64_t expires,
    char out[LEADQ_SIGNED_LEN + 1]);

/*
 * Checks a token, in constant time as far as the MAC is concerned.
 *
 * token, len  what the client sent; any bytes
 * now         unix seconds
 * subject     written only for LEADQ_SIGNED_OK and LEADQ_SIGNED_EXPIRED
 */
leadq_signed_e leadq_signed_read(const leadq_keys_t *keys, const char *purpose,
    const char *token, size_t len, int64_t now, unsigned char subject[16]);


#endif /* LEADQ_SIGNED_H_INCLUDED */
