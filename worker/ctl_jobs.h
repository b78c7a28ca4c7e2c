/*
 * What the commands about jobs share.
 */

#ifndef LEADQ_CTL_JOBS_H
#define LEADQ_CTL_JOBS_H

/* Whether a text can be the id of a job: digits. */
int ctl_jobs_id_ok(const char *text);

#endif
