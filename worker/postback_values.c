/*
 * Owns the values that macros get.
 */

#include "postback_values.h"
#include "gateway.h"
#include "sign.h"
#include "webhook.h"

#include <stdio.h>
#include <string.h>

static const char *
text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* A value of a gateway; the code, and the text that has it, are for it. */
static const char *
told_value(const postback_values_t *values, const char *name)
{
    const char *hidden;

    if (strcmp(name, "segments") == 0) {
        return values->told->segments;
    }
    if (strcmp(name, "code") != 0 && strcmp(name, "text") != 0) {
        return text_of(values->values, name);
    }
    hidden = *name == 'c' ? values->told->code : values->told->text;
    return hidden != NULL && values->shown && !values->told->made_up
               ? macro_stars
               : hidden;
}

static const char *
job_value(void *data, const char *name, macro_known_e *known)
{
    postback_values_t *values = data;
    char buffer[ALIAS_MAX + 1];
    const char *own;

    if (values->webhook && webhook_is_name(name)) {
        *known = MACRO_KNOWN;
        return text_of(values->values, name);
    }
    if (values->told != NULL && gateway_is_name(name)) {
        *known = MACRO_KNOWN;
        return told_value(values, name);
    }
    own = postback_macro(name, buffer, known);
    if (own == NULL) {
        return NULL;
    }
    if (strcmp(own, "rand") == 0) {
        return values->id;
    }
    if (strcmp(own, "token") != 0) {
        return text_of(values->values, own);
    }
    if (values->shown) {
        return macro_stars;
    }
    if (values->secret.n == 0) {
        values->problem = secret_read(&values->secret, values->secrets_dir,
                                      values->secret_name, 1);
    }
    return values->secret.n == 0 ? NULL : values->secret.line[0];
}

static const char *
job_hmac(void *data, const char *digest, const char *name, const char *text)
{
    postback_values_t *values = data;
    const char *problem;
    secret_t key;
    buf_t hex;

    if (values->shown) {
        return macro_stars;
    }
    buf_init(&hex, sizeof(values->hmac));
    problem = secret_read(&key, values->secrets_dir, name, 1);
    if (problem == NULL && sign_text(&key, digest, text, &hex) != 0) {
        problem = "an HMAC cannot be made";
    }
    if (problem != NULL) {
        values->problem = problem;
    }
    (void)snprintf(values->hmac, sizeof(values->hmac), "%s", buf_str(&hex));
    secret_forget(&key);
    buf_done(&hex);
    return values->hmac;
}

int
postback_values_expand(postback_values_t *values, const char *text,
                       macro_encoding_e encoding, size_t max, char **result,
                       fault_t *fault)
{
    const macro_values_t macros = {job_value, job_hmac, values};
    buf_t out;

    buf_init_secret(&out, max);
    values->problem = NULL;
    if (macro_expand(text, strlen(text), encoding, &macros, &out, fault) != 0)
    {
        buf_done(&out);
        return -1;
    }
    if (values->problem != NULL) {
        buf_done(&out);
        return fault_set(fault, 0, "%s", values->problem);
    }
    *result = buf_take(&out);
    return *result == NULL ? fault_set(fault, 0, "out of memory") : 0;
}

int
postback_values_show(postback_values_t *values, const char *text,
                     macro_encoding_e encoding, size_t max, char **result,
                     fault_t *fault)
{
    int rc;

    values->shown = 1;
    rc = postback_values_expand(values, text, encoding, max, result, fault);
    values->shown = 0;
    return rc;
}
