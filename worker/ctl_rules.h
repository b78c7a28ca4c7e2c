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
void ctl_mail_check(ctl_check_t *check, json_t *list);

/* --- values, for the sections -------------------------------------------- */

void ctl_rules_name(ctl_check_t *check, json_t *value);
void ctl_rules_lang(ctl_check_t *check, json_t *value);

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

/* The string of a member, or NULL. */
const char *ctl_rules_text_of(const json_t *value, const char *key);

#endif
