#include "buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 256

void
buf_init(buf_t *buf, size_t max)
{
    memset(buf, 0, sizeof(*buf));
    buf->max = max;
}

void
buf_done(buf_t *buf)
{
    free(buf->data);
    buf_init(buf, buf->max);
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

/* Makes room for len more bytes and the terminator. */
static int
reserve(buf_t *buf, size_t len)
{
    size_t size;
    char *data;

    if (buf->failed || len > buf->max - buf->len) {
        buf->failed = 1;
        return -1;
    }
    if (buf->len + len < buf->size) {
        return 0;
    }
    size = buf->size == 0 ? BUF_FIRST : buf->size * 2;
    if (size < buf->len + len + 1) {
        size = buf->len + len + 1;
    }
    data = realloc(buf->data, size);
    if (data == NULL) {
        buf->failed = 1;
        return -1;
    }
    buf->data = data;
    buf->size = size;
    return 0;
}

void
buf_add(buf_t *buf, const void *data, size_t len)
{
    if (reserve(buf, len) == 0) {
        memcpy(buf->data + buf->len, data, len);
        buf->len += len;
        buf->data[buf->len] = '\0';
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
    int len;

    va_start(args, fmt);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0) {
        buf->failed = 1;
        return;
    }
    if (reserve(buf, (size_t)len) == 0) {
        va_start(args, fmt);
        (void)vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, args);
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

    data = buf->failed ? NULL : buf->data;
    if (buf->failed) {
        free(buf->data);
    } else if (data == NULL) {
        data = calloc(1, 1);
    }
    buf_init(buf, buf->max);
    return data;
}
