/*
 * leadqctl networks test, gateways test: a call with made-up values, printed
 * without its secrets; with --send it is sent, in the worker's own way.
 */

#ifndef LEADQ_CTL_FIRE_H
#define LEADQ_CTL_FIRE_H

#include "ctl_command.h"

#include "http.h"
#include "postback.h"

#include <jansson.h>

/* What is called; all borrowed. */
typedef struct {
    const char *what;            /* "network", for messages */
    const postback_told_t *told; /* a gateway is; NULL: it is none */

    /*
     * Of the answer to a gateway: texts that are not shown (returns how many,
     * at most POSTBACK_MAX_HIDDEN, borrowed until the next call), and what
     * there is to say about it.  NULL: none.
     */
    size_t (*hide)(void *data, const http_result_t *result,
                   const char **hidden);
    void (*tell)(void *data, const http_result_t *result);
    void *data;
} ctl_fire_t;

/* 0, or -1 when it cannot be made, or was not taken: it is said why. */
int ctl_fire(const json_t *payload, const ctl_fire_t *fire,
             const ctl_options_t *options) __attribute__((warn_unused_result));

/* Prints a line; whatever it holds does not write to the operator's terminal.
 */
void ctl_fire_print(const char *text);

#endif
