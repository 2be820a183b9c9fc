/* SPDX-License-Identifier: MIT */
/*
 * tests.h: the tests inside the kernel, by file. The table of ktest.c gives them their names.
 */
#pragma once

#include "ktest/ktest.h"

/* test_threads.c */
void test_thread_join(struct ktest_run *run);
void test_thread_sleep_order(struct ktest_run *run);
void test_thread_yield(struct ktest_run *run);
void test_thread_preemption(struct ktest_run *run);
void test_thread_shares(struct ktest_run *run);
void test_thread_cancel(struct ktest_run *run);
void test_thread_cancel_before_sleep(struct ktest_run *run);
void test_thread_detach(struct ktest_run *run);
void test_thread_many(struct ktest_run *run);
void test_thread_guard(struct ktest_run *run);
void test_thread_sized(struct ktest_run *run);
void test_thread_spares(struct ktest_run *run);

/* sched/test_smp.c */
void test_smp_parallel(struct ktest_run *run);
void test_smp_timers(struct ktest_run *run);
void test_smp_affinity(struct ktest_run *run);
void test_smp_affinity_of_another(struct ktest_run *run);
void test_smp_shares(struct ktest_run *run);
void test_smp_surplus(struct ktest_run *run);
void test_smp_steal(struct ktest_run *run);
void test_smp_lives(struct ktest_run *run);
void test_smp_detach(struct ktest_run *run);
void test_smp_wakes(struct ktest_run *run);
void test_smp_timeouts(struct ktest_run *run);
void test_smp_crowd(struct ktest_run *run);
void test_smp_policies(struct ktest_run *run);
void test_smp_priority(struct ktest_run *run);
void test_smp_wake_preempts(struct ktest_run *run);
void test_smp_nice(struct ktest_run *run);
void test_moves_robbed(struct ktest_run *run);
void test_moves_all_others(struct ktest_run *run);
void test_moves_allowed(struct ktest_run *run);
void test_moves_preempted(struct ktest_run *run);
void test_moves_changes(struct ktest_run *run);
void test_thread_locals(struct ktest_run *run);

/* sched/test_lend.c */
void test_lend_inversion(struct ktest_run *run);
void test_lend_chain(struct ktest_run *run);
void test_lend_handover(struct ktest_run *run);
void test_lend_fair(struct ktest_run *run);

/* test_frames.c */
void test_frame_alignment(struct ktest_run *run);
void test_frame_odd_sizes(struct ktest_run *run);
void test_frame_references(struct ktest_run *run);
void test_frame_refusal(struct ktest_run *run);
void test_frame_exhaustion(struct ktest_run *run);
void test_frame_reclaim(struct ktest_run *run);
void test_frame_watermark(struct ktest_run *run);

/* test_heap.c */
void test_heap_alignment(struct ktest_run *run);
void test_heap_overlap(struct ktest_run *run);
void test_heap_zeros(struct ktest_run *run);
void test_heap_refusal(struct ktest_run *run);
void test_heap_reuse(struct ktest_run *run);
void test_heap_exhaustion(struct ktest_run *run);
void test_heap_random(struct ktest_run *run);
void test_heap_fragmentation(struct ktest_run *run);
void test_heap_threads(struct ktest_run *run);
void test_heap_gives_back(struct ktest_run *run);
void test_heap_cache(struct ktest_run *run);

/* test_time.c */
void test_time_monotonic(struct ktest_run *run);
void test_time_sleep(struct ktest_run *run);
void test_time_past(struct ktest_run *run);
void test_time_crowd(struct ktest_run *run);
void test_calendar_dates(struct ktest_run *run);
void test_calendar_round_trip(struct ktest_run *run);
void test_calendar_text(struct ktest_run *run);

/* block/test_block.c */
void test_block_areas(struct ktest_run *run);
void test_block_overlap(struct ktest_run *run);
void test_block_delay(struct ktest_run *run);
void test_block_lost(struct ktest_run *run);
void test_block_endless(struct ktest_run *run);
void test_block_come_and_go(struct ktest_run *run);
void test_block_unaligned(struct ktest_run *run);

/* test_fs.c */
void test_fs_read(struct ktest_run *run);
void test_fs_offsets(struct ktest_run *run);
void test_fs_end(struct ktest_run *run);
void test_fs_directory(struct ktest_run *run);
void test_fs_names(struct ktest_run *run);
void test_fs_paths(struct ktest_run *run);
void test_fs_errors(struct ktest_run *run);
void test_fs_threads(struct ktest_run *run);

/* test_speed.c */
void test_speed_read(struct ktest_run *run);

/* test_lib.c */
void test_string_numbers(struct ktest_run *run);
void test_string_durations(struct ktest_run *run);
void test_string_copy(struct ktest_run *run);
void test_format_conversions(struct ktest_run *run);
void test_format_cut(struct ktest_run *run);
void test_list_order(struct ktest_run *run);
void test_tree_order(struct ktest_run *run);
void test_tree_height(struct ktest_run *run);
void test_bitmap_runs(struct ktest_run *run);
void test_log_keeps(struct ktest_run *run);
void test_line_erase(struct ktest_run *run);
void test_line_ends(struct ktest_run *run);
void test_line_limit(struct ktest_run *run);
