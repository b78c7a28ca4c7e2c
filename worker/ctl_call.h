/*
 * Calls of the business document, as postback.h makes them: the keys that
 * networks, webhooks and gateways have in common.
 *
 * Whoever has macros of his own says which (postback_macro_pt).
 */

#ifndef LEADQ_CTL_CALL_H
#define LEADQ_CTL_CALL_H

#include "ctl_check.h"

#include "postback.h"

void ctl_call_method(ctl_check_t *check, json_t *value);
void ctl_call_content_type(ctl_check_t *check, json_t *value);
void ctl_call_string(ctl_check_t *check, json_t *value); /* url, body */
void ctl_call_secret(ctl_check_t *check, json_t *value);
void ctl_call_match(ctl_check_t *check, json_t *value);
void ctl_call_concurrency(ctl_check_t *check, json_t *value);
void ctl_call_rate(ctl_check_t *check, json_t *value);
void ctl_call_ports(ctl_check_t *check, json_t *value);

/*
 * The value of a header, or another text that stands for itself; at most max
 * bytes.
 */
void ctl_call_text(ctl_check_t *check, json_t *value, size_t max,
                   postback_macro_pt macro);

/*
 * The URL and the body are good, method (the default when it is not there)
 * and type fit them, and the port is usual or one of ports.
 */
void ctl_call_whole(ctl_check_t *check, const json_t *call,
                    const json_t *ports, const char *method,
                    postback_macro_pt macro);

/* The owner, where the check stands, has a secret if the call names {token}.
 */
void ctl_call_token(ctl_check_t *check, const json_t *owner,
                    const json_t *call, postback_macro_pt macro);

/* Does its URL, its body or one of its headers name the macro? */
int ctl_call_names(const json_t *call, const char *name,
                   postback_macro_pt macro);

#endif
