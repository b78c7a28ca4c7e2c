/*
 * Owns the code of a send and the text with it, from the claim to the end.
 */

#include "sending.h"
#include "buf.h"
#include "jpath.h"
#include "segments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK "{code}"
#define MAX_PHONE 20
#define MAX_PATH 200
#define MAX_TEXT 16384
#define NO_KEY 256

struct sending_s {
    char id[CODE_ID_LEN + 1];
    int chosen; /* the gateway chooses the digits */
    size_t n;   /* how many */
    code_t code;
    code_proof_t proof;
    char *text; /* owned, a secret; NULL: none, or used */
    long segments;
    char segments_text[24];
    postback_told_t told;
    char phone[MAX_PHONE + 1]; /* its digits */
    char id_path[MAX_PATH + 1];
    char code_path[MAX_PATH + 1];
    char operator_path[MAX_PATH + 1];
};

static const char *
text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* A text that may be missing, and is refused when it is too long. */
static int
take(const json_t *object, const char *key, char *out, size_t size)
{
    const char *text = text_of(object, key);
    int len;

    len = snprintf(out, size, "%s", text == NULL ? "" : text);
    return len >= 0 && (size_t)len < size ? 0 : -1;
}

/* --- the code ------------------------------------------------------------ */

/* The key that made the code before, or the first; NO_KEY is no key's id. */
static int
key_of(const json_t *code)
{
    const json_t *key = json_object_get(code, "key");
    json_int_t id = json_integer_value(key);

    return !json_is_integer(key)   ? CODE_FIRST_KEY
           : id < 0 || id > NO_KEY ? NO_KEY
                                   : (int)id;
}

static int
derive(sending_t *sending, const json_t *code, const leadq_keys_t *code_keys,
       const leadq_keys_t *check_keys, const char **reason, fault_t *fault)
{
    const char *seed = text_of(code, "seed");
    int key = key_of(code);

    if (seed == NULL || !code_is_seed(seed)) {
        return fault_set(fault, 0, "the payload's code has no seed");
    }
    *reason = "keys";
    if (code_keys == NULL) {
        return fault_set(fault, 0, "code_keys is not configured");
    }
    if (code_derive(code_keys, key, sending->id, seed, sending->n,
                    &sending->code)
            != 0
        || code_prove(check_keys, sending->id, sending->code.digits,
                      &sending->proof)
               != 0)
    {
        return fault_set(fault, 0, "code_keys has no key %d", key);
    }
    return 0;
}

static int
write_text(sending_t *sending, const char *text, fault_t *fault)
{
    const char *mark;
    buf_t out;

    sending->segments = 1;
    if (text == NULL) {
        return 0;
    }
    buf_init_secret(&out, MAX_TEXT);
    while ((mark = strstr(text, MARK)) != NULL) {
        buf_add(&out, text, (size_t)(mark - text));
        buf_add_str(&out, sending->code.digits);
        text = mark + strlen(MARK);
    }
    buf_add_str(&out, text);
    sending->segments = segments_count(buf_str(&out), out.len);
    sending->text = buf_take(&out);
    return sending->text == NULL ? fault_set(fault, 0, "the text is too long")
                                 : 0;
}

static int
read_code(sending_t *sending, const json_t *code,
          const leadq_keys_t *code_keys, const leadq_keys_t *check_keys,
          const char **reason, fault_t *fault)
{
    const char *id = text_of(code, "id");
    json_int_t n = json_integer_value(json_object_get(code, "digits"));

    if (id == NULL || !code_is_id(id) || n < CODE_MIN || n > CODE_MAX) {
        return fault_set(fault, 0, "the payload's code has no id or digits");
    }
    (void)snprintf(sending->id, sizeof(sending->id), "%s", id);
    sending->n = (size_t)n;
    sending->chosen = json_is_true(json_object_get(code, "chosen"));
    if (check_keys == NULL) {
        *reason = "keys";
        return fault_set(fault, 0, "check_keys is not configured");
    }
    if (!sending->chosen
        && derive(sending, code, code_keys, check_keys, reason, fault) != 0)
    {
        return -1;
    }
    *reason = "bad-payload";
    return write_text(sending, text_of(code, "text"), fault);
}

