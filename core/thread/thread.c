/* SPDX-License-Identifier: MIT */
/*
 * thread.c: the life of a thread: made, listed, cancelled, ended, joined, freed.
 *
 * A thread cannot free the stack that it stands on. So it says that it has `ended`, masked until it
 * is off its CPU, and somebody else frees it: who joins it, or if it was detached the reaper, a
 * thread of its own. Both wait for the short time between the word and the deed (run_await_exit).
 */
#include "thread/thread.h"

#include "boot/panic.h"
#include "lib/format.h"
#include "lib/string.h"
#include "heap/cache.h"
#include "sched/sched.h"
#include "sync/check/held.h"
#include "sync/check/waits.h"
#include "sync/spinlock.h"
#include "thread/cpu.h"
#include "thread/local.h"
#include "thread/run.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/machine.h>
#include <hal/mem.h>
#include <hal/runtime.h>
#include <hal/time.h>

#define START_PATIENCE_NS 1000000000u /* for a CPU that was started to say so */
#define START_POLL_NS 50000u
#define CACHE_LINE 64u
#define STACK_MOST (1u << 20)
#define THREAD_MAGIC 0x7472656bu

static KSTATE struct thread_table {
    struct spinlock lock; /* guards what follows, up to last_id */
    struct tree all;      /* of all threads, by number */
    uint32_t last_id;

    struct spinlock ends; /* guards dead, and what says so in struct thread */
    struct list dead;     /* detached threads that have ended */

    struct thread idle[HAL_CPU_MAX]; /* the idle threads, by CPU */
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
    thread->said.number = thread->id;
    thread->said.idle = thread->idle;
    memcpy(thread->said.name, thread->name, HAL_TRACE_NAME - 1); /* the last byte stays NUL */
    tree_insert(&table.all, &thread->all_node, &thread->id, compare_id);
    spinlock_release(&table.lock, state);
}

static void remove_from_table(struct thread *thread)
{
    hal_irq_state_t state = spinlock_acquire(&table.lock);

    tree_remove(&table.all, &thread->all_node);
    spinlock_release(&table.lock, state);
}

static struct thread *prepare_idle(unsigned cpu)
{
    struct thread *idle = &table.idle[cpu];

    idle->idle = true;
    idle->affinity = 1u << cpu;
    if (cpu == 0)
        (void)string_copy(idle->name, sizeof idle->name, "idle");
    else
        (void)format_text(idle->name, sizeof idle->name, "idle/%u", cpu);
    tree_node_init(&idle->sleep_node);
    list_init(&idle->wait_link);
    return idle;
}

void thread_init(void)
{
    spinlock_init(&table.lock, LOCK_RANK_THREAD);
    spinlock_init(&table.ends, LOCK_RANK_THREAD);
    tree_init(&table.all);
    list_init(&table.dead);
    stack_init();
    run_init();
    scheduler_init();
    run_init_cpu(prepare_idle(0));
    add_to_table(&table.idle[0]);
}

int thread_start_cpu(unsigned cpu)
{
    uint64_t deadline = hal_time_now() + START_PATIENCE_NS;
    int error;

    (void)prepare_idle(cpu);
    spinlock_share();
    error = hal_cpu_start(cpu);
    if (error)
        return error;
    while (!(cpu_online() >> cpu & 1)) {
        if (hal_time_now() > deadline)
            return -ETIMEDOUT;
        (void)thread_sleep(START_POLL_NS);
    }
    return 0;
}

void thread_enter_cpu(void)
{
    struct thread *idle = &table.idle[hal_cpu_id()];

    run_init_cpu(idle);
    add_to_table(idle);
    run_idle();
}

/* Puts a thread that has ended among the dead. Caller holds the lock of the ends. */
static void give_to_reaper(struct thread *thread)
{
    list_add_tail(&table.dead, &thread->end_link);
    if (table.reaper)
        (void)run_wake(table.reaper);
}

/* Where each new thread begins. */
static void first_step(void *argument)
{
    struct thread *self = argument;
    hal_irq_state_t masked, state;

    run_enter();
    self->entry(self->argument);
    thread_locals_finish(self);
    masked = hal_irq_save();
    held_check_end();
    (void)masked; /* this thread never unmasks again */
    state = spinlock_acquire(&table.ends);
    self->ended = true;
    if (self->detached)
        give_to_reaper(self);
    else if (self->joiner)
        (void)run_wake(self->joiner);
    spinlock_release(&table.ends, state);
    run_exit();
}

/* ---- making and freeing ---- */

