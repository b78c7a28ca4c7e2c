/*
 * Templates of the business document.  Their texts may lie in files beside
 * it; faults in a text are told with the line they stand on there.
 */

#include "ctl_file.h"
#include "ctl_rules.h"

#include "template.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SUBJECT 200

/* What a letter's text may name; SQL and the worker fill these in. */
static const char *const variables[] = {"name", "source", "lang",
                                        "confirm_url", "unsubscribe_url"};

#define N_VARIABLES (sizeof(variables) / sizeof(variables[0]))

/* One text of a template: where its faults are told. */
typedef struct {
    ctl_check_t *check; /* borrowed */
    const char *file;   /* borrowed; NULL: the text stands in the document */
} part_t;

static void
fail_part(const part_t *part, int line, const char *reason)
{
    if (part->file != NULL) {
        ctl_check_fail_file(part->check, part->file, line < 1 ? 1 : line,
                            reason);
    } else if (line > 1) {
        ctl_check_fail(part->check, "%s (line %d of the text)", reason, line);
    } else {
        ctl_check_fail(part->check, "%s", reason);
    }
}

static void
on_name(void *data, const char *name, int line)
{
    fault_t fault;
    size_t i;

    for (i = 0; i < N_VARIABLES; i++) {
        if (strcmp(name, variables[i]) == 0) {
            return;
        }
    }
    (void)fault_set(&fault, line, "unknown variable \"%s\"", name);
    fail_part(data, fault.line, fault.text);
}

static void
check_mustache(part_t *part, const char *text)
{
    template_t *tpl;
    fault_t fault;

    tpl = template_parse(text, strlen(text), &fault);
    if (tpl == NULL) {
        fail_part(part, fault.line, fault.text);
        return;
    }
    template_each_name(tpl, on_name, part);
    template_free(tpl);
}

static void
check_subject(ctl_check_t *check, json_t *value)
{
    part_t part = {check, NULL};

    ctl_rules_text(check, value, MAX_SUBJECT);
    if (json_is_string(value)) {
        check_mustache(&part, json_string_value(value));
    }
}

static void
check_file_name(ctl_check_t *check, json_t *value)
{
    (void)ctl_check_string(check, value);
}

/* The text, or {"file": its file}. */
static void
check_shape(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"file", 1, check_file_name},
        {NULL, 0, NULL},
    };

    if (!json_is_string(value) && !json_is_object(value)) {
        ctl_check_fail(check, "is neither a string nor {\"file\": ...}");
    } else if (json_is_object(value)) {
        (void)ctl_check_object(check, value, keys);
    }
}

/* Puts the file's text in the place of its name and checks it. */
static void
take_file(ctl_check_t *check, json_t *tpl, const char *key, const char *name)
{
    fault_t fault;
    char *path, *text;
    json_t *string;
    part_t part;

    text = NULL;
    path = ctl_file_join(check->dir, name);
    if (path != NULL) {
        text = ctl_file_read(path, TEMPLATE_MAX_LEN, &fault);
    } else {
        (void)fault_set(&fault, 0, "no memory");
    }
    string = text == NULL ? NULL : json_string(text);
    if (text == NULL) {
        ctl_check_fail_key(check, "file", "\"%s\": %s", name, fault.text);
    } else if (string == NULL) {
        ctl_check_fail_key(check, "file", "\"%s\": is not UTF-8", name);
    } else {
        part.check = check;
        part.file = path;
        check_mustache(&part, text);
        (void)json_object_set_new(tpl, key, string);
    }
    free(text);
    free(path);
}

static void
check_part(ctl_check_t *check, json_t *tpl, const char *key)
{
    part_t part = {check, NULL};
    json_t *value;
    const char *name;
    size_t mark;

    value = json_object_get(tpl, key);
    name = ctl_rules_text_of(value, "file");
    mark = ctl_check_enter(check, key);
    if (json_is_string(value)) {
        check_mustache(&part, json_string_value(value));
    } else if (name != NULL) {
        take_file(check, tpl, key, name);
    }
    ctl_check_leave(check, mark);
}

static void
check_template(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"name", 1, ctl_rules_name},   {"lang", 1, ctl_rules_lang},
        {"subject", 1, check_subject}, {"text", 1, check_shape},
        {"html", 1, check_shape},      {NULL, 0, NULL},
    };

    if (ctl_check_object(check, value, keys) == 0) {
        check_part(check, value, "text");
        check_part(check, value, "html");
    }
}

/* --- the link that the series is for ------------------------------------- */

#define LINK "CONFIRM-URL"

/* Whether a letter shows the link; to a person with a name, or without. */
static int
shows_link(const template_t *tpl, const char *name)
{
    json_t *vars;
    buf_t out;
    int shown;

    vars = json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", name, "source", "x",
                     "lang", "x", "confirm_url", LINK, "unsubscribe_url", "x");
    buf_init(&out, TEMPLATE_MAX_LEN * 2);
    shown = vars != NULL
            && template_render(tpl, vars, TEMPLATE_PLAIN, &out) == 0
            && strstr(buf_str(&out), LINK) != NULL;
    buf_done(&out);
    json_decref(vars);
    return shown;
}

static void
check_link(ctl_check_t *check, const json_t *value, const char *key)
{
    const char *text;
    template_t *tpl;
    fault_t fault;

    text = ctl_rules_text_of(value, key);
    tpl = text == NULL ? NULL : template_parse(text, strlen(text), &fault);
    if (tpl == NULL) {
        return; /* told before */
    }
    if (!shows_link(tpl, "x")) {
        ctl_check_fail_key(check, key,
                           "does not show {{confirm_url}}, and a "
                           "series uses the template");
    } else if (!shows_link(tpl, "")) {
        ctl_check_fail_key(check, key,
                           "shows no {{confirm_url}} to a person "
                           "without a name");
    }
    template_free(tpl);
}

/* Whether a step of a series that asks for consent sends the template. */
static int
is_sent(const ctl_check_t *check, const json_t *value)
{
    const char *name, *used, *kind;
    json_t *series, *step;
    size_t i, k;

    name = ctl_rules_text_of(value, "name");
    json_array_foreach(json_object_get(check->document, "series"), i, series)
    {
        kind = ctl_rules_text_of(series, "kind");
        if (kind != NULL && strcmp(kind, "doi") != 0) {
            continue;
        }
        json_array_foreach(json_object_get(series, "steps"), k, step)
        {
            used = ctl_rules_text_of(step, "template");
            if (name != NULL && used != NULL && strcmp(name, used) == 0) {
                return 1;
            }
        }
    }
    return 0;
}

static void
check_links(ctl_check_t *check, json_t *value)
{
    if (is_sent(check, value)) {
        check_link(check, value, "text");
        check_link(check, value, "html");
    }
}

void
ctl_templates_check(ctl_check_t *check, json_t *list)
{
    ctl_check_list(check, list, check_template);
    if (json_is_array(list)) {
        ctl_check_list(check, list, check_links);
    }
}
