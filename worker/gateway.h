/*
 * Gateways: who sends one-time codes, by SMS, call, messenger or push, and who
 * judges captchas before one is sent.
 *
 * A request to one is a postback (postback.h) in all but its values, which
 * are of the send.  This file knows what they are called.
 */

#ifndef LEADQ_GATEWAY_H
#define LEADQ_GATEWAY_H

/*
 * Is there a value of this name besides {token}, {rand}, {ts}, {date},
 * {time} and {ip}, which postbacks have too?
 */
int gateway_is_name(const char *name);

#endif
