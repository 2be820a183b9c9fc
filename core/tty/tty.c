/* SPDX-License-Identifier: MIT */
/*
 * tty.c: two rings between the UART and the threads.
 *
 *     threads --tty_write--> [ output ring ] --interrupt--> device
 *     threads <--tty_read--- [ input ring  ] <--interrupt-- device
 *
 * One spinlock guards both rings. A mutex on top keeps one tty_write whole. The interrupt only
 * moves bytes: erasing and echo happen in the thread that reads, so that a slow line never makes an
 * interrupt long.
 *
 * Invariants: while output is queued, the device has been asked to tell about room. While `full`
 * is set, the device may hold input of which no interrupt will tell; who makes room takes it.
 */
#include "tty/tty.h"

#include "ipc/poll.h"
#include "lib/format.h"
#include "sync/mutex.h"
#include "sync/wait.h"
#include "thread/thread.h"
#include "tty/line.h"

#include <hal/console.h>
#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>
#include <hal/time.h>
#include <hal/uart.h>

#define RING_SIZE 4096u /* a power of two: positions wrap by masking */
#define CTRL_C 3
#define CTRL_D 4
#define PRINT_PART 128

struct tty_ring {
    uint32_t head;  /* position of the oldest byte */
    uint32_t count; /* bytes */
    uint8_t bytes[RING_SIZE];
};

static KSTATE struct tty_state {
    struct spinlock lock; /* guards the members of this group */
    struct tty_ring in, out;
    struct wait_queue readers;
    struct poll_source source;
    struct wait_queue writers; /* of those who wait for room, and for an empty ring */
    uint32_t watched;          /* the thread that Ctrl-C cancels, or 0 */
    bool full;                 /* there was no room for all input: see above */
    bool room_asked;           /* hal_uart_notify_room is on */
    uint32_t queued;           /* bytes put into `out` since power-on, modulo 2^32 */

    struct mutex writing; /* held for one tty_write */

    /* Of the one thread that reads. */
    enum tty_mode mode;
    struct tty_line line;
    uint8_t last;      /* the byte that was read last: a '\r' may still get its '\n' */
    size_t line_given; /* bytes of line.text that tty_read has returned */
    bool line_done;    /* line.text is a line that is being returned */
} tty;

/* ---- rings ---- */

static void ring_put(struct tty_ring *ring, uint8_t byte)
{
    ring->bytes[(ring->head + ring->count) % RING_SIZE] = byte;
    ring->count++;
}

static void ring_drop(struct tty_ring *ring, uint32_t n)
{
    ring->head = (ring->head + n) % RING_SIZE;
    ring->count -= n;
}

/* The oldest bytes that lie in one piece. */
static uint32_t ring_piece(const struct tty_ring *ring)
{
    uint32_t to_end = RING_SIZE - ring->head;

    return ring->count < to_end ? ring->count : to_end;
}

/* ---- device; all with the lock held ---- */

static void tty_send_queued(void)
{
    uint32_t n = ring_piece(&tty.out);

    while (n > 0) {
        size_t sent = hal_uart_write(tty.out.bytes + tty.out.head, n);

        ring_drop(&tty.out, (uint32_t)sent);
        n = sent > 0 ? ring_piece(&tty.out) : 0;
    }
    if (tty.room_asked != (tty.out.count > 0)) {
        tty.room_asked = tty.out.count > 0;
        hal_uart_notify_room(tty.room_asked);
    }
    if (tty.out.count <= RING_SIZE / 2)
        wait_wake_all(&tty.writers);
}

