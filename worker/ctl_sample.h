/*
 * A letter as somebody would get it, written with sample data: it shows that
 * a template can be written, and what it looks like.
 */

#ifndef LEADQ_CTL_SAMPLE_H
#define LEADQ_CTL_SAMPLE_H

#include "fault.h"
#include "letter.h"

#include <jansson.h>

/* Who it is from and to; NULL in a member: a sample of it. All borrowed. */
typedef struct {
    const char *to;
    const char *from_email;
    const char *from_name;
    const char *base_url;
    const char *source;
    const char *name; /* of the person */
    int bulk;         /* not a letter of a double-opt-in series */
} ctl_sample_t;

/*
 * Every variable that a letter's text may name, with a value.  Links lead to
 * the site, and to nobody's consent.  Owned by the caller; NULL: no memory.
 */
json_t *ctl_sample_vars(const ctl_sample_t *sample, const char *lang)
    __attribute__((warn_unused_result));

/*
 * The letter of a template {"lang", "subject", "text", "html"}, owned by the
 * caller; or NULL with the fault set.
 */
letter_t *ctl_sample_letter(const ctl_sample_t *sample, const json_t *tpl,
                            fault_t *fault)
    __attribute__((warn_unused_result));

#endif
