/*
 * Postbacks: one HTTP call that tells a CPA network what became of a lead.
 * A call to a gateway (gateway.h) is one, too, with headers and names of its
 * own, and with values that no payload has.
 *
 * This file only translates: a job's payload into a request (postback_build),
 * the network's answer into an outcome (postback_judge), and what a person
 * configured into "good" or a fault (postback_check_*).  http.h does the call.
 */

#ifndef LEADQ_POSTBACK_H
#define LEADQ_POSTBACK_H

#include "alias.h"
#include "fault.h"
#include "http.h"
#include "macro.h"
#include "outcome.h"

#include <jansson.h>
#include <stddef.h>
#include <time.h>

#define POSTBACK_MAX_URL 8192
#define POSTBACK_MAX_BODY (64 * 1024)
#define POSTBACK_JSON "application/json"
#define POSTBACK_FORM "application/x-www-form-urlencoded"
#define POSTBACK_TIMEOUT_MS 10000 /* when the payload says none */
#define POSTBACK_MAX_MACRO_HEADERS 8
#define POSTBACK_MAX_HEADER 4096 /* bytes of a value */
#define POSTBACK_MAX_HIDDEN 6

/* Our name for a macro, in own; or NULL with known set. */
typedef const char *(*postback_macro_pt)(const char *name,
                                         char own[ALIAS_MAX + 1],
                                         macro_known_e *known);

/*
 * Checks of a network's configuration; 0, or -1 with the fault set.
 *
 * url           http or https; the host stands there literally, without
 *               macros; every brace is balanced
 * macro         knows the macros of such requests: postback_macro, or what
 *               knows others
 * body          may be NULL; macros as above; JSON must be JSON
 * content_type  NULL, application/json or application/x-www-form-urlencoded
 * type, value   see match.h
 */
int postback_check_url(const char *url, size_t len, postback_macro_pt macro,
                       fault_t *fault) __attribute__((warn_unused_result));
int postback_check_body(const char *body, size_t len, const char *content_type,
                        postback_macro_pt macro, fault_t *fault)
    __attribute__((warn_unused_result));
int postback_check_method(const char *method, fault_t *fault)
    __attribute__((warn_unused_result));
int postback_check_match(const char *type, const char *value, fault_t *fault)
    __attribute__((warn_unused_result));

/* The macros of postbacks to networks, by whatever name of alias.h. */
const char *postback_macro(const char *name, char own[ALIAS_MAX + 1],
                           macro_known_e *known);

/* How macros in a body of that type (may be NULL) are encoded. */
int postback_encoding(const char *content_type, macro_encoding_e *encoding,
                      fault_t *fault) __attribute__((warn_unused_result));

typedef struct postback_s postback_t;

/*
 * What a gateway is told besides the payload's values; borrowed for the call,
 * any may be NULL.  Nobody is shown code and text, unless they are made up.
 */
typedef struct {
    const char *code;
    const char *text;
    const char *segments;
    int made_up;
} postback_told_t;

/*
 * A postback from a job's payload, owned by the caller; or NULL with the
 * fault set: the job is dead.  {token} and the keys to sign with are read from
 * secrets_dir (may be NULL); now is the time of the signature.  told: it is a
 * call to a gateway, with the names of gateway.h; NULL for all others.
 */
postback_t *postback_new(const json_t *payload, const char *secrets_dir,
                         time_t now, const postback_told_t *told,
                         fault_t *fault) __attribute__((warn_unused_result));

/* Frees it, and wipes what a gateway was told; accepts NULL. */
void postback_free(postback_t *postback);

/* The request; borrowed, lives as long as the postback. */
const http_request_t *postback_request(const postback_t *postback);

/*
 * What is sent, for people: the same URL, body (NULL: none) and headers of the
 * request with stars in the place of secrets and signatures; borrowed.
 */
const char *postback_shown_url(const postback_t *postback);
const char *postback_shown_body(const postback_t *postback);
const char *postback_shown_header(const postback_t *postback, size_t i);

/* "host" or "host:port" of the request; borrowed. */
const char *postback_host(const postback_t *postback);

/* Is the port of its URL one that the network may use? */
int postback_port_ok(const postback_t *postback);

/* Posts of the network at a time, 0: no wish; and a second, 0: no limit. */
long postback_concurrency(const postback_t *postback);
double postback_rate(const postback_t *postback);

/*
 * What the answer means for the job.  Of its words the outcome keeps what is
 * neither a secret nor one of n hidden texts (any may be NULL), at most
 * POSTBACK_MAX_HIDDEN.
 */
void postback_judge(const postback_t *postback, const http_result_t *result,
                    const char *const *hidden, size_t n, outcome_t *outcome);

#endif
