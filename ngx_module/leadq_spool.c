
/*
 * Records of a spool; see leadq_spool.h.
 */

#include "leadq_spool.h"

#include <string.h>

#include <openssl/evp.h>


#define LEADQ_SPOOL_SUM_AT   8
#define LEADQ_SPOOL_SUM_LEN  16
#define LEADQ_SPOOL_SUMMED   (LEADQ_SPOOL_SUM_AT + LEADQ_SPOOL_SUM_LEN)


static int leadq_spool_sum(const char *data, size_t len,
    unsigned char sum[LEADQ_SPOOL_SUM_LEN]);
static size_t leadq_spool_seek(const char *data, size_t len, int last);
static void leadq_spool_put_number(unsigned char *p, size_t len, uint64_t n);
static uint64_t leadq_spool_number(const char *p, size_t len);


/* The last byte but one is the version. */

static const char  leadq_spool_magic[8] = {
    '\xff', 'l', 'e', 'a', 'd', 'q', '\1', '\n'
};


int
leadq_spool_put(leadq_buf_t *buf, const leadq_spool_record_t *record)
{
    size_t          len;
    unsigned char  *p;

    if (record->function_len == 0
        || record->function_len > LEADQ_SPOOL_NAME_MAX
        || record->row_len == 0 || record->row_len > LEADQ_SPOOL_ROW_MAX)
    {
        return -1;
    }

    len = LEADQ_SPOOL_HEAD + record->function_len + record->row_len;

    p = (unsigned char *) leadq_buf_room(buf, len);
    if (p == NULL) {
        return -1;
    }

    memcpy(p, leadq_spool_magic, sizeof(leadq_spool_magic));
    memcpy(p + 24, record->id, sizeof(record->id));
    leadq_spool_put_number(p + 40, 8, record->time_ms);
    leadq_spool_put_number(p + 48, 4, record->row_len);
    leadq_spool_put_number(p + 52, 4, record->function_len);
    memcpy(p + LEADQ_SPOOL_HEAD, record->function, record->function_len);
    memcpy(p + LEADQ_SPOOL_HEAD + record->function_len, record->row,
           record->row_len);

    if (leadq_spool_sum((char *) p, len, p + LEADQ_SPOOL_SUM_AT) != 0) {
        return -1;
    }

    buf->len += len;

    return 0;
}


leadq_spool_e
leadq_spool_next(const char *data, size_t len, int last,
    leadq_spool_record_t *record, size_t *used)
{
    size_t         row_len, function_len, total;
    unsigned char  sum[LEADQ_SPOOL_SUM_LEN];

    if (len < LEADQ_SPOOL_HEAD) {
        *used = last ? len : LEADQ_SPOOL_HEAD;

        return !last ? LEADQ_SPOOL_MORE
                     : len ? LEADQ_SPOOL_BAD : LEADQ_SPOOL_END;
    }

    row_len = (size_t) leadq_spool_number(data + 48, 4);
    function_len = (size_t) leadq_spool_number(data + 52, 4);
    total = LEADQ_SPOOL_HEAD + function_len + row_len;

    if (memcmp(data, leadq_spool_magic, sizeof(leadq_spool_magic)) != 0
        || row_len == 0 || row_len > LEADQ_SPOOL_ROW_MAX
        || function_len == 0 || function_len > LEADQ_SPOOL_NAME_MAX)
    {
        *used = leadq_spool_seek(data, len, last);
        return LEADQ_SPOOL_BAD;
    }

    if (total > len && !last) {
        *used = total;
        return LEADQ_SPOOL_MORE;
    }

    if (total > len || leadq_spool_sum(data, total, sum) != 0
        || memcmp(data + LEADQ_SPOOL_SUM_AT, sum, sizeof(sum)) != 0)
    {
        *used = leadq_spool_seek(data, len, last);
        return LEADQ_SPOOL_BAD;
    }

    memcpy(record->id, data + 24, sizeof(record->id));
    record->time_ms = leadq_spool_number(data + 40, 8);
    record->function = data + LEADQ_SPOOL_HEAD;
    record->function_len = function_len;
    record->row = record->function + function_len;
    record->row_len = row_len;

    *used = total;

    return LEADQ_SPOOL_RECORD;
}


static int
leadq_spool_sum(const char *data, size_t len,
    unsigned char sum[LEADQ_SPOOL_SUM_LEN])
{
    unsigned char  digest[EVP_MAX_MD_SIZE];

    if (EVP_Digest(data + LEADQ_SPOOL_SUMMED, len - LEADQ_SPOOL_SUMMED,
                   digest, NULL, EVP_sha256(), NULL)
        != 1)
    {
        return -1;
    }

    memcpy(sum, digest, LEADQ_SPOOL_SUM_LEN);

    return 0;
}


/* How far the next place is, from 1, where a magic is or may begin. */

static size_t
leadq_spool_seek(const char *data, size_t len, int last)
{
    size_t       left;
    const char  *p, *end;

    end = data + len;

    for (p = data + 1; p < end; p++) {
        p = memchr(p, leadq_spool_magic[0], (size_t) (end - p));

        if (p == NULL) {
            break;
        }

        left = (size_t) (end - p);

        if (left < sizeof(leadq_spool_magic)) {
            if (last) {
                break;
            }

        } else {
            left = sizeof(leadq_spool_magic);
        }

        if (memcmp(p, leadq_spool_magic, left) == 0) {
            return (size_t) (p - data);
        }
    }

    return len;
}


static void
leadq_spool_put_number(unsigned char *p, size_t len, uint64_t n)
{
    while (len) {
        p[--len] = (unsigned char) (n & 0xff);
        n >>= 8;
    }
}


static uint64_t
leadq_spool_number(const char *p, size_t len)
{
    size_t    i;
    uint64_t  n;

    n = 0;

    for (i = 0; i < len; i++) {
        n = n << 8 | (unsigned char) p[i];
    }

    return n;
}
