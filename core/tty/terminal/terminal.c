/* SPDX-License-Identifier: MIT */
/*
 * terminal.c: programs open, read and write the terminal.
 */
#include "tty/terminal/terminal.h"

#include "proc/process.h"
#include "tty/inside.h"

#include <hal/errno.h>
#include <hal/time.h>

#define NS_PER_TENTH 100000000u

static uint32_t read_hang_ups(void)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);
    uint32_t hang_ups = tty.hang_ups;

    spinlock_release(&tty.lock, irq);
    return hang_ups;
}

bool terminal_is_hung_up(const struct file *file)
{
    return file->hang_ups != TTY_NEVER_HUNG && file->hang_ups != read_hang_ups();
}

int terminal_open(enum terminal_name name, struct file *file)
{
    bool reads = (file->flags & FILE_ACCESS) != FILE_WRITE_ONLY;
    struct user_thread *thread = user_thread_current();
    bool has = true;

    file->hang_ups = name == TERMINAL_CONSOLE ? TTY_NEVER_HUNG : read_hang_ups();
    if (name == TERMINAL_CONSOLE || (name == TERMINAL_LINE && !thread))
        return 0;
    if (!thread)
        return -ENXIO;
    process_lock();
    if (name == TERMINAL_OWN)
        has = thread->process->terminal == &tty.terminal;
    else if (reads && !(file->flags & FILE_NO_TERMINAL))
        session_open_terminal(&tty.terminal);
    process_unlock();
    return has ? 0 : -ENXIO;
}

/* How a read of now waits: the four cases of VMIN and VTIME, when it is not by lines. */
static void begin_reading(const struct file *file, struct tty_reading *reading)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);
    const struct tty_settings *settings = &tty.discipline.settings;
    uint64_t time = (uint64_t)settings->keys[TTY_VTIME] * NS_PER_TENTH;
    uint8_t least = settings->keys[TTY_VMIN];

    *reading = (struct tty_reading){.deadline = HAL_TIME_NEVER,
                                    .least = least > 0 ? least : 1,
                                    .nonblock = file->flags & FILE_NONBLOCK,
                                    .hang_ups = file->hang_ups};
    if (settings->local & TTY_ICANON)
        reading->least = 1;
    else if (least > 0)
        reading->between = time;
    else if (time > 0)
        reading->deadline = hal_time_now() + time;
    else
        reading->immediate = true;
    spinlock_release(&tty.lock, irq);
}

int64_t terminal_read(enum terminal_name name, struct file *file, void *data, size_t n)
{
    struct tty_reading reading;
    int64_t result;

    if (terminal_is_hung_up(file) || n == 0)
        return 0;
    if (name != TERMINAL_CONSOLE) {
        int error = session_check_foreground(&tty.terminal, SIGNAL_TTIN);

        if (error)
            return error;
    }
    begin_reading(file, &reading);
    result = tty_take(&reading, data, n);
    return result == -ETIMEDOUT ? 0 : result;
}

/* Whether who writes has to be in the foreground, and is not. */
static int check_writing(enum terminal_name name)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);
    bool stops = tty.discipline.settings.local & TTY_TOSTOP;

    spinlock_release(&tty.lock, irq);
    if (!stops || name == TERMINAL_CONSOLE)
        return 0;
    return session_check_foreground(&tty.terminal, SIGNAL_TTOU);
}

/* With the lock held. */
static int await_room(const struct file *file)
{
    tty_send_queued();
    if (tty_has_room())
        return 0;
    if (file->flags & FILE_NONBLOCK)
        return -EAGAIN;
    return wait_sleep(&tty.writers, &tty.lock, HAL_TIME_NEVER);
}

int64_t terminal_write(enum terminal_name name, struct file *file, const void *data, size_t n)
{
    const uint8_t *bytes = data;
    size_t done = 0;
    int error = terminal_is_hung_up(file) ? -EIO : check_writing(name);
    hal_irq_state_t irq;

    if (error)
        return error;
    irq = spinlock_acquire(&tty.lock);
    while (done < n && !error) {
        if (file->hang_ups != TTY_NEVER_HUNG && file->hang_ups != tty.hang_ups)
            error = -EIO;
        else if (tty_has_room())
            discipline_output(&tty.discipline, bytes[done++]);
        else
            error = await_room(file);
    }
    tty_send_queued();
    spinlock_release(&tty.lock, irq);
    return done > 0 ? (int64_t)done : error;
}

unsigned terminal_poll(struct file *file, struct poll_waiter *waiter)
{
    unsigned can = 0;
    hal_irq_state_t irq;

    poll_hang(&tty.source, waiter);
    if (terminal_is_hung_up(file))
        return VNODE_CAN_READ | VNODE_CAN_WRITE | VNODE_CAN_ERROR | VNODE_CAN_HANG_UP;
    irq = spinlock_acquire(&tty.lock);
    if (discipline_is_ready(&tty.discipline))
        can |= VNODE_CAN_READ;
    if (tty.out.count <= TTY_WRITE_MAX / 2)
        can |= VNODE_CAN_WRITE;
    spinlock_release(&tty.lock, irq);
    return can;
}
