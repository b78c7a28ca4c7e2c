/*
 * Owns one exchange.  libcurl strips a line that is longer than its buffer,
 * and a mailbox of ten thousands of messages has one: the buffer is as large
 * as what we take.  What exceeds that is not read.
 */

#include "imap.h"
#include "buf.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/*
 * Before libcurl closes a connection it says LOGOUT and waits for the answer,
 * and the loop with it; see smtp.c, which has the same trouble with QUIT.
 */
#define CONNECTION_MAX_AGE_S (24 * 3600L)

struct imap_s {
    transfer_t transfer; /* first: on_end casts back */
    buf_t reply;
    imap_end_pt fn;
    void *data; /* borrowed */
};

static size_t
on_data(char *data, size_t size, size_t n, void *user)
{
    imap_t *imap = user;
    size_t len = size * n, room;

    room = imap->reply.max - 1 - imap->reply.len;
    buf_add(&imap->reply, data, len < room ? len : room);
    return imap->reply.failed ? 0 : len;
}

static int
on_debug(CURL *easy, curl_infotype type, char *data, size_t len, void *user)
{
    imap_t *imap = user;

    (void)easy;
    if (type == CURLINFO_HEADER_OUT && memmem(data, len, " LOGOUT", 7) != NULL
        && imap->transfer.fd != CURL_SOCKET_BAD)
    {
        (void)shutdown(imap->transfer.fd, SHUT_RD);
    }
    return 0;
}

static void
imap_free(imap_t *imap)
{
    transfer_done(&imap->transfer);
    buf_done(&imap->reply);
    free(imap);
}

static void
on_end(transfer_t *transfer, CURLcode code)
{
    imap_t *imap = (imap_t *)transfer;
    imap_result_t result;

    result.data = buf_str(&imap->reply);
    result.len = imap->reply.len;
    result.problem = transfer_problem(code);
    switch (code) {
    case CURLE_OK:
        result.end = IMAP_DONE;
        break;
    case CURLE_QUOTE_ERROR:
    case CURLE_REMOTE_FILE_NOT_FOUND:
        result.end = IMAP_REFUSED;
        break;
    default:
        result.end = IMAP_FAILED;
        break;
    }
    imap->fn(imap->data, &result);
    imap_free(imap);
}

static int
set_server(CURL *easy, const imap_server_t *server, const char *path)
{
    CURLcode code;
    buf_t url;
    long use, verify;

    buf_init(&url, 1024);
    buf_addf(&url, "%s/%s%s", server->url, server->folder, path);
    code = url.failed ? CURLE_OUT_OF_MEMORY
                      : curl_easy_setopt(easy, CURLOPT_URL, url.data);
    buf_done(&url);
    use = server->verify ? CURLUSESSL_ALL : CURLUSESSL_TRY;
    verify = server->verify;
    if (code != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "imap,imaps")
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)IMAP_MAX_REPLY)
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_USERNAME, server->user) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_PASSWORD, server->password)
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_USE_SSL, use) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, verify * 2)
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, CONNECTION_MAX_AGE_S)
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, server->timeout_ms)
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                            server->connect_timeout_ms)
               != CURLE_OK)
    {
        return -1;
    }
    return 0;
}

static int
set_ears(imap_t *imap)
{
    CURL *easy = imap->transfer.easy;

    return curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data) == CURLE_OK
                   && curl_easy_setopt(easy, CURLOPT_WRITEDATA, imap)
                          == CURLE_OK
                   && curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_debug)
                          == CURLE_OK
                   && curl_easy_setopt(easy, CURLOPT_DEBUGDATA, imap)
                          == CURLE_OK
                   && curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L) == CURLE_OK
               ? 0
               : -1;
}

static imap_t *
start(transfer_pool_t *pool, const imap_server_t *server, const char *path,
      const char *command, imap_end_pt fn, void *data)
{
    imap_t *imap;

    imap = calloc(1, sizeof(*imap));
    if (imap == NULL) {
        return NULL;
    }
    buf_init(&imap->reply, IMAP_MAX_REPLY);
    imap->fn = fn;
    imap->data = data;
    imap->transfer.on_end = on_end;
    if (transfer_init(&imap->transfer, pool) != 0
        || set_server(imap->transfer.easy, server, path) != 0
        || set_ears(imap) != 0
        || (command != NULL
            && curl_easy_setopt(imap->transfer.easy, CURLOPT_CUSTOMREQUEST,
                                command)
                   != CURLE_OK)
        || transfer_start(&imap->transfer) != 0)
    {
        imap_free(imap);
        return NULL;
    }
    return imap;
}

imap_t *
imap_command(transfer_pool_t *pool, const imap_server_t *server,
             const char *command, imap_end_pt fn, void *data)
{
    return start(pool, server, "", command, fn, data);
}

imap_t *
imap_fetch(transfer_pool_t *pool, const imap_server_t *server,
           unsigned long uid, imap_end_pt fn, void *data)
{
    imap_t *imap;
    buf_t path;

    buf_init(&path, 100);
    buf_addf(&path, "/;UID=%lu/;PARTIAL=0.%d", uid, IMAP_MAX_MESSAGE);
    imap = start(pool, server, buf_str(&path), NULL, fn, data);
    buf_done(&path);
    return imap;
}

void
imap_cancel(imap_t *imap)
{
    if (imap != NULL) {
        imap_free(imap);
    }
}
