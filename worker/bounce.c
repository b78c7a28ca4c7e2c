/*
 * Owns three tables, read top down, first match wins.  A reply may be said
 * now, to us, or be what a relay reports after it has tried for days: then
 * there is nothing to come back for, and "come later" has become a failure.
 */

#include "bounce.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ANY (-1)

/* RFC 3463: class.subject.detail.  From here a detail may be a range. */
typedef struct {
    int class_; /* 4, 5 or ANY */
    int subject;
    int from, to;
    class_e means;
    class_e reported; /* after days of trying, when it is another class */
} code_row_t;

static const code_row_t code_rows[] = {
    {5, 1, 7, 8, CLASS_BLOCK, CLASS_NONE}, /* our sender address */
    {5, 1, 0, 6, CLASS_HARD, CLASS_NONE},  /* mailbox, domain, syntax, moved */
    {5, 1, 10, 10, CLASS_HARD, CLASS_NONE}, /* null MX */
    {4, 1, 7, 8, CLASS_BLOCK, CLASS_NONE},  /* our sender address, for now */
    {5, 2, 1, 1, CLASS_HARD, CLASS_NONE},   /* mailbox disabled */
    {ANY, 2, 2, 2, CLASS_SOFT, CLASS_NONE}, /* mailbox full */
    {ANY, 2, 3, 3, CLASS_SOFT, CLASS_NONE}, /* letter too large for it */
    {ANY, 3, 0, 4, CLASS_SOFT,
     CLASS_NONE},                         /* their system; too large for it */
    {5, 4, 4, 4, CLASS_HARD, CLASS_NONE}, /* no such domain, or no route */
    {4, 4, 1, 1, CLASS_SOFT, CLASS_HARD}, /* nobody answers there */
    {ANY, 4, 0, 9, CLASS_SOFT, CLASS_NONE},   /* routing, congestion, expiry */
    {4, 5, 3, 3, CLASS_GREYLIST, CLASS_NONE}, /* too many recipients */
    {5, 5, 0, 999, CLASS_BLOCK, CLASS_NONE},  /* protocol: ours */
    {5, 6, 0, 999, CLASS_BLOCK, CLASS_NONE},  /* content: ours */
    {5, 7, 13, 13, CLASS_HARD, CLASS_NONE},   /* account disabled */
    {5, 7, 17, 18, CLASS_HARD, CLASS_NONE},   /* the owner has changed */
    {5, 7, 0, 999, CLASS_BLOCK,
     CLASS_NONE}, /* policy, reputation, signatures */
    {4, 7, 1, 1, CLASS_GREYLIST, CLASS_NONE},   /* most often */
    {4, 7, 0, 999, CLASS_BLOCK, CLASS_NONE},    /* policy, rate */
    {4, 2, 0, 999, CLASS_GREYLIST, CLASS_NONE}, /* mailbox, not yet */
};

/* Words of replies, lower case; several languages of servers, one of ours. */
typedef struct {
    const char *words;
    class_e class4; /* on a 4xx reply */
    class_e class5; /* on a 5xx reply */
} phrase_row_t;

static const phrase_row_t phrase_rows[] = {
    {"greylist", CLASS_GREYLIST, CLASS_SOFT},
    {"graylist", CLASS_GREYLIST, CLASS_SOFT},
    {"over quota", CLASS_SOFT, CLASS_SOFT},
    {"quota exceeded", CLASS_SOFT, CLASS_SOFT},
    {"exceeded storage", CLASS_SOFT, CLASS_SOFT},
    {"mailbox full", CLASS_SOFT, CLASS_SOFT},
    {"mailbox is full", CLASS_SOFT, CLASS_SOFT},
    {"too large", CLASS_SOFT, CLASS_SOFT},
    {"exceeds size", CLASS_SOFT, CLASS_SOFT},
    {"spam", CLASS_BLOCK, CLASS_BLOCK},
    {"blocked", CLASS_BLOCK, CLASS_BLOCK},
    {"blacklist", CLASS_BLOCK, CLASS_BLOCK},
    {"blocklist", CLASS_BLOCK, CLASS_BLOCK},
    {"dmarc", CLASS_BLOCK, CLASS_BLOCK},
    {"dkim", CLASS_BLOCK, CLASS_BLOCK},
    {"spf", CLASS_BLOCK, CLASS_BLOCK},
    {"rbl", CLASS_BLOCK, CLASS_BLOCK},
    {"policy", CLASS_BLOCK, CLASS_BLOCK},
    {"reputation", CLASS_BLOCK, CLASS_BLOCK},
    {"relay", CLASS_BLOCK, CLASS_BLOCK},
    {"rate limit", CLASS_BLOCK, CLASS_BLOCK},
    {"user unknown", CLASS_SOFT, CLASS_HARD},
    {"unknown user", CLASS_SOFT, CLASS_HARD},
    {"no such user", CLASS_SOFT, CLASS_HARD},
    {"no such recipient", CLASS_SOFT, CLASS_HARD},
    {"no such mailbox", CLASS_SOFT, CLASS_HARD},
    {"unknown recipient", CLASS_SOFT, CLASS_HARD},
    {"recipient unknown", CLASS_SOFT, CLASS_HARD},
    {"unknown in virtual", CLASS_SOFT, CLASS_HARD},
    {"unknown in local", CLASS_SOFT, CLASS_HARD},
    {"does not exist", CLASS_SOFT, CLASS_HARD},
    {"doesn't exist", CLASS_SOFT, CLASS_HARD},
    {"mailbox unavailable", CLASS_GREYLIST, CLASS_HARD},
    {"mailbox not found", CLASS_SOFT, CLASS_HARD},
    {"invalid mailbox", CLASS_SOFT, CLASS_HARD},
    {"invalid recipient", CLASS_SOFT, CLASS_HARD},
    {"user not found", CLASS_SOFT, CLASS_HARD},
    {"account disabled", CLASS_SOFT, CLASS_HARD},
    {"mailbox disabled", CLASS_SOFT, CLASS_HARD},
    {"account is disabled", CLASS_SOFT, CLASS_HARD},
    {"domain not found", CLASS_SOFT, CLASS_HARD},
    {"host not found", CLASS_SOFT, CLASS_HARD},
};

