/*
 * What values of worker.conf must look like, as far as it takes more than a
 * comparison.  Each returns 0, or -1 with the fault's text set.
 */

#ifndef LEADQ_CONF_CHECK_H
#define LEADQ_CONF_CHECK_H

#include "fault.h"

/*
 * scheme://host, scheme://host:port, or the same with "s" after the scheme;
 * the host may be [IPv6].
 */
int conf_check_url(const char *name, const char *scheme, const char *value,
                   fault_t *fault);

/* An address that return paths can be made of. */
int conf_check_bounce(const char *name, const char *value, fault_t *fault);

/* A folder of a mailbox: what needs no quoting anywhere. */
int conf_check_folder(const char *name, const char *value, fault_t *fault);

/* Name servers, see mx.h. */
int conf_check_resolver(const char *name, const char *value, fault_t *fault);

#endif
