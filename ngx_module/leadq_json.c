
/*
 * JSON bodies by jansson, behind a look at their nesting that keeps jansson
 * from building big trees which we would refuse afterwards.
 */

#include "leadq_json.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "leadq_list.h"
#include "leadq_utf8.h"


#define LEADQ_JSON_DEPTH  8


static leadq_code_e leadq_json_survey(const char *body, size_t len,
    size_t max, leadq_pairs_t *pairs);
static void leadq_json_raw(leadq_pairs_t *pairs, size_t i,
    const char *begin, const char *end);
static leadq_code_e leadq_json_pair(const char *name, size_t name_len,
    json_t *value, char **arena, leadq_pairs_t *pairs);
static leadq_code_e leadq_json_error(const char *body, size_t len,
    const json_error_t *error, char *arena, leadq_pairs_t *pairs);
static void leadq_json_culprit(const char *body, size_t end, char *arena,
    leadq_pairs_t *pairs);
static void leadq_json_store(leadq_str_t *out, const char *text, size_t len,
    char **arena);


leadq_code_e
leadq_json_parse(const char *body, size_t len, char *arena,
    const leadq_str_t *list, leadq_pairs_t *pairs)
{
    void          *iter;
    json_t        *root;
    const char    *name;
    json_error_t   error;
    leadq_code_e   code;

    pairs->n = 0;
    pairs->culprit.len = 0;

    if (list != NULL && leadq_list_begins(body, len)) {
        leadq_json_whole(body, len, pairs);
        pairs->pair[0].name = *list;

        return LEADQ_OK;
    }

    code = leadq_json_survey(body, len, list == NULL ? LEADQ_JSON_VALUES
                                                     : LEADQ_JSON_VALUES_LIST,
                             pairs);
    if (code != LEADQ_OK) {
        return code;
    }

    root = json_loadb(body, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
                      &error);
    if (root == NULL) {
        return leadq_json_error(body, len, &error, arena, pairs);
    }

    if (!json_is_object(root)) {
        code = LEADQ_BAD_JSON;

    } else if (json_object_size(root) > LEADQ_PAIRS_MAX) {
        code = LEADQ_TOO_MANY_FIELDS;
    }

    iter = code == LEADQ_OK ? json_object_iter(root) : NULL;

    while (iter != NULL && code == LEADQ_OK) {
        name = json_object_iter_key(iter);

        code = leadq_json_pair(name, strlen(name),
                               json_object_iter_value(iter), &arena, pairs);

        iter = json_object_iter_next(root, iter);
    }

    json_decref(root);

    return code;
}


void
leadq_json_whole(const char *body, size_t len, leadq_pairs_t *pairs)
{
    leadq_pair_t  *pair;

    pair = &pairs->pair[0];

    pair->name.len = 0;
    pair->name.data = body;
    pair->value = pair->name;
    pair->scalar = 0;

    leadq_json_raw(pairs, 0, body, body + len);

    pairs->n = pair->raw.len != 0;
    pairs->culprit.len = 0;
}


/*
 * Bounds depth and number of values before anything is allocated, and notes
 * where the values of the outermost object are.  What is noted is true if
 * jansson accepts the body.
 */

static leadq_code_e
leadq_json_survey(const char *body, size_t len, size_t max,
    leadq_pairs_t *pairs)
{
    int          quoted;
    size_t       i, n, depth, elements;
    const char  *value;

    quoted = 0;
    n = 0;
    depth = 0;
    elements = 0;
    value = body;

    for (i = 0; i < len; i++) {

        if (quoted) {
            if (body[i] == '\\') {
                i++;

            } else if (body[i] == '"') {
                quoted = 0;
            }

            continue;
        }

        switch (body[i]) {

        case '"':
            quoted = 1;
            break;

        case '\0':                          /* the end to jansson's eyes */
            return LEADQ_BAD_JSON;

        case '{':
        case '[':
            depth++;
            elements++;
            break;

        case '}':
        case ']':
            if (depth == 1) {
                leadq_json_raw(pairs, n++, value, &body[i]);
            }

            depth -= depth > 0;
            break;

        case ':':
            if (depth == 1) {
                value = &body[i + 1];
            }

            break;

        case ',':
            if (depth == 1) {
                leadq_json_raw(pairs, n++, value, &body[i]);
            }

            elements++;
            break;
        }

        if (depth > LEADQ_JSON_DEPTH) {
            return LEADQ_BAD_JSON;
        }

        if (elements > max) {
            return LEADQ_TOO_MANY_FIELDS;
        }
    }

    return LEADQ_OK;
}


