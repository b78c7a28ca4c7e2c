/*
 * leadqctl networks test: the request that a network would get, with made-up
 * values and without its secrets; --send sends it, in the worker's own way.
 */

#include "ctl_command.h"
#include "ctl_db.h"
#include "ctl_error.h"

#include "conf.h"
#include "http.h"
#include "macro.h"
#include "outcome.h"
#include "postback.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#define CONNECT_TIMEOUT_MS 5000
#define SIGNATURE "webhook-signature: "

typedef struct {
    uv_loop_t loop;
    const postback_t *postback; /* borrowed */
    outcome_t outcome;
    int ended;
} fire_t;

static const char *const statuses[] = {"processed", "approved", "rejected",
                                       "hold"};

/* --- the request --------------------------------------------------------- */

/* Whatever a value holds does not write to the operator's terminal. */
static void
print_clean(const char *text)
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
    print_clean(postback_shown_url(postback));
    for (i = 0; i < request->n_headers; i++) {
        header = request->headers[i];
        if (strncmp(header, SIGNATURE, strlen(SIGNATURE)) == 0) {
            (void)printf(SIGNATURE "%s\n", macro_stars);
        } else if (header[strlen(header) - 1] != ':') {
            print_clean(header);
        }
    }
    if (postback_shown_body(postback) != NULL) {
        (void)putchar('\n');
        print_clean(postback_shown_body(postback));
    }
}

/* --- sending ------------------------------------------------------------- */

static void
on_end(void *data, const http_result_t *result)
{
    fire_t *fire = data;

    postback_judge(fire->postback, result, NULL, 0, &fire->outcome);
    fire->ended = 1;
    uv_stop(&fire->loop);
}

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
        print_clean(outcome->reply);
    }
}

static int
post(fire_t *fire, const conf_t *conf)
{
    static const guard_t public_only;
    transfer_pool_t *pool;
    http_client_t *client = NULL;
    int rc = -1;

    pool = transfer_pool_new(&fire->loop);
    if (pool != NULL) {
        client = http_client_new(pool);
    }
    if (client != NULL) {
        http_client_conf(
            client, conf == NULL ? &public_only : &conf->private_targets,
            conf == NULL ? CONNECT_TIMEOUT_MS : conf->connect_timeout_ms, 0);
        if (http_start(client, postback_request(fire->postback), on_end, fire)
            != NULL) {
            (void)uv_run(&fire->loop, UV_RUN_DEFAULT);
        }
        rc = fire->ended ? 0 : -1;
    }
    http_client_free(client);
    transfer_pool_free(pool);
    (void)uv_run(&fire->loop, UV_RUN_DEFAULT); /* handles close */
    return rc;
}

static int
send_it(const postback_t *postback, const conf_t *conf)
{
    fire_t fire;
    int rc;

    memset(&fire, 0, sizeof(fire));
    fire.postback = postback;
    outcome_init(&fire.outcome);
    if (!postback_port_ok(postback)) {
        return ctl_error("the network does not name the port: not sent");
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return ctl_error("no memory");
    }
    rc = uv_loop_init(&fire.loop);
    if (rc == 0) {
        rc = post(&fire, conf);
        (void)uv_loop_close(&fire.loop);
    }
    curl_global_cleanup();
    if (rc != 0) {
        return ctl_error("no memory");
    }
    print_answer(&fire.outcome);
    return fire.outcome.outcome == OUTCOME_DONE ? 0 : -1;
}

/* --- the command --------------------------------------------------------- */

static json_t *
get_payload(ctl_db_t *db, const ctl_options_t *options)
{
    const char *const values[] = {options->operand, options->status,
                                  options->click_id};
    json_t *payload = NULL;
    PGresult *res;

    if (ctl_db_open(db, options) == -1 || ctl_db_begin(db, 1) == -1) {
        return NULL;
    }
    res = ctl_db_query(db,
                       "select leadq.network_sample($1, jsonb_build_object("
                       "'status', $2::text, 'click_id', $3::text))",
                       3, values);
    if (res == NULL) {
        return NULL;
    }
    if (PQgetisnull(res, 0, 0)) {
        (void)ctl_error("there is no network \"%s\"", options->operand);
    } else {
        payload = json_loads(PQgetvalue(res, 0, 0), 0, NULL);
        if (payload == NULL) {
            (void)ctl_error("network_sample() returned no JSON");
        }
    }
    PQclear(res);
    return payload;
}

static int
test_fire(const json_t *payload, const conf_t *conf,
          const ctl_options_t *options)
{
    postback_t *postback;
    fault_t fault;
    int rc = 0;

    postback = postback_new(payload, conf == NULL ? NULL : conf->secrets_dir,
                            time(NULL), NULL, &fault);
    if (postback == NULL) {
        return ctl_error("network \"%s\": %s%s", options->operand, fault.text,
                         conf == NULL ? "; its secrets are where worker.conf "
                                        "says: --config FILE"
                                      : "");
    }
    print_request(postback);
    if (options->send) {
        rc = send_it(postback, conf);
    }
    postback_free(postback);
    return rc;
}

ctl_exit_e
ctl_networks_test(const ctl_options_t *options)
{
    conf_t *conf = NULL;
    json_t *payload;
    char err[512];
    ctl_db_t db;
    size_t i, n;
    int rc = -1;

    n = sizeof(statuses) / sizeof(statuses[0]);
    for (i = 0; options->status != NULL && i < n; i++) {
        if (strcmp(statuses[i], options->status) == 0) {
            break;
        }
    }
    if (i == n) {
        (void)ctl_error("--status \"%s\" is not processed, approved, rejected "
                        "or hold",
                        options->status);
        return CTL_USAGE;
    }
    if (options->conf != NULL) {
        conf = conf_load(options->conf, err, sizeof(err));
        if (conf == NULL) {
            (void)ctl_error("%s", err);
            return CTL_FAILED;
        }
    }
    memset(&db, 0, sizeof(db));
    payload = get_payload(&db, options);
    if (payload != NULL) {
        rc = test_fire(payload, conf, options);
    }
    json_decref(payload);
    ctl_db_close(&db);
    conf_free(conf);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}
