/* SPDX-License-Identifier: MIT */
/*
 * descriptor.c: tables of descriptors. They double when they are full; closing a file, which may
 * sleep, is done outside of the lock.
 */
#include "proc/files/descriptor.h"

#include "fs/file.h"
#include "fs/lock/filelock.h"
#include "heap/heap.h"
#include "lib/bitmap.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define ROOM_FIRST 64u

struct descriptor_table *descriptor_table_create(void)
{
    struct descriptor_table *table = kcalloc(1, sizeof(*table));

    if (!table)
        return NULL;
    table->references = 1;
    table->owners = 1;
    spinlock_init(&table->lock, LOCK_RANK_NAMES);
    return table;
}

/* Makes room for `room` numbers, a multiple of 64. Caller holds the lock, or is alone. */
static int grow(struct descriptor_table *table, unsigned room)
{
    struct file **files;
    uint64_t *closing;

    if (room <= table->room)
        return 0;
    files = kcalloc(room, sizeof(struct file *));
    closing = kcalloc(room / 64, sizeof(uint64_t));
    if (!files || !closing) {
        kfree(files);
        kfree(closing);
        return -ENOMEM;
    }
    if (table->room > 0) {
        memcpy(files, table->files, table->room * sizeof(struct file *));
        memcpy(closing, table->closing, table->room / 8);
    }
    kfree(table->files);
    kfree(table->closing);
    table->files = files;
    table->closing = closing;
    table->room = room;
    return 0;
}

/* Makes room for `number`, < DESCRIPTORS_MAX. As above. */
static int grow_for(struct descriptor_table *table, unsigned number)
{
    unsigned room = table->room > 0 ? table->room : ROOM_FIRST;

    while (room <= number)
        room *= 2;
    return grow(table, room);
}

struct descriptor_table *descriptor_table_copy(struct descriptor_table *from)
{
    struct descriptor_table *to = descriptor_table_create();
    hal_irq_state_t state;
    int error;

    if (!to)
        return NULL;
    state = spinlock_acquire(&from->lock);
    error = grow(to, from->room);
    for (unsigned i = 0; !error && i < from->room; i++)
        to->files[i] = from->files[i] ? file_get(from->files[i]) : NULL;
    if (!error && from->room > 0)
        memcpy(to->closing, from->closing, from->room / 8);
    spinlock_release(&from->lock, state);
    if (!error)
        return to;
    kfree(to);
    return NULL;
}

struct descriptor_table *descriptor_table_share(struct descriptor_table *table)
{
    __atomic_add_fetch(&table->owners, 1, __ATOMIC_RELAXED);
    return descriptor_table_get(table);
}

void descriptor_table_leave(struct descriptor_table *table)
{
    if (table)
        __atomic_sub_fetch(&table->owners, 1, __ATOMIC_RELEASE);
    descriptor_table_put(table);
}

bool descriptor_table_is_shared(const struct descriptor_table *table)
{
    return __atomic_load_n(&table->owners, __ATOMIC_ACQUIRE) > 1;
}

struct descriptor_table *descriptor_table_get(struct descriptor_table *table)
{
    __atomic_add_fetch(&table->references, 1, __ATOMIC_RELAXED);
    return table;
}

/* The table has one descriptor less for the file: by POSIX, its locks on it are gone. */
static void let_go(struct descriptor_table *table, struct file *file)
{
    if (file)
        filelock_release(file->vnode, table);
    file_put(file);
}

void descriptor_table_put(struct descriptor_table *table)
{
    if (!table || __atomic_sub_fetch(&table->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (unsigned i = 0; i < table->room; i++)
        let_go(table, table->files[i]);
    kfree(table->files);
    kfree(table->closing);
    kfree(table);
}

void descriptor_close_on_exec(struct descriptor_table *table)
{
    for (unsigned i = 0; i < table->room; i++) {
        if (descriptor_is_closing(table, i) == 1)
            (void)descriptor_close(table, i);
    }
}

static bool is_taken(const struct descriptor_table *table, unsigned number)
{
    return number < table->room && table->files[number];
}

struct file *descriptor_file(struct descriptor_table *table, unsigned number)
{
    hal_irq_state_t state = spinlock_acquire(&table->lock);
    struct file *file = is_taken(table, number) ? file_get(table->files[number]) : NULL;

    spinlock_release(&table->lock, state);
    return file;
}

/* Caller holds the lock; there is room. */
static void put_in(struct descriptor_table *table, struct file *file, unsigned number, bool closing)
{
    table->files[number] = file;
    if (closing)
        bitmap_set(table->closing, number);
    else
        bitmap_clear(table->closing, number);
}

int descriptor_add(struct descriptor_table *table, struct file *file, unsigned least,
                   unsigned limit, bool closing)
{
    hal_irq_state_t state;
    unsigned number = least;
    int error = -EMFILE;

    if (limit > DESCRIPTORS_MAX)
        limit = DESCRIPTORS_MAX;
    state = spinlock_acquire(&table->lock);
    while (is_taken(table, number))
        number++;
    if (number < limit)
        error = grow_for(table, number);
    if (!error)
        put_in(table, file, number, closing);
    spinlock_release(&table->lock, state);
    return error ? error : (int)number;
}

int descriptor_set(struct descriptor_table *table, struct file *file, unsigned number, bool closing)
{
    hal_irq_state_t state = spinlock_acquire(&table->lock);
    struct file *old = NULL;
    int error = grow_for(table, number);

    if (!error) {
        old = table->files[number];
        put_in(table, file, number, closing);
    }
    spinlock_release(&table->lock, state);
    let_go(table, old);
    return error;
}

struct file *descriptor_take(struct descriptor_table *table, unsigned number)
{
    hal_irq_state_t state = spinlock_acquire(&table->lock);
    struct file *file = NULL;

    if (is_taken(table, number)) {
        file = table->files[number];
        put_in(table, NULL, number, false);
    }
    spinlock_release(&table->lock, state);
    return file;
}

bool descriptor_close(struct descriptor_table *table, unsigned number)
{
    struct file *file = descriptor_take(table, number);

    let_go(table, file);
    return file;
}

int descriptor_is_closing(struct descriptor_table *table, unsigned number)
{
    hal_irq_state_t state = spinlock_acquire(&table->lock);
    int closing = is_taken(table, number) ? bitmap_test(table->closing, number) : -EBADF;

    spinlock_release(&table->lock, state);
    return closing;
}

int descriptor_set_closing(struct descriptor_table *table, unsigned number, bool closing)
{
    hal_irq_state_t state = spinlock_acquire(&table->lock);
    bool taken = is_taken(table, number);

    if (taken)
        put_in(table, table->files[number], number, closing);
    spinlock_release(&table->lock, state);
    return taken ? 0 : -EBADF;
}

int descriptor_next(struct descriptor_table *table, unsigned number)
{
    hal_irq_state_t state = spinlock_acquire(&table->lock);
    int found = -EBADF;

    for (; number < table->room && found < 0; number++) {
        if (table->files[number])
            found = (int)number;
    }
    spinlock_release(&table->lock, state);
    return found;
}
