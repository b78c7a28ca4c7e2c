/*
 * Any bytes as a letter template: parsing and rendering stay in their bounds,
 * a fault has a reason and a line of the text.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
on_name(void *data, const char *name, int line)
{
    (void)data;
    if (name[0] == '\0' || line < 1) {
        abort();
    }
}

static void
render(const template_t *tpl, const json_t *vars)
{
    buf_t out;

    buf_init(&out, 65536);
    template_each_name(tpl, on_name, NULL);
    (void)template_render(tpl, vars, TEMPLATE_HTML, &out);
    buf_done(&out);
    buf_init(&out, 100);
    if (template_render(tpl, vars, TEMPLATE_PLAIN, &out) == 0 && out.len > 100)
    {
        abort();
    }
    buf_done(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fault_t fault;
    template_t *tpl;
    json_t *vars;
    size_t i;
    int lines;

    lines = 1;
    for (i = 0; i < size; i++) {
        lines += data[i] == '\n';
    }
    memset(&fault, 0, sizeof(fault));
    tpl = template_parse((const char *)data, size, &fault);
    if (tpl == NULL) {
        if (fault.text[0] == '\0' || fault.line < 0 || fault.line > lines) {
            abort();
        }
        return 0;
    }
    vars = json_pack("{s:s, s:s, s:b, s:i, s:n}", "name", "<A&\"'>", "source",
                     "", "yes", 1, "n", 5, "nil");
    render(tpl, vars);
    json_decref(vars);
    template_free(tpl);
    return 0;
}
