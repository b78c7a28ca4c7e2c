/*
 * Secrets of networks: files of secrets_dir, one secret a line.  They are
 * read for each postback that asks, so that a changed file holds at once.
 */

#ifndef LEADQ_SECRET_H
#define LEADQ_SECRET_H

#include <stddef.h>

#define SECRET_MAX 1024 /* bytes of one */
#define SECRET_MAX_NAME 64
#define SECRET_MAX_LINES 4

typedef struct {
    char line[SECRET_MAX_LINES][SECRET_MAX + 2];
    size_t n;
} secret_t;

/* Letters, digits, ".", "-" and "_", no "." first; at most SECRET_MAX_NAME. */
int secret_is_name(const char *name);

/*
 * Reads at most max lines of the file of that name; dir and name may be NULL.
 * Returns NULL, or what is wrong as static text.
 */
const char *secret_read(secret_t *secret, const char *dir, const char *name,
                        size_t max) __attribute__((warn_unused_result));

/* Wipes it. */
void secret_forget(secret_t *secret);

#endif
