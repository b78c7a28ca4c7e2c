/*
 * What the parts of the section "gateways" have in common: macros of the
 * requests, and the parts with a file of their own.
 */

#ifndef LEADQ_CTL_GATEWAYS_H
#define LEADQ_CTL_GATEWAYS_H

#include "ctl_check.h"

#include "postback.h"

/* The macros of a request that sends a code, and of one that asks what
 * became of it. */
const char *ctl_gateways_macro(const char *name, char own[ALIAS_MAX + 1],
                               macro_known_e *known);
const char *ctl_gateways_poll_macro(const char *name, char own[ALIAS_MAX + 1],
                                    macro_known_e *known);

/* Where an answer or a report has something: "messages.0.messageId"; or that,
 * or all of it, "*". */
void ctl_gateways_path(ctl_check_t *check, json_t *value);
void ctl_gateways_path_or_all(ctl_check_t *check, json_t *value);

/* The same of a list of values that ends with NULL, besides what every call
 * has. */
const char *ctl_gateways_find_macro(const char *name,
                                    const char *const *allowed,
                                    char own[ALIAS_MAX + 1],
                                    macro_known_e *known);

/* The call, with what it and its headers may name. */
void ctl_gateways_call(ctl_check_t *check, const json_t *gateway,
                       postback_macro_pt macro, postback_macro_pt of_headers);

/* The words of a gateway, and which of ours (NULL ends them) each of them is.
 */
void ctl_words_check(ctl_check_t *check, json_t *table,
                     const char *const *ours);

/*
 * Who checks persons: puts the checks of such a gateway in their places among
 * the keys of all; and what is wrong with the whole.
 */
void ctl_identity_keys(ctl_key_t *keys);
void ctl_identity_whole(ctl_check_t *check, const json_t *gateway);

/* How a gateway reports, and how it is asked, for ctl_gateways_check(). */
void ctl_receipts_check(ctl_check_t *check, json_t *value);
void ctl_poll_check(ctl_check_t *check, json_t *value);

/* What of the poll is wrong beside the rest of its gateway. */
void ctl_poll_whole(ctl_check_t *check, const json_t *gateway);

/*
 * The gateway of that name, if the document has it; and its channel.  NULL:
 * it has not.
 */
const json_t *ctl_gateways_find(const json_t *document, const char *name);
const char *ctl_gateways_channel(const json_t *document, const char *name);

/* Is a channel (may be NULL) the one that judges captchas? one of those that
 * send codes? */
int ctl_gateways_judges(const char *channel);
int ctl_gateways_sends(const char *channel);

#endif
