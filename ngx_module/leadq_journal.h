
/*
 * Files of a spool.  Every function here may wait for a disk, so it is called
 * by threads; an object is used by one of them at a time.
 *
 *     NAME.<milliseconds>.<pid>.spool    rows, in the order they were taken
 *     NAME.refused                       rows that the database refused
 *     NAME.<...>.damaged                 a file that had more than rows in it
 *     NAME.lock                          held by the process that replays
 *
 * A process writes to files of its own and holds a lock on the one that it
 * writes to.  The lock goes with the process, however it ends: a file without
 * a lock is complete and is for whoever replays.  Only one process replays at
 * a time, the oldest file first.
 */

#ifndef LEADQ_JOURNAL_H_INCLUDED
#define LEADQ_JOURNAL_H_INCLUDED


#include "leadq_spool.h"


#define LEADQ_JOURNAL_ROWS  1024        /* at once, at most */


typedef struct {
    const char            *dir;         /* borrowed */
    const char            *name;        /* borrowed; without a dot */
    uint64_t               size;        /* bytes in all files of the name */
} leadq_journal_t;


/* Writes. */
typedef struct {
    const leadq_journal_t *journal;     /* borrowed */
    int                    fd;          /* owned; -1: none is open */
    uint64_t               len;         /* bytes that are good */
    uint64_t               last_ms;     /* in the name of the last file */
    const char            *what;        /* failed, with errno; static */
} leadq_writer_t;


/* Reads. */
typedef struct {
    const leadq_journal_t *journal;     /* borrowed */
    int                    lock;        /* owned; -1: not held */
    int                    fd;          /* owned; -1: none is open */
    char                  *path;        /* owned; of the open file */
    char                  *data;        /* owned; a piece of it */
    size_t                 size;
    size_t                 len;
    size_t                 begin;       /* of what was read last, in data */
    size_t                 end;
    int                    last;        /* the file has no more than data */
    uint64_t               damaged;     /* bytes in this file so far */
    uint64_t               spoilt;      /* and in all of them */
    const char            *what;        /* failed, with errno; static */

    leadq_spool_record_t   record[LEADQ_JOURNAL_ROWS];
    size_t                 n;
} leadq_reader_t;


void leadq_writer_init(leadq_writer_t *writer,
    const leadq_journal_t *journal);

/*
 * Appends whole records; when it returns 0 they survive a loss of power.
 * Otherwise nothing has been written, as far as the disk lets us see to that.
 */
int leadq_writer_append(leadq_writer_t *writer, uint64_t now_ms,
    const char *data, size_t len);

/* Ends the file, it is for the reader now; accepts a closed writer. */
void leadq_writer_close(leadq_writer_t *writer);


void leadq_reader_init(leadq_reader_t *reader,
    const leadq_journal_t *journal);

/*
 * Finds the next rows, all of one function, in reader->record; when it is
 * called again without leadq_reader_advance() they are the same.  Removes
 * files that have been read to their end.
 *
 * Returns 1, 0 if there are none or another process replays, or -1.
 */
int leadq_reader_next(leadq_reader_t *reader, size_t rows, size_t bytes);

/* What was read last has been dealt with. */
void leadq_reader_advance(leadq_reader_t *reader);

/* Keeps records that the database refused, as safe as the others. */
int leadq_reader_refuse(leadq_reader_t *reader, const char *data, size_t len);

/* Closes the file and gives up the lock; accepts a closed reader. */
void leadq_reader_close(leadq_reader_t *reader);


/*
 * For both.  Those that return int return -1 with errno.
 */

/* Returns 1 if it is a file of the journal and ends with the suffix. */
int leadq_journal_ours(const leadq_journal_t *journal, const char *name,
    const char *suffix);

/* Opens a file of the directory. */
int leadq_journal_open(const leadq_journal_t *journal, const char *name,
    int flags);

/* A new name in a directory must survive as well. */
int leadq_journal_sync(const leadq_journal_t *journal);

int leadq_journal_write(int fd, const char *data, size_t len);


#endif /* LEADQ_JOURNAL_H_INCLUDED */
