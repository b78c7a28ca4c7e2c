#include "match.h"
#include "jpath.h"

#include <jansson.h>
#include <string.h>

static const struct {
    const char *name;
    match_e match;
} matches[] = {
    {"any", MATCH_ANY},
    {"body_prefix", MATCH_BODY_PREFIX},
    {"contains", MATCH_CONTAINS},
    {"not_contains", MATCH_NOT_CONTAINS},
    {"json_path", MATCH_JSON_PATH},
};

int
match_parse(const char *type, const char *value, match_e *match,
            fault_t *fault)
{
    size_t i;

    for (i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
        if (strcmp(type, matches[i].name) == 0) {
            break;
        }
    }
    if (i == sizeof(matches) / sizeof(matches[0])) {
        return fault_set(fault, 0,
                         "match is not any, body_prefix, contains, "
                         "not_contains or json_path");
    }
    *match = matches[i].match;
    if (*match != MATCH_ANY && (value == NULL || *value == '\0')) {
        return fault_set(fault, 0, "match %s needs a value", type);
    }
    if (*match == MATCH_JSON_PATH
        && (strchr(value, '=') == NULL || *value == '=' || *value == '.'))
    {
        return fault_set(fault, 0, "match json_path is not a.b=value");
    }
    return 0;
}

/* Does the value of a JSON path, as text, equal want? */
static int
equals(const json_t *value, const char *want)
{
    char number[JPATH_NUMBER];
    const char *text;

    text = json_is_null(value) ? "null" : jpath_text(value, number);
    return text != NULL && strcmp(text, want) == 0;
}

static int
match_json(const char *path, const char *body, size_t body_len)
{
    const char *end;
    json_t *json;
    int found;

    json = json_loadb(body, body_len, 0, NULL);
    end = strchr(path, '=');
    found = equals(jpath_find(json, path, (size_t)(end - path)), end + 1);
    json_decref(json);
    return found;
}

int
match_test(match_e match, const char *value, const char *body, size_t len)
{
    switch (match) {
    case MATCH_ANY:
        return 1;
    case MATCH_BODY_PREFIX:
        return strncmp(body, value, strlen(value)) == 0;
    case MATCH_CONTAINS:
        return memmem(body, len, value, strlen(value)) != NULL;
    case MATCH_NOT_CONTAINS:
        return memmem(body, len, value, strlen(value)) == NULL;
    case MATCH_JSON_PATH:
        return match_json(value, body, len);
    }
    return 0;
}
