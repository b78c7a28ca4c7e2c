/*
 * Owns one message while it is read:
 *
 *     its headers ──────────────> is it an automaton's? whose return path?
 *     message/delivery-status ──> a group for the whole, one a recipient
 *     message/feedback-report ──> a complaint
 *     the letter that came back > its Message-ID
 *
 * The small texts of fields inside those parts are read here: to GMime they
 * are opaque.
 */

#include "dsn.h"
#include "bounce.h"
#include "leadq_uuid.h"
#include "verp.h"

#include <ctype.h>
#include <gmime/gmime.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_TEXT (32 * 1024) /* of a part that is read */
#define MAX_VALUE 1024       /* of a field */

typedef struct {
    const leadq_keys_t *keys;   /* borrowed */
    const char *bounce_address; /* borrowed */
    dsn_t *dsn;                 /* borrowed */
    char *status;               /* owned: message/delivery-status */
    char *feedback;             /* owned: message/feedback-report */
    char *words;                /* owned: the first text */
} reading_t;

void
dsn_init(void)
{
    g_mime_init();
}

/* --- whose letter ----------------------------------------------------------
 */

static void
look_for_path(reading_t *reading, const char *text)
{
    dsn_letter_t *verp = &reading->dsn->verp;

    if (text != NULL && !verp->known) {
        verp->known =
            verp_find(reading->keys, reading->bounce_address, text, verp->uuid)
            == 0;
    }
}

/* A UUID, or its 25 digits, at the beginning. */
static void
look_for_id(dsn_letter_t *letter, const char *text)
{
    if (text == NULL || letter->known) {
        return;
    }
    text += strspn(text, "< \t");
    if (strlen(text) >= LEADQ_UUID_LEN
        && leadq_uuid_parse(text, LEADQ_UUID_LEN, letter->uuid) == 0)
    {
        letter->known = 1;
    } else if (strnlen(text, VERP_ID_LEN) == VERP_ID_LEN
               && !isalnum((unsigned char)text[VERP_ID_LEN]))
    {
        letter->known = verp_id_read(text, letter->uuid) == 0;
    }
}

/* --- fields inside a part --------------------------------------------------
 */

/* Adds a line of a value, as far as there is room, with a blank before it. */
static size_t
add_line(char value[MAX_VALUE], size_t used, const char *p, const char *end)
{
    size_t len;

    while (p < end && (*p == ' ' || *p == '\t')) {
        p++;
    }
    if (used > 0 && used < MAX_VALUE - 1) {
        value[used++] = ' ';
    }
    len = (size_t)(end - p);
    len = len > MAX_VALUE - 1 - used ? MAX_VALUE - 1 - used : len;
    memcpy(value + used, p, len);
    return used + len;
}

/*
 * The next field of a group, unfolded; *at moves on.  0: the group is over,
 * and *at stands on the next one.
 */
static int
next_field(const char **at, char name[40], char value[MAX_VALUE])
{
    const char *p = *at, *colon, *end;
    size_t used;

    name[0] = '\0';
    if (*p == '\n' || *p == '\0') {
        *at = p + strspn(p, "\n");
        return 0;
    }
    end = p + strcspn(p, "\n");
    colon = memchr(p, ':', (size_t)(end - p));
    if (colon != NULL && colon - p < 40) {
        memcpy(name, p, (size_t)(colon - p));
        name[colon - p] = '\0';
        p = colon + 1;
    }
    used = add_line(value, 0, p, end);
    while (*end != '\0' && (end[1] == ' ' || end[1] == '\t')) {
        p = end + 1;
        end = p + strcspn(p, "\n");
        used = add_line(value, used, p, end);
    }
    value[used] = '\0';
    *at = *end == '\0' ? end : end + 1;
    return 1;
}

/* The value behind "rfc822;" or "smtp;". */
static const char *
untyped(const char *value)
{
    const char *semicolon = strchr(value, ';');

    value = semicolon == NULL ? value : semicolon + 1;
    return value + strspn(value, " \t");
}

