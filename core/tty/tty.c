/* SPDX-License-Identifier: MIT */
/*
 * tty.c: the terminal, between the UART and the threads.
 *
 *     threads --tty_write--> [ output ring ] ---------------interrupt--> device
 *                                  ^ echo
 *     threads <--tty_read--- [ discipline ] <--[ early ] <--interrupt-- device
 *
 * One spinlock guards all of this. A mutex on top keeps one tty_write of the kernel whole. Signals
 * are sent by the thread of the timers: they need the mutex of all processes.
 *
 * Invariants: while output is queued that may be sent, the device has been asked to tell about
 * room. What is `early` is older than what is still in the device, and younger than what the
 * discipline has; while there is any, the discipline has no room. While `full` is set, the device
 * may hold input of which no interrupt will tell; who makes room takes it.
 */
#include "tty/tty.h"

#include "fs/vnode.h"
#include "lib/format.h"
#include "proc/process.h"
#include "thread/thread.h"
#include "tty/inside.h"

#include <hal/console.h>
#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>
#include <hal/time.h>
#include <hal/uart.h>

#define CTRL_C 3
#define PRINT_PART 128
#define LITTLE_ROOM 128u /* bytes: below it, the other end is told to stop (IXOFF) */
#define SERIAL_DEVICE ((uint64_t)204 << 32 | 64) /* ttyAMA0 */

KSTATE struct tty_state tty;

/* ---- rings ---- */

static void ring_put(struct tty_ring *ring, uint8_t byte)
{
    ring->bytes[(ring->head + ring->count) % ring->size] = byte;
    ring->count++;
}

static void ring_drop(struct tty_ring *ring, uint32_t n)
{
    ring->head = (ring->head + n) % ring->size;
    ring->count -= n;
}

static uint8_t ring_take(struct tty_ring *ring)
{
    uint8_t byte = ring->bytes[ring->head];

    ring_drop(ring, 1);
    return byte;
}

static void ring_put_back(struct tty_ring *ring, uint8_t byte)
{
    ring->head = (ring->head + ring->size - 1) % ring->size;
    ring->bytes[ring->head] = byte;
    ring->count++;
}

/* The oldest bytes that lie in one piece. */
static uint32_t ring_piece(const struct tty_ring *ring)
{
    uint32_t to_end = ring->size - ring->head;

    return ring->count < to_end ? ring->count : to_end;
}

/* ---- output to the device; all with the lock held ---- */

static void tell_writers(void)
{
    wait_wake_all(&tty.writers);
    poll_notify_of(&tty.source, VNODE_CAN_WRITE);
}

void tty_tell_readers(void)
{
    if (!discipline_has(&tty.discipline))
        return;
    wait_wake_all(&tty.readers);
    poll_notify_of(&tty.source, VNODE_CAN_READ);
}

static bool is_held(void)
{
    return tty.discipline.stopped || tty.discipline.held;
}

void tty_send_queued(void)
{
    uint32_t n = is_held() ? 0 : ring_piece(&tty.out);
    bool wants_room;

    if (tty.urgent && hal_uart_write(&tty.urgent, 1) == 1)
        tty.urgent = 0;
    while (n > 0) {
        size_t sent = hal_uart_write(tty.out.bytes + tty.out.head, n);

        ring_drop(&tty.out, (uint32_t)sent);
        n = sent > 0 ? ring_piece(&tty.out) : 0;
    }
    wants_room = tty.urgent || (tty.out.count > 0 && !is_held());
    if (tty.room_asked != wants_room) {
        tty.room_asked = wants_room;
        hal_uart_notify_room(wants_room);
    }
    if (tty.out.count <= TTY_WRITE_MAX / 2)
        tell_writers();
}

bool tty_has_room(void)
{
    return tty.out.count + DISCIPLINE_OUTPUT_MAX <= TTY_WRITE_MAX;
}

void tty_drop_output(void)
{
    ring_drop(&tty.out, tty.out.count);
    tell_writers();
}

/* ---- what the discipline wants done; with the lock held ---- */

/* Echo that finds no room is lost, as on Linux. */
static void discipline_put(void *context, uint8_t byte)
{
    (void)context;
    if (tty.out.count == tty.out.size)
        return;
    ring_put(&tty.out, byte);
    tty.queued++;
}

/* That `groups` are for. */
static const uint8_t numbers[TTY_SIGNALS] = {SIGNAL_INT, SIGNAL_QUIT, SIGNAL_TSTP, SIGNAL_WINCH};

