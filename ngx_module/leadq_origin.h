
/*
 * Does a request come from a page of this very site?  Browsers say so by
 * themselves and pages cannot change it: Sec-Fetch-Site in all of today's,
 * Origin in older ones.
 */

#ifndef LEADQ_ORIGIN_H_INCLUDED
#define LEADQ_ORIGIN_H_INCLUDED


#include "leadq_types.h"


/*
 * Returns 1 if it does.
 *
 * site    value of Sec-Fetch-Site, or NULL; if it is there, it decides
 * origin  value of Origin, or NULL
 * host    value of Host, or NULL
 * tls     the request came over TLS, so a page without it is another site
 */
int leadq_origin_same(const leadq_str_t *site, const leadq_str_t *origin,
    const leadq_str_t *host, int tls);


#endif /* LEADQ_ORIGIN_H_INCLUDED */
