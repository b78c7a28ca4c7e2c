
/*
 * Requests: most of them are what a form or a script sends, with some of it
 * mutated.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "door.h"


#define countof(a)  (sizeof(a) / sizeof((a)[0]))


static uint64_t   state;                    /* of the generator, never 0 */
static char     **extra;
static size_t     nextra;


static const char *const  paths[] = {
    "/lead", "/lead", "/lead", "/lead", "/once", "/once", "/required",
    "/args?name=Anna&amount=7", "/args", "/trap", "/pass", "/page", "/secret",
    "/callback", "/callback?id=17&state=ok&id=18", "/same", "/limit",
    "/token", "/status", "/metrics", "/nowhere"
};

static const char *const  names[] = {
    "email", "phone", "name", "click_id", "consent", "lang", "ref", "amount",
    "day", "page", "promo", "quiz", "code", "secret", "message", "website",
    "form_token", "clickid", "other"
};

static const char *const  values[] = {
    "anna@example.ru", "anna@\xd0\xbf\xd0\xbe\xd1\x87\xd1\x82\xd0\xb0.\xd1"
    "\x80\xd1\x84", "a@gmial.com", "@", "a@b", "+79160000000",
    "8 (916) 000-00-00", "00 7 916 0000000", "810", "+1 202 555 0100",
    "\xd0\x90\xd0\xbd\xd0\xbd\xd0\xb0", "click-1", "true", "on", "no", "ru",
    "xx", "0b5e9f3e-1111-4222-8333-444455556666", "7", "-9223372036854775808",
    "9223372036854775808", "1.5", "2026-11-25", "2026-02-30",
    "https://example.ru/a?b=c#d", "javascript:alert(1)", "http://u:p@h/",
    "http://[::1]:99999/", "http://\xd0\xb0.\xd1\x80\xd1\x84/\xd0\xb1",
    "234567ACEHK2", "{\"a\":[1,2,{\"b\":null}]}", "[[[[[[[[[]]]]]]]]]", "1234",
    "", " ", "\\u0000", "\\ud83d\\ude00", "\\ud800", "\xff\xfe", "\xc0\x80",
    "\xed\xa0\x80", "\xe2\x80\x8b", "%41%zz", "%00", "a+b", "<script>", "'"
};

static const char *const  words[] = {
    "\"", "\\", "\\u0000", "\\ud800", "{", "}", "[", "]", ":", ",", "null",
    "true", "1e999", "-0", "%", "%00", "%ff", "&", "=", "+", ";", "--B",
    "--B--", "\xff\xfe", "\xc0\x80", "\xf4\x90\x80\x80", "\xe2\x80\xae",
    "filename=\"a\"", "name=\"name\"", "charset=utf-16", "boundary=\"\"", "0",
    "\t", " ", "  ", "email", "$set",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
};

/* And these where they may break the frame. */

static const char *const  wild_words[] = {
    "\r\n", "\n", "\r", "\r\n\r\n", "0\r\n\r\n", "HTTP/1.0", "HTTP/1.1",
    "HTTP/2.0", "GET ", "POST ", "POST /lead HTTP/1.1\r\nHost: a\r\n\r\n",
    "Content-Length: 5\r\n", "Content-Length: 99999999999999999999\r\n",
    "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n",
    "Connection: keep-alive\r\n", "Expect: 100-continue\r\n", "ffffffff\r\n",
    "Host: b\r\n", ": ", "/../", "//", "?", "#", "\x7f"
};

static const char *const  headers[] = {
    "Accept: text/html,*/*;q=0.8", "Accept: application/json",
    "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site",
    "Origin: http://a", "Origin: null", "Origin: https://[::1]:1",
    "Content-Encoding: gzip", "Content-Encoding: identity",
    "Expect: 100-continue", "Cookie: a=b; c=d", "Cookie: e=f",
    "Cookie: sid=x; sid=; sid=AQcAarE7gAGSOktcbXAAgAAAAAAAACqnO3wzUQSI2dMMnj",
    "Leadq-Session: AQcAarE7gAGSOktcbXAAgAAAAAAAACqnO3wzUQSI2dMMnj10L33D",
    "X-Forwarded-For: 10.0.0.1", "Idempotency-Key:", "Idempotency-Key: a b",
    "Accept-Language: ru", "Range: bytes=0-1", "If-None-Match: *",
    "TE: trailers", "Upgrade: h2c"
};


static uint64_t
draw(uint64_t below)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;

    return (state * UINT64_C(0x2545f4914f6cdd1d) >> 16) % below;
}


