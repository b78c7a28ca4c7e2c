/*
 * leadqctl gateways test: the request that a gateway would get for a code
 * that is made up; and what is in its answer, where the document says.
 *
 *     the base, or --document ─> gateway and a text of it ─> payload ─> fire
 */

#include "ctl_command.h"
#include "ctl_db.h"
#include "ctl_document.h"
#include "ctl_error.h"
#include "ctl_fire.h"
#include "ctl_gateways.h"
#include "ctl_rules.h"
#include "ctl_texts.h"
#include "ctl_verifications.h"

#include "jpath.h"
#include "leadq_types.h"
#include "leadq_uuid.h"
#include "macro.h"
#include "segments.h"
#include "verdict.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define CODE "12345678" /* the first digits of it */
#define NOBODY "+79000000000"
#define TEXT "{code}" /* when no step of the document has one */
#define MAX_TEXT 8192
#define LIFE "300"
#define TIMEOUT_MS 10000

/* What is told to the gateway, and what it says. */
typedef struct {
    const json_t *gateway; /* borrowed */
    char code[sizeof(CODE)];
    char chosen[64]; /* the digits of its answer */
    char segments[24];
    buf_t text;
    int show;
} test_t;

/* --- what is sent -------------------------------------------------------- */

/* The first step over the gateway that has a text; and its profile. */
static const json_t *
find_step(const json_t *document, const char *name, const json_t **profile)
{
    const json_t *step;
    const char *used;
    size_t i, k;

    json_array_foreach(json_object_get(document, "verifications"), i,
                       *profile){
        json_array_foreach(json_object_get(*profile, "steps"), k,
                           step){used = ctl_rules_text_of(step, "gateway");
    if (used != NULL && strcmp(used, name) == 0) {
        return step;
    }
}
}
*profile = NULL;
return NULL;
}

/* Its text in the language of the profile, or in any. */
static const char *
text_of(const json_t *step, const json_t *profile)
{
    const char *lang = ctl_rules_text_of(profile, "lang"), *text;
    json_t *texts = json_object_get(step, "text");

    text = lang == NULL ? NULL : ctl_rules_text_of(texts, lang);
    if (text == NULL && json_object_size(texts) > 0) {
        text =
            json_string_value(json_object_iter_value(json_object_iter(texts)));
    }
    return text == NULL ? TEXT : text;
}

static void
write_text(test_t *test, const json_t *document, const char *name)
{
    const char *channel = ctl_rules_text_of(test->gateway, "channel");
    const json_t *step, *profile;
    size_t digits = 4;

    step = find_step(document, name, &profile);
    if (profile != NULL) {
        digits = ctl_profile_digits(profile);
    }
    (void)snprintf(test->code, sizeof(test->code), "%.*s", (int)digits, CODE);
    ctl_texts_write(&test->text, text_of(step, profile), test->code,
                    channel != NULL && strcmp(channel, "sms") == 0
                        ? ctl_rules_text_of(profile, "host")
                        : NULL);
    (void)snprintf(test->segments, sizeof(test->segments), "%ld",
                   segments_count(buf_str(&test->text), test->text.len));
}

static int
read_phone(const char *text, leadq_value_t *phone)
{
    leadq_rule_t rule;
    leadq_code_e code;

    memset(&rule, 0, sizeof(rule));
    rule.type = LEADQ_TYPE_PHONE;
    code = leadq_type_check(&rule, text, strlen(text), 0, phone);
    if (code != LEADQ_OK || phone->len == 0) {
        return ctl_error("--to \"%s\" is no phone", text);
    }
    phone->data[phone->len] = '\0';
    return 0;
}

static json_t *
values_of(const json_t *gateway, const char *id, const char *phone)
{
    const time_t now = time(NULL);
    char date[16], clock[16];
    struct tm tm;

    (void)gmtime_r(&now, &tm);
    (void)strftime(date, sizeof(date), "%Y-%m-%d", &tm);
    (void)strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
    return json_pack("{s:s, s:s, s:s*, s:s, s:s, s:s, s:s, s:s, s:s, s:o}",
                     "phone", phone, "digits", phone + 1, "sender",
                     ctl_rules_text_of(gateway, "sender"), "send_id", id,
                     "validity", LIFE, "captcha_token", "test", "ip",
                     "192.0.2.1", "date", date, "time", clock, "ts",
                     json_sprintf("%lld", (long long)now));
}

