/*
 * The addresses of a connection string's hosts.  libpq would ask the resolver
 * itself, and wait for it: a name server that is away would stop the loop.
 */

#ifndef LEADQ_PG_HOSTS_H
#define LEADQ_PG_HOSTS_H

#include <uv.h>

typedef struct pg_hosts_s pg_hosts_t;

/*
 * What goes over the conninfo: lists of equal length, as libpq reads them;
 * all NULL when the conninfo says all.  problem is NULL, or a static text
 * when no host has an address.  Borrowed for the call.
 */
typedef void (*pg_hosts_pt)(void *data, const char *hosts,
                            const char *addresses, const char *ports,
                            const char *problem);

/*
 * Begins; fn follows, never before it returns.  NULL: no memory, fn is not
 * called.
 */
pg_hosts_t *pg_hosts_start(uv_loop_t *loop, const char *conninfo,
                           pg_hosts_pt fn, void *data)
    __attribute__((warn_unused_result));

/* fn does not follow any more; accepts NULL. */
void pg_hosts_cancel(pg_hosts_t *hosts);

#endif
