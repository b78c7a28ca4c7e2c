/*
 * One-time codes.  A code is derived, so that whoever has the key can make it
 * again and nobody has to keep it:
 *
 *     first 8 bytes, the greatest first, of
 *     HMAC-SHA-256(code key, verification ":" seed ":otp")   mod 10^n
 *
 * What proves a code that somebody has typed is, in hex,
 *
 *     HMAC-SHA-256(check key, verification ":" digits)
 *
 * which is all that the database is told of it.
 */

#ifndef LEADQ_CODE_H
#define LEADQ_CODE_H

#include "leadq_signed.h"

#include <stddef.h>

#define CODE_MIN 4
#define CODE_MAX 8
#define CODE_ID_LEN 36
#define CODE_SEED_LEN 32
#define CODE_FIRST_KEY (-1)

typedef struct {
    int key;                   /* the id of the key that was taken */
    char digits[CODE_MAX + 1]; /* a secret */
} code_t;

typedef struct {
    int key;
    char hex[LEADQ_MAC_HEX + 1];
} code_proof_t;

/*
 * Derives the code of n digits (CODE_MIN..CODE_MAX) of a verification, a UUID
 * in lower case, with the key of that id or with the first one.  -1: the file
 * has no such key, or libcrypto failed.
 */
int code_derive(const leadq_keys_t *keys, int key, const char *id,
                const char *seed, size_t n, code_t *code)
    __attribute__((warn_unused_result));

/* Wipes it. */
void code_forget(code_t *code);

/* The proof of digits under the first key.  -1: libcrypto failed. */
int code_prove(const leadq_keys_t *keys, const char *id, const char *digits,
               code_proof_t *proof) __attribute__((warn_unused_result));

/* A UUID in lower case? */
int code_is_id(const char *text);

/* CODE_SEED_LEN hexadecimal digits in lower case? */
int code_is_seed(const char *text);

/* CODE_MIN..CODE_MAX digits? */
int code_is_digits(const char *text);

#endif