/* As SQL would hand it to the worker. */
static json_t *
payload_of(const json_t *gateway, const char *phone)
{
    leadq_uuid_gen_t generator;
    unsigned char uuid[16];
    char id[LEADQ_UUID_LEN + 1];
    json_t *payload;

    leadq_uuid_init(&generator);
    payload = json_deep_copy(gateway);
    if (payload == NULL
        || leadq_uuid_next(&generator, (uint64_t)time(NULL) * 1000, uuid) != 0)
    {
        json_decref(payload);
        return NULL;
    }
    leadq_uuid_format(uuid, id);
    if (json_object_update_new(
            payload,
            json_pack("{s:s, s:o, s:i}", "postback_id", id, "values",
                      values_of(gateway, id, phone), "timeout_ms", TIMEOUT_MS))
            != 0
        || (!ctl_rules_has(payload, "method")
            && json_object_set_new(payload, "method", json_string("GET"))
                   != 0))
    {
        json_decref(payload);
        return NULL;
    }
    return payload;
}

/* --- what comes back ----------------------------------------------------- */

/* The text where the answer of the document says; NULL: it says nowhere. */
static const char *
find(const test_t *test, const json_t *body, const char *key,
     char number[JPATH_NUMBER])
{
    return jpath_text_at(
        body, ctl_rules_text_of(json_object_get(test->gateway, "answer"), key),
        number);
}

/* No code, unless --show; neither ours nor one that the gateway chose. */
static size_t
hide(void *data, const http_result_t *result, const char **hidden)
{
    char number[JPATH_NUMBER];
    test_t *test = data;
    const char *chosen;
    json_t *body;

    if (test->show || result->end != HTTP_REPLIED) {
        return 0;
    }
    body = jpath_body(result->body, result->body_len);
    chosen = find(test, body, "code", number);
    (void)snprintf(test->chosen, sizeof(test->chosen), "%s",
                   chosen == NULL ? "" : chosen);
    json_decref(body);
    hidden[0] = test->code;
    hidden[1] = test->chosen[0] == '\0' ? NULL : test->chosen;
    return 2;
}

/* What the worker will find in such an answer. */
static void
tell(void *data, const http_result_t *result)
{
    static const char *const keys[] = {"id", "code", "operator", "state",
                                       NULL};
    const test_t *test = data;
    const json_t *answer = json_object_get(test->gateway, "answer");
    char number[JPATH_NUMBER];
    const char *const *key;
    const char *text;
    json_t *body;

    if (result->end != HTTP_REPLIED) {
        return;
    }
    body = jpath_body(result->body, result->body_len);
    for (key = keys; *key != NULL; key++) {
        if (!ctl_rules_has(answer, *key)) {
            continue;
        }
        text = find(test, body, *key, number);
        (void)printf("%s: ", *key);
        if (text == NULL) {
            (void)printf("nothing at %s\n", ctl_rules_text_of(answer, *key));
        } else {
            ctl_fire_print(
                strcmp(*key, "code") == 0 && !test->show ? macro_stars : text);
        }
    }
    if (ctl_rules_has(answer, "state")) {
        (void)printf("verdict: %s\n", verdict_read(answer, body));
    }
    json_decref(body);
}

/* --- the command --------------------------------------------------------- */

static int
test_gateway(const json_t *document, const ctl_options_t *options)
{
    test_t test = {.show = options->show};
    postback_told_t told = {.made_up = options->show};
    const ctl_fire_t fire = {"gateway", &told, hide, tell, &test};
    leadq_value_t phone;
    json_t *payload;
    int rc = -1;

    test.gateway = ctl_gateways_find(document, options->operand);
    if (test.gateway == NULL) {
        return ctl_error("there is no gateway \"%s\"", options->operand);
    }
    if (read_phone(options->to == NULL ? NOBODY : options->to, &phone) == -1) {
        return -1;
    }
    buf_init(&test.text, MAX_TEXT);
    write_text(&test, document, options->operand);
    told.code = test.code;
    told.text = buf_str(&test.text);
    told.segments = test.segments;
    payload = payload_of(test.gateway, phone.data);
    if (payload == NULL || test.text.failed) {
        (void)ctl_error("no memory");
    } else if (options->send && options->to == NULL
               && !ctl_gateways_judges(
                   ctl_rules_text_of(test.gateway, "channel")))
    {
        (void)ctl_error("--send needs --to PHONE");
    } else {
        rc = ctl_fire(payload, &fire, options);
    }
    json_decref(payload);
    buf_done(&test.text);
    return rc;
}

ctl_exit_e
ctl_gateways_test(const ctl_options_t *options)
{
    ctl_document_t doc;
    json_t *document;
    ctl_db_t db;
    int rc = -1;

    if (options->document != NULL) {
        if (ctl_document_load(&doc, options->document) == 0) {
            rc = test_gateway(doc.json, options);
        }
        ctl_document_done(&doc);
        return rc == 0 ? CTL_OK : CTL_FAILED;
    }
    memset(&db, 0, sizeof(db));
    if (ctl_db_open(&db, options) == 0 && ctl_db_begin(&db, 1) == 0) {
        document = ctl_document_in_force(&db);
        rc = document == NULL ? -1 : test_gateway(document, options);
        json_decref(document);
    }
    ctl_db_close(&db);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}
