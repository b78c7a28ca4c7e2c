/*
 * An intrusive doubly linked list: the link lies in the element, so that
 * joining and leaving allocate nothing.
 */

#ifndef LEADQ_LIST_H
#define LEADQ_LIST_H

#include <stddef.h>

typedef struct list_s list_t;

struct list_s {
    list_t *next;
    list_t *prev;
};

#define list_entry(link, type, member) \
    ((type *)(void *)((char *)(link)-offsetof(type, member)))

#define list_for_each(link, list) \
    for ((link) = (list)->next; (link) != (list); (link) = (link)->next)

static inline void
list_init(list_t *list)
{
    list->next = list;
    list->prev = list;
}

static inline int
list_empty(const list_t *list)
{
    return list->next == list;
}

static inline void
list_append(list_t *list, list_t *link)
{
    link->prev = list->prev;
    link->next = list;
    list->prev->next = link;
    list->prev = link;
}

/* A removed link may be removed again. */
static inline void
list_remove(list_t *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/* Moves everything of from to the end of list. */
static inline void
list_join(list_t *list, list_t *from)
{
    if (!list_empty(from)) {
        from->next->prev = list->prev;
        from->prev->next = list;
        list->prev->next = from->next;
        list->prev = from->prev;
        list_init(from);
    }
}

#endif
