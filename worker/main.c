/*
 * leadq-worker: arguments, signals, the service manager, and the way down.
 *
 *              SIGTERM, SIGINT            all settled
 *     RUNNING ─────────────────> STOPPING ───────────> exit 0
 *        │ ^                        │ shutdown_timeout, or a second signal
 *        └─┘ SIGHUP                 └──────────────────> exit 3
 */

#include "conf.h"
#include "figures.h"
#include "log.h"
#include "mailbox.h"
#include "queue.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>
#include <uv.h>

#define DEFAULT_CONF "/etc/leadq/worker.conf"
#define GOODBYE_S 3

enum { EXIT_START = 1, EXIT_USAGE = 2, EXIT_LEFT = 3 };

typedef enum { RUNNING, STOPPING } run_state_e;

typedef struct {
    uv_loop_t loop;
    const char *conf_path; /* borrowed */
    conf_t *conf;          /* owned */
    queue_t *queue;        /* owned */
    mailbox_t *mailbox;    /* owned; NULL: none is read */
    figures_t *figures;    /* owned; NULL: nobody may look */
    run_state_e state;
    char name[300]; /* in leases and the log */
    uv_signal_t signals[3];
    uv_timer_t watchdog;
    uv_timer_t deadline; /* shutdown_timeout */
    int status;          /* of the exit */
} worker_t;

static void
usage(FILE *out)
{
    (void)fputs("usage: leadq-worker [-c FILE] [-t] [-V] [-h]\n"
                "  -c FILE  configuration (" DEFAULT_CONF ")\n"
                "  -t       check the configuration and exit\n"
                "  -V       print the version and exit\n",
                out);
}

static void
end_loop(worker_t *worker, int status)
{
    worker->status = status;
    uv_stop(&worker->loop);
}

static void
on_drained(void *data)
{
    end_loop(data, EXIT_SUCCESS);
}

static void
on_deadline(uv_timer_t *timer)
{
    worker_t *worker = timer->data;

    log_warn("worker abandon held=%zu reason=\"shutdown timeout\"",
             queue_held(worker->queue));
    end_loop(worker, EXIT_LEFT);
}

static void
on_term(uv_signal_t *signal_, int number)
{
    worker_t *worker = signal_->data;

    switch (worker->state) {
    case RUNNING:
        worker->state = STOPPING;
        log_info("worker stop signal=%d held=%zu", number,
                 queue_held(worker->queue));
        (void)sd_notify(0, "STOPPING=1");
        (void)uv_timer_start(&worker->deadline, on_deadline,
                             (uint64_t)worker->conf->shutdown_timeout_ms, 0);
        queue_stop(worker->queue, on_drained, worker);
        break;
    case STOPPING:
        log_warn("worker abandon held=%zu reason=\"second signal\"",
                 queue_held(worker->queue));
        _exit(EXIT_LEFT);
    }
}

/* Begins, goes on or ends to read a mailbox, as the configuration says. */
static int
set_mailbox(worker_t *worker, const conf_t *conf)
{
    if (*conf->imap_url == '\0') {
        mailbox_free(worker->mailbox);
        worker->mailbox = NULL;
        return 0;
    }
    if (worker->mailbox != NULL) {
        mailbox_conf(worker->mailbox, conf);
        return 0;
    }
    worker->mailbox = mailbox_new(&worker->loop, conf, worker->name);
    return worker->mailbox == NULL ? -1 : 0;
}

static void
on_hup(uv_signal_t *signal_, int number)
{
    worker_t *worker = signal_->data;
    char err[512], text[LOG_TEXT_SIZE];
    const char *key;
    conf_t *conf;

    (void)number;
    if (worker->state != RUNNING) {
        return;
    }
    (void)sd_notify(0, "RELOADING=1");
    conf = conf_load(worker->conf_path, err, sizeof(err));
    if (conf == NULL) {
        log_error("conf refuse reason=%s", log_text(text, err));
        (void)sd_notify(0, "READY=1\nSTATUS=the changed configuration was "
                           "refused, see the log");
        return;
    }
    key = conf_needs_restart(worker->conf, conf);
    if (key != NULL) {
        log_warn("conf ignore key=%s reason=\"needs a restart\"", key);
    }
    queue_conf(worker->queue, conf);
    if (set_mailbox(worker, conf) != 0) {
        log_error("conf refuse reason=memory");
    }
    conf_free(worker->conf);
    worker->conf = conf;
    log_set_level((log_level_e)conf->log_level);
    log_info("conf reload file=%s", log_text(text, worker->conf_path));
    (void)sd_notify(0, "READY=1\nSTATUS=");
}

/* The loop itself feeds the watchdog: a loop that hangs does not. */
static void
on_watchdog(uv_timer_t *timer)
{
    (void)timer;
    (void)sd_notify(0, "WATCHDOG=1");
}

static void
watch_signals(worker_t *worker)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    static const uv_signal_cb fns[] = {on_term, on_term, on_hup};
    size_t i;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        (void)uv_signal_init(&worker->loop, &worker->signals[i]);
        worker->signals[i].data = worker;
        (void)uv_signal_start(&worker->signals[i], fns[i], numbers[i]);
    }
    (void)signal(SIGPIPE, SIG_IGN);
}

