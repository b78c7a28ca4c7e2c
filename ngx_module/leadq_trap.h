
/*
 * Traps for robots: a field that no person sees and so nobody fills in, and a
 * signed token that says when its form was opened.  Who is trapped gets the
 * same answer as everybody; the row says which trap it was.
 *
 * A form token is a signed token (see leadq_signed.h) for the purpose "form"
 * about a UUID version 7: its first 48 bits are the time of issue, in unix
 * milliseconds, and the others tell those of a millisecond apart.  It ends
 * after a week by itself, and for a form when the form says so.  It has one
 * spelling, so the hash of the text tells whether it was sent before.
 */

#ifndef LEADQ_TRAP_H_INCLUDED
#define LEADQ_TRAP_H_INCLUDED


#include "leadq_pairs.h"


#define LEADQ_FORM_TOKEN_MAX_MS  (INT64_C(7) * 24 * 3600 * 1000)


typedef enum {
    LEADQ_TRAP_NONE,
    LEADQ_TRAP_HONEYPOT,        /* the hidden field is filled in */
    LEADQ_TRAP_TOKEN_MISSING,
    LEADQ_TRAP_TOKEN_FORGED,    /* not one of ours, or more than one */
    LEADQ_TRAP_TOKEN_YOUNG,     /* sent faster than anybody types */
    LEADQ_TRAP_TOKEN_OLD
} leadq_trap_e;


/* The name for "$trap", "honeypot" for example; NULL for none. */
const char *leadq_trap_name(leadq_trap_e trap);

/* Takes the hidden field out of the pairs; tripped if it has any value. */
leadq_trap_e leadq_trap_honeypot(leadq_pairs_t *pairs,
    const leadq_str_t *name);

/*
 * Takes the token out of the pairs and checks it; ages in milliseconds.
 * good becomes the token, which stays where it was, or empty if it is none
 * for this form now.
 */
leadq_trap_e leadq_trap_token(leadq_pairs_t *pairs, const leadq_str_t *name,
    const leadq_keys_t *keys, int64_t now_ms, int64_t min_ms, int64_t max_ms,
    leadq_str_t *good);

/*
 * Writes a form token and its terminator; id is a fresh UUID version 7.
 * out is the empty string when libcrypto failed (out of memory).
 */
void leadq_trap_token_make(const leadq_keys_t *keys,
    const unsigned char id[16], char out[LEADQ_SIGNED_LEN + 1]);


#endif /* LEADQ_TRAP_H_INCLUDED */
