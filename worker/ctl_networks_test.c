/*
 * leadqctl networks test: the request that a network would get.
 */

#include "ctl_command.h"
#include "ctl_db.h"
#include "ctl_error.h"
#include "ctl_fire.h"

#include <jansson.h>
#include <string.h>

static const char *const statuses[] = {"processed", "approved", "rejected",
                                       "hold"};

static json_t *
get_payload(ctl_db_t *db, const ctl_options_t *options)
{
    const char *const values[] = {options->operand, options->status,
                                  options->click_id};
    json_t *payload = NULL;
    PGresult *res;

    if (ctl_db_open(db, options) == -1 || ctl_db_begin(db, 1) == -1) {
        return NULL;
    }
    res = ctl_db_query(db,
                       "select leadq.network_sample($1, jsonb_build_object("
                       "'status', $2::text, 'click_id', $3::text))",
                       3, values);
    if (res == NULL) {
        return NULL;
    }
    if (PQgetisnull(res, 0, 0)) {
        (void)ctl_error("there is no network \"%s\"", options->operand);
    } else {
        payload = json_loads(PQgetvalue(res, 0, 0), 0, NULL);
        if (payload == NULL) {
            (void)ctl_error("network_sample() returned no JSON");
        }
    }
    PQclear(res);
    return payload;
}

ctl_exit_e
ctl_networks_test(const ctl_options_t *options)
{
    const ctl_fire_t fire = {.what = "network"};
    json_t *payload;
    ctl_db_t db;
    size_t i, n;
    int rc = -1;

    n = sizeof(statuses) / sizeof(statuses[0]);
    for (i = 0; options->status != NULL && i < n; i++) {
        if (strcmp(statuses[i], options->status) == 0) {
            break;
        }
    }
    if (i == n) {
        (void)ctl_error("--status \"%s\" is not processed, approved, rejected "
                        "or hold",
                        options->status);
        return CTL_USAGE;
    }
    memset(&db, 0, sizeof(db));
    payload = get_payload(&db, options);
    if (payload != NULL) {
        rc = ctl_fire(payload, &fire, options);
    }
    json_decref(payload);
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}
