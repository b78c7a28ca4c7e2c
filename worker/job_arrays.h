/*
 * The arrays that a statement about jobs takes: ids and tokens first, an
 * element a job.
 */

#ifndef LEADQ_JOB_ARRAYS_H
#define LEADQ_JOB_ARRAYS_H

#include "buf.h"
#include "job.h"

#include <stddef.h>

/* Opens n arrays. */
void job_arrays_open(buf_t *arrays, size_t n);

/* Adds a job to the first two. */
void job_arrays_add(buf_t *arrays, const job_t *job);

/* Ends n arrays; values borrow what they have become. */
void job_arrays_end(buf_t *arrays, const char **values, size_t n);

/* Frees them. */
void job_arrays_close(buf_t *arrays, size_t n);

/* The job of that id in a list of job_t.link, or NULL. */
job_t *job_arrays_find(const list_t *jobs, int64_t id);

#endif
