/*
 * Texts by language, in the business document: those that bring a code, and
 * what people read on a page.
 */

#ifndef LEADQ_CTL_TEXTS_H
#define LEADQ_CTL_TEXTS_H

#include "ctl_check.h"

/* An object of languages; judge says what is wrong with a text, or NULL. */
void ctl_texts_by_language(ctl_check_t *check, json_t *value,
                           const char *(*judge)(const char *text));

/* Something to read, of at most 200 characters, by language. */
void ctl_texts_title(ctl_check_t *check, json_t *value);

/* The texts of a step, by language; and of the message with a promo code. */
void ctl_texts_check(ctl_check_t *check, json_t *value);
void ctl_texts_promo(ctl_check_t *check, json_t *value);

/* What of a step's texts, where the check stands, its gateway and the
 * language of the profile do not go with. */
void ctl_texts_whole(ctl_check_t *check, const json_t *step, const char *lang);

/*
 * The text as it leaves: with a code, and the last line for the browsers of
 * that site (NULL: none).
 */
void ctl_texts_write(buf_t *out, const char *text, const char *code,
                     const char *host);

/*
 * Prints a line about each text of a good document: its length, with the
 * longest code in it, and of an SMS its segments.  For "config check".
 */
void ctl_texts_tell(ctl_check_t *check);

#endif
