#include "ctl_check.h"

#include "ctl_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
note(ctl_check_t *check, int line, char *text)
{
    ctl_problem_t *problem;
    char *p;

    if (check->n_problems < CTL_CHECK_MAX_PROBLEMS && text != NULL) {
        for (p = text; *p != '\0'; p++) {
            *p = (unsigned char)*p < ' ' || *p == '\177' ? '?' : *p;
        }
        problem = &check->problems[check->n_problems];
        problem->line = line;
        problem->seq = check->n_problems;
        problem->text = text;
    } else {
        free(text);
    }
    check->n_problems++;
}

static void note_path(ctl_check_t *check, const char *path, int line,
                      const char *fmt, va_list args)
    __attribute__((format(printf, 4, 0)));

/* line 0: where the value stands. */
static void
note_path(ctl_check_t *check, const char *path, int line, const char *fmt,
          va_list args)
{
    char reason[512];
    char *text;

    if (line == 0) {
        line = ctl_json_line(check->lines, path);
    }
    (void)vsnprintf(reason, sizeof(reason), fmt, args);
    if (asprintf(&text, "%s:%d: %s%s%s", check->file, line, path,
                 path[0] == '\0' ? "" : ": ", reason)
        < 0)
    {
        text = NULL;
    }
    note(check, line, text);
}

void
ctl_check_fail_path(ctl_check_t *check, const char *path, int line,
                    const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    note_path(check, path, line, fmt, args);
    va_end(args);
}

void
ctl_check_fail(ctl_check_t *check, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    note_path(check, buf_str(&check->path), 0, fmt, args);
    va_end(args);
}

void
ctl_check_fail_key(ctl_check_t *check, const char *key, const char *fmt, ...)
{
    va_list args;
    size_t mark;

    mark = ctl_check_enter(check, key);
    va_start(args, fmt);
    note_path(check, buf_str(&check->path), 0, fmt, args);
    va_end(args);
    ctl_check_leave(check, mark);
}

void
ctl_check_fail_file(ctl_check_t *check, const char *file, int line,
                    const char *reason)
{
    const char *path = buf_str(&check->path);
    char *text;

    if (asprintf(&text, "%s:%d: %s: %s", file, line, path, reason) < 0) {
        text = NULL;
    }
    note(check, ctl_json_line(check->lines, path), text);
}

static void
on_repeated(void *data, const char *path, int line, int first)
{
    ctl_check_fail_path(data, path, line, "is here twice, first on line %d",
                        first);
}

static char *
dir_of(const char *file)
{
    const char *slash;

    slash = strrchr(file, '/');
    if (slash == NULL) {
        return strdup(".");
    }
    return slash == file ? strdup("/") : strndup(file, (size_t)(slash - file));
}

int
ctl_check_init(ctl_check_t *check, const char *file, const char *text,
               json_t *document)
{
    memset(check, 0, sizeof(*check));
    check->file = file;
    check->document = document;
    buf_init(&check->path, CTL_JSON_MAX_PATH);
    check->dir = dir_of(file);
    check->lines = ctl_json_new(text);
    if (check->dir == NULL || check->lines == NULL) {
        return ctl_error("no memory");
    }
    ctl_json_each_repeated(check->lines, on_repeated, check);
    return 0;
}

void
ctl_check_done(ctl_check_t *check)
{
    size_t i;

    for (i = 0; i < check->n_problems && i < CTL_CHECK_MAX_PROBLEMS; i++) {
        free(check->problems[i].text);
    }
    buf_done(&check->path);
    ctl_json_free(check->lines);
    free(check->dir);
    check->lines = NULL;
    check->dir = NULL;
    check->n_problems = 0;
}

size_t
ctl_check_enter(ctl_check_t *check, const char *key)
{
    size_t mark;

    mark = check->path.len;
    if (mark > 0) {
        buf_add_char(&check->path, '.');
    }
    buf_add_str(&check->path, key);
    return mark;
}

size_t
ctl_check_enter_item(ctl_check_t *check, size_t index)
{
    size_t mark;

    mark = check->path.len;
    buf_addf(&check->path, "[%zu]", index);
    return mark;
}

void
ctl_check_leave(ctl_check_t *check, size_t mark)
{
    check->path.failed = 0;
    check->path.len = mark;
    if (check->path.data != NULL) {
        check->path.data[mark] = '\0';
    }
}

static int
by_line(const void *a, const void *b)
{
    const ctl_problem_t *left = a, *right = b;

    if (left->line != right->line) {
        return left->line < right->line ? -1 : 1;
    }
    return left->seq < right->seq ? -1 : left->seq > right->seq;
}

size_t
ctl_check_report(ctl_check_t *check)
{
    size_t i, n;

    n = check->n_problems < CTL_CHECK_MAX_PROBLEMS ? check->n_problems
                                                   : CTL_CHECK_MAX_PROBLEMS;
    qsort(check->problems, n, sizeof(check->problems[0]), by_line);
    for (i = 0; i < n; i++) {
        (void)fprintf(stderr, "%s\n", check->problems[i].text);
    }
    if (check->n_problems > n) {
        (void)ctl_error("and %zu more", check->n_problems - n);
    }
    return check->n_problems;
}

/* --- shapes -------------------------------------------------------------- */

static const ctl_key_t *
find_key(const ctl_key_t *keys, const char *name)
{
    for (; keys->name != NULL; keys++) {
        if (strcmp(keys->name, name) == 0) {
            return keys;
        }
    }
    return NULL;
}

int
ctl_check_object(ctl_check_t *check, json_t *value, const ctl_key_t *keys)
{
    const ctl_key_t *key;
    const char *name;
    json_t *member;
    size_t mark;

    if (!json_is_object(value)) {
        ctl_check_fail(check, "is not an object");
        return -1;
    }
    json_object_foreach(value, name, member)
    {
        key = find_key(keys, name);
        mark = ctl_check_enter(check, name);
        if (key == NULL) {
            ctl_check_fail(check, "is not a known key");
        } else if (!json_is_null(member)) {
            key->check(check, member);
        }
        ctl_check_leave(check, mark);
    }
    for (key = keys; key->name != NULL; key++) {
        member = json_object_get(value, key->name);
        if (key->required && (member == NULL || json_is_null(member))) {
            ctl_check_fail_key(check, key->name, "is missing");
        }
    }
    return 0;
}

void
ctl_check_list(ctl_check_t *check, json_t *value, ctl_check_pt item)
{
    json_t *member;
    size_t i, mark;

    if (!json_is_array(value)) {
        ctl_check_fail(check, "is not a list");
        return;
    }
    if (json_array_size(value) > CTL_CHECK_MAX_ITEMS) {
        ctl_check_fail(check, "has more than %d items", CTL_CHECK_MAX_ITEMS);
        return;
    }
    json_array_foreach(value, i, member)
    {
        mark = ctl_check_enter_item(check, i);
        item(check, member);
        ctl_check_leave(check, mark);
    }
}

void
ctl_check_some(ctl_check_t *check, json_t *value, ctl_check_pt item,
               size_t max, const char *items)
{
    ctl_check_list(check, value, item);
    if (json_is_array(value)
        && (json_array_size(value) < 1 || json_array_size(value) > max))
    {
        ctl_check_fail(check, "has not from 1 to %zu %s", max, items);
    }
}

const char *
ctl_check_string(ctl_check_t *check, const json_t *value)
{
    if (!json_is_string(value)) {
        ctl_check_fail(check, "is not a string");
        return NULL;
    }
    return json_string_value(value);
}