static int
chance(unsigned percent)
{
    return draw(100) < percent;
}


#define one_of(table)  table[draw(countof(table))]


void
text_put(text_t *text, const char *data, size_t len)
{
    if (text->room - text->len < len) {
        text->room = 2 * (text->len + len) + 256;
        text->data = realloc(text->data, text->room);

        if (text->data == NULL) {
            abort();
        }
    }

    if (len) {
        memcpy(text->data + text->len, data, len);
        text->len += len;
    }
}


void
text_puts(text_t *text, const char *string)
{
    text_put(text, string, strlen(string));
}


void
make_words(char **list, size_t n)
{
    extra = list;
    nextra = n;
}


/* Puts bytes in the place of others. */

static void
splice(text_t *text, size_t at, size_t gone, const char *data, size_t len)
{
    text_t  rest = { NULL, 0, 0 };

    if (text->len > at + gone) {
        text_put(&rest, text->data + at + gone, text->len - at - gone);
    }

    text->len = at;
    text_put(text, data, len);
    text_put(text, rest.data, rest.len);

    free(rest.data);
}


/* Changes something behind the first bytes. */

static void
mutate(text_t *text, size_t from, int wild)
{
    char         byte;
    size_t       at, len;
    text_t       copy = { NULL, 0, 0 };
    const char  *word;

    if (text->len <= from) {
        return;
    }

    at = from + draw(text->len - from);
    len = 1 + draw(chance(80) ? 8 : 400);
    len = len > text->len - at ? text->len - at : len;
    byte = (char) draw(256);

    switch (draw(7)) {

    case 0:
        text->data[at] ^= (char) (1 << draw(8));
        break;

    case 1:
        text->data[at] = byte;
        break;

    case 2:
        splice(text, at, 0, &byte, 1);
        break;

    case 3:
        splice(text, at, len, "", 0);
        break;

    case 4:
        text_put(&copy, text->data + at, len);
        splice(text, from + draw(text->len - from), 0, copy.data, copy.len);
        free(copy.data);
        break;

    case 5:
        if (chance(20)) {
            text->len = at;
        }
        break;

    default:
        word = wild && chance(60) ? one_of(wild_words) : one_of(words);
        splice(text, at, chance(50) ? len : 0, word, strlen(word));
    }
}


static const char *
value(void)
{
    return nextra && chance(8) ? extra[draw(nextra)] : one_of(values);
}


/* What a person would send, as "name", value. */

static const char *const  good[][2] = {
    { "email", "anna@example.ru" }, { "phone", "+7 916 000-00-00" },
    { "name", "\xd0\x90\xd0\xbd\xd0\xbd\xd0\xb0" }, { "consent", "true" },
    { "click_id", "click-1" }, { "lang", "ru" }, { "amount", "7" },
    { "day", "2026-11-25" }, { "page", "https://example.ru/a?b=c" }
};


/* The next field of a body. */

static void
field(size_t i, int clean, const char **name, const char **data)
{
    *name = good[i % countof(good)][0];
    *data = good[i % countof(good)][1];

    if (!clean && chance(25)) {
        *name = one_of(names);
    }

    if (!clean && chance(35)) {
        *data = value();
    }
}


static void
put_json(text_t *out, size_t n, int clean)
{
    size_t       i;
    const char  *name, *data, *quote;

    text_puts(out, "{");

    for (i = 0; i < n; i++) {
        field(i, clean, &name, &data);
        quote = clean || chance(85) ? "\"" : "";

        text_puts(out, i ? ",\"" : "\"");
        text_puts(out, name);
        text_puts(out, "\":");
        text_puts(out, quote);
        text_puts(out, data);
        text_puts(out, quote);
    }

    text_puts(out, "}");
}


static void
put_form(text_t *out, size_t n, int clean)
{
    size_t       i;
    const char  *name, *data;

    for (i = 0; i < n; i++) {
        field(i, clean, &name, &data);

        text_puts(out, i ? "&" : "");
        text_puts(out, name);
        text_puts(out, "=");
        text_puts(out, strchr(data, '+') ? "%2B79160000000" : data);
    }
}


static void
put_multipart(text_t *out, size_t n, int clean)
{
    size_t       i;
    const char  *name, *data;

    for (i = 0; i < n; i++) {
        field(i, clean, &name, &data);

        text_puts(out, "--B\r\nContent-Disposition: form-data; name=\"");
        text_puts(out, name);
        text_puts(out, !clean && chance(5) ? "\"; filename=\"a.txt\"\r\n"
                                           : "\"\r\n");
        text_puts(out, !clean && chance(10)
                       ? "Content-Type: text/plain; charset=utf-8\r\n" : "");
        text_puts(out, "\r\n");
        text_puts(out, data);
        text_puts(out, "\r\n");
    }

    text_puts(out, "--B--\r\n");
}


