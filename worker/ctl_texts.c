/*
 * Texts that bring a code: whether they do, in which languages, and what
 * they cost.
 */

#include "ctl_verifications.h"

#include "ctl_call.h"
#include "ctl_gateways.h"
#include "ctl_rules.h"
#include "ctl_value.h"

#include "leadq_utf8.h"
#include "segments.h"

#include <stdio.h>
#include <string.h>

#define CODE "{code}"
#define MAX_TEXT 1000 /* characters */
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

/* NULL, or what is wrong with the text of a message. */
static const char *
judge_text(const char *text)
{
    const char *p;

    for (p = text + strcspn(text, "{}"); *p != '\0'; p += strcspn(p, "{}")) {
        if (strncmp(p, CODE, strlen(CODE)) != 0) {
            return "has a brace besides those of " CODE;
        }
        p += strlen(CODE);
    }
    if (strstr(text, CODE) == NULL) {
        return "does not say " CODE;
    }
    if (characters(text) > MAX_TEXT) {
        return "is longer than 1000 characters";
    }
    return has_control(text) ? "has a control character" : NULL;
}

void
ctl_texts_check(ctl_check_t *check, json_t *value)
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
        reason = text == NULL ? reason : judge_text(text);
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
    if (ctl_gateways_judges(channel)) {
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

void
ctl_texts_write(buf_t *out, const char *text, const char *code,
                const char *host)
{
    const char *p;

    while ((p = strstr(text, CODE)) != NULL) {
        buf_add(out, text, (size_t)(p - text));
        buf_add_str(out, code);
        text = p + strlen(CODE);
    }
    buf_add_str(out, text);
    if (host != NULL) {
        buf_addf(out, "\n\n@%s #%s", host, code);
    }
}

static void
tell_text(ctl_check_t *check, const char *text, const char *code,
          const char *channel, const char *host)
{
    const int is_sms = channel == NULL || strcmp(channel, "sms") == 0;
    const char *path = buf_str(&check->path);
    long segments;
    buf_t whole;

    buf_init(&whole, MAX_WHOLE);
    ctl_texts_write(&whole, text, code,
                    channel == NULL || !is_sms ? NULL : host);
    (void)printf("%s:%d: %s: %zu characters", check->file,
                 ctl_json_line(check->lines, path), path,
                 characters(buf_str(&whole)));
    if (is_sms) {
        segments = segments_count(buf_str(&whole), whole.len);
        (void)printf(", %ld segment%s", segments, segments == 1 ? "" : "s");
    }
    (void)putchar('\n');
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
}
