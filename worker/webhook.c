/*
 * Owns the names of a webhook's values.
 */

#include "webhook.h"

#include <stddef.h>
#include <string.h>

/* Members of the event's data, data_sum for example. */
#define DATA "data_"

static const char *const names[] = {
    "event", "at",    "trigger", "data", "contact_id",
    "email", "phone", "name",    "lang", "source",
};

int
webhook_is_name(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0) {
            return 1;
        }
    }
    return strncmp(name, DATA, strlen(DATA)) == 0
           && name[strlen(DATA)] != '\0';
}
