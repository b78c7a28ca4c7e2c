
/*
 * Figures of all processes in one piece of shared memory.
 *
 *     leadq_metrics_t   names of databases and functions, then slots
 *     slot              belongs to one process at a time, which alone writes
 *                       it: counting is an addition without a lock
 *
 * Counters of a slot stay when its process ends; the next owner counts on.
 * Gauges speak of the owner only and are nothing without it.  So the sum over
 * all slots never goes back, whatever happens to processes, and the memory
 * serves any number of them up to LEADQ_METRICS_SLOTS.
 *
 * Names are added and never removed.  Place 0 of either table is for those
 * that found no place of their own.
 */

#ifndef LEADQ_METRICS_H_INCLUDED
#define LEADQ_METRICS_H_INCLUDED


#include <stddef.h>
#include <stdint.h>

#include "leadq_buf.h"


#define LEADQ_METRICS_VERSION      1    /* of what lies in the memory */

#define LEADQ_METRICS_SLOTS        256
#define LEADQ_METRICS_FUNCTIONS    64   /* with place 0 */
#define LEADQ_METRICS_DATABASES    32   /* with place 0 */
#define LEADQ_METRICS_NAME         64   /* with its terminator */
#define LEADQ_METRICS_OUTCOMES     16   /* at most */
#define LEADQ_METRICS_BUCKETS      15   /* the last one is +Inf */
#define LEADQ_METRICS_ROWS_BOUNDS  11
#define LEADQ_METRICS_LINE         64   /* bytes, of the processor's cache */


typedef struct {
    uint64_t  bucket[LEADQ_METRICS_BUCKETS];
    uint64_t  sum;
} leadq_histogram_t;


typedef enum {
    LEADQ_EXPIRED_WAITING = 0,          /* never sent, or lost its lane */
    LEADQ_EXPIRED_FLYING,               /* may still be stored */
    LEADQ_EXPIREDS
} leadq_expired_e;


typedef struct {
    uint64_t           request[LEADQ_METRICS_OUTCOMES];
    uint64_t           expired[LEADQ_EXPIREDS];
    uint64_t           gone;            /* clients, before their answer */
    leadq_histogram_t  wait;            /* us; rows */
    leadq_histogram_t  database;        /* us; batches */
    leadq_histogram_t  rows;            /* in a batch */
} leadq_function_metrics_t;


/* Two characters of the SQLSTATE. */
typedef enum {
    LEADQ_CLASS_08 = 0,
    LEADQ_CLASS_22,
    LEADQ_CLASS_23,
    LEADQ_CLASS_25,
    LEADQ_CLASS_40,
    LEADQ_CLASS_42,
    LEADQ_CLASS_53,
    LEADQ_CLASS_55,
    LEADQ_CLASS_57,
    LEADQ_CLASS_P0,
    LEADQ_CLASS_OTHER,
    LEADQ_CLASSES
} leadq_class_e;


typedef enum {
    LEADQ_LANE_CONNECTED = 0,           /* for the first time */
    LEADQ_LANE_RECONNECTED,
    LEADQ_LANE_LOST,
    LEADQ_LANE_FAILED,                  /* did not come up */
    LEADQ_LANE_EVENTS
} leadq_lane_event_e;


typedef enum {
    LEADQ_GAUGE_LANES = 0,              /* configured */
    LEADQ_GAUGE_READY,                  /* of these */
    LEADQ_GAUGE_WAITING,                /* rows */
    LEADQ_GAUGE_ROWS,                   /* waiting or in flight */
    LEADQ_GAUGE_BYTES,                  /* of these */
    LEADQ_GAUGE_ROWS_MAX,
    LEADQ_GAUGE_BYTES_MAX,
    LEADQ_GAUGES
} leadq_gauge_e;


typedef struct {
    uint64_t  failed[LEADQ_CLASSES];    /* batches */
    uint64_t  lane[LEADQ_LANE_EVENTS];
    uint64_t  gauge[LEADQ_GAUGES];
    uint64_t  down_since_ms;            /* gauge: while no lane is ready */
} leadq_database_metrics_t;


typedef struct {
    _Alignas(LEADQ_METRICS_LINE)
    uint64_t                  pid;      /* 0: nobody's */
    leadq_function_metrics_t  function[LEADQ_METRICS_FUNCTIONS];
    leadq_database_metrics_t  database[LEADQ_METRICS_DATABASES];
} leadq_slot_t;


typedef struct {
    char  database[LEADQ_METRICS_NAME];
    char  function[LEADQ_METRICS_NAME];
} leadq_metrics_name_t;


