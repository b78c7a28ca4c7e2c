/*
 * What a mail header may look like: encoded words, addresses, dates.  Pure
 * functions; libcurl writes the MIME parts themselves.
 */

#ifndef LEADQ_MIME_H
#define LEADQ_MIME_H

#include "buf.h"

#include <stddef.h>
#include <time.h>

#define MIME_MAX_ADDRESS 254

/*
 * Adds a header text: as it is when it is short and ASCII, else as RFC 2047
 * encoded words (UTF-8, base64), split between characters, folded.  Control
 * characters become blanks, broken UTF-8 becomes "?".
 */
void mime_add_text(buf_t *out, const char *text);

/* Adds a display name: an atom, a quoted string, or encoded words. */
void mime_add_name(buf_t *out, const char *name);

/*
 * Is this an address that may stand in an envelope: ASCII, one "@", no
 * blanks, brackets, quotes or control characters, not too long?
 */
int mime_is_address(const char *address);

/* The part behind the "@" of a proper address. */
const char *mime_domain(const char *address);

/* "Wed, 01 Jul 2026 10:00:00 +0000" in every locale. */
void mime_date(char out[40], time_t at);

/* A copy with CRLF line ends, owned by the caller, or NULL: no memory. */
char *mime_crlf(const char *text, size_t *len)
    __attribute__((warn_unused_result));

/* The encoder of a body: "quoted-printable" or "base64", what is shorter. */
const char *mime_encoder(const char *text, size_t len);

#endif
