
/*
 * Multipart forms, in one pass and without allocations.
 *
 *     --boundary CRLF            (the line of a delimiter)
 *     Content-Disposition: form-data; name="email" CRLF
 *     CRLF
 *     value CRLF                 (this CRLF belongs to the next delimiter)
 *     --boundary-- [CRLF]
 *
 * Stricter than RFC 2046, which was made for mail: no preamble, no epilogue,
 * no header that is folded, no line that ends without CR.  Browsers and the
 * usual libraries send none of these.
 */

#include "leadq_multipart.h"

#include <string.h>

#include "leadq_media.h"
#include "leadq_utf8.h"


typedef struct {
    const char     *p;                      /* where we are */
    const char     *end;
    const char     *boundary;
    size_t          boundary_len;
    char           *arena;
    leadq_pairs_t  *pairs;
    int             file;                   /* the part at hand is one */
} leadq_parts_t;


static leadq_code_e leadq_part_delimiter(leadq_parts_t *parts, int *last);
static leadq_code_e leadq_part_read(leadq_parts_t *parts);
static leadq_code_e leadq_part_head(leadq_parts_t *parts, leadq_str_t *name);
static leadq_code_e leadq_part_header(leadq_parts_t *parts, const char *line,
    size_t len, leadq_str_t *name);
static leadq_code_e leadq_part_disposition(leadq_parts_t *parts,
    const char *p, const char *end, leadq_str_t *name);
static leadq_code_e leadq_part_type(leadq_parts_t *parts, const char *p,
    const char *end);
static const char *leadq_part_end(const leadq_parts_t *parts);
static void leadq_part_store(leadq_parts_t *parts, leadq_str_t *out,
    const char *text, size_t len);
static void leadq_part_name(leadq_parts_t *parts, leadq_str_t *out,
    const leadq_str_t *name);


leadq_code_e
leadq_multipart_parse(const char *body, size_t len, const char *boundary,
    size_t boundary_len, char *arena, leadq_pairs_t *pairs)
{
    int            last;
    leadq_code_e   code;
    leadq_parts_t  parts;

    pairs->n = 0;
    pairs->culprit.len = 0;

    parts.p = body;
    parts.end = body + len;
    parts.boundary = boundary;
    parts.boundary_len = boundary_len;
    parts.arena = arena;
    parts.pairs = pairs;

    for ( ;; ) {
        code = leadq_part_delimiter(&parts, &last);

        if (code != LEADQ_OK || last) {
            return code;
        }

        if (pairs->n == LEADQ_PAIRS_MAX) {
            return LEADQ_TOO_MANY_FIELDS;
        }

        code = leadq_part_read(&parts);

        if (code != LEADQ_OK) {
            return code;
        }
    }
}


/* Reads the line of a delimiter; blanks may follow the boundary. */

static leadq_code_e
leadq_part_delimiter(leadq_parts_t *parts, int *last)
{
    const char  *p;

    p = parts->p;
    *last = 0;

    if ((size_t) (parts->end - p) < parts->boundary_len + 2
        || memcmp(p, "--", 2) != 0
        || memcmp(p + 2, parts->boundary, parts->boundary_len) != 0)
    {
        return LEADQ_BAD_MULTIPART;
    }

    p += 2 + parts->boundary_len;

    if (parts->end - p >= 2 && memcmp(p, "--", 2) == 0) {
        *last = 1;
        p += 2;
    }

    while (p < parts->end && (*p == ' ' || *p == '\t')) {
        p++;
    }

    if (parts->end - p >= 2 && memcmp(p, "\r\n", 2) == 0) {
        p += 2;

    } else if (!*last) {
        return LEADQ_BAD_MULTIPART;
    }

    parts->p = p;

    return *last && p < parts->end ? LEADQ_BAD_MULTIPART : LEADQ_OK;
}


static leadq_code_e
leadq_part_read(leadq_parts_t *parts)
{
    const char    *end;
    leadq_str_t    name;
    leadq_pair_t  *pair;
    leadq_code_e   code;

    name.len = 0;
    name.data = "";
    parts->file = 0;

    code = leadq_part_head(parts, &name);

    pair = &parts->pairs->pair[parts->pairs->n];
    leadq_part_name(parts, &pair->name, &name);

    if (!leadq_utf8_valid(pair->name.data, pair->name.len)) {
        return LEADQ_BAD_ENCODING;
    }

    parts->pairs->culprit = pair->name;

    if (code == LEADQ_OK && pair->name.len == 0) {
        code = LEADQ_BAD_MULTIPART;
    }

    if (code == LEADQ_OK && parts->file) {
        code = LEADQ_FILE_PART;
    }

    if (code != LEADQ_OK) {
        return code;
    }

    end = leadq_part_end(parts);

    if (end == NULL) {
        return LEADQ_BAD_MULTIPART;
    }

    pair->scalar = 1;
    pair->raw.len = 0;
    leadq_part_store(parts, &pair->value, parts->p,
                     (size_t) (end - parts->p));

    parts->p = end + 2;
    parts->pairs->n++;
    parts->pairs->culprit.len = 0;

    return LEADQ_OK;
}


/* Reads header lines up to the empty one. */

