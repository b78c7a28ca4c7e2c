/*
 * leadqctl config: the business document.
 *
 *     check    needs no database; says of texts with codes what they cost
 *     import   check, then one call of config_import() in one transaction;
 *              what it changed is the difference of two exports around it
 *     diff     the same without the commit
 *     export   config_export(), sorted; what import takes back
 */

#include "ctl_command.h"
#include "ctl_db.h"
#include "ctl_diff.h"
#include "ctl_document.h"
#include "ctl_error.h"
#include "ctl_texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many of each a document has, as it is written. */
static void
print_contents(const ctl_document_t *doc, const char *file, const char *what)
{
    const char *section, *between = ":";
    json_t *value;

    (void)printf("%s: %s", file, what);
    json_object_foreach(doc->json, section, value)
    {
        if (json_is_array(value)) {
            (void)printf("%s %zu %s", between, json_array_size(value),
                         section);
            between = ",";
        }
    }
    (void)putchar('\n');
}

ctl_exit_e
ctl_config_check(const ctl_options_t *options)
{
    ctl_document_t doc;
    int rc;

    rc = ctl_document_load(&doc, options->operand);
    if (rc == 0) {
        print_contents(&doc, options->operand, "good");
        ctl_texts_tell(&doc.check);
    }
    ctl_document_done(&doc);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}

/* --- import -------------------------------------------------------------- */

/* What only SQL can know comes as P0001 with "path: reason". */
static void
report_refusal(ctl_document_t *doc, const ctl_db_t *db, const PGresult *res)
{
    const char *state, *message, *colon;
    char *path;

    state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
    message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
    colon = message == NULL ? NULL : strstr(message, ": ");
    if (state == NULL || strcmp(state, "P0001") != 0 || colon == NULL) {
        ctl_db_report(db, res);
        return;
    }
    path = strndup(message, (size_t)(colon - message));
    if (path != NULL) {
        ctl_check_fail_path(&doc->check, path, 0, "%s", colon + 2);
        (void)ctl_check_report(&doc->check);
    }
    free(path);
}

static int
call_import(ctl_document_t *doc, ctl_db_t *db)
{
    const char *values[1];
    PGresult *res;
    char *text;
    int rc;

    text = json_dumps(doc->json, JSON_COMPACT);
    if (text == NULL) {
        return ctl_error("no memory");
    }
    values[0] = text;
    res = ctl_db_try(db, "select leadq.config_import($1::jsonb)", 1, values);
    free(text);
    rc = ctl_db_good(res) ? 0 : -1;
    if (rc == -1) {
        report_refusal(doc, db, res);
    }
    PQclear(res);
    return rc;
}

static void
print_line(void *data, const char *line)
{
    (void)data;
    (void)printf("%s\n", line);
}

static int
import(ctl_document_t *doc, ctl_db_t *db, const ctl_options_t *options,
       int keep)
{
    json_t *before, *after;
    size_t n;
    int rc;

    if (ctl_db_open(db, options) == -1 || ctl_db_begin(db, 1) == -1) {
        return -1;
    }
    before = ctl_document_in_force(db);
    after = NULL;
    rc = -1;
    if (before != NULL && call_import(doc, db) == 0) {
        after = ctl_document_in_force(db);
    }
    if (after != NULL && (!keep || ctl_db_commit(db) == 0)) {
        n = ctl_diff(before, after, print_line, NULL);
        print_contents(doc, options->operand,
                       n == 0 ? "in force, nothing changed"
                       : keep ? "in force"
                              : "good, not in force");
        rc = 0;
    } else {
        (void)ctl_error("nothing was imported");
    }
    json_decref(before);
    json_decref(after);
    return rc;
}

static ctl_exit_e
load_and_import(const ctl_options_t *options, int keep)
{
    ctl_document_t doc;
    ctl_db_t db;
    int rc;

    memset(&db, 0, sizeof(db));
    rc = ctl_document_load(&doc, options->operand);
    if (rc == 0) {
        rc = import(&doc, &db, options, keep);
    }
    ctl_db_close(&db);
    ctl_document_done(&doc);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}

ctl_exit_e
ctl_config_import(const ctl_options_t *options)
{
    return load_and_import(options, 1);
}

ctl_exit_e
ctl_config_diff(const ctl_options_t *options)
{
    return load_and_import(options, 0);
}

/* --- export -------------------------------------------------------------- */

static int export(ctl_db_t *db, const ctl_options_t *options)
{
    json_t *json;
    int rc;

    if (ctl_db_open(db, options) == -1 || ctl_db_begin(db, 1) == -1) {
        return -1;
    }
    json = ctl_document_in_force(db);
    if (json == NULL) {
        return -1;
    }
    rc = json_dumpf(json, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
    json_decref(json);
    if (rc == -1 || fputc('\n', stdout) == EOF || fflush(stdout) == EOF) {
        return ctl_error("cannot write the document");
    }
    return 0;
}

ctl_exit_e
ctl_config_export(const ctl_options_t *options)
{
    ctl_db_t db;
    int rc;

    memset(&db, 0, sizeof(db));
    rc = export(&db, options);
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}
