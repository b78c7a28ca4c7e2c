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

    const char *source; /* of an import, as the next ones; NULL: not given */
    const char *map;
    const char *set;
    const char *delimiter;
    const char *encoding;
    const char *report;
    const char *lines;
    const char *purpose; /* of a consent */
    const char *address; /* of a person, for a test; NULL: nobody's */
    const char *lead;    /* its id, or NULL */
    const char *data;    /* JSON, or NULL */

    const char *conf;  /* worker.conf; NULL: not looked at, as the spool */
    const char *spool; /* directory */

    const char *second; /* operand; NULL where it may be missing */
    const char *status; /* of a test fire, as the next two; NULL: any */
    const char *click_id;
    int send;
    int show;            /* a code that is made up */
    const char *date;    /* of a report, as the next two; NULL: yesterday */
    const char *network; /* NULL: every one */
    const char *out;     /* file or directory; NULL: standard output */

    const char *lang;     /* of a letter; NULL: any, as the next three */
    const char *document; /* file; NULL: what is in force */
    const char *to;       /* address, or phone */

    const char *since; /* days of a report; NULL: its own, as the next three */
    const char *until;
    const char *zone;
    int csv;
    const char *batch; /* of codes, its UUID; NULL: a new one */
} ctl_options_t;

/* Each command prints what is wrong itself. */
ctl_exit_e ctl_migrate(const ctl_options_t *options);
ctl_exit_e ctl_config_check(const ctl_options_t *options);
ctl_exit_e ctl_config_import(const ctl_options_t *options);
ctl_exit_e ctl_config_diff(const ctl_options_t *options);
ctl_exit_e ctl_config_export(const ctl_options_t *options);
ctl_exit_e ctl_leads_show(const ctl_options_t *options);
ctl_exit_e ctl_leads_resend(const ctl_options_t *options);
ctl_exit_e ctl_networks_test(const ctl_options_t *options);
ctl_exit_e ctl_gateways_test(const ctl_options_t *options);
ctl_exit_e ctl_report_partners(const ctl_options_t *options);
ctl_exit_e ctl_triggers_list(const ctl_options_t *options);
ctl_exit_e ctl_triggers_test(const ctl_options_t *options);

ctl_exit_e ctl_jobs_list(const ctl_options_t *options);
ctl_exit_e ctl_jobs_show(const ctl_options_t *options);
ctl_exit_e ctl_jobs_dead(const ctl_options_t *options);
ctl_exit_e ctl_jobs_retry(const ctl_options_t *options);
ctl_exit_e ctl_jobs_cancel(const ctl_options_t *options);
ctl_exit_e ctl_jobs_pause(const ctl_options_t *options);
ctl_exit_e ctl_jobs_resume(const ctl_options_t *options);
ctl_exit_e ctl_jobs_paused(const ctl_options_t *options);
ctl_exit_e ctl_import(const ctl_options_t *options);
ctl_exit_e ctl_contact_export(const ctl_options_t *options);
ctl_exit_e ctl_contact_erase(const ctl_options_t *options);
ctl_exit_e ctl_contact_withdraw(const ctl_options_t *options);
ctl_exit_e ctl_contact_merge(const ctl_options_t *options);
ctl_exit_e ctl_doctor(const ctl_options_t *options);
ctl_exit_e ctl_letters_preview(const ctl_options_t *options);
ctl_exit_e ctl_report_funnel(const ctl_options_t *options);
ctl_exit_e ctl_report_desk(const ctl_options_t *options);
ctl_exit_e ctl_report_visits(const ctl_options_t *options);
ctl_exit_e ctl_report_flags(const ctl_options_t *options);
ctl_exit_e ctl_report_redemptions(const ctl_options_t *options);
ctl_exit_e ctl_report_codes(const ctl_options_t *options);
ctl_exit_e ctl_codes_generate(const ctl_options_t *options);
ctl_exit_e ctl_codes_list(const ctl_options_t *options);
ctl_exit_e ctl_advisors_lift(const ctl_options_t *options);
ctl_exit_e ctl_rewards_list(const ctl_options_t *options);
ctl_exit_e ctl_rewards_approve(const ctl_options_t *options);
ctl_exit_e ctl_rewards_issue(const ctl_options_t *options);
ctl_exit_e ctl_rewards_cancel(const ctl_options_t *options);
ctl_exit_e ctl_tickets_list(const ctl_options_t *options);
ctl_exit_e ctl_tickets_show(const ctl_options_t *options);
ctl_exit_e ctl_tickets_add(const ctl_options_t *options);
ctl_exit_e ctl_tickets_assign(const ctl_options_t *options);
ctl_exit_e ctl_tickets_answer(const ctl_options_t *options);

#endif
