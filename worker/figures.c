/*
 * Everything shown is at hand when a page is asked for: what only SQL knows
 * is fetched by the chores connection in the background, so that no answer
 * waits for the database, and who asks often costs it nothing.
 */

#include "figures.h"
#include "sight.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FIGURES_MAX_LABEL 100
#define NS_PER_S 1e9

struct figures_s {
    const queue_t *queue; /* borrowed */
    sight_t *sight;       /* owned */
    uv_prepare_t prepare;
    stats_times_t rounds; /* how long the loop was busy between two waits */
    double longest_s;     /* since the last look at the metrics */
    uint64_t round_ns;    /* when it had last done all there was to do */
    uint64_t idle_ns;     /* how long it had waited by then, in all */
};

/* --- the text format ----------------------------------------------------- */

static void
family(buf_t *out, const char *name, const char *type, const char *help)
{
    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A family of one value without labels. */
static void
single(buf_t *out, const char *name, const char *type, double value,
       const char *help)
{
    family(out, name, type, help);
    buf_addf(out, "%s %.15g\n", name, value);
}

/* A value between quotes: cut, and without what would end it; UTF-8. */
static const char *
label(char out[FIGURES_MAX_LABEL], const char *text)
{
    size_t i;

    for (i = 0; text[i] != '\0' && i < FIGURES_MAX_LABEL - 1; i++) {
        out[i] = text[i];
        if ((unsigned char)text[i] < ' ' || text[i] == '\x7f' || text[i] == '"'
            || text[i] == '\\')
        {
            out[i] = '?';
        }
    }
    if (text[i] != '\0') { /* no part of a character at the end */
        while (i > 0 && ((unsigned char)text[i] & 0xc0) == 0x80) {
            i--;
        }
    }
    out[i] = '\0';
    return out;
}

/* The series of one histogram; labels end with a comma, or are empty. */
static void
histogram(buf_t *out, const char *name, const char *labels,
          const uint64_t *buckets, double seconds)
{
    uint64_t n;
    size_t i, len;

    n = 0;
    for (i = 0; i < STATS_BUCKETS; i++) {
        n += buckets[i];
        if (i < STATS_BOUNDS) {
            buf_addf(out, "%s_bucket{%sle=\"%g\"} %" PRIu64 "\n", name, labels,
                     stats_bounds[i], n);
        } else {
            buf_addf(out, "%s_bucket{%sle=\"+Inf\"} %" PRIu64 "\n", name,
                     labels, n);
        }
    }
    len = strlen(labels);
    if (len == 0) {
        buf_addf(out, "%s_sum %.9g\n%s_count %" PRIu64 "\n", name, seconds,
                 name, n);
    } else {
        len--; /* the comma */
        buf_addf(out, "%s_sum{%.*s} %.9g\n", name, (int)len, labels, seconds);
        buf_addf(out, "%s_count{%.*s} %" PRIu64 "\n", name, (int)len, labels,
                 n);
    }
}

/* --- what SQL knows ------------------------------------------------------ */

/* A family of metrics, and the figure of a function that it shows. */
typedef struct {
    const char *figure;
    const char *name;
    const char *help;
    const char *labels[CHORES_MAX_LABELS]; /* NULL: no more of them */
} known_t;

static const known_t queue_names[] = {
    {"ready",
     "leadq_queue_ready_jobs",
     "Jobs that may start and nobody has leased; counted up to a bound.",
     {"lane"}},
    {"leased",
     "leadq_queue_leased_jobs",
     "Jobs under a lease of a worker.",
     {"lane"}},
    {"expired",
     "leadq_queue_expired_leases",
     "Jobs whose worker did not settle in time, not yet taken over.",
     {"lane"}},
    {"oldest_s",
     "leadq_queue_oldest_due_seconds",
     "Since when the oldest due job has waited for a lease.",
     {"lane"}},
    {"overdue",
     "leadq_queue_overdue_jobs",
     "Scheduled jobs that are due and not promoted; counted up to a bound.",
     {NULL}},
    {"scheduled",
     "leadq_queue_scheduled_jobs",
     "Jobs whose time has not come, as the planner estimates.",
     {NULL}},
    {"parked",
     "leadq_queue_parked_jobs",
     "Jobs that a pause holds back; counted up to a bound.",
     {NULL}},
    {"pauses", "leadq_queue_pauses", "Pauses in force.", {NULL}},
    {"dead",
     "leadq_queue_dead_jobs",
     "Dead letters of the last seven days, not retried; up to a bound.",
     {NULL}},
    {"horizon_xids",
     "leadq_queue_vacuum_horizon_xids",
     "Transactions since the oldest one that holds vacuum back.",
     {NULL}},
};

static const known_t code_names[] = {
    {"codes_sent",
     "leadq_codes_sent",
     "Codes sent in the hour that ended five minutes ago.",
     {"gateway", "operator"}},
    {"codes_arrived",
     "leadq_codes_arrived",
     "Verifications of that hour that a code has arrived for.",
     {"gateway", "operator"}},
    {"codes_proved",
     "leadq_codes_proved",
     "Those of them that have ended well.",
     {"gateway", "operator"}},
    {"codes_cost",
     "leadq_codes_cost_rub",
     "Roubles that codes of that hour cost.",
     {"gateway", "operator"}},
    {"verifications",
     "leadq_verifications",
     "Verifications begun in that hour, by what became of them.",
     {"profile", "state"}},
    {"checks",
     "leadq_code_checks",
     "Codes typed for verifications of that hour.",
     {"profile", "result"}},
    {"limit_denied",
     "leadq_limit_denied",
     "What limits have refused today, by UTC, or would have (record).",
     {"profile", "limit", "by", "mode"}},
    {"promo_uses",
     "leadq_promo_uses",
     "Uses of codes of the last day, by what became of them.",
     {"programme", "state"}},
    {"promo_denied",
     "leadq_promo_denied",
     "Uses of codes that tills were refused today, by UTC.",
     {"reason"}},
    {"rewards",
     "leadq_rewards",
     "Gifts for friends' purchases, of all times.",
     {"programme", "state"}},
    {"flags",
     "leadq_flags",
     "Marks of what looks invented or stolen, of today, by UTC.",
     {"of", "rule"}},
};

static void
write_known(buf_t *out, const known_t *known, const chores_figure_t *f)
{
    char value[FIGURES_MAX_LABEL];
    size_t i;

    buf_addf(out, "%s", known->name);
    for (i = 0; i < CHORES_MAX_LABELS && known->labels[i] != NULL; i++) {
        buf_addf(out, "%s%s=\"%s\"", i == 0 ? "{" : ",", known->labels[i],
                 label(value, f->labels[i]));
    }
    buf_addf(out, "%s %.15g\n", i == 0 ? "" : "}", f->value);
}

static void
write_figures(buf_t *out, const known_t *known, size_t n_known,
              const chores_figure_t *figures, size_t n)
{
    size_t i, k;

    for (i = 0; i < n_known; i++) {
        family(out, known[i].name, "gauge", known[i].help);
        for (k = 0; k < n; k++) {
            if (strcmp(figures[k].name, known[i].figure) == 0) {
                write_known(out, &known[i], &figures[k]);
            }
        }
    }
}

/* --- what the worker counts ---------------------------------------------- */

static void
write_jobs(buf_t *out, const queue_view_t *view)
{
    const stats_t *s = view->stats;
    const stats_kind_t *kind;
    char name[FIGURES_MAX_LABEL];
    size_t i;

    single(out, "leadq_worker_claimed_jobs_total", "counter",
           (double)s->claimed, "Jobs leased by this worker.");
    family(out, "leadq_worker_settled_jobs_total", "counter",
           "Jobs settled by this worker, by what it reported.");
    for (i = 0; i < STATS_KINDS && s->kinds[i].name[0] != '\0'; i++) {
        kind = &s->kinds[i];
        (void)label(name, kind->name);
        buf_addf(out,
                 "leadq_worker_settled_jobs_total{kind=\"%s\","
                 "outcome=\"done\"} %" PRIu64 "\n",
                 name, kind->done);
        buf_addf(out,
                 "leadq_worker_settled_jobs_total{kind=\"%s\","
                 "outcome=\"retry\"} %" PRIu64 "\n",
                 name, kind->retry);
        buf_addf(out,
                 "leadq_worker_settled_jobs_total{kind=\"%s\","
                 "outcome=\"dead\"} %" PRIu64 "\n",
                 name, kind->dead);
    }
    single(out, "leadq_worker_lost_leases_total", "counter", (double)s->lost,
           "Jobs whose lease was gone when they were to be settled.");
    single(out, "leadq_worker_released_jobs_total", "counter",
           (double)s->released, "Jobs given back unstarted.");
    single(out, "leadq_worker_held_jobs", "gauge", (double)view->held,
           "Jobs between their claim and the answer to their settling.");
    single(out, "leadq_worker_inflight_transfers", "gauge",
           (double)view->posting, "Posts under way.");
}

static void
write_process(buf_t *out, figures_t *figures, const queue_view_t *view)
{
    size_t rss;

    family(out, "leadq_worker_build_info", "gauge", "Always 1.");
    buf_addf(out,
             "leadq_worker_build_info{version=\"" LEADQ_VERSION "\"} 1\n");
    single(out, "leadq_worker_database_up", "gauge", view->database_up,
           "1 if both connections are ready.");
    if (uv_resident_set_memory(&rss) == 0) {
        single(out, "leadq_worker_resident_memory_bytes", "gauge", (double)rss,
               "Memory of the process.");
    }
    family(out, "leadq_worker_loop_busy_seconds", "histogram",
           "How long the loop was busy between two waits.");
    histogram(out, "leadq_worker_loop_busy_seconds", "",
              figures->rounds.buckets, figures->rounds.seconds);
    single(out, "leadq_worker_loop_longest_seconds", "gauge",
           figures->longest_s,
           "The longest time it was busy since these figures were last "
           "asked for.");
    figures->longest_s = 0;
}

/* --- destinations -------------------------------------------------------- */

/* One pass over the destinations writes one family. */
typedef struct {
    buf_t *out;
    const char *name;
    int what; /* which of the figures below */
} pass_t;

enum {
    PASS_WAITING,
    PASS_POSTING,
    PASS_BREAKER,
    PASS_OPENED,
    PASS_OUTCOMES,
    PASS_SECONDS
};

static const struct {
    const char *name;
    const char *type;
    const char *help;
} passes[] = {
    [PASS_WAITING] = {"leadq_worker_destination_waiting_jobs", "gauge",
                      "Jobs that wait for a place at a destination."},
    [PASS_POSTING] = {"leadq_worker_destination_inflight_transfers", "gauge",
                      "Posts under way to a destination."},
    [PASS_BREAKER] = {"leadq_worker_destination_breaker", "gauge",
                      "1 for the state that the breaker is in."},
    [PASS_OPENED] = {"leadq_worker_destination_breaker_opened_total",
                     "counter", "How often the breaker has opened."},
    [PASS_OUTCOMES] = {"leadq_worker_destination_posts_total", "counter",
                       "Posts that ended, by outcome."},
    [PASS_SECONDS] = {"leadq_worker_destination_post_seconds", "histogram",
                      "How long posts took."},
};

static void
write_breaker(const pass_t *pass, const char *labels, const char *breaker)
{
    static const char *const states[] = {"closed", "open", "half-open"};
    size_t i;

    for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        buf_addf(pass->out, "%s{%sstate=\"%s\"} %d\n", pass->name, labels,
                 states[i], strcmp(states[i], breaker) == 0);
    }
}

