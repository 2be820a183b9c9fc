/* SPDX-License-Identifier: MIT */
/*
 * control.c: ioctl of the terminal: its settings, its size, whose it is, and what is on its way.
 *
 * What changes the terminal is for the foreground alone: from the background it sends SIGNAL_TTOU.
 *
 * Source: Linux's manual pages ioctl_tty(2) and termios(3), include/uapi/asm-generic/ioctls.h.
 */
#include "tty/terminal/terminal.h"

#include "proc/process.h"
#include "tty/inside.h"

#include <hal/errno.h>
#include <hal/runtime.h>

enum {
    GET_SETTINGS = 0x5401,
    SET_SETTINGS = 0x5402,
    SET_SETTINGS_DRAINED = 0x5403,
    SET_SETTINGS_FLUSHED = 0x5404,
    SEND_BREAK = 0x5409, /* with an argument other than 0: only wait until all is sent */
    CONTROL_FLOW = 0x540a,
    FLUSH = 0x540b,
    TAKE_TERMINAL = 0x540e,
    GET_FOREGROUND = 0x540f,
    SET_FOREGROUND = 0x5410,
    COUNT_OUTPUT = 0x5411,
    GET_WINDOW = 0x5413,
    SET_WINDOW = 0x5414,
    COUNT_INPUT = 0x541b,
    LEAVE_TERMINAL = 0x5422,
    GET_DISCIPLINE = 0x5424,
    SEND_BREAK_POSIX = 0x5425,
    GET_SESSION = 0x5429
};

#define GET_SETTINGS2 0x802c542au
#define SET_SETTINGS2 0x402c542bu
#define SET_SETTINGS2_DRAINED 0x402c542cu
#define SET_SETTINGS2_FLUSHED 0x402c542du

enum { FLOW_STOP, FLOW_START, FLOW_TELL_STOP, FLOW_TELL_START };
enum { FLUSH_INPUT, FLUSH_OUTPUT, FLUSH_BOTH };

/* ---- settings ---- */

static int get_settings(void *argument, size_t bytes)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);

    memcpy(argument, &tty.discipline.settings, bytes);
    spinlock_release(&tty.lock, irq);
    return 0;
}

/* After a change of the discipline. Releases the lock. */
static void finish(hal_irq_state_t irq)
{
    uint32_t stop = tty_resume();

    tty_tell_readers();
    spinlock_release(&tty.lock, irq);
    tty_cancel(stop);
}

static void drop_input(void)
{
    discipline_flush(&tty.discipline);
    tty.early.count = 0;
}

static int set_settings(const void *argument, size_t bytes, bool drains, bool flushes)
{
    int error = session_check_foreground(&tty.terminal, SIGNAL_TTOU);
    struct tty_settings settings;
    hal_irq_state_t irq;

    if (!error && drains)
        error = tty_await_output();
    if (error)
        return error;
    irq = spinlock_acquire(&tty.lock);
    if (flushes)
        drop_input();
    settings = tty.discipline.settings;
    memcpy(&settings, argument, bytes);
    discipline_set(&tty.discipline, &settings);
    finish(irq);
    return 0;
}

/* ---- what is on its way ---- */

static int flush(uintptr_t which)
{
    int error = session_check_foreground(&tty.terminal, SIGNAL_TTOU);
    hal_irq_state_t irq;

    if (error || which > FLUSH_BOTH)
        return error ? error : -EINVAL;
    irq = spinlock_acquire(&tty.lock);
    if (which != FLUSH_OUTPUT)
        drop_input();
    if (which != FLUSH_INPUT)
        tty_drop_output();
    finish(irq);
    return 0;
}

static int control_flow(uintptr_t action)
{
    int error = session_check_foreground(&tty.terminal, SIGNAL_TTOU);
    const uint8_t *keys = tty.discipline.settings.keys;
    hal_irq_state_t irq;

    if (error || action > FLOW_TELL_START)
        return error ? error : -EINVAL;
    irq = spinlock_acquire(&tty.lock);
    if (action == FLOW_STOP || action == FLOW_START)
        discipline_hold(&tty.discipline, action == FLOW_STOP);
    else
        tty.urgent = keys[action == FLOW_TELL_STOP ? TTY_VSTOP : TTY_VSTART];
    tty_send_queued();
    spinlock_release(&tty.lock, irq);
    return 0;
}

static int count(bool input, int32_t *result)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);

    *result = input ? (int32_t)discipline_count(&tty.discipline) : (int32_t)tty.out.count;
    spinlock_release(&tty.lock, irq);
    return 0;
}