static unsigned index_of(unsigned signal)
{
    for (unsigned i = 0; i < TTY_SIGNALS; i++) {
        if (numbers[i] == signal)
            return i;
    }
    return 0;
}

/* The group in the foreground will get it. */
static void send_soon(unsigned signal)
{
    uint32_t group = __atomic_load_n(&tty.terminal.foreground, __ATOMIC_ACQUIRE);

    if (group == 0)
        return;
    tty.groups[index_of(signal)] = group;
    ktimer_arm(&tty.signals, hal_time_now());
}

static void discipline_signal(void *context, unsigned signal, bool flush)
{
    (void)context;
    if (flush) {
        tty_drop_output();
        ring_drop(&tty.early, tty.early.count);
    }
    send_soon(signal);
}

/* Whoever has changed it sends what is queued. */
static void discipline_flow(void *context)
{
    (void)context;
}

/* In the thread of the timers. */
static void send_signals(struct ktimer *timer)
{
    uint32_t groups[TTY_SIGNALS];
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);

    (void)timer;
    memcpy(groups, tty.groups, sizeof(groups));
    memset(tty.groups, 0, sizeof(tty.groups));
    spinlock_release(&tty.lock, irq);
    process_lock();
    for (unsigned i = 0; i < TTY_SIGNALS; i++) {
        if (groups[i] != 0)
            (void)signal_send_group(groups[i], numbers[i], NULL);
    }
    process_unlock();
}

/* ---- input; with the lock held ---- */

/* A byte that is one of Ctrl-V, for the byte behind it. */
static bool makes_literal(uint8_t byte)
{
    const struct tty_settings *settings = &tty.discipline.settings;

    return byte == settings->keys[TTY_VLNEXT] && byte != 0 && (settings->local & TTY_ICANON) &&
           (settings->local & TTY_IEXTEN);
}

/* True if Ctrl-C is a request to the kernel. */
static bool is_watched(void)
{
    return tty.watched != 0 && __atomic_load_n(&tty.terminal.session, __ATOMIC_ACQUIRE) == 0;
}

static bool early_is_literal(void)
{
    uint32_t last = (tty.early.head + tty.early.count - 1) % tty.early.size;

    return tty.early.count > 0 ? makes_literal(tty.early.bytes[last]) : tty.discipline.literal;
}

static void receive(uint8_t byte)
{
    if (tty.early.count == 0 && discipline_input(&tty.discipline, &byte, 1) == 1)
        return;
    if (early_is_literal() || !discipline_input_urgent(&tty.discipline, byte))
        ring_put(&tty.early, byte);
}

/* What came early goes on, as far as there is room. */
static void feed_early(void)
{
    while (tty.early.count > 0) {
        uint8_t byte = ring_take(&tty.early);

        if (discipline_input(&tty.discipline, &byte, 1) == 0) {
            ring_put_back(&tty.early, byte);
            break;
        }
    }
}

/* Tells the other end to stop, or to go on, if that is wanted. */
static void throttle(void)
{
    const struct discipline *d = &tty.discipline;
    uint32_t kept = discipline_kept(d);
    bool wants = d->settings.input & TTY_IXOFF;

    if (wants && !tty.throttled && kept > DISCIPLINE_BYTES - LITTLE_ROOM && discipline_has(d)) {
        tty.throttled = true;
        tty.urgent = d->settings.keys[TTY_VSTOP];
    } else if (tty.throttled && (!wants || (kept <= LITTLE_ROOM && tty.early.count == 0))) {
        tty.throttled = false;
        tty.urgent = d->settings.keys[TTY_VSTART];
    }
}

/* Takes what the device has. The thread that was asked to stop by that, or 0. */
static uint32_t receive_all(void)
{
    uint8_t bytes[64];
    uint32_t stop = 0;
    size_t n;

    do {
        size_t room = tty.early.size - tty.early.count;

        n = room == 0 ? 0 : hal_uart_read(bytes, room < sizeof(bytes) ? room : sizeof(bytes));
        for (size_t i = 0; i < n; i++) {
            if (bytes[i] == CTRL_C && is_watched()) {
                stop = tty.watched;
                discipline_flush(&tty.discipline);
                ring_drop(&tty.early, tty.early.count);
            } else {
                receive(bytes[i]);
            }
        }
    } while (n > 0);
    tty.full = tty.early.count == tty.early.size;
    throttle();
    tty_tell_readers();
    return stop;
}

