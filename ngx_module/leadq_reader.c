
/*
 * Files of a spool: how they are found, read and removed; see
 * leadq_journal.h.
 */

#include "leadq_journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>


#define LEADQ_READER_PIECE  (256 * 1024)


static int leadq_reader_gather(leadq_reader_t *reader, size_t rows,
    size_t bytes);
static int leadq_reader_fits(const leadq_reader_t *reader,
    const leadq_spool_record_t *record, size_t bytes);
static int leadq_reader_open(leadq_reader_t *reader);
static int leadq_reader_lock(leadq_reader_t *reader);
static int leadq_reader_take(leadq_reader_t *reader, const char *name);
static int leadq_reader_find(const leadq_journal_t *journal,
    const char *after, char name[NAME_MAX + 1]);
static int leadq_reader_more(leadq_reader_t *reader, size_t want);
static int leadq_reader_finish(leadq_reader_t *reader);
static int leadq_reader_fail(leadq_reader_t *reader, const char *what);


void
leadq_reader_init(leadq_reader_t *reader, const leadq_journal_t *journal)
{
    memset(reader, 0, sizeof(leadq_reader_t));
    reader->journal = journal;
    reader->lock = -1;
    reader->fd = -1;
}


int
leadq_reader_next(leadq_reader_t *reader, size_t rows, size_t bytes)
{
    int  rc;

    do {
        if (reader->fd == -1 && (rc = leadq_reader_open(reader)) != 1) {
            return rc;
        }

        rc = leadq_reader_gather(reader, rows, bytes);

        if (rc == 0) {
            rc = leadq_reader_finish(reader);
        }

    } while (rc == 0);

    return rc;
}


/* Returns 1, 0 at the end of the file, or -1. */

static int
leadq_reader_gather(leadq_reader_t *reader, size_t rows, size_t bytes)
{
    size_t                 used;
    leadq_spool_e          what;
    leadq_spool_record_t  *record;

    reader->n = 0;
    reader->end = reader->begin;

    while (reader->n < rows && reader->n < LEADQ_JOURNAL_ROWS) {

        record = &reader->record[reader->n];
        what = leadq_spool_next(reader->data + reader->end,
                                reader->len - reader->end, reader->last,
                                record, &used);

        if (what == LEADQ_SPOOL_RECORD) {

            if (reader->n && !leadq_reader_fits(reader, record, bytes)) {
                break;
            }

            bytes -= record->row_len < bytes ? record->row_len : bytes;
            reader->end += used;
            reader->n++;

            continue;
        }

        if (reader->n) {
            break;
        }

        if (what == LEADQ_SPOOL_END) {
            return 0;
        }

        if (what == LEADQ_SPOOL_BAD) {
            reader->damaged += used;
            reader->spoilt += used;
            reader->begin += used;
            reader->end = reader->begin;

        } else if (leadq_reader_more(reader, used) != 0) {
            return -1;
        }
    }

    return 1;
}


static int
leadq_reader_fits(const leadq_reader_t *reader,
    const leadq_spool_record_t *record, size_t bytes)
{
    const leadq_spool_record_t  *first;

    first = &reader->record[0];

    return record->row_len <= bytes
           && record->function_len == first->function_len
           && memcmp(record->function, first->function, first->function_len)
              == 0;
}


void
leadq_reader_advance(leadq_reader_t *reader)
{
    reader->begin = reader->end;
    reader->n = 0;
}


int
leadq_reader_refuse(leadq_reader_t *reader, const char *data, size_t len)
{
    int          fd, rc;
    char         name[NAME_MAX + 1];
    struct stat  st;

    snprintf(name, sizeof(name), "%s.refused", reader->journal->name);

    fd = leadq_journal_open(reader->journal, name,
                            O_WRONLY|O_CREAT|O_APPEND);
    if (fd == -1) {
        return leadq_reader_fail(reader, "open the file of refused rows");
    }

    rc = 0;

    if (fstat(fd, &st) != 0
        || leadq_journal_write(fd, data, len) != 0
        || fdatasync(fd) != 0
        || (st.st_size == 0 && leadq_journal_sync(reader->journal) != 0))
    {
        rc = leadq_reader_fail(reader, "write the file of refused rows");
    }

    close(fd);

    return rc;
}


void
leadq_reader_close(leadq_reader_t *reader)
{
    uint64_t                spoilt;
    const char             *what;
    const leadq_journal_t  *journal;

    what = reader->what;
    spoilt = reader->spoilt;
    journal = reader->journal;

    if (reader->fd != -1) {
        close(reader->fd);
    }

    if (reader->lock != -1) {
        close(reader->lock);
    }

    free(reader->path);
    free(reader->data);

    leadq_reader_init(reader, journal);

    reader->what = what;
    reader->spoilt = spoilt;
}


/* The oldest file that nobody writes to; returns as leadq_reader_next(). */

