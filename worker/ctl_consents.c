/*
 * Texts of consents in the business document: what stands beside the box that
 * people tick, by purpose, version and language.
 */

#include "ctl_file.h"
#include "ctl_rules.h"

#include <stdlib.h>

#define MAX_TEXT (64 * 1024) /* bytes */

static void
check_purpose(ctl_check_t *check, json_t *value)
{
    static const char *const names[] = {"pd_processing", "ads", NULL};

    ctl_rules_one_of(check, value, names);
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

    if (json_is_object(value)) {
        (void)ctl_check_object(check, value, keys);
    } else if (!json_is_string(value)) {
        ctl_check_fail(check, "is neither a string nor {\"file\": ...}");
    } else if (json_string_length(value) == 0) {
        ctl_check_fail(check, "is empty");
    } else if (json_string_length(value) > MAX_TEXT) {
        ctl_check_fail(check, "is longer than %d bytes", MAX_TEXT);
    }
}

/* Puts the file's text in the place of its name. */
static void
take_file(ctl_check_t *check, json_t *item, const char *name)
{
    fault_t fault;
    char *path, *text;
    json_t *string;

    path = ctl_file_join(check->dir, name);
    (void)fault_set(&fault, 0, "no memory");
    text = path == NULL ? NULL : ctl_file_read(path, MAX_TEXT, &fault);
    string = text == NULL ? NULL : json_string(text);
    if (text == NULL) {
        ctl_check_fail_key(check, "text.file", "\"%s\": %s", name, fault.text);
    } else if (string == NULL) {
        ctl_check_fail_key(check, "text.file", "\"%s\": is not UTF-8", name);
    } else if (text[0] == '\0') {
        ctl_check_fail_key(check, "text.file", "\"%s\": is empty", name);
        json_decref(string);
    } else {
        (void)json_object_set_new(item, "text", string);
    }
    free(text);
    free(path);
}

static void
check_text(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"purpose", 1, check_purpose},
        {"version", 1, ctl_rules_name},
        {"lang", 1, ctl_rules_lang},
        {"text", 1, check_shape},
        {NULL, 0, NULL},
    };
    const char *name;

    if (ctl_check_object(check, value, keys) == 0) {
        name = ctl_rules_text_of(json_object_get(value, "text"), "file");
        if (name != NULL) {
            take_file(check, value, name);
        }
    }
}

void
ctl_consents_check(ctl_check_t *check, json_t *list)
{
    ctl_check_list(check, list, check_text);
}
