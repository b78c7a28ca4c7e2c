/*
 * Owns a session, an IMAP connection, and the messages of one batch.
 *
 *            imap_poll        it is ours        some          all read
 *     RESTING ──────> LEASING ─────────> LISTING ────> READING ──────> TELLING
 *        ^               │ another         │ none                         │
 *        └───────────────┴─────────────────┴──────────── MOVING <─────────┘
 *                                                          │  committed
 *                                                          └──> LEASING
 *
 * A message is moved only when what it says is committed; one that could not
 * be moved is read again, which changes nothing a second time.  Any trouble
 * ends the look, and the next one begins from the start.
 */

#include "mailbox.h"
#include "array.h"
#include "buf.h"
#include "dsn.h"
#include "imap.h"
#include "log.h"
#include "session.h"
#include "transfer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 50
#define MAX_REPORTS (1024 * 1024)
#define COMMAND_MS 30000
#define LEASE_S "120" /* longer than any one step */

typedef enum {
    MAILBOX_RESTING,
    MAILBOX_LEASING,
    MAILBOX_LISTING,
    MAILBOX_READING,
    MAILBOX_TELLING,
    MAILBOX_MOVING
} mailbox_state_e;

struct mailbox_s {
    uv_loop_t *loop;            /* borrowed */
    const conf_t *conf;         /* borrowed */
    char *worker;               /* owned */
    session_t *session;         /* owned */
    transfer_pool_t *transfers; /* owned */
    imap_t *imap;               /* owned while under way */
    uv_timer_t look;
    mailbox_state_e state;
    unsigned long uids[BATCH];
    size_t n;    /* of the batch */
    size_t read; /* of them */
    buf_t reports;
    size_t kinds[DSN_COMPLAINT + 1];
    int away;    /* the server was, at the last look */
    int created; /* the folder for what was read */
};

static void on_look(uv_timer_t *timer);
static void read_next(mailbox_t *mailbox);

static const char *
state_name(mailbox_state_e state)
{
    switch (state) {
    case MAILBOX_RESTING:
        return "resting";
    case MAILBOX_LEASING:
        return "leasing";
    case MAILBOX_LISTING:
        return "listing";
    case MAILBOX_READING:
        return "reading";
    case MAILBOX_TELLING:
        return "telling";
    case MAILBOX_MOVING:
        return "moving";
    }
    return "?";
}

static void
set_state(mailbox_t *mailbox, mailbox_state_e state)
{
    log_debug("mailbox state from=%s to=%s", state_name(mailbox->state),
              state_name(state));
    mailbox->state = state;
}

static void
rest(mailbox_t *mailbox)
{
    set_state(mailbox, MAILBOX_RESTING);
    (void)uv_timer_start(&mailbox->look, on_look,
                         (uint64_t)mailbox->conf->imap_poll_ms, 0);
}

/* The server is the trouble: one line until it is back. */
static void
give_up(mailbox_t *mailbox, const char *problem)
{
    if (!mailbox->away) {
        mailbox->away = 1;
        log_warn("mailbox away state=%s reason=%s", state_name(mailbox->state),
                 problem);
    }
    rest(mailbox);
}

static void
send_command(mailbox_t *mailbox, const char *command, imap_end_pt fn)
{
    const conf_t *conf = mailbox->conf;
    imap_server_t server;

    server.url = conf->imap_url;
    server.user = conf->imap_user;
    server.password = conf->imap_password;
    server.folder = conf->imap_folder;
    server.verify = conf->imap_tls == CONF_TLS_REQUIRE
                    || strncmp(conf->imap_url, "imaps:", 6) == 0;
    server.connect_timeout_ms = conf->connect_timeout_ms;
    server.timeout_ms = COMMAND_MS;
    mailbox->imap =
        command == NULL
            ? imap_fetch(mailbox->transfers, &server,
                         mailbox->uids[mailbox->read], fn, mailbox)
            : imap_command(mailbox->transfers, &server, command, fn, mailbox);
    if (mailbox->imap == NULL) {
        give_up(mailbox, "memory");
    }
}

