/*
 * Owns the names of states and errors, and the ways of signing.
 */

#include "receipt.h"
#include "buf.h"
#include "jpath.h"
#include "secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SIGNED (256 * 1024)
#define BASE64_MAX (EVP_MAX_MD_SIZE * 4 / 3 + 4)

/* From the sixth on nothing has arrived. */
static const char *const states[] = {"queued",  "sent",     "delivered",
                                     "read",    "clicked",  "undelivered",
                                     "expired", "rejected", "unknown"};

static const char *const errors[] = {"none",    "bad_number", "unreachable",
                                     "blocked", "no_money",   "sender",
                                     "gateway", "unknown"};

#define FAILED_FIRST 5
#define FAILED_LAST 7

typedef int (*proves_pt)(const json_t *receipts, json_t *body,
                         const char *signature, const char *secret);

static int proves_smsc(const json_t *receipts, json_t *body,
                       const char *signature, const char *secret);
static int proves_twilio(const json_t *receipts, json_t *body,
                         const char *signature, const char *secret);

static const struct {
    const char *name;
    proves_pt proves; /* NULL: there is no signature */
} verifiers[] = {
    {"none", NULL},
    {"smsc", proves_smsc},
    {"twilio", proves_twilio},
};

static const char *
text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* --- signatures ---------------------------------------------------------- */

/* Does the text, whatever its case, say these bytes in hex? */
static int
says_hex(const char *text, const unsigned char *bytes, size_t n)
{
    char hex[2 * EVP_MAX_MD_SIZE + 1], said[2 * EVP_MAX_MD_SIZE + 1];
    size_t i;

    if (strlen(text) != 2 * n) {
        return 0;
    }
    for (i = 0; i < n; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
    }
    for (i = 0; i < 2 * n; i++) {
        said[i] = (char)tolower((unsigned char)text[i]);
    }
    return CRYPTO_memcmp(said, hex, 2 * n) == 0;
}

static int
is_digest(const EVP_MD *md, const char *text, const char *said)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    return EVP_Digest(text, strlen(text), bytes, &n, md, NULL) == 1
           && says_hex(said, bytes, n);
}

static int
proves_smsc(const json_t *receipts, json_t *body, const char *signature,
            const char *secret)
{
    static const char *const names[] = {"id", "phone", "status"};
    const char *md5 = text_of(body, "md5"), *sha1 = text_of(body, "sha1");
    char number[JPATH_NUMBER];
    const char *value;
    buf_t text;
    size_t i;
    int good;

    (void)receipts;
    (void)signature;
    buf_init_secret(&text, MAX_SIGNED);
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        value = jpath_text(json_object_get(body, names[i]), number);
        buf_add_str(&text, value == NULL ? "" : value);
        buf_add_char(&text, ':');
    }
    buf_add_str(&text, secret);
    good = !text.failed && (md5 != NULL || sha1 != NULL)
           && (md5 == NULL || is_digest(EVP_md5(), buf_str(&text), md5))
           && (sha1 == NULL || is_digest(EVP_sha1(), buf_str(&text), sha1));
    buf_done(&text);
    return good;
}

static int
compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A name with each of its values: one, or an array of them, in order. */
static int
add_field(buf_t *text, const char *name, const json_t *value)
{
    const char *values[RECEIPT_MAX_FIELDS];
    size_t i, n;

    n = json_is_array(value) ? json_array_size(value) : 1;
    if (n > RECEIPT_MAX_FIELDS) {
        return -1;
    }
    for (i = 0; i < n; i++) {
        values[i] = json_string_value(
            json_is_array(value) ? json_array_get(value, i) : value);
        if (values[i] == NULL) {
            return -1;
        }
    }
    qsort(values, n, sizeof(values[0]), compare);
    for (i = 0; i < n; i++) {
        if (i == 0 || strcmp(values[i], values[i - 1]) != 0) {
            buf_add_str(text, name);
            buf_add_str(text, values[i]);
        }
    }
    return 0;
}

static int
add_fields(buf_t *text, json_t *body)
{
    const char *names[RECEIPT_MAX_FIELDS], *name;
    const json_t *value;
    size_t i, n = 0;

    if (json_object_size(body) > RECEIPT_MAX_FIELDS) {
        return -1;
    }
    json_object_foreach(body, name, value)
    {
        names[n++] = name;
    }
    qsort(names, n, sizeof(names[0]), compare);
    for (i = 0; i < n; i++) {
        if (add_field(text, names[i], json_object_get(body, names[i])) != 0) {
            return -1;
        }
    }
    return text->failed ? -1 : 0;
}

static int
proves_twilio(const json_t *receipts, json_t *body, const char *signature,
              const char *secret)
{
    const char *url = text_of(receipts, "verify_url");
    unsigned char bytes[EVP_MAX_MD_SIZE], base64[BASE64_MAX + 1];
    unsigned n = 0;
    buf_t text;
    int len, good;

    if (url == NULL || signature == NULL || !json_is_object(body)) {
        return 0;
    }
    buf_init(&text, MAX_SIGNED);
    buf_add_str(&text, url);
    good = add_fields(&text, body) == 0
           && HMAC(EVP_sha1(), secret, (int)strlen(secret),
                   (const unsigned char *)buf_str(&text), text.len, bytes, &n)
                  != NULL;
    if (good) {
        len = EVP_EncodeBlock(base64, bytes, (int)n);
        good = strlen(signature) == (size_t)len
               && CRYPTO_memcmp(signature, base64, (size_t)len) == 0;
    }
    buf_done(&text);
    return good;
}

