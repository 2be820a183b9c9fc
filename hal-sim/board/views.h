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
    bool stale;
};

/** There is none. */
void sim_view_reset(void);
/** Makes one, whatever was there. If the host has no room for one more, all others go. */
bool sim_view_map(size_t page, uint64_t at, size_t pages, unsigned access);
void sim_view_drop(size_t page, size_t pages);
void sim_view_drop_all(void);
/** Those with which agrees(context, view) does not hold are stale from now on. */
void sim_view_mark(bool (*agrees)(void *context, const struct sim_view *view), void *context);
/** Whether there are views of all these pages that are not stale. */
bool sim_view_covers(size_t page, size_t pages);
void sim_view_drop_stale(void);
