/*
 * Ctrl-C in the middle of a long work: what is under way is brought to its
 * end, and nothing is begun any more.  A second one does not wait.
 */

#ifndef LEADQ_CTL_INTERRUPT_H
#define LEADQ_CTL_INTERRUPT_H

/* From now on SIGINT and SIGTERM, each once, are only noted. */
void ctl_interrupt_catch(void);

/* Has one come? */
int ctl_interrupted(void);

#endif
