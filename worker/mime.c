#include "mime.h"
#include "leadq_utf8.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An encoded word has at most 75 characters: "=?UTF-8?B?" 60 "?=". */
#define WORD_BYTES 45

/* A header's text stays as it is up to here, so that no line needs folding. */
#define PLAIN_MAX 200

static int
is_plain(const char *text)
{
    const char *p;

    for (p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e) {
            return 0;
        }
    }
    return p - text <= PLAIN_MAX && strstr(text, "=?") == NULL;
}

static void
add_base64(buf_t *out, const unsigned char *p, size_t len)
{
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "abcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned bits;
    size_t n;

    for (; len > 0; p += n, len -= n) {
        n = len < 3 ? len : 3;
        bits = (unsigned)p[0] << 16;
        bits |= n > 1 ? (unsigned)p[1] << 8 : 0;
        bits |= n > 2 ? (unsigned)p[2] : 0;
        buf_add_char(out, set[bits >> 18]);
        buf_add_char(out, set[bits >> 12 & 63]);
        buf_add_char(out, n > 1 ? set[bits >> 6 & 63] : '=');
        buf_add_char(out, n > 2 ? set[bits & 63] : '=');
    }
}

static void
add_words(buf_t *out, const char *text)
{
    unsigned char word[WORD_BYTES];
    const char *p, *at, *end = text + strlen(text);
    size_t used, len;
    int32_t cp;
    int words;

    words = 0;
    used = 0;
    for (p = text; p < end;) {
        at = p;
        cp = leadq_utf8_next(&p, end);
        len = (size_t)(p - at);
        if (cp == LEADQ_UTF8_BAD || leadq_utf8_control(cp)) {
            at = cp == LEADQ_UTF8_BAD ? "?" : " ";
            len = 1;
        }
        memcpy(word + used, at, len);
        used += len;
        if (p == end || used + 4 > sizeof(word)) {
            buf_add_str(out, words++ == 0 ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
            add_base64(out, word, used);
            buf_add_str(out, "?=");
            used = 0;
        }
    }
}

void
mime_add_text(buf_t *out, const char *text)
{
    if (is_plain(text)) {
        buf_add_str(out, text);
    } else {
        add_words(out, text);
    }
}

void
mime_add_name(buf_t *out, const char *name)
{
    const char *p;

    if (!is_plain(name)) {
        add_words(out, name);
        return;
    }
    for (p = name; isalnum((unsigned char)*p) || *p == ' '; p++) {
        continue;
    }
    if (*p == '\0') {
        buf_add_str(out, name);
        return;
    }
    buf_add_char(out, '"');
    for (p = name; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\') {
            buf_add_char(out, '\\');
        }
        buf_add_char(out, *p);
    }
    buf_add_char(out, '"');
}

int
mime_is_address(const char *address)
{
    const char *at, *p;

    at = strchr(address, '@');
    if (at == NULL || at == address || at[1] == '\0'
        || strlen(address) > MIME_MAX_ADDRESS)
    {
        return 0;
    }
    for (p = address; *p != '\0'; p++) {
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f
            || strchr("<>()[]\",;:\\", *p) != NULL || (*p == '@' && p != at))
        {
            return 0;
        }
    }
    return 1;
}

const char *
mime_domain(const char *address)
{
    return strchr(address, '@') + 1;
}

void
mime_date(char out[40], time_t at)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed",
                                   "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct tm tm;

    if (gmtime_r(&at, &tm) == NULL) {
        out[0] = '\0';
        return;
    }
    (void)snprintf(out, 40, "%s, %02d %s %04d %02d:%02d:%02d +0000",
                   days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
                   tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

char *
mime_crlf(const char *text, size_t *len)
{
    size_t lines, i, n;
    char *copy;

    lines = 0;
    for (i = 0; text[i] != '\0'; i++) {
        lines += text[i] == '\n' || text[i] == '\r';
    }
    copy = malloc(i + lines + 3);
    if (copy == NULL) {
        return NULL;
    }
    n = 0;
    for (i = 0; text[i] != '\0'; i++) {
        if (text[i] == '\r' && text[i + 1] == '\n') {
            continue;
        }
        if (text[i] == '\n' || text[i] == '\r') {
            copy[n++] = '\r';
            copy[n++] = '\n';
        } else {
            copy[n++] = text[i];
        }
    }
    if (n > 0 && copy[n - 1] != '\n') {
        copy[n++] = '\r';
        copy[n++] = '\n';
    }
    copy[n] = '\0';
    *len = n;
    return copy;
}

const char *
mime_encoder(const char *text, size_t len)
{
    size_t i, escapes;

    escapes = 0;
    for (i = 0; i < len; i++) {
        escapes += (unsigned char)text[i] > 0x7e || text[i] == '=';
    }
    return escapes * 2 > len / 3 ? "base64" : "quoted-printable";
}
