#include "ctl_sample.h"

#include <string.h>

static const char *
or_sample(const char *value, const char *sample)
{
    return value == NULL ? sample : value;
}

json_t *
ctl_sample_vars(const ctl_sample_t *sample, const char *lang)
{
    const char *base = or_sample(sample->base_url, "https://www.example");
    const char *name = strcmp(lang, "ru") == 0 ? "Анна" : "Anna";

    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "name",
                     or_sample(sample->name, name), "email",
                     or_sample(sample->to, "anna@example.org"), "source",
                     or_sample(sample->source, "sample"), "lang", lang,
                     "confirm_url", json_sprintf("%s/c/preview", base),
                     "unsubscribe_url", json_sprintf("%s/u/preview", base));
}

letter_t *
ctl_sample_letter(const ctl_sample_t *sample, const json_t *tpl,
                  fault_t *fault)
{
    const char *lang = json_string_value(json_object_get(tpl, "lang"));
    const time_t now = time(NULL);
    letter_t *letter;
    json_t *payload;

    payload = json_pack(
        "{s:o, s:s, s:s, s:s*, s:O, s:O, s:O, s:o, s:s, s:s, s:b, s:s*}",
        "message_id", json_sprintf("preview-%lld", (long long)now), "to",
        or_sample(sample->to, "anna@example.org"), "from_email",
        or_sample(sample->from_email, "club@example.org"), "from_name",
        sample->from_name, "subject", json_object_get(tpl, "subject"), "text",
        json_object_get(tpl, "text"), "html", json_object_get(tpl, "html"),
        "vars", ctl_sample_vars(sample, lang == NULL ? "en" : lang),
        "list_unsubscribe", "unsubscribe_url", "list_id", "preview.example",
        "bulk", sample->bulk, "feedback_id",
        sample->bulk ? "preview:sample" : NULL);
    if (payload == NULL) {
        (void)fault_set(fault, 0, "out of memory");
        return NULL;
    }
    letter = letter_new(payload, NULL, now, fault);
    json_decref(payload);
    return letter;
}
