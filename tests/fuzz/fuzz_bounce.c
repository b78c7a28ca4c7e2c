/*
 * Any bytes as a mail server's reply: there is always an outcome, a 4xx is
 * never dead, and what is kept of the reply is short, clean UTF-8.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bounce.h"
#include "leadq_utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    smtp_result_t result;
    outcome_t outcome;
    char *reply, *json;

    if (size < 2) {
        return 0;
    }
    reply = malloc(size - 1);
    if (reply == NULL) {
        return 0;
    }
    memcpy(reply, data + 2, size - 2);
    reply[size - 2] = '\0';
    memset(&result, 0, sizeof(result));
    result.end = SMTP_REPLIED;
    result.phase = (smtp_phase_e)(data[0] % 4);
    result.code = 400 + data[1] % 200;
    result.reply = reply;
    outcome_init(&outcome);
    bounce_judge(&result, &outcome);
    if (outcome.class_ == CLASS_NONE || outcome.outcome == OUTCOME_DONE
        || (result.code < 500 && outcome.outcome == OUTCOME_DEAD)
        || (outcome.class_ == CLASS_HARD && result.code < 500)
        || strlen(outcome.reply) > OUTCOME_MAX_REPLY
        || !leadq_utf8_valid(outcome.reply, strlen(outcome.reply)))
    {
        abort();
    }
    json = outcome_json(&outcome);
    if (json == NULL) {
        abort();
    }
    free(json);
    free(reply);
    return 0;
}
