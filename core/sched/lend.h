/* SPDX-License-Identifier: MIT */
/*
 * lend.h: priority inheritance: who owns a mutex runs as if it were as important as who waits.
 *
 * Without that, a thread of high priority can wait for ever for a mutex of one of low priority that
 * never gets a CPU, because threads in between have work to do: priority inversion, for which the
 * Mars Pathfinder restarted itself again and again in July 1997.
 *
 *     high    waits for the mutex --------+
 *     middle  runs, and needs no mutex    | lends its priority
 *     low     owns the mutex  <-----------+
 *
 * The owner is lent the highest priority, and the nicest (that is, least) nice level, of all that
 * wait for any mutex of its, and of those that wait for these, and so on. So a wait of an urgent
 * thread lasts as long as those before it hold the mutex, and no longer. `priority` goes by the
 * first, and fair, stride and lottery by the second; the others by neither. What is lent ends when
 * the mutex is unlocked, and when the wait ends by its deadline.
 *
 * What is not here: readers and writers (an rwlock has many owners), and semaphores (has none).
 */
#pragma once

struct thread;

/**
 * What `thread` lends, and what it is worth at all, has changed. As long as all threads are equal
 * nothing is ever lent, and mutexes spend no time on it; from the first call on they do. Any
 * context that may take LOCK_RANK_CHAIN.
 */
void lend_recount(struct thread *thread);
