#include "ctl_table.h"
#include "ctl_error.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_COLUMNS 16

/* Types of PostgreSQL's catalogue, which never change. */
enum {
    OID_BOOL = 16,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_FLOAT8 = 701
};

static int
is_integer(const PGresult *res, int column)
{
    switch (PQftype(res, column)) {
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
        return 1;
    default:
        return 0;
    }
}

/* Characters, not bytes: a byte 10xxxxxx continues one. */
static int
width_of(const char *text)
{
    int width;

    for (width = 0; *text != '\0'; text++) {
        width += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return width;
}

static void
print_clean(const char *text)
{
    for (; *text != '\0'; text++) {
        (void)putchar((unsigned char)*text < ' ' || *text == '\177' ? '?'
                                                                    : *text);
    }
}

static void
print_cell(const char *text, int width, int right)
{
    const int blanks = width > width_of(text) ? width - width_of(text) : 0;

    if (right) {
        (void)printf("%*s", blanks, "");
    }
    print_clean(text);
    if (!right) {
        (void)printf("%*s", blanks, "");
    }
}

static const char *
cell(const PGresult *res, int row, int column)
{
    return row < 0 ? PQfname(res, column) : PQgetvalue(res, row, column);
}

/* Row -1 is the header. */
static void
print_row(const PGresult *res, int row, const int *widths, int columns)
{
    int i, last;

    for (last = columns - 1; last > 0 && *cell(res, row, last) == '\0';) {
        last--;
    }
    for (i = 0; i <= last; i++) {
        print_cell(cell(res, row, i),
                   i < last || is_integer(res, i) ? widths[i] : 0,
                   is_integer(res, i));
        (void)fputs(i < last ? "  " : "\n", stdout);
    }
}

void
ctl_table_print(const PGresult *res, int header)
{
    int widths[MAX_COLUMNS], columns, row, i, width;

    columns = PQnfields(res) < MAX_COLUMNS ? PQnfields(res) : MAX_COLUMNS;
    memset(widths, 0, sizeof(widths));
    for (row = header ? -1 : 0; row < PQntuples(res); row++) {
        for (i = 0; i < columns; i++) {
            width = width_of(cell(res, row, i));
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    for (row = header ? -1 : 0; row < PQntuples(res); row++) {
        print_row(res, row, widths, columns);
    }
}

static json_t *
json_of(const PGresult *res, int row, int column)
{
    const char *text = PQgetvalue(res, row, column);

    if (PQgetisnull(res, row, column)) {
        return json_null();
    }
    if (is_integer(res, column)) {
        return json_integer(strtoll(text, NULL, 10));
    }
    switch (PQftype(res, column)) {
    case OID_BOOL:
        return json_boolean(*text == 't');
    case OID_FLOAT8:
        return json_real(strtod(text, NULL));
    default:
        return json_string(text);
    }
}

json_t *
ctl_table_row(const PGresult *res, int row)
{
    json_t *object;
    int i;

    object = json_object();
    for (i = 0; i < PQnfields(res); i++) {
        if (json_object_set_new(object, PQfname(res, i), json_of(res, row, i))
            != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

json_t *
ctl_table_rows(const PGresult *res)
{
    json_t *array;
    int row;

    array = json_array();
    for (row = 0; row < PQntuples(res); row++) {
        if (json_array_append_new(array, ctl_table_row(res, row)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

int
ctl_table_json(json_t *json)
{
    int rc;

    rc = json == NULL || json_dumpf(json, stdout, JSON_INDENT(2)) != 0;
    json_decref(json);
    if (rc != 0 || putchar('\n') == EOF || fflush(stdout) != 0) {
        return ctl_error("cannot print all of it");
    }
    return 0;
}

int
ctl_table_show(const PGresult *res, int json)
{
    if (json) {
        return ctl_table_json(ctl_table_rows(res));
    }
    ctl_table_print(res, 1);
    return 0;
}
