#include "ctl_document.h"

#include "ctl_error.h"
#include "ctl_file.h"
#include "ctl_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DOCUMENT (8 * 1024 * 1024)

void
ctl_document_done(ctl_document_t *doc)
{
    ctl_check_done(&doc->check);
    json_decref(doc->json);
    free(doc->text);
}

int
ctl_document_load(ctl_document_t *doc, const char *file)
{
    json_error_t error;
    fault_t fault;
    size_t n;

    memset(doc, 0, sizeof(*doc));
    doc->text = ctl_file_read(file, MAX_DOCUMENT, &fault);
    if (doc->text == NULL) {
        return ctl_error("%s: %s", file, fault.text);
    }
    doc->json = json_loads(doc->text, 0, &error);
    if (doc->json == NULL) {
        (void)fprintf(stderr, "%s:%d: not JSON: %s\n", file, error.line,
                      error.text);
        return -1;
    }
    if (ctl_check_init(&doc->check, file, doc->text, doc->json) == -1) {
        return -1;
    }
    ctl_rules_check(&doc->check);
    n = ctl_check_report(&doc->check);
    if (n > 0) {
        return ctl_error("%s has %zu mistake%s", file, n, n == 1 ? "" : "s");
    }
    return 0;
}

json_t *
ctl_document_in_force(ctl_db_t *db)
{
    PGresult *res;
    json_t *json;

    res = ctl_db_query(db, "select leadq.config_export()", 0, NULL);
    if (res == NULL) {
        return NULL;
    }
    json = PQntuples(res) == 1 ? json_loads(PQgetvalue(res, 0, 0), 0, NULL)
                               : NULL;
    PQclear(res);
    if (json == NULL) {
        (void)ctl_error("config_export() returned no JSON");
    }
    return json;
}
