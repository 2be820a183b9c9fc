/* SPDX-License-Identifier: MIT */
/*
 * stack.c: stacks, their guard pages, and spares.
 *
 * To free is to keep: setting a guard and taking it away costs more than all the rest of a thread.
 * So a guarded stack of the usual size becomes a spare, and the next thread that is made takes it.
 * When memory is short spares are given back (mem/reclaim.h). A spare has nobody who could remember
 * it, so what is known of it lies in itself.
 *
 * Whoever looks at memory byte by byte must not touch a guard. So the tree of guards names a page
 * for as long as it is one and longer: it is entered before the guard is set, and leaves after the
 * guard is gone. While a stack changes hands, from a thread to the spares or back, its place in the
 * tree does too, in one step.
 *
 * What an overrun means, and when canaries are looked at, is not here: see thread.c.
 */
#include "thread/stack/stack.h"

#include "boot/panic.h"
#include "lib/list.h"
#include "lib/log.h"
#include "mem/frame.h"
#include "mem/reclaim.h"
#include "sync/spinlock.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/machine.h>
#include <hal/mem.h>

#define SPARES_MOST 128u
#define SPARES_SHARE 16u /* and no more than a sixteenth of RAM */

static KSTATE struct stacks {
    struct spinlock lock; /* guards what follows, up to spare_count */
    struct tree guards;   /* pages that are, were or will be guards, by address */
    struct list spares;
    unsigned spare_count;
    unsigned spares_most; /* constant after boot */
    struct reclaimer reclaimer;
    bool guards_spent; /* atomic: no guard page could be had, and none was given back since */
    bool said_spent;   /* atomic: the log says so */
} stacks;

/* Lies in the stack, right above the guard. */
struct spare {
    struct list link;
    struct stack_guard guard;
};

static struct spare *spare_of(struct list *link)
{
    return link ? list_entry(link, struct spare, link) : NULL;
}

static void *guard_of(const struct spare *spare)
{
    return (char *)spare - HAL_PAGE_SIZE;
}

/* Of the stacks of threads. */
static const struct alloc_site *stack_site(void)
{
    return ALLOC_SITE();
}

/* Of the spares, which are nobody's. */
static const struct alloc_site *spare_site(void)
{
    return ALLOC_SITE_FOR(ALLOC_CACHE);
}

/* ---- guards ---- */

/* The order of the guards: the page at `key` against that of `node`. */
static int compare_page(const void *key, const struct tree_node *node)
{
    const char *page = key, *other = tree_entry(node, struct stack_guard, node)->page;

    return (page > other) - (page < other);
}

/* Enters the lowest page of `stack` among the guards, or takes it out. */
static void name_guard(struct stack_guard *guard, bool named)
{
    hal_irq_state_t state = spinlock_acquire(&stacks.lock);

    if (named)
        tree_insert(&stacks.guards, &guard->node, guard->page, compare_page);
    else
        tree_remove(&stacks.guards, &guard->node);
    spinlock_release(&stacks.lock, state);
}

/* Has `to` stand for the guard that `from` stood for. Caller holds the lock. */
static void hand_over(struct stack_guard *from, struct stack_guard *to)
{
    to->page = from->page;
    tree_replace(&stacks.guards, &from->node, &to->node);
}

/* Whether new stacks should have a guard page: not while a guard could not be had. */
static bool guards_left(void)
{
    return !__atomic_load_n(&stacks.guards_spent, __ATOMIC_RELAXED);
}

static void set_guards_spent(bool spent)
{
    __atomic_store_n(&stacks.guards_spent, spent, __ATOMIC_RELAXED);
}

/* The machine has no guard for `stack`, which goes on without. */
static void do_without_guard(struct stack *stack)
{
    name_guard(&stack->guard, false);
    stack->guarded = false;
    set_guards_spent(true);
    if (!__atomic_exchange_n(&stacks.said_spent, true, __ATOMIC_RELAXED))
        klog(KLOG_WARNING, "thread: this machine has no more guard pages: from now on, new stacks "
                           "have only a canary");
}

static void set_guard(struct stack *stack)
{
    stack->guarded = true;
    stack->guard.page = stack->frames;
    name_guard(&stack->guard, true);
    if (hal_mem_guard(stack->frames, true))
        do_without_guard(stack);
}

