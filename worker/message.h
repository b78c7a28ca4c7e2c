/*
 * Messages: a text that a gateway brings to a person, as SQL has written it.
 *
 * Translates a payload of kind sms into what the gateway is told besides it
 * (the request is postback.h's), and the gateway's answer into an outcome,
 * which has neither text nor number.
 */

#ifndef LEADQ_MESSAGE_H
#define LEADQ_MESSAGE_H

#include "fault.h"
#include "http.h"
#include "outcome.h"
#include "postback.h"

#include <jansson.h>

typedef struct message_s message_t;

/*
 * A message from a job's payload, owned by the caller; or NULL with the fault
 * set: the job is dead.
 */
message_t *message_new(const json_t *payload, fault_t *fault)
    __attribute__((warn_unused_result));

/* Accepts NULL. */
void message_free(message_t *message);

/* For postback_new(); borrowed, lives as long as the message. */
const postback_told_t *message_told(const message_t *message);

/* What the answer means. */
void message_judge(const message_t *message, const postback_t *postback,
                   const http_result_t *result, outcome_t *outcome);

#endif