sending_t *
sending_new(const json_t *payload, const leadq_keys_t *code_keys,
            const leadq_keys_t *check_keys, const char **reason,
            fault_t *fault)
{
    const json_t *answer = json_object_get(payload, "answer"),
                 *values = json_object_get(payload, "values");
    sending_t *sending;

    *reason = "bad-payload";
    sending = calloc(1, sizeof(*sending));
    if (sending == NULL) {
        (void)fault_set(fault, 0, "out of memory");
        return NULL;
    }
    if (read_code(sending, json_object_get(payload, "code"), code_keys,
                  check_keys, reason, fault)
        != 0)
    {
        sending_free(sending);
        return NULL;
    }
    if (take(values, "digits", sending->phone, sizeof(sending->phone)) != 0
        || take(answer, "id", sending->id_path, sizeof(sending->id_path)) != 0
        || take(answer, "code", sending->code_path, sizeof(sending->code_path))
               != 0
        || take(answer, "operator", sending->operator_path,
                sizeof(sending->operator_path))
               != 0)
    {
        (void)fault_set(fault, 0, "a number or a path is too long");
        sending_free(sending);
        return NULL;
    }
    (void)snprintf(sending->segments_text, sizeof(sending->segments_text),
                   "%ld", sending->segments);
    sending->told.code = sending->chosen ? NULL : sending->code.digits;
    sending->told.text = sending->text;
    sending->told.segments = sending->segments_text;
    return sending;
}

void
sending_built(sending_t *sending)
{
    sending->told.text = NULL;
    if (sending->text != NULL) {
        explicit_bzero(sending->text, strlen(sending->text));
        free(sending->text);
        sending->text = NULL;
    }
}

void
sending_free(sending_t *sending)
{
    if (sending != NULL) {
        sending_built(sending);
        code_forget(&sending->code);
        free(sending);
    }
}

const postback_told_t *
sending_told(const sending_t *sending)
{
    return &sending->told;
}

const code_t *
sending_code(const sending_t *sending)
{
    return sending->chosen ? NULL : &sending->code;
}

const code_proof_t *
sending_proof(const sending_t *sending)
{
    return sending->chosen ? NULL : &sending->proof;
}

long
sending_segments(const sending_t *sending)
{
    return sending->segments;
}

/* --- the answer ---------------------------------------------------------- */

/* As a text; digits that were a number may have lost their zeros. */
static void
read_digits(const char *said, char digits[CODE_MAX + 1])
{
    size_t len = strlen(said);

    *digits = '\0';
    if (len > CODE_MAX) {
        return;
    }
    (void)snprintf(digits, CODE_MAX + 1, "%.*s%s",
                   len < CODE_MIN ? (int)(CODE_MIN - len) : 0, "0000", said);
    if (len == 0 || !code_is_digits(digits)) {
        *digits = '\0';
    }
}

/* The digits that the gateway has chosen, or it was all for nothing. */
static void
prove(const sending_t *sending, const leadq_keys_t *check_keys,
      const char *digits, outcome_t *outcome)
{
    code_proof_t proof;

    if (*digits != '\0' && check_keys != NULL
        && code_prove(check_keys, sending->id, digits, &proof) == 0)
    {
        outcome->check_key = proof.key;
        (void)snprintf(outcome->mac, sizeof(outcome->mac), "%s", proof.hex);
        return;
    }
    outcome->outcome = OUTCOME_DEAD;
    outcome->reason = *digits == '\0' ? "no-code" : "keys";
}

void
sending_judge(const sending_t *sending, const postback_t *postback,
              const leadq_keys_t *check_keys, const http_result_t *result,
              outcome_t *outcome)
{
    const char *hidden[POSTBACK_MAX_HIDDEN];
    char number[JPATH_NUMBER], digits[CODE_MAX + 1] = "";
    const char *said = NULL;
    json_t *answer;
    size_t n = 0;

    answer = result->end == HTTP_REPLIED
                 ? jpath_body(result->body, result->body_len)
                 : NULL;
    if (sending->chosen) {
        said = jpath_text_at(answer, sending->code_path, number);
        if (said != NULL) {
            read_digits(said, digits);
        }
        hidden[n++] = said;
        hidden[n++] = digits;
    } else {
        hidden[n++] = sending->code.digits;
    }
    hidden[n++] = sending->phone;
    /* without the country's 7, for which some write 8 */
    hidden[n++] = strlen(sending->phone) > 1 ? sending->phone + 1 : NULL;
    postback_judge(postback, result, hidden, n, outcome);
    outcome->segments = sending->segments;
    if (outcome->outcome == OUTCOME_DONE) {
        jpath_keep(answer, sending->id_path, outcome->provider_id,
                   sizeof(outcome->provider_id));
        jpath_keep(answer, sending->operator_path, outcome->operator_,
                   sizeof(outcome->operator_));
        if (sending->chosen) {
            prove(sending, check_keys, digits, outcome);
        }
    }
    explicit_bzero(number, sizeof(number));
    explicit_bzero(digits, sizeof(digits));
    json_decref(answer);
}
