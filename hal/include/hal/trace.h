/* SPDX-License-Identifier: MIT */
/*
 * trace.h: what the kernel tells of its scheduling while it happens.
 *
 * Each event is complete in itself: it names the thread that the CPU was running, and the one that
 * it is about, as they were at that moment. So whoever listens needs no table of threads, and can
 * begin at any time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HAL_TRACE_NAME 16 /* bytes of a name with its NUL; longer ones are cut */

enum hal_trace_kind {
    HAL_TRACE_NONE,
    HAL_TRACE_SWITCH,    /**< a: number of the thread that left (self), b: of who came (other) */
    HAL_TRACE_INTERRUPT, /**< begins. a: line */
    HAL_TRACE_WAKE,      /**< other is woken. a: its number, b: why (0 or a negative errno) */
    HAL_TRACE_FAULT,     /**< a: kind, b: address */
    HAL_TRACE_CREATE,    /**< other is new. a: its number */
    HAL_TRACE_EXIT,      /**< self ends. a: its number */
    HAL_TRACE_MOVE,    /**< other changes its CPU. a: its number, b: the CPU it goes to, c: from */
    HAL_TRACE_END,     /**< of an interrupt. a: line */
    HAL_TRACE_READY,   /**< other may run. a: its number, b: the CPU that it is queued on, c: 1 if
                          it is new */
    HAL_TRACE_WAIT,    /**< self waits for a lock. a: class, b: enum hal_trace_wait; other.name */
    HAL_TRACE_GOT,     /**< self waits no longer. As before */
    HAL_TRACE_REQUEST, /**< for the card. a: sector, b: sectors, c: enum hal_block_op */
    HAL_TRACE_DONE,    /**< that request. As before; other.number: 0, or its positive errno */
    HAL_TRACE_PANIC,   /**< the kernel cannot go on */
    HAL_TRACE_KINDS
};

/** What a thread waits for. */
enum hal_trace_wait {
    HAL_TRACE_WAIT_MUTEX,
    HAL_TRACE_WAIT_READ,
    HAL_TRACE_WAIT_WRITE,
    HAL_TRACE_WAIT_THREAD /**< the end of one */
};

struct hal_trace_thread {
    uint32_t number;
    uint8_t priority; /**< 0: the highest */
    int8_t nice;
    bool idle; /**< runs when no other can */
    char name[HAL_TRACE_NAME];
};

struct hal_trace_event {
    uint64_t time; /**< ns since power-on */
    uint64_t a, b;
    uint32_t c;
    uint8_t kind;  /**< enum hal_trace_kind */
    uint8_t cpu;   /**< where it happened */
    uint8_t depth; /**< of interrupts that this CPU is in */
    char state;    /**< SWITCH: what self does from now on: R ready (r: it has been preempted),
                      S sleeps, D sleeps and cannot be cancelled, Z has ended */
    struct hal_trace_thread self, other;
};

/**
 * Tells whoever listens outside. Where nobody does it costs next to nothing.
 *
 * Any context, masked. It is no interrupt point, takes no time of the machine's, and changes
 * nothing that the kernel can see. The events of a CPU come in the order of the calls.
 */
void hal_trace(const struct hal_trace_event *event);

/**
 * Gives `n` bytes of text, what programs ask of the kernel (the boot word strace=host), to whoever
 * listens outside; where nobody can, to nobody. Thread context. As above: it changes nothing.
 */
void hal_trace_text(const char *text, size_t n);