static void remove_guard(void *page, struct stack_guard *guard)
{
    /* That needs no memory, so it cannot fail. */
    if (hal_mem_guard(page, false))
        panic("the guard page at %p cannot be removed", page);
    set_guards_spent(false);
    name_guard(guard, false);
}

/* ---- spares ---- */

/* Keeps `stack`. False: it is of no use, or there are enough, and nothing was done. */
static bool keep_spare(struct stack *stack)
{
    hal_irq_state_t state = spinlock_acquire(&stacks.lock);
    bool keep =
        stack->guarded && stack->bytes == HAL_STACK_SIZE && stacks.spare_count < stacks.spares_most;

    if (keep) {
        struct spare *spare = (void *)stack->canary;

        frame_assign(stack->frames, spare_site());
        hand_over(&stack->guard, &spare->guard);
        list_add_head(&stacks.spares, &spare->link);
        stacks.spare_count++;
    }
    spinlock_release(&stacks.lock, state);
    return keep;
}

/* Takes a spare off, for whoever holds the lock; or NULL. */
static struct spare *pick_spare(void)
{
    struct spare *spare = spare_of(list_take_head(&stacks.spares));

    stacks.spare_count -= spare != NULL;
    return spare;
}

/* Makes a spare `stack`. False: there is none. */
static bool take_spare(struct stack *stack)
{
    hal_irq_state_t state = spinlock_acquire(&stacks.lock);
    struct spare *spare = pick_spare();

    if (spare) {
        stack->frames = guard_of(spare);
        stack->bytes = HAL_STACK_SIZE;
        stack->guarded = true;
        stack->canary = (void *)spare;
        frame_assign(stack->frames, stack_site());
        hand_over(&spare->guard, &stack->guard);
    }
    spinlock_release(&stacks.lock, state);
    return spare != NULL;
}

/* The reclaimer's: frees spares. */
static size_t free_spares(void *unused, size_t frames)
{
    size_t freed = 0;

    (void)unused;
    while (freed < frames) {
        hal_irq_state_t state = spinlock_acquire(&stacks.lock);
        struct spare *spare = pick_spare();

        spinlock_release(&stacks.lock, state);
        if (!spare)
            break;
        remove_guard(guard_of(spare), &spare->guard);
        frame_put(guard_of(spare));
        freed += (HAL_STACK_SIZE + HAL_PAGE_SIZE) / HAL_PAGE_SIZE;
    }
    return freed;
}

void stack_start_spares(void)
{
    struct frame_stats stats;
    uint64_t fitting;

    frame_read_stats(&stats);
    fitting = stats.total / SPARES_SHARE * HAL_PAGE_SIZE / HAL_STACK_SIZE;
    stacks.spares_most = fitting < SPARES_MOST ? (unsigned)fitting : SPARES_MOST;
    stacks.reclaimer = (struct reclaimer){.name = "stacks", .reclaim = free_spares};
    reclaim_register(&stacks.reclaimer);
}

/* ---- stacks ---- */

void stack_init(void)
{
    spinlock_init(&stacks.lock, LOCK_RANK_THREAD);
    tree_init(&stacks.guards);
    list_init(&stacks.spares);
}

int stack_create(struct stack *stack, size_t bytes)
{
    size_t guard = guards_left() ? HAL_PAGE_SIZE : 0;

    *stack = (struct stack){.bytes = bytes};
    if (bytes == HAL_STACK_SIZE && take_spare(stack))
        return 0;
    stack->frames = frame_alloc_pages_at((bytes + guard) / HAL_PAGE_SIZE, 0, stack_site());
    if (!stack->frames)
        return -ENOMEM;
    stack->canary = (uint64_t *)(void *)((char *)stack->frames + guard);
    if (guard)
        set_guard(stack);
    return 0;
}

void stack_destroy(struct stack *stack)
{
    if (keep_spare(stack))
        return;
    if (stack->guarded)
        remove_guard(stack->frames, &stack->guard);
    frame_put(stack->frames);
}

bool stack_look(const void *page, void (*look)(void *context), void *context)
{
    hal_irq_state_t state = spinlock_acquire(&stacks.lock);
    bool guarded = tree_find(&stacks.guards, page, compare_page) != NULL;

    if (!guarded)
        look(context);
    spinlock_release(&stacks.lock, state);
    return !guarded;
}