static void
write_outcomes(const pass_t *pass, const char *labels,
               const destination_view_t *view)
{
    buf_addf(pass->out, "%s{%soutcome=\"done\"} %" PRIu64 "\n", pass->name,
             labels, view->done);
    buf_addf(pass->out, "%s{%soutcome=\"retry\"} %" PRIu64 "\n", pass->name,
             labels, view->retry);
    buf_addf(pass->out, "%s{%soutcome=\"dead\"} %" PRIu64 "\n", pass->name,
             labels, view->dead);
}

static void
on_destination(void *data, const destination_view_t *view)
{
    const pass_t *pass = data;
    char name[FIGURES_MAX_LABEL], labels[2 * FIGURES_MAX_LABEL];
    int len;

    len = snprintf(labels, sizeof(labels), "destination=\"%s\",pool=\"%s\",",
                   label(name, view->name), view->pool);
    switch (pass->what) {
    case PASS_WAITING:
        buf_addf(pass->out, "%s{%.*s} %zu\n", pass->name, len - 1, labels,
                 view->waiting);
        break;
    case PASS_POSTING:
        buf_addf(pass->out, "%s{%.*s} %zu\n", pass->name, len - 1, labels,
                 view->posting);
        break;
    case PASS_BREAKER:
        write_breaker(pass, labels, view->breaker);
        break;
    case PASS_OPENED:
        buf_addf(pass->out, "%s{%.*s} %" PRIu64 "\n", pass->name, len - 1,
                 labels, view->opened);
        break;
    case PASS_OUTCOMES:
        write_outcomes(pass, labels, view);
        break;
    case PASS_SECONDS:
        histogram(pass->out, pass->name, labels, view->buckets, view->seconds);
        break;
    }
}

