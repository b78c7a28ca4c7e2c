/*
 * Text that grows up to a named maximum: leadq_buf_t with a terminator and
 * with printf.  Passing the maximum (or running out of memory) marks the
 * buffer as failed; later additions do nothing, so that a writer checks once,
 * at the end.
 */

#ifndef LEADQ_BUF_H
#define LEADQ_BUF_H

#include "leadq_buf.h"

#include <stdarg.h>
#include <stddef.h>

typedef leadq_buf_t buf_t;

/* Makes an empty buffer that takes at most max bytes of text. */
void buf_init(buf_t *buf, size_t max);

/* The same; what it holds is wiped when it moves and when it goes. */
void buf_init_secret(buf_t *buf, size_t max);
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
