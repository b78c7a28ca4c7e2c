
/*
 * Figures as text: Prometheus' format, and JSON for health checks.
 *
 * Names of databases and functions are [a-z0-9_] by configuration, so no
 * value of a label needs escaping.
 */

#include "leadq_metrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>


#define LEADQ_METRICS_TEXT_LINE  320


static void leadq_metrics_head(leadq_buf_t *buf, const char *name,
    const char *type, const char *help);
static void leadq_metrics_line(leadq_buf_t *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void leadq_metrics_requests(leadq_buf_t *buf,
    const leadq_metrics_t *metrics, const leadq_metrics_sum_t *sum,
    const char *const *outcomes);
static void leadq_metrics_expired(leadq_buf_t *buf,
    const leadq_metrics_t *metrics, const leadq_metrics_sum_t *sum);
static void leadq_metrics_gone(leadq_buf_t *buf,
    const leadq_metrics_t *metrics, const leadq_metrics_sum_t *sum);
static void leadq_metrics_histograms(leadq_buf_t *buf,
    const leadq_metrics_t *metrics, const leadq_metrics_sum_t *sum);
static void leadq_metrics_histogram(leadq_buf_t *buf, const char *name,
    const leadq_metrics_name_t *of, const leadq_histogram_t *histogram,
    const uint32_t *bounds, size_t nbounds, uint32_t unit);
static void leadq_metrics_databases(leadq_buf_t *buf,
    const leadq_metrics_t *metrics, const leadq_metrics_sum_t *sum);
static void leadq_metrics_gauges(leadq_buf_t *buf,
    const leadq_metrics_t *metrics, const leadq_metrics_sum_t *sum);
static int leadq_metrics_known(uint32_t i, const uint64_t *figures, size_t n);


/* Gauges of a database, in the order of leadq_gauge_e. */

static const struct {
    const char  *name;
    const char  *help;
} leadq_metrics_gauge[LEADQ_GAUGES] = {
    { "leadq_lanes", "Connections to the database that are configured." },
    { "leadq_lanes_ready", "Connections to the database that take rows." },
    { "leadq_queue_waiting_rows", "Rows that wait for a connection." },
    { "leadq_queue_rows", "Rows that wait or are in flight." },
    { "leadq_queue_bytes", "Bytes of the rows that wait or are in flight." },
    { "leadq_queue_rows_limit", "Rows that all queues together may hold." },
    { "leadq_queue_bytes_limit", "Bytes that all queues together may hold." },
};


static const char *const  leadq_metrics_events[LEADQ_LANE_EVENTS] = {
    "connected", "reconnected", "lost", "failed"
};

static const char *const  leadq_metrics_expireds[LEADQ_EXPIREDS] = {
    "waiting", "flying"
};

static const char *const  leadq_metrics_statuses[] = {
    "ok", "waiting", "full", "away"
};


void
leadq_metrics_text(leadq_buf_t *buf, const leadq_metrics_t *metrics,
    const leadq_metrics_sum_t *sum, const char *const *outcomes)
{
    leadq_metrics_head(buf, "leadq_worker_processes", "gauge",
                       "Worker processes of nginx that count.");
    leadq_metrics_line(buf, "leadq_worker_processes %u\n", sum->processes);

    leadq_metrics_requests(buf, metrics, sum, outcomes);
    leadq_metrics_expired(buf, metrics, sum);
    leadq_metrics_gone(buf, metrics, sum);
    leadq_metrics_histograms(buf, metrics, sum);
    leadq_metrics_databases(buf, metrics, sum);
    leadq_metrics_gauges(buf, metrics, sum);
}


static void
leadq_metrics_head(leadq_buf_t *buf, const char *name, const char *type,
    const char *help)
{
    leadq_metrics_line(buf, "# HELP %s %s\n", name, help);
    leadq_metrics_line(buf, "# TYPE %s %s\n", name, type);
}


static void
leadq_metrics_line(leadq_buf_t *buf, const char *format, ...)
{
    int      len;
    char    *p;
    va_list  args;

    p = leadq_buf_room(buf, LEADQ_METRICS_TEXT_LINE);

    if (p == NULL) {
        return;
    }

    va_start(args, format);
    len = vsnprintf(p, LEADQ_METRICS_TEXT_LINE, format, args);
    va_end(args);

    if (len < 0 || len >= LEADQ_METRICS_TEXT_LINE) {
        buf->failed = 1;
        return;
    }

    buf->len += (size_t) len;
}


/* Place 0 is shown only if something was counted there. */

static int
leadq_metrics_known(uint32_t i, const uint64_t *figures, size_t n)
{
    size_t  k;

    if (i > 0) {
        return 1;
    }

    for (k = 0; k < n; k++) {
        if (figures[k] != 0) {
            return 1;
        }
    }

    return 0;
}


static void
leadq_metrics_requests(leadq_buf_t *buf, const leadq_metrics_t *metrics,
    const leadq_metrics_sum_t *sum, const char *const *outcomes)
{
    size_t                       k;
    uint32_t                     i;
    const uint64_t              *request;
    const leadq_metrics_name_t  *name;

    leadq_metrics_head(buf, "leadq_requests_total", "counter",
                       "Requests that have ended, by how they ended.");

    for (i = 0; i < metrics->nfunctions; i++) {
        name = &metrics->function[i];
        request = sum->function[i].request;

        if (!leadq_metrics_known(i, request, LEADQ_METRICS_OUTCOMES)) {
            continue;
        }

        for (k = 0; outcomes[k] != NULL && k < LEADQ_METRICS_OUTCOMES; k++) {
            leadq_metrics_line(buf, "leadq_requests_total{database=\"%s\","
                               "function=\"%s\",outcome=\"%s\"} %" PRIu64 "\n",
                               name->database, name->function, outcomes[k],
                               request[k]);
        }
    }
}


static void
leadq_metrics_expired(leadq_buf_t *buf, const leadq_metrics_t *metrics,
    const leadq_metrics_sum_t *sum)
{
    size_t                       k;
    uint32_t                     i;
    const uint64_t              *expired;
    const leadq_metrics_name_t  *name;

    leadq_metrics_head(buf, "leadq_expired_rows_total", "counter",
                       "Rows that got no answer in time: dropped while they "
                       "waited, or in flight and perhaps stored.");

    for (i = 0; i < metrics->nfunctions; i++) {
        name = &metrics->function[i];
        expired = sum->function[i].expired;

        if (!leadq_metrics_known(i, expired, LEADQ_EXPIREDS)) {
            continue;
        }

        for (k = 0; k < LEADQ_EXPIREDS; k++) {
            leadq_metrics_line(buf, "leadq_expired_rows_total{database=\"%s\","
                               "function=\"%s\",state=\"%s\"} %" PRIu64 "\n",
                               name->database, name->function,
                               leadq_metrics_expireds[k], expired[k]);
        }
    }
}


static void
leadq_metrics_gone(leadq_buf_t *buf, const leadq_metrics_t *metrics,
    const leadq_metrics_sum_t *sum)
{
    uint32_t                     i;
    const leadq_metrics_name_t  *name;

    leadq_metrics_head(buf, "leadq_gone_clients_total", "counter",
                       "Clients that left before their answer; rows that "
                       "were complete are kept.");

    for (i = 0; i < metrics->nfunctions; i++) {
        name = &metrics->function[i];

        if (leadq_metrics_known(i, &sum->function[i].gone, 1)) {
            leadq_metrics_line(buf, "leadq_gone_clients_total{database=\"%s\","
                               "function=\"%s\"} %" PRIu64 "\n",
                               name->database, name->function,
                               sum->function[i].gone);
        }
    }
}


static void
leadq_metrics_histograms(leadq_buf_t *buf, const leadq_metrics_t *metrics,
    const leadq_metrics_sum_t *sum)
{
    size_t                    offset;
    uint32_t                  i, k;
    const uint32_t           *bounds;
    const leadq_histogram_t  *histogram;

    static const struct {
        const char  *name;
        const char  *help;
        size_t       offset;
        int          rows;
    } table[] = {
        { "leadq_wait_seconds",
          "Time of rows in the queue until they were sent last.",
          offsetof(leadq_function_metrics_t, wait), 0 },
        { "leadq_database_seconds",
          "Time of batches from sending to the end of their commit.",
          offsetof(leadq_function_metrics_t, database), 0 },
        { "leadq_batch_rows", "Rows in batches that were sent.",
          offsetof(leadq_function_metrics_t, rows), 1 },
    };

    for (k = 0; k < sizeof(table) / sizeof(table[0]); k++) {

        leadq_metrics_head(buf, table[k].name, "histogram", table[k].help);

        offset = table[k].offset;
        bounds = table[k].rows ? leadq_metrics_rows_bounds
                               : leadq_metrics_us_bounds;

        for (i = 0; i < metrics->nfunctions; i++) {
            histogram = (const leadq_histogram_t *)
                        ((const char *) &sum->function[i] + offset);

            if (!leadq_metrics_known(i, histogram->bucket,
                                     LEADQ_METRICS_BUCKETS))
            {
                continue;
            }

            leadq_metrics_histogram(buf, table[k].name, &metrics->function[i],
                                    histogram, bounds,
                                    table[k].rows ? LEADQ_METRICS_ROWS_BOUNDS
                                                  : LEADQ_METRICS_BUCKETS - 1,
                                    table[k].rows ? 1 : 1000000);
        }
    }
}


/* Values are whole numbers: of rows, or of millionths of a second. */

static void
leadq_metrics_histogram(leadq_buf_t *buf, const char *name,
    const leadq_metrics_name_t *of, const leadq_histogram_t *histogram,
    const uint32_t *bounds, size_t nbounds, uint32_t unit)
{
    size_t    k;
    uint64_t  count;

    count = 0;

    for (k = 0; k < nbounds; k++) {
        count += histogram->bucket[k];

        leadq_metrics_line(buf, "%s_bucket{database=\"%s\",function=\"%s\","
                           "le=\"%g\"} %" PRIu64 "\n", name, of->database,
                           of->function, (double) bounds[k] / unit, count);
    }

    count += histogram->bucket[nbounds];

    leadq_metrics_line(buf, "%s_bucket{database=\"%s\",function=\"%s\","
                       "le=\"+Inf\"} %" PRIu64 "\n", name, of->database,
                       of->function, count);
    leadq_metrics_line(buf, "%s_sum{database=\"%s\",function=\"%s\"} %"
                       PRIu64, name, of->database, of->function,
                       histogram->sum / unit);

    if (unit > 1) {
        leadq_metrics_line(buf, ".%06" PRIu64, histogram->sum % unit);
    }

    leadq_buf_puts(buf, "\n");
    leadq_metrics_line(buf, "%s_count{database=\"%s\",function=\"%s\"} %"
                       PRIu64 "\n", name, of->database, of->function, count);
}


static void
leadq_metrics_databases(leadq_buf_t *buf, const leadq_metrics_t *metrics,
    const leadq_metrics_sum_t *sum)
{
    size_t           k;
    uint32_t         i;
    const char      *name;
    const uint64_t  *lane, *failed;

    leadq_metrics_head(buf, "leadq_lane_events_total", "counter",
                       "What happened to connections to the database.");

    for (i = 0; i < metrics->ndatabases; i++) {
        name = metrics->database[i].database;
        lane = sum->database[i].lane;

        if (!leadq_metrics_known(i, lane, LEADQ_LANE_EVENTS)) {
            continue;
        }

        for (k = 0; k < LEADQ_LANE_EVENTS; k++) {
            leadq_metrics_line(buf, "leadq_lane_events_total{database=\"%s\","
                               "event=\"%s\"} %" PRIu64 "\n", name,
                               leadq_metrics_events[k], lane[k]);
        }
    }

    leadq_metrics_head(buf, "leadq_failed_batches_total", "counter",
                       "Batches that failed, by class of SQLSTATE; 08 is a "
                       "lost connection too.");

    for (i = 0; i < metrics->ndatabases; i++) {
        name = metrics->database[i].database;
        failed = sum->database[i].failed;

        if (!leadq_metrics_known(i, failed, LEADQ_CLASSES)) {
            continue;
        }

        for (k = 0; k < LEADQ_CLASSES; k++) {
            leadq_metrics_line(buf, "leadq_failed_batches_total{"
                               "database=\"%s\",class=\"%s\"} %" PRIu64 "\n",
                               name, leadq_metrics_classes[k], failed[k]);
        }
    }
}


/* Of databases that some process is connected to, or tries to be. */

static void
leadq_metrics_gauges(leadq_buf_t *buf, const leadq_metrics_t *metrics,
    const leadq_metrics_sum_t *sum)
{
    size_t                        k;
    uint32_t                      i;
    const char                   *name;
    const leadq_database_view_t  *view;

    leadq_metrics_head(buf, "leadq_database_up", "gauge",
                       "1 if some connection to the database takes rows.");

    for (i = 0; i < metrics->ndatabases; i++) {
        name = metrics->database[i].database;
        view = &sum->view[i];

        if (view->gauge[LEADQ_GAUGE_LANES]) {
            leadq_metrics_line(buf, "leadq_database_up{database=\"%s\"} %d\n",
                               name, view->gauge[LEADQ_GAUGE_READY] > 0);
        }
    }

    for (k = 0; k < LEADQ_GAUGES; k++) {

        leadq_metrics_head(buf, leadq_metrics_gauge[k].name, "gauge",
                           leadq_metrics_gauge[k].help);

        for (i = 0; i < metrics->ndatabases; i++) {
            name = metrics->database[i].database;
            view = &sum->view[i];

            if (view->gauge[LEADQ_GAUGE_LANES]) {
                leadq_metrics_line(buf, "%s{database=\"%s\"} %" PRIu64 "\n",
                                   leadq_metrics_gauge[k].name, name,
                                   view->gauge[k]);
            }
        }
    }
}


leadq_status_e
leadq_metrics_status(const leadq_database_view_t *view, uint64_t now_ms,
    uint64_t timeout_ms)
{
    if (view->gauge[LEADQ_GAUGE_READY] == 0) {
        return now_ms > view->down_since_ms
               && now_ms - view->down_since_ms > timeout_ms
               ? LEADQ_STATUS_AWAY : LEADQ_STATUS_WAITING;
    }

    return view->full ? LEADQ_STATUS_FULL : LEADQ_STATUS_OK;
}


const char *
leadq_metrics_status_name(leadq_status_e status)
{
    return leadq_metrics_statuses[status];
}


void
leadq_metrics_status_put(leadq_buf_t *buf, const char *name, size_t len,
    const leadq_database_view_t *view, leadq_status_e status)
{
    leadq_metrics_line(buf, "{\"name\":\"%.*s\",\"status\":\"%s\","
                       "\"reachable\":%s,", (int) len, name,
                       leadq_metrics_status_name(status),
                       view->gauge[LEADQ_GAUGE_READY] ? "true" : "false");
    leadq_metrics_line(buf, "\"lanes\":{\"ready\":%" PRIu64 ",\"of\":%" PRIu64
                       ",\"processes_without\":%u},",
                       view->gauge[LEADQ_GAUGE_READY],
                       view->gauge[LEADQ_GAUGE_LANES], view->without);
    leadq_metrics_line(buf, "\"queue\":{\"rows\":%" PRIu64 ",\"waiting\":%"
                       PRIu64 ",\"of\":%" PRIu64 ",",
                       view->gauge[LEADQ_GAUGE_ROWS],
                       view->gauge[LEADQ_GAUGE_WAITING],
                       view->gauge[LEADQ_GAUGE_ROWS_MAX]);
    leadq_metrics_line(buf, "\"bytes\":%" PRIu64 ",\"of_bytes\":%" PRIu64
                       ",\"processes_full\":%u}}",
                       view->gauge[LEADQ_GAUGE_BYTES],
                       view->gauge[LEADQ_GAUGE_BYTES_MAX], view->full);
}
