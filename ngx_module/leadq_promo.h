
/*
 * Promo codes: eleven symbols and one that checks them.
 *
 *     symbols  2 3 4 5 6 7 8 9 A C E H K M P T X   (values 0 to 16)
 *     check    symbol of the sum of (i + 2) * value of symbol i, modulo 17,
 *              i from 0 to 10
 *
 * No symbol is taken for another, and every letter has a Cyrillic one that
 * looks the same.  As 17 is a prime, one wrong symbol or two neighbours in
 * the wrong order always show.
 */

#ifndef LEADQ_PROMO_H_INCLUDED
#define LEADQ_PROMO_H_INCLUDED


#include <stddef.h>


#define LEADQ_PROMO_LEN      12             /* with the check symbol */
#define LEADQ_PROMO_SYMBOLS  "23456789ACEHKMPTX"


/*
 * The check symbol of the first 11 symbols, or '\0' if one of them is none.
 *
 * Who issues codes calls this too.
 */
char leadq_promo_symbol(const char code[LEADQ_PROMO_LEN - 1]);


#endif /* LEADQ_PROMO_H_INCLUDED */