/* What is visible of an address, without the brackets around it. */
static void
take_address(char address[DSN_MAX_ADDRESS + 1], const char *value)
{
    size_t len;

    value += strspn(value, "<");
    for (len = 0; len < DSN_MAX_ADDRESS && value[len] > ' '
                  && value[len] < 0x7f && value[len] != '>';
         len++)
    {
        address[len] = value[len];
    }
    address[len] = '\0';
}

/* One recipient of a delivery report. */
typedef struct {
    dsn_kind_e kind;
    char recipient[DSN_MAX_ADDRESS + 1];
    char status[MAX_VALUE];
    char diagnostic[MAX_VALUE];
} group_t;

static dsn_kind_e
kind_of(const char *action)
{
    static const struct {
        const char *name;
        dsn_kind_e kind;
    } actions[] = {
        {"failed", DSN_FAILED},       {"delayed", DSN_DELAYED},
        {"delivered", DSN_DELIVERED}, {"relayed", DSN_DELIVERED},
        {"expanded", DSN_DELIVERED},
    };
    size_t i;

    for (i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strncasecmp(action, actions[i].name, strlen(actions[i].name)) == 0)
        {
            return actions[i].kind;
        }
    }
    return DSN_IGNORED;
}

static void
read_group(reading_t *reading, const char **at, group_t *group)
{
    char name[40], value[MAX_VALUE];

    memset(group, 0, sizeof(*group));
    while (next_field(at, name, value)) {
        if (strcasecmp(name, "Original-Envelope-Id") == 0) {
            look_for_id(&reading->dsn->envid, value);
        } else if (strcasecmp(name, "Action") == 0) {
            group->kind = kind_of(value);
        } else if (strcasecmp(name, "Final-Recipient") == 0) {
            take_address(group->recipient, untyped(value));
        } else if (strcasecmp(name, "Status") == 0) {
            (void)snprintf(group->status, sizeof(group->status), "%s", value);
        } else if (strcasecmp(name, "Diagnostic-Code") == 0) {
            (void)snprintf(group->diagnostic, sizeof(group->diagnostic), "%s",
                           untyped(value));
        }
    }
}

static void
take_group(dsn_t *dsn, const group_t *group)
{
    outcome_t outcome;

    dsn->kind = group->kind;
    memcpy(dsn->recipient, group->recipient, sizeof(dsn->recipient));
    outcome_init(&outcome);
    bounce_report(group->status, group->diagnostic, &outcome);
    dsn->class_ = group->kind == DSN_FAILED ? outcome.class_ : CLASS_NONE;
    memcpy(dsn->code, outcome.code, sizeof(dsn->code));
    memcpy(dsn->reply, outcome.reply, sizeof(dsn->reply));
}

/*
 * A letter has one recipient; several groups mean that the address stands for
 * others.  It has failed only when it has reached none of them.
 */
static void
read_status(reading_t *reading)
{
    dsn_t *dsn = reading->dsn;
    const char *at;
    group_t group;

    at = reading->status;
    at += strspn(at, "\n");
    while (*at != '\0') {
        read_group(reading, &at, &group);
        if (group.kind == DSN_DELIVERED
            || (group.kind == DSN_FAILED && dsn->kind != DSN_DELIVERED
                && dsn->kind != DSN_FAILED)
            || (group.kind == DSN_DELAYED && dsn->kind == DSN_IGNORED))
        {
            take_group(dsn, &group);
        }
    }
}

static void
read_feedback(reading_t *reading)
{
    char name[40], value[MAX_VALUE];
    dsn_t *dsn = reading->dsn;
    const char *at;

    at = reading->feedback;
    at += strspn(at, "\n");
    dsn->kind = DSN_COMPLAINT;
    while (next_field(&at, name, value)) {
        if (strcasecmp(name, "Original-Mail-From") == 0) {
            look_for_path(reading, value);
        } else if (strcasecmp(name, "Original-Envelope-Id") == 0) {
            look_for_id(&dsn->envid, value);
        } else if (strcasecmp(name, "Original-Rcpt-To") == 0) {
            take_address(dsn->recipient, value);
        } else if (strcasecmp(name, "Feedback-Type") == 0
                   && strncasecmp(value, "not-spam", 8) == 0)
        {
            dsn->kind = DSN_IGNORED;
        }
    }
}