/*
 * Takes from the device again once there is room. We stopped before hal_uart_read gave 0, and what
 * was there then does not interrupt.
 */
uint32_t tty_resume(void)
{
    uint32_t stop = 0;

    feed_early();
    if (tty.full && tty.early.count <= tty.early.size / 2)
        stop = receive_all();
    throttle();
    tty_send_queued();
    return stop;
}

void tty_cancel(uint32_t id)
{
    /* -ENOENT: it has ended by itself meanwhile, and there is nothing to stop. */
    if (id != 0)
        (void)!thread_cancel(id);
}

/* The screen at the other end has another size by now, or says it for the first time. */
static void look_at_window(void)
{
    uint16_t columns, rows;

    if (!hal_uart_window(&columns, &rows) || (columns == tty.columns && rows == tty.rows))
        return;
    tty.columns = columns;
    tty.rows = rows;
    tty.window = (struct tty_window){.rows = rows, .columns = columns};
    send_soon(SIGNAL_WINCH);
}

void tty_interrupt(void)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);
    uint32_t stop = receive_all();

    look_at_window();
    tty_send_queued();
    spinlock_release(&tty.lock, irq);
    tty_cancel(stop);
}

/* ---- output ---- */

/* Waits for output to move. False if the thread is to stop waiting. Caller holds the lock. */
static bool wait_output(void)
{
    return wait_sleep(&tty.writers, &tty.lock, HAL_TIME_NEVER) != -EINTR;
}

/* Caller holds the mutex `writing`. */
static void queue(const char *data, size_t n)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);
    bool wait = true;

    while (n > 0 && wait) {
        if (tty_has_room()) {
            discipline_output_plain(&tty.discipline, (uint8_t)*data++);
            n--;
            continue;
        }
        tty_send_queued();
        if (!tty_has_room())
            wait = wait_output();
    }
    tty_send_queued();
    spinlock_release(&tty.lock, irq);
}

void tty_write(const void *data, size_t n)
{
    mutex_lock(&tty.writing);
    queue(data, n);
    mutex_unlock(&tty.writing);
}

/* Formatted text on its way, in parts. */
struct tty_part {
    size_t n;
    char text[PRINT_PART];
};

static void put_part(void *context, char byte)
{
    struct tty_part *part = context;

    part->text[part->n++] = byte;
    if (part->n == sizeof(part->text)) {
        queue(part->text, part->n);
        part->n = 0;
    }
}

void tty_print_va(const char *format, va_list args)
{
    struct tty_part part = {.n = 0};

    mutex_lock(&tty.writing);
    format_each(put_part, &part, format, args);
    queue(part.text, part.n);
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
static bool is_sent(uint32_t until)
{
    return (int32_t)(tty.queued - tty.out.count - until) >= 0;
}

int tty_await_output(void)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);
    uint32_t until = tty.queued;
    bool wait = true;

    while (!is_sent(until) && wait) {
        tty_send_queued();
        if (!is_sent(until))
            wait = wait_output();
    }
    spinlock_release(&tty.lock, irq);
    return wait ? 0 : -EINTR;
}

void tty_drain(void)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);

    discipline_start(&tty.discipline);
    spinlock_release(&tty.lock, irq);
    (void)!tty_await_output();
}

void tty_flush_polled(void)
{
    while (tty.out.count > 0)
        hal_console_putc(ring_take(&tty.out));
}

/* ---- input ---- */

bool tty_read_polled(uint8_t *byte)
{
    if (discipline_peek(&tty.discipline, byte)) {
        discipline_drop(&tty.discipline);
        return true;
    }
    if (tty.early.count == 0)
        return hal_uart_read(byte, 1) == 1;
    *byte = ring_take(&tty.early);
    return true;
}

/* Sleeps until there is input. An error, or 1: the read is over. Caller holds the lock. */
static int await_input(const struct tty_reading *reading, uint64_t deadline)
{
    if (reading->immediate)
        return 1;
    if (reading->hang_ups != TTY_NEVER_HUNG && reading->hang_ups != tty.hang_ups)
        return 1;
    if (reading->nonblock)
        return -EAGAIN;
    return wait_sleep(&tty.readers, &tty.lock, deadline);
}

