#include "records.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#define BOM "\xef\xbb\xbf"

/* Room for a line and what is left of the lines before it. */
#define MAX_LINES_LEN (2 * RECORDS_MAX_LEN)

/* --- libcsv -------------------------------------------------------------- */

/* Blanks belong to a value; who wants them gone cuts them off. */
static int
is_space(unsigned char ch)
{
    (void)ch;
    return 0;
}

static int
is_end(unsigned char ch)
{
    return ch == '\n';
}

static void
on_field(void *field, size_t len, void *data)
{
    records_t *r = data;

    if (r->n == RECORDS_MAX_FIELDS) {
        r->too_many = 1;
        return;
    }
    r->lens[r->n++] = len;
    buf_add(&r->text, field, len);
}

static void
on_row(int end, void *data)
{
    records_t *r = data;

    (void)end;
    r->row = 1;
}

/* A parser that has seen nothing; -1: no memory. */
static int
reset(records_t *r)
{
    if (r->has_csv) {
        csv_free(&r->csv);
    }
    r->has_csv = csv_init(&r->csv, CSV_STRICT | CSV_STRICT_FINI) == 0;
    if (!r->has_csv) {
        errno = ENOMEM;
        return -1;
    }
    csv_set_delim(&r->csv, (unsigned char)r->delimiter);
    csv_set_space_func(&r->csv, is_space);
    csv_set_term_func(&r->csv, is_end);
    return 0;
}

/* --- the file ------------------------------------------------------------ */

/*
 * Adds a line to those that are not over.  Of one that is too long the
 * beginning is kept; there is none behind it then.
 */
static records_e
read_line(records_t *r)
{
    size_t len;
    int ch;

    for (len = 0; (ch = getc_unlocked(r->file)) != EOF; len++) {
        if (len <= RECORDS_MAX_LEN) {
            buf_add_char(&r->lines, (char)ch);
        } else {
            r->excess++;
        }
        if (ch == '\n') {
            break;
        }
    }
    if (r->lines.failed) {
        errno = ENOMEM;
        return RECORDS_FAILED;
    }
    if (ferror(r->file)) {
        return RECORDS_FAILED;
    }
    return len == 0 && ch == EOF ? RECORDS_END : RECORDS_ROW;
}

/* The length of the line at `from`, with its end. */
static size_t
line_len(const records_t *r, size_t from)
{
    const char *end, *begin;

    begin = buf_str(&r->lines) + from;
    end = memchr(begin, '\n', r->lines.len - from);
    return end == NULL ? r->lines.len - from : (size_t)(end - begin) + 1;
}

/* So much of the file is done with, n lines. */
static void
use(records_t *r, size_t len, unsigned n)
{
    r->used = len;
    r->n_used = n;
    r->end += len;
    if (len == r->lines.len) {
        r->end += r->excess;
        r->excess = 0;
    }
    r->raw.data = buf_str(&r->lines);
    r->raw.len = len;
}

/* Forgets what was handed out. */
static void
drop_used(records_t *r)
{
    size_t left;

    left = r->lines.len - r->used;
    if (left > 0) {
        memmove(r->lines.data, r->lines.data + r->used, left + 1);
    } else {
        buf_reset(&r->lines);
    }
    r->lines.len = left;
    r->line += r->n_used;
    r->fed = 0;
    r->n_fed = 0;
    r->used = 0;
    r->n_used = 0;
}

/* --- one record ---------------------------------------------------------- */

static int
convert(records_t *r, const char *line, size_t len)
{
    char out[4096];
    char *in, *to;
    size_t left, room, rc;

    buf_reset(&r->utf8);
    (void)iconv(r->iconv, NULL, NULL, NULL, NULL);
    in = (char *)(uintptr_t)line; /* iconv() does not write to it */
    for (left = len; left > 0;) {
        to = out;
        room = sizeof(out);
        rc = iconv(r->iconv, &in, &left, &to, &room);
        buf_add(&r->utf8, out, sizeof(out) - room);
        if (rc == (size_t)-1 && errno != E2BIG) {
            return -1;
        }
    }
    return 0;
}

/* Why a line, with those before it, is no record; NULL: nothing yet. */
static const char *
feed(records_t *r, const char *line, size_t len)
{
    static const char newline[] = "\n";
    int ended;

    ended = len > 0 && line[len - 1] == '\n';
    len -= ended;
    len -= ended && len > 0 && line[len - 1] == '\r';

    if (r->iconv != NULL) {
        if (convert(r, line, len) == -1) {
            return "bad-encoding";
        }
        line = buf_str(&r->utf8);
        len = r->utf8.len;
    }
    if (csv_parse(&r->csv, line, len, on_field, on_row, r) != len
        || (ended && csv_parse(&r->csv, newline, 1, on_field, on_row, r) != 1)
        || (!ended && csv_fini(&r->csv, on_field, on_row, r) != 0))
    {
        return "bad-quote";
    }
    return NULL;
}

static const char *
detail_of(const char *code)
{
    static const char *const details[][2] = {
        {"bad-quote", "has a quote that is not doubled, or not closed"},
        {"bad-encoding", "is not in the encoding of the file"},
        {"too-long", "is longer than 64 KiB"},
        {"too-many-columns", "has more than 256 columns"},
    };
    size_t i;

    for (i = 0; strcmp(details[i][0], code) != 0; i++) {
    }
    return details[i][1];
}

/* The first line is no record; those behind it may be. */
static records_e
bad(records_t *r, const char *code)
{
    r->code = code;
    r->detail = detail_of(code);
    r->n = 0;
    use(r, line_len(r, 0), 1);
    return reset(r) == -1 ? RECORDS_FAILED : RECORDS_BAD;
}

