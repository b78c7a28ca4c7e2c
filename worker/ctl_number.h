/*
 * Numbers that an operator types.
 */

#ifndef LEADQ_CTL_NUMBER_H
#define LEADQ_CTL_NUMBER_H

#include "ctl_command.h"

/* Digits that are a bigint in any case. */
int ctl_number_ok(const char *text);

/* The number of --limit, or the one to begin with; NULL, said on standard
 * error: it is none. */
const char *ctl_number_limit(const ctl_options_t *options)
    __attribute__((warn_unused_result));

#endif
