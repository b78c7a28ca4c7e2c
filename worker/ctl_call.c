#include "ctl_call.h"

#include "ctl_rules.h"
#include "ctl_value.h"

#include "guard.h"
#include "macro.h"
#include "rate.h"
#include "url.h"

#include <string.h>

#define MAX_CONCURRENCY 1000
#define MAX_PORT 65535

static void
fail_fault(ctl_check_t *check, const fault_t *fault)
{
    if (fault->line > 1) {
        ctl_check_fail(check, "%s (line %d of the text)", fault->text,
                       fault->line);
    } else {
        ctl_check_fail(check, "%s", fault->text);
    }
}

/* --- single keys --------------------------------------------------------- */

void
ctl_call_method(ctl_check_t *check, json_t *value)
{
    const char *text;
    fault_t fault;

    text = ctl_check_string(check, value);
    if (text != NULL && postback_check_method(text, &fault) == -1) {
        fail_fault(check, &fault);
    }
}

void
ctl_call_content_type(ctl_check_t *check, json_t *value)
{
    macro_encoding_e encoding;
    const char *text;
    fault_t fault;

    text = ctl_check_string(check, value);
    if (text != NULL && postback_encoding(text, &encoding, &fault) == -1) {
        fail_fault(check, &fault);
    }
}

void
ctl_call_string(ctl_check_t *check, json_t *value)
{
    (void)ctl_check_string(check, value); /* the rest by ctl_call_whole() */
}

void
ctl_call_secret(ctl_check_t *check, json_t *value)
{
    ctl_rules_value(check, value, ctl_value_secret);
}

void
ctl_call_match(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"type", 1, ctl_call_string},
        {"value", 0, ctl_call_string},
        {NULL, 0, NULL},
    };
    const char *type;
    fault_t fault;

    if (ctl_check_object(check, value, keys) == -1) {
        return;
    }
    type = ctl_rules_text_of(value, "type");
    if (type != NULL
        && postback_check_match(type, ctl_rules_text_of(value, "value"),
                                &fault)
               == -1)
    {
        fail_fault(check, &fault);
    }
}

void
ctl_call_concurrency(ctl_check_t *check, json_t *value)
{
    ctl_rules_count(check, value, 1, MAX_CONCURRENCY);
}

void
ctl_call_rate(ctl_check_t *check, json_t *value)
{
    /* what numeric(9, 3) keeps of it must be more than nothing */
    if (!json_is_number(value) || json_number_value(value) < 0.001
        || json_number_value(value) > RATE_MAX)
    {
        ctl_check_fail(check, "is not a number a second from 0.001 to %d",
                       RATE_MAX);
    }
}

static void
check_port(ctl_check_t *check, json_t *value)
{
    ctl_rules_count(check, value, 1, MAX_PORT);
}

void
ctl_call_ports(ctl_check_t *check, json_t *value)
{
    ctl_check_list(check, value, check_port);
    if (json_array_size(value) > GUARD_MAX_PORTS) {
        ctl_check_fail(check, "has more than %d ports", GUARD_MAX_PORTS);
    }
}

/* --- macros -------------------------------------------------------------- */

typedef struct {
    postback_macro_pt macro;
    const char *name; /* looked for; NULL: none */
    int named;
} seeker_t;

static const char *
seek(void *data, const char *name, macro_known_e *known)
{
    char own[ALIAS_MAX + 1];
    seeker_t *seeker = data;

    if (seeker->macro(name, own, known) != NULL && seeker->name != NULL) {
        seeker->named |= strcmp(own, seeker->name) == 0;
    }
    return NULL;
}

static const char *
no_hmac(void *data, const char *digest, const char *key, const char *text)
{
    (void)data;
    (void)digest;
    (void)key;
    (void)text;
    return NULL;
}

static int
names(const char *text, macro_encoding_e encoding, seeker_t *seeker,
      fault_t *fault)
{
    const macro_values_t values = {seek, no_hmac, seeker};

    return text == NULL ? 0
                        : macro_expand(text, strlen(text), encoding, &values,
                                       NULL, fault);
}

