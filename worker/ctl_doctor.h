/*
 * leadqctl doctor: what its parts share.  Each looks at its things and says
 * one line about each.
 */

#ifndef LEADQ_CTL_DOCTOR_H
#define LEADQ_CTL_DOCTOR_H

#include "conf.h"
#include "ctl_db.h"

#include <jansson.h>

typedef enum { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL } doctor_e;

typedef struct {
    const ctl_options_t *options; /* borrowed */
    ctl_db_t db;                  /* open while connected is set */
    int connected;
    conf_t *conf; /* owned; NULL: none given, or not good */
    json_t *all;  /* owned; one object a line; NULL: print text */
    doctor_e worst;
} doctor_t;

/*
 * One line about a check; advice says what to do, and is printed unless all
 * is well.  Both may come from the database and are printed clean.
 */
void doctor_say(doctor_t *doctor, doctor_e verdict, const char *check,
                const char *advice, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/*
 * The rows of a statement, as the owner of the schema; NULL: it has failed,
 * which is printed.
 */
PGresult *doctor_ask(doctor_t *doctor, const char *sql)
    __attribute__((warn_unused_result));

/* ctl_doctor_db.c: through the operator's connection. */
void doctor_database(doctor_t *doctor);

/* ctl_doctor_codes.c: what one-time codes need of the worker's host. */
void doctor_codes(doctor_t *doctor);

/* ctl_doctor_host.c: the configuration, its files, disk. */
void doctor_host(doctor_t *doctor);

/* ctl_doctor_net.c: the relay, networks, gateways; sends nothing to any. */
void doctor_net(doctor_t *doctor);

#endif
