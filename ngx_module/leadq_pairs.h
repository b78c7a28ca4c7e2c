
/*
 * What every parser of bodies produces: names and values as the client sent
 * them, decoded, in their order, none of them checked yet.
 *
 * The text lies in an arena that the caller brings: as many bytes as the body
 * has are always enough, because no decoding makes text longer.
 */

#ifndef LEADQ_PAIRS_H_INCLUDED
#define LEADQ_PAIRS_H_INCLUDED


#include "leadq_types.h"


#define LEADQ_PAIRS_MAX  64
#define LEADQ_NAME_MAX   64                 /* bytes of a field's name */


typedef struct {
    leadq_str_t  name;                      /* borrowed from the arena */
    leadq_str_t  value;                     /* borrowed from the arena */
    leadq_str_t  raw;                       /* JSON text, borrowed from the
                                               body; len 0: body is no JSON */
    int          scalar;                    /* 0: an array, object or real */
} leadq_pair_t;


typedef struct {
    size_t        n;
    leadq_pair_t  pair[LEADQ_PAIRS_MAX];

    leadq_str_t   culprit;                  /* name of the field that broke */
} leadq_pairs_t;                            /* parsing, len 0 if nobody's */


#endif /* LEADQ_PAIRS_H_INCLUDED */