void thread_check_stack(const struct thread *thread)
{
    if (!stack_is_whole(&thread->stack))
        panic("thread %u (%s) has used more than the %u bytes of its stack", thread->id,
              thread->name, (unsigned)thread->stack.bytes);
}

/* A thread with a stack, not in the table yet; or NULL. */
static struct thread *allocate_thread(const char *name, size_t stack_bytes)
{
    struct thread *new = object_allocate(table.threads);

    if (!new)
        return NULL;
    memset(new, 0, sizeof *new);
    (void)string_copy(new->name, sizeof new->name, name);
    if (stack_create(&new->stack, stack_bytes)) {
        object_free(table.threads, new);
        return NULL;
    }
    return new;
}

/* Frees a thread that has ended. */
static void bury_thread(struct thread *thread)
{
    thread_check_stack(thread);
    thread->magic = 0;
    hal_context_finish(&thread->context);
    remove_from_table(thread);
    stack_destroy(&thread->stack);
    object_free(table.threads, thread);
}

/* What thread_create_sized does before others know of the thread. */
static int prepare(const char *name, void (*entry)(void *argument), void *argument,
                   size_t stack_bytes, struct thread **thread)
{
    struct thread *new;

    *thread = NULL;
    if (stack_bytes < HAL_STACK_SMALL || stack_bytes > STACK_MOST || stack_bytes % HAL_PAGE_SIZE)
        return -EINVAL;
    new = allocate_thread(name, stack_bytes);
    if (!new)
        return -ENOMEM;
    new->magic = THREAD_MAGIC;
    new->entry = entry;
    new->argument = argument;
    hal_context_init(&new->context, new->stack.canary, stack_bytes, first_step, new);
    stack_seal(&new->stack);
    *thread = new;
    return 0;
}

int thread_prepare(const char *name, void (*entry)(void *argument), void *argument,
                   struct thread **thread)
{
    return prepare(name, entry, argument, HAL_STACK_SIZE, thread);
}

void thread_begin(struct thread *thread)
{
    add_to_table(thread);
    run_add(thread);
}

int thread_create_sized(const char *name, void (*entry)(void *argument), void *argument,
                        size_t stack_bytes, struct thread **thread)
{
    int error = prepare(name, entry, argument, stack_bytes, thread);

    if (!error)
        thread_begin(*thread);
    return error;
}

int thread_create(const char *name, void (*entry)(void *argument), void *argument,
                  struct thread **thread)
{
    return thread_create_sized(name, entry, argument, HAL_STACK_SIZE, thread);
}

/* ---- the end ---- */

enum claim { JOINS, DETACHES };

/* Panics if nobody may join or detach `thread` any more. Caller holds the lock of the ends, so that
 * of two who try only one can come first. */
static void check_free(const struct thread *thread, enum claim claim, const struct lock_site *site)
{
    const char *what = claim == JOINS ? "joins" : "detaches";
    const struct thread *self = cpu_here()->current;
    uint32_t magic;

    hal_mem_look(&magic, &thread->magic, sizeof magic); /* it may have been freed */
    if (magic != THREAD_MAGIC)
        panic_at(site->file, (int)site->line,
                 "thread %u (%s) %s a thread that is no more: it was joined, or freed itself",
                 self->id, self->name, what);
    if (thread == self && claim == JOINS)
        panic_at(site->file, (int)site->line, "thread %u (%s) joins itself", self->id, self->name);
    if (thread->detached)
        panic_at(site->file, (int)site->line, "thread %u (%s) %s thread %u (%s), which is detached",
                 self->id, self->name, what, thread->id, thread->name);
    if (thread->joiner)
        panic_at(site->file, (int)site->line,
                 "thread %u (%s) %s thread %u (%s), which thread %u (%s) joins", self->id,
                 self->name, what, thread->id, thread->name, thread->joiner->id,
                 thread->joiner->name);
}

void thread_detach_at(struct thread *thread, const struct lock_site *site)
{
    hal_irq_state_t state = spinlock_acquire(&table.ends);

    check_free(thread, DETACHES, site);
    thread->detached = true;
    if (thread->ended)
        give_to_reaper(thread);
    spinlock_release(&table.ends, state);
}

/* Sleeps until run_wake. Caller holds the lock of the ends, which is let go meanwhile. */
static void sleep_for_end(void)
{
    hal_irq_state_t masked = run_lock();

    /* From here to the switch the run lock keeps wakers from missing this thread. */
    spinlock_release(&table.ends, masked);
    (void)run_block(hal_time_now(), HAL_TIME_NEVER, false);
    run_unlock(masked);
    masked = spinlock_acquire(&table.ends);
    (void)masked; /* as before */
}

