/*
 * What the business document may say: templates, series, networks, sources.
 */

#ifndef LEADQ_CTL_RULES_H
#define LEADQ_CTL_RULES_H

#include "ctl_check.h"

/*
 * Checks the whole document and brings it to the form that SQL imports:
 * texts in the place of the files that were named, addresses normalised.
 */
void ctl_rules_check(ctl_check_t *check);

/* Its sections with files of their own; for ctl_rules_check(). */
void ctl_templates_check(ctl_check_t *check, json_t *list);
void ctl_networks_check(ctl_check_t *check, json_t *list);
void ctl_consents_check(ctl_check_t *check, json_t *list);
void ctl_webhooks_check(ctl_check_t *check, json_t *list);
void ctl_triggers_check(ctl_check_t *check, json_t *list);
void ctl_segments_check(ctl_check_t *check, json_t *list);
void ctl_limits_check(ctl_check_t *check, json_t *value);
void ctl_mail_check(ctl_check_t *check, json_t *list);
void ctl_gateways_check(ctl_check_t *check, json_t *list);
void ctl_verifications_check(ctl_check_t *check, json_t *list);
void ctl_points_check(ctl_check_t *check, json_t *list);
void ctl_advisors_check(ctl_check_t *check, json_t *list);
void ctl_staff_check(ctl_check_t *check, json_t *list);
void ctl_questions_check(ctl_check_t *check, json_t *list);
void ctl_programmes_check(ctl_check_t *check, json_t *list);
void ctl_visit_rules_check(ctl_check_t *check, json_t *list);

/* --- values, for the sections -------------------------------------------- */

void ctl_rules_name(ctl_check_t *check, json_t *value);
void ctl_rules_lang(ctl_check_t *check, json_t *value);

/* Of a secret: 64 hexadecimal digits. */
void ctl_rules_sha256(ctl_check_t *check, json_t *value);

/* "order.placed"; and a list of such, none twice. */
void ctl_rules_event(ctl_check_t *check, json_t *value);
void ctl_rules_events(ctl_check_t *check, json_t *list);

/* A part of the day: {"from": "10:00", "to": "20:00"}. */
void ctl_rules_window(ctl_check_t *check, json_t *value);

/* Its seconds, or -1 once it has failed. */
long ctl_rules_interval(ctl_check_t *check, json_t *value);

/* A time that is not 0; one of min to max seconds, which range says. */
void ctl_rules_some_time(ctl_check_t *check, json_t *value);
void ctl_rules_time(ctl_check_t *check, json_t *value, long min, long max,
                    const char *range);

/* A whole number from min to max. */
void ctl_rules_count(ctl_check_t *check, const json_t *value, int min,
                     int max);

/* A number from 0 to max, called what. */
void ctl_rules_amount(ctl_check_t *check, const json_t *value, int max,
                      const char *what);

/* true or false */
void ctl_rules_flag(ctl_check_t *check, json_t *value);

/* An address of e-mail, brought to its normal spelling. */
void ctl_rules_email(ctl_check_t *check, json_t *value);

/* The same of a phone, a mobile one of Russia: "+79161234567". */
void ctl_rules_phone(ctl_check_t *check, json_t *value);

/* A text of at most max characters, brought to its normal spelling. */
void ctl_rules_text(ctl_check_t *check, json_t *value, size_t max);

/* One of the names; NULL ends them. */
void ctl_rules_one_of(ctl_check_t *check, const json_t *value,
                      const char *const *names);

/* A string that a function of ctl_value.h judges. */
void ctl_rules_value(ctl_check_t *check, const json_t *value,
                     const char *(*judge)(const char *text));

/*
 * The name of something else, of that section.  When the document has no such
 * section, the database may have it: SQL will tell.
 */
void ctl_rules_reference(ctl_check_t *check, const json_t *value,
                         const char *section, const char *what);

/*
 * The items of the list, where the check stands, which is called section,
 * have different names; or the same name and another value of the key other,
 * which may be NULL.
 */
void ctl_rules_unique(ctl_check_t *check, const json_t *list,
                      const char *section, const char *other);

/* The string of a member, or NULL. */
const char *ctl_rules_text_of(const json_t *value, const char *key);

/* Is the member there, and not null? */
int ctl_rules_has(const json_t *value, const char *key);

/* An item of the list that is in it before, or NULL. */
const json_t *ctl_rules_repeated(const json_t *list);

#endif
