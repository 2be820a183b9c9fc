/* SPDX-License-Identifier: MIT */
/*
 * cases.h: what the cases about signals have in common. The program prints facts that are the same
 * on every Linux: no numbers of processes, no addresses, no times. So what it prints natively is
 * what it has to print on Tayberry.
 */
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define CHECK_DONE 100 /* status of a case whose process was meant to end otherwise */

struct signal_case {
    const char *name;
    void (*run)(void);
};

extern const struct signal_case basic_cases[], fault_cases[], frame_cases[], stop_cases[],
    wait_cases[], restart_cases[], timer_cases[], thread_cases[], made_cases[], stress_cases[];

/** Prints a line and pushes it out, so that no child prints it again. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** The name of an error, or "ok" for a result that is none. */
const char *result_name(long result);
const char *error_name(int error);

/** Installs a handler. */
void handle(int number, void (*handler)(int), int flags);
void handle_info(int number, void (*handler)(int, siginfo_t *, void *), int flags);

/** A handler that only counts, and what it has counted. */
void count_signal(int number);
extern volatile sig_atomic_t counted;

/** Runs `body` in a child: its status, as wait gives it; and saying it. */
int in_child(void (*body)(void));
void say_status(const char *what, int status);

void block(int number);
void unblock(int number);
bool is_pending(int number);
void nap(unsigned ms);

/** A child that naps, sends `number` to its parent once that sleeps, and ends. */
pid_t send_later(unsigned ms, int number);

/** Waits for that child, whatever interrupts it. */
int await_child(pid_t child);