/* NULL, or why nobody should believe it. */
static const char *
verify(const json_t *receipts, json_t *body, const char *signature,
       const char *secrets_dir, fault_t *fault)
{
    const char *name = text_of(receipts, "verify"), *problem;
    secret_t secret;
    size_t i, n;
    int good;

    n = sizeof(verifiers) / sizeof(verifiers[0]);
    name = name == NULL ? "none" : name;
    for (i = 0; i < n && strcmp(verifiers[i].name, name) != 0; i++) {
        continue;
    }
    if (i == n) {
        (void)fault_set(fault, 0, "an unknown way to verify receipts");
        return "bad-payload";
    }
    if (verifiers[i].proves == NULL) {
        return NULL;
    }
    problem =
        secret_read(&secret, secrets_dir, text_of(receipts, "verify_secret"),
                    SECRET_MAX_LINES);
    if (problem != NULL) {
        (void)fault_set(fault, 0, "verify_secret: %s", problem);
        return "bad-payload";
    }
    good = 0;
    for (n = 0; n < secret.n; n++) {
        good |= verifiers[i].proves(receipts, body, signature, secret.line[n]);
    }
    secret_forget(&secret);
    return good ? NULL : "signature";
}

/* --- mapping ------------------------------------------------------------- */

/* Our word for one of theirs, by the configuration; NULL: it has none. */
static const char *
word_for(const json_t *map, const char *theirs, const char *const *words,
         size_t n)
{
    const char *ours = text_of(map, theirs);
    size_t i;

    for (i = 0; ours != NULL && i < n; i++) {
        if (strcmp(words[i], ours) == 0) {
            return words[i];
        }
    }
    return NULL;
}

static const char *
state_of(const json_t *how, const char *status)
{
    const char *state;

    state = word_for(json_object_get(how, "states"), status, states,
                     sizeof(states) / sizeof(states[0]));
    return state == NULL ? "unknown" : state;
}

/* An error that nobody has named says something of a failure only. */
static const char *
error_of(const json_t *how, const json_t *item, const char *state)
{
    char number[JPATH_NUMBER];
    const char *said, *error;
    size_t i;

    said = jpath_text_at(item, text_of(how, "error"), number);
    error = said == NULL
                ? NULL
                : word_for(json_object_get(how, "errors"), said, errors,
                           sizeof(errors) / sizeof(errors[0]));
    if (error != NULL) {
        return error;
    }
    for (i = FAILED_FIRST; i <= FAILED_LAST; i++) {
        if (states[i] == state) {
            return "unknown";
        }
    }
    return "none";
}

static const char *
id_at(const json_t *item, const char *path, char number[JPATH_NUMBER])
{
    const char *id = jpath_text_at(item, path, number);

    return id == NULL || *id == '\0' || strlen(id) > RECEIPT_MAX_ID ? NULL
                                                                    : id;
}

/* -1: no memory. */
static int
add_receipt(json_t *list, const json_t *how, const json_t *item,
            const char *id, const char *send)
{
    char number[JPATH_NUMBER];
    const char *status, *state;

    status = jpath_text_at(item, text_of(how, "status"), number);
    if (status == NULL || (id == NULL && send == NULL)) {
        return 0; /* about something else */
    }
    state = state_of(how, status);
    return json_array_append_new(
        list, json_pack("{s:s?, s:s?, s:s, s:s}", "id", id, "send", send,
                        "state", state, "error", error_of(how, item, state)));
}

static int
add_item(json_t *list, const json_t *how, const json_t *item)
{
    char id[JPATH_NUMBER], send[JPATH_NUMBER];

    return add_receipt(list, how, item, id_at(item, text_of(how, "id"), id),
                       id_at(item, text_of(how, "send"), send));
}

/* NULL: not understood, or no memory. */
static json_t *
map(const json_t *how, const json_t *body)
{
    const char *each = text_of(how, "each");
    const json_t *items = NULL;
    json_t *list;
    size_t i, n;
    int rc = 0;

    if (each != NULL) {
        items = jpath_find(body, each, strlen(each));
        if (!json_is_array(items) || json_array_size(items) > RECEIPT_MAX) {
            return NULL;
        }
    }
    list = json_array();
    n = json_array_size(items);
    for (i = 0; rc == 0 && i < n; i++) {
        rc = add_item(list, how, json_array_get(items, i));
    }
    if (items == NULL) {
        rc = add_item(list, how, body);
        n = 1;
    }
    if (rc != 0 || list == NULL || (n > 0 && json_array_size(list) == 0)) {
        json_decref(list);
        return NULL;
    }
    return list;
}

const char *
receipt_read(const json_t *payload, const char *secrets_dir, json_t **receipts,
             fault_t *fault)
{
    const json_t *how = json_object_get(payload, "receipts");
    json_t *body = json_object_get(payload, "body");
    const char *problem;

    *receipts = NULL;
    if (!json_is_object(how) || body == NULL) {
        (void)fault_set(fault, 0, "the payload has no receipts or no body");
        return "bad-payload";
    }
    problem =
        verify(how, body, text_of(payload, "signature"), secrets_dir, fault);
    if (problem != NULL) {
        return problem;
    }
    *receipts = map(how, body);
    return *receipts == NULL ? "receipt" : NULL;
}

json_t *
receipt_answer(const json_t *poll, const char *send, const char *body,
               size_t len)
{
    json_t *answer, *list;

    answer = jpath_body(body, len);
    list = json_array();
    if (answer == NULL || list == NULL
        || add_receipt(list, poll, answer, NULL, send) != 0
        || json_array_size(list) == 0)
    {
        json_decref(list);
        list = NULL;
    }
    json_decref(answer);
    return list;
}
