/* SPDX-License-Identifier: MIT */
/*
 * program.h: the parts of the `tayberry` program: the library's first user.
 *
 * Three threads work together. The main thread owns the machine and runs it. The pump thread waits
 * for everything that comes from outside: keys, signals, the time-out. The writer thread brings
 * what the guest prints to the terminal and the log, so that a slow terminal costs the guest
 * nothing.
 *
 * What they share is the *end* of the run: the first reason to stop is kept, wakes everybody up,
 * and decides the exit status. Nobody else ends the program.
 */
#pragma once

#include "tayberry.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- options.c: the command line ---- */

/** Exit statuses of the program's own; the guest's `poweroff` has the small numbers. */
enum exit_status {
    STATUS_TEXT = 120,    /**< the fail text showed, or the expected one did not */
    STATUS_TIMEOUT = 124, /**< --timeout; --timeout-exit-code changes it */
    STATUS_USAGE = 125,   /**< bad usage, cannot start, or cannot write its output */
    STATUS_PANIC = 134    /**< the guest panicked */
};

struct options {
    bool headless, read_only, user_step, help, version;
    struct panels {
        bool card, memory, timeline;
    } panels; /**< what the window shows from the start */
    const char *card, *share, *append, *expect_text, *fail_text, *serial_log, *screenshot, *vcd,
        *trace, *syscalls, *diagram;
    char **exec;     /**< a program and its arguments, up to NULL; or NULL: --exec was not given */
    uint64_t memory; /**< bytes; 0: the library's default */
    uint64_t seed;
    uint64_t cpus;    /**< 0: the library's default */
    uint64_t timeout; /**< nanoseconds of the host's time; 0: none */
    uint64_t timeout_status;
    uint64_t stall_limit; /**< nanoseconds; 0: the library's default */
    uint64_t clock;       /**< an enum tb_clock */
    uint64_t boot_tags;   /**< an enum tb_boot_tags */
    uint32_t display[2];  /**< width and height; 0: none */

    /* search.c */
    uint64_t seeds[2];       /**< the first and the last; 0: not given */
    uint64_t pct;            /**< depth of a bug, 0: not so */
    uint64_t chance;         /**< points between two decisions, 0: not so */
    const char *preemptions; /**< a number, NULL: not so */
    const char *schedule;    /**< the steps of the run, as text */
    const char *from_text;   /**< where a search begins */
    uint64_t limit;          /**< ns of machine time of a run; 0: the usual */
    uint64_t jobs;           /**< processes; 0: one for each of the host's processors */
};

/** Reads the command line. False: one line on standard error has said what is wrong and what to do.
 */
bool options_parse(struct options *options, int argc, char **argv);

/** Prints the summary of --help. False: standard output cannot be written. */
bool options_print_help(void);

/* ---- share.c: --share ---- */

/**
 * Makes the card that the machine gets: a private copy of --card, or an empty one, with the folder
 * of --share on it. It lasts as long as the program. False after a message. Without --share there
 * is nothing to do.
 */
bool share_prepare(const struct options *options);

/** The path of the card for the machine: that one, or else the one of --card. */
const char *share_card(const struct options *options);

/** A file for a card, without a name: its descriptor, or -1 after a message. */
int share_open_nameless(void);

/* ---- exec.c: --exec ---- */

/** With --exec: makes the card for it, and the other options what it needs. False after a message.
 */
bool exec_prepare(struct options *options);

/** A tb_stream_sink: what the program writes goes to the descriptor with the stream's number. */
void exec_put(void *context, int stream, const uint8_t *bytes, size_t n);

/** Says on standard error what was on the console: the run has not ended as it should. */
void exec_say_console(struct tb_machine *machine);

/* ---- report.c: what went wrong ---- */

/** Says on standard error in which functions and lines the guest was at its last fault. */
void report_fault(const struct tb_machine *machine);

/** Says there who was where and waited for what. */
void report_hang(struct tb_machine *machine);

/* ---- session.c: how the run ends ---- */

enum end {
    END_NONE,
    END_STOPPED, /**< the guest powered itself off */
    END_MATCH,   /**< the expected text showed */
    END_FAIL,    /**< the fail text showed */
    END_TIMEOUT,
    END_LEAVE,  /**< Ctrl-A X, or the window was closed */
    END_STUCK,  /**< the guest waits for input that cannot come */
    END_SIGNAL, /**< detail: the signal */
    END_PANIC,  /**< the guest panicked */
    END_OUTPUT, /**< standard output is broken */
    END_ERROR   /**< the library refused; tb_error says why */
};

/** Names the machine that session_end interrupts, once it is open. */
void session_set_machine(struct tb_machine *machine);

