/*
 * Owns the text of a message, and what an answer must not bring back.
 */

#include "message.h"
#include "jpath.h"
#include "segments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CODE 64

struct message_s {
    json_t *payload; /* owned; the texts below are borrowed from it */
    const char *text;
    const char *code;    /* that is in the text; or NULL */
    const char *digits;  /* of the number */
    char bare[MAX_CODE]; /* the code without what makes it legible */
    long segments;
    char segments_text[24];
    postback_told_t told;
};

static const char *
text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void
strip(const char *code, char bare[MAX_CODE])
{
    size_t n = 0;

    for (; code != NULL && *code != '\0' && n < MAX_CODE - 1; code++) {
        if (*code != '-') {
            bare[n++] = *code;
        }
    }
    bare[n] = '\0';
}

message_t *
message_new(const json_t *payload, fault_t *fault)
{
    const json_t *values;
    message_t *message;

    message = calloc(1, sizeof(*message));
    if (message != NULL) {
        message->payload = json_deep_copy(payload);
    }
    if (message == NULL || message->payload == NULL) {
        message_free(message);
        (void)fault_set(fault, 0, "out of memory");
        return NULL;
    }
    values = json_object_get(message->payload, "values");
    message->text = text_of(values, "text");
    message->code = text_of(values, "code");
    message->digits = text_of(values, "digits");
    if (message->text == NULL || message->digits == NULL
        || strlen(message->digits) < 2)
    {
        message_free(message);
        (void)fault_set(fault, 0, "the payload has no text or no number");
        return NULL;
    }
    strip(message->code, message->bare);
    message->segments = segments_count(message->text, strlen(message->text));
    (void)snprintf(message->segments_text, sizeof(message->segments_text),
                   "%ld", message->segments);
    message->told.text = message->text;
    message->told.segments = message->segments_text;
    return message;
}

void
message_free(message_t *message)
{
    if (message != NULL) {
        json_decref(message->payload);
        free(message);
    }
}

const postback_told_t *
message_told(const message_t *message)
{
    return &message->told;
}

void
message_judge(const message_t *message, const postback_t *postback,
              const http_result_t *result, outcome_t *outcome)
{
    /* of the number also without the country's 7, for which some write 8 */
    const char *const hidden[] = {message->text, message->code, message->bare,
                                  message->digits, message->digits + 1};
    json_t *answer;

    postback_judge(postback, result, hidden,
                   sizeof(hidden) / sizeof(hidden[0]), outcome);
    outcome->segments = message->segments;
    if (outcome->outcome != OUTCOME_DONE) {
        return;
    }
    answer = jpath_body(result->body, result->body_len);
    jpath_keep(answer,
               text_of(json_object_get(message->payload, "answer"), "id"),
               outcome->provider_id, sizeof(outcome->provider_id));
    json_decref(answer);
}
