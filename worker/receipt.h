/*
 * Receipts: what gateways report of messages, in a request to us or as the
 * answer to a question of ours.
 *
 * Where it says what, a gateway's configuration tells: paths (jpath.h) and
 * the names of its states and errors.  Every byte is a stranger's until the
 * signature, where there is one, has been checked.
 *
 *     smsc    md5 and sha1, hex, of "id:phone:status:secret": each that is
 *             given, at least one
 *     twilio  base64 of HMAC-SHA1(secret, URL and all fields in the order of
 *             their names, name and value without anything between)
 */

#ifndef LEADQ_RECEIPT_H
#define LEADQ_RECEIPT_H

#include "fault.h"

#include <jansson.h>
#include <stddef.h>

#define RECEIPT_MAX 1000       /* of one request */
#define RECEIPT_MAX_ID 100     /* bytes of an id; longer ones are none */
#define RECEIPT_MAX_FIELDS 100 /* of a request with a signature */

/*
 * Reads a payload of kind receipt.  NULL, with an array of
 * {"id", "send", "state", "error"} that the caller owns; or why there is
 * none: "signature", "receipt" (not understood), "bad-payload" with the fault
 * set (what a person must mend).  A secret is read from secrets_dir (may be
 * NULL).
 */
const char *receipt_read(const json_t *payload, const char *secrets_dir,
                         json_t **receipts, fault_t *fault)
    __attribute__((warn_unused_result));

/*
 * Reads the body of an answer by the configuration of a poll: an array with
 * the one receipt of our send, owned by the caller, or NULL: not understood.
 */
json_t *receipt_answer(const json_t *poll, const char *send, const char *body,
                       size_t len) __attribute__((warn_unused_result));

#endif
