/*
 * Sends: a message or a call that brings a person a one-time code.
 *
 * Translates a payload of kind code into what the gateway is told besides it
 * (the request is postback.h's) and what SQL is told before; and the
 * gateway's answer into an outcome.  Nothing but the request has the code.
 */

#ifndef LEADQ_SENDING_H
#define LEADQ_SENDING_H

#include "code.h"
#include "fault.h"
#include "http.h"
#include "outcome.h"
#include "postback.h"

#include <jansson.h>

typedef struct sending_s sending_t;

/*
 * A send from a job's payload, owned by the caller; or NULL with the fault
 * and a reason ("bad-payload", "keys") set: the job is dead.  The keys may be
 * NULL: then there are none.
 */
sending_t *sending_new(const json_t *payload, const leadq_keys_t *code_keys,
                       const leadq_keys_t *check_keys, const char **reason,
                       fault_t *fault) __attribute__((warn_unused_result));

/* Wipes and frees; accepts NULL. */
void sending_free(sending_t *sending);

/* For postback_new(); borrowed until sending_built(). */
const postback_told_t *sending_told(const sending_t *sending);

/* The request is built: wipes the text. */
void sending_built(sending_t *sending);

/*
 * What SQL is told before anything is sent: the code key's id and the code's
 * proof, or NULL when the gateway will choose the digits; and how many parts
 * the message has, 1 of a call.
 */
const code_t *sending_code(const sending_t *sending);
const code_proof_t *sending_proof(const sending_t *sending);
long sending_segments(const sending_t *sending);

/* What the answer means; check_keys (may be NULL) prove digits in it. */
void sending_judge(const sending_t *sending, const postback_t *postback,
                   const leadq_keys_t *check_keys, const http_result_t *result,
                   outcome_t *outcome);

#endif
