#include "jpath.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define MAX_INDEX_DIGITS 6

json_t *
jpath_body(const char *body, size_t len)
{
    json_t *json;

    json = json_loadb(body, len, 0, NULL);
    if (json != NULL) {
        return json;
    }
    while (len > 0 && isspace((unsigned char)*body)) {
        body++;
        len--;
    }
    while (len > 0 && isspace((unsigned char)body[len - 1])) {
        len--;
    }
    return json_stringn(body, len);
}

static const json_t *
element_at(const json_t *array, const char *part, size_t len)
{
    size_t i, index;

    if (len > MAX_INDEX_DIGITS) {
        return NULL;
    }
    index = 0;
    for (i = 0; i < len; i++) {
        if (part[i] < '0' || part[i] > '9') {
            return NULL;
        }
        index = index * 10 + (size_t)(part[i] - '0');
    }
    return json_array_get(array, index);
}

const json_t *
jpath_find(const json_t *root, const char *path, size_t len)
{
    const char *part, *end = path + len;
    const json_t *value = root;
    size_t n;

    if (len == 1 && *path == '*') {
        return root;
    }
    for (part = path; value != NULL && part <= end; part += n + 1) {
        for (n = 0; part + n < end && part[n] != '.'; n++) {
            continue;
        }
        if (n == 0) {
            return NULL;
        }
        value = json_is_array(value) ? element_at(value, part, n)
                                     : json_object_getn(value, part, n);
    }
    return value;
}

const char *
jpath_text(const json_t *value, char number[JPATH_NUMBER])
{
    if (json_is_string(value)) {
        return json_string_value(value);
    }
    if (json_is_integer(value)) {
        (void)snprintf(number, JPATH_NUMBER, "%" JSON_INTEGER_FORMAT,
                       json_integer_value(value));
        return number;
    }
    return json_is_true(value)    ? "true"
           : json_is_false(value) ? "false"
                                  : NULL;
}

const char *
jpath_text_at(const json_t *root, const char *path, char number[JPATH_NUMBER])
{
    return path == NULL
               ? NULL
               : jpath_text(jpath_find(root, path, strlen(path)), number);
}

void
jpath_keep(const json_t *root, const char *path, char *out, size_t size)
{
    char number[JPATH_NUMBER];
    const char *text, *p;

    *out = '\0';
    text = jpath_text_at(root, path, number);
    if (text == NULL || strlen(text) >= size) {
        return;
    }
    for (p = text; (unsigned char)*p >= ' ' && *p != 0x7f; p++) {
        continue;
    }
    if (*p == '\0') {
        (void)snprintf(out, size, "%s", text);
    }
}
