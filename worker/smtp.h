/*
 * One letter over SMTP.  The letter is data, the result is a value with the
 * server's own words and the command they answered.
 */

#ifndef LEADQ_SMTP_H
#define LEADQ_SMTP_H

#include "transfer.h"

#include <stddef.h>

typedef enum { SMTP_TLS_OFF, SMTP_TLS_TRY, SMTP_TLS_REQUIRE } smtp_tls_e;

typedef struct {
    const char *url;      /* smtp://host:port or smtps://; all borrowed */
    const char *user;     /* may be NULL */
    const char *password; /* may be NULL */
    const char *helo;
    smtp_tls_e tls;
    long connect_timeout_ms;
    int *dsn; /* whether it offers RFC 3461, as it said last; kept up here;
                 may be NULL */
} smtp_server_t;

typedef struct {
    int has_id;
    unsigned char id[16]; /* of the message: what reports name it by */
    const char *from;     /* envelope addresses; all borrowed */
    const char *to;
    const char *const *headers; /* "Name: value", NULL ends them */
    const char *text;           /* UTF-8 with CRLF */
    size_t text_len;
    const char *html; /* the same; may be NULL */
    size_t html_len;
} smtp_letter_t;

/* The command that the last reply answers. */
typedef enum {
    SMTP_SESSION, /* greeting, EHLO, STARTTLS, AUTH */
    SMTP_MAIL,
    SMTP_RCPT,
    SMTP_DATA
} smtp_phase_e;

typedef enum {
    SMTP_ACCEPTED,
    SMTP_REPLIED, /* refused, with a reply */
    SMTP_FAILED   /* no reply that explains it: network, TLS, timeout */
} smtp_end_e;

typedef struct {
    smtp_end_e end;
    smtp_phase_e phase;
    int code;            /* of the last reply, 0: none */
    const char *reply;   /* borrowed; its text without the codes' first word */
    const char *problem; /* static text when there is no reply */
    long ms;
} smtp_result_t;

typedef struct smtp_s smtp_t;

/* The result is borrowed; the exchange itself is gone when this returns. */
typedef void (*smtp_end_pt)(void *data, const smtp_result_t *result);

/*
 * Begins a letter; fn follows, never before smtp_start returns.  NULL: no
 * memory, fn is not called.
 */
smtp_t *smtp_start(transfer_pool_t *pool, const smtp_server_t *server,
                   const smtp_letter_t *letter, long timeout_ms,
                   smtp_end_pt fn, void *data)
    __attribute__((warn_unused_result));

/* Ends an exchange without fn; accepts NULL. */
void smtp_cancel(smtp_t *smtp);

const char *smtp_phase_name(smtp_phase_e phase);

#endif
