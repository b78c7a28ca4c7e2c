/*
 * A byte buffer that grows up to a named maximum.  Passing the maximum (or
 * running out of memory) marks the buffer as failed; later additions do
 * nothing, so that a writer checks once, at the end.
 */

#ifndef LEADQ_BUF_H
#define LEADQ_BUF_H

#include <stdarg.h>
#include <stddef.h>

typedef struct {
    char *data; /* owned; always terminated once something was added */
    size_t len; /* bytes without the terminator */
    size_t size;
    size_t max; /* largest len */
    int failed;
} buf_t;

void buf_init(buf_t *buf, size_t max);
void buf_done(buf_t *buf);

/* Empties the buffer and keeps its memory. */
void buf_reset(buf_t *buf);

void buf_add(buf_t *buf, const void *data, size_t len);
void buf_add_str(buf_t *buf, const char *text);
void buf_add_char(buf_t *buf, char ch);
void buf_addf(buf_t *buf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The text; "" for an empty buffer. */
const char *buf_str(const buf_t *buf);

/* The text, now owned by the caller, or NULL when the buffer has failed. */
char *buf_take(buf_t *buf) __attribute__((warn_unused_result));

#endif
