/*
 * A bar on a terminal: how much of a work is done, how fast, how long yet.
 * Where standard error is no terminal there is none.
 */

#ifndef LEADQ_CTL_PROGRESS_H
#define LEADQ_CTL_PROGRESS_H

#include <stdint.h>
#include <time.h>

#define CTL_PROGRESS_LEN 80 /* of the text, with its terminator */

typedef struct {
    uint64_t size; /* bytes, or what it counts in, in all */
    uint64_t from; /* and done before, as the lines of it */
    uint64_t from_lines;
    struct timespec began;
    double shown_s; /* when it was drawn, since then */
    int terminal;
    const char *what; /* of lines; borrowed */
} ctl_progress_t;

/* what: the name of lines, "lines" of a file. */
void ctl_progress_begin(ctl_progress_t *progress, const char *what,
                        uint64_t size, uint64_t at, uint64_t lines);

/* Draws, unless it has just been drawn. */
void ctl_progress_show(ctl_progress_t *progress, uint64_t at, uint64_t lines);

void ctl_progress_end(ctl_progress_t *progress);

/* The text of a bar after so many seconds. */
void ctl_progress_text(const ctl_progress_t *progress, uint64_t at,
                       uint64_t lines, double seconds,
                       char out[CTL_PROGRESS_LEN]);

#endif
