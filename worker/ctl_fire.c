#include "ctl_fire.h"
#include "ctl_error.h"

#include "conf.h"
#include "outcome.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#define CONNECT_TIMEOUT_MS 5000

typedef struct {
    uv_loop_t loop;
    const postback_t *postback; /* borrowed, as the next one */
    const ctl_fire_t *fire;
    outcome_t outcome;
    int ended;
} shot_t;

/* --- the request --------------------------------------------------------- */

void
ctl_fire_print(const char *text)
{
    for (; *text != '\0'; text++) {
        (void)putchar((unsigned char)*text < ' ' || *text == '\177' ? '?'
                                                                    : *text);
    }
    (void)putchar('\n');
}

static void
print_request(const postback_t *postback)
{
    const http_request_t *request = postback_request(postback);
    const char *header;
    size_t i;

    (void)printf("%s ", request->method);
    ctl_fire_print(postback_shown_url(postback));
    for (i = 0; i < request->n_headers; i++) {
        header = postback_shown_header(postback, i);
        if (header[strlen(header) - 1] != ':') {
            ctl_fire_print(header);
        }
    }
    if (postback_shown_body(postback) != NULL) {
        (void)putchar('\n');
        ctl_fire_print(postback_shown_body(postback));
    }
}

/* --- sending ------------------------------------------------------------- */

static void
print_answer(const outcome_t *outcome)
{
    (void)printf("\n%s", outcome_name(outcome->outcome));
    if (outcome->reason != NULL) {
        (void)printf(", %s", outcome->reason);
    }
    if (outcome->http != 0) {
        (void)printf(": status %d", outcome->http);
    }
    (void)printf(" in %ld ms\n", outcome->ms);
    if (outcome->reply[0] != '\0') {
        ctl_fire_print(outcome->reply);
    }
}

static void
on_end(void *data, const http_result_t *result)
{
    shot_t *shot = data;
    const ctl_fire_t *fire = shot->fire;
    const char *hidden[POSTBACK_MAX_HIDDEN];
    size_t n;

    n = fire->hide == NULL ? 0 : fire->hide(fire->data, result, hidden);
    postback_judge(shot->postback, result, hidden, n, &shot->outcome);
    print_answer(&shot->outcome);
    if (fire->tell != NULL) {
        fire->tell(fire->data, result);
    }
    shot->ended = 1;
    uv_stop(&shot->loop);
}

static int
post(shot_t *shot, const conf_t *conf)
{
    static const guard_t public_only;
    transfer_pool_t *pool;
    http_client_t *client = NULL;
    int rc = -1;

    pool = transfer_pool_new(&shot->loop);
    if (pool != NULL) {
        client = http_client_new(pool);
    }
    if (client != NULL) {
        http_client_conf(
            client, conf == NULL ? &public_only : &conf->private_targets,
            conf == NULL ? CONNECT_TIMEOUT_MS : conf->connect_timeout_ms, 0);
        if (http_start(client, postback_request(shot->postback), on_end, shot)
            != NULL) {
            (void)uv_run(&shot->loop, UV_RUN_DEFAULT);
        }
        rc = shot->ended ? 0 : -1;
    }
    http_client_free(client);
    transfer_pool_free(pool);
    (void)uv_run(&shot->loop, UV_RUN_DEFAULT); /* handles close */
    return rc;
}

static int
send_it(const postback_t *postback, const ctl_fire_t *fire, const conf_t *conf)
{
    shot_t shot;
    int rc;

    memset(&shot, 0, sizeof(shot));
    shot.postback = postback;
    shot.fire = fire;
    outcome_init(&shot.outcome);
    if (!postback_port_ok(postback)) {
        return ctl_error("the %s does not name the port: not sent",
                         fire->what);
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return ctl_error("no memory");
    }
    rc = uv_loop_init(&shot.loop);
    if (rc == 0) {
        rc = post(&shot, conf);
        (void)uv_loop_close(&shot.loop);
    }
    curl_global_cleanup();
    if (rc != 0) {
        return ctl_error("no memory");
    }
    return shot.outcome.outcome == OUTCOME_DONE ? 0 : -1;
}

static int
fire_with(const json_t *payload, const ctl_fire_t *fire, const conf_t *conf,
          const ctl_options_t *options)
{
    postback_t *postback;
    fault_t fault;
    int rc = 0;

    postback = postback_new(payload, conf == NULL ? NULL : conf->secrets_dir,
                            time(NULL), fire->told, &fault);
    if (postback == NULL) {
        return ctl_error("%s \"%s\": %s%s", fire->what, options->operand,
                         fault.text,
                         conf == NULL ? "; its secrets are where worker.conf "
                                        "says: --config FILE"
                                      : "");
    }
    print_request(postback);
    if (options->send) {
        rc = send_it(postback, fire, conf);
    }
    postback_free(postback);
    return rc;
}

int
ctl_fire(const json_t *payload, const ctl_fire_t *fire,
         const ctl_options_t *options)
{
    conf_t *conf = NULL;
    char err[512];
    int rc;

    if (options->conf != NULL) {
        conf = conf_load(options->conf, err, sizeof(err));
        if (conf == NULL) {
            return ctl_error("%s", err);
        }
    }
    rc = fire_with(payload, fire, conf, options);
    conf_free(conf);
    return rc;
}