/* The letter that came back, as headers in a text. */
static void
read_letter(reading_t *reading, const char *text)
{
    char name[40], value[MAX_VALUE];

    text += strspn(text, "\n");
    while (next_field(&text, name, value)) {
        if (strcasecmp(name, "Message-ID") == 0) {
            look_for_id(&reading->dsn->message_id, value);
        } else if (strcasecmp(name, "Return-Path") == 0) {
            look_for_path(reading, value);
        }
    }
}

/* --- parts -----------------------------------------------------------------
 */

/* The text of a part, decoded, its line ends LF alone; NULL: there is none. */
static char *
text_of(GMimeObject *object)
{
    GMimeDataWrapper *content;
    GMimeStream *stream;
    GByteArray *bytes;
    char *text;
    size_t len, i;

    if (!GMIME_IS_PART(object)) {
        return NULL;
    }
    content = g_mime_part_get_content(GMIME_PART(object));
    if (content == NULL) {
        return NULL;
    }
    stream = g_mime_stream_mem_new();
    (void)g_mime_data_wrapper_write_to_stream(content, stream);
    bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
    text = malloc(MAX_TEXT + 1);
    len = 0;
    for (i = 0; text != NULL && i < bytes->len && len < MAX_TEXT; i++) {
        if (bytes->data[i] != '\r' && bytes->data[i] != '\0') {
            text[len++] = (char)bytes->data[i];
        }
    }
    if (text != NULL) {
        text[len] = '\0';
    }
    g_object_unref(stream);
    return text;
}

static void
take_text(char **field, GMimeObject *object)
{
    if (*field == NULL) {
        *field = text_of(object);
    }
}

static void
take_letter(reading_t *reading, GMimeObject *object)
{
    GMimeMessage *letter;
    GMimeObject *head;

    letter = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
    if (letter != NULL) {
        head = GMIME_OBJECT(letter);
        look_for_id(&reading->dsn->message_id,
                    g_mime_object_get_header(head, "Message-ID"));
        look_for_path(reading, g_mime_object_get_header(head, "Return-Path"));
    }
}

static void
on_part(GMimeObject *parent, GMimeObject *part, gpointer data)
{
    GMimeContentType *type = g_mime_object_get_content_type(part);
    reading_t *reading = data;
    char *text;

    (void)parent;
    if (GMIME_IS_MESSAGE_PART(part)) {
        take_letter(reading, part);
    } else if (g_mime_content_type_is_type(type, "message", "delivery-status")
               || g_mime_content_type_is_type(type, "message",
                                              "global-delivery-status"))
    {
        take_text(&reading->status, part);
    } else if (g_mime_content_type_is_type(type, "message", "feedback-report"))
    {
        take_text(&reading->feedback, part);
    } else if (g_mime_content_type_is_type(type, "text", "rfc822-headers")) {
        text = text_of(part);
        if (text != NULL) {
            read_letter(reading, text);
            free(text);
        }
    } else if (g_mime_content_type_is_type(type, "text", "plain")) {
        take_text(&reading->words, part);
    }
}

/* --- the message -----------------------------------------------------------
 */

static int
says(GMimeMessage *message, const char *header, const char *word)
{
    const char *value;

    value = g_mime_object_get_header(GMIME_OBJECT(message), header);
    return value != NULL && strcasestr(value, word) != NULL;
}

/* Somebody is on holiday: it is no word about the letter. */
static int
is_auto_reply(GMimeMessage *message)
{
    return says(message, "Auto-Submitted", "auto-replied")
           || says(message, "Precedence", "auto_reply")
           || g_mime_object_get_header(GMIME_OBJECT(message), "X-Autoreply")
                  != NULL
           || g_mime_object_get_header(GMIME_OBJECT(message), "X-Autorespond")
                  != NULL;
}