static unsigned
write_metrics(void *data, buf_t *out)
{
    figures_t *figures = data;
    queue_view_t view;
    pass_t pass;
    size_t i;

    queue_view(figures->queue, &view);
    write_process(out, figures, &view);
    write_jobs(out, &view);
    for (i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) {
        pass.out = out;
        pass.name = passes[i].name;
        pass.what = (int)i;
        family(out, passes[i].name, passes[i].type, passes[i].help);
        queue_each_destination(figures->queue, on_destination, &pass);
    }
    write_figures(out, queue_names,
                  sizeof(queue_names) / sizeof(queue_names[0]),
                  view.figures[CHORES_QUEUE], view.n_figures[CHORES_QUEUE]);
    write_figures(out, code_names, sizeof(code_names) / sizeof(code_names[0]),
                  view.figures[CHORES_CODES], view.n_figures[CHORES_CODES]);
    return 200;
}

/* --- health -------------------------------------------------------------- */

/* Beyond half a lease, what is held can hardly be settled in time. */
static unsigned
write_health(void *data, buf_t *out)
{
    const figures_t *figures = data;
    const char *reason;
    queue_view_t view;

    queue_view(figures->queue, &view);
    reason = view.stopping                          ? "stopping"
             : view.away_ms > view.patience_ms      ? "database away"
             : view.unsettled_ms > view.patience_ms ? "settling stalled"
                                                    : NULL;
    buf_addf(
        out,
        "{\"status\":\"%s\",\"reason\":%s%s%s,\"version\":\"" LEADQ_VERSION
        "\",\"database_up\":%s,\"away_s\":%" PRIu64 ",\"unsettled_s\":%" PRIu64
        ",\"held\":%zu}\n",
        reason == NULL ? "ok" : "failing", reason == NULL ? "" : "\"",
        reason == NULL ? "null" : reason, reason == NULL ? "" : "\"",
        view.database_up ? "true" : "false", view.away_ms / 1000,
        view.unsettled_ms / 1000, view.held);
    return reason == NULL ? 200 : 503;
}

