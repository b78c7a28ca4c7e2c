
/*
 * Problems in their long and in their short form; see leadq_problem.h.
 */

#include "leadq_problem.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "leadq_json.h"


#define LEADQ_PROBLEM_TYPE  "urn:leadq:problem:"


static void leadq_problem_query(leadq_buf_t *buf, const char *text,
    size_t len);


void
leadq_problem_put(leadq_buf_t *buf, int status, const char *code,
    const char *title, const leadq_errors_t *errors)
{
    char                  number[16];
    size_t                i;
    const leadq_error_t  *error;

    snprintf(number, sizeof(number), "%d", status);

    leadq_buf_puts(buf, "{\"type\":\"" LEADQ_PROBLEM_TYPE);
    leadq_buf_puts(buf, code);
    leadq_buf_puts(buf, "\",\"title\":");
    leadq_json_put(buf, title, strlen(title));
    leadq_buf_puts(buf, ",\"status\":");
    leadq_buf_puts(buf, number);

    for (i = 0; errors != NULL && i < errors->n; i++) {
        error = &errors->error[i];

        leadq_buf_puts(buf, i ? ",{\"field\":" : ",\"errors\":[{\"field\":");
        leadq_json_put(buf, error->field.data, error->field.len);
        leadq_buf_puts(buf, ",\"code\":\"");
        leadq_buf_puts(buf, leadq_code_name(error->code));
        leadq_buf_puts(buf, "\",\"detail\":");
        leadq_json_put(buf, leadq_code_detail(error->code),
                       strlen(leadq_code_detail(error->code)));
        leadq_buf_puts(buf, "}");
    }

    leadq_buf_puts(buf, errors != NULL && errors->n ? "]}\n" : "}\n");
}


void
leadq_problem_brief(leadq_buf_t *buf, const char *code,
    const leadq_errors_t *errors)
{
    size_t                i;
    const leadq_error_t  *error;

    if (errors == NULL || errors->n == 0) {
        leadq_problem_query(buf, code, strlen(code));
        return;
    }

    for (i = 0; i < errors->n; i++) {
        error = &errors->error[i];

        if (i) {
            leadq_buf_put(buf, ",", 1);
        }

        leadq_problem_query(buf, error->field.data, error->field.len);
        leadq_buf_put(buf, ".", 1);
        leadq_buf_puts(buf, leadq_code_name(error->code));
    }
}


void
leadq_problem_shorten(leadq_buf_t *buf, const char *text, size_t len,
    const char *other)
{
    size_t       i, n;
    json_t      *root, *errors, *error;
    const char  *type, *field, *code;

    n = 0;
    root = json_loadb(text, len, 0, NULL);
    errors = json_object_get(root, "errors");

    json_array_foreach(errors, i, error) {
        field = json_string_value(json_object_get(error, "field"));
        code = json_string_value(json_object_get(error, "code"));

        if (field == NULL || code == NULL || n == LEADQ_FIELDS_MAX) {
            continue;
        }

        if (n++) {
            leadq_buf_put(buf, ",", 1);
        }

        leadq_problem_query(buf, field, strlen(field));
        leadq_buf_put(buf, ".", 1);
        leadq_problem_query(buf, code, strlen(code));
    }

    if (n == 0) {
        type = json_string_value(json_object_get(root, "type"));

        if (type != NULL
            && strncmp(type, LEADQ_PROBLEM_TYPE, strlen(LEADQ_PROBLEM_TYPE))
               == 0)
        {
            other = type + strlen(LEADQ_PROBLEM_TYPE);
        }

        leadq_problem_query(buf, other, strlen(other));
    }

    json_decref(root);
}


static void
leadq_problem_query(leadq_buf_t *buf, const char *text, size_t len)
{
    char    escape[4];
    size_t  i;

    for (i = 0; i < len; i++) {

        if ((text[i] >= '0' && text[i] <= '9')
            || ((text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z')
            || text[i] == '-' || text[i] == '_' || text[i] == '.')
        {
            leadq_buf_put(buf, &text[i], 1);
            continue;
        }

        snprintf(escape, sizeof(escape), "%%%02X", (unsigned char) text[i]);
        leadq_buf_put(buf, escape, 3);
    }
}
