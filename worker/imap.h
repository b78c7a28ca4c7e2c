/*
 * One command to an IMAP server, or one message of its mailbox.
 */

#ifndef LEADQ_IMAP_H
#define LEADQ_IMAP_H

#include "transfer.h"

#include <stddef.h>

#define IMAP_MAX_REPLY (512 * 1024)
#define IMAP_MAX_MESSAGE (256 * 1024) /* more of it is not read */

typedef struct {
    const char *url; /* imap://host:port or imaps://; all borrowed */
    const char *user;
    const char *password;
    const char *folder;
    int verify; /* TLS is a must, with a certificate that holds */
    long connect_timeout_ms;
    long timeout_ms; /* of one command */
} imap_server_t;

typedef enum {
    IMAP_DONE,
    IMAP_REFUSED, /* the server says no to the command itself */
    IMAP_FAILED   /* no connection, no login, timeout: problem says */
} imap_end_e;

typedef struct {
    imap_end_e end;
    const char
        *data; /* borrowed, terminated: untagged lines, or the message */
    size_t len;
    const char *problem; /* static text */
} imap_result_t;

typedef struct imap_s imap_t;

/* The result is borrowed; the command itself is gone when this returns. */
typedef void (*imap_end_pt)(void *data, const imap_result_t *result);

/*
 * Begins a command in the folder ("UID SEARCH ALL"); fn follows, never before
 * this returns.  NULL: no memory, fn is not called.
 */
imap_t *imap_command(transfer_pool_t *pool, const imap_server_t *server,
                     const char *command, imap_end_pt fn, void *data)
    __attribute__((warn_unused_result));

/* The same for the message with that UID; this sets its flag \Seen. */
imap_t *imap_fetch(transfer_pool_t *pool, const imap_server_t *server,
                   unsigned long uid, imap_end_pt fn, void *data)
    __attribute__((warn_unused_result));

/* Ends a command without fn; accepts NULL. */
void imap_cancel(imap_t *imap);

#endif
