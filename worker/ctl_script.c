#include "ctl_script.h"

#include "buf.h"

#include <stddef.h>
#include <string.h>

#define WORD "leadq"

static int
is_lower(char ch)
{
    return ch >= 'a' && ch <= 'z';
}

static int
is_digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

static int
is_word(char ch)
{
    return is_lower(ch) || (ch >= 'A' && ch <= 'Z') || is_digit(ch)
           || ch == '_' || ((unsigned char)ch & 0x80) != 0;
}

static size_t
word_len(const char *p)
{
    size_t len;

    for (len = 0; is_word(p[len]); len++) {
        continue;
    }
    return len;
}

int
ctl_script_schema_ok(const char *schema)
{
    const char *p;

    for (p = schema; is_lower(*p) || is_digit(*p) || *p == '_'; p++) {
        continue;
    }
    return *p == '\0' && is_lower(schema[0])
           && p - schema <= CTL_SCRIPT_MAX_SCHEMA;
}

/* Whether the word at p, somewhere in text, has the schema's name. */
static int
is_ours(const char *text, const char *p, size_t len)
{
    const size_t prefix = sizeof(WORD) - 1;

    if (len < prefix || memcmp(p, WORD, prefix) != 0
        || (len > prefix && p[prefix] != '_'))
    {
        return 0;
    }
    return p == text || p[-1] != ':' || (p - 1 > text && p[-2] == ':');
}

char *
ctl_script_rename(const char *text, const char *schema)
{
    const char *p, *from;
    size_t len;
    buf_t out;

    buf_init(&out, CTL_SCRIPT_MAX);
    from = text;
    for (p = text; *p != '\0'; p += len == 0 ? 1 : len) {
        len = word_len(p);
        if (is_ours(text, p, len)) {
            buf_add(&out, from, (size_t)(p - from));
            buf_add_str(&out, schema);
            from = p + sizeof(WORD) - 1;
        }
    }
    buf_add(&out, from, (size_t)(p - from));
    return buf_take(&out);
}

int
ctl_script_line_of(const char *text, long position)
{
    int line;

    line = 1;
    for (; *text != '\0'; text++) {
        if (((unsigned char)*text & 0xc0) == 0x80) {
            continue; /* not the first byte of a character */
        }
        if (--position <= 0) {
            break;
        }
        line += *text == '\n';
    }
    return line;
}

/* --- where statements begin ---------------------------------------------- */

static const char *
skip_line_comment(const char *p)
{
    while (*p != '\0' && *p != '\n') {
        p++;
    }
    return p;
}

/* Comments nest. */
static const char *
skip_comment(const char *p)
{
    int depth;

    depth = 0;
    while (*p != '\0') {
        if (p[0] == '/' && p[1] == '*') {
            depth++;
            p += 2;
        } else if (p[0] == '*' && p[1] == '/') {
            p += 2;
            if (--depth == 0) {
                break;
            }
        } else {
            p++;
        }
    }
    return p;
}

/* A doubled quote ends one string and begins the next: no special case. */
static const char *
skip_quoted(const char *p, int backslashes)
{
    const char quote = *p++;

    while (*p != '\0' && *p != quote) {
        if (backslashes && p[0] == '\\' && p[1] != '\0') {
            p++;
        }
        p++;
    }
    return *p == '\0' ? p : p + 1;
}

/* $tag$ ... $tag$; a "$" that begins no tag is skipped alone. */
static const char *
skip_dollar(const char *p)
{
    size_t len;
    const char *end;

    len = word_len(p + 1) + 2;
    if (p[len - 1] != '$' || is_digit(p[1])) {
        return p + 1;
    }
    for (end = p + len; *end != '\0'; end++) {
        if (*end == '$' && strncmp(end, p, len) == 0) {
            return end + len;
        }
    }
    return end;
}

static int
is(const char *p, size_t len, const char *word)
{
    return strlen(word) == len && strncmp(p, word, len) == 0;
}

/*
 * The semicolons of "begin atomic ... end" end no statement of the script;
 * depth counts what an "end" has to close.
 */
static int
atomic_depth(int depth, const char *p, size_t len)
{
    if (is(p, len, "atomic") || (depth > 0 && is(p, len, "case"))) {
        return depth + 1;
    }
    return depth > 0 && is(p, len, "end") ? depth - 1 : depth;
}

/* The next token; depth is kept for ctl_script_statement_line(). */
static const char *
skip_token(const char *p, int *depth)
{
    size_t len;

    if (*p == '\'' || *p == '"') {
        return skip_quoted(p, 0);
    }
    if ((*p == 'e' || *p == 'E') && p[1] == '\'') {
        return skip_quoted(p + 1, 1);
    }
    if (*p == '$') {
        return skip_dollar(p);
    }
    len = word_len(p);
    if (len > 0) {
        *depth = atomic_depth(*depth, p, len);
        return p + len;
    }
    return p + 1;
}

static const char *
skip_blank(const char *p)
{
    for (;;) {
        if (p[0] == '-' && p[1] == '-') {
            p = skip_line_comment(p);
        } else if (p[0] == '/' && p[1] == '*') {
            p = skip_comment(p);
        } else if (*p != '\0' && strchr(" \t\r\n\f\v", *p) != NULL) {
            p++;
        } else {
            return p;
        }
    }
}

int
ctl_script_statement_line(const char *text, int index)
{
    const char *p, *q, *begin;
    int depth, line;

    begin = NULL;
    depth = 0;
    for (p = skip_blank(text); *p != '\0'; p = skip_blank(p)) {
        if (*p == ';' && depth == 0) {
            index -= begin != NULL;
            begin = NULL;
            p++;
            continue;
        }
        if (begin == NULL && index == 0) {
            line = 1;
            for (q = text; q < p; q++) {
                line += *q == '\n';
            }
            return line;
        }
        begin = begin == NULL ? p : begin;
        p = skip_token(p, &depth);
    }
    return 0;
}
