#include "ctl_number.h"
#include "ctl_error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 18
#define LIMIT_MAX 10000
#define LIMIT_INITIAL "50"

int
ctl_number_ok(const char *text)
{
    const size_t len = strlen(text);

    return len > 0 && len <= DIGITS_MAX && strspn(text, "0123456789") == len;
}

const char *
ctl_number_limit(const ctl_options_t *options)
{
    char *end;
    long n;

    if (options->limit == NULL) {
        return LIMIT_INITIAL;
    }
    errno = 0;
    n = strtol(options->limit, &end, 10);
    if (errno != 0 || end == options->limit || *end != '\0' || n < 1
        || n > LIMIT_MAX)
    {
        (void)ctl_error("--limit \"%s\" is not a number 1..%d", options->limit,
                        LIMIT_MAX);
        return NULL;
    }
    return options->limit;
}
