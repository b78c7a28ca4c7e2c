
/*
 * Files of a spool: how they are made and written; see leadq_journal.h.
 */

#include "leadq_journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>


#define LEADQ_JOURNAL_PARTS  8          /* a file has 1/8 of the size */
#define LEADQ_JOURNAL_TRIES  16         /* names of a new file */


static int leadq_writer_open(leadq_writer_t *writer, uint64_t now_ms);
static int leadq_writer_fail(leadq_writer_t *writer, const char *what);
static int leadq_journal_used(const leadq_journal_t *journal, uint64_t *used);


void
leadq_writer_init(leadq_writer_t *writer, const leadq_journal_t *journal)
{
    memset(writer, 0, sizeof(leadq_writer_t));
    writer->journal = journal;
    writer->fd = -1;
}


int
leadq_writer_append(leadq_writer_t *writer, uint64_t now_ms,
    const char *data, size_t len)
{
    uint64_t  used;

    if (leadq_journal_used(writer->journal, &used) != 0) {
        return leadq_writer_fail(writer, "read the directory");
    }

    if (used + len > writer->journal->size) {
        errno = ENOSPC;
        return leadq_writer_fail(writer, "take more rows, it is full");
    }

    if (writer->fd == -1 && leadq_writer_open(writer, now_ms) != 0) {
        return leadq_writer_fail(writer, "make a file");
    }

    if (leadq_journal_write(writer->fd, data, len) != 0) {
        return leadq_writer_fail(writer, "write");
    }

    if (fdatasync(writer->fd) != 0) {
        return leadq_writer_fail(writer, "fsync");
    }

    writer->len += len;

    if (writer->len >= writer->journal->size / LEADQ_JOURNAL_PARTS) {
        leadq_writer_close(writer);
    }

    return 0;
}


void
leadq_writer_close(leadq_writer_t *writer)
{
    if (writer->fd != -1) {
        close(writer->fd);
    }

    writer->fd = -1;
    writer->len = 0;
}


/*
 * A reader may find the file before we have its lock: then it is empty, and
 * the reader removes it.  So what we have locked may have no name any more.
 */

static int
leadq_writer_open(leadq_writer_t *writer, uint64_t now_ms)
{
    int          fd, i;
    char         name[NAME_MAX + 1];
    struct stat  st;

    for (i = 0; i < LEADQ_JOURNAL_TRIES; i++) {

        writer->last_ms = now_ms > writer->last_ms ? now_ms
                                                   : writer->last_ms + 1;

        snprintf(name, sizeof(name), "%s.%013llu.%ld.spool",
                 writer->journal->name,
                 (unsigned long long) writer->last_ms, (long) getpid());

        fd = leadq_journal_open(writer->journal, name,
                                O_WRONLY|O_CREAT|O_EXCL|O_APPEND);
        if (fd == -1) {
            if (errno == EEXIST) {
                continue;
            }

            return -1;
        }

        if (flock(fd, LOCK_EX|LOCK_NB) == 0 && fstat(fd, &st) == 0
            && st.st_nlink == 1)
        {
            if (leadq_journal_sync(writer->journal) != 0) {
                i = errno;
                close(fd);
                errno = i;
                return -1;
            }

            writer->fd = fd;
            writer->len = 0;

            return 0;
        }

        close(fd);
    }

    errno = EAGAIN;

    return -1;
}


/* Takes back what may have been written: its clients will be told so. */

static int
leadq_writer_fail(leadq_writer_t *writer, const char *what)
{
    int  err;

    err = errno;
    writer->what = what;

    if (writer->fd != -1
        && (ftruncate(writer->fd, (off_t) writer->len) != 0
            || fdatasync(writer->fd) != 0))
    {
        leadq_writer_close(writer);
    }

    errno = err;

    return -1;
}


static int
leadq_journal_used(const leadq_journal_t *journal, uint64_t *used)
{
    DIR            *dir;
    struct stat     st;
    struct dirent  *entry;

    *used = 0;

    dir = opendir(journal->dir);
    if (dir == NULL) {
        return -1;
    }

    while ((entry = readdir(dir)) != NULL) {
        if (leadq_journal_ours(journal, entry->d_name, "")
            && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0)
        {
            *used += (uint64_t) st.st_size;
        }
    }

    closedir(dir);

    return 0;
}


int
leadq_journal_ours(const leadq_journal_t *journal, const char *name,
    const char *suffix)
{
    size_t  len, suffix_len, own;

    len = strlen(name);
    own = strlen(journal->name);
    suffix_len = strlen(suffix);

    return len > own + suffix_len
           && strncmp(name, journal->name, own) == 0 && name[own] == '.'
           && strcmp(name + len - suffix_len, suffix) == 0;
}


int
leadq_journal_open(const leadq_journal_t *journal, const char *name,
    int flags)
{
    char  path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/%s", journal->dir, name)
        >= (int) sizeof(path))
    {
        errno = ENAMETOOLONG;
        return -1;
    }

    return open(path, flags|O_CLOEXEC, 0600);
}


int
leadq_journal_sync(const leadq_journal_t *journal)
{
    int  fd, rc, err;

    fd = open(journal->dir, O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    if (fd == -1) {
        return -1;
    }

    rc = fsync(fd);
    err = errno;

    close(fd);
    errno = err;

    return rc;
}


int
leadq_journal_write(int fd, const char *data, size_t len)
{
    ssize_t  n;

    while (len) {
        n = write(fd, data, len);

        if (n < 0 && errno == EINTR) {
            continue;
        }

        if (n < 0) {
            return -1;
        }

        data += n;
        len -= (size_t) n;
    }

    return 0;
}
