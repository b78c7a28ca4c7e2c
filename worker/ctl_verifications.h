/*
 * What the parts of the section "verifications" have in common: the parts
 * with a file of their own.
 */

#ifndef LEADQ_CTL_VERIFICATIONS_H
#define LEADQ_CTL_VERIFICATIONS_H

#include "ctl_check.h"

/* The texts of a step, by language. */
void ctl_texts_check(ctl_check_t *check, json_t *value);

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

/* Its limits; and what of them, where the check stands, is not for its kind.
 */
void ctl_profile_limits_check(ctl_check_t *check, json_t *list);
void ctl_profile_limits_whole(ctl_check_t *check, const json_t *list,
                              int is_desk);

/* Is it of the kind "desk"? and how long a code of it is. */
int ctl_profile_is_desk(const json_t *profile);
size_t ctl_profile_digits(const json_t *profile);

#endif
