
/*
 * Slots, names and sums; see leadq_metrics.h.
 */

#include "leadq_metrics.h"

#include <string.h>


static int leadq_metrics_find(const leadq_metrics_name_t *table,
    uint32_t n, const leadq_metrics_name_t *name);
static unsigned leadq_metrics_place(leadq_metrics_name_t *table,
    uint32_t *used, uint32_t max, const leadq_metrics_name_t *name);
static void leadq_metrics_copy(char *to, const char *from, size_t len);
static void leadq_metrics_gauges_clear(leadq_slot_t *slot);
static void leadq_metrics_sum_counters(leadq_metrics_sum_t *sum,
    const leadq_slot_t *slot);
static void leadq_metrics_sum_gauges(leadq_metrics_sum_t *sum,
    const leadq_slot_t *slot);
static void leadq_metrics_sum_array(uint64_t *to, const uint64_t *from,
    size_t n);
static void leadq_metrics_observe(leadq_histogram_t *histogram,
    const uint32_t *bounds, size_t n, uint64_t value);


const uint32_t  leadq_metrics_us_bounds[LEADQ_METRICS_BUCKETS - 1] = {
    250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
    1000000, 2500000, 5000000
};

const uint32_t  leadq_metrics_rows_bounds[LEADQ_METRICS_ROWS_BOUNDS] = {
    1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024
};

const char *const  leadq_metrics_classes[LEADQ_CLASSES] = {
    "08", "22", "23", "25", "40", "42", "53", "55", "57", "P0", "other"
};


void
leadq_metrics_init(leadq_metrics_t *metrics)
{
    memset(metrics, 0, offsetof(leadq_metrics_t, slot));

    metrics->version = LEADQ_METRICS_VERSION;
    metrics->size = (uint32_t) sizeof(leadq_metrics_t);

    /* place 0; parentheses are in no name that can be configured */

    leadq_metrics_copy(metrics->function[0].database, "(other)", 7);
    leadq_metrics_copy(metrics->function[0].function, "(other)", 7);
    leadq_metrics_copy(metrics->database[0].database, "(other)", 7);

    metrics->nfunctions = 1;
    metrics->ndatabases = 1;
}


int
leadq_metrics_fits(const leadq_metrics_t *metrics)
{
    return metrics->version == LEADQ_METRICS_VERSION
           && metrics->size == sizeof(leadq_metrics_t);
}


unsigned
leadq_metrics_database(leadq_metrics_t *metrics, const char *name, size_t len)
{
    leadq_metrics_name_t  wanted;

    memset(&wanted, 0, sizeof(wanted));
    leadq_metrics_copy(wanted.database, name, len);

    return leadq_metrics_place(metrics->database, &metrics->ndatabases,
                               LEADQ_METRICS_DATABASES, &wanted);
}


unsigned
leadq_metrics_function(leadq_metrics_t *metrics, const char *database,
    size_t database_len, const char *name, size_t len)
{
    leadq_metrics_name_t  wanted;

    memset(&wanted, 0, sizeof(wanted));
    leadq_metrics_copy(wanted.database, database, database_len);
    leadq_metrics_copy(wanted.function, name, len);

    return leadq_metrics_place(metrics->function, &metrics->nfunctions,
                               LEADQ_METRICS_FUNCTIONS, &wanted);
}


static unsigned
leadq_metrics_place(leadq_metrics_name_t *table, uint32_t *used, uint32_t max,
    const leadq_metrics_name_t *name)
{
    int  i;

    i = leadq_metrics_find(table, *used, name);

    if (i >= 0) {
        return (unsigned) i;
    }

    if (*used == max) {
        return 0;
    }

    /* processes of the time before may be reading the table */

    table[*used] = *name;
    __atomic_store_n(used, *used + 1, __ATOMIC_RELEASE);

    return *used - 1;
}


static int
leadq_metrics_find(const leadq_metrics_name_t *table, uint32_t n,
    const leadq_metrics_name_t *name)
{
    uint32_t  i;

    for (i = 0; i < n; i++) {
        if (strcmp(table[i].database, name->database) == 0
            && strcmp(table[i].function, name->function) == 0)
        {
            return (int) i;
        }
    }

    return -1;
}


static void
leadq_metrics_copy(char *to, const char *from, size_t len)
{
    if (len > LEADQ_METRICS_NAME - 1) {
        len = LEADQ_METRICS_NAME - 1;
    }

    memcpy(to, from, len);
}


leadq_slot_t *
leadq_metrics_claim(leadq_metrics_t *metrics, uint64_t pid,
    leadq_alive_pt alive)
{
    uint32_t       i;
    leadq_slot_t  *slot;

    for (i = 0; i < metrics->nslots; i++) {
        slot = &metrics->slot[i];

        /* our own id was that of a process that has ended */

        if (slot->pid == 0 || slot->pid == pid || !alive(slot->pid)) {
            leadq_metrics_gauges_clear(slot);
            leadq_metrics_set(&slot->pid, pid);
            return slot;
        }
    }

    if (metrics->nslots == LEADQ_METRICS_SLOTS) {
        return NULL;
    }

    slot = &metrics->slot[metrics->nslots];
    memset(slot, 0, sizeof(leadq_slot_t));
    slot->pid = pid;

    __atomic_store_n(&metrics->nslots, metrics->nslots + 1, __ATOMIC_RELEASE);

    return slot;
}


