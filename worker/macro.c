/*
 * Owns nothing: one walk over the text, from brace to brace.
 */

#include "macro.h"

#include <ctype.h>
#include <string.h>

#define HMAC "hmac_"

const char macro_stars[] = "***";

typedef struct {
    const char *name; /* without the "_"; borrowed */
    size_t name_len;
    const char *map; /* what follows ":", or NULL */
    size_t map_len;
    int raw;
} macro_t;

typedef struct {
    macro_encoding_e encoding;
    const macro_values_t *values;
    buf_t *out; /* may be NULL */
    fault_t *fault;
    int line;
} expander_t;

static const char *const digests[] = {"sha1", "sha256", "md5"};

static int
is_name_char(char ch)
{
    return isalnum((unsigned char)ch) || ch == '_';
}

static void
add_url(buf_t *out, const char *text, size_t len)
{
    static const char hex[] = "0123456789ABCDEF";
    unsigned char ch;
    size_t i;

    for (i = 0; i < len; i++) {
        ch = (unsigned char)text[i];
        if (isalnum(ch) || (ch != '\0' && strchr("-._~", ch) != NULL)) {
            buf_add_char(out, (char)ch);
        } else {
            buf_add_char(out, '%');
            buf_add_char(out, hex[ch >> 4]);
            buf_add_char(out, hex[ch & 15]);
        }
    }
}

static void
add_json(buf_t *out, const char *text, size_t len)
{
    unsigned char ch;
    size_t i;

    for (i = 0; i < len; i++) {
        ch = (unsigned char)text[i];
        if (ch == '"' || ch == '\\') {
            buf_add_char(out, '\\');
            buf_add_char(out, (char)ch);
        } else if (ch < 0x20) {
            buf_addf(out, "\\u%04x", (unsigned)ch);
        } else {
            buf_add_char(out, (char)ch);
        }
    }
}

/*
 * Looks the value up in "from=to from=to".  A pair without "=" is a fault.
 * Without a match *to stays as it is.
 */
static int
map_value(const expander_t *x, const macro_t *macro, const char **to,
          size_t *to_len)
{
    const char *p, *end, *pair, *eq;
    const char *from = *to;
    size_t from_len = *to_len, pair_len;
    int found, pairs;

    found = 0;
    pairs = 0;
    end = macro->map + macro->map_len;
    for (p = macro->map; p < end; p = pair + pair_len) {
        while (p < end && *p == ' ') {
            p++;
        }
        pair = p;
        while (p < end && *p != ' ') {
            p++;
        }
        pair_len = (size_t)(p - pair);
        if (pair_len == 0) {
            break;
        }
        eq = memchr(pair, '=', pair_len);
        if (eq == NULL || eq == pair) {
            return fault_set(x->fault, x->line,
                             "a map of \"%.*s\" is not from=to",
                             (int)macro->name_len, macro->name);
        }
        pairs++;
        if (!found && (size_t)(eq - pair) == from_len
            && memcmp(pair, from, from_len) == 0)
        {
            *to = eq + 1;
            *to_len = pair_len - (size_t)(eq + 1 - pair);
            found = 1;
        }
    }
    if (pairs == 0) {
        return fault_set(x->fault, x->line, "the map of \"%.*s\" is empty",
                         (int)macro->name_len, macro->name);
    }
    return 0;
}

/* The value of a macro, mapped; NULL with the fault set. */
static const char *
value_of(const expander_t *x, const macro_t *macro, size_t *len)
{
    char name[MACRO_MAX_NAME + 1];
    macro_known_e known;
    const char *value;

    if (macro->name_len == 0 || macro->name_len > MACRO_MAX_NAME) {
        (void)fault_set(x->fault, x->line, "a macro without a proper name");
        return NULL;
    }
    memcpy(name, macro->name, macro->name_len);
    name[macro->name_len] = '\0';
    known = MACRO_UNKNOWN;
    value = x->values->value(x->values->data, name, &known);
    if (known != MACRO_KNOWN) {
        (void)fault_set(x->fault, x->line,
                        known == MACRO_UNKNOWN
                            ? "unknown macro \"%s\""
                            : "the macro \"%s\" is one thing here and "
                              "another one there: use a name of ours",
                        name);
        return NULL;
    }
    if (value == NULL) {
        value = "";
    }
    *len = strlen(value);
    if (macro->map != NULL && map_value(x, macro, &value, len) != 0) {
        return NULL;
    }
    return value;
}

/* Reads "a+'text'+b:from=to" and adds what it says to out. */
static int
join_values(const expander_t *x, const char *p, const char *end, buf_t *out)
{
    const char *item, *value, *colon;
    macro_t macro;
    size_t len;

    for (;; p = item + 1) {
        memset(&macro, 0, sizeof(macro));
        if (p < end && *p == '\'') {
            value = p + 1;
            item = memchr(value, '\'', (size_t)(end - value));
            if (item == NULL) {
                return fault_set(x->fault, x->line, "\"'\" is not closed");
            }
            len = (size_t)(item - value);
            item++;
        } else {
            item = memchr(p, '+', (size_t)(end - p));
            item = item == NULL ? end : item;
            colon = memchr(p, ':', (size_t)(item - p));
            macro.name = p;
            macro.name_len = (size_t)((colon == NULL ? item : colon) - p);
            if (colon != NULL) {
                macro.map = colon + 1;
                macro.map_len = (size_t)(item - macro.map);
            }
            value = value_of(x, &macro, &len);
            if (value == NULL) {
                return -1;
            }
        }
        buf_add(out, value, len);
        if (item == end) {
            return 0;
        }
        if (*item != '+') {
            return fault_set(x->fault, x->line,
                             "no \"+\" between two parts of an HMAC");
        }
    }
}

