/*
 * What the macros of one call are worth: values of the payload, the secret,
 * what a gateway is told.  For postback.h alone.
 */

#ifndef LEADQ_POSTBACK_VALUES_H
#define LEADQ_POSTBACK_VALUES_H

#include "postback.h"
#include "secret.h"

#include <openssl/evp.h>

typedef struct {
    const json_t *values; /* all borrowed */
    const char *id;
    const char *secret_name;
    const char *secrets_dir;
    int shown;                   /* with stars in the place of secrets */
    int webhook;                 /* names of webhook.h, too */
    const postback_told_t *told; /* of gateway.h, too; or NULL */
    secret_t secret;             /* read when it is asked for */
    char hmac[2 * EVP_MAX_MD_SIZE + 1];
    const char *problem; /* with a secret; static text */
} postback_values_t;

/*
 * The text with its macros replaced, at most max bytes, owned by the caller
 * and a secret; and the same for people.  -1 with the fault set.
 */
int postback_values_expand(postback_values_t *values, const char *text,
                           macro_encoding_e encoding, size_t max,
                           char **result, fault_t *fault)
    __attribute__((warn_unused_result));
int postback_values_show(postback_values_t *values, const char *text,
                         macro_encoding_e encoding, size_t max, char **result,
                         fault_t *fault) __attribute__((warn_unused_result));

#endif
