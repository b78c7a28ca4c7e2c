/*
 * Owns a connection of its own, so that a long rule or upkeep never holds up
 * a settling, and the timers of the next look and the next upkeep.
 *
 *     hint ─> run_rules ─(all of the limit)─> run_rules
 *                │ fewer
 *                v
 *             promote_jobs ─(something moved)─> run_rules
 *                │ nothing
 *                v
 *             wait: notification · next one due · poll
 */

#include "chores.h"
#include "log.h"
#include "session.h"

#include <stdio.h>
#include <stdlib.h>

#define RULES_LIMIT 500
#define PROMOTE_LIMIT 1000
#define MAINTAIN_MS (10 * 60 * 1000)
#define LOOK_MIN_MS 10
#define FIGURES_MS 10000
#define CODES_TURNS 6 /* code_figures once in so many of them */
#define FIGURES_STALE_MS (6 * FIGURES_MS)
#define CODES_STALE_MS (6 * CODES_TURNS * FIGURES_MS)

#define STRING(x) #x
#define DIGITS(x) STRING(x)

/* What a function of figures said. */
typedef struct {
    chores_figure_t *rows; /* owned */
    size_t n;
    uint64_t at_ms; /* in the loop's time */
} figures_t;

struct chores_s {
    const conf_t *conf; /* borrowed */
    session_t *session; /* owned */
    uv_timer_t look;
    uv_timer_t upkeep;
    uv_timer_t ask; /* the next queue_figures */
    unsigned asked; /* how often */
    int open;       /* handles that libuv has still to close */
    figures_t figures[CHORES_KINDS];
    uv_loop_t *loop; /* borrowed */
    chores_hint_pt on_hint;
    void *data; /* borrowed */
};

static void on_look(uv_timer_t *timer);

static void
look_in(chores_t *chores, long ms)
{
    if (ms > chores->conf->poll_ms) {
        ms = chores->conf->poll_ms;
    }
    (void)uv_timer_start(&chores->look, on_look,
                         (uint64_t)(ms < LOOK_MIN_MS ? LOOK_MIN_MS : ms), 0);
}

static void
on_hint(void *data)
{
    chores_t *chores = data;

    session_want(chores->session, SQL_RULES);
    chores->on_hint(chores->data);
}

static void
on_look(uv_timer_t *timer)
{
    chores_t *chores = timer->data;

    on_hint(chores);
    look_in(chores, chores->conf->poll_ms);
}

static void
on_upkeep(uv_timer_t *timer)
{
    chores_t *chores = timer->data;

    session_want(chores->session, SQL_MAINTAIN);
    session_want(chores->session, SQL_HELD);
}

static void
on_rules(void *data, const pg_answer_t *answer)
{
    chores_t *chores = data;
    long n;

    if (answer->end != PG_ROWS) {
        return;
    }
    n = session_number(answer, 0, 0);
    if (n > 0) {
        log_debug("chores rules n=%ld", n);
        chores->on_hint(chores->data);
    }
    session_want(chores->session, n < RULES_LIMIT ? SQL_PROMOTE : SQL_RULES);
}

static void
on_promoted(void *data, const pg_answer_t *answer)
{
    chores_t *chores = data;
    long moved;

    if (answer->end != PG_ROWS) {
        return;
    }
    moved = session_number(answer, 0, 0);
    if (moved > 0) {
        log_debug("chores promote n=%ld", moved);
        on_hint(chores); /* rules may be among them */
    }
    if (!PQgetisnull(answer->rows, 0, 1)) {
        look_in(chores, session_number(answer, 0, 1));
    }
}

static void
on_maintained(void *data, const pg_answer_t *answer)
{
    char text[LOG_TEXT_SIZE];

    (void)data;
    if (answer->end == PG_ROWS) {
        log_info("chores maintain summary=%s",
                 log_text(text, PQgetvalue(answer->rows, 0, 0)));
    }
}

static void
on_ask(uv_timer_t *timer)
{
    chores_t *chores = timer->data;

    session_want(chores->session, SQL_FIGURES);
    if (chores->asked++ % CODES_TURNS == 0) {
        session_want(chores->session, SQL_CODES);
    }
}

/* Rows of a name, its labels and a value. */
static void
keep_figures(const chores_t *chores, figures_t *figures,
             const pg_answer_t *answer)
{
    chores_figure_t *f;
    int row, rows, last, i;

    if (answer->end != PG_ROWS) {
        return;
    }
    rows = PQntuples(answer->rows);
    if (rows > CHORES_MAX_FIGURES) {
        rows = CHORES_MAX_FIGURES;
    }
    free(figures->rows);
    figures->rows = calloc((size_t)rows + 1, sizeof(*figures->rows));
    if (figures->rows == NULL) {
        rows = 0;
    }
    figures->at_ms = uv_now(chores->loop);
    figures->n = 0;
    last = PQnfields(answer->rows) - 1;
    for (row = 0; row < rows; row++) {
        f = &figures->rows[figures->n++];
        (void)snprintf(f->name, sizeof(f->name), "%s",
                       PQgetvalue(answer->rows, row, 0));
        for (i = 1; i < last && i <= CHORES_MAX_LABELS; i++) {
            (void)snprintf(f->labels[i - 1], sizeof(f->labels[i - 1]), "%s",
                           PQgetvalue(answer->rows, row, i));
        }
        f->value = strtod(PQgetvalue(answer->rows, row, last), NULL);
    }
}

