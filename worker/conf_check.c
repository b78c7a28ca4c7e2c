#include "conf_check.h"
#include "mime.h"
#include "mx.h"
#include "verp.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FOLDER 64

/* The host behind "//"; where it ends. */
static const char *
skip_host(const char *p)
{
    if (*p == '[') {
        p += strspn(p + 1, "0123456789abcdefABCDEF:.") + 1;
        return p + (*p == ']');
    }
    while (isalnum((unsigned char)*p) || *p == '.' || *p == '-') {
        p++;
    }
    return p;
}

int
conf_check_url(const char *name, const char *scheme, const char *value,
               fault_t *fault)
{
    size_t len = strlen(scheme);
    const char *p, *host;
    long port;
    char *end;

    p = strncmp(value, scheme, len) == 0 ? value + len : "";
    p += *p == 's';
    if (strncmp(p, "://", 3) != 0) {
        return fault_set(fault, 0, "%s does not begin with %s:// or %ss://",
                         name, scheme, scheme);
    }
    host = p + 3;
    p = skip_host(host);
    if (p == host) {
        return fault_set(fault, 0, "%s \"%s\" has no host", name, value);
    }
    if (*p == ':' && isdigit((unsigned char)p[1])) {
        port = strtol(p + 1, &end, 10);
        p = port >= 1 && port <= 65535 ? end : p;
    }
    if (*p != '\0') {
        return fault_set(fault, 0, "%s is not scheme://host:port", name);
    }
    return 0;
}

int
conf_check_bounce(const char *name, const char *value, fault_t *fault)
{
    const char *at = strrchr(value, '@');

    if (!mime_is_address(value) || at == NULL
        || memchr(value, '+', (size_t)(at - value)) != NULL)
    {
        return fault_set(fault, 0, "%s is not an address without \"+\"", name);
    }
    if (at - value > VERP_MAX_LOCAL) {
        return fault_set(fault, 0,
                         "%s has more than %d characters before \"@\"", name,
                         VERP_MAX_LOCAL);
    }
    return 0;
}

int
conf_check_folder(const char *name, const char *value, fault_t *fault)
{
    const char *p;

    for (p = value; isalnum((unsigned char)*p) || strchr("._-/", *p) != NULL;
         p++) {
        if (*p == '\0') {
            break;
        }
    }
    if (*p != '\0' || p == value || p - value > MAX_FOLDER) {
        return fault_set(fault, 0,
                         "%s \"%s\" is not [A-Za-z0-9._/-], at most %d long",
                         name, value, MAX_FOLDER);
    }
    return 0;
}

int
conf_check_resolver(const char *name, const char *value, fault_t *fault)
{
    if (!resolver_is(value)) {
        return fault_set(fault, 0,
                         "%s \"%s\" is not off or a list of address:port",
                         name, value);
    }
    return 0;
}
