/*
 * Any bytes as a gateway's receipt, and as its answer to a poll: what is
 * signed is not believed, what is told has a state and an error of ours and
 * an id that is not too long.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "receipt.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char states[] = " sent delivered undelivered unknown ";
static const char errors[] = " none bad_number unknown ";

static const char *const ways[] = {
    "{\"id\":\"id\",\"send\":\"send\",\"status\":\"status\",\"states\":"
    "{\"0\":\"sent\",\"1\":\"delivered\",\"2\":\"undelivered\"},"
    "\"error\":\"err\",\"errors\":{\"1\":\"bad_number\"}}",
    "{\"each\":\"list\",\"id\":\"m.0.id\",\"status\":\"status\",\"states\":"
    "{\"0\":\"sent\",\"1\":\"delivered\",\"2\":\"undelivered\"}}",
    "{\"each\":\"*\",\"id\":\"0\",\"status\":\"1\",\"states\":{}}",
    "{\"verify\":\"smsc\",\"verify_secret\":\"key\",\"id\":\"id\","
    "\"status\":\"status\"}",
    "{\"verify\":\"twilio\",\"verify_secret\":\"key\",\"verify_url\":"
    "\"https://h/\",\"id\":\"id\",\"status\":\"status\"}"};

#define SIGNED_FIRST 3

static char secrets[64] = "/tmp/fuzz_receipt.XXXXXX";

static void
drop_secrets(void)
{
    (void)unlink(strcat(secrets, "/key"));
    *strrchr(secrets, '/') = '\0';
    (void)rmdir(secrets);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char path[sizeof(secrets) + 4];
    FILE *file;

    (void)argc;
    (void)argv;
    if (mkdtemp(secrets) == NULL) {
        abort();
    }
    (void)snprintf(path, sizeof(path), "%s/key", secrets);
    file = fopen(path, "w");
    if (file == NULL || fputs("s3cr3t-s3cr3t\n", file) == EOF
        || fclose(file) != 0 || atexit(drop_secrets) != 0)
    {
        abort();
    }
    return 0;
}

static void
is_one_of(const json_t *receipt, const char *key, const char *words)
{
    const char *text = json_string_value(json_object_get(receipt, key));
    char word[40];

    (void)snprintf(word, sizeof(word), " %s ", text == NULL ? "?" : text);
    if (strstr(words, word) == NULL) {
        abort();
    }
}

static void
look_at(const json_t *receipts)
{
    const json_t *receipt, *id, *send;
    size_t i;

    if (json_array_size(receipts) > RECEIPT_MAX) {
        abort();
    }
    json_array_foreach (receipts, i, receipt) {
        id = json_object_get(receipt, "id");
        send = json_object_get(receipt, "send");
        if ((!json_is_string(id) && !json_is_string(send))
            || json_string_length(id) > RECEIPT_MAX_ID
            || json_string_length(send) > RECEIPT_MAX_ID)
        {
            abort();
        }
        is_one_of(receipt, "state", states);
        is_one_of(receipt, "error", errors);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *body, *payload, *receipts;
    const char *problem;
    fault_t fault;
    size_t i;

    body = json_loadb((const char *)data, size, JSON_DECODE_ANY, NULL);
    for (i = 0; body != NULL && i < sizeof(ways) / sizeof(ways[0]); i++) {
        payload = json_pack("{s:o, s:O, s:s}", "receipts",
                            json_loads(ways[i], 0, NULL), "body", body,
                            "signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
        problem = receipt_read(payload, secrets, &receipts, &fault);
        if ((problem == NULL) != (receipts != NULL)
            || (i >= SIGNED_FIRST && problem == NULL))
        {
            abort();
        }
        look_at(receipts);
        json_decref(receipts);
        json_decref(payload);
    }
    json_decref(body);

    payload = json_loads(ways[0], 0, NULL);
    receipts =
        receipt_answer(payload, "send", (const char *)data, size);
    look_at(receipts);
    json_decref(receipts);
    json_decref(payload);
    return 0;
}