/* --- moving ----------------------------------------------------------------
 */

static void move(mailbox_t *mailbox);

static void
on_created(void *data, const imap_result_t *result)
{
    mailbox_t *mailbox = data;

    mailbox->imap = NULL;
    if (result->end == IMAP_FAILED) {
        give_up(mailbox, result->problem);
    } else {
        move(mailbox);
    }
}

static void
on_moved(void *data, const imap_result_t *result)
{
    mailbox_t *mailbox = data;
    buf_t command;

    mailbox->imap = NULL;
    if (result->end == IMAP_REFUSED && !mailbox->created) {
        mailbox->created = 1;
        buf_init(&command, 200);
        buf_addf(&command, "CREATE \"%s\"", mailbox->conf->imap_done_folder);
        send_command(mailbox, buf_str(&command), on_created);
        buf_done(&command);
    } else if (result->end != IMAP_DONE) {
        give_up(mailbox,
                result->end == IMAP_REFUSED ? "move" : result->problem);
    } else if (mailbox->n == BATCH) {
        on_look(&mailbox->look); /* there may be more */
    } else {
        rest(mailbox);
    }
}

static void
move(mailbox_t *mailbox)
{
    buf_t command;
    size_t i;

    set_state(mailbox, MAILBOX_MOVING);
    buf_init(&command, BATCH * 12 + 200);
    buf_add_str(&command, "UID MOVE ");
    for (i = 0; i < mailbox->n; i++) {
        buf_addf(&command, "%s%lu", i == 0 ? "" : ",", mailbox->uids[i]);
    }
    buf_addf(&command, " \"%s\"", mailbox->conf->imap_done_folder);
    send_command(mailbox, buf_str(&command), on_moved);
    buf_done(&command);
}

/* --- telling ---------------------------------------------------------------
 */

static void
on_told(void *data, const pg_answer_t *answer)
{
    mailbox_t *mailbox = data;

    if (answer->end != PG_ROWS) {
        rest(mailbox);
        return;
    }
    log_info("mailbox read n=%zu failed=%zu delayed=%zu delivered=%zu"
             " complaints=%zu ignored=%zu effective=%ld",
             mailbox->n, mailbox->kinds[DSN_FAILED],
             mailbox->kinds[DSN_DELAYED], mailbox->kinds[DSN_DELIVERED],
             mailbox->kinds[DSN_COMPLAINT], mailbox->kinds[DSN_IGNORED],
             session_number(answer, 0, 0));
    move(mailbox);
}

static void
tell(mailbox_t *mailbox)
{
    const char *values[1];

    set_state(mailbox, MAILBOX_TELLING);
    array_end(&mailbox->reports);
    values[0] = buf_str(&mailbox->reports);
    if (session_send(mailbox->session, SQL_REPORTS, values, on_told) != 0) {
        rest(mailbox);
    }
}

/* --- reading ---------------------------------------------------------------
 */

static void
take_message(mailbox_t *mailbox, const char *data, size_t len)
{
    char *json;
    dsn_t dsn;

    dsn_read(data, len, mailbox->conf->keys, mailbox->conf->bounce_address,
             &dsn);
    mailbox->kinds[dsn.kind]++;
    json = dsn.kind == DSN_IGNORED ? NULL : dsn_json(&dsn);
    if (json != NULL) {
        array_add(&mailbox->reports, json);
        free(json);
    }
}

static void
on_message(void *data, const imap_result_t *result)
{
    mailbox_t *mailbox = data;

    mailbox->imap = NULL;
    if (result->end == IMAP_FAILED) {
        give_up(mailbox, result->problem);
        return;
    }
    if (result->end == IMAP_DONE) { /* otherwise somebody has removed it */
        take_message(mailbox, result->data, result->len);
    }
    mailbox->read++;
    read_next(mailbox);
}

static void
read_next(mailbox_t *mailbox)
{
    if (mailbox->read < mailbox->n) {
        send_command(mailbox, NULL, on_message);
    } else {
        tell(mailbox);
    }
}

