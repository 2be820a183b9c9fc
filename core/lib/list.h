/* SPDX-License-Identifier: MIT */
/*
 * list.h: intrusive doubly linked lists.
 *
 * A list is a ring through a head that carries no object. The links lie inside the objects, so
 * adding and removing allocate nothing and cannot fail. The owner's lock guards a list.
 *
 *     head <-> object.link <-> object.link <-> (head)
 *
 * A link that is on no list points at itself after list_init or list_remove.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next;
    struct list *prev;
};

/** The object of type `type` whose member `member` is the link `link`. */
#define list_entry(link, type, member) ((type *)((char *)(link)-offsetof(type, member)))

/** Walks from the first link to the last. The body must not remove `link`. */
#define list_for_each(link, head) \
    for (struct list *link = (head)->next; link != (head); link = link->next)

/** As list_for_each, but the body may remove and free the object of `link`. */
#define list_for_each_safe(link, head) \
    for (struct list *link = (head)->next, *link##_next = link->next; link != (head); \
         link = link##_next, link##_next = link->next)

static inline void list_init(struct list *list)
{
    list->next = list;
    list->prev = list;
}

static inline bool list_empty(const struct list *list)
{
    return list->next == list;
}

static inline void list_insert_before(struct list *link, struct list *position)
{
    link->prev = position->prev;
    link->next = position;
    position->prev->next = link;
    position->prev = link;
}

static inline void list_add_head(struct list *head, struct list *link)
{
    list_insert_before(link, head->next);
}

static inline void list_add_tail(struct list *head, struct list *link)
{
    list_insert_before(link, head);
}

/** Takes `link` off its list, if it is on one. */
static inline void list_remove(struct list *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/** Takes the first link off, or returns NULL. */
static inline struct list *list_take_head(struct list *head)
{
    struct list *link = head->next;

    if (link == head)
        return NULL;
    list_remove(link);
    return link;
}
