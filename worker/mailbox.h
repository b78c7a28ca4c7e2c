/*
 * The mailbox that bounces and complaints come to: read now and then by one
 * worker at a time, told to SQL, and only then moved away.
 */

#ifndef LEADQ_MAILBOX_H
#define LEADQ_MAILBOX_H

#include "conf.h"

#include <uv.h>

typedef struct mailbox_s mailbox_t;

/*
 * conf is borrowed until mailbox_conf names another one; worker is our name
 * in the lease.  NULL: no memory.
 */
mailbox_t *mailbox_new(uv_loop_t *loop, const conf_t *conf, const char *worker)
    __attribute__((warn_unused_result));

/* Takes another configuration, from the next look on. */
void mailbox_conf(mailbox_t *mailbox, const conf_t *conf);

/* What was read and not yet told is read again by the next one.  Accepts
 * NULL. */
void mailbox_free(mailbox_t *mailbox);

#endif
