
/*
 * Growing memory with an end; see leadq_buf.h.
 */

#include "leadq_buf.h"

#include <stdlib.h>
#include <string.h>


#define LEADQ_BUF_FIRST  512


static char *leadq_buf_grow(leadq_buf_t *buf, size_t size);


void
leadq_buf_init(leadq_buf_t *buf, size_t max)
{
    memset(buf, 0, sizeof(leadq_buf_t));
    buf->max = max;
}


void
leadq_buf_done(leadq_buf_t *buf)
{
    if (buf->secret && buf->data != NULL) {
        explicit_bzero(buf->data, buf->size);
    }

    free(buf->data);
    leadq_buf_init(buf, buf->max);
}


char *
leadq_buf_room(leadq_buf_t *buf, size_t len)
{
    char    *data;
    size_t   size;

    if (buf->failed || len > buf->max - buf->len) {
        buf->failed = 1;
        return NULL;
    }

    if (len > buf->size - buf->len) {
        size = buf->size ? buf->size : LEADQ_BUF_FIRST;

        while (size - buf->len < len) {
            size *= 2;
        }

        data = leadq_buf_grow(buf, size);
        if (data == NULL) {
            buf->failed = 1;
            return NULL;
        }

        buf->data = data;
        buf->size = size;
    }

    return buf->data + buf->len;
}


/* realloc() would leave behind what must not stay. */

static char *
leadq_buf_grow(leadq_buf_t *buf, size_t size)
{
    char  *data;

    if (!buf->secret || buf->data == NULL) {
        return realloc(buf->data, size);
    }

    data = malloc(size);

    if (data != NULL) {
        memcpy(data, buf->data, buf->size);
        explicit_bzero(buf->data, buf->size);
        free(buf->data);
    }

    return data;
}


void
leadq_buf_put(leadq_buf_t *buf, const char *data, size_t len)
{
    char  *p;

    if (len == 0) {
        return;
    }

    p = leadq_buf_room(buf, len);

    if (p != NULL) {
        memcpy(p, data, len);
        buf->len += len;
    }
}


void
leadq_buf_puts(leadq_buf_t *buf, const char *text)
{
    leadq_buf_put(buf, text, strlen(text));
}
