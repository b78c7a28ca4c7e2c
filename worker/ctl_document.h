/*
 * The business document as a file: read, checked, its texts in place.
 */

#ifndef LEADQ_CTL_DOCUMENT_H
#define LEADQ_CTL_DOCUMENT_H

#include "ctl_check.h"
#include "ctl_db.h"

#include <jansson.h>

typedef struct {
    char *text; /* owned, as the next one */
    json_t *json;
    ctl_check_t check; /* done with the document */
} ctl_document_t;

/*
 * Reads a document and prints all that is wrong with it; -1 if anything is.
 * Done with ctl_document_done() in either case.
 */
int ctl_document_load(ctl_document_t *doc, const char *file)
    __attribute__((warn_unused_result));
void ctl_document_done(ctl_document_t *doc);

/*
 * The document in force, owned by the caller, or NULL after saying why not.
 * Within a transaction, as the owner.
 */
json_t *ctl_document_in_force(ctl_db_t *db)
    __attribute__((warn_unused_result));

#endif
