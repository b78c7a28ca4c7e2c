/*
 * Owns the steps of a parsed template.  Parsing walks the text once from tag
 * to tag; a stack of open sections, bounded, gives each section its end:
 *
 *     text --"{{"--> tag --"}}"--> text        (the end of the text ends it)
 *
 * Rendering walks the steps; a section that is not shown is a jump.
 */

#include "template.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef enum {
    STEP_TEXT,     /* text, len */
    STEP_VALUE,    /* name; escaped */
    STEP_RAW,      /* name; as it is */
    STEP_URL,      /* name; percent-encoded */
    STEP_SECTION,  /* name; jump to end unless it holds */
    STEP_INVERTED, /* name; jump to end when it holds */
    STEP_END       /* nothing; where a jump lands */
} step_e;

typedef struct {
    step_e kind;
    int line;
    size_t at;  /* where the text begins, or the name (terminated) */
    size_t len; /* of the text */
    size_t end; /* of a section: its STEP_END */
} step_t;

struct template_s {
    char *text;    /* owned copy; slices of it are steps' texts */
    char *names;   /* owned; names one after the other, terminated */
    step_t *steps; /* owned */
    size_t n;
};

typedef struct {
    template_t *tpl; /* owned until parsing succeeds */
    size_t len;
    size_t pos;
    size_t size;      /* of steps, allocated */
    size_t names_len; /* used */
    int line;
    fault_t *fault; /* borrowed */
    size_t depth;
    size_t open[TEMPLATE_MAX_DEPTH]; /* steps of the open sections */
} parser_t;

typedef struct {
    char sigil;        /* # ^ / ! & % { or 0 for a plain variable */
    size_t at, end;    /* the whole tag, with its braces */
    const char *inner; /* what is between, trimmed; borrowed */
    size_t inner_len;
} tag_t;

static step_t *
add_step(parser_t *p, step_e kind)
{
    template_t *tpl = p->tpl;
    step_t *steps;
    size_t size;

    if (tpl->n == p->size) {
        if (tpl->n == TEMPLATE_MAX_STEPS) {
            (void)fault_set(p->fault, p->line, "more than %d tags and texts",
                            TEMPLATE_MAX_STEPS);
            return NULL;
        }
        size = p->size == 0 ? 16 : p->size * 2;
        steps = realloc(tpl->steps, size * sizeof(*steps));
        if (steps == NULL) {
            (void)fault_set(p->fault, p->line, "out of memory");
            return NULL;
        }
        tpl->steps = steps;
        p->size = size;
    }
    steps = &tpl->steps[tpl->n++];
    memset(steps, 0, sizeof(*steps));
    steps->kind = kind;
    steps->line = p->line;
    return steps;
}

static int
add_text(parser_t *p, size_t at, size_t end)
{
    step_t *step;

    if (at >= end) {
        return 0;
    }
    step = add_step(p, STEP_TEXT);
    if (step == NULL) {
        return -1;
    }
    step->at = at;
    step->len = end - at;
    return 0;
}

static void
count_lines(parser_t *p, size_t from, size_t to)
{
    const char *text = p->tpl->text;

    for (; from < to; from++) {
        p->line += text[from] == '\n';
    }
}

/* Finds the end of the tag that begins at p->pos and what is in it. */
static int
read_tag(parser_t *p, tag_t *tag)
{
    const char *text = p->tpl->text, *close, *from, *to;

    tag->at = p->pos;
    from = text + p->pos + 2;
    tag->sigil = *from;
    if (tag->sigil == '{') {
        close = strstr(from, "}}}");
        tag->end = close == NULL ? 0 : (size_t)(close - text) + 3;
    } else {
        close = strstr(from, "}}");
        tag->end = close == NULL ? 0 : (size_t)(close - text) + 2;
    }
    if (close == NULL) {
        return fault_set(p->fault, p->line, "a tag is not closed");
    }
    if (strchr("#^/!&%{>=<$", tag->sigil) != NULL) {
        from++;
    } else {
        tag->sigil = '\0';
    }
    to = close;
    while (from < to && isspace((unsigned char)*from)) {
        from++;
    }
    while (to > from && isspace((unsigned char)to[-1])) {
        to--;
    }
    tag->inner = from;
    tag->inner_len = (size_t)(to - from);
    return 0;
}

/* Stores the tag's name; (size_t)-1 with the fault set when it is none. */
static size_t
add_name(parser_t *p, const tag_t *tag)
{
    size_t i, at;

    if (tag->inner_len == 0) {
        (void)fault_set(p->fault, p->line, "a tag without a name");
        return SIZE_MAX;
    }
    if (tag->inner_len > TEMPLATE_MAX_NAME) {
        (void)fault_set(p->fault, p->line, "a name longer than %d bytes",
                        TEMPLATE_MAX_NAME);
        return SIZE_MAX;
    }
    for (i = 0; i < tag->inner_len; i++) {
        if (!isalnum((unsigned char)tag->inner[i]) && tag->inner[i] != '_') {
            (void)fault_set(p->fault, p->line, "\"%.*s\" is not a name",
                            (int)tag->inner_len, tag->inner);
            return SIZE_MAX;
        }
    }
    at = p->names_len;
    memcpy(p->tpl->names + at, tag->inner, tag->inner_len);
    p->tpl->names[at + tag->inner_len] = '\0';
    p->names_len += tag->inner_len + 1;
    return at;
}

