/*
 * What leadqctl.c and its commands know of one another.
 */

#ifndef LEADQ_CTL_COMMAND_H
#define LEADQ_CTL_COMMAND_H

/* The exit codes. */
typedef enum { CTL_OK = 0, CTL_FAILED = 1, CTL_USAGE = 2 } ctl_exit_e;

/* All options of all commands; borrowed from argv, environment and build. */
typedef struct {
    const char *database; /* conninfo; "": libpq's environment decides */
    const char *schema;
    const char *sql_dir;
    const char *lock_timeout; /* as PostgreSQL reads it */
    int dry_run;
    int test_database;
    const char *operand; /* FILE or ID of the commands that take one */
    char **operands;     /* IDs of those that take many; ends with NULL */

    const char *kind; /* of jobs; NULL: every one, as the next three */
    const char *target;
    const char *lane;
    const char *state;
    const char *limit;  /* NULL: the command's own */
    const char *reason; /* NULL: none given */
    int json;
    int yes;

    const char *conf;  /* worker.conf; NULL: not looked at, as the spool */
    const char *spool; /* directory */
} ctl_options_t;

/* Each command prints what is wrong itself. */
ctl_exit_e ctl_migrate(const ctl_options_t *options);
ctl_exit_e ctl_config_check(const ctl_options_t *options);
ctl_exit_e ctl_config_import(const ctl_options_t *options);
ctl_exit_e ctl_config_diff(const ctl_options_t *options);
ctl_exit_e ctl_config_export(const ctl_options_t *options);
ctl_exit_e ctl_leads_show(const ctl_options_t *options);

ctl_exit_e ctl_jobs_list(const ctl_options_t *options);
ctl_exit_e ctl_jobs_show(const ctl_options_t *options);
ctl_exit_e ctl_jobs_dead(const ctl_options_t *options);
ctl_exit_e ctl_jobs_retry(const ctl_options_t *options);
ctl_exit_e ctl_jobs_cancel(const ctl_options_t *options);
ctl_exit_e ctl_jobs_pause(const ctl_options_t *options);
ctl_exit_e ctl_jobs_resume(const ctl_options_t *options);
ctl_exit_e ctl_jobs_paused(const ctl_options_t *options);
ctl_exit_e ctl_doctor(const ctl_options_t *options);

#endif
