
/*
 * Any bytes as a Content-Type: a boundary is only there for multipart bodies
 * and has only bytes that a boundary may have; parameters lie inside the text
 * and the reader comes to its end.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "leadq_media.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
check_parameters(const char *text, size_t size)
{
    int          rc;
    const char  *p, *before, *end;
    leadq_str_t  name, value;

    p = text;
    end = text + size;

    for ( ;; ) {
        before = p;
        rc = leadq_media_parameter(&p, end, &name, &value);

        if (rc != 1) {
            return;
        }

        if (p <= before || p > end || name.len == 0
            || name.data < before || name.data + name.len > p
            || value.data < before || value.data + value.len > p)
        {
            abort();
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char           *text;
    size_t          i;
    leadq_code_e    code;
    leadq_media_t   media;

    /* no byte behind the text may be read */

    text = malloc(size ? size : 1);
    if (size) {
        memcpy(text, data, size);
    }

    code = leadq_media_read(text, size, &media);

    if (code == LEADQ_OK
        && (media.type == LEADQ_MEDIA_MULTIPART) != (media.boundary_len > 0))
    {
        abort();
    }

    if (code == LEADQ_OK) {
        if (media.boundary_len > LEADQ_BOUNDARY_MAX) {
            abort();
        }

        for (i = 0; i < media.boundary_len; i++) {
            if (media.boundary[i] < 0x20 || media.boundary[i] > 0x7e) {
                abort();
            }
        }
    }

    check_parameters(text, size);

    free(text);

    return 0;
}