/* True if Ctrl-C was typed and somebody watches for it. */
static bool tty_receive(void)
{
    uint8_t bytes[64];
    bool stop = false;
    size_t n;

    do {
        size_t room = RING_SIZE - tty.in.count;

        n = room == 0 ? 0 : hal_uart_read(bytes, room < sizeof(bytes) ? room : sizeof(bytes));
        for (size_t i = 0; i < n; i++) {
            if (bytes[i] == CTRL_C && tty.watched != 0) {
                stop = true;
                tty.in.count = 0;
            } else {
                ring_put(&tty.in, bytes[i]);
            }
        }
    } while (n > 0);
    tty.full = tty.in.count == RING_SIZE;
    if (tty.in.count > 0) {
        wait_wake_all(&tty.readers);
        poll_notify(&tty.source);
    }
    return stop;
}

/*
 * Takes from the device again once there is room. We stopped before hal_uart_read gave 0, and what
 * was there then does not interrupt. As tty_receive.
 */
static bool tty_resume(void)
{
    return tty.full && tty.in.count <= RING_SIZE / 2 && tty_receive();
}

/* Waits for output to move. False if the thread is to stop waiting. */
static bool tty_wait_output(void)
{
    return wait_sleep(&tty.writers, &tty.lock, HAL_TIME_NEVER) != -EINTR;
}

static void tty_cancel(uint32_t id)
{
    /* -ENOENT: it has ended by itself meanwhile, and there is nothing to stop. */
    if (thread_cancel(id) == -ENOENT)
        return;
}

void tty_interrupt(void)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);
    bool stop = tty_receive();
    uint32_t watched = tty.watched;

    /* Also when the queue is empty: tty_flush_polled may have emptied it under those who wait. */
    if (tty.room_asked)
        tty_send_queued();
    spinlock_release(&tty.lock, irq);
    if (stop)
        tty_cancel(watched);
}

/* ---- output ---- */

static void tty_put_out(uint8_t byte)
{
    ring_put(&tty.out, byte);
    tty.queued++;
}

/* Caller holds the mutex `writing`. */
static void tty_queue(const char *data, size_t n)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);
    bool wait = true;

    while (n > 0 && wait) {
        if (RING_SIZE - tty.out.count >= 2) {
            if (*data == '\n')
                tty_put_out('\r');
            tty_put_out((uint8_t)*data++);
            n--;
            continue;
        }
        tty_send_queued();
        if (RING_SIZE - tty.out.count < 2)
            wait = tty_wait_output();
    }
    tty_send_queued();
    spinlock_release(&tty.lock, irq);
}

void tty_write(const void *data, size_t n)
{
    mutex_lock(&tty.writing);
    tty_queue(data, n);
    mutex_unlock(&tty.writing);
}

/* Formatted text on its way, in parts. */
struct tty_part {
    size_t n;
    char text[PRINT_PART];
};

static void tty_put_part(void *context, char byte)
{
    struct tty_part *part = context;

    part->text[part->n++] = byte;
    if (part->n == sizeof(part->text)) {
        tty_queue(part->text, part->n);
        part->n = 0;
    }
}

void tty_print_va(const char *format, va_list args)
{
    struct tty_part part = {.n = 0};

    mutex_lock(&tty.writing);
    format_each(tty_put_part, &part, format, args);
    tty_queue(part.text, part.n);
    mutex_unlock(&tty.writing);
}

void tty_print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tty_print_va(format, args);
    va_end(args);
}

/* True once the device has all that was queued when `queued` was `until`. Caller holds the lock. */
static bool tty_sent(uint32_t until)
{
    return (int32_t)(tty.queued - tty.out.count - until) >= 0;
}

void tty_drain(void)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);
    uint32_t until = tty.queued;
    bool wait = true;

    while (!tty_sent(until) && wait) {
        tty_send_queued();
        if (!tty_sent(until))
            wait = tty_wait_output();
    }
    spinlock_release(&tty.lock, irq);
}

void tty_flush_polled(void)
{
    while (tty.out.count > 0) {
        hal_console_putc(tty.out.bytes[tty.out.head]);
        ring_drop(&tty.out, 1);
    }
}

/* ---- input ---- */

bool tty_read_polled(uint8_t *byte)
{
    if (tty.in.count == 0)
        return hal_uart_read(byte, 1) == 1;
    *byte = tty.in.bytes[tty.in.head];
    ring_drop(&tty.in, 1);
    return true;
}

