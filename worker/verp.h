/*
 * Return paths that say which letter comes back, and prove that it was ours:
 *
 *     bounces+TOKEN@bounce.example.ru     TOKEN = id36 "." mac
 *
 * id36 is the message's UUID in base 36, mac 40 bits of an HMAC over it in
 * base 32.  Both in lower case only, because some servers fold the case of a
 * local part; nothing of the recipient is in it.
 */

#ifndef LEADQ_VERP_H
#define LEADQ_VERP_H

#include "leadq_signed.h"

#include <stddef.h>

#define VERP_ID_LEN 25
#define VERP_MAC_LEN 8
#define VERP_TOKEN_LEN (VERP_ID_LEN + 1 + VERP_MAC_LEN)
#define VERP_MAX_LOCAL (64 - 1 - VERP_TOKEN_LEN) /* RFC 5321: 64 in all */
#define VERP_MAX_ADDRESS 320

/* The id in base 36, with its terminator. */
void verp_id(const unsigned char uuid[16], char id[VERP_ID_LEN + 1]);

/* The UUID of the 25 digits at id, either case.  -1: they are none. */
int verp_id_read(const char *id, unsigned char uuid[16]);

/*
 * The return path of a letter, for the address that bounces go to.  -1: the
 * address is none, or libcrypto failed; path is "" then.
 */
int verp_make(const leadq_keys_t *keys, const char *address,
              const unsigned char uuid[16], char path[VERP_MAX_ADDRESS + 1]);

/*
 * Looks for a return path of ours anywhere in a text.  0: a genuine one, its
 * letter is in uuid.
 */
int verp_find(const leadq_keys_t *keys, const char *address, const char *text,
              unsigned char uuid[16]);

#endif