/*
 * A section tag or comment with nothing but blanks around it on its line
 * takes the line with it: *from moves back to the line's begin, *to beyond
 * its end.
 */
static void
take_line(const parser_t *p, size_t done, size_t *from, size_t *to)
{
    const char *text = p->tpl->text;
    size_t at = *from, end = *to;

    while (at > done && (text[at - 1] == ' ' || text[at - 1] == '\t')) {
        at--;
    }
    if (at != 0 && text[at - 1] != '\n') {
        return;
    }
    while (text[end] == ' ' || text[end] == '\t') {
        end++;
    }
    if (text[end] == '\r' && text[end + 1] == '\n') {
        end++;
    }
    if (text[end] == '\n') {
        end++;
    } else if (text[end] != '\0') {
        return;
    }
    *from = at;
    *to = end;
}

static int
open_section(parser_t *p, const tag_t *tag)
{
    step_t *step;
    size_t name;

    if (p->depth == TEMPLATE_MAX_DEPTH) {
        return fault_set(p->fault, p->line, "sections deeper than %d",
                         TEMPLATE_MAX_DEPTH);
    }
    name = add_name(p, tag);
    if (name == SIZE_MAX) {
        return -1;
    }
    step = add_step(p, tag->sigil == '#' ? STEP_SECTION : STEP_INVERTED);
    if (step == NULL) {
        return -1;
    }
    step->at = name;
    p->open[p->depth++] = p->tpl->n - 1;
    return 0;
}

static int
close_section(parser_t *p, const tag_t *tag)
{
    const char *name;
    step_t *step;
    size_t at;

    if (p->depth == 0) {
        return fault_set(p->fault, p->line, "{{/%.*s}} closes no section",
                         (int)(tag->inner_len > TEMPLATE_MAX_NAME
                                   ? TEMPLATE_MAX_NAME
                                   : tag->inner_len),
                         tag->inner);
    }
    at = p->open[--p->depth];
    name = p->tpl->names + p->tpl->steps[at].at;
    if (strlen(name) != tag->inner_len
        || memcmp(name, tag->inner, tag->inner_len) != 0)
    {
        return fault_set(p->fault, p->line,
                         "section \"%s\" of line %d is still open", name,
                         p->tpl->steps[at].line);
    }
    step = add_step(p, STEP_END);
    if (step == NULL) {
        return -1;
    }
    p->tpl->steps[at].end = p->tpl->n - 1;
    return 0;
}

static int
add_value(parser_t *p, const tag_t *tag)
{
    step_t *step;
    size_t name;

    name = add_name(p, tag);
    if (name == SIZE_MAX) {
        return -1;
    }
    step = add_step(p, tag->sigil == '\0'  ? STEP_VALUE
                       : tag->sigil == '%' ? STEP_URL
                                           : STEP_RAW);
    if (step == NULL) {
        return -1;
    }
    step->at = name;
    return 0;
}

static int
add_tag(parser_t *p, const tag_t *tag)
{
    switch (tag->sigil) {
    case '#':
    case '^':
        return open_section(p, tag);
    case '/':
        return close_section(p, tag);
    case '!':
        return 0;
    case '\0':
    case '&':
    case '%':
    case '{':
        return add_value(p, tag);
    case '=':
        return fault_set(p->fault, p->line,
                         "{{=..=}}: other delimiters are not supported");
    default:
        return fault_set(p->fault, p->line,
                         "{{%c..}}: partials are not supported", tag->sigil);
    }
}

static int
parse(parser_t *p)
{
    const char *text = p->tpl->text, *next;
    size_t from, to, done;
    tag_t tag;

    done = 0;
    for (;;) {
        next = strstr(text + p->pos, "{{");
        if (next == NULL) {
            break;
        }
        count_lines(p, p->pos, (size_t)(next - text));
        p->pos = (size_t)(next - text);
        if (read_tag(p, &tag) != 0) {
            return -1;
        }
        from = tag.at;
        to = tag.end;
        if (tag.sigil == '#' || tag.sigil == '^' || tag.sigil == '/'
            || tag.sigil == '!')
        {
            take_line(p, done, &from, &to);
        }
        if (add_text(p, done, from) != 0 || add_tag(p, &tag) != 0) {
            return -1;
        }
        count_lines(p, p->pos, to);
        p->pos = to;
        done = to;
    }
    if (p->depth > 0) {
        const step_t *step = &p->tpl->steps[p->open[p->depth - 1]];

        return fault_set(p->fault, step->line, "section \"%s\" is not closed",
                         p->tpl->names + step->at);
    }
    return add_text(p, done, p->len);
}

