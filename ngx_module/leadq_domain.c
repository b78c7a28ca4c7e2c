
/*
 * Domain names by libidn2; see leadq_domain.h.
 */

#include "leadq_domain.h"

#include <string.h>

#include <idn2.h>


#define LEADQ_LABEL_MAX  63


static int leadq_domain_idn(const char *in, size_t len, char *out);


int
leadq_domain_ascii(const char *in, size_t len, char out[LEADQ_DOMAIN_MAX + 1])
{
    size_t  i;

    if (len > LEADQ_DOMAIN_MAX) {
        return -1;
    }

    for (i = 0; i < len; i++) {
        out[i] = in[i];

        if (in[i] >= 'A' && in[i] <= 'Z') {
            out[i] = (char) (in[i] | 0x20);
        }
    }

    out[len] = '\0';

    for (i = 0; i < len; i++) {
        if ((unsigned char) out[i] >= 0x80
            || strncmp(&out[i], "xn--", 4) == 0)
        {
            return leadq_domain_idn(in, len, out);
        }
    }

    return 0;
}


static int
leadq_domain_idn(const char *in, size_t len, char *out)
{
    int      rc;
    char     text[LEADQ_DOMAIN_MAX + 1], *ascii;
    size_t   ascii_len;

    memcpy(text, in, len);
    text[len] = '\0';

    ascii = NULL;

    rc = idn2_to_ascii_8z(text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

    if (rc != IDN2_OK) {
        return -1;
    }

    ascii_len = strlen(ascii);

    if (ascii_len > LEADQ_DOMAIN_MAX) {
        rc = -1;

    } else {
        memcpy(out, ascii, ascii_len + 1);
    }

    idn2_free(ascii);

    return rc == IDN2_OK ? 0 : -1;
}


int
leadq_domain_label(const char *label, size_t len)
{
    size_t  i;

    if (len == 0 || len > LEADQ_LABEL_MAX
        || label[0] == '-' || label[len - 1] == '-')
    {
        return -1;
    }

    for (i = 0; i < len; i++) {
        if ((label[i] < 'a' || label[i] > 'z')
            && (label[i] < '0' || label[i] > '9')
            && label[i] != '-')
        {
            return -1;
        }
    }

    return 0;
}
