/* SPDX-License-Identifier: MIT */
/*
 * local.c: thread-local storage: an array in each thread, and which of its places are taken.
 *
 * A destructor may set a value again, of its own key or another; so they are called in rounds until
 * none is set, but no more than FINISH_ROUNDS times, as POSIX has it.
 */
#include "thread/local.h"

#include "boot/panic.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/kstate.h>

#define FINISH_ROUNDS 4u

static KSTATE struct local_keys {
    uint32_t used; /* atomic: a bit for each key */
    void (*destructors[THREAD_LOCALS])(void *value);
} keys;

int thread_local_create(void (*destructor)(void *value))
{
    uint32_t used = __atomic_load_n(&keys.used, __ATOMIC_RELAXED);
    unsigned key;

    do {
        key = (unsigned)__builtin_ctz(~used);
        if (key >= THREAD_LOCALS)
            return -ENOSPC;
    } while (!__atomic_compare_exchange_n(&keys.used, &used, used | 1u << key, false,
                                          __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    __atomic_store_n(&keys.destructors[key], destructor, __ATOMIC_RELEASE);
    return (int)key;
}

static bool is_key(int key)
{
    return key >= 0 && key < (int)THREAD_LOCALS &&
           __atomic_load_n(&keys.used, __ATOMIC_RELAXED) >> key & 1;
}

void thread_local_delete(int key)
{
    kassert(is_key(key));
    __atomic_store_n(&keys.destructors[key], NULL, __ATOMIC_RELEASE);
    __atomic_and_fetch(&keys.used, ~(1u << key), __ATOMIC_RELEASE);
}

void *thread_local_get(int key)
{
    kassert(is_key(key));
    return thread_current()->locals[key];
}

void thread_local_set(int key, void *value)
{
    kassert(is_key(key));
    thread_current()->locals[key] = value;
}

/* One round. True: a value had been set. */
static bool finish_round(struct thread *self)
{
    bool found = false;

    for (unsigned key = 0; key < THREAD_LOCALS; key++) {
        void (*destructor)(void *) = __atomic_load_n(&keys.destructors[key], __ATOMIC_ACQUIRE);
        void *value = self->locals[key];

        if (!value)
            continue;
        self->locals[key] = NULL;
        found = true;
        if (destructor)
            destructor(value);
    }
    return found;
}

void thread_locals_finish(struct thread *self)
{
    unsigned round = 0;

    while (round++ < FINISH_ROUNDS && finish_round(self))
        continue;
}
