/* SPDX-License-Identifier: MIT */
/*
 * ktest.c: the table of tests and their runner.
 */
#include "ktest/ktest.h"

#include "boot/cmdline.h"
#include "ktest/cache/tests.h"
#include "ktest/calls/tests.h"
#include "ktest/fat32/tests.h"
#include "ktest/fs/tests.h"
#include "ktest/sync/tests.h"
#include "ktest/tests.h"
#include "ktest/vm/tests.h"
#include "ktest/wait/tests.h"
#include "lib/string.h"
#include "sched/sched.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/board.h>
#include <hal/errno.h>
#include <hal/kstate.h>

static const struct ktest tests[] = {
    {"thread.join_waits_for_the_end", test_thread_join},
    {"thread.sleepers_wake_in_the_order_of_their_deadlines", test_thread_sleep_order},
    {"thread.yield_lets_the_other_run", test_thread_yield},
    {"thread.the_timer_preempts_loops", test_thread_preemption},
    {"thread.loops_share_the_processor", test_thread_shares},
    {"thread.cancel_ends_a_sleep", test_thread_cancel},
    {"thread.cancel_before_a_sleep_counts", test_thread_cancel_before_sleep},
    {"thread.detached_threads_free_themselves", test_thread_detach},
    {"thread.many_threads_give_all_memory_back", test_thread_many},
    {"thread.a_stack_has_a_guard_page", test_thread_guard},
    {"thread.stacks_have_the_size_asked_for", test_thread_sized},
    {"thread.a_stack_is_used_again", test_thread_spares},
    {"thread.each_has_its_own_storage", test_thread_locals},
    {"smp.threads_run_at_the_same_moment", test_smp_parallel},
    {"smp.each_cpu_has_its_timer", test_smp_timers},
    {"smp.a_thread_runs_where_it_may", test_smp_affinity},
    {"smp.a_running_thread_can_be_sent_away", test_smp_affinity_of_another},
    {"smp.busy_cpus_share", test_smp_shares},
    {"smp.the_surplus_goes_round", test_smp_surplus},
    {"smp.idle_cpus_fetch_work", test_smp_steal},
    {"smp.threads_begin_and_end_in_crowds", test_smp_lives},
    {"smp.detached_threads_end_in_crowds", test_smp_detach},
    {"smp.no_wake_up_is_lost", test_smp_wakes},
    {"smp.deadlines_race_with_wake_ups", test_smp_timeouts},
    {"smp.a_thousand_threads", test_smp_crowd},
    {"smp.the_policy_changes_under_way", test_smp_policies},
    {"smp.the_more_important_runs", test_smp_priority},
    {"smp.a_wake_up_preempts_at_once", test_smp_wake_preempts},
    {"smp.nice_threads_get_less", test_smp_nice},
    {"moves.a_cpu_that_was_robbed_idles", test_moves_robbed},
    {"moves.who_idles_looks_at_all_others", test_moves_all_others},
    {"moves.who_may_come_from_now_on_is_fetched", test_moves_allowed},
    {"moves.who_is_preempted_is_fetched", test_moves_preempted},
    {"moves.policy_and_quantum_change_at_once", test_moves_changes},
    {"lend.an_inversion_is_bounded", test_lend_inversion},
    {"lend.goes_along_a_chain_and_returns", test_lend_chain},
    {"lend.a_new_owner_is_lent_to", test_lend_handover},
    {"lend.fair_gives_the_owner_a_larger_share", test_lend_fair},
    {"mutex.one_at_a_time", test_mutex_excludes},
    {"mutex.first_come_first_served", test_mutex_order},
    {"mutex.trylock_does_not_wait", test_mutex_trylock},
    {"mutex.cancel_does_not_cut_a_lock_short", test_mutex_cancel},
    {"wait.one_wakes_the_longest_waiter", test_wait_order},
    {"wait.all_wakes_all", test_wait_all},
    {"wait.a_deadline_ends_it_and_not_early", test_wait_timeout},
    {"wait.cancel_ends_it", test_wait_cancel},
    {"spinlock.masks_interrupts_while_held", test_spinlock_masks},
    {"mutex.a_deadline_ends_the_wait", test_mutex_timed},
    {"mutex.who_gave_up_is_passed_over", test_mutex_timed_order},
    {"condition.a_signal_wakes_the_longest_waiter", test_condition_signal},
    {"condition.who_was_woken_looks_again", test_condition_broadcast},
    {"condition.ends_with_the_mutex_however_it_ends", test_condition_ends},
    {"rwlock.readers_share_and_writers_do_not", test_rwlock_shares},
    {"rwlock.a_writer_does_not_starve", test_rwlock_writer_first},
    {"rwlock.readers_do_not_starve", test_rwlock_readers_after},
    {"rwlock.try_does_not_wait", test_rwlock_try},
    {"rwlock.a_writer_that_gives_up_lets_readers_in", test_rwlock_timed},
    {"locks.wake_ups_of_nobody_are_not_kept", test_locks_nobody},
    {"locks.a_scheduler_hears_who_waits_for_whom", test_locks_hooks},
    {"locks.one_order_is_no_report", test_order_report},
    {"locks.two_of_a_class_in_one_direction", test_order_nested},
    {"locks.holds_are_known", test_held_records},
    {"semaphore.counts", test_semaphore_counts},
    {"semaphore.units_are_handed_over", test_semaphore_order},
    {"semaphore.a_wait_that_ends_takes_nothing", test_semaphore_ends},
    {"completion.one_lets_one_through", test_completion_one},
    {"completion.all_lets_all_through", test_completion_all},
    {"completion.a_wait_can_end_before", test_completion_ends},
    {"barrier.nobody_is_a_round_ahead", test_barrier_rounds},
    {"queue.first_in_first_out", test_bounded_order},
    {"queue.a_full_one_makes_wait", test_bounded_full},
    {"queue.closing_ends_all_waits", test_bounded_close},
    {"counter.the_sum_is_exact", test_counter_sum},
    {"timer.in_the_order_of_their_deadlines", test_timer_order},
    {"timer.a_cancelled_one_does_not_run", test_timer_cancel},
    {"timer.cancel_waits_for_what_runs", test_timer_cancel_waits},
    {"timer.may_arm_and_cancel_itself", test_timer_again},
    {"timer.very_many", test_timer_many},
    {"work.in_the_order_of_submission", test_work_runs},
    {"work.never_twice_at_a_time", test_work_alone},
    {"work.cancel_waits_for_what_runs", test_work_cancel},
    {"work.flush_waits_for_all_before", test_work_flush},
    {"work.at_a_time", test_work_delayed},
    {"work.a_cancelled_one_does_not_come_back", test_work_comes_back},
    {"work.impossible_queues_are_refused", test_work_refusal},
    {"problem.producers_and_consumers", test_problem_queue},
    {"problem.producers_and_consumers_with_semaphores", test_problem_semaphores},
    {"problem.producers_and_consumers_in_a_monitor", test_problem_monitor},
    {"problem.readers_and_writers", test_problem_readers},
    {"problem.dining_philosophers", test_problem_philosophers},
    {"problem.polite_philosophers", test_problem_polite},
    {"problem.traffic_intersection", test_problem_intersection},
    {"race.sleep_against_wake_up", test_race_ping},
    {"race.wait_against_signal", test_race_match},
    {"race.deadline_against_wake_up", test_race_deadline},
    {"race.late_wake_ups_go_to_the_next", test_race_heirs},
    {"race.cancel_against_wake_up", test_race_cancel},
    {"race.cancel_against_sleep", test_race_doze},
    {"race.hand_over_against_deadline", test_race_handover},
    {"race.completion_on_a_stack", test_race_stack},
    {"race.end_against_join", test_race_join},
    {"race.threads_begin_in_crowds", test_race_births},
    {"race.timer_against_cancel", test_race_timer},
    {"race.arm_against_rest", test_race_rest},
    {"race.work_against_cancel", test_race_work},
    {"broken.lost_update", test_broken_update},
    {"broken.lost_wake_up", test_broken_wakeup},
    {"broken.lock_order", test_broken_order},
    {"broken.torn_record", test_broken_record},
    {"frame.runs_are_aligned_to_their_size", test_frame_alignment},
    {"frame.runs_of_odd_sizes_keep_what_they_hold", test_frame_odd_sizes},
    {"frame.the_last_reference_frees", test_frame_references},
    {"frame.impossible_sizes_are_refused", test_frame_refusal},
    {"frame.all_can_be_taken_and_merge_again", test_frame_exhaustion},
    {"frame.caches_give_when_nothing_is_left", test_frame_reclaim},
    {"frame.a_thread_asks_caches_before_that", test_frame_watermark},
    {"heap.blocks_are_aligned", test_heap_alignment},
    {"heap.blocks_do_not_overlap", test_heap_overlap},
    {"heap.kcalloc_zeroes", test_heap_zeros},
    {"heap.impossible_sizes_are_refused", test_heap_refusal},
    {"heap.freed_memory_is_used_again", test_heap_reuse},
    {"heap.comes_back_from_exhaustion", test_heap_exhaustion},
    {"heap.contents_stay_under_random_use", test_heap_random},
    {"heap.fragmentation_is_bounded", test_heap_fragmentation},
    {"heap.threads_use_it_at_the_same_time", test_heap_threads},
    {"heap.gives_its_frames_back", test_heap_gives_back},
    {"heap.objects_of_a_cache_come_constructed", test_heap_cache},
    {"time.never_goes_back", test_time_monotonic},
    {"time.sleeps_are_never_short", test_time_sleep},
    {"time.a_deadline_in_the_past_is_no_sleep", test_time_past},
    {"time.a_crowd_does_not_wake_up_at_a_stroke", test_time_crowd},
    {"calendar.known_dates", test_calendar_dates},
    {"calendar.there_and_back", test_calendar_round_trip},
    {"calendar.text_is_checked", test_calendar_text},
    {"cpio.an_archive_is_unpacked", test_cpio_unpack},
    {"gpiochip.tells_of_its_lines", test_gpiochip_info},
    {"gpiochip.lines_are_driven_and_read", test_gpiochip_lines},
    {"gpiochip.nonsense_is_refused", test_gpiochip_refusal},
    {"gpiochip.edges_become_events", test_gpiochip_events},
    {"gpiochip.speaks_the_old_way_too", test_gpiochip_old},
    {"pipe.opening_waits_for_the_other_side", test_pipe_open},
    {"pipe.opening_can_be_cancelled", test_pipe_open_cancel},
    {"pipe.a_stream_arrives", test_pipe_stream},
    {"pipe.pieces_are_not_mixed", test_pipe_whole},
    {"pipe.closing_ends_waits", test_pipe_ends},
    {"block.threads_find_what_they_wrote", test_block_areas},
    {"block.a_request_is_seen_as_a_whole", test_block_overlap},
    {"block.a_delayed_request_comes_late", test_block_delay},
    {"block.a_lost_request_ends_in_time", test_block_lost},
    {"block.requests_may_come_back_for_long", test_block_endless},
    {"block.disks_come_and_go", test_block_come_and_go},
    {"block.memory_of_any_alignment_will_do", test_block_unaligned},
    {"cache.reads_race_with_truncation", test_cache_truncate},
    {"cache.writes_race_with_the_flusher", test_cache_flusher},
    {"cache.reclaim_races_with_all", test_cache_reclaim},
    {"cache.errors_lose_nothing", test_cache_errors},
    {"cache.objects_go_while_they_are_busy", test_cache_finish},
    {"poll.no_wake_up_is_lost", test_wait_poll},
    {"poll.no_edge_is_lost", test_wait_epoll},
    {"futex.a_lock_of_a_word", test_wait_futex},
    {"futex.those_that_are_moved_are_woken", test_wait_requeue},
    {"filelock.bytes_have_one_owner", test_wait_filelock},
    {"vm.threads_share_a_space", test_vm_threads},
    {"vm.forks_race_with_writes", test_vm_forks},
    {"vm.files_are_cut_while_they_are_mapped", test_vm_files},
    {"vm.mappings_move_while_the_file_is_cut", test_vm_moves},
    {"calls.a_few_ask_for_anything", test_calls_few},
    {"calls.a_crowd_asks_for_anything", test_calls_crowd},
    {"calls.one_asks_for_anything", test_calls_alone},
    {"calls.what_fails_changes_nothing", test_calls_failures},
    {"fs.a_file_can_be_read", test_fs_read},
    {"fs.each_part_of_a_large_file_is_its_own", test_fs_offsets},
    {"fs.a_file_ends_where_it_ends", test_fs_end},
    {"fs.a_directory_of_a_thousand", test_fs_directory},
    {"fs.names_long_and_foreign", test_fs_names},
    {"fs.paths_with_dots", test_fs_paths},
    {"fs.errors_say_what_is_wrong", test_fs_errors},
    {"fs.threads_read_at_the_same_time", test_fs_threads},
    {"fat32.changes_go_to_the_card_by_themselves", test_fat32_by_itself},
    {"fat32.threads_write_at_the_same_time", test_fat32_threads},
    {"fat32.requests_may_be_late", test_fat32_late},
    {"fat32.a_remount_is_refused_unnoticed", test_fat32_remount},
    {"vfs.a_replaced_file_is_always_there", test_vfs_replace},
    {"vfs.one_makes_it_and_one_removes_it", test_vfs_create_unlink},
    {"vfs.nothing_is_made_in_what_is_gone", test_vfs_mkdir_rmdir},
    {"vfs.directories_move_without_circles", test_vfs_moves},
    {"vfs.mounts_come_and_go_under_way", test_vfs_unmount},
    {"vfs.who_writes_to_a_disk_has_it", test_vfs_disks},
    {"speed.reading_a_file", test_speed_read},
    {"string.numbers", test_string_numbers},
    {"string.durations", test_string_durations},
    {"string.copies_are_cut_and_ended", test_string_copy},
    {"format.conversions", test_format_conversions},
    {"format.cuts_and_tells_the_length", test_format_cut},
    {"list.keeps_its_order", test_list_order},
    {"tree.keeps_its_order", test_tree_order},
    {"tree.stays_low", test_tree_height},
    {"bitmap.runs_across_words", test_bitmap_runs},
    {"log.keeps_what_was_said", test_log_keeps},
    {"line.mistakes_can_be_erased", test_line_erase},
    {"line.five_ways_to_end", test_line_ends},
    {"line.too_much_changes_its_end", test_line_limit},
};

