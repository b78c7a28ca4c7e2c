/*
 * Array values as PostgreSQL reads them: {"one",NULL,"two"}.
 */

#ifndef LEADQ_ARRAY_H
#define LEADQ_ARRAY_H

#include "buf.h"

/* Adds one element (NULL: null), opening the array with the first. */
void array_add(buf_t *array, const char *element);

/* Closes the array; an array without elements becomes {}. */
void array_end(buf_t *array);

#endif