/* The three digits, when neither code nor words have said anything. */
typedef struct {
    int from, to;
    smtp_phase_e phase;
    class_e means;
} digit_row_t;

static const digit_row_t digit_rows[] = {
    {450, 451, SMTP_RCPT, CLASS_GREYLIST},
    {450, 451, SMTP_DATA, CLASS_GREYLIST},
    {400, 499, SMTP_RCPT, CLASS_SOFT},
    {400, 499, SMTP_DATA, CLASS_SOFT},
    {501, 501, SMTP_RCPT, CLASS_HARD},  /* bad address syntax */
    {552, 552, SMTP_RCPT, CLASS_SOFT},  /* mailbox full */
    {552, 552, SMTP_DATA, CLASS_SOFT},  /* too large */
    {500, 549, SMTP_RCPT, CLASS_BLOCK}, /* protocol, login */
    {550, 550, SMTP_RCPT, CLASS_HARD},
    {551, 551, SMTP_RCPT, CLASS_HARD},
    {553, 553, SMTP_RCPT, CLASS_HARD},
    {554, 599, SMTP_RCPT, CLASS_SOFT},
    {500, 599, SMTP_DATA, CLASS_BLOCK},
};

void
bounce_code(const char *reply, int smtp, char code[12])
{
    size_t len;
    int dots;

    code[0] = '\0';
    if ((*reply != '4' && *reply != '5') || *reply - '0' != smtp / 100) {
        return;
    }
    dots = 0;
    for (len = 0; isdigit((unsigned char)reply[len]) || reply[len] == '.';
         len++) {
        dots += reply[len] == '.';
        if (reply[len] == '.' && !isdigit((unsigned char)reply[len + 1])) {
            return;
        }
    }
    if (dots == 2 && len <= 9 && reply[1] == '.') {
        memcpy(code, reply, len);
        code[len] = '\0';
    }
}

static class_e
by_code(const char *code, int reported)
{
    const code_row_t *row;
    long subject, detail;
    char *end;
    size_t i;

    if (code[0] == '\0') {
        return CLASS_NONE;
    }
    subject = strtol(code + 2, &end, 10);
    detail = strtol(end + 1, NULL, 10);
    for (i = 0; i < sizeof(code_rows) / sizeof(code_rows[0]); i++) {
        row = &code_rows[i];
        if ((row->class_ == ANY || row->class_ == code[0] - '0')
            && row->subject == subject && row->from <= detail
            && detail <= row->to)
        {
            return reported && row->reported != CLASS_NONE ? row->reported
                                                           : row->means;
        }
    }
    return CLASS_NONE;
}

static class_e
by_words(int smtp, const char *reply)
{
    size_t i;

    for (i = 0; i < sizeof(phrase_rows) / sizeof(phrase_rows[0]); i++) {
        if (strcasestr(reply, phrase_rows[i].words) != NULL) {
            return smtp < 500 ? phrase_rows[i].class4 : phrase_rows[i].class5;
        }
    }
    return CLASS_NONE;
}

static class_e
by_digits(smtp_phase_e phase, int smtp)
{
    const digit_row_t *row;
    size_t i;

    for (i = 0; i < sizeof(digit_rows) / sizeof(digit_rows[0]); i++) {
        row = &digit_rows[i];
        if (row->from <= smtp && smtp <= row->to && row->phase == phase) {
            return row->means;
        }
    }
    return CLASS_BLOCK; /* MAIL FROM: our sender */
}

