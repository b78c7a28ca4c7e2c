/*
 * What is different between two JSON documents.
 */

#include "ctl_diff.h"
#include "buf.h"

#include <stdlib.h>
#include <string.h>

#define MAX_LINE (CTL_DIFF_MAX_PATH + 4 * CTL_DIFF_MAX_VALUE + 64)

typedef struct {
    buf_t path;
    ctl_diff_pt fn;
    void *data;
    size_t n;
    int depth;
} diff_t;

static void compare(diff_t *d, json_t *before, json_t *after);

/* --- lines --------------------------------------------------------------- */

/* So many bytes of a text, and never half a character. */
static size_t
shown(const char *text, size_t len)
{
    size_t n;

    if (len <= CTL_DIFF_MAX_VALUE) {
        return len;
    }
    n = CTL_DIFF_MAX_VALUE;
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) {
        n--;
    }
    return n;
}

static void
add_value(buf_t *line, const char *text, size_t len)
{
    size_t n;

    n = shown(text, len);
    buf_add(line, text, n);
    if (n < len) {
        buf_add_str(line, "...");
    }
}

static void
add_json(buf_t *line, const json_t *value)
{
    char *text;

    text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    if (text != NULL) {
        add_value(line, text, strlen(text));
    }
    free(text);
}

static void
tell(diff_t *d, char sign, const buf_t *rest)
{
    buf_t line;

    buf_init(&line, MAX_LINE);
    buf_addf(&line, "%c %s%s", sign, buf_str(&d->path),
             rest == NULL ? "" : buf_str(rest));
    d->n++;
    d->fn(d->data, buf_str(&line));
    buf_done(&line);
}

static void
tell_change(diff_t *d, const json_t *before, const json_t *after)
{
    buf_t rest;

    buf_init(&rest, MAX_LINE);
    buf_add_str(&rest, ": ");
    add_json(&rest, before);
    buf_add_str(&rest, " -> ");
    add_json(&rest, after);
    tell(d, '~', &rest);
    buf_done(&rest);
}

/* Of two texts of several lines, the first line that differs. */
static void
tell_text(diff_t *d, const char *before, const char *after)
{
    size_t i, from, line;
    buf_t rest;

    from = 0;
    line = 1;
    for (i = 0; before[i] != '\0' && before[i] == after[i]; i++) {
        if (before[i] == '\n') {
            from = i + 1;
            line++;
        }
    }
    buf_init(&rest, MAX_LINE);
    buf_addf(&rest, ": line %zu: \"", line);
    add_value(&rest, before + from, strcspn(before + from, "\n"));
    buf_add_str(&rest, "\" -> \"");
    add_value(&rest, after + from, strcspn(after + from, "\n"));
    buf_add_str(&rest, "\"");
    tell(d, '~', &rest);
    buf_done(&rest);
}

/* --- paths --------------------------------------------------------------- */

static size_t
enter(diff_t *d, const char *open, const char *name, const char *close)
{
    size_t mark;

    mark = d->path.len;
    buf_add_str(&d->path, open);
    buf_add_str(&d->path, name);
    buf_add_str(&d->path, close);
    return mark;
}

static void
leave(diff_t *d, size_t mark)
{
    d->path.len = mark;
    d->path.failed = 0;
}

/* --- members and items --------------------------------------------------- */

static void
compare_objects(diff_t *d, json_t *before, json_t *after)
{
    const char *key;
    json_t *value;
    size_t mark;
    void *at;

    for (at = json_object_iter(after); at != NULL;
         at = json_object_iter_next(after, at))
    {
        key = json_object_iter_key(at);
        value = json_object_iter_value(at);
        mark = enter(d, d->path.len == 0 ? "" : ".", key, "");
        compare(d, json_object_get(before, key), value);
        leave(d, mark);
    }
    for (at = json_object_iter(before); at != NULL;
         at = json_object_iter_next(before, at))
    {
        key = json_object_iter_key(at);
        if (json_object_get(after, key) == NULL) {
            mark = enter(d, d->path.len == 0 ? "" : ".", key, "");
            compare(d, json_object_iter_value(at), NULL);
            leave(d, mark);
        }
    }
}

static const char *
member(const json_t *item, const char *key)
{
    const char *text;

    text = json_string_value(json_object_get(item, key));
    return text == NULL ? "" : text;
}

/* How the items of a list are known. */
typedef enum { BY_PLACE, BY_NAME, BY_NAME_AND_LANG } known_e;

static int
is_same(const json_t *item, const json_t *other, known_e known)
{
    return strcmp(member(item, "name"), member(other, "name")) == 0
           && (known == BY_NAME
               || strcmp(member(item, "lang"), member(other, "lang")) == 0);
}

