/* SPDX-License-Identifier: MIT */
/*
 * views.c: a list of the host's mappings at user addresses, so that those can stay that the next
 * space has, too, and those that it has not need not be made anew when their space is back.
 *
 * The latter are hidden meanwhile: nobody may access them. To hide one and to show it again costs a
 * third of making it, many can be hidden in one call, and the host keeps the pages that it has
 * brought in. What is in the way of another view goes.
 *
 * The list is in the order of addresses. When it is full, those go that are hidden.
 */
#include "board/views.h"

#include "host/host.h"

#include <hal/machine.h>
#include <hal/runtime.h>

enum { VIEWS = 192 };

static struct {
    struct sim_view views[VIEWS];
    unsigned count;
    size_t low, high; /* page numbers: all lie between */
} all;

static size_t end_of(const struct sim_view *view)
{
    return (size_t)view->page + view->pages;
}

void sim_view_reset(void)
{
    all.count = 0;
    all.low = HAL_USER_END / HAL_PAGE_SIZE;
    all.high = HAL_USER_START / HAL_PAGE_SIZE;
}

static void insert(unsigned at, const struct sim_view *view)
{
    memmove(&all.views[at + 1], &all.views[at], (all.count - at) * sizeof *view);
    all.views[at] = *view;
    all.count++;
}

static void take_out(unsigned at)
{
    all.count--;
    memmove(&all.views[at], &all.views[at + 1], (all.count - at) * sizeof all.views[0]);
}

/* What is noted of these pages is so no more. There is room for one more. */
static void forget(size_t page, size_t pages)
{
    const size_t end = page + pages;
    for (unsigned i = 0; i < all.count; i++) {
        struct sim_view *view = &all.views[i], behind = *view;
        const bool goes_on = end_of(view) > end, begins = view->page < page;
        if (end_of(view) <= page || view->page >= end)
            continue;
        behind.page = (uint32_t)end;
        behind.pages = (uint32_t)(end_of(view) - end);
        behind.at += (end - view->page) * HAL_PAGE_SIZE;
        if (begins)
            view->pages = (uint32_t)(page - view->page);
        if (begins && goes_on)
            insert(i + 1, &behind);
        else if (goes_on)
            *view = behind;
        else if (!begins)
            take_out(i--);
    }
}

/* Sees that two more can be noted. */
static void make_room(void)
{
    if (all.count + 2 <= VIEWS)
        return;
    for (unsigned i = all.count; i-- > 0;)
        if (all.views[i].hidden) {
            host_view_drop((size_t)all.views[i].page * HAL_PAGE_SIZE,
                           (size_t)all.views[i].pages * HAL_PAGE_SIZE);
            take_out(i);
        }
    if (all.count + 2 > VIEWS)
        sim_view_drop_all();
}

bool sim_view_map(size_t page, uint64_t at, size_t pages, unsigned access)
{
    const struct sim_view view = {.page = (uint32_t)page,
                                  .pages = (uint32_t)pages,
                                  .at = at,
                                  .access = access,
                                  .wanted = true};
    const size_t bytes = pages * HAL_PAGE_SIZE;
    unsigned i = 0;
    make_room();
    int error = host_view_map(page * HAL_PAGE_SIZE, at, bytes, access);
    if (error) {
        sim_view_drop_all();
        error = host_view_map(page * HAL_PAGE_SIZE, at, bytes, access);
    }
    forget(page, pages);
    while (i < all.count && all.views[i].page < page)
        i++;
    if (!error)
        insert(i, &view);
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

static bool is_any_hidden(void)
{
    for (unsigned i = 0; i < all.count; i++)
        if (all.views[i].hidden)
            return true;
    return false;
}

/* Those that are not hidden, from the page on, up to `end`. */
static void drop_shown(size_t page, size_t end)
{
    for (unsigned i = 0; i < all.count;) {
        const struct sim_view *view = &all.views[i];
        size_t first = view->page > page ? view->page : page, last = end_of(view);
        if (view->hidden || first >= end || last <= first) {
            i++;
            continue;
        }
        while (++i < all.count && all.views[i].page == last && !all.views[i].hidden)
            last = end_of(&all.views[i]);
        last = last < end ? last : end;
        host_view_drop(first * HAL_PAGE_SIZE, (last - first) * HAL_PAGE_SIZE);
        make_room();
        forget(first, last - first);
        i = 0;
    }
}

void sim_view_drop(size_t page, size_t pages)
{
    if (page >= all.high || page + pages <= all.low)
        return;
    if (is_any_hidden()) {
        drop_shown(page, page + pages);
    } else if (page <= all.low && page + pages >= all.high) {
        sim_view_drop_all();
    } else {
        host_view_drop(page * HAL_PAGE_SIZE, pages * HAL_PAGE_SIZE);
        make_room();
        forget(page, pages);
    }
}

void sim_view_mark(bool (*agrees)(void *context, const struct sim_view *view), void *context)
{
    for (unsigned i = 0; i < all.count; i++)
        all.views[i].wanted = agrees(context, &all.views[i]);
}

bool sim_view_covers(size_t page, size_t pages)
{
    size_t at = page;
    for (unsigned i = 0; i < all.count && at < page + pages; i++)
        if (all.views[i].wanted && at - all.views[i].page < all.views[i].pages)
            at = end_of(&all.views[i]);
    return at >= page + pages;
}

/* Hides those from number `i` on up to the next that is wanted; gives its number. */
static unsigned hide(unsigned i, bool *good)
{
    const size_t first = all.views[i].page;
    size_t end = first;
    for (; i < all.count && !all.views[i].wanted; i++) {
        if (!all.views[i].hidden)
            end = end_of(&all.views[i]);
        all.views[i].hidden = true;
    }
    /* What lies between them, hidden or not there, stays as it is. */
    *good = host_view_protect(first * HAL_PAGE_SIZE, (end - first) * HAL_PAGE_SIZE, 0) == 0;
    return i;
}

/* Shows those from number `i` on that lie side by side and are for the same; gives the next. */
static unsigned show(unsigned i, bool *good)
{
    const size_t first = all.views[i].page;
    const unsigned access = all.views[i].access;
    size_t end = first;
    for (; i < all.count && all.views[i].page == end && all.views[i].wanted &&
           all.views[i].access == access;
         i++) {
        end = end_of(&all.views[i]);
        all.views[i].hidden = false;
    }
    *good = host_view_protect(first * HAL_PAGE_SIZE, (end - first) * HAL_PAGE_SIZE, access) == 0;
    return i;
}

void sim_view_settle(void)
{
    bool good = true;
    for (unsigned i = 0; i < all.count && good;) {
        if (all.views[i].wanted == !all.views[i].hidden)
            i++;
        else
            i = all.views[i].wanted ? show(i, &good) : hide(i, &good);
    }
    if (!good) /* the host has no room for more mappings */
        sim_view_drop_all();
}
