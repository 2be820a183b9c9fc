/* SPDX-License-Identifier: MIT */
/*
 * listing.c: a linked list of entries, sorted by merging: halves are sorted, then zipped together.
 * The depth of the recursion is the logarithm of the length (17 for FAT's greatest directory).
 */
#include "shell/commands/listing.h"

#include "lib/string.h"
#include "heap/heap.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/runtime.h>

static struct listing_entry *listing_merge(struct listing_entry *a, struct listing_entry *b)
{
    struct listing_entry *first = NULL, **tail = &first;

    while (a != NULL && b != NULL) {
        struct listing_entry **from = string_compare(a->name, b->name) <= 0 ? &a : &b;

        *tail = *from;
        tail = &(*from)->next;
        *from = (*from)->next;
    }
    *tail = a != NULL ? a : b;
    return first;
}

/* Sorts the first `n` entries of *rest, moves *rest behind them, and returns them. */
static struct listing_entry *listing_sort(struct listing_entry **rest, size_t n)
{
    struct listing_entry *first = *rest, *left, *right;

    if (n == 0)
        return NULL;
    if (n == 1) {
        *rest = first->next;
        first->next = NULL;
        return first;
    }
    left = listing_sort(rest, n / 2);
    right = listing_sort(rest, n - n / 2);
    return listing_merge(left, right);
}

static int listing_add(struct listing *listing, const struct directory_entry *from)
{
    size_t bytes = string_length(from->name) + 1;
    struct listing_entry *entry = kmalloc(sizeof(*entry) + bytes);

    if (entry == NULL)
        return -ENOMEM;
    entry->attributes = from->attributes;
    memcpy(entry->name, from->name, bytes);
    entry->next = listing->first;
    listing->first = entry;
    listing->count++;
    return 0;
}

int listing_read(struct vnode *directory,
                 bool (*want)(const struct directory_entry *entry, void *context), void *context,
                 struct listing *listing)
{
    struct directory_entry *entry = kmalloc(sizeof(*entry));
    struct listing_entry *rest;
    uint64_t position = 0;
    int error = entry == NULL ? -ENOMEM : 0;

    listing->first = NULL;
    listing->count = 0;
    while (error == 0) {
        error = thread_cancelled() ? -EINTR : vfs_iterate(directory, &position, entry);
        if (error == 0 && (want == NULL || want(entry, context)))
            error = listing_add(listing, entry);
    }
    kfree(entry);
    rest = listing->first;
    listing->first = listing_sort(&rest, listing->count);
    return error == -ENOENT ? 0 : error;
}

void listing_finish(struct listing *listing)
{
    while (listing->first != NULL) {
        struct listing_entry *entry = listing->first;

        listing->first = entry->next;
        kfree(entry);
    }
    listing->count = 0;
}
