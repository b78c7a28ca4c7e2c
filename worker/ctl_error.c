#include "ctl_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
ctl_error(const char *fmt, ...)
{
    char text[2048];
    size_t len;
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    len = strlen(text);
    while (len > 0 && text[len - 1] == '\n') {
        text[--len] = '\0'; /* libpq's messages have their own line ends */
    }
    (void)fflush(stdout);
    (void)fprintf(stderr, "leadqctl: %s\n", text);
    return -1;
}
