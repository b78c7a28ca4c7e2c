/*
 * What became of a job, as the worker tells it to SQL: the outcome and the
 * details that apply.  SQL owns what follows from it.
 */

#ifndef LEADQ_OUTCOME_H
#define LEADQ_OUTCOME_H

#include <jansson.h>
#include <stddef.h>

#define OUTCOME_MAX_REPLY 200
#define OUTCOME_MAX_BODY 1000
#define OUTCOME_MAX_GROUP 64
#define OUTCOME_MAX_PROVIDER_ID 100
#define OUTCOME_MAX_MAC 64
#define OUTCOME_MAX_OPERATOR 40

typedef enum { OUTCOME_DONE, OUTCOME_RETRY, OUTCOME_DEAD } outcome_e;

typedef enum {
    CLASS_NONE, /* delivered, or not a letter */
    CLASS_HARD,
    CLASS_SOFT,
    CLASS_BLOCK,
    CLASS_GREYLIST,
    CLASS_NETWORK
} class_e;

typedef struct {
    outcome_e outcome;
    class_e class_;
    long ms;
    int http;           /* status; 0: none */
    int smtp;           /* reply code; 0: none */
    char code[12];      /* enhanced status code, "5.1.1"; or "" */
    long retry_after_s; /* -1: the peer did not say */
    const char *reason; /* static text, ours: why it is no success; or NULL */
    char reply[OUTCOME_MAX_REPLY + 1]; /* the peer's words, cleaned; or "" */
    const char *url;  /* what was sent, without secrets; or NULL; borrowed */
    const char *body; /* and its body; its beginning is kept */
    const char *mx;   /* static text: does the domain take mail; or NULL */
    char group[OUTCOME_MAX_GROUP + 1]; /* who takes it, or "" */

    /* of a send; "" or 0: not known, or not asked for */
    long segments;
    char provider_id[OUTCOME_MAX_PROVIDER_ID + 1];
    char mac[OUTCOME_MAX_MAC + 1]; /* of the digits that a gateway chose */
    int check_key;                 /* and the id of its key */
    char operator_[OUTCOME_MAX_OPERATOR + 1];
    json_t *receipts;    /* borrowed; what a gateway tells of sends; or NULL */
    const char *verdict; /* static text: on a person; or NULL */
} outcome_t;

void outcome_init(outcome_t *outcome);

/* Keeps the first bytes of the peer's words, without control characters and
 * without a torn UTF-8 sequence. */
void outcome_reply(outcome_t *outcome, const char *text, size_t len);

const char *outcome_name(outcome_e outcome);
const char *class_name(class_e class_);

/* The details as JSON, owned by the caller (free), or NULL: no memory. */
char *outcome_json(const outcome_t *outcome)
    __attribute__((warn_unused_result));

#endif
