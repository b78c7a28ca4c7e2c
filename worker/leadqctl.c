/*
 * leadqctl: the operator's command.  This file turns arguments into a
 * command and its options; the commands are in ctl_*.c.
 */

#include "ctl_command.h"
#include "ctl_error.h"
#include "ctl_script.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Groups of options that a command takes. */
#define TAKES_DATABASE 1u
#define TAKES_MIGRATE 2u
#define TAKES_JOBS 4u /* of one kind, to one target */
#define TAKES_LIST 8u /* more about which, and how many */
#define TAKES_JSON 16u
#define TAKES_YES 32u
#define TAKES_REASON 64u
#define TAKES_LIMIT 128u
#define TAKES_DOCTOR 256u
#define TAKES_IMPORT 4096u
#define TAKES_PURPOSE 8192u
#define TAKES_CONFIG 65536u
#define TAKES_FIRE 131072u
#define TAKES_PARTNERS 262144u
#define TAKES_PREVIEW 512u
#define TAKES_PERIOD 1024u
#define TAKES_EVENT 2048u
#define TAKES_SEND 16384u
#define TAKES_GATEWAY 32768u
#define TAKES_CODES 524288u
#define TAKES_STATE 1048576u
#define TAKES_DAYS 2097152u

typedef struct {
    const char *group; /* first word */
    const char *name;  /* second word, or NULL */
    ctl_exit_e (*run)(const ctl_options_t *options);
    unsigned takes;
    /* The names of one or two, or NULL; the second may be missing: "ID
     * [NETWORK]"; any number: "[ID ...]". */
    const char *operand;
    const char *what;
} command_t;

