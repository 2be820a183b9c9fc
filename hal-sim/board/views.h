/* SPDX-License-Identifier: MIT */
/*
 * views.h: the views that there are at user addresses, for aspace.c. HOST_USER is held for all.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** `pages` pages from number `page` on show what is at `at` and behind. */
struct sim_view {
    uint32_t page, pages;
    uint64_t at;
    unsigned access;
    bool wanted; /* by the space that is live, or is about to be */
    bool hidden; /* nobody can use it */
};

/** There is none. */
void sim_view_reset(void);
/** Makes one, whatever was there. If the host has no room for one more, all others go. */
bool sim_view_map(size_t page, uint64_t at, size_t pages, unsigned access);
/** Nobody can use these pages any more; what is hidden there may stay. */
void sim_view_drop(size_t page, size_t pages);
void sim_view_drop_all(void);
/** Another space is about to be live: it wants those with which agrees(context, view) holds, hidden
 * ones too, and those that are made from now on. */
void sim_view_mark(bool (*agrees)(void *context, const struct sim_view *view), void *context);
/** Whether all these pages have views that are wanted. */
bool sim_view_covers(size_t page, size_t pages);
/** Shows those that are wanted, and hides the others. */
void sim_view_settle(void);