int
ctl_call_names(const json_t *call, const char *name, postback_macro_pt macro)
{
    seeker_t seeker = {macro, name, 0};
    macro_encoding_e encoding;
    const json_t *header;
    const char *header_name;
    fault_t fault;

    if (postback_encoding(ctl_rules_text_of(call, "content_type"), &encoding,
                          &fault)
        == -1)
    {
        encoding = MACRO_URL; /* said already */
    }
    (void)names(ctl_rules_text_of(call, "url"), MACRO_URL, &seeker, &fault);
    (void)names(ctl_rules_text_of(call, "body"), encoding, &seeker, &fault);
    json_object_foreach(json_object_get(call, "headers"), header_name, header)
    {
        (void)names(json_string_value(header), MACRO_HEADER, &seeker, &fault);
    }
    return seeker.named;
}

void
ctl_call_text(ctl_check_t *check, json_t *value, size_t max,
              postback_macro_pt macro)
{
    seeker_t seeker = {macro, NULL, 0};
    const char *text, *p;
    fault_t fault;

    text = ctl_check_string(check, value);
    if (text == NULL) {
        return;
    }
    for (p = text; *p >= ' ' && *p <= '~'; p++) {
    }
    if (*p != '\0' || p == text || strlen(text) > max) {
        ctl_check_fail(check, "is not of 1 to %zu printable ASCII characters",
                       max);
    } else if (names(text, MACRO_HEADER, &seeker, &fault) == -1) {
        fail_fault(check, &fault);
    }
}

/* --- the whole ----------------------------------------------------------- */

/* A port that is not usual is named, so that nobody reaches it by mistake. */
static void
check_port_of_url(ctl_check_t *check, const char *url, const json_t *ports)
{
    long extra[GUARD_MAX_PORTS], port;
    size_t n;

    for (n = 0; n < json_array_size(ports) && n < GUARD_MAX_PORTS; n++) {
        extra[n] = (long)json_integer_value(json_array_get(ports, n));
    }
    port = url_port(url, strlen(url));
    if (!guard_port(port, extra, n)) {
        ctl_check_fail(
            check, "port %ld is not 80 or 443: name it in \"ports\"", port);
    }
}

static void
check_url(ctl_check_t *check, const char *url, const json_t *ports,
          postback_macro_pt macro)
{
    fault_t fault;
    size_t mark;

    if (url == NULL) {
        return; /* said already */
    }
    mark = ctl_check_enter(check, "url");
    if (postback_check_url(url, strlen(url), macro, &fault) == -1) {
        fail_fault(check, &fault);
    } else {
        check_port_of_url(check, url, ports);
    }
    ctl_check_leave(check, mark);
}

/* A body takes a method and a type that fit. */
static void
check_body(ctl_check_t *check, const json_t *call, const char *method,
           postback_macro_pt macro)
{
    const char *body = ctl_rules_text_of(call, "body"),
               *type = ctl_rules_text_of(call, "content_type");
    macro_encoding_e encoding;
    fault_t fault;
    size_t mark;

    if (body == NULL) {
        return;
    }
    mark = ctl_check_enter(check, "body");
    if (strcmp(method, "POST") != 0) {
        ctl_check_fail(check, "needs the method POST");
    }
    if (type == NULL) {
        ctl_check_fail(check, "needs a content_type");
    } else if (postback_encoding(type, &encoding, &fault) == 0
               && postback_check_body(body, strlen(body), type, macro, &fault)
                      == -1)
    {
        fail_fault(check, &fault);
    }
    ctl_check_leave(check, mark);
}

void
ctl_call_whole(ctl_check_t *check, const json_t *call, const json_t *ports,
               const char *method, postback_macro_pt macro)
{
    const char *own;

    own = ctl_rules_text_of(call, "method");
    check_url(check, ctl_rules_text_of(call, "url"), ports, macro);
    check_body(check, call, own == NULL ? method : own, macro);
}

void
ctl_call_token(ctl_check_t *check, const json_t *owner, const json_t *call,
               postback_macro_pt macro)
{
    if (ctl_rules_text_of(owner, "secret") == NULL
        && ctl_call_names(call, "token", macro))
    {
        ctl_check_fail_key(check, "secret",
                           "is missing, and {token} stands for it");
    }
}
