/*
 * A small HTTP server on the loopback for those who watch the worker:
 * libmicrohttpd on the worker's own loop, so that an answer also says that
 * the loop turns.  GET and HEAD of a few pages, nothing else; connections,
 * their time and the size of a request are bounded.
 */

#ifndef LEADQ_SIGHT_H
#define LEADQ_SIGHT_H

#include "buf.h"
#include "fault.h"

#include <stddef.h>
#include <sys/socket.h>
#include <uv.h>

typedef struct sight_s sight_t;

typedef struct {
    const char *path;
    const char *type; /* of the content */
    /* Writes the page; returns the HTTP status. */
    unsigned (*write)(void *data, buf_t *out);
} sight_page_t;

/*
 * The address of "127.0.0.1:9464" or "[::1]:9464".  Only the loopback is
 * good: whoever may reach the port may read.
 */
int sight_parse(const char *text, struct sockaddr_storage *address,
                fault_t *fault) __attribute__((warn_unused_result));

/*
 * Listens; pages are borrowed for its life.  NULL with the fault set: the
 * address is not to be had.
 */
sight_t *sight_new(uv_loop_t *loop, const char *listen,
                   const sight_page_t *pages, size_t n_pages, void *data,
                   fault_t *fault) __attribute__((warn_unused_result));

/* Closes at once.  Accepts NULL. */
void sight_free(sight_t *sight);

#endif
