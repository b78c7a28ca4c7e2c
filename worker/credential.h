/*
 * Secrets of the worker itself: where their files lie, what they say, and how
 * a password of the database gets into its connection string.
 */

#ifndef LEADQ_CREDENTIAL_H
#define LEADQ_CREDENTIAL_H

#include "fault.h"

/*
 * A path of the configuration: "%d" at its beginning is the directory of the
 * service's credentials, $CREDENTIALS_DIRECTORY, and where nobody has set it
 * the one of the configuration file.  Owned by the caller; NULL: no memory.
 */
char *credential_path(const char *path, const char *conf_path)
    __attribute__((warn_unused_result));

/* The first line of a file, owned by the caller, or NULL with errno set. */
char *credential_read(const char *path) __attribute__((warn_unused_result));

/* Wipes and frees; accepts NULL. */
void credential_free(char *secret);

/*
 * A connection string or URI with the password in it, owned by the caller,
 * or NULL with the fault's text set.
 */
char *credential_conninfo(const char *conninfo, const char *password,
                          fault_t *fault) __attribute__((warn_unused_result));

#endif
