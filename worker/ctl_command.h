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
} ctl_options_t;

/* Each command prints what is wrong itself. */
ctl_exit_e ctl_migrate(const ctl_options_t *options);
ctl_exit_e ctl_config_check(const ctl_options_t *options);
ctl_exit_e ctl_config_import(const ctl_options_t *options);
ctl_exit_e ctl_config_export(const ctl_options_t *options);
ctl_exit_e ctl_leads_show(const ctl_options_t *options);

#endif
