#include "url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t
url_host(const char *url, size_t len, const char **host)
{
    const char *p, *end = url + len;

    p = len >= 7 && strncasecmp(url, "http://", 7) == 0    ? url + 7
        : len >= 8 && strncasecmp(url, "https://", 8) == 0 ? url + 8
                                                           : NULL;
    if (p == NULL) {
        return 0;
    }
    *host = p;
    while (p < end && strchr("/?#", *p) == NULL) {
        p++;
    }
    return (size_t)(p - *host);
}

/* The colon before a port, or NULL. */
static const char *
find_port(const char *host, size_t len)
{
    const char *from;

    from = host[0] == '[' ? memchr(host, ']', len) : host;
    return from == NULL ? NULL
                        : memchr(from, ':', len - (size_t)(from - host));
}

long
url_port(const char *url, size_t len)
{
    const char *host, *port;

    host = url;
    len = url_host(url, len, &host);
    port = len == 0 ? NULL : find_port(host, len);
    if (port != NULL) {
        return strtol(port + 1, NULL, 10);
    }
    return strncasecmp(url, "https:", 6) == 0 ? 443 : 80;
}

static int
check_host(const char *host, size_t len, fault_t *fault)
{
    const char *port;
    size_t i, digits;

    for (i = 0; i < len; i++) {
        if (host[i] == '{' || host[i] == '}') {
            return fault_set(fault, 1, "a macro in the host of the URL");
        }
        if (!isalnum((unsigned char)host[i])
            && strchr(".-_:[]", host[i]) == NULL) {
            return fault_set(fault, 1, "the host of the URL has \"%c\"",
                             isprint((unsigned char)host[i]) ? host[i] : '?');
        }
    }
    port = find_port(host, len);
    if (port == NULL) {
        return 0;
    }
    digits = len - (size_t)(port - host) - 1;
    if (port == host || digits == 0 || digits > 5
        || strspn(port + 1, "0123456789") < digits)
    {
        return fault_set(fault, 1, "the port of the URL is not a number");
    }
    return 0;
}

int
url_check_begin(const char *url, size_t len, fault_t *fault)
{
    const char *host;
    size_t host_len;

    host = NULL;
    host_len = url_host(url, len, &host);
    if (host == NULL) {
        return fault_set(fault, 1,
                         "the URL does not begin with http:// or https://");
    }
    if (host_len == 0) {
        return fault_set(fault, 1, "the URL has no host");
    }
    return check_host(host, host_len, fault);
}

int
url_check_bytes(const char *url, size_t len, fault_t *fault)
{
    size_t i;

    for (i = 0; i < len; i++) {
        if ((unsigned char)url[i] <= 0x20 || (unsigned char)url[i] >= 0x7f) {
            return fault_set(fault, 1,
                             "a blank, control or non-ASCII byte in the URL");
        }
    }
    return 0;
}
