/*
 * Letter templates: the logic-less part of Mustache.
 *
 *     {{name}}  {{{name}}}  {{&name}}  {{%name}}  {{#name}}..{{/name}}
 *     {{^name}}..{{/name}}  {{! comment }}
 *
 * {{%name}} is ours: percent-encoded, for a value inside a URL.
 *
 * Variables are flat.  A section is a condition: it is shown when its
 * variable is a non-empty string, a number or true.  Partials, other
 * delimiters, dotted names and lists are refused with the line they stand on.
 * A section tag or comment alone on its line takes the line with it.
 *
 * A parsed template is a flat array of steps with jumps: neither parsing nor
 * rendering recurses, and both are bounded.
 */

#ifndef LEADQ_TEMPLATE_H
#define LEADQ_TEMPLATE_H

#include "buf.h"
#include "fault.h"

#include <jansson.h>
#include <stddef.h>

#define TEMPLATE_MAX_LEN (256 * 1024)
#define TEMPLATE_MAX_NAME 64
#define TEMPLATE_MAX_DEPTH 16
#define TEMPLATE_MAX_STEPS 4096

typedef struct template_s template_t;

typedef enum {
    TEMPLATE_PLAIN, /* {{name}} as it is: text part and subject */
    TEMPLATE_HTML   /* {{name}} with & < > " ' escaped */
} template_escape_e;

/* A template, owned by the caller, or NULL with the fault set. */
template_t *template_parse(const char *text, size_t len, fault_t *fault)
    __attribute__((warn_unused_result));
void template_free(template_t *tpl);

/* Calls fn for every use of a variable, in the order of the text. */
void template_each_name(const template_t *tpl,
                        void (*fn)(void *data, const char *name, int line),
                        void *data);

/*
 * Adds the rendered text to out.  vars is an object of strings, numbers and
 * booleans; what is missing or null is empty.  -1: out has failed.
 */
int template_render(const template_t *tpl, const json_t *vars,
                    template_escape_e escape, buf_t *out)
    __attribute__((warn_unused_result));

#endif
