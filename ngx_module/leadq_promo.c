
/*
 * The type "promo": what a person reads from a card or a screen and types on
 * whatever keyboard layout is on, turned into the one spelling of the code.
 * A code with a typing error is told apart here, so that it costs nobody a
 * try.
 *
 * First every letter is taken for what it looks like.  If that makes no code,
 * Cyrillic letters are taken for the keys that they are on; this is believed
 * only if the check symbol agrees.
 */

#include "leadq_promo.h"
#include "leadq_types.h"

#include <string.h>

#include "leadq_utf8.h"


typedef struct {
    int32_t  upper;
    int32_t  lower;
    char     looks;                         /* 0: like nothing of ours */
    char     key;                           /* 0: on no key of ours */
} leadq_cyrillic_t;


typedef struct {
    size_t  n;                              /* symbols, may be more than LEN */
    int     alien;                          /* something that is no symbol */
    char    code[LEADQ_PROMO_LEN];
} leadq_folded_t;


static void leadq_promo_fold(const char *in, size_t len, int keys,
    leadq_folded_t *folded);
static char leadq_promo_letter(int32_t cp, int keys);
static int leadq_promo_blank(int32_t cp);
static int leadq_promo_good(const leadq_folded_t *folded);


static const char  leadq_promo_symbols[] = LEADQ_PROMO_SYMBOLS;


static const leadq_cyrillic_t  leadq_cyrillic[] = {
    { 0x0410, 0x0430, 'A', 0 },             /* А */
    { 0x0415, 0x0435, 'E', 'T' },           /* Е */
    { 0x0417, 0x0437, 0, 'P' },             /* З */
    { 0x041a, 0x043a, 'K', 0 },             /* К, on the key R */
    { 0x041b, 0x043b, 0, 'K' },             /* Л */
    { 0x041c, 0x043c, 'M', 0 },             /* М, on the key V */
    { 0x041d, 0x043d, 'H', 0 },             /* Н, on the key Y */
    { 0x0420, 0x0440, 'P', 'H' },           /* Р */
    { 0x0421, 0x0441, 'C', 'C' },           /* С */
    { 0x0422, 0x0442, 'T', 0 },             /* Т, on the key N */
    { 0x0423, 0x0443, 0, 'E' },             /* У */
    { 0x0424, 0x0444, 0, 'A' },             /* Ф */
    { 0x0425, 0x0445, 'X', 0 },             /* Х, on the key [ */
    { 0x0427, 0x0447, 0, 'X' },             /* Ч */
    { 0x042c, 0x044c, 0, 'M' },             /* Ь */
};

#define LEADQ_CYRILLIC  (sizeof(leadq_cyrillic) / sizeof(leadq_cyrillic_t))


leadq_code_e
leadq_promo_check(const char *in, size_t len, leadq_value_t *value)
{
    leadq_folded_t  looks, keys;

    leadq_promo_fold(in, len, 0, &looks);

    if (!leadq_promo_good(&looks)) {
        leadq_promo_fold(in, len, 1, &keys);

        if (leadq_promo_good(&keys)) {
            looks = keys;

        } else if (looks.alien) {
            return LEADQ_PROMO_BAD_CHARS;

        } else if (looks.n < LEADQ_PROMO_LEN) {
            return LEADQ_TOO_SHORT;

        } else if (looks.n > LEADQ_PROMO_LEN) {
            return LEADQ_TOO_LONG;

        } else {
            return LEADQ_CODE_TYPO;
        }
    }

    memcpy(value->data, looks.code, LEADQ_PROMO_LEN);
    value->len = LEADQ_PROMO_LEN;

    return LEADQ_OK;
}


static void
leadq_promo_fold(const char *in, size_t len, int keys, leadq_folded_t *folded)
{
    char         symbol;
    int32_t      cp;
    const char  *p, *end;

    folded->n = 0;
    folded->alien = 0;

    p = in;
    end = in + len;

    while (p < end) {
        cp = leadq_utf8_next(&p, end);

        if (leadq_promo_blank(cp)) {
            continue;
        }

        symbol = leadq_promo_letter(cp, keys);

        if (symbol == '\0') {
            folded->alien = 1;
            return;
        }

        if (folded->n < LEADQ_PROMO_LEN) {
            folded->code[folded->n] = symbol;
        }

        folded->n++;
    }
}


/* The symbol that a character means, or '\0'. */

static char
leadq_promo_letter(int32_t cp, int keys)
{
    size_t                   i;
    const leadq_cyrillic_t  *letter;

    if (cp >= 0xff10 && cp <= 0xff19) {                 /* full-width */
        cp = cp - 0xff10 + '0';
    }

    if (cp < 0x80) {

        if (cp >= 'a' && cp <= 'z') {
            cp -= 'a' - 'A';
        }

        /* who typed a Latin letter had no Russian layout on */

        if (cp <= 0 || (keys && cp >= 'A' && cp <= 'Z')) {
            return '\0';
        }

        return strchr(leadq_promo_symbols, cp) ? (char) cp : '\0';
    }

    for (i = 0; i < LEADQ_CYRILLIC; i++) {
        letter = &leadq_cyrillic[i];

        if (cp == letter->upper || cp == letter->lower) {
            return keys ? letter->key : letter->looks;
        }
    }

    return '\0';
}


static int
leadq_promo_blank(int32_t cp)
{
    return leadq_utf8_space(cp) || cp == '-'
           || (cp >= 0x2010 && cp <= 0x2015)            /* dashes */
           || cp == 0x2212;                             /* minus */
}


static int
leadq_promo_good(const leadq_folded_t *folded)
{
    return !folded->alien && folded->n == LEADQ_PROMO_LEN
           && leadq_promo_symbol(folded->code)
              == folded->code[LEADQ_PROMO_LEN - 1];
}


char
leadq_promo_symbol(const char code[LEADQ_PROMO_LEN - 1])
{
    size_t       i, sum;
    const char  *symbol;

    sum = 0;

    for (i = 0; i < LEADQ_PROMO_LEN - 1; i++) {

        symbol = code[i] ? strchr(leadq_promo_symbols, code[i]) : NULL;

        if (symbol == NULL) {
            return '\0';
        }

        sum += (i + 2) * (size_t) (symbol - leadq_promo_symbols);
    }

    return leadq_promo_symbols[sum % (sizeof(leadq_promo_symbols) - 1)];
}
