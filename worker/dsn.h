/*
 * What a message in the bounce mailbox says: a delivery report (RFC 3464), a
 * complaint (RFC 5965), or nothing to us.  GMime parses; anything may be in
 * there, and most of it can be forged: only the return path proves that a
 * letter of ours is meant.
 */

#ifndef LEADQ_DSN_H
#define LEADQ_DSN_H

#include "leadq_signed.h"
#include "outcome.h"

#include <stddef.h>

#define DSN_MAX_ADDRESS 320

typedef enum {
    DSN_IGNORED, /* from a person or an automaton; reports that say nothing */
    DSN_FAILED,
    DSN_DELAYED,
    DSN_DELIVERED,
    DSN_COMPLAINT
} dsn_kind_e;

/* Which letter is meant, by what; each may be missing. */
typedef struct {
    int known;
    unsigned char uuid[16];
} dsn_letter_t;

typedef struct {
    dsn_kind_e kind;
    dsn_letter_t verp;                   /* a return path with our signature */
    dsn_letter_t envid;                  /* Original-Envelope-Id */
    dsn_letter_t message_id;             /* of the letter that came back */
    char recipient[DSN_MAX_ADDRESS + 1]; /* Final-Recipient, or "" */
    class_e class_;                      /* of a failure */
    char code[12];                       /* "5.1.1", or "" */
    char reply[OUTCOME_MAX_REPLY + 1];   /* the server's words, cleaned */
} dsn_t;

/* Once, before anything else here. */
void dsn_init(void);

/* Reads a message.  bounce_address is what return paths are made of. */
void dsn_read(const char *data, size_t len, const leadq_keys_t *keys,
              const char *bounce_address, dsn_t *dsn);

const char *dsn_kind_name(dsn_kind_e kind);

/* As take_reports() wants it, owned by the caller (free); NULL: no memory. */
char *dsn_json(const dsn_t *dsn) __attribute__((warn_unused_result));

#endif
