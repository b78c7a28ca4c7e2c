/*
 * What the parts of the section "verifications" have in common: the parts
 * with a file of their own.
 */

#ifndef LEADQ_CTL_VERIFICATIONS_H
#define LEADQ_CTL_VERIFICATIONS_H

#include "ctl_check.h"

/* Its limits; and what of them, where the check stands, is not for its kind.
 */
void ctl_profile_limits_check(ctl_check_t *check, json_t *list);
void ctl_profile_limits_whole(ctl_check_t *check, const json_t *list,
                              int is_desk);

/* Is it of the kind "desk"? and how long a code of it is. */
int ctl_profile_is_desk(const json_t *profile);
size_t ctl_profile_digits(const json_t *profile);

#endif
