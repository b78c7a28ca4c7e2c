
/*
 * Sessions; see leadq_session.h.
 */

#include "leadq_session.h"

#include <stdio.h>
#include <string.h>

#include <openssl/rand.h>


#define LEADQ_SESSION_PURPOSE  "session"


int
leadq_cookie_next(const char **p, const char *end, const leadq_str_t *name,
    leadq_str_t *value)
{
    size_t       len, equals;
    const char  *stop, *begin;

    while (*p < end) {

        stop = memchr(*p, ';', (size_t) (end - *p));
        if (stop == NULL) {
            stop = end;
        }

        begin = *p;
        len = (size_t) (stop - begin);
        *p = stop < end ? stop + 1 : end;

        leadq_type_trim(&begin, &len);

        equals = name->len;

        if (len > equals && begin[equals] == '='
            && memcmp(begin, name->data, equals) == 0)
        {
            value->data = begin + equals + 1;
            value->len = len - equals - 1;

            return 1;
        }
    }

    return 0;
}


leadq_session_e
leadq_session_read(const leadq_keys_t *keys, const leadq_str_t *token,
    int64_t now, int64_t life, unsigned char subject[16])
{
    if (leadq_signed_read(keys, LEADQ_SESSION_PURPOSE, token->data,
                          token->len, now, subject)
        != LEADQ_SIGNED_OK)
    {
        return LEADQ_SESSION_NONE;
    }

    /* would it be good for another half? */

    return leadq_signed_read(keys, LEADQ_SESSION_PURPOSE, token->data,
                             token->len, now + life / 2, subject)
           == LEADQ_SIGNED_OK ? LEADQ_SESSION_GOOD : LEADQ_SESSION_AGED;
}


int
leadq_session_new(unsigned char subject[16])
{
    return RAND_bytes(subject, 16) == 1 ? 0 : -1;
}


void
leadq_session_make(const leadq_keys_t *keys, const unsigned char subject[16],
    int64_t now, int64_t life, char out[LEADQ_SIGNED_LEN + 1])
{
    leadq_signed_make(keys, LEADQ_SESSION_PURPOSE, subject, now + life, out);
}


void
leadq_session_hex(const unsigned char subject[16],
    char hex[LEADQ_SESSION_HEX + 1])
{
    int  i;

    for (i = 0; i < 16; i++) {
        snprintf(hex + 2 * i, 3, "%02x", subject[i]);
    }
}