void
leadq_metrics_release(leadq_slot_t *slot)
{
    if (slot != NULL) {
        leadq_metrics_gauges_clear(slot);
        leadq_metrics_set(&slot->pid, 0);
    }
}


static void
leadq_metrics_gauges_clear(leadq_slot_t *slot)
{
    size_t  i, k;

    for (i = 0; i < LEADQ_METRICS_DATABASES; i++) {
        for (k = 0; k < LEADQ_GAUGES; k++) {
            leadq_metrics_set(&slot->database[i].gauge[k], 0);
        }

        leadq_metrics_set(&slot->database[i].down_since_ms, 0);
    }
}


void
leadq_metrics_sum(const leadq_metrics_t *metrics, leadq_alive_pt alive,
    leadq_metrics_sum_t *sum)
{
    uint32_t             i, n;
    uint64_t             pid;
    const leadq_slot_t  *slot;

    memset(sum, 0, sizeof(leadq_metrics_sum_t));

    n = __atomic_load_n(&metrics->nslots, __ATOMIC_ACQUIRE);

    for (i = 0; i < n; i++) {
        slot = &metrics->slot[i];
        pid = __atomic_load_n(&slot->pid, __ATOMIC_RELAXED);

        leadq_metrics_sum_counters(sum, slot);

        if (pid != 0 && alive(pid)) {
            sum->processes++;
            leadq_metrics_sum_gauges(sum, slot);
        }
    }
}


static void
leadq_metrics_sum_counters(leadq_metrics_sum_t *sum, const leadq_slot_t *slot)
{
    size_t                           i;
    leadq_database_metrics_t        *db;
    const leadq_database_metrics_t  *from;

    /* functions are made of counters and of nothing else */

    leadq_metrics_sum_array((uint64_t *) sum->function,
                            (const uint64_t *) slot->function,
                            sizeof(sum->function) / (sizeof(uint64_t)));

    for (i = 0; i < LEADQ_METRICS_DATABASES; i++) {
        db = &sum->database[i];
        from = &slot->database[i];

        leadq_metrics_sum_array(db->failed, from->failed, LEADQ_CLASSES);
        leadq_metrics_sum_array(db->lane, from->lane, LEADQ_LANE_EVENTS);
    }
}


static void
leadq_metrics_sum_gauges(leadq_metrics_sum_t *sum, const leadq_slot_t *slot)
{
    size_t                  i;
    uint64_t                since, gauge[LEADQ_GAUGES];
    leadq_database_view_t  *view;

    for (i = 0; i < LEADQ_METRICS_DATABASES; i++) {
        view = &sum->view[i];

        memset(gauge, 0, sizeof(gauge));
        leadq_metrics_sum_array(gauge, slot->database[i].gauge, LEADQ_GAUGES);
        leadq_metrics_sum_array(view->gauge, gauge, LEADQ_GAUGES);

        if (gauge[LEADQ_GAUGE_LANES] == 0) {
            continue;                   /* not its database, or leaving */
        }

        if (gauge[LEADQ_GAUGE_ROWS] >= gauge[LEADQ_GAUGE_ROWS_MAX]
            || gauge[LEADQ_GAUGE_BYTES] >= gauge[LEADQ_GAUGE_BYTES_MAX])
        {
            view->full++;
        }

        if (gauge[LEADQ_GAUGE_READY] == 0) {
            view->without++;

            since = __atomic_load_n(&slot->database[i].down_since_ms,
                                    __ATOMIC_RELAXED);

            if (since > view->down_since_ms) {
                view->down_since_ms = since;
            }
        }
    }
}


static void
leadq_metrics_sum_array(uint64_t *to, const uint64_t *from, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
    }
}


void
leadq_metrics_us(leadq_histogram_t *histogram, uint64_t us)
{
    leadq_metrics_observe(histogram, leadq_metrics_us_bounds,
                          LEADQ_METRICS_BUCKETS - 1, us);
}


void
leadq_metrics_rows(leadq_histogram_t *histogram, uint64_t rows)
{
    leadq_metrics_observe(histogram, leadq_metrics_rows_bounds,
                          LEADQ_METRICS_ROWS_BOUNDS, rows);
}


static void
leadq_metrics_observe(leadq_histogram_t *histogram, const uint32_t *bounds,
    size_t n, uint64_t value)
{
    size_t  i;

    for (i = 0; i < n && value > bounds[i]; i++) { /* void */ }

    leadq_metrics_add(&histogram->bucket[i], 1);
    leadq_metrics_add(&histogram->sum, value);
}


leadq_class_e
leadq_metrics_class(const char *sqlstate)
{
    unsigned  class;

    for (class = 0; class < LEADQ_CLASS_OTHER; class++) {
        if (strncmp(sqlstate, leadq_metrics_classes[class], 2) == 0) {
            break;
        }
    }

    return (leadq_class_e) class;
}
