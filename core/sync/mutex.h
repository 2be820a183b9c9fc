/* SPDX-License-Identifier: MIT */
/*
 * mutex.h: mutual exclusion for threads, which sleep while they wait. Handed over in the order of
 * arrival.
 */
#pragma once

#include "sync/wait.h"

struct thread;

struct mutex {
    struct spinlock lock; /**< guards the members below */
    struct thread *owner; /**< NULL: free */
    struct wait_queue waiters;
};

void mutex_init(struct mutex *mutex);

/** May sleep. The owner must not take it again. Not cut short by thread_cancel. */
void mutex_lock(struct mutex *mutex);

/** Takes it if it is free. Thread context. */
HAL_MUST_CHECK bool mutex_trylock(struct mutex *mutex);

/** Caller is the owner. */
void mutex_unlock(struct mutex *mutex);

/** True if the calling thread owns it. For assertions. */
bool mutex_owned(struct mutex *mutex);
