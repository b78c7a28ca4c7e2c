/*
 * leadqctl contact: what a person may ask of those who keep his data, and
 * what the operator does for him.  Each command is one transaction, as the
 * owner.
 */

#include "ctl_command.h"
#include "ctl_db.h"
#include "ctl_error.h"

#include "leadq_types.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* An address as the operator types it, and as the base knows it. */
typedef struct {
    const char *channel; /* "email", "phone" */
    char value[LEADQ_VALUE_MAX + 1];
} address_t;

static int
read_address(const char *text, address_t *address)
{
    static leadq_value_t value;
    leadq_rule_t rule;
    leadq_code_e code;

    memset(&rule, 0, sizeof(rule));
    rule.type =
        strchr(text, '@') != NULL ? LEADQ_TYPE_EMAIL : LEADQ_TYPE_PHONE;
    address->channel = leadq_types[rule.type].name;
    code = leadq_type_check(&rule, text, strlen(text), 0, &value);
    if (code == LEADQ_OK && value.len == 0) {
        code = LEADQ_REQUIRED;
    }
    if (code != LEADQ_OK) {
        return ctl_error("\"%s\" is no address: %s %s", text, address->channel,
                         leadq_code_detail(code));
    }
    memcpy(address->value, value.data, value.len);
    address->value[value.len] = '\0';
    return 0;
}

static int
print_json(const char *text)
{
    json_t *json;
    int rc;

    json = json_loads(text, 0, NULL);
    rc = json == NULL
                 || json_dumpf(json, stdout, JSON_INDENT(2) | JSON_SORT_KEYS)
                        == -1
                 || fputc('\n', stdout) == EOF || fflush(stdout) == EOF
             ? ctl_error("cannot write the answer")
             : 0;
    json_decref(json);
    return rc;
}

/* One call; what it answers is printed.  No row, or null: nobody. */
static int
answer(ctl_db_t *db, const PGresult *res, const char *asked)
{
    if (PQntuples(res) == 0 || PQgetisnull(res, 0, 0)) {
        return ctl_error("nobody has the address \"%s\"", asked);
    }
    if (print_json(PQgetvalue(res, 0, 0)) == -1) {
        return -1;
    }
    return ctl_db_commit(db);
}

static ctl_exit_e
call(const ctl_options_t *options, const char *sql, int n,
     const char *const *values)
{
    ctl_db_t db = {0};
    PGresult *res;
    int rc;

    rc = -1;
    if (ctl_db_open(&db, options) == 0 && ctl_db_begin(&db, 1) == 0) {
        res = ctl_db_query(&db, sql, n, values);
        rc = res == NULL ? -1 : answer(&db, res, options->operands[0]);
        PQclear(res);
    }
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}

/* So many addresses are named, no more. */
static int
read_operands(const ctl_options_t *options, const char *command,
              address_t *addresses, int n)
{
    int i;

    for (i = 0; options->operands[i] != NULL; i++) {
    }
    if (i != n) {
        return ctl_error("contact %s needs %s", command,
                         n == 1 ? "one ADDRESS" : "two, ADDRESS and ADDRESS");
    }
    for (i = 0; i < n; i++) {
        if (read_address(options->operands[i], &addresses[i]) == -1) {
            return -1;
        }
    }
    return 0;
}

ctl_exit_e
ctl_contact_export(const ctl_options_t *options)
{
    static address_t a;
    const char *values[2];

    if (read_operands(options, "export", &a, 1) == -1) {
        return CTL_USAGE;
    }
    values[0] = a.channel;
    values[1] = a.value;
    return call(options, "select leadq.contact_export($1, $2)", 2, values);
}

ctl_exit_e
ctl_contact_erase(const ctl_options_t *options)
{
    static address_t a;
    const char *values[2];

    if (read_operands(options, "erase", &a, 1) == -1) {
        return CTL_USAGE;
    }
    if (!options->yes) {
        (void)ctl_error("what is erased does not come back; say --yes");
        return CTL_USAGE;
    }
    values[0] = a.channel;
    values[1] = a.value;
    return call(options, "select leadq.contact_erase($1, $2)", 2, values);
}

ctl_exit_e
ctl_contact_withdraw(const ctl_options_t *options)
{
    static address_t a;
    const char *values[3];
    const char *purpose;

    if (read_operands(options, "withdraw", &a, 1) == -1) {
        return CTL_USAGE;
    }
    purpose = options->purpose == NULL ? "ads" : options->purpose;
    if (strcmp(purpose, "ads") != 0 && strcmp(purpose, "pd_processing") != 0) {
        (void)ctl_error("--purpose \"%s\" is not one of ads, pd_processing",
                        purpose);
        return CTL_USAGE;
    }
    values[0] = a.channel;
    values[1] = a.value;
    values[2] = purpose;
    return call(options, "select leadq.contact_withdraw($1, $2, $3)", 3,
                values);
}

ctl_exit_e
ctl_contact_merge(const ctl_options_t *options)
{
    static address_t both[2];
    const char *values[4];

    if (read_operands(options, "merge", both, 2) == -1) {
        return CTL_USAGE;
    }
    if (!options->yes) {
        (void)ctl_error("whose leads and letters were whose is not told "
                        "apart again; say --yes");
        return CTL_USAGE;
    }
    values[0] = both[0].channel;
    values[1] = both[0].value;
    values[2] = both[1].channel;
    values[3] = both[1].value;
    return call(options, "select leadq.contact_merge($1, $2, $3, $4)", 4,
                values);
}
