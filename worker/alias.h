/*
 * What networks call our macros: their documents say {subid}, {txid}, {sum};
 * a URL that was copied from one is understood.
 */

#ifndef LEADQ_ALIAS_H
#define LEADQ_ALIAS_H

#define ALIAS_MAX 32 /* bytes of a name */

typedef enum {
    ALIAS_NONE,     /* nobody calls anything so */
    ALIAS_OURS,     /* our own name, now in own */
    ALIAS_AMBIGUOUS /* one network means this, another one that */
} alias_e;

alias_e alias_find(const char *name, char own[ALIAS_MAX + 1]);

#endif
