/*
 * Owns the list of values.  The walk keeps the open objects and lists on a
 * bounded stack and the path in one buffer, cut back at every member.
 */

#include "ctl_json.h"

#include "buf.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char *path; /* owned */
    int line;
    int first; /* line of the same key before; 0: there is none */
} value_t;

struct ctl_json_s {
    value_t *values; /* owned */
    size_t n;
    size_t size;
};

typedef struct {
    int is_object;
    size_t n;     /* members so far */
    size_t path;  /* length of its own path */
    size_t first; /* of json->values that may be a member */
} frame_t;

typedef struct {
    ctl_json_t *json;
    const char *p;
    int line;
    buf_t path;
    frame_t stack[CTL_JSON_MAX_DEPTH];
    size_t depth;
} walk_t;

static void
skip_blank(walk_t *w)
{
    for (; *w->p != '\0' && strchr(" \t\r\n", *w->p) != NULL; w->p++) {
        w->line += *w->p == '\n';
    }
}

/* Beyond the string that begins here; JSON has no line ends in strings. */
static void
skip_string(walk_t *w)
{
    for (w->p++; *w->p != '\0' && *w->p != '"' && *w->p != '\n'; w->p++) {
        if (w->p[0] == '\\' && w->p[1] != '\0') {
            w->p++;
        }
    }
    w->p += *w->p == '"';
}

static void
cut_path(walk_t *w, size_t len)
{
    w->path.failed = 0;
    w->path.len = len;
    if (w->path.data != NULL) {
        w->path.data[len] = '\0';
    }
}

/* The line of an earlier member of the same name, or 0. */
static int
find_before(const walk_t *w)
{
    const frame_t *frame;
    size_t i;

    frame = w->depth == 0 ? NULL : &w->stack[w->depth - 1];
    if (frame == NULL || !frame->is_object || frame->n > CTL_JSON_MAX_KEYS) {
        return 0;
    }
    for (i = frame->first; i < w->json->n; i++) {
        if (strcmp(w->json->values[i].path, buf_str(&w->path)) == 0) {
            return w->json->values[i].line;
        }
    }
    return 0;
}

/* Notes the value that begins here. */
static int
add_value(walk_t *w)
{
    ctl_json_t *json = w->json;
    value_t *values;
    size_t size;

    if (json->n == CTL_JSON_MAX_VALUES || w->path.failed) {
        return -1;
    }
    if (json->n == json->size) {
        size = json->size == 0 ? 64 : json->size * 2;
        values = realloc(json->values, size * sizeof(*values));
        if (values == NULL) {
            return -1;
        }
        json->values = values;
        json->size = size;
    }
    values = &json->values[json->n];
    values->line = w->line;
    values->first = find_before(w);
    values->path = strdup(buf_str(&w->path));
    json->n += values->path != NULL;
    return values->path == NULL ? -1 : 0;
}

static int
open_frame(walk_t *w)
{
    frame_t *frame;

    if (w->depth == CTL_JSON_MAX_DEPTH) {
        return -1;
    }
    frame = &w->stack[w->depth++];
    frame->is_object = *w->p == '{';
    frame->n = 0;
    frame->path = w->path.len;
    frame->first = w->json->n;
    w->p++;
    return 0;
}

/* Notes a value and moves beyond it, or into it. */
static int
take_value(walk_t *w)
{
    size_t len;

    skip_blank(w);
    if (add_value(w) == -1) {
        return -1;
    }
    if (*w->p == '{' || *w->p == '[') {
        return open_frame(w);
    }
    if (*w->p == '"') {
        skip_string(w);
        return 0;
    }
    len = strcspn(w->p, " \t\r\n,:{}[]\"");
    w->p += len;
    return len == 0 ? -1 : 0;
}

/* Adds the key that stands here, as jansson decodes it, to the path. */
static int
take_key(walk_t *w)
{
    const char *begin;
    json_t *key;

    begin = w->p;
    skip_string(w);
    key = json_loadb(begin, (size_t)(w->p - begin), JSON_DECODE_ANY, NULL);
    if (key == NULL) {
        return -1;
    }
    if (w->path.len > 0) {
        buf_add_char(&w->path, '.');
    }
    buf_add_str(&w->path, json_string_value(key));
    json_decref(key);
    skip_blank(w);
    if (*w->p != ':') {
        return -1;
    }
    w->p++;
    return 0;
}

static int
take_member(walk_t *w, frame_t *frame)
{
    cut_path(w, frame->path);
    frame->n++;
    if (!frame->is_object) {
        buf_addf(&w->path, "[%zu]", frame->n - 1);
    } else if (*w->p != '"' || take_key(w) == -1) {
        return -1;
    }
    return take_value(w);
}

static void
walk(walk_t *w)
{
    int rc;

    rc = take_value(w);
    while (rc == 0 && w->depth > 0) {
        skip_blank(w);
        switch (*w->p) {
        case '\0':
            return;
        case '}':
        case ']':
            w->depth--;
            w->p++;
            break;
        case ',':
            w->p++;
            break;
        default:
            rc = take_member(w, &w->stack[w->depth - 1]);
            break;
        }
    }
}

ctl_json_t *
ctl_json_new(const char *text)
{
    walk_t w;

    memset(&w, 0, sizeof(w));
    w.json = calloc(1, sizeof(*w.json));
    if (w.json == NULL) {
        return NULL;
    }
    w.p = text;
    w.line = 1;
    buf_init(&w.path, CTL_JSON_MAX_PATH);
    walk(&w);
    buf_done(&w.path);
    return w.json;
}

void
ctl_json_free(ctl_json_t *json)
{
    size_t i;

    if (json != NULL) {
        for (i = 0; i < json->n; i++) {
            free(json->values[i].path);
        }
        free(json->values);
        free(json);
    }
}

/* The last one wins, as with jansson. */
static const value_t *
find(const ctl_json_t *json, const char *path, size_t len)
{
    size_t i;

    for (i = json->n; i > 0; i--) {
        if (strncmp(json->values[i - 1].path, path, len) == 0
            && json->values[i - 1].path[len] == '\0')
        {
            return &json->values[i - 1];
        }
    }
    return NULL;
}

int
ctl_json_line(const ctl_json_t *json, const char *path)
{
    const value_t *value;
    size_t len;

    len = strlen(path);
    while ((value = find(json, path, len)) == NULL && len > 0) {
        do {
            len--;
        } while (len > 0 && path[len] != '.' && path[len] != '[');
    }
    return value == NULL ? 1 : value->line;
}

void
ctl_json_each_repeated(const ctl_json_t *json,
                       void (*fn)(void *data, const char *path, int line,
                                  int first),
                       void *data)
{
    size_t i;

    for (i = 0; i < json->n; i++) {
        if (json->values[i].first != 0) {
            fn(data, json->values[i].path, json->values[i].line,
               json->values[i].first);
        }
    }
}
