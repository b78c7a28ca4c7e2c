/*
 * Does a domain take mail?  c-ares asks, libuv waits.
 *
 *     MX ──> a host ────────────────────────────────────> yes
 *      │ "." alone (RFC 7505), no such domain ──────────> no
 *      └ none ─> A ─> AAAA ─> an address (RFC 5321, 5.1) > yes
 *                      └ none ──────────────────────────> no
 *
 * What a name server does not know for certain (SERVFAIL, no answer) is no
 * verdict.
 */

#ifndef LEADQ_MX_H
#define LEADQ_MX_H

#include <uv.h>

#define MX_MAX_GROUP 64

typedef struct resolver_s resolver_t;
typedef struct mx_s mx_t;

typedef enum {
    MX_GOOD,   /* it takes mail; group says who for it */
    MX_NONE,   /* it does not exist, or has neither MX nor address */
    MX_NULL,   /* it says that it takes none */
    MX_UNCLEAR /* we did not look */
} mx_verdict_e;

typedef struct {
    int failed; /* there is no verdict: try again */
    mx_verdict_e verdict;
    char group[MX_MAX_GROUP + 1]; /* "google.com", or "" */
    const char *problem;          /* static text when failed */
    long ms;
} mx_result_t;

/* The result is borrowed; the look-up itself is gone when this returns. */
typedef void (*mx_end_pt)(void *data, const mx_result_t *result);

/*
 * servers: "" for those of the system, "off" for none (every verdict is
 * MX_UNCLEAR), or "address:port, ..".  NULL: no memory.
 */
resolver_t *resolver_new(uv_loop_t *loop, const char *servers)
    __attribute__((warn_unused_result));

/* May this be said of servers? */
int resolver_is(const char *servers);

/* Look-ups under way end without their fn.  Accepts NULL. */
void resolver_free(resolver_t *resolver);

/* Begins a look-up; fn follows, never before mx_start returns. */
mx_t *mx_start(resolver_t *resolver, const char *domain, mx_end_pt fn,
               void *data) __attribute__((warn_unused_result));

/* Ends a look-up without fn; accepts NULL. */
void mx_cancel(mx_t *mx);

/*
 * Who takes the mail: the domain of an MX host as its owner registered it, as
 * near as that can be told without a list.
 */
void mx_group(const char *host, char group[MX_MAX_GROUP + 1]);

#endif