#define TESTS (sizeof(tests) / sizeof(tests[0]))

static KSTATE bool busy;     /* somebody runs tests */
static KSTATE unsigned size; /* of their scenarios; 0: each its own */

unsigned ktest_size(unsigned usual)
{
    return size ? size : usual;
}

bool ktest_expect(struct ktest_run *run, bool good, const char *file, int line, const char *text)
{
    if (!good) {
        run->failed = true;
        tty_print("# %s:%d: does not hold: %s\n", file, line, text);
    }
    return good;
}

bool ktest_skip_cooperative(struct ktest_run *run)
{
    if (scheduler_is_cooperative())
        run->skipped = "under this policy a loop keeps its CPU";
    return scheduler_is_cooperative();
}

/* True if `name` is the test, its group, or "all", which is all that should pass. */
static bool ktest_matches(const struct ktest *test, const char *name)
{
    size_t n = string_length(name);

    if (string_equal(name, "all"))
        return !string_starts_with(test->name, "broken.") &&
               !string_starts_with(test->name, "calls."); /* which write to all they find */
    return string_equal(name, test->name) ||
           (string_starts_with(test->name, name) && test->name[n] == '.');
}

/* One test on its way. */
struct ktest_job {
    const struct ktest *test;
    struct ktest_run run;
};