/* --- life ---------------------------------------------------------------- */

/*
 * Before each wait: what passed since the last one, less the waiting itself,
 * is how long anything new had to wait for its turn.
 */
static void
on_prepare(uv_prepare_t *prepare)
{
    figures_t *figures = prepare->data;
    uint64_t now_ns, idle_ns;
    double busy_s;

    now_ns = uv_hrtime();
    idle_ns = uv_metrics_idle_time(prepare->loop);
    busy_s = ((double)(now_ns - figures->round_ns)
              - (double)(idle_ns - figures->idle_ns))
             / NS_PER_S;
    figures->round_ns = now_ns;
    figures->idle_ns = idle_ns;
    stats_observe(&figures->rounds, busy_s);
    if (busy_s > figures->longest_s) {
        figures->longest_s = busy_s;
    }
}

static void
on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void
figures_free(figures_t *figures)
{
    if (figures != NULL) {
        sight_free(figures->sight);
        uv_close((uv_handle_t *)&figures->prepare, on_closed);
    }
}

figures_t *
figures_new(uv_loop_t *loop, const char *listen, const queue_t *queue,
            fault_t *fault)
{
    static const sight_page_t pages[] = {
        {"/metrics", "text/plain; version=0.0.4; charset=utf-8",
         write_metrics},
        {"/healthz", "application/json", write_health},
    };
    figures_t *figures;

    figures = calloc(1, sizeof(*figures));
    if (figures == NULL) {
        (void)fault_set(fault, 0, "out of memory");
        return NULL;
    }
    figures->queue = queue;
    figures->sight = sight_new(
        loop, listen, pages, sizeof(pages) / sizeof(pages[0]), figures, fault);
    if (figures->sight == NULL) {
        free(figures);
        return NULL;
    }
    figures->round_ns = uv_hrtime();
    figures->idle_ns = uv_metrics_idle_time(loop);
    (void)uv_prepare_init(loop, &figures->prepare);
    figures->prepare.data = figures;
    (void)uv_prepare_start(&figures->prepare, on_prepare);
    return figures;
}
