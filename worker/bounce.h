/*
 * What a mail server's refusal means: the class of a bounce and the outcome
 * of the job.  Hard and soft say something of the address; block speaks of
 * us and never counts against it.
 */

#ifndef LEADQ_BOUNCE_H
#define LEADQ_BOUNCE_H

#include "outcome.h"
#include "smtp.h"

/* Fills outcome from what became of a letter. */
void bounce_judge(const smtp_result_t *result, outcome_t *outcome);

/*
 * Copies the enhanced status code ("5.1.1") at the beginning of a reply to
 * code, or "" when there is none or it disagrees with the reply code.
 */
void bounce_code(const char *reply, int smtp, char code[12]);

/*
 * The class of a reply: enhanced code first, then the words, then the three
 * digits and the command they answer.
 */
class_e bounce_class(smtp_phase_e phase, int smtp, const char *code,
                     const char *reply);

/*
 * The class of a failure that somebody reports after the fact, from its
 * Status and its Diagnostic-Code ("550 5.1.1 No such user"), each may be "".
 * Prefers the enhanced code of the diagnostic.  Fills class_, code, smtp and
 * reply; the class is hard, soft or block.
 */
void bounce_report(const char *status, const char *diagnostic,
                   outcome_t *outcome);

/* The same for a text without any form.  -1: it says nothing we know. */
int bounce_words(const char *text, outcome_t *outcome);

#endif
