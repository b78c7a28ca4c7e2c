
/*
 * Answers: a status line with a status that may be, header lines, a body of
 * the length that was said; JSON that is JSON, problems that say the same
 * status.
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "door.h"




/* 5xx are not among them, except for what nginx does not implement. */

static int
status_may_be(int status)
{
    static const int  known[] = {
        200, 201, 204, 303, 400, 403, 404, 405, 408, 409, 411, 412, 413, 414,
        415, 416, 421, 422, 429, 501, 505
    };

    size_t  i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i] == status) {
            return 1;
        }
    }

    return 0;
}


/* The value of a header line, NULL if there is none; *twice if many. */

static const char *
header(const char *head, size_t len, const char *name, size_t *value_len,
    int *twice)
{
    size_t       name_len;
    const char  *p, *end, *eol, *found;

    found = NULL;
    name_len = strlen(name);
    end = head + len;
    *twice = 0;

    for (p = memchr(head, '\n', len); p && p + 1 < end;
         p = memchr(p, '\n', (size_t) (end - p)))
    {
        p++;

        if ((size_t) (end - p) > name_len && p[name_len] == ':'
            && strncasecmp(p, name, name_len) == 0)
        {
            *twice = found != NULL;
            found = p + name_len + 1;
            found += *found == ' ';
            eol = memchr(found, '\r', (size_t) (end - found));
            *value_len = (size_t) ((eol ? eol : end) - found);
        }
    }

    return found;
}


/* Lines "Name: value" with nothing in them that ends a line. */

static int
lines_are_fine(const char *head, size_t len)
{
    size_t       i, n;
    const char  *p, *end, *eol;

    end = head + len;
    p = memmem(head, len, "\r\n", 2);
    p = p ? p + 2 : end;

    while (p < end) {
        eol = memmem(p, (size_t) (end - p), "\r\n", 2);
        eol = eol ? eol : end;
        n = (size_t) (eol - p);

        for (i = 0; i < n && (isalnum((unsigned char) p[i]) || p[i] == '-');
             i++)
        {
            /* the name */
        }

        if (i == 0 || i == n || p[i] != ':') {
            return 0;
        }

        for ( /* void */ ; i < n; i++) {
            if ((unsigned char) p[i] < 0x20 || p[i] == 0x7f) {
                return 0;
            }
        }

        p = eol + 2;
    }

    return 1;
}


/* What is wrong with a JSON body, or NULL. */

static const char *
json_fault(const char *body, size_t len, int problem, int status)
{
    json_t      *json;
    const char  *type, *fault;

    json = json_loadb(body, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
                      NULL);
    if (!json_is_object(json)) {
        json_decref(json);
        return "the body is not a JSON object";
    }

    fault = NULL;

    if (problem) {
        type = json_string_value(json_object_get(json, "type"));

        if (type == NULL || strncmp(type, "urn:leadq:problem:", 18) != 0) {
            fault = "the problem has no type";

        } else if (json_integer_value(json_object_get(json, "status"))
                   != status)
        {
            fault = "the problem has another status";
        }
    }

    json_decref(json);

    return fault;
}


static int
refuse(const char **why, const char *text)
{
    *why = text;
    return -1;
}


/* Reads the head into the answer; the length of the body, or -1. */

static long
read_head(const char *data, size_t head, answer_t *answer, const char **why)
{
    int          twice;
    long         body;
    char        *digits_end;
    size_t       len;
    const char  *value;

    if (!lines_are_fine(data, head)) {
        return refuse(why, "a header line is broken");
    }

    value = header(data, head, "Connection", &len, &twice);
    answer->close = value && len == 5 && strncasecmp(value, "close", 5) == 0;

    answer->id = header(data, head, "X-Id", &len, &twice);
    answer->id = answer->id && len == 36 ? answer->id : NULL;
    answer->outcome = header(data, head, "X-Outcome", &len, &twice);

    value = header(data, head, "Content-Length", &len, &twice);

    if (twice) {
        return refuse(why, "two lengths");
    }

    if (value == NULL) {
        return answer->status == 204 ? 0 : refuse(why, "no length");
    }

    body = strtol(value, &digits_end, 10);

    if (digits_end == value || *digits_end != '\r' || body < 0) {
        return refuse(why, "the length is no number");
    }

    return body;
}


int
answer_read(const char *data, size_t len, int head_only, int end,
    answer_t *answer, const char **why)
{
    int          problem, twice;
    long         body;
    size_t       head, type_len;
    const char  *blank, *type;

    static const char  start[] = "HTTP/1.1 ";

    memset(answer, 0, sizeof(answer_t));

    if (memcmp(data, start, len < 9 ? len : 9) != 0) {
        return refuse(why, "no status line");
    }

    blank = memmem(data, len, "\r\n\r\n", 4);
    if (blank == NULL) {
        return end ? refuse(why, "the head was cut off") : 0;
    }

    head = (size_t) (blank - data) + 2;
    answer->status = atoi(data + 9);

    if (answer->status == 100) {
        answer->interim = 1;
        answer->len = head + 2;
        return 1;
    }

    if (!status_may_be(answer->status)) {
        return refuse(why, "this status may not be");
    }

    body = read_head(data, head, answer, why);
    if (body < 0) {
        return -1;
    }

    body = head_only ? 0 : body;

    if (len - head - 2 < (size_t) body) {
        return end ? refuse(why, "the body was cut off") : 0;
    }

    answer->len = head + 2 + (size_t) body;

    type = header(data, head, "Content-Type", &type_len, &twice);
    problem = type && strncmp(type, "application/problem+json", 24) == 0;

    if (body && type
        && (problem || strncmp(type, "application/json", 16) == 0))
    {
        *why = json_fault(data + head + 2, (size_t) body, problem,
                          answer->status);
        return *why ? -1 : 1;
    }

    return 1;
}