void thread_join_at(struct thread *thread, const struct lock_site *site)
{
    struct lock_wait wait = {.what = WAIT_FOR_END, .object = thread, .site = site};
    hal_irq_state_t state;

    spinlock_check_sleep(NULL, site);
    state = spinlock_acquire(&table.ends);
    check_free(thread, JOINS, site);
    thread->joiner = cpu_here()->current;
    spinlock_release(&table.ends, state);
    (void)waits_begin(&wait);
    state = spinlock_acquire(&table.ends);
    while (!thread->ended)
        sleep_for_end();
    run_await_exit(thread);
    spinlock_release(&table.ends, state);
    waits_end(&wait, hal_time_now());
    bury_thread(thread);
}

static void reap(void *unused)
{
    (void)unused;
    for (;;) {
        hal_irq_state_t state = spinlock_acquire(&table.ends);
        struct thread *thread;
        struct list *link;

        while (!(link = list_take_head(&table.dead)))
            sleep_for_end();
        thread = list_entry(link, struct thread, end_link);
        run_await_exit(thread);
        spinlock_release(&table.ends, state);
        bury_thread(thread);
    }
}

int thread_start_reaper(void)
{
    table.threads = object_cache_create("threads", sizeof(struct thread), CACHE_LINE, NULL);
    if (!table.threads)
        return -ENOMEM;
    stack_start_spares();
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

struct thread *thread_find(uint32_t id)
{
    hal_irq_state_t state = spinlock_acquire(&table.lock);
    struct thread *thread = find(id);

    if (thread && thread->id != id)
        thread = NULL; /* another one, which may be freed as soon as the lock is given back */
    spinlock_release(&table.lock, state);
    return thread;
}

int thread_cancel(uint32_t id)
{
    hal_irq_state_t state = spinlock_acquire(&table.lock);
    struct thread *thread = find(id);
    int error = -ENOENT;

    if (thread && thread->id == id && !thread->idle) {
        run_cancel(thread);
        error = 0;
    }
    spinlock_release(&table.lock, state);
    return error;
}

int thread_set_priority_of(uint32_t id, unsigned priority)
{
    hal_irq_state_t state = spinlock_acquire(&table.lock);
    struct thread *thread = find(id);
    int error = -ENOENT;

    if (thread && thread->id == id && !thread->idle)
        error = thread_set_priority(thread, priority);
    spinlock_release(&table.lock, state);
    return error;
}

int thread_set_nice_of(uint32_t id, int nice)
{
    hal_irq_state_t state = spinlock_acquire(&table.lock);
    struct thread *thread = find(id);
    int error = -ENOENT;

    if (thread && thread->id == id && !thread->idle)
        error = thread_set_nice(thread, nice);
    spinlock_release(&table.lock, state);
    return error;
}

void thread_uncancel(void)
{
    __atomic_store_n(&thread_current()->cancelled, false, __ATOMIC_RELAXED);
}

bool thread_cancelled(void)
{
    return __atomic_load_n(&thread_current()->cancelled, __ATOMIC_RELAXED);
}

static void fill_info(const struct thread *thread, struct thread_info *info)
{
    struct cpu *home = run_lock_home(thread);

    *info = (struct thread_info){.id = thread->id,
                                 .state = thread->state,
                                 .run_time = thread->entity.run_time,
                                 .switches = thread->switches,
                                 .cpu = thread->cpu,
                                 .affinity = thread->affinity,
                                 .priority = thread->entity.priority,
                                 .nice = thread->entity.nice,
                                 .own_nice = thread->own_nice,
                                 .lent = thread->entity.priority != thread->own_priority ||
                                         thread->entity.nice != thread->own_nice,
                                 .idle = thread->idle};
    if (thread->state == THREAD_RUNNING)
        info->run_time += hal_time_now() - thread->run_since;
    (void)string_copy(info->name, sizeof info->name, thread->name);
    cpu_unlock(home);
}

int thread_read_info(uint32_t id, struct thread_info *info)
{
    hal_irq_state_t state = spinlock_acquire(&table.lock);
    struct thread *thread = find(id);

    if (thread)
        fill_info(thread, info);
    spinlock_release(&table.lock, state);
    return thread ? 0 : -ENOENT;
}

const struct thread *thread_peek(const struct thread *thread)
{
    const struct tree_node *next = thread ? tree_next(&thread->all_node) : tree_first(&table.all);

    return next ? tree_entry(next, const struct thread, all_node) : NULL;
}
