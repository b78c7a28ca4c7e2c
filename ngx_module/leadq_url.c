
/*
 * The type "url": an address of the web that may be put into a page or a
 * letter without a second look.  http and https only, no user and password
 * in it, the host a name or an address.
 *
 * As browsers do, scheme and host become lower case, an international host
 * A-labels, characters beyond ASCII percent escapes; the default port goes
 * and an empty path becomes "/".
 */

#include "leadq_types.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "leadq_domain.h"
#include "leadq_utf8.h"


typedef struct {
    const char     *p;
    const char     *end;
    int             secure;                 /* https */
    size_t          max;
    leadq_value_t  *value;
    int             full;                   /* more than max */
} leadq_url_t;


static leadq_code_e leadq_url_chars(const char *in, size_t len);
static leadq_code_e leadq_url_scheme(leadq_url_t *url);
static leadq_code_e leadq_url_authority(leadq_url_t *url);
static leadq_code_e leadq_url_address(leadq_url_t *url, const char *end);
static leadq_code_e leadq_url_host(leadq_url_t *url, const char *end);
static leadq_code_e leadq_url_port(leadq_url_t *url, const char *end);
static leadq_code_e leadq_url_rest(leadq_url_t *url);
static int leadq_url_hex(char c);
static void leadq_url_put(leadq_url_t *url, const char *text, size_t len);


leadq_code_e
leadq_url_check(const leadq_rule_t *rule, const char *in, size_t len,
    leadq_value_t *value)
{
    leadq_url_t    url;
    leadq_code_e   code;

    url.p = in;
    url.end = in + len;
    url.secure = 0;
    url.max = rule->max < LEADQ_VALUE_MAX ? rule->max : LEADQ_VALUE_MAX;
    url.value = value;
    url.full = 0;

    value->len = 0;

    code = leadq_url_chars(in, len);

    if (code == LEADQ_OK) {
        code = leadq_url_scheme(&url);
    }

    if (code == LEADQ_OK) {
        code = leadq_url_authority(&url);
    }

    if (code == LEADQ_OK) {
        code = leadq_url_rest(&url);
    }

    return code == LEADQ_OK && url.full ? LEADQ_TOO_LONG : code;
}


static leadq_code_e
leadq_url_chars(const char *in, size_t len)
{
    int32_t      cp;
    const char  *p, *end;

    p = in;
    end = in + len;

    while (p < end) {
        cp = leadq_utf8_next(&p, end);

        if (leadq_utf8_control(cp)) {
            return LEADQ_CONTROL_CHARACTER;
        }

        if (leadq_utf8_space(cp)
            || (cp < 0x80 && strchr("\"<>\\^`{|}", cp) != NULL))
        {
            return LEADQ_URL_BAD_CHARS;
        }

        if (cp == '%'
            && (end - p < 2 || !leadq_url_hex(p[0]) || !leadq_url_hex(p[1])))
        {
            return LEADQ_URL_BAD_CHARS;
        }
    }

    return LEADQ_OK;
}


static leadq_code_e
leadq_url_scheme(leadq_url_t *url)
{
    char    scheme[sizeof("https://")];
    size_t  i, len;

    len = (size_t) (url->end - url->p);

    if (len > sizeof(scheme) - 1) {
        len = sizeof(scheme) - 1;
    }

    for (i = 0; i < len; i++) {
        scheme[i] = url->p[i];

        if (scheme[i] >= 'A' && scheme[i] <= 'Z') {
            scheme[i] = (char) (scheme[i] | 0x20);
        }
    }

    if (len >= 7 && memcmp(scheme, "http://", 7) == 0) {
        len = 7;

    } else if (len == 8 && memcmp(scheme, "https://", 8) == 0) {
        url->secure = 1;

    } else {
        return LEADQ_URL_BAD_SCHEME;
    }

    leadq_url_put(url, scheme, len);
    url->p += len;

    return LEADQ_OK;
}


static leadq_code_e
leadq_url_authority(leadq_url_t *url)
{
    const char    *end;
    leadq_code_e   code;

    for (end = url->p; end < url->end; end++) {

        if (*end == '/' || *end == '?' || *end == '#') {
            break;
        }

        if (*end == '@') {
            return LEADQ_URL_USER;
        }
    }

    code = url->p < end && *url->p == '[' ? leadq_url_address(url, end)
                                          : leadq_url_host(url, end);

    return code == LEADQ_OK ? leadq_url_port(url, end) : code;
}