template_t *
template_parse(const char *text, size_t len, fault_t *fault)
{
    parser_t p;

    memset(&p, 0, sizeof(p));
    p.fault = fault;
    p.len = len;
    p.line = 1;
    if (len > TEMPLATE_MAX_LEN) {
        (void)fault_set(fault, 0, "longer than %d bytes", TEMPLATE_MAX_LEN);
        return NULL;
    }
    if (memchr(text, '\0', len) != NULL) {
        (void)fault_set(fault, 0, "contains a zero byte");
        return NULL;
    }
    p.tpl = calloc(1, sizeof(*p.tpl));
    if (p.tpl == NULL) {
        goto failed;
    }
    p.tpl->text = strndup(text, len);
    p.tpl->names = malloc(len + 1); /* a name is shorter than its tag */
    if (p.tpl->text == NULL || p.tpl->names == NULL) {
        goto failed;
    }
    if (parse(&p) != 0) {
        template_free(p.tpl);
        return NULL;
    }
    return p.tpl;

failed:
    (void)fault_set(fault, 0, "out of memory");
    template_free(p.tpl);
    return NULL;
}

void
template_free(template_t *tpl)
{
    if (tpl != NULL) {
        free(tpl->text);
        free(tpl->names);
        free(tpl->steps);
        free(tpl);
    }
}

static int
has_name(const step_t *step)
{
    return step->kind != STEP_TEXT && step->kind != STEP_END;
}

void
template_each_name(const template_t *tpl,
                   void (*fn)(void *data, const char *name, int line),
                   void *data)
{
    size_t i;

    for (i = 0; i < tpl->n; i++) {
        if (has_name(&tpl->steps[i])) {
            fn(data, tpl->names + tpl->steps[i].at, tpl->steps[i].line);
        }
    }
}

static int
holds(const json_t *value)
{
    if (json_is_string(value)) {
        return json_string_length(value) > 0;
    }
    return json_is_true(value) || json_is_number(value);
}

static void
add_escaped(buf_t *out, const char *text, size_t len)
{
    size_t i, done;
    const char *entity;

    done = 0;
    for (i = 0; i < len; i++) {
        switch (text[i]) {
        case '&':
            entity = "&amp;";
            break;
        case '<':
            entity = "&lt;";
            break;
        case '>':
            entity = "&gt;";
            break;
        case '"':
            entity = "&quot;";
            break;
        case '\'':
            entity = "&#39;";
            break;
        default:
            continue;
        }
        buf_add(out, text + done, i - done);
        buf_add_str(out, entity);
        done = i + 1;
    }
    buf_add(out, text + done, len - done);
}

/* RFC 3986: what is not unreserved stands as a percent escape. */
static void
add_encoded(buf_t *out, const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        if (isalnum((unsigned char)text[i])
            || (text[i] != '\0' && strchr("-._~", text[i]) != NULL))
        {
            buf_add_char(out, text[i]);
        } else {
            buf_addf(out, "%%%02X", (unsigned)(unsigned char)text[i]);
        }
    }
}

static void
add_plain(buf_t *out, const char *text, size_t len)
{
    buf_add(out, text, len);
}

/* How a string is added. */
typedef void (*add_pt)(buf_t *out, const char *text, size_t len);

static void
render_value(const json_t *value, add_pt add, buf_t *out)
{
    if (json_is_string(value)) {
        add(out, json_string_value(value), json_string_length(value));
    } else if (json_is_integer(value)) {
        buf_addf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else if (json_is_real(value)) {
        buf_addf(out, "%.15g", json_real_value(value));
    } else if (json_is_boolean(value)) {
        buf_add_str(out, json_is_true(value) ? "true" : "false");
    }
}

int
template_render(const template_t *tpl, const json_t *vars,
                template_escape_e escape, buf_t *out)
{
    const step_t *step;
    const json_t *value;
    size_t i;

    for (i = 0; i < tpl->n; i++) {
        step = &tpl->steps[i];
        value = has_name(step) ? json_object_get(vars, tpl->names + step->at)
                               : NULL;
        switch (step->kind) {
        case STEP_TEXT:
            buf_add(out, tpl->text + step->at, step->len);
            break;
        case STEP_VALUE:
            render_value(
                value, escape == TEMPLATE_HTML ? add_escaped : add_plain, out);
            break;
        case STEP_RAW:
            render_value(value, add_plain, out);
            break;
        case STEP_URL:
            render_value(value, add_encoded, out);
            break;
        case STEP_SECTION:
            i = holds(value) ? i : step->end;
            break;
        case STEP_INVERTED:
            i = holds(value) ? step->end : i;
            break;
        case STEP_END:
            break;
        }
    }
    return out->failed ? -1 : 0;
}