static leadq_code_e
leadq_part_head(leadq_parts_t *parts, leadq_str_t *name)
{
    const char    *p, *end, *stop;
    leadq_code_e   code;

    p = parts->p;
    stop = parts->end;

    if (stop - p > LEADQ_PART_HEAD_MAX) {
        stop = p + LEADQ_PART_HEAD_MAX;
    }

    for ( ;; ) {
        end = p < stop ? memchr(p, '\r', (size_t) (stop - p)) : NULL;

        if (end == NULL || stop - end < 2 || end[1] != '\n') {
            return LEADQ_BAD_MULTIPART;
        }

        if (end == p) {
            parts->p = p + 2;
            return LEADQ_OK;
        }

        code = leadq_part_header(parts, p, (size_t) (end - p), name);

        if (code != LEADQ_OK) {
            return code;
        }

        p = end + 2;
    }
}


/* Headers that nobody knows here are of no meaning (RFC 7578, 4.8). */

static leadq_code_e
leadq_part_header(leadq_parts_t *parts, const char *line, size_t len,
    leadq_str_t *name)
{
    size_t       n;
    const char  *p, *end;

    p = memchr(line, ':', len);

    if (p == NULL || p == line || memchr(line, '\0', len) != NULL) {
        return LEADQ_BAD_MULTIPART;
    }

    n = (size_t) (p - line);
    end = line + len;

    do {
        p++;
    } while (p < end && (*p == ' ' || *p == '\t'));

    if (leadq_media_is(line, n, "content-disposition")) {
        return leadq_part_disposition(parts, p, end, name);
    }

    if (leadq_media_is(line, n, "content-type")) {
        return leadq_part_type(parts, p, end);
    }

    if (leadq_media_is(line, n, "content-transfer-encoding")
        && !leadq_media_is(p, (size_t) (end - p), "7bit")
        && !leadq_media_is(p, (size_t) (end - p), "8bit")
        && !leadq_media_is(p, (size_t) (end - p), "binary"))
    {
        return LEADQ_BAD_MULTIPART;
    }

    return LEADQ_OK;
}


static leadq_code_e
leadq_part_disposition(leadq_parts_t *parts, const char *p, const char *end,
    leadq_str_t *name)
{
    int          rc;
    size_t       len;
    leadq_str_t  key, value;

    static const char  form_data[] = "form-data";

    len = sizeof(form_data) - 1;

    if (name->len || (size_t) (end - p) < len
        || !leadq_media_is(p, len, form_data))
    {
        return LEADQ_BAD_MULTIPART;
    }

    p += len;

    for ( ;; ) {
        rc = leadq_media_parameter(&p, end, &key, &value);

        if (rc < 0) {
            return LEADQ_BAD_MULTIPART;
        }

        if (rc == 0) {
            return LEADQ_OK;
        }

        if (leadq_media_is(key.data, key.len, "name")) {

            if (name->len) {
                return LEADQ_BAD_MULTIPART;
            }

            *name = value;

        } else if (leadq_media_is(key.data, key.len, "filename")
                   || leadq_media_is(key.data, key.len, "filename*"))
        {
            parts->file = 1;
        }
    }
}


static leadq_code_e
leadq_part_type(leadq_parts_t *parts, const char *p, const char *end)
{
    leadq_code_e   code;
    leadq_media_t  media;

    code = leadq_media_read(p, (size_t) (end - p), &media);

    if (media.type != LEADQ_MEDIA_TEXT) {
        parts->file = 1;
        return LEADQ_OK;
    }

    return code == LEADQ_BAD_MEDIA_TYPE ? LEADQ_BAD_MULTIPART : code;
}


/* The CRLF before the next delimiter, or NULL. */

static const char *
leadq_part_end(const leadq_parts_t *parts)
{
    size_t       need;
    const char  *p;

    need = 4 + parts->boundary_len;
    p = parts->p;

    while ((size_t) (parts->end - p) >= need) {

        p = memchr(p, '\r', (size_t) (parts->end - p) - need + 1);
        if (p == NULL) {
            return NULL;
        }

        if (memcmp(p, "\r\n--", 4) == 0
            && memcmp(p + 4, parts->boundary, parts->boundary_len) == 0)
        {
            return p;
        }

        p++;
    }

    return NULL;
}


static void
leadq_part_store(leadq_parts_t *parts, leadq_str_t *out, const char *text,
    size_t len)
{
    if (len) {
        memcpy(parts->arena, text, len);
    }

    out->data = parts->arena;
    out->len = len;

    parts->arena += len;
}


/* Browsers write quotes and line ends in names as %22, %0D and %0A. */

static void
leadq_part_name(leadq_parts_t *parts, leadq_str_t *out,
    const leadq_str_t *name)
{
    char        *p;
    size_t       i, k;
    const char  *text;

    static const char  escapes[] = "%22\"%0D\r%0A\n%0d\r%0a\n";

    text = name->data;
    p = parts->arena;
    i = 0;

    while (i < name->len) {

        for (k = 0; name->len - i >= 3 && escapes[k]; k += 4) {
            if (memcmp(&text[i], &escapes[k], 3) == 0) {
                break;
            }
        }

        if (name->len - i >= 3 && escapes[k]) {
            *p++ = escapes[k + 3];
            i += 3;

        } else {
            *p++ = text[i++];
        }
    }

    out->data = parts->arena;
    out->len = (size_t) (p - parts->arena);

    parts->arena = p;
}
