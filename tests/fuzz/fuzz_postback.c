/*
 * Any bytes as a network's URL or body, and as its answer.  What the check
 * lets pass can be built, and the host of what is built is the literal one;
 * what people are shown of it says no secret.
 */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "match.h"
#include "postback.h"

#define SECRET "s3cr3t-s3cr3t"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char secrets[64] = "/tmp/fuzz_postback.XXXXXX";

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
    if (file == NULL || fputs(SECRET "\n", file) == EOF || fclose(file) != 0
        || atexit(drop_secrets) != 0)
    {
        abort();
    }
    return 0;
}

static void
build(const char *text, size_t len)
{
    static const char evil[] = "@evil/?#{x}%0a";
    const char *url;
    postback_t *postback;
    json_t *payload;
    fault_t fault;
    size_t host;

    payload = json_pack("{s:s, s:s, s:s, s:s%, s:{s:s, s:s, s:s}}", "secret",
                        "key", "postback_id", "1", "method", "GET", "url",
                        text, len, "values", "click_id", evil, "status",
                        "approved", "sub1", evil);
    if (payload == NULL) {
        return; /* no UTF-8 */
    }
    postback = postback_new(payload, secrets, 0, NULL, &fault);
    json_decref(payload);
    if (postback == NULL) {
        return; /* another key, too long */
    }
    if (strstr(text, SECRET) == NULL
        && strstr(postback_shown_url(postback), SECRET) != NULL)
    {
        abort();
    }
    url = strstr(postback_request(postback)->url, "//") + 2;
    host = strcspn(url, "/?#");
    if (strlen(postback_host(postback)) != host
        || strncmp(strstr(text, "//") + 2, url, host) != 0)
    {
        abort();
    }
    postback_free(postback);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fault_t fault;
    match_e match;
    char *text;

    text = malloc(size + 1);
    if (text == NULL) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    fault.text[0] = '\0';
    if (postback_check_url(text, size, postback_macro, &fault) == 0) {
        build(text, strlen(text));
    } else if (fault.text[0] == '\0') {
        abort();
    }
    (void)postback_check_body(text, size, "application/json", postback_macro,
                              &fault);
    (void)postback_check_body(text, size, NULL, postback_macro, &fault);
    if (match_parse("json_path", text, &match, &fault) == 0) {
        (void)match_test(match, text, "{\"a\":{\"b\":1}}", 13);
    }
    (void)match_test(MATCH_JSON_PATH, "a.b=1", text, size);
    if (match_test(MATCH_NOT_CONTAINS, "error", text, size)
        == match_test(MATCH_CONTAINS, "error", text, size))
    {
        abort();
    }
    (void)match_test(MATCH_BODY_PREFIX, "ok", text, size);
    free(text);
    return 0;
}