/* Caller holds the lock. */
static int64_t take_input(const struct tty_reading *reading, uint8_t *data, size_t n)
{
    struct discipline *d = &tty.discipline;
    uint64_t deadline = reading->deadline;
    size_t done = 0;
    int error = 0;

    while (done < n && !error) {
        if (!discipline_has(d)) {
            error = await_input(reading, deadline);
            continue;
        }
        done += discipline_take(d, data + done, n - done);
        if ((d->settings.local & TTY_ICANON) || done >= reading->least)
            break;
        if (reading->between > 0)
            deadline = hal_time_now() + reading->between;
    }
    if (done > 0)
        tty.last = data[done - 1];
    return done > 0 || error > 0 ? (int64_t)done : error;
}

int64_t tty_take(const struct tty_reading *reading, uint8_t *data, size_t n)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);
    int64_t result = take_input(reading, data, n);
    uint32_t stop = tty_resume();

    spinlock_release(&tty.lock, irq);
    tty_cancel(stop);
    return result;
}

int64_t tty_read(void *data, size_t n, uint64_t deadline)
{
    const struct tty_reading reading = {
        .deadline = deadline, .least = 1, .hang_ups = TTY_NEVER_HUNG};

    return n == 0 ? 0 : tty_take(&reading, data, n);
}

/* ---- the kernel's shell ---- */

static void settings_of(enum tty_mode mode, struct tty_settings *settings)
{
    *settings = tty_usual_settings;
    if (mode == TTY_PROGRAMS)
        return;
    settings->input &= ~(uint32_t)TTY_IXON;
    settings->local &= ~(uint32_t)TTY_ISIG;
    if (mode == TTY_CANONICAL)
        return;
    settings->input &= ~(uint32_t)TTY_ICRNL;
    settings->local = 0;
}

/* A "\r\n" of which the shell has read half is not to begin with an empty line. */
static void skip_newline(void)
{
    uint8_t byte;

    if (tty.last == '\r' && discipline_peek(&tty.discipline, &byte) && byte == '\n')
        discipline_drop(&tty.discipline);
}

void tty_set_mode(enum tty_mode mode)
{
    struct tty_settings settings;
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);
    bool raw = !(tty.discipline.settings.local & TTY_ICANON);
    uint32_t stop;

    settings_of(mode, &settings);
    if (raw && mode != TTY_RAW)
        skip_newline();
    discipline_start(&tty.discipline);
    discipline_set(&tty.discipline, &settings);
    if (raw && mode != TTY_RAW)
        discipline_input_again(&tty.discipline);
    stop = tty_resume();
    tty_tell_readers();
    spinlock_release(&tty.lock, irq);
    tty_cancel(stop);
}

void tty_watch_interrupt(uint32_t id)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);
    uint8_t byte;
    bool stop = id != 0 && discipline_peek(&tty.discipline, &byte) && byte == CTRL_C;

    tty.watched = id;
    if (stop)
        discipline_drop(&tty.discipline);
    spinlock_release(&tty.lock, irq);
    if (stop)
        tty_cancel(id);
}

/* ---- start ---- */

struct terminal *tty_terminal(void)
{
    return &tty.terminal;
}

/* What was typed ahead is for who has the terminal next. */
static void hang_up(struct terminal *terminal)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);

    (void)terminal;
    tty.hang_ups++;
    discipline_start(&tty.discipline);
    wait_wake_all(&tty.readers);
    wait_wake_all(&tty.writers);
    poll_notify(&tty.source);
    tty_send_queued();
    spinlock_release(&tty.lock, irq);
}

int tty_start(void)
{
    static const struct discipline_ops ops = {
        .put = discipline_put, .signal = discipline_signal, .flow = discipline_flow};
    struct tty_settings settings;

    spinlock_init(&tty.lock, LOCK_RANK_DEVICE);
    wait_init(&tty.readers);
    wait_init(&tty.writers);
    poll_source_init(&tty.source);
    mutex_init(&tty.writing);
    ktimer_init(&tty.signals, send_signals);
    tty.out = (struct tty_ring){.bytes = tty.output_bytes, .size = TTY_OUTPUT_BYTES};
    tty.early = (struct tty_ring){.bytes = tty.early_bytes, .size = TTY_EARLY_BYTES};
    tty.window = (struct tty_window){.rows = 24, .columns = 80};
    tty.terminal = (struct terminal){.device = SERIAL_DEVICE, .hang_up = hang_up};
    discipline_init(&tty.discipline, &ops, NULL);
    look_at_window();
    settings_of(TTY_RAW, &settings); /* who reads first says how what is typed until then counts */
    discipline_set(&tty.discipline, &settings);
    return 0;
}
