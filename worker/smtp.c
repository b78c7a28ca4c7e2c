/*
 * Owns one SMTP exchange.  libcurl speaks; we listen to both sides:
 *
 *     command out (debug callback)   -> the phase, and a new reply begins
 *     reply line in (header callback)-> code and text of the latest reply
 *
 *     SESSION --MAIL FROM--> MAIL --RCPT TO--> RCPT --DATA--> DATA
 *
 * The reply to the letter's end is the last one in DATA, after the 354.
 *
 * A relay may have closed a connection that was kept alive, which is heard
 * when the next letter uses it.  That says nothing of the letter, so it goes
 * once more, at once, over a connection of its own.
 */

#include "smtp.h"
#include "buf.h"
#include "mime.h"
#include "verp.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define SMTP_MAX_REPLY 1024

/*
 * Before libcurl closes a connection it says QUIT and waits for the answer,
 * and the loop with it.  So old connections are left for the server to close.
 * After a refusal libcurl closes the connection itself: see on_debug.
 */
#define CONNECTION_MAX_AGE_S (24 * 3600L)

struct smtp_s {
    transfer_t transfer;           /* first: on_end casts back */
    struct curl_slist *headers;    /* owned */
    struct curl_slist *recipients; /* owned */
    curl_mime *mime;               /* owned */
    char *from;                    /* owned, as the next */
    char *to;
    char envid[VERP_ID_LEN + 1];
    int *dsn; /* borrowed; or own_dsn */
    int own_dsn;
    int hello; /* EHLO was said, and is being answered */
    smtp_phase_e phase;
    int code;
    int complete; /* the latest reply has had its last line */
    int over;     /* QUIT was said: what follows explains nothing */
    int again;    /* this is the second try */
    long limit_ms;
    long spent_ms; /* of it, by the first try */
    buf_t reply;
    smtp_end_pt fn;
    void *data; /* borrowed */
};

const char *
smtp_phase_name(smtp_phase_e phase)
{
    switch (phase) {
    case SMTP_SESSION:
        return "session";
    case SMTP_MAIL:
        return "mail";
    case SMTP_RCPT:
        return "rcpt";
    case SMTP_DATA:
        return "data";
    }
    return "?";
}

static int
begins(const char *data, size_t len, const char *word)
{
    return len >= strlen(word) && strncasecmp(data, word, strlen(word)) == 0;
}

static int
on_debug(CURL *easy, curl_infotype type, char *data, size_t len, void *user)
{
    smtp_t *smtp = user;

    (void)easy;
    if (type != CURLINFO_HEADER_OUT) {
        return 0;
    }
    if (begins(data, len, "MAIL FROM:")) {
        smtp->phase = SMTP_MAIL;
    } else if (begins(data, len, "RCPT TO:")) {
        smtp->phase = SMTP_RCPT;
    } else if (begins(data, len, "DATA")) {
        smtp->phase = SMTP_DATA;
    } else if (begins(data, len, "QUIT")) {
        /* it has been sent; with nothing to read, nobody waits */
        smtp->over = 1;
        if (smtp->transfer.fd != CURL_SOCKET_BAD) {
            (void)shutdown(smtp->transfer.fd, SHUT_RD);
        }
    }
    if (begins(data, len, "EHLO")) {
        smtp->hello = 1;
        *smtp->dsn = 0;
    }
    if (!smtp->over) {
        smtp->code = 0;
        smtp->complete = 1;
    }
    return 0;
}

static int
add(struct curl_slist **list, const char *line)
{
    struct curl_slist *grown;

    grown = curl_slist_append(*list, line);
    if (grown == NULL) {
        return -1;
    }
    *list = grown;
    return 0;
}

/* RFC 3461, 4: all but what stands for itself as "+" and two digits. */
static void
add_xtext(buf_t *buf, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '+' || *text == '=') {
            buf_addf(buf, "+%02X", (unsigned)*text);
        } else {
            buf_add_char(buf, *text);
        }
    }
}

/*
 * The envelope, for a relay that offers DSN with what we want to hear of:
 * failures and delays, headers only, and under which name.  libcurl has no
 * option for that, but passes on what stands behind the address; before 8.13
 * it ends that with a ">" of its own, which an xtext may hold, so the last
 * parameter is one.
 */
static int
set_envelope(smtp_t *smtp)
{
    struct curl_slist *recipients = NULL;
    CURL *easy = smtp->transfer.easy;
    buf_t from, to;
    int failed;

    buf_init(&from, 1024);
    buf_init(&to, 2048);
    if (*smtp->dsn && smtp->envid[0] != '\0') {
        buf_addf(&from, "<%s> RET=HDRS ENVID=%s", smtp->from, smtp->envid);
        buf_addf(&to, "<%s> NOTIFY=FAILURE,DELAY ORCPT=rfc822;", smtp->to);
        add_xtext(&to, smtp->to);
    } else {
        buf_add_str(&from, smtp->from);
        buf_add_str(&to, smtp->to);
    }
    failed =
        from.failed || to.failed || add(&recipients, buf_str(&to)) != 0
        || curl_easy_setopt(easy, CURLOPT_MAIL_FROM, buf_str(&from))
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, recipients) != CURLE_OK;
    buf_done(&from);
    buf_done(&to);
    if (failed) {
        curl_slist_free_all(recipients);
        return -1;
    }
    curl_slist_free_all(smtp->recipients);
    smtp->recipients = recipients;
    return 0;
}

