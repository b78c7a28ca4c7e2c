/*
 * Letters: a job's payload into an SMTP letter.  This file only translates;
 * smtp.h sends, bounce.h reads the server's answer.
 */

#ifndef LEADQ_LETTER_H
#define LEADQ_LETTER_H

#include "fault.h"
#include "leadq_signed.h"
#include "smtp.h"

#include <jansson.h>
#include <time.h>

#define LETTER_MAX_PART (512 * 1024)
#define LETTER_MAX_HEADER 4096

typedef struct letter_s letter_t;

/*
 * A letter from a job's payload, owned by the caller; or NULL with the fault
 * set: the job is dead.  Links get their tokens from keys.
 */
letter_t *letter_new(const json_t *payload, const leadq_keys_t *keys,
                     time_t now, fault_t *fault)
    __attribute__((warn_unused_result));
void letter_free(letter_t *letter);

/* What smtp_start takes; borrowed, lives as long as the letter. */
const smtp_letter_t *letter_smtp(const letter_t *letter);

#endif
