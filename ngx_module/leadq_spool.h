
/*
 * Records of a spool: rows that wait in a local file for their database.
 *
 *      0  magic     8     begins with 0xff
 *      8  sum      16     first half of SHA-256 of all that follows
 *     24  id       16     of the row
 *     40  time      8     unix milliseconds, when it was written
 *     48  length    4     of the row
 *     52  length    4     of the name of the function
 *     56  name, row
 *
 * Numbers are big-endian.  A record says by itself whether it is whole, so a
 * file needs no head, and files may be joined or cut anywhere: what is torn
 * or damaged is passed over up to the next magic, and no neighbour is lost.
 * Rows are UTF-8 and names are ASCII, neither has a byte 0xff, so nobody can
 * send a row that holds a record.
 */

#ifndef LEADQ_SPOOL_H_INCLUDED
#define LEADQ_SPOOL_H_INCLUDED


#include "leadq_buf.h"

#include <stdint.h>


#define LEADQ_SPOOL_HEAD      56
#define LEADQ_SPOOL_NAME_MAX  63
#define LEADQ_SPOOL_ROW_MAX   (4 * 1024 * 1024)
#define LEADQ_SPOOL_MAX                                                       \
    (LEADQ_SPOOL_HEAD + LEADQ_SPOOL_NAME_MAX + LEADQ_SPOOL_ROW_MAX)


typedef struct {
    unsigned char   id[16];
    uint64_t        time_ms;
    const char     *function;           /* borrowed, no terminator */
    size_t          function_len;
    const char     *row;                /* borrowed, no terminator */
    size_t          row_len;
} leadq_spool_record_t;


typedef enum {
    LEADQ_SPOOL_RECORD,                 /* one is whole, it has *used bytes */
    LEADQ_SPOOL_MORE,                   /* *used bytes would tell */
    LEADQ_SPOOL_BAD,                    /* *used bytes are none, go on there */
    LEADQ_SPOOL_END                     /* nothing is left */
} leadq_spool_e;


/*
 * Appends a record; its function and row are not empty and within the limits.
 *
 * Returns 0, or -1 if they are not, or there is no memory.
 */
int leadq_spool_put(leadq_buf_t *buf, const leadq_spool_record_t *record);

/*
 * Reads what is at the beginning of data; last: nothing follows it in the
 * file.  The record's strings lie in data.
 */
leadq_spool_e leadq_spool_next(const char *data, size_t len, int last,
    leadq_spool_record_t *record, size_t *used);


#endif /* LEADQ_SPOOL_H_INCLUDED */
