#include "buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One byte more than the caller's maximum: the terminator. */

void
buf_init(buf_t *buf, size_t max)
{
    leadq_buf_init(buf, max + 1);
}

void
buf_init_secret(buf_t *buf, size_t max)
{
    buf_init(buf, max);
    buf->secret = 1;
}

void
buf_done(buf_t *buf)
{
    leadq_buf_done(buf);
}

void
buf_reset(buf_t *buf)
{
    buf->len = 0;
    buf->failed = 0;
    if (buf->data != NULL) {
        buf->data[0] = '\0';
    }
}

void
buf_add(buf_t *buf, const void *data, size_t len)
{
    char *room;

    room = leadq_buf_room(buf, len + 1);
    if (room != NULL) {
        memcpy(room, data, len);
        room[len] = '\0';
        buf->len += len;
    }
}

void
buf_add_str(buf_t *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void
buf_add_char(buf_t *buf, char ch)
{
    buf_add(buf, &ch, 1);
}

void
buf_addf(buf_t *buf, const char *fmt, ...)
{
    va_list args;
    char *room;
    int len;

    va_start(args, fmt);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0) {
        buf->failed = 1;
        return;
    }
    room = leadq_buf_room(buf, (size_t)len + 1);
    if (room != NULL) {
        va_start(args, fmt);
        (void)vsnprintf(room, (size_t)len + 1, fmt, args);
        va_end(args);
        buf->len += (size_t)len;
    }
}

const char *
buf_str(const buf_t *buf)
{
    return buf->data == NULL ? "" : buf->data;
}

char *
buf_take(buf_t *buf)
{
    char *data;

    if (buf->failed) {
        leadq_buf_done(buf);
        return NULL;
    }
    data = buf->data == NULL ? calloc(1, 1) : buf->data;
    leadq_buf_init(buf, buf->max);
    return data;
}
