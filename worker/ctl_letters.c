/*
 * leadqctl letters preview: a letter with sample data, into a file or to an
 * address.  Its links lead to the site and confirm nothing.
 *
 *     the base, or --document ─> template and sender ─> letter ─┬─> file
 *                                                               └─> relay
 */

#include "ctl_command.h"
#include "ctl_db.h"
#include "ctl_document.h"
#include "ctl_error.h"
#include "ctl_sample.h"
#include "ctl_table.h"

#include "conf.h"
#include "dispatch.h"
#include "mime.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BOUNDARY "=-leadq-preview"
#define SEND_TIMEOUT_MS 30000
#define MAX_HOST_NAME 256

/* The template, with its sender beside it. */
static const char *
text_of(const json_t *tpl, const char *key)
{
    return json_string_value(json_object_get(tpl, key));
}

/* --- where the template comes from --------------------------------------- */

static json_t *
of_database(const ctl_options_t *options)
{
    const char *const values[] = {options->operand, options->lang};
    ctl_db_t db;
    PGresult *res;
    json_t *tpl;

    memset(&db, 0, sizeof(db));
    tpl = NULL;
    res = NULL;
    if (ctl_db_open(&db, options) == 0 && ctl_db_begin(&db, 1) == 0) {
        res = ctl_db_query(&db, "select * from leadq._letter_preview($1, $2)",
                           2, values);
    }
    if (res != NULL && PQntuples(res) == 1) {
        tpl = ctl_table_row(res, 0);
    } else if (res != NULL) {
        (void)ctl_error("there is no template \"%s\"%s%s", options->operand,
                        options->lang == NULL ? "" : " in ",
                        options->lang == NULL ? "" : options->lang);
    }
    PQclear(res);
    ctl_db_close(&db);
    return tpl;
}

/* The name of a series of the document that sends the template. */
static const char *
series_of(const json_t *json, const char *name, int *bulk)
{
    const char *used, *kind;
    json_t *series, *step;
    size_t i, k;

    json_array_foreach(json_object_get(json, "series"), i, series)
    {
        json_array_foreach(json_object_get(series, "steps"), k, step)
        {
            used = text_of(step, "template");
            if (used != NULL && strcmp(used, name) == 0) {
                kind = text_of(series, "kind");
                *bulk = kind != NULL
                        && (strcmp(kind, "welcome") == 0
                            || strcmp(kind, "promo") == 0);
                return text_of(series, "name");
            }
        }
    }
    return NULL;
}

/* Adds what the source that sends the template says of its sender. */
static int
add_sender(json_t *tpl, const json_t *json)
{
    const char *series, *used;
    json_t *source;
    size_t i;
    int bulk;

    bulk = 0;
    series = series_of(json, text_of(tpl, "name"), &bulk);
    json_array_foreach(json_object_get(json, "sources"), i, source)
    {
        used = text_of(source, "series");
        if (series != NULL && used != NULL && strcmp(series, used) == 0) {
            if (json_object_set_new(tpl, "source",
                                    json_string(text_of(source, "name")))
                    != 0
                || json_object_update_missing(tpl, source) != 0)
            {
                return -1;
            }
            break;
        }
    }
    return json_object_set_new(tpl, "bulk", json_boolean(bulk));
}

static json_t *
of_document(const ctl_options_t *options)
{
    ctl_document_t doc;
    json_t *item, *tpl;
    size_t i;

    tpl = NULL;
    if (ctl_document_load(&doc, options->document) == 0) {
        json_array_foreach(json_object_get(doc.json, "templates"), i, item)
        {
            if (tpl == NULL
                && strcmp(text_of(item, "name"), options->operand) == 0
                && (options->lang == NULL
                    || strcmp(text_of(item, "lang"), options->lang) == 0))
            {
                tpl = json_copy(item);
            }
        }
        if (tpl == NULL) {
            (void)ctl_error("%s has no template \"%s\"%s%s", options->document,
                            options->operand,
                            options->lang == NULL ? "" : " in ",
                            options->lang == NULL ? "" : options->lang);
        } else if (add_sender(tpl, doc.json) != 0) {
            (void)ctl_error("no memory");
            json_decref(tpl);
            tpl = NULL;
        }
    }
    ctl_document_done(&doc);
    return tpl;
}

/* --- into a file --------------------------------------------------------- */

static int
ends_in(const char *name, const char *end)
{
    return strlen(name) > strlen(end)
           && strcmp(name + strlen(name) - strlen(end), end) == 0;
}

