/*
 * What the doctor finds of one-time codes: the keys that they are made and
 * checked with, and the secrets of the gateways in use.
 */

#include "ctl_doctor.h"
#include "secret.h"

#include <stdio.h>
#include <stdlib.h>

/* In use by a profile: as a step of it, or as its captcha. */
static const char gateways[] =
    "select g.name, s.file, s.lines"
    "  from leadq.gateway g"
    " cross join lateral (values (g.secret, 1), (g.sign, 4),"
    "            (g.receipts ->> 'verify_secret', 1)) s (file, lines)"
    " where s.file is not null"
    "   and (exists (select from leadq.profile_step t"
    "                 where t.gateway_id = g.gateway_id)"
    "        or exists (select from leadq.profile p"
    "                    where p.captcha_id = g.gateway_id))"
    " order by g.name, s.file";

static void
check_keys(doctor_t *doctor, const char *name, const leadq_keys_t *keys)
{
    if (keys == NULL) {
        doctor_say(doctor, DOCTOR_FAIL, name,
                   "name a key file in worker.conf: no code can be sent",
                   "%s is not configured, and verifications need it", name);
    }
}

static void
check_secrets(doctor_t *doctor)
{
    const char *dir = doctor->conf->secrets_dir, *file, *problem;
    char check[100];
    PGresult *res;
    secret_t secret;
    int row;

    res = doctor_ask(doctor, gateways);
    for (row = 0; res != NULL && row < PQntuples(res); row++) {
        file = PQgetvalue(res, row, 1);
        problem = secret_read(&secret, dir, file,
                              strtoul(PQgetvalue(res, row, 2), NULL, 10));
        secret_forget(&secret);
        (void)snprintf(check, sizeof(check), "secret %s", file);
        doctor_say(doctor, problem == NULL ? DOCTOR_OK : DOCTOR_FAIL, check,
                   "put it into the file of that name in secrets_dir",
                   "of gateway %s%s%s", PQgetvalue(res, row, 0),
                   problem == NULL ? "" : ": ",
                   problem == NULL ? "" : problem);
    }
    PQclear(res);
}

void
doctor_codes(doctor_t *doctor)
{
    PGresult *res;

    if (!doctor->connected || doctor->conf == NULL) {
        return;
    }
    res = doctor_ask(doctor, "select from leadq.profile limit 1");
    if (res != NULL && PQntuples(res) > 0) {
        check_keys(doctor, "code_keys", doctor->conf->code_keys);
        check_keys(doctor, "check_keys", doctor->conf->check_keys);
        check_secrets(doctor);
    }
    PQclear(res);
}
