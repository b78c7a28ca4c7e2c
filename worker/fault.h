/*
 * What is wrong with something a person wrote: a line and a reason.  Parsers
 * of templates, macros and configuration fill it; who prints it knows the
 * file's name.
 */

#ifndef LEADQ_FAULT_H
#define LEADQ_FAULT_H

typedef struct {
    int line; /* from 1; 0 when it is about the whole */
    char text[240];
} fault_t;

/* Sets the fault; always returns -1, so that a parser may return it. */
int fault_set(fault_t *fault, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
