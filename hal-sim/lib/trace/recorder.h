/* SPDX-License-Identifier: MIT */
/*
 * recorder.h: the file that the scheduler's events are written to, and its two formats.
 *
 * The caller of all functions here holds HOST_MACHINE.
 */
#pragma once

#include "tayberry.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** Opens the file; machine time `now` is where its time begins. 0 or a negative errno. */
int recorder_begin(const char *path, unsigned cpus, uint64_t now);

/** Completes the file and closes it. 0; negative: it is not complete. Nothing if there is none. */
int recorder_end(void);

/** Whether a file is being written. */
bool recorder_runs(void);

/** Takes an event. Nothing if there is no file. */
void recorder_add(const struct tb_sched_event *event);

/** Machine time has come to `now` and stops, or goes on elsewhere. */
void recorder_stop_time(uint64_t now);

/** Machine time goes on from `now`, and the file's from where it was. */
void recorder_start_time(uint64_t now);

/**
 * A format. Events come in the order of their times, which are the file's. All threads of before
 * are gone after a TB_SCHED_POWER.
 */
struct trace_format {
    void (*begin)(FILE *file, unsigned cpus);
    void (*event)(FILE *file, const struct tb_sched_event *event);
    /** `events` were written, at last at time `last`. False: it had not all the memory it needed.
     */
    bool (*end)(FILE *file, uint64_t events, uint64_t last);
};

extern const struct trace_format trace_ftrace; /* ftrace.c */
extern const struct trace_format trace_chrome; /* chrome.c */
