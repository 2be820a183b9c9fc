/* SPDX-License-Identifier: MIT */
/*
 * local.h: thread-local storage: variables of which each thread has its own.
 *
 * A key is such a variable, for all threads; there are THREAD_LOCALS of them. Its value is a
 * pointer, NULL until the thread sets it. When a thread ends, the destructors of the keys that it
 * has set are called.
 */
#pragma once

#include <hal/compiler.h>

/**
 * Makes a new key; its value is NULL in every thread. `destructor` (or NULL) is called in a thread
 * that ends, with the value that it has set; it may sleep.
 *
 * Returns the key >= 0, or -ENOSPC. Thread context.
 */
HAL_MUST_CHECK int thread_local_create(void (*destructor)(void *value));

/** Gives the key back. No thread that lives may have a value set. Thread context. */
void thread_local_delete(int key);

/** The calling thread's value. Thread context. */
void *thread_local_get(int key);
void thread_local_set(int key, void *value);

struct thread;

/** Calls the destructors for `self`, the calling thread, which is about to end. May sleep. */
void thread_locals_finish(struct thread *self);
