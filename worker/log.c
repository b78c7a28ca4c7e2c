#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HOLD_MAX (16 * 1024)

static log_level_e log_level = LOG_LEVEL_INFO;

/* Lines that are written together. */
static char held[HOLD_MAX];
static size_t held_len;
static int holding;

void
log_set_level(log_level_e level)
{
    log_level = level;
}

int
log_level_parse(const char *name)
{
    static const struct {
        const char *name;
        log_level_e level;
    } levels[] = {
        {"error", LOG_LEVEL_ERROR},
        {"warn", LOG_LEVEL_WARN},
        {"info", LOG_LEVEL_INFO},
        {"debug", LOG_LEVEL_DEBUG},
    };
    size_t i;

    for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (strcmp(name, levels[i].name) == 0) {
            return (int)levels[i].level;
        }
    }
    return -1;
}

static void
put(const char *text, size_t len)
{
    while (len > 0 && write(STDERR_FILENO, text, len) == -1 && errno == EINTR)
    {
        continue;
    }
}

void
log_hold(void)
{
    holding = 1;
}

void
log_release(void)
{
    put(held, held_len);
    held_len = 0;
    holding = 0;
}

void
log_write(log_level_e level, const char *fmt, ...)
{
    char line[1024];
    va_list args;
    int head, body;
    size_t len;

    if (level > log_level) {
        return;
    }
    head = snprintf(line, sizeof(line), "<%d>", (int)level);
    va_start(args, fmt);
    body = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, fmt, args);
    va_end(args);
    if (body < 0) {
        return;
    }
    len = strlen(line);
    line[len++] = '\n';
    if (!holding) {
        put(line, len);
        return;
    }
    if (held_len + len > sizeof(held)) {
        put(held, held_len);
        held_len = 0;
    }
    memcpy(held + held_len, line, len);
    held_len += len;
}

const char *
log_text(char out[LOG_TEXT_SIZE], const char *text)
{
    char *p, *end;
    int quote;

    quote = *text == '\0' || strpbrk(text, " \"\\=") != NULL;
    p = out;
    end = out + LOG_TEXT_SIZE - 3;
    if (quote) {
        *p++ = '"';
    }
    for (; *text != '\0' && p < end - 1; text++) {
        if (*text == '"' || *text == '\\') {
            *p++ = '\\';
        }
        *p++ = (unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text;
    }
    if (quote) {
        *p++ = '"';
    }
    *p = '\0';
    return out;
}
