
/*
 * Sessions: a signed token that says "the same browser as before" and nothing
 * else.  No table knows it, and nobody can make one up.
 *
 *     token = leadq_signed_make(key, "session", subject, expires)
 *
 * The subject is 16 random bytes; whatever belongs to the session keeps them.
 */

#ifndef LEADQ_SESSION_H_INCLUDED
#define LEADQ_SESSION_H_INCLUDED


#include "leadq_types.h"


#define LEADQ_SESSION_TRIES  8              /* cookies of one name, at most */
#define LEADQ_SESSION_HEX    32


typedef enum {
    LEADQ_SESSION_NONE,                     /* no good token */
    LEADQ_SESSION_GOOD,
    LEADQ_SESSION_AGED                      /* good, over half of its life */
} leadq_session_e;


/*
 * Finds the next cookie of a name in a header "Cookie: a=b; c=d".
 *
 * p     moved behind what was read; at first the begin of the header's value
 * end   its end
 *
 * Returns 1, or 0 if there is no further one.
 */
int leadq_cookie_next(const char **p, const char *end,
    const leadq_str_t *name, leadq_str_t *value);

/*
 * Reads a token.
 *
 * life     seconds that tokens are made for
 * subject  written if the token is good
 */
leadq_session_e leadq_session_read(const leadq_keys_t *keys,
    const leadq_str_t *token, int64_t now, int64_t life,
    unsigned char subject[16]);

/* Writes the subject of a new session; 0, or -1: no random bytes. */
int leadq_session_new(unsigned char subject[16]);

/*
 * Writes a token that begins now; out is the empty string when libcrypto
 * failed.
 */
void leadq_session_make(const leadq_keys_t *keys,
    const unsigned char subject[16], int64_t now, int64_t life,
    char out[LEADQ_SIGNED_LEN + 1]);

/* Writes the subject as hexadecimal digits, and a terminator. */
void leadq_session_hex(const unsigned char subject[16],
    char hex[LEADQ_SESSION_HEX + 1]);


#endif /* LEADQ_SESSION_H_INCLUDED */
