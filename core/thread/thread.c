/* SPDX-License-Identifier: MIT */
/*
 * thread.c: the life of a thread: made, listed, cancelled, ended, joined, freed.
 *
 * A thread cannot free the stack that it stands on. One that is joined is freed by the joiner,
 * which sees ZOMBIE only after the switch away, because both happen under the run lock. One that is
 * detached goes on the list of the dead, and the reaper, a thread of its own, frees it.
 */
#include "thread/thread.h"

#include "boot/panic.h"
#include "lib/string.h"
#include "mem/frame.h"
#include "heap/cache.h"
#include "sync/check/held.h"
#include "sync/check/waits.h"
#include "sync/spinlock.h"
#include "thread/cpu.h"
#include "thread/run.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/machine.h>
#include <hal/mem.h>
#include <hal/runtime.h>
#include <hal/time.h>

static KSTATE struct thread_table {
    struct spinlock lock; /* guards all and last_id */
    struct tree all;      /* of all threads, by number */
    uint32_t last_id;
    struct thread boot; /* the idle thread of CPU 0 */
    struct list dead;   /* detached zombies; guarded by the run lock */
    struct thread *reaper;
    struct object_cache *threads; /* where they come from; constant after boot */
} table;

/* The order of the table: the number at `key` against the thread of `node`. */
static int compare_id(const void *key, const struct tree_node *node)
{
    const uint32_t *id = key;
    uint32_t other = tree_entry(node, struct thread, all_node)->id;

    return (*id > other) - (*id < other);
}

static void add_to_table(struct thread *thread)
{
    hal_irq_state_t state = spinlock_acquire(&table.lock);

    thread->id = ++table.last_id;
    tree_insert(&table.all, &thread->all_node, &thread->id, compare_id);
    spinlock_release(&table.lock, state);
}

static void remove_from_table(struct thread *thread)
{
    hal_irq_state_t state = spinlock_acquire(&table.lock);

    tree_remove(&table.all, &thread->all_node);
    spinlock_release(&table.lock, state);
}

void thread_init(void)
{
    struct thread *idle = &table.boot;

    spinlock_init(&table.lock, LOCK_RANK_THREAD);
    tree_init(&table.all);
    list_init(&table.dead);
    idle->idle = true;
    (void)string_copy(idle->name, sizeof idle->name, "idle");
    list_init(&idle->run_link);
    tree_node_init(&idle->sleep_node);
    list_init(&idle->wait_link);
    run_init_cpu(idle);
    add_to_table(idle);
}

/* Where each new thread begins. */
static void first_step(void *argument)
{
    struct thread *self = argument;
    hal_irq_state_t masked;

    run_enter();
    self->entry(self->argument);
    masked = run_lock();
    held_check_end();
    (void)masked; /* this thread never unmasks again */
    if (self->detached) {
        list_add_tail(&table.dead, &self->run_link);
        if (table.reaper)
            (void)run_wake_locked(table.reaper, 0);
    } else if (self->joiner) {
        (void)run_wake_locked(self->joiner, 0);
    }
    run_exit();
}

/* The stack, and the guard page below it. */
#define STACK_PAGES (HAL_STACK_SIZE / HAL_PAGE_SIZE + 1)

/*
 * The table names a guard page for as long as it is one and longer: a thread enters it before its
 * guard is set, and leaves it after its guard is gone.
 */
static int create_stack(struct thread *thread)
{
    thread->stack = frame_alloc_pages(STACK_PAGES, 0);
    if (!thread->stack)
        return -ENOMEM;
    add_to_table(thread);
    if (hal_mem_guard(thread->stack, true) == 0)
        return 0;
    remove_from_table(thread);
    frame_put(thread->stack);
    return -ENOMEM;
}

static void destroy_thread(struct thread *thread)
{
    hal_context_finish(&thread->context);
    /* Taking a guard away needs no memory, so it cannot fail. */
    if (hal_mem_guard(thread->stack, false))
        panic("the guard page of thread %u cannot be removed", thread->id);
    remove_from_table(thread);
    frame_put(thread->stack);
    object_free(table.threads, thread);
}

int thread_create(const char *name, void (*entry)(void *argument), void *argument,
                  struct thread **thread)
{
    struct thread *new = object_allocate(table.threads);
    hal_irq_state_t state;

