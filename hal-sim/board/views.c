/* SPDX-License-Identifier: MIT */
/*
 * views.c: a list of the host's mappings at user addresses, so that those can stay that the next
 * space has, too.
 *
 * The list is short. What does not fit is not noted: then all views go when the space does.
 */
#include "board/views.h"

#include "host/host.h"

#include <hal/machine.h>

enum { VIEWS = 96 };

static struct {
    struct sim_view views[VIEWS];
    unsigned count;
    bool lost;        /* there are others */
    size_t low, high; /* page numbers: all lie between */
} all;

void sim_view_reset(void)
{
    all.count = 0;
    all.lost = false;
    all.low = HAL_USER_END / HAL_PAGE_SIZE;
    all.high = HAL_USER_START / HAL_PAGE_SIZE;
}

static void add(const struct sim_view *view)
{
    if (all.count < VIEWS)
        all.views[all.count++] = *view;
    else
        all.lost = true;
}

/* What is noted of these pages is so no more. Backwards: what is added has been looked at. */
static void forget(size_t page, size_t pages)
{
    const size_t end = page + pages;
    for (unsigned i = all.count; i-- > 0;) {
        struct sim_view front = all.views[i], behind = front;
        const size_t view_end = (size_t)front.page + front.pages;
        if (front.page >= end || view_end <= page)
            continue;
        all.views[i] = all.views[--all.count];
        if (front.page < page) {
            front.pages = (uint32_t)(page - front.page);
            add(&front);
        }
        if (view_end > end) {
            behind.page = (uint32_t)end;
            behind.pages = (uint32_t)(view_end - end);
            behind.at += (end - front.page) * HAL_PAGE_SIZE;
            add(&behind);
        }
    }
}

bool sim_view_map(size_t page, uint64_t at, size_t pages, unsigned access)
{
    const struct sim_view view = {(uint32_t)page, (uint32_t)pages, at, access, false};
    const size_t bytes = pages * HAL_PAGE_SIZE;
    int error = host_view_map(page * HAL_PAGE_SIZE, at, bytes, access);
    if (error) {
        sim_view_drop_all();
        error = host_view_map(page * HAL_PAGE_SIZE, at, bytes, access);
    }
    forget(page, pages);
    if (!error)
        add(&view);
    all.low = page < all.low ? page : all.low;
    all.high = page + pages > all.high ? page + pages : all.high;
    return !error;
}

void sim_view_drop_all(void)
{
    if (all.low < all.high)
        host_view_drop(all.low * HAL_PAGE_SIZE, (all.high - all.low) * HAL_PAGE_SIZE);
    sim_view_reset();
}

void sim_view_drop(size_t page, size_t pages)
{
    if (page >= all.high || page + pages <= all.low)
        return;
    if (page <= all.low && page + pages >= all.high) {
        sim_view_drop_all();
        return;
    }
    host_view_drop(page * HAL_PAGE_SIZE, pages * HAL_PAGE_SIZE);
    forget(page, pages);
}

void sim_view_mark(bool (*agrees)(void *context, const struct sim_view *view), void *context)
{
    bool any = false;
    for (unsigned i = 0; i < all.count && !all.lost; i++) {
        all.views[i].stale = !agrees(context, &all.views[i]);
        any = any || !all.views[i].stale;
    }
    if (!any)
        sim_view_drop_all();
}

bool sim_view_covers(size_t page, size_t pages)
{
    size_t at = page;
    for (unsigned i = 0; i < all.count && at < page + pages; i++) {
        const struct sim_view *view = &all.views[i];
        if (view->stale || at - view->page >= view->pages)
            continue;
        at = view->page + view->pages;
        i = (unsigned)-1; /* from the start: they are in no order */
    }
    return at >= page + pages;
}

void sim_view_drop_stale(void)
{
    for (unsigned i = 0; i < all.count; i++)
        if (all.views[i].stale) {
            struct sim_view view = all.views[i];
            host_view_drop((size_t)view.page * HAL_PAGE_SIZE, (size_t)view.pages * HAL_PAGE_SIZE);
            all.views[i--] = all.views[--all.count];
        }
}
