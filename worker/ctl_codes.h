/*
 * How promo codes are made: eleven symbols by chance and one that checks
 * them, see leadq_promo.h.
 */

#ifndef LEADQ_CTL_CODES_H
#define LEADQ_CTL_CODES_H

#include "leadq_promo.h"

#include <stddef.h>

/* "XXXX-XXXX-XXXX", and its terminator. */
#define CTL_CODES_SHOWN_SIZE (LEADQ_PROMO_LEN + 3)

/* Random bytes of the system; all zeroes is a good beginning. */
typedef struct {
    unsigned char bytes[4096];
    size_t left;
} ctl_random_t;

/*
 * Makes a code; none has four letters in a row, which might be a word.  -1
 * with errno set: the system has no random bytes for us.
 */
int ctl_codes_make(ctl_random_t *random, char code[LEADQ_PROMO_LEN + 1])
    __attribute__((warn_unused_result));

/* The code as people read it. */
void ctl_codes_show(const char code[LEADQ_PROMO_LEN],
                    char shown[CTL_CODES_SHOWN_SIZE]);

#endif