/* All of it, as a mail program opens it. */
static void
write_letter(FILE *out, const smtp_letter_t *smtp)
{
    const char *const *header;

    for (header = smtp->headers; *header != NULL; header++) {
        (void)fprintf(out, "%s\r\n", *header);
    }
    (void)fprintf(out,
                  "Content-Type: multipart/alternative; boundary=\"%s\"\r\n",
                  BOUNDARY);
    (void)fprintf(out,
                  "\r\n--%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                  "Content-Transfer-Encoding: 8bit\r\n\r\n%s",
                  BOUNDARY, smtp->text);
    (void)fprintf(out,
                  "\r\n--%s\r\nContent-Type: text/html; charset=utf-8\r\n"
                  "Content-Transfer-Encoding: 8bit\r\n\r\n%s"
                  "\r\n--%s--\r\n",
                  BOUNDARY, smtp->html, BOUNDARY);
}

static int
write_file(const smtp_letter_t *smtp, const char *name)
{
    FILE *out;
    int rc;

    out = name == NULL ? stdout : fopen(name, "w");
    if (out == NULL) {
        return ctl_error("%s: %s", name, strerror(errno));
    }
    if (name != NULL && ends_in(name, ".html")) {
        (void)fputs(smtp->html, out);
    } else if (name != NULL && ends_in(name, ".txt")) {
        (void)fputs(smtp->text, out);
    } else {
        write_letter(out, smtp);
    }
    rc = fflush(out) != 0 || ferror(out);
    if (name != NULL) {
        rc |= fclose(out) != 0;
    }
    return rc == 0 ? 0
                   : ctl_error("%s: cannot write all of it",
                               name == NULL ? "standard output" : name);
}

/* --- to an address ------------------------------------------------------- */

static void
on_sent(void *data, const smtp_result_t *result)
{
    int *rc = data;

    if (result->end == SMTP_ACCEPTED) {
        *rc = 0;
    } else if (result->end == SMTP_REPLIED) {
        *rc = ctl_error("the relay refuses the letter: %d %s", result->code,
                        result->reply);
    } else {
        *rc = ctl_error("the relay does not answer: %s", result->problem);
    }
}

static int
send_by(const smtp_letter_t *smtp, const conf_t *conf)
{
    char host[MAX_HOST_NAME] = "localhost";
    transfer_pool_t *pool;
    smtp_server_t server;
    uv_loop_t loop;
    int rc;

    if (uv_loop_init(&loop) != 0) {
        return ctl_error("no memory");
    }
    (void)gethostname(host, sizeof(host) - 1);
    dispatch_relay(conf, host, &server);
    rc = -1;
    pool = transfer_pool_new(&loop);
    if (pool == NULL
        || smtp_start(pool, &server, smtp, SEND_TIMEOUT_MS, on_sent, &rc)
               == NULL)
    {
        (void)ctl_error("no memory");
    } else {
        (void)uv_run(&loop, UV_RUN_DEFAULT);
    }
    if (pool != NULL) {
        transfer_pool_free(pool);
    }
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&loop);
    return rc;
}

static int
send_letter(const smtp_letter_t *smtp, const ctl_options_t *options)
{
    char err[512];
    conf_t *conf;
    int rc;

    conf = conf_load(options->conf, err, sizeof(err));
    if (conf == NULL) {
        return ctl_error("%s", err);
    }
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    rc = send_by(smtp, conf);
    curl_global_cleanup();
    conf_free(conf);
    if (rc == 0) {
        (void)printf("handed to the relay, for %s\n", options->to);
    }
    return rc;
}

/* --- the command --------------------------------------------------------- */

static int
show(const ctl_options_t *options, const json_t *tpl)
{
    const ctl_sample_t sample = {
        .to = options->to,
        .from_email = text_of(tpl, "from_email"),
        .from_name = text_of(tpl, "from_name"),
        .base_url = text_of(tpl, "base_url"),
        .source = text_of(tpl, "source"),
        .bulk = json_is_true(json_object_get(tpl, "bulk")),
    };
    letter_t *letter;
    fault_t fault;
    int rc;

    letter = ctl_sample_letter(&sample, tpl, &fault);
    if (letter == NULL) {
        return ctl_error("the letter cannot be written: %s", fault.text);
    }
    rc = 0;
    if (options->out != NULL || options->to == NULL) {
        rc = write_file(letter_smtp(letter), options->out);
    }
    if (rc == 0 && options->to != NULL) {
        rc = send_letter(letter_smtp(letter), options);
    }
    letter_free(letter);
    return rc;
}

ctl_exit_e
ctl_letters_preview(const ctl_options_t *options)
{
    json_t *tpl;
    int rc;

    if (options->to != NULL && !mime_is_address(options->to)) {
        (void)ctl_error("\"%s\" is not an address", options->to);
        return CTL_USAGE;
    }
    if (options->to != NULL && options->conf == NULL) {
        (void)ctl_error("--to needs --config FILE: it names the relay");
        return CTL_USAGE;
    }
    tpl = options->document == NULL ? of_database(options)
                                    : of_document(options);
    rc = tpl == NULL ? -1 : show(options, tpl);
    json_decref(tpl);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}