/* Reports without a form, of servers older than RFC 3464. */
static void
read_words(reading_t *reading, GMimeMessage *message)
{
    dsn_t *dsn = reading->dsn;
    outcome_t outcome;

    if (!dsn->verp.known || reading->words == NULL || is_auto_reply(message)
        || !(says(message, "From", "mailer-daemon")
             || says(message, "From", "postmaster")))
    {
        return;
    }
    outcome_init(&outcome);
    if (bounce_words(reading->words, &outcome) == 0) {
        dsn->kind = DSN_FAILED;
        dsn->class_ = outcome.class_;
        memcpy(dsn->reply, outcome.reply, sizeof(dsn->reply));
    }
}

static void
read_message(reading_t *reading, GMimeMessage *message)
{
    static const char *const paths[] = {"To", "Delivered-To", "X-Original-To",
                                        "Envelope-To", "X-Envelope-To"};
    size_t i;

    for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        look_for_path(reading, g_mime_object_get_header(GMIME_OBJECT(message),
                                                        paths[i]));
    }
    g_mime_message_foreach(message, on_part, reading);
    if (reading->feedback != NULL) {
        read_feedback(reading);
    } else if (reading->status != NULL) {
        read_status(reading);
    } else {
        read_words(reading, message);
    }
}

void
dsn_read(const char *data, size_t len, const leadq_keys_t *keys,
         const char *bounce_address, dsn_t *dsn)
{
    reading_t reading = {keys, bounce_address, dsn, NULL, NULL, NULL};
    GMimeMessage *message;
    GMimeParser *parser;
    GMimeStream *stream;

    memset(dsn, 0, sizeof(*dsn));
    stream = g_mime_stream_mem_new_with_buffer(data, len);
    parser = g_mime_parser_new_with_stream(stream);
    message = g_mime_parser_construct_message(parser, NULL);
    if (message != NULL) {
        read_message(&reading, message);
        g_object_unref(message);
    }
    g_object_unref(parser);
    g_object_unref(stream);
    free(reading.status);
    free(reading.feedback);
    free(reading.words);
}

const char *
dsn_kind_name(dsn_kind_e kind)
{
    switch (kind) {
    case DSN_IGNORED:
        return "ignored";
    case DSN_FAILED:
        return "failed";
    case DSN_DELAYED:
        return "delayed";
    case DSN_DELIVERED:
        return "delivered";
    case DSN_COMPLAINT:
        return "complaint";
    }
    return "?";
}

static int
set_letter(json_t *json, const char *name, const dsn_letter_t *letter)
{
    char text[LEADQ_UUID_LEN + 1];

    if (!letter->known) {
        return 0;
    }
    leadq_uuid_format(letter->uuid, text);
    return json_object_set_new(json, name, json_string(text));
}

static int
set_text(json_t *json, const char *name, const char *text)
{
    return *text == '\0' ? 0
                         : json_object_set_new(json, name, json_string(text));
}

char *
dsn_json(const dsn_t *dsn)
{
    char *text = NULL;
    json_t *json;

    json = json_object();
    if (set_text(json, "kind", dsn_kind_name(dsn->kind)) == 0
        && set_letter(json, "verp", &dsn->verp) == 0
        && set_letter(json, "envid", &dsn->envid) == 0
        && set_letter(json, "message_id", &dsn->message_id) == 0
        && set_text(json, "recipient", dsn->recipient) == 0
        && set_text(json, "class",
                    dsn->class_ == CLASS_NONE ? "" : class_name(dsn->class_))
               == 0
        && set_text(json, "code", dsn->code) == 0
        && set_text(json, "reply", dsn->reply) == 0)
    {
        text = json_dumps(json, JSON_COMPACT);
    }
    json_decref(json);
    return text;
}