static void ktest_main(void *argument)
{
    struct ktest_job *job = argument;

    job->test->function(&job->run);
}

/*
 * Runs the test in a thread of its own: a Ctrl-C cancels the caller, and a test whose sleeps are
 * all cut short would wait in vain for threads that it has not given time to begin.
 */
static void ktest_run_apart(struct ktest_job *job)
{
    struct thread *thread;

    if (KTEST_EXPECT(&job->run, thread_create("ktest", ktest_main, job, &thread) == 0))
        thread_join(thread);
}

/* Returns true if the test passed, or was skipped. */
static bool ktest_run_one(const struct ktest *test, unsigned number)
{
    struct ktest_job job = {.test = test};

    ktest_run_apart(&job);
    tty_print("%sok %u - %s", job.run.failed ? "not " : "", number, test->name);
    if (job.run.skipped != NULL)
        tty_print(" # SKIP %s", job.run.skipped);
    tty_print("\n");
    return !job.run.failed;
}

/* Runs the `planned` tests called `name`, one after the other. Returns how many failed. */
static int ktest_run_all(const char *name, unsigned planned)
{
    unsigned number = 0;
    int failed = 0;

    tty_print("1..%u\n", planned);
    tty_drain(); /* so that who waits for this line knows that no test has begun */
    for (size_t i = 0; i < TESTS && !thread_cancelled(); i++) {
        if (ktest_matches(&tests[i], name) && !ktest_run_one(&tests[i], ++number))
            failed++;
    }
    tty_print("# %u passed, %d failed\n", number - (unsigned)failed, failed);
    return failed;
}