/* The body in chunks of any size. */

static void
put_chunked(text_t *out, const text_t *body)
{
    char    line[64];
    size_t  at, len;

    for (at = 0; at < body->len; at += len) {
        len = 1 + draw(chance(50) ? 16 : 4000);
        len = len > body->len - at ? body->len - at : len;

        snprintf(line, sizeof(line), chance(10) ? "%04zX;a=b\r\n" : "%zx\r\n",
                 len);
        text_puts(out, line);
        text_put(out, body->data + at, len);
        text_puts(out, "\r\n");
    }

    text_puts(out, chance(10) ? "0\r\nTrailer: a\r\n\r\n" : "0\r\n\r\n");
}


/* A header line that does not end before its end. */

static void
put_header(text_t *out, const char *line, int mutated)
{
    size_t  i, from;
    text_t  text = { NULL, 0, 0 };

    text_puts(&text, line);
    from = (size_t) (strchr(line, ':') - line) + 1;

    if (mutated) {
        mutate(&text, from, 0);
    }

    for (i = 0; i < text.len; i++) {
        if (text.data[i] == '\r' || text.data[i] == '\n'
            || text.data[i] == '\0')
        {
            text.data[i] = ' ';
        }
    }

    text_put(out, text.data, text.len);
    text_puts(out, "\r\n");
    free(text.data);
}


static void
put_body(text_t *body, unsigned kind, int clean)
{
    size_t  n;

    n = clean ? countof(good) : draw(chance(97) ? 12 : 80);

    switch (kind) {

    case 0:
        put_json(body, n, clean);
        break;

    case 1:
        put_form(body, n, clean);
        break;

    default:
        put_multipart(body, n, clean);
    }

    while (!clean && chance(45)) {
        mutate(body, 0, 0);
    }
}


/* Everything between the request line and the body. */

static void
put_headers(text_t *out, unsigned kind, int clean)
{
    char    line[64];
    size_t  n;

    static const char *const  types[] = {
        "Content-Type: application/json",
        "Content-Type: application/x-www-form-urlencoded; charset=UTF-8",
        "Content-Type: multipart/form-data; boundary=B"
    };

    put_header(out, "Host: a", 0);
    put_header(out, types[!clean && chance(5) ? draw(3) : kind],
               !clean && chance(10));

    if (chance(15)) {
        snprintf(line, sizeof(line), "Idempotency-Key: key-%u",
                 (unsigned) draw(5000));
        put_header(out, line, !clean && chance(10));
    }

    for (n = clean ? 0 : draw(4); n > 0; n--) {
        put_header(out, one_of(headers), chance(20));
    }
}


void
make_request(text_t *out, uint64_t seed, uint64_t n, int wild, int may_end,
    request_t *request)
{
    int          clean, chunked, old;
    char         line[64];
    size_t       from;
    text_t       body = { NULL, 0, 0 };
    unsigned     kind;
    const char  *method;

    static const char *const  methods[] = {
        "GET", "PUT", "OPTIONS", "DELETE", "PATCH", "post", "M-SEARCH", "HEAD"
    };

    state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15)
            ^ (n + 1) * UINT64_C(0xbf58476d1ce4e5b9);
    state = state ? state : 1;
    (void) draw(2);

    clean = !wild && chance(40);
    kind = (unsigned) draw(3);
    old = may_end && chance(10);
    chunked = !old && chance(20);
    method = clean || chance(94) ? "POST" : methods[draw(wild ? 7 : 8)];
    from = out->len;

    put_body(&body, kind, clean);

    text_puts(out, method);
    text_puts(out, " ");
    text_puts(out, clean ? paths[draw(15)] : one_of(paths));
    text_puts(out, old ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");

    put_headers(out, kind, clean);

    if (wild || (may_end && chance(3))) {
        text_puts(out, "Connection: close\r\n");
        old = 1;
    }

    if (chunked) {
        text_puts(out, "Transfer-Encoding: chunked\r\n\r\n");
        put_chunked(out, &body);

    } else {
        snprintf(line, sizeof(line), "Content-Length: %zu\r\n\r\n", body.len);
        text_puts(out, line);
        text_put(out, body.data ? body.data : "", body.len);
    }

    free(body.data);

    while (wild && chance(70)) {
        mutate(out, from, 1);
    }

    request->head = strcmp(method, "HEAD") == 0;
    request->last = old;
}
