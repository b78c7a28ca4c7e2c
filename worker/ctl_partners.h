/*
 * The partners of a source in the business document: a list, or one in keys
 * of the source itself.  For ctl_rules.c.
 */

#ifndef LEADQ_CTL_PARTNERS_H
#define LEADQ_CTL_PARTNERS_H

#include "ctl_check.h"

void ctl_partners_list(ctl_check_t *check, json_t *list);

void ctl_partners_network(ctl_check_t *check, json_t *value);
void ctl_partners_payout(ctl_check_t *check, json_t *value);
void ctl_partners_currency(ctl_check_t *check, json_t *value);
void ctl_partners_offer(ctl_check_t *check, json_t *value);

/* The rules that take more than one key of a source. */
void ctl_partners_whole(ctl_check_t *check, const json_t *source);

#endif
