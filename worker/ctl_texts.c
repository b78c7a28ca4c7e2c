/*
 * Texts that bring a code: whether they do, in which languages, and what
 * they cost.
 */

#include "ctl_texts.h"
#include "ctl_call.h"
#include "ctl_gateways.h"
#include "ctl_rules.h"
#include "ctl_value.h"
#include "ctl_verifications.h"

#include "leadq_utf8.h"
#include "segments.h"

#include <stdio.h>
#include <string.h>

#define CODE "{code}"
#define DISCOUNT "{discount}"
#define UNTIL "{until}"
#define MAX_TEXT 1000 /* characters */
#define MAX_TITLE 200
#define MAX_LANGS 50

/* Of a text with its code, and the line for browsers. */
#define MAX_WHOLE (4 * MAX_TEXT + 1000)

/* --- the texts ----------------------------------------------------------- */

static size_t
characters(const char *text)
{
    size_t n;

    for (n = 0; *text != '\0'; text++) {
        n += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return n;
}

/* Is there a character that has no place in a message? */
static int
has_control(const char *text)
{
    const char *end = text + strlen(text);
    int32_t cp;

    while (text < end) {
        cp = leadq_utf8_next(&text, end);
        if (cp != '\n' && leadq_utf8_control(cp)) {
            return 1;
        }
    }
    return 0;
}

/* How long the macro is that the text begins with, of those; 0: none. */
static size_t
macro_len(const char *text, const char *const *macros)
{
    for (; *macros != NULL; macros++) {
        if (strncmp(text, *macros, strlen(*macros)) == 0) {
            return strlen(*macros);
        }
    }
    return 0;
}

/* NULL, or what is wrong with the text of a message. */
static const char *
judge_text(const char *text, const char *const *macros, const char *braces)
{
    const char *p;
    size_t len;

    for (p = text + strcspn(text, "{}"); *p != '\0'; p += strcspn(p, "{}")) {
        len = macro_len(p, macros);
        if (len == 0) {
            return braces;
        }
        p += len;
    }
    if (strstr(text, CODE) == NULL) {
        return "does not say " CODE;
    }
    if (characters(text) > MAX_TEXT) {
        return "is longer than 1000 characters";
    }
    return has_control(text) ? "has a control character" : NULL;
}

static const char *
judge_code_text(const char *text)
{
    static const char *const macros[] = {CODE, NULL};

    return judge_text(text, macros, "has a brace besides those of " CODE);
}

static const char *
judge_promo_text(const char *text)
{
    static const char *const macros[] = {CODE, DISCOUNT, UNTIL, NULL};

    return judge_text(text, macros,
                      "has a brace besides those of " CODE ", " DISCOUNT
                      " and " UNTIL);
}

static const char *
judge_title(const char *text)
{
    return *text == '\0'                  ? "is empty"
           : characters(text) > MAX_TITLE ? "is longer than 200 characters"
           : has_control(text)            ? "has a control character"
                                          : NULL;
}

void
ctl_texts_check(ctl_check_t *check, json_t *value)
{
    ctl_texts_by_language(check, value, judge_code_text);
}

void
ctl_texts_promo(ctl_check_t *check, json_t *value)
{
    ctl_texts_by_language(check, value, judge_promo_text);
}

void
ctl_texts_title(ctl_check_t *check, json_t *value)
{
    ctl_texts_by_language(check, value, judge_title);
}

void
ctl_texts_by_language(ctl_check_t *check, json_t *value,
                      const char *(*judge)(const char *text))
{
    const char *lang, *text, *reason;
    json_t *member;
    size_t mark;

    if (!json_is_object(value)) {
        ctl_check_fail(check, "is not an object of languages");
        return;
    }
    if (json_object_size(value) < 1 || json_object_size(value) > MAX_LANGS) {
        ctl_check_fail(check, "has not from 1 to %d languages", MAX_LANGS);
        return;
    }
    json_object_foreach(value, lang, member)
    {
        mark = ctl_check_enter(check, lang);
        reason = ctl_value_lang(lang);
        text = reason == NULL ? ctl_check_string(check, member) : NULL;
        reason = text == NULL ? reason : judge(text);
        if (reason != NULL) {
            ctl_check_fail(check, "%s", reason);
        }
        ctl_check_leave(check, mark);
    }
}

void
ctl_texts_whole(ctl_check_t *check, const json_t *step, const char *lang)
{
    const char *name = ctl_rules_text_of(step, "gateway"),
               *channel = ctl_gateways_channel(check->document, name);
    const json_t *gateway = ctl_gateways_find(check->document, name),
                 *text = json_object_get(step, "text");
    int sent;

    if (json_is_object(text) && !ctl_rules_has(text, lang)) {
        ctl_check_fail_key(check, "text",
                           "has not the language of the profile, \"%s\"",
                           lang);
    }
    if (channel == NULL) {
        return; /* SQL will tell, or it is said already */
    }
    if (!ctl_gateways_sends(channel)) {
        ctl_check_fail_key(check, "gateway", "\"%s\" sends no codes", name);
        return;
    }
    sent = ctl_call_names(gateway, "text", ctl_gateways_macro);
    if (sent && !ctl_rules_has(step, "text")) {
        ctl_check_fail_key(check, "text", "is missing: the gateway sends it");
    } else if (ctl_rules_has(step, "text") && strcmp(channel, "call") == 0) {
        ctl_check_fail_key(check, "text", "is not for a call");
    } else if (ctl_rules_has(step, "text") && !sent) {
        ctl_check_fail_key(check, "text",
                           "is never sent: the gateway has no {text}");
    }
}

/* --- what they cost ------------------------------------------------------ */

/* A text with a value in the place of each macro. */
static void
put_in(buf_t *out, const char *text, const char *const *macros,
       const char *const *values)
{
    size_t i, len;

    while (*text != '\0') {
        for (i = 0, len = 0; macros[i] != NULL && len == 0; i++) {
            if (strncmp(text, macros[i], strlen(macros[i])) == 0) {
                buf_add_str(out, values[i]);
                len = strlen(macros[i]);
            }
        }
        if (len == 0) {
            len = 1;
            buf_add(out, text, len);
        }
        text += len;
    }
}

void
ctl_texts_write(buf_t *out, const char *text, const char *code,
                const char *host)
{
    const char *const macros[] = {CODE, NULL};
    const char *const values[] = {code};

    put_in(out, text, macros, values);
    if (host != NULL) {
        buf_addf(out, "\n\n@%s #%s", host, code);
    }
}

/* One line, of the text that stands where the check does, as it leaves. */
static void
tell(ctl_check_t *check, const buf_t *whole, int is_sms)
{
    const char *path = buf_str(&check->path);
    long segments;

    (void)printf("%s:%d: %s: %zu characters", check->file,
                 ctl_json_line(check->lines, path), path,
                 characters(buf_str(whole)));
    if (is_sms) {
        segments = segments_count(buf_str(whole), whole->len);
        (void)printf(", %ld segment%s", segments, segments == 1 ? "" : "s");
    }
    (void)putchar('\n');
}

static void
tell_text(ctl_check_t *check, const char *text, const char *code,
          const char *channel, const char *host)
{
    const int is_sms = channel == NULL || strcmp(channel, "sms") == 0;
    buf_t whole;

    buf_init(&whole, MAX_WHOLE);
    ctl_texts_write(&whole, text, code,
                    channel == NULL || !is_sms ? NULL : host);
    tell(check, &whole, is_sms);
    buf_done(&whole);
}

static void
tell_step(ctl_check_t *check, const json_t *profile, const json_t *step)
{
    static const char zeros[] = "00000000";
    const char *code = zeros + strlen(zeros) - ctl_profile_digits(profile);
    const char *channel, *lang;
    size_t mark, mark_lang;
    json_t *text;

    channel = ctl_gateways_channel(check->document,
                                   ctl_rules_text_of(step, "gateway"));
    mark = ctl_check_enter(check, "text");
    json_object_foreach(json_object_get(step, "text"), lang, text)
    {
        mark_lang = ctl_check_enter(check, lang);
        tell_text(check, json_string_value(text), code, channel,
                  ctl_rules_text_of(profile, "host"));
        ctl_check_leave(check, mark_lang);
    }
    ctl_check_leave(check, mark);
}

static void
tell_message(ctl_check_t *check, const json_t *programme)
{
    const char *const macros[] = {CODE, DISCOUNT, UNTIL, NULL};
    const char *const values[] = {"XXXX-XXXX-XXXX",
                                  ctl_rules_text_of(programme, "discount"),
                                  "31.12.2099"};
    const json_t *message = json_object_get(programme, "message");
    const char *channel, *lang;
    size_t mark, mark_lang;
    json_t *text;
    buf_t whole;

    channel = ctl_gateways_channel(check->document,
                                   ctl_rules_text_of(message, "gateway"));
    mark = ctl_check_enter(check, "message");
    (void)ctl_check_enter(check, "text");
    json_object_foreach(json_object_get(message, "text"), lang, text)
    {
        mark_lang = ctl_check_enter(check, lang);
        buf_init(&whole, MAX_WHOLE);
        put_in(&whole, json_string_value(text), macros, values);
        tell(check, &whole, channel == NULL || strcmp(channel, "sms") == 0);
        buf_done(&whole);
        ctl_check_leave(check, mark_lang);
    }
    ctl_check_leave(check, mark);
}

static void
tell_messages(ctl_check_t *check)
{
    const json_t *programme;
    size_t i, mark;

    json_array_foreach(json_object_get(check->document, "programmes"), i,
                       programme)
    {
        mark = ctl_check_enter(check, "programmes");
        (void)ctl_check_enter_item(check, i);
        tell_message(check, programme);
        ctl_check_leave(check, mark);
    }
}

void
ctl_texts_tell(ctl_check_t *check)
{
    size_t i, k, mark, mark_steps, mark_step;
    const json_t *profile, *step;

    json_array_foreach(json_object_get(check->document, "verifications"), i,
                       profile)
    {
        mark = ctl_check_enter(check, "verifications");
        (void)ctl_check_enter_item(check, i);
        mark_steps = ctl_check_enter(check, "steps");
        json_array_foreach(json_object_get(profile, "steps"), k, step)
        {
            mark_step = ctl_check_enter_item(check, k);
            tell_step(check, profile, step);
            ctl_check_leave(check, mark_step);
        }
        ctl_check_leave(check, mark_steps);
        ctl_check_leave(check, mark);
    }
    tell_messages(check);
}
