#include "http.h"
#include "buf.h"

#include <stdlib.h>
#include <string.h>

#define HTTP_AGENT "leadq/" LEADQ_VERSION

struct http_s {
    transfer_t transfer;        /* first: on_end casts back */
    struct curl_slist *headers; /* owned */
    buf_t reply;
    http_end_pt fn;
    void *data; /* borrowed */
};

static size_t
on_body(char *data, size_t size, size_t n, void *user)
{
    http_t *http = user;
    size_t len = size * n, room;

    room = http->reply.max - http->reply.len;
    buf_add(&http->reply, data, len < room ? len : room);
    return len <= room && !http->reply.failed ? len : 0; /* 0 ends it */
}

static void
http_free(http_t *http)
{
    transfer_done(&http->transfer);
    curl_slist_free_all(http->headers);
    buf_done(&http->reply);
    free(http);
}

static void
on_end(transfer_t *transfer, CURLcode code)
{
    http_t *http = (http_t *)transfer;
    http_result_t result;
    curl_off_t retry_after_s;
    long status;

    memset(&result, 0, sizeof(result));
    status = 0;
    retry_after_s = 0;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER,
                            &retry_after_s);
    result.retry_after_s = retry_after_s > 0 ? (long)retry_after_s : -1;
    result.ms = transfer_ms(transfer);
    result.body = buf_str(&http->reply);
    result.body_len = http->reply.len;

    switch (code) {
    case CURLE_OK:
    case CURLE_WRITE_ERROR: /* the reply was longer than we read */
        result.end = HTTP_REPLIED;
        result.status = (int)status;
        break;
    case CURLE_OPERATION_TIMEDOUT:
        result.end = HTTP_TIMEOUT;
        break;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        result.end = HTTP_REFUSED;
        break;
    default:
        result.end = HTTP_FAILED;
    }
    result.problem = transfer_problem(code);
    http->fn(http->data, &result);
    http_free(http);
}

static int
add_header(http_t *http, const char *name, const char *value)
{
    struct curl_slist *headers;
    buf_t line;

    buf_init(&line, 1024);
    buf_addf(&line, "%s: %s", name, value);
    headers = line.failed ? NULL : curl_slist_append(http->headers, line.data);
    buf_done(&line);
    if (headers == NULL) {
        return -1;
    }
    http->headers = headers;
    return 0;
}

static int
set_body(http_t *http, const http_request_t *request)
{
    CURL *easy = http->transfer.easy;
    const char *body;
    size_t len;

    if (strcmp(request->method, "POST") != 0) {
        return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK ? 0
                                                                       : -1;
    }
    body = request->body == NULL ? "" : request->body;
    len = request->body == NULL ? 0 : request->body_len;
    if (curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len)
            != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body) != CURLE_OK)
    {
        return -1;
    }
    /* an empty value removes what libcurl would say by itself */
    return add_header(http, "Content-Type",
                      request->content_type == NULL ? ""
                                                    : request->content_type);
}

static int
set_options(http_t *http, const http_request_t *request,
            long connect_timeout_ms)
{
    CURL *easy = http->transfer.easy;

    if (add_header(http, "Idempotency-Key", request->id) != 0
        || add_header(http, "Expect", "") != 0 || set_body(http, request) != 0)
    {
        return -1;
    }
    if (curl_easy_setopt(easy, CURLOPT_URL, request->url) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https")
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                            (long)CURL_HTTP_VERSION_1_1)
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_USERAGENT, HTTP_AGENT) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_HTTPHEADER, http->headers)
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, request->timeout_ms)
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                            connect_timeout_ms)
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_WRITEDATA, http) != CURLE_OK)
    {
        return -1;
    }
    return 0;
}

http_t *
http_start(transfer_pool_t *pool, const http_request_t *request,
           long connect_timeout_ms, http_end_pt fn, void *data)
{
    http_t *http;

    http = calloc(1, sizeof(*http));
    if (http == NULL) {
        return NULL;
    }
    buf_init(&http->reply, HTTP_MAX_REPLY);
    http->fn = fn;
    http->data = data;
    http->transfer.on_end = on_end;
    if (transfer_init(&http->transfer, pool) != 0
        || set_options(http, request, connect_timeout_ms) != 0
        || transfer_start(&http->transfer) != 0)
    {
        http_free(http);
        return NULL;
    }
    return http;
}

void
http_cancel(http_t *http)
{
    if (http != NULL) {
        http_free(http);
    }
}
