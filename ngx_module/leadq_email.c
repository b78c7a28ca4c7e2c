
/*
 * The type "email": RFC 5321's limits and dot-atoms, no quoting, no comments,
 * no address literals.  The local part is ASCII and keeps its case, because
 * only its server may decide about that; the domain is lower-cased and, where
 * it is an international one, turned into A-labels.
 *
 * Whether the mailbox exists is found out by writing to it, not here.
 */

#include "leadq_types.h"

#include <string.h>

#include "leadq_domain.h"
#include "leadq_utf8.h"


#define LEADQ_EMAIL_MAX   254               /* bytes, as sent */
#define LEADQ_LOCAL_MAX   64


static leadq_code_e leadq_email_scan(const char *in, size_t len,
    const char **at);
static leadq_code_e leadq_email_local(const char *in, size_t len);
static leadq_code_e leadq_email_domain(const char *in, size_t len, char *out);
static leadq_code_e leadq_email_labels(const char *domain);


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
    if (len == 0) {
        return LEADQ_EMAIL_NO_DOMAIN;
    }

    if (len > LEADQ_DOMAIN_MAX) {
        return LEADQ_EMAIL_TOO_LONG;
    }

    if (leadq_domain_ascii(in, len, out) != 0) {
        return LEADQ_EMAIL_BAD_DOMAIN;
    }

    return leadq_email_labels(out);
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

        if (leadq_domain_label(label, len) != 0) {
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