/* {hmac_sha1:KEY,a+b}: the arguments stand where a map would. */
static int
expand_hmac(const expander_t *x, const macro_t *macro)
{
    const char *key, *comma, *end, *value;
    char name[MACRO_MAX_KEY + 1];
    size_t i, n, len;
    buf_t text;

    n = sizeof(digests) / sizeof(digests[0]);
    len = macro->name_len - strlen(HMAC);
    for (i = 0; i < n; i++) {
        if (strlen(digests[i]) == len
            && memcmp(macro->name + strlen(HMAC), digests[i], len) == 0)
        {
            break;
        }
    }
    key = macro->map;
    comma = key == NULL ? NULL : memchr(key, ',', macro->map_len);
    if (i == n || comma == NULL || comma == key || comma - key > MACRO_MAX_KEY)
    {
        return fault_set(x->fault, x->line,
                         "an HMAC is {hmac_sha1:KEY,a+b}, with sha1, sha256 "
                         "or md5");
    }
    end = key + macro->map_len;
    memcpy(name, key, (size_t)(comma - key));
    name[comma - key] = '\0';
    buf_init_secret(&text, MACRO_MAX_TEXT);
    if (join_values(x, comma + 1, end, &text) != 0) {
        buf_done(&text);
        return -1;
    }
    value = text.failed ? NULL
                        : x->values->hmac(x->values->data, digests[i], name,
                                          buf_str(&text));
    if (x->out != NULL && value != NULL) {
        buf_add_str(x->out, value);
    }
    len = text.failed ? text.max : 0;
    buf_done(&text);
    return len == 0 ? 0
                    : fault_set(x->fault, x->line,
                                "an HMAC of more than %zu bytes", len);
}

static int
is_hmac(const macro_t *macro)
{
    return macro->name_len >= strlen(HMAC)
           && memcmp(macro->name, HMAC, strlen(HMAC)) == 0;
}

static int
expand_macro(const expander_t *x, const macro_t *macro)
{
    const char *value;
    size_t len;

    if (is_hmac(macro)) {
        return expand_hmac(x, macro);
    }
    value = value_of(x, macro, &len);
    if (value == NULL) {
        return -1;
    }
    if (x->out == NULL) {
        return 0;
    }
    switch (macro->raw || value == macro_stars ? MACRO_HEADER : x->encoding) {
    case MACRO_URL:
        add_url(x->out, value, len);
        break;
    case MACRO_JSON:
        add_json(x->out, value, len);
        break;
    case MACRO_HEADER:
        buf_add(x->out, value, len);
        break;
    }
    return 0;
}

/* Reads the macro whose "{" is at p; returns where it ends, or NULL. */
static const char *
read_macro(const expander_t *x, const char *p, const char *end, macro_t *macro)
{
    const char *close;

    memset(macro, 0, sizeof(*macro));
    close = memchr(p, '}', (size_t)(end - p));
    if (close == NULL) {
        (void)fault_set(x->fault, x->line, "\"{\" is not closed");
        return NULL;
    }
    p++;
    if (*p == '_') {
        macro->raw = 1;
        p++;
    }
    macro->name = p;
    while (p < close && is_name_char(*p)) {
        p++;
    }
    macro->name_len = (size_t)(p - macro->name);
    if (p < close && *p == ':') {
        macro->map = p + 1;
        macro->map_len = (size_t)(close - p) - 1;
        if (memchr(macro->map, '{', macro->map_len) != NULL) {
            (void)fault_set(x->fault, x->line, "\"{\" inside a map");
            return NULL;
        }
    } else if (p < close) {
        (void)fault_set(x->fault, x->line, "a macro without a proper name");
        return NULL;
    }
    return close + 1;
}

int
macro_expand(const char *text, size_t len, macro_encoding_e encoding,
             const macro_values_t *values, buf_t *out, fault_t *fault)
{
    const char *p, *end, *done;
    expander_t x = {encoding, values, out, fault, 1};
    macro_t macro;

    end = text + len;
    done = text;
    p = text;
    while (p < end) {
        if (*p == '}' && encoding != MACRO_JSON) {
            return fault_set(fault, x.line, "\"}\" without \"{\"");
        }
        if (*p != '{'
            || (encoding == MACRO_JSON
                && (p + 1 == end || !is_name_char(p[1]))))
        {
            x.line += *p++ == '\n';
            continue;
        }
        if (out != NULL) {
            buf_add(out, done, (size_t)(p - done));
        }
        p = read_macro(&x, p, end, &macro);
        if (p == NULL || expand_macro(&x, &macro) != 0) {
            return -1;
        }
        done = p;
    }
    if (out != NULL) {
        buf_add(out, done, (size_t)(end - done));
        if (out->failed) {
            return fault_set(fault, 0, "longer than %zu bytes", out->max);
        }
    }
    return 0;
}