static void
on_figures(void *data, const pg_answer_t *answer)
{
    chores_t *chores = data;

    keep_figures(chores, &chores->figures[CHORES_QUEUE], answer);
}

static void
on_codes(void *data, const pg_answer_t *answer)
{
    chores_t *chores = data;

    keep_figures(chores, &chores->figures[CHORES_CODES], answer);
}

int
chores_is_ready(const chores_t *chores)
{
    return session_is_ready(chores->session);
}

size_t
chores_figures(const chores_t *chores, chores_kind_e kind,
               const chores_figure_t **figures)
{
    const figures_t *last = &chores->figures[kind];

    *figures = last->rows;
    return uv_now(chores->loop) - last->at_ms
                   < (kind == CHORES_QUEUE ? FIGURES_STALE_MS : CODES_STALE_MS)
               ? last->n
               : 0;
}

static void
on_held(void *data, const pg_answer_t *answer)
{
    char text[LOG_TEXT_SIZE];

    (void)data;
    if (answer->end == PG_ROWS && PQntuples(answer->rows) > 0) {
        log_warn("chores vacuum held_s=%ld holder=%s",
                 session_number(answer, 0, 0),
                 log_text(text, PQgetvalue(answer->rows, 0, 1)));
    }
}

static void
on_ready(void *data)
{
    on_hint(data);
}

void
chores_want(chores_t *chores)
{
    session_want(chores->session, SQL_RULES);
}

void
chores_pump(chores_t *chores)
{
    static const char *const rules[] = {DIGITS(RULES_LIMIT)};
    static const char *const promote[] = {DIGITS(PROMOTE_LIMIT)};
    session_t *session = chores->session;

    if (session_may(session, SQL_FIGURES)) {
        (void)session_send(session, SQL_FIGURES, NULL, on_figures);
    }
    if (session_may(session, SQL_CODES)) {
        (void)session_send(session, SQL_CODES, NULL, on_codes);
    }
    if (session_may(session, SQL_MAINTAIN)) {
        (void)session_send(session, SQL_MAINTAIN, NULL, on_maintained);
    }
    if (session_may(session, SQL_HELD)) {
        (void)session_send(session, SQL_HELD, NULL, on_held);
    }
    if (session_is_under_way(session, SQL_RULES)
        || session_is_under_way(session, SQL_PROMOTE))
    {
        return;
    }
    if (session_may(session, SQL_PROMOTE)) {
        (void)session_send(session, SQL_PROMOTE, promote, on_promoted);
    } else if (session_may(session, SQL_RULES)) {
        (void)session_send(session, SQL_RULES, rules, on_rules);
    }
}

void
chores_conf(chores_t *chores, const conf_t *conf)
{
    chores->conf = conf;
    look_in(chores, conf->poll_ms);
}

static void
on_closed(uv_handle_t *handle)
{
    chores_t *chores = handle->data;

    if (--chores->open == 0) {
        free(chores->figures[CHORES_QUEUE].rows);
        free(chores->figures[CHORES_CODES].rows);
        free(chores);
    }
}

void
chores_free(chores_t *chores)
{
    if (chores != NULL) {
        session_free(chores->session);
        uv_close((uv_handle_t *)&chores->look, on_closed);
        uv_close((uv_handle_t *)&chores->upkeep, on_closed);
        uv_close((uv_handle_t *)&chores->ask, on_closed);
    }
}

chores_t *
chores_new(uv_loop_t *loop, const conf_t *conf, chores_hint_pt hint,
           void *data)
{
    static const session_events_t events = {on_ready, on_hint};
    chores_t *chores;

    chores = calloc(1, sizeof(*chores));
    if (chores == NULL) {
        return NULL;
    }
    chores->on_hint = hint;
    chores->data = data;
    (void)uv_timer_init(loop, &chores->look);
    (void)uv_timer_init(loop, &chores->upkeep);
    (void)uv_timer_init(loop, &chores->ask);
    chores->look.data = chores;
    chores->upkeep.data = chores;
    chores->ask.data = chores;
    chores->open = 3;
    chores->loop = loop;
    chores->session = session_new(loop, "chores", conf, 1, &events, chores);
    if (chores->session == NULL) {
        chores_free(chores);
        return NULL;
    }
    on_upkeep(&chores->upkeep);
    (void)uv_timer_start(&chores->upkeep, on_upkeep, MAINTAIN_MS, MAINTAIN_MS);
    if (conf->metrics_listen[0] != '\0') {
        (void)uv_timer_start(&chores->ask, on_ask, 0, FIGURES_MS);
    }
    chores_conf(chores, conf);
    return chores;
}
