/*
 * Webhooks of the business document: networks with values of their own.
 */

#include "ctl_rules.h"

#include "buf.h"
#include "macro.h"
#include "postback.h"
#include "webhook.h"

#include <string.h>

#define NAME_CHARS                                             \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123" \
    "456789_"

/* A value that postbacks have, in the place of those that they have not. */
#define ANY "rand"

/* How much of p is the name of a webhook's own value, behind its "{" or "{_";
 * 0: none. */
static size_t
own_name(const char *p)
{
    char name[MACRO_MAX_NAME + 1];
    size_t len;

    len = strspn(p, NAME_CHARS);
    if (len == 0 || len > MACRO_MAX_NAME) {
        return 0;
    }
    memcpy(name, p, len);
    name[len] = '\0';
    return webhook_is_name(name) ? len : 0;
}

/* The text as a postback's, NULL: longer than one may be, or no memory. */
static json_t *
as_postback(const char *text)
{
    json_t *result;
    const char *p;
    size_t len;
    buf_t out;

    buf_init(&out, POSTBACK_MAX_BODY);
    for (p = text; *p != '\0'; p++) {
        buf_add_char(&out, *p);
        if (*p != '{') {
            continue;
        }
        if (p[1] == '_') {
            buf_add_char(&out, *++p);
        }
        len = own_name(p + 1);
        if (len > 0) {
            buf_add_str(&out, ANY);
            p += len;
        }
    }
    result = out.failed ? NULL : json_string(buf_str(&out));
    buf_done(&out);
    return result;
}

static void
check_any(ctl_check_t *check, json_t *value)
{
    (void)check;
    (void)value; /* by ctl_network_check() */
}

static void
rewrite(ctl_check_t *check, json_t *network, const char *key)
{
    const char *text;
    json_t *other;

    text = ctl_rules_text_of(network, key);
    if (text == NULL) {
        return;
    }
    other = as_postback(text);
    if (other == NULL) {
        ctl_check_fail_key(check, key, "is longer than %d bytes",
                           POSTBACK_MAX_BODY);
    } else {
        (void)json_object_set_new(network, key, other);
    }
}

static void
check_webhook(ctl_check_t *check, json_t *value)
{
    static const ctl_key_t keys[] = {
        {"name", 1, check_any},  {"method", 0, check_any},
        {"url", 1, check_any},   {"content_type", 0, check_any},
        {"body", 0, check_any},  {"secret", 0, check_any},
        {"match", 0, check_any}, {"permanent", 0, check_any},
        {"sign", 0, check_any},  {"concurrency", 0, check_any},
        {"rate", 0, check_any},  {"ports", 0, check_any},
        {NULL, 0, NULL},
    };
    size_t before = check->n_problems;
    json_t *network;

    if (ctl_check_object(check, value, keys) == -1
        || check->n_problems > before) {
        return;
    }
    network = json_deep_copy(value);
    if (network == NULL) {
        ctl_check_fail(check, "no memory");
        return;
    }
    if (ctl_rules_text_of(network, "method") == NULL) {
        (void)json_object_set_new(network, "method", json_string("POST"));
    }
    rewrite(check, network, "url");
    rewrite(check, network, "body");
    ctl_network_check(check, network);
    json_decref(network);
}

void
ctl_webhooks_check(ctl_check_t *check, json_t *list)
{
    ctl_check_list(check, list, check_webhook);
}
