/*
 * Files as leadqctl reads them: whole, bounded, without zero bytes.
 */

#ifndef LEADQ_CTL_FILE_H
#define LEADQ_CTL_FILE_H

#include "fault.h"

#include <stddef.h>

#define CTL_FILE_SHA256_LEN 64

/*
 * The text of a file, terminated and owned by the caller, or NULL with the
 * fault set (the reason alone, without the file's name).
 */
char *ctl_file_read(const char *path, size_t max, fault_t *fault)
    __attribute__((warn_unused_result));

/* "dir/name"; an absolute name stays.  Owned by the caller; NULL: no memory */
char *ctl_file_join(const char *dir, const char *name)
    __attribute__((warn_unused_result));

/* The checksum of a text, in lower case hexadecimal; -1: failed. */
int ctl_file_sha256(const char *text, char hex[CTL_FILE_SHA256_LEN + 1])
    __attribute__((warn_unused_result));

typedef struct {
    size_t n;
    char **names; /* owned, and each of them */
} ctl_file_list_t;

/*
 * The names of a directory that end in ".sql", sorted by bytes.  -1 with
 * errno set.
 */
int ctl_file_list(ctl_file_list_t *list, const char *dir)
    __attribute__((warn_unused_result));
void ctl_file_list_done(ctl_file_list_t *list);

#endif