static void
watch_time(worker_t *worker)
{
    uint64_t limit_us, half_ms;

    (void)uv_timer_init(&worker->loop, &worker->watchdog);
    (void)uv_timer_init(&worker->loop, &worker->deadline);
    worker->deadline.data = worker;
    limit_us = 0;
    if (sd_watchdog_enabled(0, &limit_us) > 0) {
        half_ms = limit_us / 2000;
        (void)uv_timer_start(&worker->watchdog, on_watchdog, half_ms, half_ms);
    }
}

/* Sockets: connections of both pools, two of libpq, a few of libuv. */
static void
raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0
        && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max < 8192 ? limit.rlim_max : 8192;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* The metrics, unless the configuration wants none. */
static int
start_figures(worker_t *worker)
{
    char text[LOG_TEXT_SIZE];
    fault_t fault;

    if (worker->conf->metrics_listen[0] == '\0') {
        return 0;
    }
    worker->figures = figures_new(&worker->loop, worker->conf->metrics_listen,
                                  worker->queue, &fault);
    if (worker->figures == NULL) {
        log_error("worker fail key=metrics_listen reason=%s",
                  log_text(text, fault.text));
        return -1;
    }
    return 0;
}

static int
start(worker_t *worker)
{
    char host[256];

    raise_file_limit();
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK
        || uv_loop_init(&worker->loop) != 0
        || uv_loop_configure(&worker->loop, UV_METRICS_IDLE_TIME) != 0)
    {
        log_error("worker fail reason=\"cannot start libraries\"");
        return -1;
    }
    if (gethostname(host, sizeof(host)) != 0) {
        (void)snprintf(host, sizeof(host), "localhost");
    }
    host[sizeof(host) - 1] = '\0';
    (void)snprintf(worker->name, sizeof(worker->name), "%s:%ld", host,
                   (long)getpid());
    watch_signals(worker);
    watch_time(worker);
    worker->queue = queue_new(&worker->loop, worker->conf, worker->name);
    if (worker->queue == NULL || set_mailbox(worker, worker->conf) != 0) {
        log_error("worker fail reason=memory");
        return -1;
    }
    if (start_figures(worker) != 0) {
        return -1;
    }
    log_info("worker start version=" LEADQ_VERSION " name=%s"
             " max_inflight=%ld lease_s=%ld",
             worker->name, worker->conf->max_inflight,
             worker->conf->lease_ms / 1000);
    (void)sd_notify(0, "READY=1");
    return 0;
}

static void
on_goodbye(int number)
{
    (void)number;
    _exit(EXIT_SUCCESS);
}

static void
finish(worker_t *worker)
{
    size_t i;

    /*
     * libcurl says QUIT to mail servers and waits for each answer.  All is
     * settled: a server that hangs does not hold us.
     */
    if (worker->status == EXIT_SUCCESS) {
        (void)signal(SIGALRM, on_goodbye);
        (void)alarm(GOODBYE_S);
    } else {
        _exit(worker->status);
    }
    figures_free(worker->figures);
    mailbox_free(worker->mailbox);
    queue_free(worker->queue);
    for (i = 0; i < sizeof(worker->signals) / sizeof(worker->signals[0]); i++)
    {
        uv_close((uv_handle_t *)&worker->signals[i], NULL);
    }
    uv_close((uv_handle_t *)&worker->watchdog, NULL);
    uv_close((uv_handle_t *)&worker->deadline, NULL);
    (void)uv_run(&worker->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&worker->loop);
    conf_free(worker->conf);
    curl_global_cleanup();
    (void)alarm(0);
}

/* -1: go on; otherwise the exit status. */
static int
read_arguments(worker_t *worker, int argc, char **argv, int *test)
{
    int option;

    while ((option = getopt(argc, argv, "c:tVh")) != -1) {
        switch (option) {
        case 'c':
            worker->conf_path = optarg;
            break;
        case 't':
            *test = 1;
            break;
        case 'V':
            (void)puts("leadq-worker " LEADQ_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            usage(stdout);
            return EXIT_SUCCESS;
        default:
            usage(stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        usage(stderr);
        return EXIT_USAGE;
    }
    return -1;
}

int
main(int argc, char **argv)
{
    static worker_t worker;
    char err[512];
    int status, test;

    test = 0;
    worker.conf_path = DEFAULT_CONF;
    status = read_arguments(&worker, argc, argv, &test);
    if (status != -1) {
        return status;
    }
    worker.conf = conf_load(worker.conf_path, err, sizeof(err));
    if (worker.conf == NULL) {
        (void)fprintf(stderr, "%s\n", err);
        return EXIT_START;
    }
    if (test) {
        (void)fprintf(stderr, "%s: good\n", worker.conf_path);
        conf_free(worker.conf);
        return EXIT_SUCCESS;
    }
    log_set_level((log_level_e)worker.conf->log_level);
    if (start(&worker) != 0) {
        return EXIT_START;
    }
    (void)uv_run(&worker.loop, UV_RUN_DEFAULT);
    finish(&worker);
    return worker.status;
}