/* A line of the answer to EHLO; after the last one the envelope is made. */
static int
hear_hello(smtp_t *smtp, const char *line, size_t len)
{
    if (len >= 7 && begins(line + 4, len - 4, "DSN")
        && (len == 7 || isspace((unsigned char)line[7])))
    {
        *smtp->dsn = 1;
    }
    if (smtp->complete) {
        smtp->hello = 0;
        return set_envelope(smtp);
    }
    return 0;
}

/* "550-5.1.1 text": one line of a reply, the last one has no "-". */
static size_t
on_line(char *data, size_t size, size_t n, void *user)
{
    smtp_t *smtp = user;
    size_t len = size * n, room, text_len;

    if (smtp->over || len < 3 || !isdigit((unsigned char)data[0])
        || !isdigit((unsigned char)data[1])
        || !isdigit((unsigned char)data[2]))
    {
        return len;
    }
    if (smtp->complete) {
        buf_reset(&smtp->reply);
    }
    smtp->code = (data[0] - '0') * 100 + (data[1] - '0') * 10 + data[2] - '0';
    smtp->complete = len == 3 || data[3] != '-';
    if (len > 4) {
        text_len = len - 4;
        while (text_len > 0 && isspace((unsigned char)data[3 + text_len])) {
            text_len--;
        }
        if (smtp->reply.len > 0) {
            buf_add_char(&smtp->reply, ' ');
        }
        room = smtp->reply.max - smtp->reply.len;
        buf_add(&smtp->reply, data + 4, text_len < room ? text_len : room);
    }
    if (smtp->hello && hear_hello(smtp, data, len) != 0) {
        return 0; /* ends it */
    }
    return len;
}

static void
smtp_free(smtp_t *smtp)
{
    transfer_done(&smtp->transfer);
    curl_mime_free(smtp->mime);
    curl_slist_free_all(smtp->headers);
    curl_slist_free_all(smtp->recipients);
    buf_done(&smtp->reply);
    free(smtp->from);
    free(smtp->to);
    free(smtp);
}

/*
 * Was it the end of a connection of earlier letters, and of nothing else?
 * Behind the 354 the relay may have the letter already.
 */
static int
is_stale(const smtp_t *smtp, CURLcode code)
{
    if (smtp->again || transfer_is_fresh(&smtp->transfer)) {
        return 0;
    }
    return smtp->code == 0 ? transfer_is_lost(code)
                           : smtp->code == 421 && smtp->phase != SMTP_DATA;
}

/* The second try, in the time that is left; -1: there will be none. */
static int
try_again(smtp_t *smtp)
{
    CURL *easy = smtp->transfer.easy;

    smtp->again = 1;
    smtp->spent_ms = transfer_ms(&smtp->transfer);
    if (smtp->spent_ms >= smtp->limit_ms
        || curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                            smtp->limit_ms - smtp->spent_ms)
               != CURLE_OK
        || transfer_start(&smtp->transfer) != 0)
    {
        return -1;
    }
    smtp->phase = SMTP_SESSION;
    smtp->code = 0;
    smtp->complete = 1;
    smtp->over = 0;
    buf_reset(&smtp->reply);
    return 0;
}

static void
on_end(transfer_t *transfer, CURLcode code)
{
    smtp_t *smtp = (smtp_t *)transfer;
    smtp_result_t result;

    if (code != CURLE_OK && is_stale(smtp, code) && try_again(smtp) == 0) {
        return;
    }
    memset(&result, 0, sizeof(result));
    result.phase = smtp->phase;
    result.ms = smtp->spent_ms + transfer_ms(transfer);
    result.reply = buf_str(&smtp->reply);
    result.code = smtp->code;
    result.problem = transfer_problem(code);
    if (code == CURLE_OK) {
        result.end = SMTP_ACCEPTED;
    } else if (smtp->code >= 400) {
        result.end = SMTP_REPLIED;
    } else {
        result.end = SMTP_FAILED;
        result.reply = "";
        result.code = 0;
    }
    smtp->fn(smtp->data, &result);
    smtp_free(smtp);
}

static int
add_part(smtp_t *smtp, const char *type, const char *text, size_t len)
{
    curl_mimepart *part;

    part = curl_mime_addpart(smtp->mime);
    return part != NULL && curl_mime_type(part, type) == CURLE_OK
                   && curl_mime_encoder(part, mime_encoder(text, len))
                          == CURLE_OK
                   && curl_mime_data(part, text, len) == CURLE_OK
               ? 0
               : -1;
}