int ktest_run(const char *name, unsigned scenario_size)
{
    unsigned planned = 0;
    int failed;

    for (size_t i = 0; i < TESTS; i++)
        planned += ktest_matches(&tests[i], name);
    if (planned == 0)
        return -ENOENT;
    if (__atomic_exchange_n(&busy, true, __ATOMIC_ACQUIRE))
        return -EBUSY;
    size = scenario_size;
    failed = ktest_run_all(name, planned);
    __atomic_store_n(&busy, false, __ATOMIC_RELEASE);
    return failed;
}

void ktest_list(void)
{
    for (size_t i = 0; i < TESTS; i++)
        tty_print("%s\n", tests[i].name);
}

/* What the boot word says; 0: nothing, or nothing that could be understood. */
static unsigned size_at_boot(void)
{
    char text[16];
    const char *end;
    uint64_t value;

    if (!cmdline_value("ktest_size", text, sizeof text))
        return 0;
    if (string_to_u64(text, &value, &end) || *end || value > KTEST_SIZE_MAX) {
        tty_print("# ktest_size=%s is not a number up to %u\n", text, KTEST_SIZE_MAX);
        return 0;
    }
    return (unsigned)value;
}

void ktest_run_and_stop(const char *name)
{
    int failed = ktest_run(name, size_at_boot());

    if (failed == -ENOENT)
        tty_print("Bail out! ktest=%s: no test and no group of tests is called that\n", name);
    tty_drain();
    hal_board_stop(HAL_STOP_POWER_OFF, failed == 0 ? 0 : failed < 0 ? 2 : 1);
}