static records_e
good(records_t *r)
{
    const char *at;
    size_t i;

    at = buf_str(&r->text);
    for (i = 0; i < r->n; i++) {
        r->fields[i].data = at;
        r->fields[i].len = r->lens[i];
        at += r->lens[i];
    }
    use(r, r->fed, r->n_fed);
    return RECORDS_ROW;
}

static int
is_empty(const char *line, size_t len)
{
    return len == 0 || strncmp(line, "\n", len) == 0
           || strncmp(line, "\r\n", len) == 0;
}

/* The lines of the next record, as far as they are needed. */
static records_e
take(records_t *r)
{
    const char *code, *line;
    records_e rc;
    size_t len;

    while (!r->row) {
        rc = r->fed == r->lines.len ? read_line(r) : RECORDS_ROW;
        if (rc == RECORDS_END && r->fed > 0) {
            return bad(r, "bad-quote");
        }
        if (rc != RECORDS_ROW) {
            return rc;
        }
        line = buf_str(&r->lines) + r->fed;
        len = line_len(r, r->fed);
        if (r->fed == 0 && is_empty(line, len)) {
            use(r, len, 1);
            drop_used(r);
            continue;
        }
        r->fed += len;
        r->n_fed++;
        if (r->fed > RECORDS_MAX_LEN) {
            return bad(r, r->n_fed == 1 ? "too-long" : "bad-quote");
        }
        code = feed(r, line, len);
        if (code != NULL || r->n_fed > RECORDS_MAX_LINES) {
            return bad(r, code != NULL ? code : "bad-quote");
        }
    }
    return r->too_many ? bad(r, "too-many-columns") : good(r);
}

records_e
records_next(records_t *r)
{
    drop_used(r);
    buf_reset(&r->text);
    r->n = 0;
    r->row = 0;
    r->too_many = 0;
    return take(r);
}

/* --- beginning and end --------------------------------------------------- */

/* The delimiter that a line has most often outside of quotes. */
static char
guess(const char *line, size_t len)
{
    static const char candidates[] = ",;\t|";
    size_t counts[sizeof(candidates)] = {0};
    const char *found;
    size_t i, best;
    int quoted;

    quoted = 0;
    for (i = 0; i < len; i++) {
        quoted ^= line[i] == '"';
        found = line[i] == '\0' ? NULL : strchr(candidates, line[i]);
        if (found != NULL && !quoted) {
            counts[found - candidates]++;
        }
    }
    best = 0;
    for (i = 1; candidates[i] != '\0'; i++) {
        if (counts[i] > counts[best]) {
            best = i;
        }
    }
    return candidates[best];
}

/* In an encoding where ASCII is not ASCII there are no lines to find. */
static int
open_iconv(records_t *r, const char *encoding, fault_t *fault)
{
    static const char probe[] = "\"a\",;\t|\r\n";
    iconv_t cd;

    cd = iconv_open("UTF-8", encoding);
    if (cd == (iconv_t)-1) {
        return fault_set(fault, 0, "there is no encoding \"%.60s\"", encoding);
    }
    r->iconv = cd;
    if (convert(r, probe, strlen(probe)) == -1
        || strcmp(buf_str(&r->utf8), probe) != 0)
    {
        return fault_set(fault, 0,
                         "files in \"%.60s\" cannot be read: "
                         "bring it to UTF-8 with iconv(1)",
                         encoding);
    }
    return 0;
}

/* Looks at the first line: its mark, its delimiter. */
static int
begin(records_t *r, fault_t *fault)
{
    if (read_line(r) == RECORDS_FAILED) {
        return fault_set(fault, 0, "%s", strerror(errno));
    }
    if (r->lines.len >= 2
        && (memcmp(buf_str(&r->lines), "\xff\xfe", 2) == 0
            || memcmp(buf_str(&r->lines), "\xfe\xff", 2) == 0))
    {
        return fault_set(fault, 1,
                         "is UTF-16: bring it to UTF-8 with iconv(1)");
    }
    if (strncmp(buf_str(&r->lines), BOM, strlen(BOM)) == 0) {
        use(r, strlen(BOM), 0);
        drop_used(r);
    }
    if (r->delimiter == RECORDS_AUTO) {
        r->delimiter = guess(buf_str(&r->lines), r->lines.len);
    }
    return 0;
}

int
records_init(records_t *r, FILE *file, char delimiter, const char *encoding,
             fault_t *fault)
{
    memset(r, 0, sizeof(*r));
    r->file = file;
    r->line = 1;
    r->delimiter = delimiter;
    buf_init(&r->lines, MAX_LINES_LEN);
    buf_init(&r->utf8, 4 * MAX_LINES_LEN);
    buf_init(&r->text, 4 * MAX_LINES_LEN);

    if (begin(r, fault) == -1
        || (encoding != NULL && open_iconv(r, encoding, fault) == -1))
    {
        return -1;
    }
    if (reset(r) == -1) {
        return fault_set(fault, 0, "no memory");
    }
    return 0;
}

void
records_done(records_t *r)
{
    if (r->has_csv) {
        csv_free(&r->csv);
        r->has_csv = 0;
    }
    if (r->iconv != NULL) {
        (void)iconv_close(r->iconv);
        r->iconv = NULL;
    }
    buf_done(&r->lines);
    buf_done(&r->utf8);
    buf_done(&r->text);
}

int
records_seek(records_t *r, uint64_t at, uint64_t lines)
{
    if (fseeko(r->file, (off_t)at, SEEK_SET) == -1) {
        return -1;
    }
    buf_reset(&r->lines);
    r->used = 0;
    r->n_used = 0;
    r->fed = 0;
    r->n_fed = 0;
    r->end = at;
    r->line = lines + 1;
    return reset(r);
}
