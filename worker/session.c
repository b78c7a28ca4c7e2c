#include "session.h"
#include "buf.h"
#include "log.h"

#include <stdlib.h>
#include <string.h>

#define COMPLAIN_MS 10000 /* the same refusal is logged no more often */

/* "@" stands for the schema. */
static const struct {
    const char *name;
    int values;
    const char *text;
} statements[SQL_COUNT] = {
    {"worker_api", 0, "select @.worker_api()"},
    {"listen", 0, "listen @_ready"},
    {"run_rules", 1, "select @.run_rules($1)"},
    {"promote_jobs", 1, "select moved, next_ms from @.promote_jobs($1)"},
    {"maintain", 0, "select @.maintain()"},
    {"queue_figures", 0, "select figure, lane, value from @.queue_figures()"},
    {"code_figures", 0,
     "select figure, label1, label2, label3, label4, value"
     " from @.code_figures()"},
    {"vacuum_held", 0, "select held_s, holder from @.vacuum_held()"},
    {"arm_codes", 6,
     "select job_id, armed from @.arm_codes($1, $2, $3, $4, $5, $6)"},
    {"claim_jobs", 6,
     "select job_id, token, kind, target, attempt, payload"
     " from @.claim_jobs($1, '{realtime,service,bulk}', $2, $3, $4,"
     " $5, $6)"},
    {"settle_jobs", 4,
     "select job_id, settled, state, next_s"
     " from @.settle_jobs($1, $2, $3, $4)"},
    {"release_jobs", 3, "select @.release_jobs($1, $2, $3)"},
    {"extend_jobs", 3,
     "select job_id, extended from @.extend_jobs($1, $2, $3)"},
    {"lease_mailbox", 2, "select @.lease_mailbox($1, $2)"},
    {"take_reports", 1, "select @.take_reports($1)"},
};

typedef struct {
    session_t *session; /* borrowed: of the answer's way back */
    char *text;         /* owned */
    pg_answer_pt fn;
    int wanted;
    int under_way;
    uint64_t complained_ms;
} statement_t;

struct session_s {
    uv_loop_t *loop; /* borrowed */
    pg_t *pg;        /* owned */
    statement_t statements[SQL_COUNT];
    session_events_t events;
    void *data; /* borrowed */
    int listen;
    int ready;
};

/* Logs that SQL refused a statement, but not again and again. */
static void
complain(statement_t *statement, const char *sqlstate)
{
    const session_t *session = statement->session;
    uint64_t now_ms = uv_now(session->loop);

    if (statement->complained_ms == 0
        || now_ms - statement->complained_ms >= COMPLAIN_MS)
    {
        statement->complained_ms = now_ms;
        log_error("session refuse statement=%s sqlstate=%s",
                  statements[statement - session->statements].name, sqlstate);
    }
}

static void
on_answer(void *data, const pg_answer_t *answer)
{
    statement_t *statement = data;

    statement->under_way = 0;
    if (answer->end == PG_REFUSED) {
        if (pg_advice(answer->sqlstate) == PG_AGAIN) {
            statement->wanted = 1;
        } else {
            complain(statement, answer->sqlstate);
        }
    }
    statement->fn(statement->session->data, answer);
}

static int
post(session_t *session, sql_e sql, const char *const *values, pg_answer_pt fn,
     pg_answer_pt on_end)
{
    statement_t *statement = &session->statements[sql];

    if (pg_query(session->pg, statement->text, statements[sql].values, values,
                 on_end, statement)
        != 0)
    {
        return -1;
    }
    statement->fn = fn;
    statement->under_way = 1;
    statement->wanted = 0;
    return 0;
}

int
session_send(session_t *session, sql_e sql, const char *const *values,
             pg_answer_pt fn)
{
    return post(session, sql, values, fn, on_answer);
}

/* Is the schema one that we speak with? */
static void
on_api(void *data, const pg_answer_t *answer)
{
    statement_t *statement = data;
    session_t *session = statement->session;
    long api;

    statement->under_way = 0;
    if (answer->end == PG_LOST) {
        return;
    }
    if (answer->end == PG_REFUSED) {
        complain(statement, answer->sqlstate);
        pg_refuse(session->pg);
        return;
    }
    api = session_number(answer, 0, 0);
    if (api != SESSION_API) {
        log_error("session refuse api=%ld want=%d", api, SESSION_API);
        pg_refuse(session->pg);
        return;
    }
    session->ready = 1;
    session->events.on_ready(session->data);
}

static void
on_listening(void *data, const pg_answer_t *answer)
{
    statement_t *statement = data;

    statement->under_way = 0;
    if (answer->end == PG_REFUSED) {
        complain(statement, answer->sqlstate); /* the poll timer remains */
    }
}

static void
on_up(void *data)
{
    session_t *session = data;

    if (post(session, SQL_API, NULL, NULL, on_api) == 0 && session->listen) {
        (void)post(session, SQL_LISTEN, NULL, NULL, on_listening);
    }
}

static void
on_down(void *data)
{
    session_t *session = data;

    session->ready = 0;
}

static void
on_notify(void *data)
{
    session_t *session = data;

    session->events.on_notify(session->data);
}

int
session_is_ready(const session_t *session)
{
    return session->ready;
}

void
session_want(session_t *session, sql_e sql)
{
    session->statements[sql].wanted = 1;
}

int
session_may(const session_t *session, sql_e sql)
{
    const statement_t *statement = &session->statements[sql];

    return session->ready && statement->wanted && !statement->under_way;
}

int
session_is_under_way(const session_t *session, sql_e sql)
{
    return session->statements[sql].under_way;
}

long
session_number(const pg_answer_t *answer, int row, int column)
{
    return strtol(PQgetvalue(answer->rows, row, column), NULL, 10);
}

/* The statement with the schema's name for every "@". */
static char *
with_schema(const char *text, const char *schema)
{
    buf_t sql;

    buf_init(&sql, 1024);
    for (; *text != '\0'; text++) {
        if (*text == '@') {
            buf_add_str(&sql, schema);
        } else {
            buf_add_char(&sql, *text);
        }
    }
    return buf_take(&sql);
}

session_t *
session_new(uv_loop_t *loop, const char *name, const conf_t *conf, int listen,
            const session_events_t *events, void *data)
{
    static const pg_events_t pg_events = {on_up, on_down, on_notify};
    statement_t *statement;
    session_t *session;
    size_t i;

    session = calloc(1, sizeof(*session));
    if (session == NULL) {
        return NULL;
    }
    session->loop = loop;
    session->events = *events;
    session->data = data;
    session->listen = listen;
    for (i = 0; i < SQL_COUNT; i++) {
        statement = &session->statements[i];
        statement->session = session;
        statement->text = with_schema(statements[i].text, conf->schema);
        if (statement->text == NULL) {
            session_free(session);
            return NULL;
        }
    }
    session->pg = pg_new(loop, name, conf->database, conf->connect_timeout_ms,
                         &pg_events, session);
    if (session->pg == NULL) {
        session_free(session);
        return NULL;
    }
    return session;
}

void
session_free(session_t *session)
{
    size_t i;

    if (session != NULL) {
        pg_free(session->pg);
        for (i = 0; i < SQL_COUNT; i++) {
            free(session->statements[i].text);
        }
        free(session);
    }
}
