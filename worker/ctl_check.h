/*
 * Checking a JSON document against tables of keys, collecting everything
 * that is wrong: "file:line: path: reason".
 *
 * The check stands at a path; what fails is noted there.
 */

#ifndef LEADQ_CTL_CHECK_H
#define LEADQ_CTL_CHECK_H

#include "buf.h"
#include "ctl_json.h"

#include <jansson.h>
#include <stddef.h>

#define CTL_CHECK_MAX_PROBLEMS 200
#define CTL_CHECK_MAX_ITEMS 2000 /* of a list */

typedef struct {
    int line;   /* of the document, to sort by */
    size_t seq; /* in the order they were found */
    char *text; /* owned */
} ctl_problem_t;

typedef struct {
    const char *file;  /* borrowed */
    json_t *document;  /* borrowed */
    char *dir;         /* owned; where the files lie that it names */
    ctl_json_t *lines; /* owned */
    buf_t path;
    ctl_problem_t problems[CTL_CHECK_MAX_PROBLEMS];
    size_t n_problems; /* all; those beyond the maximum are only counted */
} ctl_check_t;

/* 0, or -1: no memory. */
int ctl_check_init(ctl_check_t *check, const char *file, const char *text,
                   json_t *document) __attribute__((warn_unused_result));
void ctl_check_done(ctl_check_t *check);

/* Moves to a member, and back with what that returned. */
size_t ctl_check_enter(ctl_check_t *check, const char *key);
size_t ctl_check_enter_item(ctl_check_t *check, size_t index);
void ctl_check_leave(ctl_check_t *check, size_t mark);

/* Something is wrong with the value where the check stands. */
void ctl_check_fail(ctl_check_t *check, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The same with a member of it. */
void ctl_check_fail_key(ctl_check_t *check, const char *key, const char *fmt,
                        ...) __attribute__((format(printf, 3, 4)));

/* Something is wrong in a file that the value names. */
void ctl_check_fail_file(ctl_check_t *check, const char *file, int line,
                         const char *reason);

/* Something is wrong with the value of this path. */
void ctl_check_fail_path(ctl_check_t *check, const char *path, int line,
                         const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Prints the problems in the order of the document; how many there are. */
size_t ctl_check_report(ctl_check_t *check);

/* A check of one value, which may bring it to its normal spelling. */
typedef void (*ctl_check_pt)(ctl_check_t *check, json_t *value);

typedef struct {
    const char *name;
    int required;
    ctl_check_pt check;
} ctl_key_t;

/*
 * The value is an object of these keys (NULL ends them), the required ones
 * are there, and each one that is not null passes its check.  -1: it is no
 * object.
 */
int ctl_check_object(ctl_check_t *check, json_t *value, const ctl_key_t *keys);

/* The value is a list; each item passes the check. */
void ctl_check_list(ctl_check_t *check, json_t *value, ctl_check_pt item);

/* The same, of 1 to max items, which are called so. */
void ctl_check_some(ctl_check_t *check, json_t *value, ctl_check_pt item,
                    size_t max, const char *items);

/* The text of a value that must be a string, or NULL once it has failed. */
const char *ctl_check_string(ctl_check_t *check, const json_t *value);

#endif
