
/*
 * A growing piece of memory with an end: a limit for the whole, one flag for
 * "it did not work out", asked once at the end instead of after every write.
 */

#ifndef LEADQ_BUF_H_INCLUDED
#define LEADQ_BUF_H_INCLUDED


#include <stddef.h>


typedef struct {
    char    *data;              /* owned, from malloc() */
    size_t   len;
    size_t   size;
    size_t   max;               /* bytes */
    int      failed;            /* no memory, or more than max */
    int      secret;            /* wiped wherever it has been */
} leadq_buf_t;


/* Makes an empty buffer that takes at most max bytes. */
void leadq_buf_init(leadq_buf_t *buf, size_t max);

/* Frees the memory; an initialised or zeroed buffer is accepted. */
void leadq_buf_done(leadq_buf_t *buf);

/* Returns room for len bytes at the end, or NULL (then failed is set). */
char *leadq_buf_room(leadq_buf_t *buf, size_t len);

/* Append; after a failure they do nothing. */
void leadq_buf_put(leadq_buf_t *buf, const char *data, size_t len);
void leadq_buf_puts(leadq_buf_t *buf, const char *text);


#endif /* LEADQ_BUF_H_INCLUDED */
