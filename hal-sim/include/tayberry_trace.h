/* SPDX-License-Identifier: MIT */
/*
 * tayberry_trace.h: what the guest's scheduler does, as it happens.
 *
 * A part of tayberry.h, which includes it. Listening changes nothing in the guest: with the virtual
 * clock the same seed gives the same events whether anybody listens or not.
 */
#pragma once

#include "tayberry_memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tb_machine;

enum tb_sched_kind {
    TB_SCHED_NONE,
    TB_SCHED_SWITCH,    /**< a: number of the thread that left (self), b: of who came (other) */
    TB_SCHED_INTERRUPT, /**< begins. a: line: timer, UART, card, pins, display, other CPUs */
    TB_SCHED_WAKE,    /**< other is woken by self. a: its number, b: why (0 or a negative errno) */
    TB_SCHED_FAULT,   /**< a: kind, b: address */
    TB_SCHED_CREATE,  /**< other is new. a: its number */
    TB_SCHED_EXIT,    /**< self ends. a: its number */
    TB_SCHED_MOVE,    /**< other changes its CPU. a: its number, b: the CPU it goes to, c: from */
    TB_SCHED_END,     /**< of an interrupt. a: line */
    TB_SCHED_READY,   /**< other may run. a: its number, b: on which CPU, c: 1 if it is new */
    TB_SCHED_WAIT,    /**< self waits for a lock called other.name. a: class of locks,
                         b: 0 mutex, 1 to read, 2 to write, 3 for the end of a thread */
    TB_SCHED_GOT,     /**< self waits no longer. As before */
    TB_SCHED_REQUEST, /**< for the card. a: sector, b: sectors, c: 0 read, 1 write, 2 flush */
    TB_SCHED_DONE,    /**< that request. As before; other.number: 0, or its errno */
    TB_SCHED_PANIC,   /**< the guest cannot go on */
    TB_SCHED_POWER    /**< the machine begins again: a: 0 power-on or reboot, 1 tb_restore.
                         The library's own event: cpu, self and other say nothing */
};

struct tb_sched_thread {
    uint32_t number;  /**< 0: not known */
    uint8_t priority; /**< 0: the highest */
    int8_t nice;
    bool idle; /**< runs when no other can */
    char name[16];
};

struct tb_sched_event {
    uint64_t time; /**< ns since power-on */
    uint64_t a, b;
    uint32_t c;
    uint8_t kind;  /**< enum tb_sched_kind */
    uint8_t cpu;   /**< where it happened */
    uint8_t depth; /**< of interrupts that this CPU is in */
    char state;    /**< SWITCH: what self does from now on: R ready (r: it was preempted), S sleeps,
                      D sleeps and cannot be cancelled, Z has ended */
    struct tb_sched_thread self, other; /**< who ran there, and whom it is about */
};

/**
 * Called with every event, under a lock: while it lasts no CPU goes on far. It must not call the
 * library. On one CPU events come in the order in which they happened; with the real clock those of
 * two CPUs may come in another order than that of their times.
 */
typedef void tb_sched_sink(void *context, const struct tb_sched_event *event);

/** Has sink(context, event) called from now on. -ENOSPC: four listen already. Any thread. */
TB_API int tb_sched_listen(struct tb_machine *machine, tb_sched_sink *sink, void *context);

/** Ends that; when it returns, the sink is not being called. Unknown ones are ignored. Any thread.
 */
TB_API void tb_sched_ignore(struct tb_machine *machine, tb_sched_sink *sink, void *context);

/** Keeps the last 65,536 events from now on, for tb_sched_read; or forgets them. -ENOMEM. Any
 * thread. */
TB_API int tb_sched_keep(struct tb_machine *machine, bool keep);

/**
 * Copies kept events, the first of them number *position (0: the first that was kept), and sets it
 * to the number of the one to read next. Numbers of events that are no longer kept are skipped.
 * Returns how many were copied: at most `n`, fewer when there are no more yet. Any thread.
 */
TB_API size_t tb_sched_read(const struct tb_machine *machine, uint64_t *position,
                            struct tb_sched_event *events, size_t n);

/**
 * Writes `event` as a line of Linux's ftrace, without a newline and NUL-terminated, and returns its
 * length without the NUL, which may be more than fits. Any thread.
 */
TB_API size_t tb_sched_text(const struct tb_sched_event *event, char *text, size_t bytes);

/**
 * Writes everything from now on to a file: Chrome's trace events (JSON) if `path` ends in ".json",
 * else ftrace text. NULL ends it and completes the file. Times go on over a power cycle. Negative:
 * the file cannot be made, or (of the one that ends) is not complete.
 */
TB_API int tb_sched_file(struct tb_machine *machine, const char *path);

/**
 * Writes the system calls of the guest's programs from now on to a file ("-": standard error), in
 * the format of strace, if the machine is booted with the word `strace=host`. NULL ends it.
 * Negative: the file cannot be made, or (of the one that ends) is not complete.
 */
TB_API int tb_syscall_file(struct tb_machine *machine, const char *path);

#ifdef __cplusplus
}
#endif