/* "* SEARCH 4 5 17": the first of them. */
static size_t
parse_uids(const char *text, unsigned long uids[BATCH])
{
    const char *p;
    char *end;
    size_t n;

    n = 0;
    p = strstr(text, "* SEARCH");
    if (p == NULL) {
        return 0;
    }
    for (p += 8; n < BATCH; p = end) {
        p += strspn(p, " ");
        if (!isdigit((unsigned char)*p)) {
            break;
        }
        uids[n++] = strtoul(p, &end, 10);
    }
    return n;
}

static void
on_listed(void *data, const imap_result_t *result)
{
    mailbox_t *mailbox = data;

    mailbox->imap = NULL;
    if (result->end != IMAP_DONE) {
        give_up(mailbox,
                result->end == IMAP_REFUSED ? "folder" : result->problem);
        return;
    }
    if (mailbox->away) {
        mailbox->away = 0;
        log_info("mailbox back");
    }
    mailbox->n = parse_uids(result->data, mailbox->uids);
    mailbox->read = 0;
    mailbox->created = 0;
    memset(mailbox->kinds, 0, sizeof(mailbox->kinds));
    if (mailbox->n == 0) {
        rest(mailbox);
        return;
    }
    set_state(mailbox, MAILBOX_READING);
    read_next(mailbox);
}

static void
on_leased(void *data, const pg_answer_t *answer)
{
    mailbox_t *mailbox = data;

    if (answer->end != PG_ROWS || *PQgetvalue(answer->rows, 0, 0) != 't') {
        rest(mailbox);
        return;
    }
    set_state(mailbox, MAILBOX_LISTING);
    send_command(mailbox, "UID SEARCH UNDELETED", on_listed);
}

static void
on_look(uv_timer_t *timer)
{
    mailbox_t *mailbox = timer->data;
    const char *values[] = {mailbox->worker, LEASE_S};

    buf_reset(&mailbox->reports);
    set_state(mailbox, MAILBOX_LEASING);
    if (!session_is_ready(mailbox->session)
        || session_send(mailbox->session, SQL_MAILBOX, values, on_leased) != 0)
    {
        rest(mailbox);
    }
}

/* --- life ------------------------------------------------------------------
 */

static void
on_ready(void *data)
{
    mailbox_t *mailbox = data;

    if (mailbox->state == MAILBOX_RESTING) {
        (void)uv_timer_start(&mailbox->look, on_look, 0, 0);
    }
}

static void
on_notify(void *data)
{
    (void)data; /* nothing is listened to */
}

void
mailbox_conf(mailbox_t *mailbox, const conf_t *conf)
{
    mailbox->conf = conf;
    if (mailbox->state == MAILBOX_RESTING) {
        rest(mailbox);
    }
}

static void
on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void
mailbox_free(mailbox_t *mailbox)
{
    if (mailbox != NULL) {
        session_free(mailbox->session);
        imap_cancel(mailbox->imap);
        transfer_pool_free(mailbox->transfers);
        buf_done(&mailbox->reports);
        free(mailbox->worker);
        uv_close((uv_handle_t *)&mailbox->look, on_closed);
    }
}

mailbox_t *
mailbox_new(uv_loop_t *loop, const conf_t *conf, const char *worker)
{
    static const session_events_t events = {on_ready, on_notify};
    mailbox_t *mailbox;

    mailbox = calloc(1, sizeof(*mailbox));
    if (mailbox == NULL) {
        return NULL;
    }
    mailbox->loop = loop;
    mailbox->conf = conf;
    (void)uv_timer_init(loop, &mailbox->look);
    mailbox->look.data = mailbox;
    buf_init(&mailbox->reports, MAX_REPORTS);
    dsn_init();
    mailbox->worker = strdup(worker);
    mailbox->transfers = transfer_pool_new(loop);
    mailbox->session = session_new(loop, "mailbox", conf, 0, &events, mailbox);
    if (mailbox->worker == NULL || mailbox->transfers == NULL
        || mailbox->session == NULL)
    {
        mailbox_free(mailbox);
        return NULL;
    }
    transfer_pool_limit(mailbox->transfers, 1);
    return mailbox;
}