static int
leadq_reader_open(leadq_reader_t *reader)
{
    int   rc;
    char  name[NAME_MAX + 1], after[NAME_MAX + 1];

    after[0] = '\0';

    while ((rc = leadq_reader_find(reader->journal, after, name)) == 1) {

        /* most of the time there is nothing, and nobody to be kept out */

        if (reader->lock == -1 && (rc = leadq_reader_lock(reader)) != 1) {
            return rc;
        }

        rc = leadq_reader_take(reader, name);
        if (rc != 0) {
            break;
        }

        memcpy(after, name, sizeof(after));
    }

    if (rc == -1) {
        return leadq_reader_fail(reader, "open a file");
    }

    if (rc == 0) {
        leadq_reader_close(reader);
    }

    return rc;
}


static int
leadq_reader_lock(leadq_reader_t *reader)
{
    char  name[NAME_MAX + 1];

    snprintf(name, sizeof(name), "%s.lock", reader->journal->name);

    reader->lock = leadq_journal_open(reader->journal, name,
                                      O_WRONLY|O_CREAT);
    if (reader->lock == -1) {
        return leadq_reader_fail(reader, "open the lock");
    }

    if (flock(reader->lock, LOCK_EX|LOCK_NB) == 0) {
        return 1;
    }

    close(reader->lock);
    reader->lock = -1;

    return 0;
}


/* 1: the file is ours; 0: somebody writes to it, or it is gone. */

static int
leadq_reader_take(leadq_reader_t *reader, const char *name)
{
    int          fd;
    size_t       len;
    struct stat  st;

    fd = leadq_journal_open(reader->journal, name, O_RDONLY);
    if (fd == -1) {
        return errno == ENOENT ? 0 : -1;
    }

    if (flock(fd, LOCK_EX|LOCK_NB) != 0 || fstat(fd, &st) != 0
        || st.st_nlink == 0)
    {
        close(fd);
        return 0;
    }

    len = strlen(reader->journal->dir) + 1 + strlen(name) + 1;

    free(reader->path);
    reader->path = malloc(len);

    if (reader->path == NULL) {
        close(fd);
        return -1;
    }

    snprintf(reader->path, len, "%s/%s", reader->journal->dir, name);

    reader->fd = fd;
    reader->len = 0;
    reader->begin = 0;
    reader->end = 0;
    reader->last = 0;
    reader->damaged = 0;

    return 1;
}


/* The first name after "after"; 0: there is none. */

static int
leadq_reader_find(const leadq_journal_t *journal, const char *after,
    char name[NAME_MAX + 1])
{
    DIR            *dir;
    struct dirent  *entry;

    dir = opendir(journal->dir);
    if (dir == NULL) {
        return -1;
    }

    name[0] = '\0';

    while ((entry = readdir(dir)) != NULL) {
        if (leadq_journal_ours(journal, entry->d_name, ".spool")
            && strcmp(entry->d_name, after) > 0
            && (name[0] == '\0' || strcmp(entry->d_name, name) < 0))
        {
            snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
        }
    }

    closedir(dir);

    return name[0] != '\0';
}


/* Reads on, until "want" bytes from the beginning are here. */

static int
leadq_reader_more(leadq_reader_t *reader, size_t want)
{
    char     *data;
    size_t    size;
    ssize_t   n;

    reader->len -= reader->begin;

    if (reader->len) {
        memmove(reader->data, reader->data + reader->begin, reader->len);
    }

    reader->begin = 0;
    reader->end = 0;

    size = want > LEADQ_READER_PIECE ? want : LEADQ_READER_PIECE;

    if (size > reader->size) {
        data = realloc(reader->data, size);
        if (data == NULL) {
            return leadq_reader_fail(reader, "get memory");
        }

        reader->data = data;
        reader->size = size;
    }

    while (reader->len < want && !reader->last) {
        n = read(reader->fd, reader->data + reader->len,
                 reader->size - reader->len);

        if (n < 0 && errno == EINTR) {
            continue;
        }

        if (n < 0) {
            return leadq_reader_fail(reader, "read");
        }

        reader->last = n == 0;
        reader->len += (size_t) n;
    }

    return 0;
}


/* All rows are in the database; what were none stays to be looked at. */

static int
leadq_reader_finish(leadq_reader_t *reader)
{
    char    *to;
    int      rc;
    size_t   len;

    if (reader->damaged) {
        len = strlen(reader->path) - strlen(".spool");
        to = malloc(len + sizeof(".damaged"));

        if (to == NULL) {
            return leadq_reader_fail(reader, "get memory");
        }

        memcpy(to, reader->path, len);
        memcpy(to + len, ".damaged", sizeof(".damaged"));

        rc = rename(reader->path, to);
        free(to);

    } else {
        rc = unlink(reader->path);
    }

    if (rc != 0 && errno != ENOENT) {
        return leadq_reader_fail(reader, "remove a file");
    }

    close(reader->fd);
    reader->fd = -1;

    return 0;
}


static int
leadq_reader_fail(leadq_reader_t *reader, const char *what)
{
    reader->what = what;

    return -1;
}
