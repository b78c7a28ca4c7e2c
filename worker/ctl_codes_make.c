/*
 * Chance, for promo codes: every symbol is as likely as any other.
 */

#include "ctl_codes.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

#define SYMBOLS (sizeof(LEADQ_PROMO_SYMBOLS) - 1)

/* Bytes from here on would favour the first symbols. */
#define FAIR (256 / SYMBOLS * SYMBOLS)

#define MAX_LETTERS 3 /* in a row */

/* The next byte, or -1. */
static int
next_byte(ctl_random_t *random)
{
    ssize_t n;

    while (random->left == 0) {
        n = getrandom(random->bytes, sizeof(random->bytes), 0);
        if (n > 0) {
            random->left = (size_t)n;
        } else if (n == -1 && errno != EINTR) {
            return -1;
        }
    }
    return random->bytes[--random->left];
}

static int
make_symbols(ctl_random_t *random, char *code, size_t n)
{
    size_t i = 0;
    int byte;

    while (i < n) {
        byte = next_byte(random);
        if (byte == -1) {
            return -1;
        }
        if ((size_t)byte < FAIR) {
            code[i++] = LEADQ_PROMO_SYMBOLS[(size_t)byte % SYMBOLS];
        }
    }
    return 0;
}

static int
may_be_a_word(const char code[LEADQ_PROMO_LEN])
{
    size_t i, letters = 0;

    for (i = 0; i < LEADQ_PROMO_LEN; i++) {
        letters = code[i] >= 'A' ? letters + 1 : 0;
        if (letters > MAX_LETTERS) {
            return 1;
        }
    }
    return 0;
}

int
ctl_codes_make(ctl_random_t *random, char code[LEADQ_PROMO_LEN + 1])
{
    do {
        if (make_symbols(random, code, LEADQ_PROMO_LEN - 1) == -1) {
            return -1;
        }
        code[LEADQ_PROMO_LEN - 1] = leadq_promo_symbol(code);
        code[LEADQ_PROMO_LEN] = '\0';
    } while (may_be_a_word(code));
    return 0;
}

void
ctl_codes_show(const char code[LEADQ_PROMO_LEN],
               char shown[CTL_CODES_SHOWN_SIZE])
{
    size_t i;

    for (i = 0; i < LEADQ_PROMO_LEN; i++) {
        if (i > 0 && i % 4 == 0) {
            *shown++ = '-';
        }
        *shown++ = code[i];
    }
    *shown = '\0';
}
