/* SPDX-License-Identifier: MIT */
/*
 * log.c: a ring of lines under one spinlock.
 *
 * A line is formatted before the lock is taken, so that the lock is held for a copy only. Output to
 * the console is polled, byte by byte: the log must work when nothing else does. A lock of its own
 * keeps the lines of two CPUs apart there; few lines are so important, so it may be held for long.
 */
#include "lib/log.h"

#include "lib/format.h"
#include "lib/string.h"
#include "sync/spinlock.h"

#include <hal/console.h>
#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/time.h>

#define LOG_LINES 256u

static KSTATE struct klog_state {
    struct spinlock lock; /* guards the rest */
    uint64_t count;       /* number of the newest line */
    int console_level;
    struct spinlock console;           /* held while a line is sent to the console */
    struct klog_line lines[LOG_LINES]; /* line n is at n % LOG_LINES */
} state;

void klog_init(void)
{
    spinlock_init(&state.lock, LOCK_RANK_LOG);
    spinlock_init(&state.console, LOCK_RANK_CONSOLE);
    state.console_level = KLOG_WARNING;
}

static void console_text(const char *s)
{
    while (*s)
        hal_console_putc((uint8_t)*s++);
}

static void console_line(const struct klog_line *line)
{
    char stamp[32];
    hal_irq_state_t irq;

    format_text(stamp, sizeof stamp, "[%5llu.%06llu] ",
                (unsigned long long)(line->time / 1000000000),
                (unsigned long long)(line->time / 1000 % 1000000));
    irq = spinlock_acquire(&state.console);
    console_text(stamp);
    console_text(line->text);
    console_text("\r\n");
    spinlock_release(&state.console, irq);
}

static void klog_va(enum klog_level level, const char *format, va_list args)
{
    struct klog_line line = {.time = hal_time_now(), .level = level};
    hal_irq_state_t irq;
    bool show;

    format_text_va(line.text, sizeof line.text, format, args);
    irq = spinlock_acquire(&state.lock);
    line.number = ++state.count;
    state.lines[line.number % LOG_LINES] = line;
    show = (int)level <= state.console_level;
    spinlock_release(&state.lock, irq);
    if (show)
        console_line(&line);
}

void klog(enum klog_level level, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    klog_va(level, format, args);
    va_end(args);
}

int klog_read(uint64_t number, struct klog_line *line)
{
    hal_irq_state_t irq = spinlock_acquire(&state.lock);
    uint64_t oldest = state.count > LOG_LINES ? state.count - LOG_LINES + 1 : 1;
    int error = 0;

    if (number < oldest)
        number = oldest;
    if (number > state.count)
        error = -ENOENT;
    else
        *line = state.lines[number % LOG_LINES];
    spinlock_release(&state.lock, irq);
    return error;
}

void klog_set_console_level(int level)
{
    hal_irq_state_t irq = spinlock_acquire(&state.lock);

    state.console_level = level;
    spinlock_release(&state.lock, irq);
}
