
/*
 * The type "email": RFC 5321's limits and dot-atoms, no quoting, no comments,
 * no address literals.  The local part is ASCII and keeps its case, because
 * only its server may decide about that; the domain is lower-cased and, where
 * it is an international one, turned into A-labels.
 *
 * Whether the mailbox exists is found out by writing to it, not here.
 */

#include "leadq_types.h"

#include <stdlib.h>
#include <string.h>

#include <idn2.h>

#include "leadq_utf8.h"


#define LEADQ_EMAIL_MAX   254               /* bytes, as sent */
#define LEADQ_LOCAL_MAX   64
#define LEADQ_DOMAIN_MAX  253
#define LEADQ_LABEL_MAX   63


static leadq_code_e leadq_email_scan(const char *in, size_t len,
    const char **at);
static leadq_code_e leadq_email_local(const char *in, size_t len);
static leadq_code_e leadq_email_domain(const char *in, size_t len, char *out);
static int leadq_email_idn(const char *in, size_t len, char *out);
static leadq_code_e leadq_email_labels(const char *domain);
static int leadq_email_label(const char *label, size_t len);


leadq_code_e
leadq_email_check(const char *in, size_t len, leadq_value_t *value)
{
    char           domain[LEADQ_DOMAIN_MAX + 1];
    size_t         local_len, domain_len;
    const char    *at;
    leadq_code_e   code;

    code = leadq_email_scan(in, len, &at);
    if (code != LEADQ_OK) {
        return code;
    }

    local_len = (size_t) (at - in);

    code = leadq_email_local(in, local_len);
    if (code != LEADQ_OK) {
        return code;
    }

    code = leadq_email_domain(at + 1, len - local_len - 1, domain);
    if (code != LEADQ_OK) {
        return code;
    }

    domain_len = strlen(domain);

    if (local_len + 1 + domain_len > LEADQ_EMAIL_MAX) {
        return LEADQ_EMAIL_TOO_LONG;
    }

    memcpy(value->data, in, local_len + 1);
    memcpy(value->data + local_len + 1, domain, domain_len);
    value->len = local_len + 1 + domain_len;

    return LEADQ_OK;
}


/* What concerns the whole address; finds the only "@". */

static leadq_code_e
leadq_email_scan(const char *in, size_t len, const char **at)
{
    int32_t      cp;
    const char  *p, *end;

    *at = NULL;

    p = in;
    end = in + len;

    while (p < end) {
        cp = leadq_utf8_next(&p, end);

        if (leadq_utf8_control(cp)) {
            return LEADQ_CONTROL_CHARACTER;
        }

        if (leadq_utf8_space(cp)) {
            return LEADQ_EMAIL_SPACE;
        }

        if (cp == '@') {
            if (*at != NULL) {
                return LEADQ_EMAIL_MANY_AT;
            }

            *at = p - 1;
        }
    }

    return *at == NULL ? LEADQ_EMAIL_NO_AT : LEADQ_OK;
}


static leadq_code_e
leadq_email_local(const char *in, size_t len)
{
    size_t  i;

    if (len == 0) {
        return LEADQ_EMAIL_NO_LOCAL;
    }

    for (i = 0; i < len; i++) {

        if ((unsigned char) in[i] >= 0x80) {
            return LEADQ_EMAIL_NOT_ASCII;
        }

        if (in[i] == '.') {
            if (i == 0 || i == len - 1 || in[i - 1] == '.') {
                return LEADQ_EMAIL_BAD_LOCAL;
            }

            continue;
        }

        if ((in[i] >= '0' && in[i] <= '9')
            || ((in[i] | 0x20) >= 'a' && (in[i] | 0x20) <= 'z'))
        {
            continue;
        }

        if (strchr("!#$%&'*+-/=?^_`{|}~", in[i]) == NULL) {
            return LEADQ_EMAIL_BAD_LOCAL;
        }
    }

    return len > LEADQ_LOCAL_MAX ? LEADQ_EMAIL_TOO_LONG : LEADQ_OK;
}


/* Writes the domain as mail servers know it, with a terminator. */

static leadq_code_e
leadq_email_domain(const char *in, size_t len, char *out)
{
    size_t  i;

    if (len == 0) {
        return LEADQ_EMAIL_NO_DOMAIN;
    }

    if (len > LEADQ_DOMAIN_MAX) {
        return LEADQ_EMAIL_TOO_LONG;
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
            if (leadq_email_idn(in, len, out) != 0) {
                return LEADQ_EMAIL_BAD_DOMAIN;
            }

            break;
        }
    }

    return leadq_email_labels(out);
}


static int
leadq_email_idn(const char *in, size_t len, char *out)
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


/* Two labels at least, and the last one no number of an IP address. */

static leadq_code_e
leadq_email_labels(const char *domain)
{
    size_t       len, labels;
    const char  *label;

    label = domain;

    for (labels = 0; /* void */ ; labels++) {
        len = strcspn(label, ".");

        if (len == 0 && label[len] == '\0' && labels == 1) {
            return LEADQ_EMAIL_NO_DOMAIN;               /* "a@mail." */
        }

        if (leadq_email_label(label, len) != 0) {
            return LEADQ_EMAIL_BAD_DOMAIN;
        }

        if (label[len] == '\0') {
            break;
        }

        label += len + 1;
    }

    if (labels == 0) {
        return LEADQ_EMAIL_NO_DOMAIN;
    }

    return *label >= '0' && *label <= '9' ? LEADQ_EMAIL_BAD_DOMAIN : LEADQ_OK;
}


/* Letters, digits and inner hyphens. */

static int
leadq_email_label(const char *label, size_t len)
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