static int
set_letter(smtp_t *smtp, const smtp_letter_t *letter)
{
    CURL *easy = smtp->transfer.easy;
    size_t i;

    for (i = 0; letter->headers[i] != NULL; i++) {
        if (add(&smtp->headers, letter->headers[i]) != 0) {
            return -1;
        }
    }
    /* libcurl takes the type of the whole from here, and adds the boundary */
    if (add(&smtp->headers, "Content-Type: multipart/alternative") != 0) {
        return -1;
    }
    smtp->mime = curl_mime_init(easy);
    if (smtp->mime == NULL
        || add_part(smtp, "text/plain; charset=utf-8", letter->text,
                    letter->text_len)
               != 0
        || (letter->html != NULL
            && add_part(smtp, "text/html; charset=utf-8", letter->html,
                        letter->html_len)
                   != 0))
    {
        return -1;
    }
    if (curl_easy_setopt(easy, CURLOPT_HTTPHEADER, smtp->headers) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_MIMEPOST, smtp->mime) != CURLE_OK)
    {
        return -1;
    }
    return 0;
}

static int
set_tls(CURL *easy, const smtp_server_t *server)
{
    long use, verify;

    use = server->tls == SMTP_TLS_OFF   ? CURLUSESSL_NONE
          : server->tls == SMTP_TLS_TRY ? CURLUSESSL_TRY
                                        : CURLUSESSL_ALL;
    /* who may strip STARTTLS may also show any certificate */
    verify = server->tls == SMTP_TLS_REQUIRE
             || strncmp(server->url, "smtps:", 6) == 0;
    return curl_easy_setopt(easy, CURLOPT_USE_SSL, use) == CURLE_OK
                   && curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify)
                          == CURLE_OK
                   && curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST,
                                       verify * 2)
                          == CURLE_OK
               ? 0
               : -1;
}

static int
set_login(CURL *easy, const smtp_server_t *server)
{
    if (server->user == NULL) {
        return 0;
    }
    return curl_easy_setopt(easy, CURLOPT_USERNAME, server->user) == CURLE_OK
                   && curl_easy_setopt(
                          easy, CURLOPT_PASSWORD,
                          server->password == NULL ? "" : server->password)
                          == CURLE_OK
               ? 0
               : -1;
}

static int
set_server(smtp_t *smtp, const smtp_server_t *server)
{
    CURL *easy = smtp->transfer.easy;
    CURLcode code;
    buf_t url;

    /* libcurl takes the name for EHLO from the path */
    buf_init(&url, 1024);
    buf_addf(&url, "%s/%s", server->url, server->helo);
    code = url.failed ? CURLE_OUT_OF_MEMORY
                      : curl_easy_setopt(easy, CURLOPT_URL, url.data);
    buf_done(&url);
    if (code != CURLE_OK || set_tls(easy, server) != 0
        || set_login(easy, server) != 0
        || curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps")
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, CONNECTION_MAX_AGE_S)
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, smtp->limit_ms)
               != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                            server->connect_timeout_ms)
               != CURLE_OK)
    {
        return -1;
    }
    return 0;
}

/* We listen to both sides: libcurl says "send failed" and no more. */
static int
set_ears(smtp_t *smtp)
{
    CURL *easy = smtp->transfer.easy;

    return curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_line) == CURLE_OK
                   && curl_easy_setopt(easy, CURLOPT_HEADERDATA, smtp)
                          == CURLE_OK
                   && curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_debug)
                          == CURLE_OK
                   && curl_easy_setopt(easy, CURLOPT_DEBUGDATA, smtp)
                          == CURLE_OK
                   && curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L) == CURLE_OK
               ? 0
               : -1;
}

smtp_t *
smtp_start(transfer_pool_t *pool, const smtp_server_t *server,
           const smtp_letter_t *letter, long timeout_ms, smtp_end_pt fn,
           void *data)
{
    smtp_t *smtp;

    smtp = calloc(1, sizeof(*smtp));
    if (smtp == NULL) {
        return NULL;
    }
    buf_init(&smtp->reply, SMTP_MAX_REPLY);
    smtp->complete = 1;
    smtp->limit_ms = timeout_ms;
    smtp->fn = fn;
    smtp->data = data;
    smtp->transfer.on_end = on_end;
    smtp->dsn = server->dsn == NULL ? &smtp->own_dsn : server->dsn;
    if (letter->has_id) {
        verp_id(letter->id, smtp->envid);
    }
    smtp->from = strdup(letter->from);
    smtp->to = strdup(letter->to);
    if (smtp->from == NULL || smtp->to == NULL
        || transfer_init(&smtp->transfer, pool) != 0
        || set_server(smtp, server) != 0 || set_ears(smtp) != 0
        || set_letter(smtp, letter) != 0 || set_envelope(smtp) != 0
        || transfer_start(&smtp->transfer) != 0)
    {
        smtp_free(smtp);
        return NULL;
    }
    return smtp;
}

void
smtp_cancel(smtp_t *smtp)
{
    if (smtp != NULL) {
        smtp_free(smtp);
    }
}
