#include "guard.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define MAPPED_BITS 96
#define MAX_NET_TEXT 64

/* RFC 6890 and its registries.  What is not 2000::/3 is refused anyhow. */
static const char *const refused[] = {
    "0.0.0.0/8",       "10.0.0.0/8",        "100.64.0.0/10",
    "127.0.0.0/8",     "169.254.0.0/16",    "172.16.0.0/12",
    "192.0.0.0/24",    "192.0.2.0/24",      "192.31.196.0/24",
    "192.52.193.0/24", "192.88.99.0/24",    "192.168.0.0/16",
    "192.175.48.0/24", "198.18.0.0/15",     "198.51.100.0/24",
    "203.0.113.0/24",  "224.0.0.0/3",       "2001::/23",
    "2001:db8::/32",   "2620:4f:8000::/48", "3fff::/20",
};

/* IPv6 that carries IPv4, and where in it. */
static const struct {
    const char *net;
    size_t at;
} carriers[] = {{"64:ff9b::/96", 12}, {"2002::/16", 2}};

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* "10.0.0.0/8", "::1"; -1: it is none, or has bits beyond its mask. */
static int
parse_net(guard_net_t *net, const char *text)
{
    char address[MAX_NET_TEXT];
    const char *slash;
    size_t len, i;
    long bits, max;
    char *end;

    slash = strchr(text, '/');
    len = slash == NULL ? strlen(text) : (size_t)(slash - text);
    if (len >= sizeof(address)) {
        return -1;
    }
    memcpy(address, text, len);
    address[len] = '\0';
    memcpy(net->address, mapped, sizeof(mapped));
    max = 128;
    if (inet_pton(AF_INET, address, net->address + sizeof(mapped)) == 1) {
        max = 32;
    } else if (inet_pton(AF_INET6, address, net->address) != 1) {
        return -1;
    }
    bits = max;
    if (slash != NULL) {
        bits = isdigit((unsigned char)slash[1]) ? strtol(slash + 1, &end, 10)
                                                : -1;
        if (bits < 0 || bits > max || *end != '\0') {
            return -1;
        }
    }
    net->bits = (unsigned)(bits + (max == 32 ? MAPPED_BITS : 0));
    for (i = net->bits; i < 128; i++) {
        if (net->address[i / 8] & (0x80 >> i % 8)) {
            return -1;
        }
    }
    return 0;
}

int
guard_parse(guard_t *guard, const char *text, fault_t *fault)
{
    char net[MAX_NET_TEXT];
    const char *p;
    size_t len;

    guard->n = 0;
    for (p = text + strspn(text, ", \t"); *p != '\0';
         p += len, p += strspn(p, ", \t"))
    {
        len = strcspn(p, ", \t");
        if (guard->n == GUARD_MAX_NETS) {
            return fault_set(fault, 0, "more than %d networks",
                             GUARD_MAX_NETS);
        }
        if (len < sizeof(net)) {
            memcpy(net, p, len);
            net[len] = '\0';
        }
        if (len >= sizeof(net) || parse_net(&guard->nets[guard->n], net) != 0)
        {
            return fault_set(fault, 0,
                             "\"%.*s\" is no network like 10.0.0.0/8 or ::1",
                             (int)(len < 60 ? len : 60), p);
        }
        guard->n++;
    }
    return 0;
}

static int
is_in(const uint8_t address[16], const guard_net_t *net)
{
    unsigned whole = net->bits / 8, rest = net->bits % 8;

    return memcmp(address, net->address, whole) == 0
           && (rest == 0
               || ((address[whole] ^ net->address[whole]) >> (8 - rest)) == 0);
}

static int
is_in_text(const uint8_t address[16], const char *text)
{
    guard_net_t net;

    return parse_net(&net, text) != 0 || is_in(address, &net);
}

static int
is_public(const uint8_t address[16])
{
    size_t i;

    if (memcmp(address, mapped, sizeof(mapped)) != 0
        && !is_in_text(address, "2000::/3"))
    {
        return 0;
    }
    for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (is_in_text(address, refused[i])) {
            return 0;
        }
    }
    return 1;
}

/* What an address leads to: the IPv4 address in it, if it carries one. */
static void
unwrap(uint8_t address[16])
{
    uint8_t inner[4];
    size_t i;

    for (i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++) {
        if (is_in_text(address, carriers[i].net)) {
            memcpy(inner, address + carriers[i].at, sizeof(inner));
            memcpy(address, mapped, sizeof(mapped));
            memcpy(address + sizeof(mapped), inner, sizeof(inner));
            return;
        }
    }
}

int
guard_may(const guard_t *guard, const struct sockaddr *address)
{
    const struct sockaddr_in6 *six = (const void *)address;
    const struct sockaddr_in *four = (const void *)address;
    uint8_t bytes[16];
    size_t i;

    if (address->sa_family == AF_INET) {
        memcpy(bytes, mapped, sizeof(mapped));
        memcpy(bytes + sizeof(mapped), &four->sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        memcpy(bytes, &six->sin6_addr, sizeof(bytes));
    } else {
        return 0;
    }
    unwrap(bytes);
    for (i = 0; i < guard->n; i++) {
        if (is_in(bytes, &guard->nets[i])) {
            return 1;
        }
    }
    return is_public(bytes);
}

int
guard_port(long port, const long *extra, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (extra[i] == port) {
            return 1;
        }
    }
    return port == 80 || port == 443;
}
