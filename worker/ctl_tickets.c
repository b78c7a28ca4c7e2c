/*
 * leadqctl tickets list, show, add, assign, answer: trouble at the desks, for
 * a manager without the page.
 */

#include "ctl_command.h"
#include "ctl_db.h"
#include "ctl_error.h"
#include "ctl_number.h"
#include "ctl_table.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX 1000 /* characters, as on the page; here of UTF-8 */

#define LISTED                                                              \
    "select number, reported, state, advisor, point, assignee, text, page," \
    " browser, requests, answer, answered, seen"                            \
    " from leadq.ticket_list($1::bigint, $2::integer)"

static const char list_people[] =
    "select number, to_char(reported, 'YYYY-MM-DD HH24:MI') as reported,"
    " state, advisor, coalesce(point, '') as point,"
    " coalesce(assignee, '') as assignee,"
    " case when length(text) > 40 then left(text, 39) || '…' else text end"
    " as text from leadq.ticket_list($1::bigint, $2::integer)";

/* Each value that there is on a line of its own. */
static const char show_people[] =
    "select v.name, v.value"
    "  from leadq.ticket_list($1::bigint, $2::integer) t"
    " cross join lateral (values"
    "       ('number', t.number::text),"
    "       ('reported', to_char(t.reported, 'YYYY-MM-DD HH24:MI:SS')),"
    "       ('state', t.state), ('advisor', t.advisor), ('point', t.point),"
    "       ('page', t.page), ('browser', t.browser), ('text', t.text),"
    "       ('requests', nullif(array_to_string(t.requests, ' '), '')),"
    "       ('assignee', t.assignee), ('answer', t.answer),"
    "       ('answered', to_char(t.answered, 'YYYY-MM-DD HH24:MI:SS')),"
    "       ('seen', to_char(t.seen, 'YYYY-MM-DD HH24:MI:SS')))"
    "       v (name, value)"
    " where v.value is not null";

static int
is_number(const char *text)
{
    if (!ctl_number_ok(text)) {
        (void)ctl_error("\"%s\" is not the number of a ticket", text);
        return 0;
    }
    return 1;
}

static int
is_text(const char *text)
{
    size_t len;

    for (len = 0; *text != '\0'; text++) {
        len += ((unsigned char)*text & 0xc0) != 0x80;
    }
    if (len < 1 || len > TEXT_MAX) {
        (void)ctl_error("TEXT has %zu characters, not 1..%d", len, TEXT_MAX);
        return 0;
    }
    return 1;
}

/* --- list, show ---------------------------------------------------------- */

/* Of the ticket of a number, or of all with NULL. */
static int
print(ctl_db_t *db, const ctl_options_t *options, const char *number,
      const char *limit)
{
    const char *const values[] = {number, limit};
    const char *sql;
    PGresult *res;
    int rc = 0;

    sql = number == NULL ? list_people : show_people;
    if (ctl_db_open(db, options) == -1 || ctl_db_begin(db, 1) == -1) {
        return -1;
    }
    res = ctl_db_query(db, options->json ? LISTED : sql, 2, values);
    if (res == NULL) {
        return -1;
    }
    if (number != NULL && PQntuples(res) == 0) {
        rc = ctl_error("there is no ticket %s", number);
    } else if (options->json) {
        rc = ctl_table_json(number == NULL ? ctl_table_rows(res)
                                           : ctl_table_row(res, 0));
    } else {
        ctl_table_print(res, number == NULL);
    }
    PQclear(res);
    return rc;
}

ctl_exit_e
ctl_tickets_list(const ctl_options_t *options)
{
    const char *limit = ctl_number_limit(options);
    ctl_db_t db = {0};
    int rc;

    if (limit == NULL) {
        return CTL_USAGE;
    }
    rc = print(&db, options, NULL, limit);
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}

ctl_exit_e
ctl_tickets_show(const ctl_options_t *options)
{
    ctl_db_t db = {0};
    int rc;

    if (!is_number(options->operand)) {
        return CTL_USAGE;
    }
    rc = print(&db, options, options->operand, "1");
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}

/* --- add, assign, answer ------------------------------------------------- */

/* One call, and what it is to print: "ticket 12: taken on by olga". */
static ctl_exit_e
change(const ctl_options_t *options, const char *sql)
{
    const char *const values[] = {options->operand, options->second};
    ctl_db_t db = {0};
    PGresult *res = NULL;
    int rc = -1;

    if (ctl_db_open(&db, options) == 0 && ctl_db_begin(&db, 1) == 0) {
        res = ctl_db_query(&db, sql, 2, values);
    }
    if (res != NULL && ctl_db_commit(&db) == 0) {
        ctl_table_print(res, 0);
        rc = 0;
    }
    PQclear(res);
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}

ctl_exit_e
ctl_tickets_add(const ctl_options_t *options)
{
    if (!is_text(options->second)) {
        return CTL_USAGE;
    }
    return change(options,
                  "select 'ticket ' || leadq.ticket_add($1, $2) || ': open'");
}

ctl_exit_e
ctl_tickets_assign(const ctl_options_t *options)
{
    if (!is_number(options->operand)) {
        return CTL_USAGE;
    }
    return change(options, "select 'ticket ' || $1 || ': assigned to ' || $2"
                           "  from leadq.ticket_assign($1::bigint, $2)");
}

ctl_exit_e
ctl_tickets_answer(const ctl_options_t *options)
{
    if (!is_number(options->operand) || !is_text(options->second)) {
        return CTL_USAGE;
    }
    return change(options, "select 'ticket ' || $1 || ': answered'"
                           "  from leadq.ticket_answer($1::bigint, $2)");
}
