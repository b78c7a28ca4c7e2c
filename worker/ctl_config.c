/*
 * leadqctl config: the business document.
 *
 *     check    needs no database
 *     import   check, then one call of config_import() in one transaction
 *     export   config_export(), sorted; what import takes back
 */

#include "ctl_command.h"
#include "ctl_db.h"
#include "ctl_document.h"
#include "ctl_error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t
count(const ctl_document_t *doc, const char *section)
{
    return json_array_size(json_object_get(doc->json, section));
}

static void
print_contents(const ctl_document_t *doc, const char *file, const char *what)
{
    (void)printf("%s: %s: %zu templates, %zu series, %zu networks, "
                 "%zu sources\n",
                 file, what, count(doc, "templates"), count(doc, "series"),
                 count(doc, "networks"), count(doc, "sources"));
}

ctl_exit_e
ctl_config_check(const ctl_options_t *options)
{
    ctl_document_t doc;
    int rc;

    rc = ctl_document_load(&doc, options->operand);
    if (rc == 0) {
        print_contents(&doc, options->operand, "good");
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

static PGresult *
call_import(ctl_document_t *doc, ctl_db_t *db)
{
    const char *values[1];
    PGresult *res;
    char *text;

    text = json_dumps(doc->json, JSON_COMPACT);
    if (text == NULL) {
        (void)ctl_error("no memory");
        return NULL;
    }
    values[0] = text;
    res = ctl_db_try(db, "select leadq.config_import($1::jsonb)", 1, values);
    free(text);
    if (!ctl_db_good(res)) {
        report_refusal(doc, db, res);
        PQclear(res);
        return NULL;
    }
    return res;
}

static int
import(ctl_document_t *doc, ctl_db_t *db, const ctl_options_t *options)
{
    PGresult *res;
    int i, n;

    if (ctl_db_open(db, options) == -1 || ctl_db_begin(db, 1) == -1) {
        return -1;
    }
    res = call_import(doc, db);
    if (res == NULL || ctl_db_commit(db) == -1) {
        PQclear(res);
        return ctl_error("nothing was imported");
    }
    n = PQntuples(res);
    for (i = 0; i < n; i++) {
        (void)printf("%s\n", PQgetvalue(res, i, 0));
    }
    PQclear(res);
    print_contents(doc, options->operand,
                   n == 0 ? "in force, nothing changed" : "in force");
    return 0;
}

ctl_exit_e
ctl_config_import(const ctl_options_t *options)
{
    ctl_document_t doc;
    ctl_db_t db;
    int rc;

    memset(&db, 0, sizeof(db));
    rc = ctl_document_load(&doc, options->operand);
    if (rc == 0) {
        rc = import(&doc, &db, options);
    }
    ctl_db_close(&db);
    ctl_document_done(&doc);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}

/* --- export -------------------------------------------------------------- */

static int
print_json(const char *text)
{
    json_t *json;
    int rc;

    json = json_loads(text, JSON_DECODE_ANY, NULL);
    if (json == NULL) {
        return ctl_error("config_export() returned no JSON");
    }
    rc = json_dumpf(json, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
    json_decref(json);
    if (rc == -1 || fputc('\n', stdout) == EOF || fflush(stdout) == EOF) {
        return ctl_error("cannot write the document");
    }
    return 0;
}

static int export(ctl_db_t *db, const ctl_options_t *options)
{
    PGresult *res;
    int rc;

    if (ctl_db_open(db, options) == -1 || ctl_db_begin(db, 1) == -1) {
        return -1;
    }
    res = ctl_db_query(db, "select leadq.config_export()", 0, NULL);
    if (res == NULL) {
        return -1;
    }
    rc = PQntuples(res) == 1 ? print_json(PQgetvalue(res, 0, 0)) : -1;
    PQclear(res);
    return rc;
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
