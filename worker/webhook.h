/*
 * Webhooks: one HTTP call that tells another system of an event.
 *
 * A postback (postback.h) in all but its values, which are of the event and
 * the person.  This file knows what they are called.
 */

#ifndef LEADQ_WEBHOOK_H
#define LEADQ_WEBHOOK_H

/*
 * Is there a value of this name besides {token}, {rand}, {click_id},
 * {lead_id}, {ts}, {date} and {time}, which postbacks have too?
 */
int webhook_is_name(const char *name);

#endif