static void
leadq_json_raw(leadq_pairs_t *pairs, size_t i, const char *begin,
    const char *end)
{
    leadq_str_t  *raw;

    if (i >= LEADQ_PAIRS_MAX) {
        return;
    }

    raw = &pairs->pair[i].raw;

    raw->data = begin;
    raw->len = (size_t) (end - begin);

    leadq_type_trim(&raw->data, &raw->len);
}


static leadq_code_e
leadq_json_pair(const char *name, size_t name_len, json_t *value,
    char **arena, leadq_pairs_t *pairs)
{
    int            n;
    char           digits[32];
    leadq_pair_t  *pair;

    if (name_len == 0) {
        return LEADQ_BAD_JSON;
    }

    pair = &pairs->pair[pairs->n++];
    pair->scalar = 1;

    leadq_json_store(&pair->name, name, name_len, arena);

    switch (json_typeof(value)) {

    case JSON_STRING:
        leadq_json_store(&pair->value, json_string_value(value),
                         json_string_length(value), arena);
        break;

    case JSON_INTEGER:
        n = snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT,
                     json_integer_value(value));
        leadq_json_store(&pair->value, digits, (size_t) n, arena);
        break;

    case JSON_TRUE:
        leadq_json_store(&pair->value, "true", 4, arena);
        break;

    case JSON_FALSE:
        leadq_json_store(&pair->value, "false", 5, arena);
        break;

    case JSON_NULL:
        leadq_json_store(&pair->value, "", 0, arena);
        break;

    case JSON_OBJECT:
    case JSON_ARRAY:
    case JSON_REAL:
    default:
        leadq_json_store(&pair->value, "", 0, arena);
        pair->scalar = 0;
        break;
    }

    return LEADQ_OK;
}


static leadq_code_e
leadq_json_error(const char *body, size_t len, const json_error_t *error,
    char *arena, leadq_pairs_t *pairs)
{
    switch (json_error_code(error)) {

    case json_error_invalid_utf8:
        return LEADQ_BAD_ENCODING;

    case json_error_duplicate_key:
        if (error->position > 0 && (size_t) error->position <= len) {
            leadq_json_culprit(body, (size_t) error->position, arena, pairs);
        }

        return LEADQ_DUPLICATE_FIELD;

    default:
        return leadq_utf8_valid(body, len) ? LEADQ_BAD_JSON
                                           : LEADQ_BAD_ENCODING;
    }
}


/*
 * jansson stops right behind the second of two equal names.  Names with
 * escapes are not worth the trouble: they are no fields of ours.
 */

static void
leadq_json_culprit(const char *body, size_t end, char *arena,
    leadq_pairs_t *pairs)
{
    size_t  begin;

    if (end < 2 || body[end - 1] != '"') {
        return;
    }

    end--;
    begin = end;

    while (begin > 0 && body[begin - 1] != '"') {
        begin--;
    }

    if (begin == 0 || memchr(body + begin, '\\', end - begin) != NULL) {
        return;
    }

    leadq_json_store(&pairs->culprit, body + begin, end - begin, &arena);
}


static void
leadq_json_store(leadq_str_t *out, const char *text, size_t len, char **arena)
{
    memcpy(*arena, text, len);

    out->data = *arena;
    out->len = len;

    *arena += len;
}


void
leadq_json_put(leadq_buf_t *buf, const char *text, size_t len)
{
    char         escape[8];
    int32_t      cp;
    const char  *p, *end, *plain;

    p = text;
    end = text + len;
    plain = text;

    leadq_buf_put(buf, "\"", 1);

    while (p < end) {

        if ((unsigned char) *p >= 0x20 && (unsigned char) *p < 0x7f
            && *p != '"' && *p != '\\')
        {
            p++;
            continue;
        }

        leadq_buf_put(buf, plain, (size_t) (p - plain));
        plain = p;

        cp = leadq_utf8_next(&p, end);

        if (cp >= 0x80) {
            continue;
        }

        if (cp <= 0) {
            leadq_buf_put(buf, "\xef\xbf\xbd", 3);

        } else if (cp == '"' || cp == '\\') {
            escape[0] = '\\';
            escape[1] = (char) cp;
            leadq_buf_put(buf, escape, 2);

        } else {
            snprintf(escape, sizeof(escape), "\\u%04x", (unsigned) cp & 0x7f);
            leadq_buf_put(buf, escape, 6);
        }

        plain = p;
    }

    leadq_buf_put(buf, plain, (size_t) (p - plain));
    leadq_buf_put(buf, "\"", 1);
}
