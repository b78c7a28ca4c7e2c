/*
 * Where postbacks may go.  URLs are written by people and names are resolved
 * by others: the address is judged when libcurl is about to connect to it, so
 * no name and no rebinding leads into our own network.
 *
 * Refused are all addresses that are not public: private, loopback,
 * link-local, shared (CGNAT), multicast, documentation, reserved; and IPv6
 * addresses that carry such an IPv4 address (mapped, NAT64, 6to4) or any other
 * tunnel (Teredo).  An operator may allow networks among them.
 */

#ifndef LEADQ_GUARD_H
#define LEADQ_GUARD_H

#include "fault.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define GUARD_MAX_NETS 32
#define GUARD_MAX_PORTS 8

/* An IPv4 network is kept as its mapped IPv6 one. */
typedef struct {
    uint8_t address[16];
    unsigned bits;
} guard_net_t;

typedef struct {
    guard_net_t nets[GUARD_MAX_NETS];
    size_t n;
} guard_t;

/* Reads "127.0.0.0/8, ::1": networks that are allowed besides public ones. */
int guard_parse(guard_t *guard, const char *text, fault_t *fault)
    __attribute__((warn_unused_result));

/* May a connection be opened to this address? */
int guard_may(const guard_t *guard, const struct sockaddr *address);

/* 80, 443 and the extra ones. */
int guard_port(long port, const long *extra, size_t n);

#endif
