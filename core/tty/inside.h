/* SPDX-License-Identifier: MIT */
/*
 * inside.h: the state of the terminal, for tty.c and the files of terminal/.
 */
#pragma once

#include "deferred/ktimer.h"
#include "ipc/poll.h"
#include "proc/session/session.h"
#include "sync/mutex.h"
#include "sync/wait.h"
#include "tty/discipline/discipline.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TTY_OUTPUT_BYTES 8192u
#define TTY_EARLY_BYTES 16384u
#define TTY_WRITE_MAX 4096u /**< of the output, for those who write; the rest is for echo */
#define TTY_SIGNALS 4u      /**< that come from here */

/** Bytes on their way. */
struct tty_ring {
    uint8_t *bytes;
    uint32_t size;
    uint32_t head;  /**< index of the oldest */
    uint32_t count; /**< of bytes */
};

/** Linux's struct winsize. */
struct tty_window {
    uint16_t rows, columns, width, height;
};

struct tty_state {
    struct spinlock lock; /**< guards all but what is said to be otherwise */
    struct discipline discipline;
    struct tty_ring out;
    struct tty_ring early;     /**< has arrived, and found no room in the discipline */
    struct wait_queue readers; /**< of who waits for input */
    struct wait_queue writers; /**< of who waits for room, and for an empty ring */
    struct poll_source source; /**< of who polls; it has a lock of its own */
    uint32_t watched;          /**< the thread that Ctrl-C cancels, or 0 */
    uint8_t last;              /**< the byte that was read last */
    bool full;                 /**< there was no room for all input: see tty.c */
    bool room_asked;           /**< hal_uart_notify_room is on */
    bool throttled;            /**< the other end was told to stop sending (IXOFF) */
    uint8_t urgent;            /**< a byte to be sent before all others; 0: none */
    uint32_t queued;           /**< bytes put into `out` since power-on, modulo 2^32 */
    uint32_t hang_ups;         /**< how often the terminal was hung up */
    struct tty_window window;
    uint16_t columns, rows; /**< as the device said them last */

    uint32_t groups[TTY_SIGNALS]; /**< that are to get SIGNAL_INT, QUIT, TSTP, WINCH; 0: none */
    struct ktimer signals;        /**< its function sends them; it has a lock of its own */

    struct terminal terminal; /**< guarded by process_lock */
    struct mutex writing;     /**< held for one tty_write */

    uint8_t output_bytes[TTY_OUTPUT_BYTES], early_bytes[TTY_EARLY_BYTES];
};

extern struct tty_state tty;

#define TTY_NEVER_HUNG UINT32_MAX

/** How a read waits. */
struct tty_reading {
    uint64_t deadline; /**< of the first byte */
    uint64_t between;  /**< then each further one may take that many ns; 0: any time */
    size_t least;      /**< bytes, if not by lines */
    bool nonblock;     /**< -EAGAIN instead of waiting */
    bool immediate;    /**< 0 instead of waiting */
    uint32_t hang_ups; /**< those that the reader knows of, or TTY_NEVER_HUNG */
};

/** Reads: as tty_read. -EAGAIN. */
HAL_MUST_CHECK int64_t tty_take(const struct tty_reading *reading, uint8_t *data, size_t n);

/** Waits as tty_drain does. -EINTR. May sleep. */
HAL_MUST_CHECK int tty_await_output(void);

/* ---- with the lock held ---- */

/** Sends what is queued, as far as the device takes it; has it tell when there is room. */
void tty_send_queued(void);

/** Room has been made for input: takes what waited for that. The thread that is to be cancelled
 * after releasing the lock, or 0. */
HAL_MUST_CHECK uint32_t tty_resume(void);

/** True if there is room for one more byte of output, whatever it becomes. */
bool tty_has_room(void);

/** There may be input: wakes those who wait for some. */
void tty_tell_readers(void);

/** Forgets the output that is not sent yet. */
void tty_drop_output(void);

/** tty_resume's answer, when the lock has been released. */
void tty_cancel(uint32_t thread);