static json_t *
find(const json_t *list, const json_t *item, known_e known)
{
    json_t *other;
    size_t i;

    for (i = 0; i < json_array_size(list); i++) {
        other = json_array_get(list, i);
        if (is_same(item, other, known)) {
            return other;
        }
    }
    return NULL;
}

static known_e
how_known(const json_t *list)
{
    const json_t *item;
    known_e known;
    size_t i;

    known = BY_NAME;
    for (i = 0; i < json_array_size(list); i++) {
        item = json_array_get(list, i);
        if (member(item, "name")[0] == '\0') {
            return BY_PLACE;
        }
        if (find(list, item, BY_NAME) != item) {
            known = BY_NAME_AND_LANG;
        }
    }
    return known;
}

/* Of two lists: as the one says in which names repeat, or are missing. */
static known_e
both_known(const json_t *before, const json_t *after)
{
    known_e one, other;

    one = how_known(before);
    other = how_known(after);
    if (one == BY_PLACE || other == BY_PLACE) {
        return BY_PLACE;
    }
    return one > other ? one : other;
}

static size_t
enter_item(diff_t *d, const json_t *item, size_t i, known_e known)
{
    char place[24];
    size_t mark;

    if (known == BY_PLACE) {
        (void)snprintf(place, sizeof(place), "%zu", i);
        return enter(d, "[", place, "]");
    }
    mark = enter(d, "[", member(item, "name"), known == BY_NAME ? "]" : " ");
    if (known == BY_NAME_AND_LANG) {
        (void)enter(d, "", member(item, "lang"), "]");
    }
    return mark;
}

static void
compare_lists(diff_t *d, json_t *before, json_t *after)
{
    json_t *item, *other;
    known_e known;
    size_t i, mark;

    known = both_known(before, after);
    for (i = 0; i < json_array_size(after); i++) {
        item = json_array_get(after, i);
        other = known == BY_PLACE ? json_array_get(before, i)
                                  : find(before, item, known);
        mark = enter_item(d, item, i, known);
        compare(d, other, item);
        leave(d, mark);
    }
    for (i = 0; i < json_array_size(before); i++) {
        item = json_array_get(before, i);
        if (known == BY_PLACE ? i < json_array_size(after)
                              : find(after, item, known) != NULL)
        {
            continue;
        }
        mark = enter_item(d, item, i, known);
        compare(d, item, NULL);
        leave(d, mark);
    }
}

static int
is_container(const json_t *value)
{
    return json_is_object(value) || json_is_array(value);
}

static int
has_lines(const json_t *value)
{
    return json_is_string(value)
           && strchr(json_string_value(value), '\n') != NULL;
}

/* One side has nothing. */
static void
tell_one_side(diff_t *d, const json_t *before, const json_t *after)
{
    if (is_container(before == NULL ? after : before)) {
        tell(d, before == NULL ? '+' : '-', NULL);
    } else {
        tell_change(d, before == NULL ? json_null() : before,
                    after == NULL ? json_null() : after);
    }
}

static void
compare_values(diff_t *d, json_t *before, json_t *after)
{
    if (json_is_object(before) && json_is_object(after)
        && d->depth < CTL_DIFF_MAX_DEPTH)
    {
        d->depth++;
        compare_objects(d, before, after);
        d->depth--;
    } else if (json_is_array(before) && json_is_array(after)
               && d->depth < CTL_DIFF_MAX_DEPTH)
    {
        d->depth++;
        compare_lists(d, before, after);
        d->depth--;
    } else if (json_is_string(before) && json_is_string(after)
               && (has_lines(before) || has_lines(after)))
    {
        tell_text(d, json_string_value(before), json_string_value(after));
    } else {
        tell_change(d, before, after);
    }
}

static void
compare(diff_t *d, json_t *before, json_t *after)
{
    before = json_is_null(before) ? NULL : before;
    after = json_is_null(after) ? NULL : after;
    if (before == NULL && after == NULL) {
        return;
    }
    if (before == NULL || after == NULL) {
        tell_one_side(d, before, after);
    } else if (!json_equal(before, after)) {
        compare_values(d, before, after);
    }
}

size_t
ctl_diff(json_t *before, json_t *after, ctl_diff_pt fn, void *data)
{
    diff_t d;

    memset(&d, 0, sizeof(d));
    d.fn = fn;
    d.data = data;
    buf_init(&d.path, CTL_DIFF_MAX_PATH);
    compare(&d, before, after);
    buf_done(&d.path);
    return d.n;
}