static const command_t commands[] = {
    {"migrate", NULL, ctl_migrate, TAKES_DATABASE | TAKES_MIGRATE, NULL,
     "install the schema or bring it to this release"},
    {"config", "check", ctl_config_check, 0, "FILE",
     "check a business document, without a database"},
    {"config", "import", ctl_config_import, TAKES_DATABASE, "FILE",
     "check a business document and put it in force"},
    {"config", "diff", ctl_config_diff, TAKES_DATABASE, "FILE",
     "say what a business document would change"},
    {"config", "export", ctl_config_export, TAKES_DATABASE, NULL,
     "print the business document that is in force"},
    {"leads", "show", ctl_leads_show, TAKES_DATABASE, "ID",
     "print all that happened to a lead"},
    {"leads", "resend", ctl_leads_resend, TAKES_DATABASE, "ID [NETWORK]",
     "tell a lead's network again what it did not take"},
    {"networks", "test", ctl_networks_test,
     TAKES_DATABASE | TAKES_CONFIG | TAKES_FIRE | TAKES_SEND, "NAME",
     "print a postback with made-up values; or send it"},
    {"gateways", "test", ctl_gateways_test,
     TAKES_DATABASE | TAKES_CONFIG | TAKES_GATEWAY | TAKES_SEND, "NAME",
     "print the request for a made-up code; or send it"},
    {"report", "partners", ctl_report_partners,
     TAKES_DATABASE | TAKES_PARTNERS, NULL,
     "what networks were told on a day, as CSV"},
    {"letters", "preview", ctl_letters_preview,
     TAKES_DATABASE | TAKES_CONFIG | TAKES_PREVIEW, "NAME",
     "write a letter with sample data, or send it"},
    {"report", "funnel", ctl_report_funnel,
     TAKES_DATABASE | TAKES_PERIOD | TAKES_JSON, NULL,
     "print letters, confirmations, leads and money"},
    {"report", "desk", ctl_report_desk, TAKES_DATABASE | TAKES_DAYS, NULL,
     "what was done at points, by day and advisor, as CSV"},
    {"report", "visits", ctl_report_visits, TAKES_DATABASE | TAKES_DAYS, NULL,
     "visits and what became of them, as CSV"},
    {"report", "flags", ctl_report_flags, TAKES_DATABASE | TAKES_DAYS, NULL,
     "visits that look invented, and why, as CSV"},
    {"report", "redemptions", ctl_report_redemptions,
     TAKES_DATABASE | TAKES_DAYS, NULL, "uses of promo codes, as CSV"},
    {"report", "codes", ctl_report_codes, TAKES_DATABASE | TAKES_DAYS, NULL,
     "promo codes and how much of them is gone, as CSV"},
    {"triggers", "list", ctl_triggers_list, TAKES_DATABASE | TAKES_JSON, NULL,
     "print triggers and what they did of late"},
    {"triggers", "test", ctl_triggers_test,
     TAKES_DATABASE | TAKES_EVENT | TAKES_JSON, "EVENT",
     "print what each trigger would do with an event"},
    {"jobs", "list", ctl_jobs_list,
     TAKES_DATABASE | TAKES_JOBS | TAKES_LIST | TAKES_LIMIT | TAKES_JSON, NULL,
     "print jobs that are not over, the next first"},
    {"jobs", "show", ctl_jobs_show, TAKES_DATABASE | TAKES_JSON, "ID",
     "print a job and all its attempts"},
    {"jobs", "dead", ctl_jobs_dead,
     TAKES_DATABASE | TAKES_JOBS | TAKES_LIMIT | TAKES_JSON, NULL,
     "print dead letters, the latest first, and why"},
    {"jobs", "retry", ctl_jobs_retry,
     TAKES_DATABASE | TAKES_JOBS | TAKES_YES | TAKES_JSON, "[ID ...]",
     "bring dead jobs back, scheduled ones forward"},
    {"jobs", "cancel", ctl_jobs_cancel,
     TAKES_DATABASE | TAKES_JOBS | TAKES_YES | TAKES_JSON, "[ID ...]",
     "end jobs that nobody has begun"},
    {"jobs", "pause", ctl_jobs_pause,
     TAKES_DATABASE | TAKES_JOBS | TAKES_YES | TAKES_REASON | TAKES_JSON, NULL,
     "start no more jobs of a kind, to a target"},
    {"jobs", "resume", ctl_jobs_resume,
     TAKES_DATABASE | TAKES_JOBS | TAKES_YES | TAKES_JSON, NULL,
     "lift pauses"},
    {"jobs", "paused", ctl_jobs_paused, TAKES_DATABASE | TAKES_JSON, NULL,
     "print the pauses in force"},
    {"import", NULL, ctl_import, TAKES_DATABASE | TAKES_IMPORT | TAKES_JSON,
     "FILE", "bring an old base, a CSV file, into a source"},
    {"contact", "export", ctl_contact_export, TAKES_DATABASE, "[ADDRESS]",
     "print all that is known of a person"},
    {"contact", "withdraw", ctl_contact_withdraw,
     TAKES_DATABASE | TAKES_PURPOSE, "[ADDRESS]",
     "take back what a person agreed to"},
    {"contact", "erase", ctl_contact_erase, TAKES_DATABASE | TAKES_YES,
     "[ADDRESS]", "erase a person and write to him no more"},
    {"contact", "merge", ctl_contact_merge, TAKES_DATABASE | TAKES_YES,
     "[ADDRESS ADDRESS]", "make one contact of two, the first"},
    {"codes", "generate", ctl_codes_generate, TAKES_DATABASE | TAKES_CODES,
     "NAME COUNT", "make promo codes and write them as CSV"},
    {"codes", "list", ctl_codes_list, TAKES_DATABASE | TAKES_JSON, "PROGRAMME",
     "print the batches of codes of a programme"},
    {"advisors", "lift", ctl_advisors_lift, TAKES_DATABASE, "NAME",
     "let go on who was stopped for wrong codes"},
    {"rewards", "list", ctl_rewards_list,
     TAKES_DATABASE | TAKES_STATE | TAKES_JSON, NULL,
     "print the gifts that owners of codes have earned"},
    {"rewards", "approve", ctl_rewards_approve, TAKES_DATABASE, "NUMBER",
     "approve a gift, whatever holds it"},
    {"rewards", "issue", ctl_rewards_issue, TAKES_DATABASE, "NUMBER",
     "say that its owner has it"},
    {"rewards", "cancel", ctl_rewards_cancel, TAKES_DATABASE, "NUMBER",
     "end a gift that was not issued"},
    {"tickets", "list", ctl_tickets_list,
     TAKES_DATABASE | TAKES_LIMIT | TAKES_JSON, NULL,
     "print trouble at the desks, what waits first"},
    {"tickets", "show", ctl_tickets_show, TAKES_DATABASE | TAKES_JSON,
     "NUMBER", "print all of a ticket"},
    {"tickets", "add", ctl_tickets_add, TAKES_DATABASE, "ADVISOR TEXT",
     "register what an advisor has told by phone"},
    {"tickets", "assign", ctl_tickets_assign, TAKES_DATABASE, "NUMBER NAME",
     "say who takes a ticket on"},
    {"tickets", "answer", ctl_tickets_answer, TAKES_DATABASE, "NUMBER TEXT",
     "answer a ticket: the advisor sees it on the page"},
    {"doctor", NULL, ctl_doctor,
     TAKES_DATABASE | TAKES_CONFIG | TAKES_DOCTOR | TAKES_JSON, NULL,
     "look for what is wrong, and say what to do"},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

typedef struct {
    const char *name;
    int key;
    const char *value; /* its name, or NULL */
    unsigned group;    /* 0: every command takes it */
    size_t field;      /* in ctl_options_t: a text, or an int without value */
    const char *what;
} option_t;

#define AT(field) offsetof(ctl_options_t, field)
#define NOWHERE ((size_t)-1)

/* Options without a letter. */
enum {
    KEY_LONG = 256,
    KEY_SQL_DIR = KEY_LONG,
    KEY_LOCK_TIMEOUT,
    KEY_DRY_RUN,
    KEY_TEST,
    KEY_KIND,
    KEY_TARGET,
    KEY_LANE,
    KEY_STATE,
    KEY_LIMIT,
    KEY_REASON,
    KEY_YES,
    KEY_JSON,
    KEY_SPOOL,
    KEY_SOURCE,
    KEY_MAP,
    KEY_SET,
    KEY_DELIMITER,
    KEY_ENCODING,
    KEY_REPORT,
    KEY_LINES,
    KEY_PURPOSE,
    KEY_STATUS,
    KEY_CLICK_ID,
    KEY_SEND,
    KEY_SHOW,
    KEY_DATE,
    KEY_NETWORK,
    KEY_OUT,
    KEY_LANG,
    KEY_DOCUMENT,
    KEY_TO,
    KEY_SINCE,
    KEY_UNTIL,
    KEY_ZONE,
    KEY_CSV,
    KEY_ADDRESS,
    KEY_LEAD,
    KEY_DATA,
    KEY_BATCH
};

static const option_t option_table[] = {
    {"database", 'd', "CONNINFO", TAKES_DATABASE, AT(database),
     "the database (LEADQ_DATABASE, or PG* variables)"},
    {"schema", 's', "NAME", TAKES_DATABASE, AT(schema), "the schema (leadq)"},
    {"sql-dir", KEY_SQL_DIR, "DIR", TAKES_MIGRATE | TAKES_DOCTOR, AT(sql_dir),
     "where the SQL lies (LEADQ_SQL_DIR, or\n"
     "                             " LEADQ_SQL_DIR ")"},
    {"lock-timeout", KEY_LOCK_TIMEOUT, "TIME", TAKES_MIGRATE, AT(lock_timeout),
     "longest wait of a statement for a lock (10s)"},
    {"dry-run", KEY_DRY_RUN, NULL, TAKES_MIGRATE | TAKES_IMPORT, AT(dry_run),
     "say what would be done and change nothing"},
    {"test-database", KEY_TEST, NULL, TAKES_MIGRATE, AT(test_database),
     "let tests shift the schema's clock from now on"},
    {"kind", KEY_KIND, "KIND", TAKES_JOBS, AT(kind),
     "jobs of this kind: letter"},
    {"target", KEY_TARGET, "TARGET", TAKES_JOBS, AT(target),
     "jobs to this target: network:demo"},
    {"lane", KEY_LANE, "LANE", TAKES_LIST, AT(lane),
     "jobs of this lane: realtime, service, bulk, rule"},
    {"state", KEY_STATE, "STATE", TAKES_LIST | TAKES_STATE, AT(state),
     "jobs in this state: ready, leased, scheduled, parked"},
    {"limit", KEY_LIMIT, "NUMBER", TAKES_LIMIT, AT(limit),
     "print at most so many, 1..10000 (50)"},
    {"reason", KEY_REASON, "TEXT", TAKES_REASON, AT(reason),
     "why, for those who meet the pause"},
    {"yes", KEY_YES, NULL, TAKES_YES, AT(yes), "do it to all that match"},
    {"json", KEY_JSON, NULL, TAKES_JSON, AT(json), "print JSON, for programs"},
    {"source", KEY_SOURCE, "NAME", TAKES_IMPORT | TAKES_PERIOD, AT(source),
     "leads of this source"},
    {"map", KEY_MAP, "FIELD=COLUMN,...", TAKES_IMPORT, AT(map),
     "which columns are which fields"},
    {"set", KEY_SET, "FIELD=VALUE,...", TAKES_IMPORT, AT(set),
     "fields that are the same for every line"},
    {"delimiter", KEY_DELIMITER, "CHAR", TAKES_IMPORT, AT(delimiter),
     "between columns (what the first line has), or tab"},
    {"encoding", KEY_ENCODING, "NAME", TAKES_IMPORT, AT(encoding),
     "of the file (UTF-8): windows-1251"},
    {"report", KEY_REPORT, "FILE", TAKES_IMPORT, AT(report),
     "write the lines that are refused to this file"},
    {"lines", KEY_LINES, "NUMBER", TAKES_IMPORT, AT(lines),
     "read so many lines now, the rest another time"},
    {"purpose", KEY_PURPOSE, "PURPOSE", TAKES_PURPOSE, AT(purpose),
     "of the consent: ads (default) or pd_processing"},
    {"csv", KEY_CSV, NULL, TAKES_PERIOD, AT(csv),
     "print the letters as CSV, for spreadsheets"},
    {"since", KEY_SINCE, "DAY", TAKES_PERIOD | TAKES_DAYS, AT(since),
     "first day, 2026-11-01 (of the funnel, 29 days before\n"
     "                             the last; else of all)"},
    {"until", KEY_UNTIL, "DAY", TAKES_PERIOD | TAKES_DAYS, AT(until),
     "last day (today)"},
    {"zone", KEY_ZONE, "ZONE", TAKES_PERIOD, AT(zone),
     "time zone of the days: Europe/Moscow (UTC)"},
    {"config", 'c', "FILE", TAKES_CONFIG, AT(conf),
     "the worker's configuration: to check it, for the\n"
     "                             secrets of networks and gateways, to find\n"
     "                             the relay"},
    {"lang", KEY_LANG, "LANG", TAKES_PREVIEW, AT(lang),
     "the letter in this language"},
    {"document", KEY_DOCUMENT, "FILE", TAKES_PREVIEW | TAKES_GATEWAY,
     AT(document), "what stands in this document, without a database"},
    {"to", KEY_TO, "ADDRESS", TAKES_PREVIEW | TAKES_GATEWAY, AT(to),
     "a letter to ADDRESS, over the relay of --config; a\n"
     "                             code to this phone"},
    {"show", KEY_SHOW, NULL, TAKES_GATEWAY, AT(show),
     "with the code, which has stars otherwise"},
    {"address", KEY_ADDRESS, "ADDRESS", TAKES_EVENT, AT(address),
     "an event of the person with this e-mail or phone"},
    {"lead", KEY_LEAD, "ID", TAKES_EVENT, AT(lead),
     "an event of this lead and its person"},
    {"data", KEY_DATA, "JSON", TAKES_EVENT, AT(data),
     "with this data: {\"sum\": 1500}"},
    {"spool", KEY_SPOOL, "DIR", TAKES_DOCTOR, AT(spool),
     "a directory whose file system needs room"},
    {"status", KEY_STATUS, "STATUS", TAKES_FIRE, AT(status),
     "processed, approved, rejected, hold (approved)"},
    {"click-id", KEY_CLICK_ID, "ID", TAKES_FIRE, AT(click_id),
     "a click id that the network knows (test-click)"},
    {"send", KEY_SEND, NULL, TAKES_SEND, AT(send),
     "send it, and print what came back"},
    {"date", KEY_DATE, "DATE", TAKES_PARTNERS, AT(date),
     "the day, in UTC (yesterday)"},
    {"network", KEY_NETWORK, "NAME", TAKES_PARTNERS, AT(network),
     "of this network alone"},
    {"out", KEY_OUT, "PATH", TAKES_PREVIEW | TAKES_PARTNERS | TAKES_CODES,
     AT(out),
     "a letter's file: .html, .txt, or all of it; the\n"
     "                             directory of a file NAME-DATE.csv for each "
     "network;\n"
     "                             the file of codes"},
    {"batch", KEY_BATCH, "UUID", TAKES_CODES, AT(batch),
     "go on with this batch of codes, or call it so"},
    {"help", 'h', NULL, 0, NOWHERE, "print this"},
    {"version", 'V', NULL, 0, NOWHERE, "print the version"},
};

#define N_OPTIONS (sizeof(option_table) / sizeof(option_table[0]))
#define SHORT_OPTIONS "d:s:c:hV"
#define NAME_SIZE 64

typedef struct {
    ctl_options_t options;
    int seen[N_OPTIONS];
    int help;
    int version;
} arguments_t;

static const char *
env(const char *name, const char *fallback)
{
    const char *value;

    value = getenv(name);
    return value == NULL || value[0] == '\0' ? fallback : value;
}

/* "config check", or "config check FILE" */
static const char *
command_name(const command_t *c, int operand, char out[NAME_SIZE])
{
    (void)snprintf(out, NAME_SIZE, "%s%s%s%s%s", c->group,
                   c->name == NULL ? "" : " ", c->name == NULL ? "" : c->name,
                   operand && c->operand != NULL ? " " : "",
                   operand && c->operand != NULL ? c->operand : "");
    return out;
}

/* --- help ---------------------------------------------------------------- */

static int
takes(const command_t *c, const option_t *o)
{
    return o->group == 0 || (o->group & c->takes) != 0;
}

static void
print_option(FILE *out, const option_t *o)
{
    char name[NAME_SIZE];

    (void)snprintf(name, sizeof(name), "--%s%s%s", o->name,
                   o->value == NULL ? "" : " ",
                   o->value == NULL ? "" : o->value);
    if (o->key < KEY_LONG) {
        (void)fprintf(out, "  -%c, %-22s %s\n", o->key, name, o->what);
    } else {
        (void)fprintf(out, "      %-22s %s\n", name, o->what);
    }
}

/* The options of a command, or all. */
static void
print_options(FILE *out, const command_t *c)
{
    size_t i;

    (void)fprintf(out, "\noptions:\n");
    for (i = 0; i < N_OPTIONS; i++) {
        if (c == NULL || takes(c, &option_table[i])) {
            print_option(out, &option_table[i]);
        }
    }
}

static void
print_command(FILE *out, const command_t *c)
{
    char name[NAME_SIZE];

    (void)fprintf(out, "usage: leadqctl %s [options]\n\n%s\n",
                  command_name(c, 1, name), c->what);
    print_options(out, c);
}

static int
is_group(const char *word)
{
    size_t i;

    for (i = 0; word != NULL && i < N_COMMANDS; i++) {
        if (strcmp(commands[i].group, word) == 0) {
            return 1;
        }
    }
    return 0;
}

/* The commands of a group, or all. */
static void
print_usage(FILE *out, const char *group)
{
    const command_t *c;
    char name[NAME_SIZE];
    size_t i;

    if (!is_group(group)) {
        group = NULL;
    }
    (void)fprintf(out, "usage: leadqctl COMMAND [options]\n\ncommands:\n");
    for (i = 0; i < N_COMMANDS; i++) {
        c = &commands[i];
        if (group != NULL && strcmp(c->group, group) != 0) {
            continue;
        }
        (void)fprintf(out, "  %-26s %s\n", command_name(c, 1, name), c->what);
    }
}

/* --- arguments ----------------------------------------------------------- */

static void
set_option(arguments_t *a, int key, const char *value)
{
    const option_t *o;
    void *field;
    size_t i;

    for (i = 0; i < N_OPTIONS; i++) {
        o = &option_table[i];
        if (o->key != key) {
            continue;
        }
        a->seen[i] = 1;
        if (o->field == NOWHERE) {
            a->version |= key == 'V';
            a->help |= key == 'h';
            continue;
        }
        field = (char *)&a->options + o->field;
        if (o->value != NULL) {
            *(const char **)field = value;
        } else {
            *(int *)field = 1;
        }
    }
}

/* Options may stand anywhere; getopt moves them before the other words. */
static int
read_options(arguments_t *a, int argc, char **argv)
{
    struct option longs[N_OPTIONS + 1];
    size_t i;
    int key;

    memset(longs, 0, sizeof(longs));
    for (i = 0; i < N_OPTIONS; i++) {
        longs[i].name = option_table[i].name;
        longs[i].has_arg = option_table[i].value != NULL;
        longs[i].val = option_table[i].key;
    }
    while ((key = getopt_long(argc, argv, SHORT_OPTIONS, longs, NULL)) != -1) {
        if (key == '?') {
            return -1;
        }
        set_option(a, key, optarg);
    }
    return 0;
}

static int
check_options(const arguments_t *a, const command_t *c)
{
    char name[NAME_SIZE];
    size_t i;

    for (i = 0; i < N_OPTIONS; i++) {
        if (a->seen[i] && !takes(c, &option_table[i])) {
            return ctl_error("%s takes no option --%s",
                             command_name(c, 0, name), option_table[i].name);
        }
    }
    if (!ctl_script_schema_ok(a->options.schema)) {
        return ctl_error("schema \"%s\" is not [a-z][a-z0-9_]* of at most %d "
                         "characters",
                         a->options.schema, CTL_SCRIPT_MAX_SCHEMA);
    }
    return 0;
}

/* The command that the words name; *words is moved behind its name. */
static const command_t *
find_command(char ***words)
{
    const command_t *c;
    char **w;
    size_t i;

    w = *words;
    for (i = 0; w[0] != NULL && i < N_COMMANDS; i++) {
        c = &commands[i];
        if (strcmp(c->group, w[0]) != 0) {
            continue;
        }
        if (c->name == NULL) {
            *words = w + 1;
            return c;
        }
        if (w[1] != NULL && strcmp(c->name, w[1]) == 0) {
            *words = w + 2;
            return c;
        }
    }
    return NULL;
}

/* Takes the words of a command that has one or two; -1: one is missing. */
static int
take_operands(arguments_t *a, const command_t *c, char ***operands)
{
    const char *second;
    char name[NAME_SIZE];

    if (c->operand == NULL) {
        return 0;
    }
    second = strchr(c->operand, ' ');
    if ((*operands)[0] == NULL
        || (second != NULL && second[1] != '[' && (*operands)[1] == NULL))
    {
        return ctl_error("%s needs %s", command_name(c, 0, name), c->operand);
    }
    a->options.operand = *(*operands)++;
    if (second != NULL && (*operands)[0] != NULL) {
        a->options.second = *(*operands)++;
    }
    return 0;
}

static ctl_exit_e
run_command(arguments_t *a, const command_t *c, char **operands)
{

    if (a->help) {
        print_command(stdout, c);
        return CTL_OK;
    }
    if (check_options(a, c) == -1) {
        return CTL_USAGE;
    }
    if (c->operand != NULL && c->operand[0] == '[') {
        a->options.operands = operands;
        return c->run(&a->options);
    }
    if (take_operands(a, c, &operands) == -1) {
        return CTL_USAGE;
    }
    if (operands[0] != NULL) {
        (void)ctl_error("one word too many: \"%s\"", operands[0]);
        return CTL_USAGE;
    }
    return c->run(&a->options);
}

int
main(int argc, char **argv)
{
    const command_t *c;
    arguments_t a;
    char **words;

    memset(&a, 0, sizeof(a));
    a.options.database = env("LEADQ_DATABASE", "");
    a.options.schema = "leadq";
    a.options.sql_dir = env("LEADQ_SQL_DIR", LEADQ_SQL_DIR);
    a.options.lock_timeout = "10s";
    (void)setvbuf(stdout, NULL, _IOLBF, 0);

    if (read_options(&a, argc, argv) == -1) {
        (void)fprintf(stderr, "\"leadqctl COMMAND --help\" tells more.\n");
        return CTL_USAGE;
    }
    if (a.version) {
        (void)printf("leadqctl %s\n", LEADQ_VERSION);
        return CTL_OK;
    }
    words = argv + optind;
    c = find_command(&words);
    if (c != NULL) {
        return run_command(&a, c, words);
    }
    if (a.help) {
        print_usage(stdout, words[0]);
        print_options(stdout, NULL);
        return CTL_OK;
    }
    if (words[0] != NULL && (!is_group(words[0]) || words[1] != NULL)) {
        (void)ctl_error("unknown command \"%s%s%s\"", words[0],
                        words[1] == NULL ? "" : " ",
                        words[1] == NULL ? "" : words[1]);
    }
    print_usage(stderr, words[0]);
    (void)fprintf(stderr, "\n\"leadqctl COMMAND --help\" tells more.\n");
    return CTL_USAGE;
}