/** Ends the run for this reason, unless it has ended already, and interrupts the guest. Any thread.
 */
void session_end(enum end end, int detail);

/** Why the run ended, or END_NONE while it goes on. `detail` may be NULL. Any thread. */
enum end session_ended(int *detail);

/** The end was acted upon: nobody runs the machine any more, and nobody interrupts it. */
void session_acknowledge(void);

/**
 * Interrupts the guest again if the run has ended and nobody has acted on it: the first interrupt
 * may have come before the guest ran. Returns how long that has been so, in nanoseconds.
 */
uint64_t session_repeat_interrupt(void);

/** Tells who waits for input that `bytes` more have come; and that there will be no more, if
 * `last`. */
void session_note_input(size_t bytes, bool last);

/** A point in the stream of input. */
struct session_mark {
    uint64_t bytes;
    bool last;
};
struct session_mark session_mark(void);

/**
 * Waits until there is more input than at `mark`, or its end has come since, and returns true.
 * False: there never will be any, or the run ended.
 */
bool session_wait_input(struct session_mark mark);

/** Waits until all input has been read, and returns true; false: the run ended. */
bool session_wait_last(void);

/** Nanoseconds of the host's monotonic clock. */
uint64_t session_now(void);

/** Starts a thread that takes no signals but those of its own faults. 0 or a negative errno. */
int session_start_thread(pthread_t *thread, void *(*entry)(void *));

/* ---- terminal.c: the terminal's modes ---- */

/** From now on a crash puts the terminal back. To be called before the machine is opened: the
 * library puts its own handlers before these, for the faults of the guest and its programs. */
void terminal_watch_crashes(void);

/**
 * Puts the terminal `fd` into raw mode: every key goes to the guest. From here on every way out of
 * the program puts the old mode back: a return from main, a crash, a sanitizer's death.
 */
bool terminal_raw(int fd);
bool terminal_size(unsigned *columns, unsigned *rows); /**< in characters; false: unknown */

/** Puts the terminal's mode back, if it was changed. Any thread; also from a signal handler. */
void terminal_restore(void);

/** Puts the terminal back and stops the program, as SIGTSTP asks for. */
void terminal_suspend(void);
/** Makes the terminal raw again: the program was continued after a stop of whatever kind. */
void terminal_resume(void);

/** Prints one line "tayberry: ..." on standard error, with the terminal in its own mode or not. */
void terminal_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- input.c: the pump thread ---- */

struct input_config {
    struct tb_machine
        *machine;            /**< where keys go; NULL: gather them all until the end of the input */
    bool stdin_open;         /**< false: there is no standard input */
    bool stream;             /**< it is not for the serial line, but for the program of --exec */
    uint64_t timeout;        /**< ns from the start; 0: none */
    const sigset_t *signals; /**< blocked everywhere; the pump takes them */
    int stuck_status;        /**< the exit status should the guest hold on for ever after the end */
};

/** Starts the pump. 0 or a negative errno. */
int input_start(const struct input_config *config);

/** After session_wait_last, with machine == NULL: what was gathered. */
const void *input_gathered(size_t *bytes);

/** Stops the pump. */
void input_stop(void);

/* ---- output.c: the writer thread ---- */

struct output_config {
    bool to_stdout;
    const char *log_path; /**< or NULL */
    const char *expect_text;
    const char *fail_text;
};

/** Opens the log and starts the writer. 0 or a negative errno, after a message. */
int output_start(const struct output_config *config);

/** The library's sink: takes what the guest printed; waits only while 1 MiB is unwritten. */
void output_put(void *context, const uint8_t *bytes, size_t n);

/** What became of the output. */
struct output_result {
    int stdout_error; /**< 0, or the errno that standard output failed with */
    bool log_lost;    /**< the log is not complete; a message said so */
};

/** Writes out what is left and stops the writer. */
struct output_result output_finish(void);

/* ---- window.c: the module with the window ---- */

/** Loads the module. NULL, or a sentence that says why there is none. */
const char *window_load(void);

/** Checks the diagram; NULL when good, otherwise a sentence. Valid until the next call. */
const char *window_check_diagram(const char *path);

/**
 * Opens the window and returns when it was closed or the run is over. True: there was a window, and
 * the run has ended for a reason of its own (session_end). False: none could be opened, a message
 * has said why, and the machine goes on.
 */
bool window_run(struct tb_machine *machine, const struct options *options);

/** Draws the board as it is now into the PNG file of --screenshot. NULL, or what went wrong. */
const char *window_screenshot(struct tb_machine *machine, const struct options *options);
