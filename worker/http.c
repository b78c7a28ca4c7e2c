/*
 * Owns the handles of calls, under way and spare.  What is the same for every
 * call is set once, when a handle is made.
 */

#include "http.h"
#include "buf.h"
#include "list.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define HTTP_AGENT "leadq/" LEADQ_VERSION
#define RECEIVE_BUFFER 4096L /* answers are short, and calls many */
#define KEEP_REPLY 4096      /* longer ones give their memory back */

struct http_client_s {
    transfer_pool_t *pool; /* borrowed */
    const guard_t *guard;  /* borrowed */
    long connect_timeout_ms;
    list_t spare; /* http_t.link */
    size_t n_spare;
    size_t max_spare;
};

struct http_s {
    transfer_t transfer;   /* first: on_end casts back */
    http_client_t *client; /* borrowed */
    list_t link;
    struct curl_slist headers[HTTP_MAX_HEADERS];
    size_t head_len; /* bytes of the answer's headers */
    int guarded;     /* an address was refused */
    int swollen;     /* the headers were too many */
    int secret;      /* see http_request_t */
    buf_t reply;
    http_end_pt fn;
    void *data; /* borrowed */
};

static size_t
on_body(char *data, size_t size, size_t n, void *user)
{
    http_t *http = user;
    size_t len = size * n, room;

    room = http->reply.max - 1 - http->reply.len;
    buf_add(&http->reply, data, len < room ? len : room);
    return len <= room && !http->reply.failed ? len : 0; /* 0 ends it */
}

static size_t
on_header(char *data, size_t size, size_t n, void *user)
{
    http_t *http = user;

    (void)data;
    http->head_len += size * n;
    http->swollen = http->head_len > HTTP_MAX_HEAD;
    return http->swollen ? 0 : size * n;
}

/* The one place that judges where a call goes: the address itself. */
static curl_socket_t
on_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    http_t *http = user;

    if (purpose != CURLSOCKTYPE_IPCXN
        || !guard_may(http->client->guard, &address->addr))
    {
        http->guarded = 1;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
}

static void
http_free(http_t *http)
{
    transfer_done(&http->transfer);
    buf_done(&http->reply);
    free(http);
}

/* The call is over: its handle is spare, or one too many. */
static void
put_away(http_t *http)
{
    http_client_t *client = http->client;

    transfer_stop(&http->transfer);
    if (http->secret) {
        (void)curl_easy_setopt(http->transfer.easy, CURLOPT_URL, NULL);
    }
    if (client->n_spare >= client->max_spare) {
        http_free(http);
        return;
    }
    if (http->secret || http->reply.size > KEEP_REPLY) {
        buf_done(&http->reply);
        buf_init(&http->reply, HTTP_MAX_REPLY);
    }
    list_append(&client->spare, &http->link);
    client->n_spare++;
}

static http_end_e
end_of(const http_t *http, CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return HTTP_REPLIED;
    case CURLE_WRITE_ERROR: /* the reply was longer than we read */
        return http->swollen ? HTTP_FAILED : HTTP_REPLIED;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_TIMEOUT;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return HTTP_REFUSED;
    case CURLE_COULDNT_CONNECT:
        return http->guarded ? HTTP_REFUSED : HTTP_FAILED;
    default:
        return HTTP_FAILED;
    }
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
    result.end = end_of(http, code);
    result.status = result.end == HTTP_REPLIED ? (int)status : 0;
    result.problem = code == CURLE_COULDNT_CONNECT && http->guarded
                         ? "guard"
                         : transfer_problem(code);
    http->fn(http->data, &result);
    put_away(http);
}

/* What is the same for every call. */
static int
set_constants(http_t *http)
{
    CURL *easy = http->transfer.easy;

    if (curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                            (long)CURL_HTTP_VERSION_2TLS)
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_USERAGENT, HTTP_AGENT) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER)
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket)
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, http) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header)
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_HEADERDATA, http) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_WRITEDATA, http) != CURLE_OK)
    {
        return -1;
    }
    return 0;
}

static http_t *
http_new(http_client_t *client)
{
    http_t *http;

    http = calloc(1, sizeof(*http));
    if (http == NULL) {
        return NULL;
    }
    http->client = client;
    list_init(&http->link);
    buf_init(&http->reply, HTTP_MAX_REPLY);
    http->transfer.on_end = on_end;
    if (transfer_init(&http->transfer, client->pool) != 0) {
        free(http);
        return NULL;
    }
    if (set_constants(http) != 0) {
        http_free(http);
        return NULL;
    }
    return http;
}

static int
set_body(CURL *easy, const http_request_t *request)
{
    if (strcmp(request->method, "POST") != 0) {
        return curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK ? 0
                                                                       : -1;
    }
    return curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK
                   && curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                       (curl_off_t)request->body_len)
                          == CURLE_OK
                   && curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                                       request->body == NULL ? ""
                                                             : request->body)
                          == CURLE_OK
               ? 0
               : -1;
}

/* What is this call's own. */
static int
set_request(http_t *http, const http_request_t *request)
{
    CURL *easy = http->transfer.easy;
    long wait;
    size_t i;

    /* for the handshake, which tells HTTP/2 from HTTP/1.1; in the clear it
     * would be for the first answer */
    wait = strncasecmp(request->url, "https:", 6) == 0;
    for (i = 0; i < request->n_headers; i++) {
        http->headers[i].data = request->headers[i];
        http->headers[i].next =
            i + 1 < request->n_headers ? &http->headers[i + 1] : NULL;
    }
    if (set_body(easy, request) != 0
        || curl_easy_setopt(easy, CURLOPT_URL, request->url) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_PIPEWAIT, wait) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_HTTPHEADER,
                            request->n_headers > 0 ? http->headers : NULL)
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, request->timeout_ms)
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                            http->client->connect_timeout_ms)
               != CURLE_OK)
    {
        return -1;
    }
    return 0;
}

http_t *
http_start(http_client_t *client, const http_request_t *request,
           http_end_pt fn, void *data)
{
    http_t *http;

    if (list_empty(&client->spare)) {
        http = http_new(client);
        if (http == NULL) {
            return NULL;
        }
    } else {
        /* the one that ended last is the warmest */
        http = list_entry(client->spare.prev, http_t, link);
        list_remove(&http->link);
        client->n_spare--;
    }
    buf_reset(&http->reply);
    http->head_len = 0;
    http->guarded = 0;
    http->swollen = 0;
    http->secret = request->secret;
    http->reply.secret = request->secret;
    http->fn = fn;
    http->data = data;
    if (set_request(http, request) != 0
        || transfer_start(&http->transfer) != 0) {
        http_free(http);
        return NULL;
    }
    return http;
}

void
http_cancel(http_t *http)
{
    if (http != NULL) {
        put_away(http);
    }
}

http_client_t *
http_client_new(transfer_pool_t *pool)
{
    http_client_t *client;

    client = calloc(1, sizeof(*client));
    if (client != NULL) {
        client->pool = pool;
        list_init(&client->spare);
    }
    return client;
}

void
http_client_conf(http_client_t *client, const guard_t *guard,
                 long connect_timeout_ms, size_t max_spare)
{
    client->guard = guard;
    client->connect_timeout_ms = connect_timeout_ms;
    client->max_spare = max_spare;
}

void
http_client_free(http_client_t *client)
{
    http_t *http;

    if (client != NULL) {
        while (!list_empty(&client->spare)) {
            http = list_entry(client->spare.next, http_t, link);
            list_remove(&http->link);
            http_free(http);
        }
        free(client);
    }
}