class_e
bounce_class(smtp_phase_e phase, int smtp, const char *code, const char *reply)
{
    class_e class_;

    /* greeting, EHLO, STARTTLS, AUTH and 421 say nothing of the address */
    if (phase == SMTP_SESSION || smtp == 421) {
        return CLASS_NETWORK;
    }
    class_ = by_code(code, 0);
    if (class_ == CLASS_GREYLIST && strcmp(code, "4.7.1") == 0
        && by_words(smtp, reply) == CLASS_BLOCK)
    {
        class_ = CLASS_BLOCK;
    }
    if (class_ == CLASS_NONE) {
        class_ = by_words(smtp, reply);
    }
    if (class_ == CLASS_NONE && code[0] != '\0') {
        class_ = CLASS_SOFT; /* x.0.0: until a repeat says otherwise */
    }
    return class_ == CLASS_NONE ? by_digits(phase, smtp) : class_;
}

void
bounce_judge(const smtp_result_t *result, outcome_t *outcome)
{
    outcome->ms = result->ms;
    outcome->smtp = result->code;
    switch (result->end) {
    case SMTP_ACCEPTED:
        outcome->outcome = OUTCOME_DONE;
        return;
    case SMTP_FAILED:
        outcome->outcome = OUTCOME_RETRY;
        outcome->class_ = CLASS_NETWORK;
        outcome->reason = result->problem;
        return;
    case SMTP_REPLIED:
        break;
    }
    outcome_reply(outcome, result->reply, strlen(result->reply));
    bounce_code(result->reply, result->code, outcome->code);
    outcome->class_ = bounce_class(result->phase, result->code, outcome->code,
                                   result->reply);
    outcome->reason = smtp_phase_name(result->phase);
    outcome->outcome = result->code < 500 || outcome->class_ == CLASS_NETWORK
                           ? OUTCOME_RETRY
                           : OUTCOME_DEAD;
}

/* --- what others report ----------------------------------------------------
 */

/* The enhanced code in the middle of a text, "" when there is none. */
static void
find_code(const char *text, char code[12])
{
    const char *p;
    size_t len;

    code[0] = '\0';
    for (p = text; *p != '\0' && code[0] == '\0'; p += len) {
        len = strcspn(p, "0123456789.");
        if (len == 0) {
            len = strspn(p, "0123456789.");
            bounce_code(p, *p == '4' ? 450 : 550, code);
        } else if (isalnum((unsigned char)p[len - 1]) || p[len - 1] == '-') {
            /* part of a word, or "550-5.1.1" */
            len += p[len - 1] == '-' ? 0 : strspn(p + len, "0123456789.");
        }
    }
}

/* The reply that a text begins with: "550 5.1.1 ..", "550-..". */
static int
reply_code(const char *text)
{
    return (*text == '4' || *text == '5') && isdigit((unsigned char)text[1])
                   && isdigit((unsigned char)text[2])
                   && !isalnum((unsigned char)text[3]) && text[3] != '.'
               ? (int)strtol(text, NULL, 10)
               : 0;
}

/* An expired letter, when nobody was ever there. */
static int
says_no_answer(const char *code, const char *words)
{
    return (strcmp(code, "4.4.7") == 0 || strcmp(code, "5.4.7") == 0)
           && (strcasestr(words, "connection timed out") != NULL
               || strcasestr(words, "connection refused") != NULL
               || strcasestr(words, "no answer") != NULL);
}

/* smtp is 0 when nobody said it. */
static class_e
reported_class(int smtp, const char *code, const char *words)
{
    class_e class_, said;

    said = by_words(smtp != 0 ? smtp : code[0] == '4' ? 450 : 550, words);
    if (says_no_answer(code, words)) {
        return CLASS_HARD;
    }
    if (strcmp(code, "4.7.1") == 0 && said == CLASS_BLOCK) {
        return CLASS_BLOCK;
    }
    class_ = by_code(code, 1);
    class_ = class_ == CLASS_NONE ? said : class_;
    if (class_ == CLASS_NONE && code[0] == '\0' && smtp != 0) {
        class_ = by_digits(SMTP_RCPT, smtp);
    }
    return class_ == CLASS_NONE || class_ == CLASS_GREYLIST ? CLASS_SOFT
                                                            : class_;
}

void
bounce_report(const char *status, const char *diagnostic, outcome_t *outcome)
{
    outcome_reply(outcome, diagnostic, strlen(diagnostic));
    find_code(diagnostic, outcome->code);
    if (outcome->code[0] == '\0') {
        find_code(status, outcome->code);
    }
    outcome->smtp = reply_code(diagnostic);
    outcome->class_ = reported_class(outcome->smtp, outcome->code, diagnostic);
}

int
bounce_words(const char *text, outcome_t *outcome)
{
    find_code(text, outcome->code);
    outcome_reply(outcome, text, strlen(text));
    if (outcome->code[0] == '\0' && by_words(550, text) == CLASS_NONE) {
        return -1;
    }
    outcome->class_ = reported_class(0, outcome->code, text);
    return 0;
}
