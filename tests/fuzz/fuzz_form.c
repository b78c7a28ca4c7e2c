
/*
 * Any bytes as an urlencoded body: the pairs stay inside the arena, names are
 * valid text.
 */

#include <stdint.h>
#include <stdlib.h>

#include "leadq_form.h"
#include "leadq_utf8.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char           *arena;
    size_t          i;
    leadq_str_t    *s;
    leadq_pairs_t   pairs;

    arena = malloc(size ? size : 1);

    if (leadq_form_parse((const char *) data, size, arena, &pairs)
        == LEADQ_OK)
    {
        for (i = 0; i < pairs.n; i++) {
            s = &pairs.pair[i].name;

            if (s->len == 0 || !leadq_utf8_valid(s->data, s->len)) {
                abort();
            }

            s = &pairs.pair[i].value;

            if (s->data < arena || s->data + s->len > arena + size) {
                abort();
            }
        }
    }

    free(arena);

    return 0;
}
