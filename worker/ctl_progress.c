#include "ctl_progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR 24       /* characters */
#define REDRAW_S 0.2 /* at most so often */

static double
seconds_since(const struct timespec *began)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - began->tv_sec)
           + (double)(now.tv_nsec - began->tv_nsec) / 1e9;
}

void
ctl_progress_begin(ctl_progress_t *progress, const char *what, uint64_t size,
                   uint64_t at, uint64_t lines)
{
    progress->what = what;
    progress->size = size;
    progress->from = at;
    progress->from_lines = lines;
    progress->shown_s = -1;
    progress->terminal = isatty(STDERR_FILENO);
    (void)clock_gettime(CLOCK_MONOTONIC, &progress->began);
}

void
ctl_progress_text(const ctl_progress_t *progress, uint64_t at, uint64_t lines,
                  double seconds, char out[CTL_PROGRESS_LEN])
{
    char bar[BAR + 1];
    double share, rate, left;
    size_t full;

    share = progress->size == 0 ? 1 : (double)at / (double)progress->size;
    rate = seconds > 0 ? (double)(lines - progress->from_lines) / seconds : 0;
    left = at > progress->from
               ? (double)(progress->size - at)
                     / ((double)(at - progress->from) / seconds)
               : 0;
    full = (size_t)(share * BAR);
    memset(bar, '.', BAR);
    memset(bar, '#', full < BAR ? full : BAR);
    bar[BAR] = '\0';
    (void)snprintf(out, CTL_PROGRESS_LEN,
                   "[%s] %3.0f %%  %llu %s  %.0f/s  %.0f:%02.0f left", bar,
                   share * 100, (unsigned long long)lines, progress->what,
                   rate, (double)((long)left / 60), (double)((long)left % 60));
}

void
ctl_progress_show(ctl_progress_t *progress, uint64_t at, uint64_t lines)
{
    char text[CTL_PROGRESS_LEN];
    double seconds;

    seconds = seconds_since(&progress->began);
    if (!progress->terminal
        || (progress->shown_s >= 0 && seconds - progress->shown_s < REDRAW_S))
    {
        return;
    }
    progress->shown_s = seconds;
    ctl_progress_text(progress, at, lines, seconds, text);
    (void)fprintf(stderr, "\r%-79s", text);
}

void
ctl_progress_end(ctl_progress_t *progress)
{
    if (progress->shown_s >= 0) {
        (void)fputc('\n', stderr);
    }
}