static int64_t tty_read_raw(uint8_t *data, size_t n, uint64_t deadline)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);
    size_t taken = 0;
    int error = 0;

    while (tty.in.count == 0 && error == 0)
        error = wait_sleep(&tty.readers, &tty.lock, deadline);
    for (; taken < n && tty.in.count > 0; taken++) {
        data[taken] = tty.in.bytes[tty.in.head];
        tty.last = data[taken];
        ring_drop(&tty.in, 1);
    }
    bool stop = tty_resume();
    uint32_t watched = tty.watched;

    spinlock_release(&tty.lock, irq);
    if (stop)
        tty_cancel(watched);
    return taken > 0 ? (int64_t)taken : error;
}

static void tty_echo(void *context, const char *bytes, size_t n)
{
    (void)context;
    tty_write(bytes, n);
}

/* Gives the next part of the line that is done. */
static int64_t tty_give_line(char *data, size_t n)
{
    size_t left = tty.line.length - tty.line_given;

    if (n > left)
        n = left;
    memcpy(data, tty.line.text + tty.line_given, n);
    tty.line_given += n;
    if (tty.line_given == tty.line.length) {
        tty.line_done = false;
        tty_line_begin(&tty.line);
    }
    return (int64_t)n;
}

static int64_t tty_read_canonical(char *data, size_t n, uint64_t deadline)
{
    enum tty_line_result result = TTY_LINE_MORE;

    if (tty.line_done)
        return tty_give_line(data, n);
    while (result == TTY_LINE_MORE) {
        uint8_t byte = 0;
        int64_t got = tty_read_raw(&byte, 1, deadline);

        if (got < 0)
            return got;
        result = tty_line_feed(&tty.line, byte);
    }
    if (result == TTY_LINE_DONE) {
        tty.line_done = true;
        tty.line_given = 0;
        return tty_give_line(data, n);
    }
    tty_line_begin(&tty.line);
    return result == TTY_LINE_END ? 0 : -EINTR;
}

int64_t tty_read(void *data, size_t n, uint64_t deadline)
{
    if (n == 0)
        return 0;
    if (tty.mode == TTY_RAW)
        return tty_read_raw(data, n, deadline);
    return tty_read_canonical(data, n, deadline);
}

void tty_set_mode(enum tty_mode mode)
{
    tty.mode = mode;
    tty.line_done = false;
    tty_line_begin(&tty.line);
    tty.line.after_return = tty.last == '\r';
}

/* Ends a line in canonical mode. */
static bool ends_line(uint8_t byte)
{
    return byte == '\r' || byte == '\n' || byte == CTRL_D || byte == CTRL_C;
}

bool tty_has_input(void)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);
    bool has = tty.line_done || (tty.mode == TTY_RAW && tty.in.count > 0);

    for (uint32_t i = 0; i < tty.in.count && !has; i++)
        has = ends_line(tty.in.bytes[(tty.in.head + i) % RING_SIZE]);
    spinlock_release(&tty.lock, irq);
    return has;
}

struct poll_source *tty_source(void)
{
    return &tty.source;
}

void tty_watch_interrupt(uint32_t id)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);
    bool stop = id != 0 && tty.in.count > 0 && tty.in.bytes[tty.in.head] == CTRL_C;

    tty.watched = id;
    if (stop)
        ring_drop(&tty.in, 1);
    spinlock_release(&tty.lock, irq);
    if (stop)
        tty_cancel(id);
}

int tty_start(void)
{
    spinlock_init(&tty.lock, LOCK_RANK_DEVICE);
    wait_init(&tty.readers);
    poll_source_init(&tty.source);
    wait_init(&tty.writers);
    mutex_init(&tty.writing);
    tty_line_init(&tty.line, tty_echo, NULL);
    tty.mode = TTY_CANONICAL;
    return 0;
}
