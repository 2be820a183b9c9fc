/* SPDX-License-Identifier: MIT */
/*
 * tests.h: the tests of core/sync and core/deferred inside the kernel, by file.
 */
#pragma once

#include "ktest/ktest.h"

/* basic.c */
void test_mutex_excludes(struct ktest_run *run);
void test_mutex_order(struct ktest_run *run);
void test_mutex_trylock(struct ktest_run *run);
void test_mutex_cancel(struct ktest_run *run);
void test_wait_order(struct ktest_run *run);
void test_wait_all(struct ktest_run *run);
void test_wait_timeout(struct ktest_run *run);
void test_wait_cancel(struct ktest_run *run);
void test_spinlock_masks(struct ktest_run *run);

/* locks.c */
void test_mutex_timed(struct ktest_run *run);
void test_mutex_timed_order(struct ktest_run *run);
void test_condition_signal(struct ktest_run *run);
void test_condition_broadcast(struct ktest_run *run);
void test_condition_ends(struct ktest_run *run);
void test_rwlock_shares(struct ktest_run *run);
void test_rwlock_writer_first(struct ktest_run *run);
void test_rwlock_readers_after(struct ktest_run *run);
void test_rwlock_try(struct ktest_run *run);
void test_rwlock_timed(struct ktest_run *run);
void test_locks_nobody(struct ktest_run *run);
void test_locks_hooks(struct ktest_run *run);
void test_order_report(struct ktest_run *run);
void test_order_nested(struct ktest_run *run);
void test_held_records(struct ktest_run *run);

/* flow.c */
void test_semaphore_counts(struct ktest_run *run);
void test_semaphore_order(struct ktest_run *run);
void test_semaphore_ends(struct ktest_run *run);
void test_completion_one(struct ktest_run *run);
void test_completion_all(struct ktest_run *run);
void test_completion_ends(struct ktest_run *run);
void test_barrier_rounds(struct ktest_run *run);
void test_bounded_order(struct ktest_run *run);
void test_bounded_full(struct ktest_run *run);
void test_bounded_close(struct ktest_run *run);
void test_counter_sum(struct ktest_run *run);

/* deferred.c */
void test_timer_order(struct ktest_run *run);
void test_timer_cancel(struct ktest_run *run);
void test_timer_cancel_waits(struct ktest_run *run);
void test_timer_again(struct ktest_run *run);
void test_timer_many(struct ktest_run *run);
void test_work_runs(struct ktest_run *run);
void test_work_alone(struct ktest_run *run);
void test_work_cancel(struct ktest_run *run);
void test_work_flush(struct ktest_run *run);
void test_work_delayed(struct ktest_run *run);
void test_work_comes_back(struct ktest_run *run);
void test_work_refusal(struct ktest_run *run);

/* ../problems/broken.c */
void test_broken_update(struct ktest_run *run);
void test_broken_wakeup(struct ktest_run *run);
void test_broken_order(struct ktest_run *run);
void test_broken_record(struct ktest_run *run);

/* ../problems/classic.c */
void test_problem_queue(struct ktest_run *run);
void test_problem_semaphores(struct ktest_run *run);
void test_problem_monitor(struct ktest_run *run);
void test_problem_readers(struct ktest_run *run);
void test_problem_philosophers(struct ktest_run *run);
void test_problem_polite(struct ktest_run *run);
void test_problem_intersection(struct ktest_run *run);

/* ../problems/races.c */
void test_race_ping(struct ktest_run *run);
void test_race_match(struct ktest_run *run);
void test_race_deadline(struct ktest_run *run);
void test_race_heirs(struct ktest_run *run);
void test_race_cancel(struct ktest_run *run);
void test_race_doze(struct ktest_run *run);
void test_race_handover(struct ktest_run *run);
void test_race_stack(struct ktest_run *run);
void test_race_join(struct ktest_run *run);
void test_race_births(struct ktest_run *run);
void test_race_timer(struct ktest_run *run);
void test_race_rest(struct ktest_run *run);
void test_race_work(struct ktest_run *run);
