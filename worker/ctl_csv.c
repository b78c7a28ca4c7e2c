#include "ctl_csv.h"

#include <string.h>

enum { OID_TEXT = 25 }; /* of PostgreSQL's catalogue, which never changes */

static void
write_cell(FILE *out, const char *text, int is_text)
{
    const char *p;

    if (is_text && *text != '\0' && strchr("=+-@", *text) != NULL) {
        (void)fputs("\"'", out);
    } else if (strpbrk(text, ",\"\r\n") != NULL) {
        (void)fputc('"', out);
    } else {
        (void)fputs(text, out);
        return;
    }
    for (p = text; *p != '\0'; p++) {
        if (*p == '"') {
            (void)fputc('"', out);
        }
        (void)fputc(*p, out);
    }
    (void)fputc('"', out);
}

void
ctl_csv_row(FILE *out, const PGresult *res, int row)
{
    int i;

    for (i = 0; i < PQnfields(res); i++) {
        if (i > 0) {
            (void)fputc(',', out);
        }
        write_cell(out, row < 0 ? PQfname(res, i) : PQgetvalue(res, row, i),
                   row >= 0 && PQftype(res, i) == OID_TEXT);
    }
    (void)fputc('\n', out);
}