/* [2001:db8::1] */

static leadq_code_e
leadq_url_address(leadq_url_t *url, const char *end)
{
    char             text[INET6_ADDRSTRLEN];
    size_t           len;
    const char      *stop;
    struct in6_addr  addr;

    url->p++;

    stop = memchr(url->p, ']', (size_t) (end - url->p));

    if (stop == NULL || (size_t) (stop - url->p) >= sizeof(text)) {
        return LEADQ_URL_BAD_HOST;
    }

    len = (size_t) (stop - url->p);
    memcpy(text, url->p, len);
    text[len] = '\0';

    if (inet_pton(AF_INET6, text, &addr) != 1
        || inet_ntop(AF_INET6, &addr, text, sizeof(text)) == NULL)
    {
        return LEADQ_URL_BAD_HOST;
    }

    leadq_url_put(url, "[", 1);
    leadq_url_put(url, text, strlen(text));
    leadq_url_put(url, "]", 1);

    url->p = stop + 1;

    return LEADQ_OK;
}


/* A last label that begins with a digit is one of an address. */

static leadq_code_e
leadq_url_host(leadq_url_t *url, const char *end)
{
    char             domain[LEADQ_DOMAIN_MAX + 1];
    size_t           len;
    const char      *stop, *label;
    struct in_addr   addr;

    stop = memchr(url->p, ':', (size_t) (end - url->p));

    if (stop == NULL) {
        stop = end;
    }

    if (leadq_domain_ascii(url->p, (size_t) (stop - url->p), domain) != 0) {
        return LEADQ_URL_BAD_HOST;
    }

    for (label = domain; /* void */ ; label += len + 1) {
        len = strcspn(label, ".");

        if (leadq_domain_label(label, len) != 0) {
            return LEADQ_URL_BAD_HOST;
        }

        if (label[len] == '\0') {
            break;
        }
    }

    if (*label >= '0' && *label <= '9'
        && inet_pton(AF_INET, domain, &addr) != 1)
    {
        return LEADQ_URL_BAD_HOST;
    }

    leadq_url_put(url, domain, strlen(domain));
    url->p = stop;

    return LEADQ_OK;
}


static leadq_code_e
leadq_url_port(leadq_url_t *url, const char *end)
{
    int   n;
    char  text[16];
    long  port;

    if (url->p == end) {
        return LEADQ_OK;
    }

    if (*url->p++ != ':') {
        return LEADQ_URL_BAD_HOST;
    }

    if (url->p == end) {
        return LEADQ_OK;                    /* "http://a.ru:/" */
    }

    port = 0;

    for ( /* void */ ; url->p < end; url->p++) {

        if (*url->p < '0' || *url->p > '9') {
            return LEADQ_URL_BAD_PORT;
        }

        port = port * 10 + (*url->p - '0');

        if (port > 65535) {
            return LEADQ_URL_BAD_PORT;
        }
    }

    if (port == 0) {
        return LEADQ_URL_BAD_PORT;
    }

    if (port != (url->secure ? 443 : 80)) {
        n = snprintf(text, sizeof(text), ":%ld", port);
        leadq_url_put(url, text, (size_t) n);
    }

    return LEADQ_OK;
}


static leadq_code_e
leadq_url_rest(leadq_url_t *url)
{
    char  escape[4];

    if (url->p == url->end || *url->p != '/') {
        leadq_url_put(url, "/", 1);
    }

    for ( /* void */ ; url->p < url->end; url->p++) {

        if ((unsigned char) *url->p < 0x80) {
            leadq_url_put(url, url->p, 1);
            continue;
        }

        snprintf(escape, sizeof(escape), "%%%02X", (unsigned char) *url->p);
        leadq_url_put(url, escape, 3);
    }

    return LEADQ_OK;
}


static int
leadq_url_hex(char c)
{
    return (c >= '0' && c <= '9')
           || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}


static void
leadq_url_put(leadq_url_t *url, const char *text, size_t len)
{
    if (url->full || len > url->max - url->value->len) {
        url->full = 1;
        return;
    }

    memcpy(url->value->data + url->value->len, text, len);
    url->value->len += len;
}
