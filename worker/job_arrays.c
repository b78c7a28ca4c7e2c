#include "job_arrays.h"
#include "array.h"

#include <inttypes.h>
#include <stdio.h>

#define MAX_BYTES (4 * 1024 * 1024)

void
job_arrays_open(buf_t *arrays, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        buf_init(&arrays[i], MAX_BYTES);
    }
}

void
job_arrays_add(buf_t *arrays, const job_t *job)
{
    char id[24];

    (void)snprintf(id, sizeof(id), "%" PRId64, job->id);
    array_add(&arrays[0], id);
    array_add(&arrays[1], job->token);
}

void
job_arrays_end(buf_t *arrays, const char **values, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        array_end(&arrays[i]);
        values[i] = buf_str(&arrays[i]);
    }
}

void
job_arrays_close(buf_t *arrays, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        buf_done(&arrays[i]);
    }
}

job_t *
job_arrays_find(const list_t *jobs, int64_t id)
{
    list_t *link;
    job_t *job;

    list_for_each (link, jobs) {
        job = list_entry(link, job_t, link);
        if (job->id == id) {
            return job;
        }
    }
    return NULL;
}
