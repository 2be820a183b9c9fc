/* SPDX-License-Identifier: MIT */
/*
 * scenarios.h: the kernel's own tests that hold under every schedule: the classic problems, and
 * races that core wins.
 */
#pragma once

static const char *const scenarios[] = {
    "problem.producers_and_consumers",
    "problem.producers_and_consumers_with_semaphores",
    "problem.producers_and_consumers_in_a_monitor",
    "problem.readers_and_writers",
    "problem.dining_philosophers",
    "problem.polite_philosophers",
    "problem.traffic_intersection",
    "race.sleep_against_wake_up",
    "race.wait_against_signal",
    "race.deadline_against_wake_up",
    "race.late_wake_ups_go_to_the_next",
    "race.cancel_against_wake_up",
    "race.hand_over_against_deadline",
    "race.end_against_join",
    "race.threads_begin_in_crowds",
    "race.timer_against_cancel",
    "race.work_against_cancel",
    "race.completion_on_a_stack",
    "race.arm_against_rest",
    "race.cancel_against_sleep",
};

#define SCENARIOS (sizeof scenarios / sizeof scenarios[0])
