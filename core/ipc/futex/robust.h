/* SPDX-License-Identifier: MIT */
/*
 * robust.h: what a thread leaves behind in its program's memory.
 */
#pragma once

struct user_thread;

/**
 * Tells the memory of a program that `thread`, which calls, uses it no more: robust locks, and the
 * word that a C library waits for to know that a thread is gone. May sleep.
 */
void robust_leave_memory(struct user_thread *thread);