/* The line is not interrupted for a break; but all is sent before one would be. */
static int drain(void)
{
    int error = session_check_foreground(&tty.terminal, SIGNAL_TTOU);

    return error ? error : tty_await_output();
}

/* ---- the window ---- */

static int get_window(struct tty_window *window)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);

    *window = tty.window;
    spinlock_release(&tty.lock, irq);
    return 0;
}

void terminal_set_window(const struct tty_window *window)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);
    bool changed = memcmp(&tty.window, window, sizeof(*window)) != 0;

    tty.window = *window;
    spinlock_release(&tty.lock, irq);
    if (!changed)
        return;
    process_lock();
    if (tty.terminal.foreground != 0)
        (void)signal_send_group(tty.terminal.foreground, SIGNAL_WINCH, NULL);
    process_unlock();
}

/* ---- whose it is ---- */

/* Whether root calls. */
static bool is_root(void)
{
    return process_credentials(process_current()).effective_uid == 0;
}

static int change_owner(unsigned request, uintptr_t argument)
{
    bool steal = request == TAKE_TERMINAL && argument == 1 && is_root();
    int error;

    process_lock();
    error = request == TAKE_TERMINAL ? session_take_terminal(&tty.terminal, steal)
                                     : session_leave_terminal(&tty.terminal);
    process_unlock();
    return error;
}

static int get_owner(unsigned request, int32_t *result)
{
    int error = 0;

    process_lock();
    if (process_current()->terminal != &tty.terminal)
        error = -ENOTTY;
    else
        *result =
            (int32_t)(request == GET_SESSION ? tty.terminal.session : tty.terminal.foreground);
    process_unlock();
    return error;
}

static int set_foreground(int32_t group)
{
    int error = session_check_foreground(&tty.terminal, SIGNAL_TTOU);

    if (error)
        return error == -EIO ? -ENOTTY : error;
    if (group < 0)
        return -EINVAL;
    process_lock();
    error = session_set_foreground(&tty.terminal, (uint32_t)group);
    process_unlock();
    return error;
}

static int ask_owner(unsigned request, void *argument)
{
    if (!user_thread_current())
        return -ENOTTY;
    switch (request) {
    case TAKE_TERMINAL:
    case LEAVE_TERMINAL:
        return change_owner(request, (uintptr_t)argument);
    case SET_FOREGROUND:
        return set_foreground(*(const int32_t *)argument);
    default:
        return get_owner(request, argument);
    }
}

/* ---- all of them ---- */

static int ask_settings(unsigned request, void *argument)
{
    switch (request) {
    case GET_SETTINGS:
        return get_settings(argument, TTY_SETTINGS_BYTES);
    case GET_SETTINGS2:
        return get_settings(argument, TTY_SETTINGS2_BYTES);
    case SET_SETTINGS:
    case SET_SETTINGS_DRAINED:
    case SET_SETTINGS_FLUSHED:
        return set_settings(argument, TTY_SETTINGS_BYTES, request != SET_SETTINGS,
                            request == SET_SETTINGS_FLUSHED);
    case SET_SETTINGS2:
    case SET_SETTINGS2_DRAINED:
    case SET_SETTINGS2_FLUSHED:
        return set_settings(argument, TTY_SETTINGS2_BYTES, request != SET_SETTINGS2,
                            request == SET_SETTINGS2_FLUSHED);
    default:
        return -ENOTTY;
    }
}

int terminal_ioctl(struct file *file, unsigned request, void *argument)
{
    if (terminal_is_hung_up(file))
        return request == SET_FOREGROUND ? -ENOTTY : -EIO;
    switch (request) {
    case FLUSH:
        return flush((uintptr_t)argument);
    case CONTROL_FLOW:
        return control_flow((uintptr_t)argument);
    case SEND_BREAK:
    case SEND_BREAK_POSIX:
        return drain();
    case GET_DISCIPLINE:
        return *(int32_t *)argument = 0;
    case COUNT_INPUT:
    case COUNT_OUTPUT:
        return count(request == COUNT_INPUT, argument);
    case GET_WINDOW:
        return get_window(argument);
    case SET_WINDOW:
        terminal_set_window(argument);
        return 0;
    case TAKE_TERMINAL:
    case LEAVE_TERMINAL:
    case GET_FOREGROUND:
    case SET_FOREGROUND:
    case GET_SESSION:
        return ask_owner(request, argument);
    default:
        return ask_settings(request, argument);
    }
}
