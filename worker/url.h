/*
 * URLs of networks, as far as we must read them ourselves: the host stands
 * there literally, so that no value can send a postback elsewhere.
 */

#ifndef LEADQ_URL_H
#define LEADQ_URL_H

#include "fault.h"

#include <stddef.h>

/* The length of the host (with port), and where it begins; 0: none. */
size_t url_host(const char *url, size_t len, const char **host);

/* The port of a checked URL, or the one of its scheme. */
long url_port(const char *url, size_t len);

/* http or https, and a proper literal host. */
int url_check_begin(const char *url, size_t len, fault_t *fault)
    __attribute__((warn_unused_result));

/* No blank, control or non-ASCII byte: libcurl would refuse it later. */
int url_check_bytes(const char *url, size_t len, fault_t *fault)
    __attribute__((warn_unused_result));

#endif
