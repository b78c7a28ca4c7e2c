/*
 * What is different between two JSON documents, a line for each place:
 *
 *     + sources[print-landing]
 *     - networks[old]
 *     ~ sources[cpa-landing].soft_limit: 3 -> 4
 *     ~ templates[doi-1 ru].text: line 3: "Hello" -> "Good day"
 *
 * Items of a list that have names are known by them (by "name", and "lang"
 * where names repeat), whatever their order; others by their place.  What
 * has a null on one side and nothing on the other is the same.
 */

#ifndef LEADQ_CTL_DIFF_H
#define LEADQ_CTL_DIFF_H

#include <jansson.h>
#include <stddef.h>

#define CTL_DIFF_MAX_PATH 512
#define CTL_DIFF_MAX_VALUE 60 /* bytes of a value that are shown */
#define CTL_DIFF_MAX_DEPTH 32

typedef void (*ctl_diff_pt)(void *data, const char *line);

/*
 * Calls fn for each difference, in the order of after, what is gone at the
 * end of its list; returns how many there are.
 */
size_t ctl_diff(json_t *before, json_t *after, ctl_diff_pt fn, void *data);

#endif
