/*
 * What leadqctl says when something is wrong.
 */

#ifndef LEADQ_CTL_ERROR_H
#define LEADQ_CTL_ERROR_H

/* "leadqctl: ..." on standard error; always -1. */
int ctl_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