    *thread = NULL;
    if (!new)
        return -ENOMEM;
    memset(new, 0, sizeof *new);
    (void)string_copy(new->name, sizeof new->name, name);
    if (create_stack(new)) {
        object_free(table.threads, new);
        return -ENOMEM;
    }
    new->entry = entry;
    new->argument = argument;
    hal_context_init(&new->context, (char *)new->stack + HAL_PAGE_SIZE, HAL_STACK_SIZE, first_step,
                     new);
    *thread = new;
    state = run_lock();
    run_add(new);
    run_unlock(state);
    return 0;
}

void thread_detach(struct thread *thread)
{
    hal_irq_state_t state = run_lock();

    thread->detached = true;
    if (thread->state == THREAD_ZOMBIE) {
        list_add_tail(&table.dead, &thread->run_link);
        (void)run_wake_locked(table.reaper, 0);
    }
    run_unlock(state);
}

void thread_join_at(struct thread *thread, const struct lock_site *site)
{
    struct lock_wait wait = {.what = WAIT_FOR_END, .object = thread, .site = site};
    hal_irq_state_t state;

    spinlock_check_sleep(NULL, site);
    waits_begin(&wait);
    state = run_lock();
    while (thread->state != THREAD_ZOMBIE) {
        thread->joiner = cpu_here()->current;
        (void)run_block(HAL_TIME_NEVER, false);
    }
    run_unlock(state);
    waits_end(&wait);
    destroy_thread(thread);
}

static void reap(void *unused)
{
    (void)unused;
    for (;;) {
        hal_irq_state_t state = run_lock();
        struct list *link;

        while (!(link = list_take_head(&table.dead)))
            (void)run_block(HAL_TIME_NEVER, false);
        run_unlock(state);
        destroy_thread(list_entry(link, struct thread, run_link));
    }
}

int thread_start_reaper(void)
{
    table.threads = object_cache_create("threads", sizeof(struct thread), 0, NULL);
    if (!table.threads)
        return -ENOMEM;
    return thread_create("reaper", reap, NULL, &table.reaper);
}

struct thread *thread_current(void)
{
    hal_irq_state_t state = hal_irq_save();
    struct thread *current = cpu_here()->current;

    hal_irq_restore(state);
    return current;
}

/* The first thread whose number is >= id, or NULL. Caller holds the table's lock. */
static struct thread *find(uint32_t id)
{
    struct tree_node *node = tree_lower_bound(&table.all, &id, compare_id);

    return node ? tree_entry(node, struct thread, all_node) : NULL;
}

int thread_cancel(uint32_t id)
{
    hal_irq_state_t state = spinlock_acquire(&table.lock), masked;
    struct thread *thread = find(id);
    int error = -ENOENT;

    if (thread && thread->id == id && !thread->idle) {
        masked = run_lock();
        thread->cancelled = true;
        if (thread->cancellable)
            (void)run_wake_locked(thread, -EINTR);
        run_unlock(masked);
        error = 0;
    }
    spinlock_release(&table.lock, state);
    return error;
}

bool thread_cancelled(void)
{
    return __atomic_load_n(&thread_current()->cancelled, __ATOMIC_RELAXED);
}

int thread_read_info(uint32_t id, struct thread_info *info)
{
    hal_irq_state_t state = spinlock_acquire(&table.lock), masked;
    struct thread *thread = find(id);

    if (thread) {
        masked = run_lock();
        *info = (struct thread_info){.id = thread->id,
                                     .state = thread->state,
                                     .run_time = thread->run_time,
                                     .switches = thread->switches,
                                     .cpu = thread->cpu,
                                     .idle = thread->idle};
        if (thread->state == THREAD_RUNNING)
            info->run_time += hal_time_now() - thread->run_since;
        (void)string_copy(info->name, sizeof info->name, thread->name);
        run_unlock(masked);
    }
    spinlock_release(&table.lock, state);
    return thread ? 0 : -ENOENT;
}

const struct thread *thread_peek(const struct thread *thread)
{
    const struct tree_node *next = thread ? tree_next(&thread->all_node) : tree_first(&table.all);

    return next ? tree_entry(next, const struct thread, all_node) : NULL;
}

bool thread_look(const void *page, void (*look)(void *context), void *context)
{
    hal_irq_state_t state = spinlock_acquire(&table.lock);
    bool guarded = false;

    tree_for_each (node, &table.all)
        guarded = guarded || tree_entry(node, struct thread, all_node)->stack == page;
    if (!guarded)
        look(context);
    spinlock_release(&table.lock, state);
    return !guarded;
}
