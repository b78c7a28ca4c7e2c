/*
 * Lines that an import refuses: counted by reason, the first ones told, and
 * all of them kept in a file that can be mended and imported in its turn.
 */

#include "ctl_error.h"
#include "ctl_import.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MAX_SHOWN 20

/* --- the file ------------------------------------------------------------ */

static void
write_fields(FILE *file, const records_t *record)
{
    size_t i;

    for (i = 0; i < record->n; i++) {
        (void)fputc(',', file);
        (void)csv_fwrite(file, record->fields[i].data, record->fields[i].len);
    }
    (void)fputc('\n', file);
}

static int
open_file(ctl_import_report_t *report, const char *path,
          const records_t *header, int again)
{
    const int flags = O_WRONLY | O_CREAT | O_CLOEXEC;
    int fd;

    /* It holds what people have written: nobody else reads it. */
    fd = open(path, flags | (again ? O_APPEND : O_EXCL), 0600);
    if (fd == -1) {
        return ctl_error("%s: %s", path,
                         errno == EEXIST ? "is there already: name another"
                                         : strerror(errno));
    }
    report->file = fdopen(fd, again ? "a" : "w");
    if (report->file == NULL) {
        (void)close(fd);
        return ctl_error("no memory");
    }
    if (!again) {
        (void)fputs("line,reasons", report->file);
        write_fields(report->file, header);
    }
    return 0;
}

int
ctl_import_report_init(ctl_import_report_t *report,
                       const ctl_options_t *options, const records_t *header,
                       int again)
{
    memset(report, 0, sizeof(*report));
    report->path = options->operand;
    report->counts = json_object();
    if (report->counts == NULL) {
        return ctl_error("no memory");
    }
    return options->report == NULL
               ? 0
               : open_file(report, options->report, header, again);
}

int
ctl_import_report_flush(ctl_import_report_t *report)
{
    if (report->file != NULL
        && (fflush(report->file) == EOF || ferror(report->file)))
    {
        return ctl_error("the report cannot be written: %s", strerror(errno));
    }
    return 0;
}

void
ctl_import_report_done(ctl_import_report_t *report)
{
    if (report->file != NULL) {
        (void)fclose(report->file);
        report->file = NULL;
    }
    json_decref(report->counts);
    report->counts = NULL;
}

/* --- one line ------------------------------------------------------------ */

/* One reason: counted, and told if there were few before. */
static int
add_reason(ctl_import_report_t *report, const records_t *record,
           const char *field, const char *code, const char *detail)
{
    char name[LEADQ_NAME_MAX * 2];
    json_t *count;

    (void)snprintf(name, sizeof(name), "%s %s", field, code);
    count = json_object_get(report->counts, name);
    if (report->shown) {
        (void)fprintf(stderr, "%s:%llu: %s %s\n", report->path,
                      (unsigned long long)record->line, field, detail);
    }
    return json_object_set_new(report->counts, name,
                               json_integer(json_integer_value(count) + 1));
}

static int
is_newline(char ch)
{
    return ch == '\r' || ch == '\n';
}

static void
write_line(FILE *file, const records_t *record, const char *reasons)
{
    size_t len;

    (void)fprintf(file, "%llu,", (unsigned long long)record->line);
    (void)csv_fwrite(file, reasons, strlen(reasons));
    if (record->n > 0) {
        write_fields(file, record);
        return;
    }
    for (len = record->raw.len;
         len > 0 && is_newline(record->raw.data[len - 1]); len--)
    {
    }
    (void)fputc(',', file);
    (void)csv_fwrite(file, record->raw.data, len);
    (void)fputc('\n', file);
}

int
ctl_import_report_add(ctl_import_report_t *report, const records_t *record,
                      const leadq_errors_t *errors)
{
    const leadq_error_t *error;
    size_t i;
    buf_t reasons;
    int rc;

    report->shown = report->lines < MAX_SHOWN;
    if (report->lines++ == MAX_SHOWN) {
        (void)fprintf(stderr, "%s: more lines are refused%s\n", report->path,
                      report->file == NULL ? "; --report FILE keeps them all"
                                           : "");
    }
    if (record->n == 0) {
        if (report->file != NULL) {
            write_line(report->file, record, record->code);
        }
        return add_reason(report, record, "line", record->code,
                          record->detail);
    }
    buf_init(&reasons, LEADQ_ERRORS_MAX * LEADQ_NAME_MAX * 2);
    rc = 0;
    for (i = 0; i < errors->n && rc == 0; i++) {
        error = &errors->error[i];
        buf_addf(&reasons, "%s%s %s", i == 0 ? "" : "; ", error->field.data,
                 leadq_code_name(error->code));
        rc = add_reason(report, record, error->field.data,
                        leadq_code_name(error->code),
                        leadq_code_detail(error->code));
    }
    if (report->file != NULL) {
        write_line(report->file, record, buf_str(&reasons));
    }
    buf_done(&reasons);
    return rc;
}
