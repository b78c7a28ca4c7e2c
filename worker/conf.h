/*
 * worker.conf: one INI section [leadq], one table row per key.  A file is
 * loaded whole or not at all; the first fault names file, line and reason.
 */

#ifndef LEADQ_CONF_H
#define LEADQ_CONF_H

#include "guard.h"
#include "leadq_signed.h"

#include <stddef.h>

typedef enum { CONF_TLS_OFF, CONF_TLS_TRY, CONF_TLS_REQUIRE } conf_tls_e;

typedef struct {
    char *database; /* owned, as every string here; conninfo, a secret */
    char *database_password_file; /* may be NULL */
    char *schema;
    char *keys_file;
    char *code_keys_file;  /* may be NULL */
    char *check_keys_file; /* may be NULL */
    char *secrets_dir;     /* may be NULL */
    char *smtp_url;
    char *smtp_user;          /* may be NULL */
    char *smtp_password_file; /* may be NULL */
    char *smtp_helo;          /* may be NULL: the host's name */
    char *bounce_address;     /* may be NULL: letters bounce to the sender */
    char *imap_url;           /* "": no mailbox is read */
    char *imap_user;          /* may be NULL */
    char *imap_password_file; /* may be NULL */
    char *imap_folder;
    char *imap_done_folder;
    char *resolver;       /* "": the system's; "off" */
    char *metrics_listen; /* "": nowhere */
    conf_tls_e smtp_tls;
    conf_tls_e imap_tls;
    long max_inflight;
    long reserve_realtime; /* percent of max_inflight */
    long reserve_service;  /* percent of max_inflight */
    long smtp_connections;
    long http_connections;
    long http_per_host;
    long breaker_failures;
    long breaker_pause_ms;
    long breaker_pause_max_ms;
    guard_t private_targets; /* that postbacks may go to */
    long batch;
    long lease_ms;
    long poll_ms;
    long imap_poll_ms;
    long shutdown_timeout_ms;
    long connect_timeout_ms;
    long log_level;

    leadq_keys_t *keys;       /* owned; read from keys_file */
    leadq_keys_t *code_keys;  /* owned; the same, or NULL */
    leadq_keys_t *check_keys; /* owned; the same, or NULL */
    char *smtp_password;      /* owned; first line of the file, or NULL */
    char *imap_password;      /* owned; the same */
} conf_t;

/*
 * Reads and checks a configuration, key and password files included.
 * Returns it, owned by the caller, or NULL with "file:line: reason" in err.
 */
conf_t *conf_load(const char *path, char *err, size_t errlen)
    __attribute__((warn_unused_result));
void conf_free(conf_t *conf);

/*
 * Before a reload: the name of a key that differs and needs a restart, or
 * NULL.
 */
const char *conf_needs_restart(const conf_t *old, const conf_t *conf);

#endif
