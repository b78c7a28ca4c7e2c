/*
 * leadqctl doctor: looks at all that leadq needs, changes nothing, sends
 * nothing, and says what to do.
 */

#include "ctl_doctor.h"
#include "ctl_command.h"
#include "ctl_error.h"
#include "ctl_table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const verdicts[] = {"ok", "warn", "fail"};

/* What others wrote does not write to the operator's terminal. */
static void
clean(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == '\177') {
            *text = text[1] == '\0' ? '\0' : ' ';
        }
    }
}

void
doctor_say(doctor_t *doctor, doctor_e verdict, const char *check,
           const char *advice, const char *fmt, ...)
{
    char text[500];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    clean(text);
    if (verdict > doctor->worst) {
        doctor->worst = verdict;
    }
    if (verdict == DOCTOR_OK) {
        advice = NULL;
    }
    if (doctor->all != NULL) {
        (void)json_array_append_new(
            doctor->all,
            json_pack("{ss,ss,ss,ss*}", "check", check, "verdict",
                      verdicts[verdict], "detail", text, "advice", advice));
        return;
    }
    (void)printf("%-4s  %-22s  %s%s%s\n", verdicts[verdict], check, text,
                 advice == NULL ? "" : "; ", advice == NULL ? "" : advice);
}

PGresult *
doctor_ask(doctor_t *doctor, const char *sql)
{
    PGresult *res;

    res = ctl_db_begin(&doctor->db, 1) == -1
              ? NULL
              : ctl_db_query(&doctor->db, sql, 0, NULL);
    PQclear(ctl_db_try(&doctor->db, "rollback", 0, NULL));
    return res;
}

ctl_exit_e
ctl_doctor(const ctl_options_t *options)
{
    doctor_t doctor;
    int rc;

    memset(&doctor, 0, sizeof(doctor));
    doctor.options = options;
    if (options->json) {
        doctor.all = json_array();
        if (doctor.all == NULL) {
            (void)ctl_error("no memory");
            return CTL_FAILED;
        }
    }
    doctor_host(&doctor);
    doctor_database(&doctor);
    doctor_codes(&doctor);
    doctor_net(&doctor);
    if (doctor.connected) {
        ctl_db_close(&doctor.db);
    }
    conf_free(doctor.conf);
    rc = options->json ? ctl_table_json(doctor.all) : 0;
    return rc == 0 && doctor.worst != DOCTOR_FAIL ? CTL_OK : CTL_FAILED;
}
