/*
 * Owns the names of a gateway's values.
 */

#include "gateway.h"

#include <stddef.h>
#include <string.h>

static const char *const names[] = {
    "phone",   "digits",   "text",     "code",        "sender",
    "send_id", "validity", "segments", "provider_id", "captcha_token",
};

int
gateway_is_name(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0) {
            return 1;
        }
    }
    return 0;
}
