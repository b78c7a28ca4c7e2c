#include "fault.h"

#include <stdarg.h>
#include <stdio.h>

int
fault_set(fault_t *fault, int line, const char *fmt, ...)
{
    va_list args;

    fault->line = line;
    va_start(args, fmt);
    (void)vsnprintf(fault->text, sizeof(fault->text), fmt, args);
    va_end(args);
    return -1;
}