typedef struct {
    uint32_t              version;
    uint32_t              size;         /* of this structure */
    uint32_t              nfunctions;
    uint32_t              ndatabases;
    uint32_t              nslots;       /* that somebody ever had */

    leadq_metrics_name_t  function[LEADQ_METRICS_FUNCTIONS];
    leadq_metrics_name_t  database[LEADQ_METRICS_DATABASES];

    leadq_slot_t          slot[LEADQ_METRICS_SLOTS];
} leadq_metrics_t;


/* What one database looks like from all processes together. */
typedef struct {
    uint64_t  gauge[LEADQ_GAUGES];      /* sums */
    uint64_t  down_since_ms;            /* the latest */
    unsigned  full;                     /* processes whose queue is full */
    unsigned  without;                  /* processes without a ready lane */
} leadq_database_view_t;


typedef struct {
    unsigned                  processes;        /* alive */
    leadq_function_metrics_t  function[LEADQ_METRICS_FUNCTIONS];
    leadq_database_metrics_t  database[LEADQ_METRICS_DATABASES];
    leadq_database_view_t     view[LEADQ_METRICS_DATABASES];
} leadq_metrics_sum_t;


/* Upper bounds of buckets, +Inf left out. */
extern const uint32_t leadq_metrics_us_bounds[LEADQ_METRICS_BUCKETS - 1];
extern const uint32_t leadq_metrics_rows_bounds[LEADQ_METRICS_ROWS_BOUNDS];

/* Names of leadq_class_e: "08" ... "other". */
extern const char *const leadq_metrics_classes[LEADQ_CLASSES];


/* Returns 1 if there is a process of that id. */
typedef int (*leadq_alive_pt)(uint64_t pid);


/* Prepares fresh memory; slots are prepared when they are claimed. */
void leadq_metrics_init(leadq_metrics_t *metrics);

/* Returns 1 if the memory was prepared by a program that agrees with us. */
int leadq_metrics_fits(const leadq_metrics_t *metrics);

/* Return the place of a name, made if need be; 0 if there is no room. */
unsigned leadq_metrics_database(leadq_metrics_t *metrics, const char *name,
    size_t len);
unsigned leadq_metrics_function(leadq_metrics_t *metrics,
    const char *database, size_t database_len, const char *name, size_t len);

/*
 * Returns a slot for the process, that of an ended one if possible; NULL:
 * all are taken.  Only one process at a time may call it.
 */
leadq_slot_t *leadq_metrics_claim(leadq_metrics_t *metrics, uint64_t pid,
    leadq_alive_pt alive);

/* Gives the slot back; accepts NULL. */
void leadq_metrics_release(leadq_slot_t *slot);

/* Adds up all slots, gauges of the living only. */
void leadq_metrics_sum(const leadq_metrics_t *metrics, leadq_alive_pt alive,
    leadq_metrics_sum_t *sum);

/* Count into the bucket whose upper bound is not less. */
void leadq_metrics_us(leadq_histogram_t *histogram, uint64_t us);
void leadq_metrics_rows(leadq_histogram_t *histogram, uint64_t rows);

/* The class of a SQLSTATE. */
leadq_class_e leadq_metrics_class(const char *sqlstate);


/*
 * Appends everything in Prometheus' text format; outcomes are the names of
 * request[], in its order, up to a NULL.
 */
void leadq_metrics_text(leadq_buf_t *buf, const leadq_metrics_t *metrics,
    const leadq_metrics_sum_t *sum, const char *const *outcomes);


typedef enum {
    LEADQ_STATUS_OK = 0,
    LEADQ_STATUS_WAITING,               /* no lane, rows wait for one */
    LEADQ_STATUS_FULL,                  /* some process refuses rows */
    LEADQ_STATUS_AWAY                   /* no lane for too long */
} leadq_status_e;


/* How a database is, for one whose rows wait no longer than timeout_ms. */
leadq_status_e leadq_metrics_status(const leadq_database_view_t *view,
    uint64_t now_ms, uint64_t timeout_ms);

/* "ok", "waiting", "full", "away" */
const char *leadq_metrics_status_name(leadq_status_e status);

/* Appends the JSON object of one database. */
void leadq_metrics_status_put(leadq_buf_t *buf, const char *name, size_t len,
    const leadq_database_view_t *view, leadq_status_e status);


/* Only the owner of a slot writes; readers get old or new, never halves. */

static inline void
leadq_metrics_set(uint64_t *figure, uint64_t value)
{
    __atomic_store_n(figure, value, __ATOMIC_RELAXED);
}


static inline void
leadq_metrics_add(uint64_t *figure, uint64_t n)
{
    __atomic_store_n(figure, *figure + n, __ATOMIC_RELAXED);
}


#endif /* LEADQ_METRICS_H_INCLUDED */
