/* SPDX-License-Identifier: MIT */
/*
 * input.c: the pump: one thread that waits for everything that comes from outside.
 *
 * Keys and piped text go to the guest's serial line, byte by byte as they are. On a terminal Ctrl-A
 * is the program's: Ctrl-A X leaves, Ctrl-A H helps, Ctrl-A Ctrl-A sends one. Signals are blocked
 * in every thread, so that no handler of the program's ever runs on top of the guest; a thread
 * waits for them and gives the pump a byte for each. (Linux's signalfd would wake the pump for each
 * signal of the process, and each page that a program of the guest's faults on is one.)
 *
 * For a run that has to repeat (virtual clock, piped input) the pump gathers the whole input before
 * power-on, so that when bytes come depends on nothing outside.
 */
#include "program.h"
#include "tayberry_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define CTRL_A 0x01
/** More than that unread by the guest, and the pump lets the input wait where it is. */
#define PENDING_MAX 65536u
/** The longest input that is gathered. */
#define GATHER_MAX (64u << 20)
/** How long the guest may take to let go of the machine, in ns. */
#define LET_GO_MAX 5000000000u

static struct {
    struct input_config config;
    pthread_t thread, signal_thread;
    int signal_fds[2], wake_fd; /**< a pipe: to read, to write */
    _Atomic bool ending;
    uint64_t start;
    bool is_terminal, reading, escaped;
    uint8_t *gathered;
    size_t gathered_bytes, gathered_room;
} input;

static const char help_text[] = "\r\ntayberry: Ctrl-A X leaves; Ctrl-A Ctrl-A sends Ctrl-A; "
                                "Ctrl-A H prints this\r\n";

/** Acts on the key after Ctrl-A. True: the key itself goes to the guest. */
static bool take_command(uint8_t key)
{
    if (key == 'x' || key == 'X')
        session_end(END_LEAVE, 0);
    else if (key == 'h' || key == 'H' || key == '?')
        (void)!write(STDERR_FILENO, help_text, sizeof(help_text) - 1);
    return key == CTRL_A;
}

/** Takes the program's own keys out of what was typed. Returns how many bytes are left. */
static size_t filter_keys(uint8_t *keys, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        bool command = input.escaped;
        input.escaped = !command && keys[i] == CTRL_A;
        if (command ? take_command(keys[i]) : !input.escaped)
            keys[kept++] = keys[i];
    }
    return kept;
}

/** Keeps `n` bytes for later. False: there is no room for them. */
static bool gather(const uint8_t *bytes, size_t n)
{
    if (input.gathered_bytes + n > input.gathered_room) {
        size_t room = input.gathered_room == 0 ? 65536 : input.gathered_room * 2;
        uint8_t *larger = room > GATHER_MAX ? NULL : realloc(input.gathered, room);
        if (larger == NULL)
            return false;
        input.gathered = larger;
        input.gathered_room = room;
    }
    for (size_t i = 0; i < n; i++)
        input.gathered[input.gathered_bytes++] = bytes[i];
    return true;
}

const void *input_gathered(size_t *bytes)
{
    *bytes = input.gathered_bytes;
    return input.gathered;
}

static void end_reading(void)
{
    input.reading = false;
    if (input.config.stream && input.config.machine != NULL)
        tb_stream_end(input.config.machine);
    session_note_input(0, true);
}

/** Moves what there is to read to the guest. */
static void pump(void)
{
    uint8_t bytes[4096];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0) {
        if (n < 0 && errno != EIO)
            terminal_say("cannot read standard input any further; the guest gets no more of it");
        end_reading();
        return;
    }
    size_t kept =
        input.is_terminal && !input.config.stream ? filter_keys(bytes, (size_t)n) : (size_t)n;
    bool taken = input.config.machine == NULL ? gather(bytes, kept)
                 : input.config.stream ? tb_stream_write(input.config.machine, bytes, kept) >= 0
                                       : tb_uart_write(input.config.machine, bytes, kept) >= 0;
    if (!taken) {
        terminal_say("standard input is too long to keep; the guest gets only its beginning");
        end_reading();
        return;
    }
    session_note_input(kept, false);
}

/** The guest's terminal is this one, so it is as large. */
static void tell_size(void)
{
    unsigned columns, rows;
    if (input.is_terminal && input.config.machine != NULL && terminal_size(&columns, &rows))
        (void)tb_uart_set_window(input.config.machine, columns, rows);
}

/** Acts on one signal. */
static void take_signal(void)
{
    uint8_t number;
    if (read(input.signal_fds[0], &number, 1) != 1)
        return;
    if (number == SIGTSTP)
        terminal_suspend();
    else if (number == SIGCONT)
        terminal_resume();
    else if (number == SIGWINCH)
        tell_size();
    else
        session_end(END_SIGNAL, number);
}

/** Waits for signals until input_stop sends one itself. */
static void *signal_main(void *argument)
{
    int signal;
    (void)argument;
    while (sigwait(input.config.signals, &signal) == 0 && !atomic_load(&input.ending)) {
        uint8_t number = (uint8_t)signal;
        (void)!write(input.signal_fds[1], &number, 1);
    }
    return NULL;
}

static bool guest_has_room(void)
{
    struct tb_machine *machine = input.config.machine;
    if (machine == NULL)
        return true;
    return (input.config.stream ? tb_stream_pending(machine) : tb_uart_pending(machine)) <
           PENDING_MAX;
}

/** Milliseconds that poll may sleep: until the time-out at most, and not long while something is
 * due. */
static int poll_time(bool hold_back)
{
    if (session_ended(NULL) != END_NONE)
        return 20;
    if (hold_back)
        return 2;
    if (input.config.timeout == 0)
        return -1;
    uint64_t passed = session_now() - input.start;
    if (passed >= input.config.timeout)
        return 0;
    uint64_t left = (input.config.timeout - passed + 999999) / 1000000;
    return left > 1000000 ? 1000000 : (int)left;
}

/** The guest has not let go of the machine for too long: the last way out. */
static void give_up(void)
{
    terminal_restore();
    terminal_say("the guest does not let go of the machine; leaving without it");
    _exit(input.config.stuck_status);
}

/** One wait, and what it brought. False: input_stop was called. */
static bool pump_once(void)
{
    bool hold_back = input.reading && !guest_has_room();
    struct pollfd fds[3] = {
        {.fd = input.wake_fd, .events = POLLIN},
        {.fd = input.signal_fds[0], .events = POLLIN},
        {.fd = input.reading && !hold_back ? STDIN_FILENO : -1, .events = POLLIN},
    };
    int ready = poll(fds, 3, poll_time(hold_back));
    if (ready > 0 && fds[0].revents != 0)
        return false;
    if (ready > 0 && fds[1].revents != 0)
        take_signal();
    if (ready > 0 && fds[2].revents != 0)
        pump();
    if (input.config.timeout != 0 && session_now() - input.start >= input.config.timeout)
        session_end(END_TIMEOUT, 0);
    if (session_repeat_interrupt() > LET_GO_MAX)
        give_up();
    return true;
}

static void *pump_main(void *argument)
{
    (void)argument;
    while (pump_once())
        continue;
    return NULL;
}

int input_start(const struct input_config *config)
{
    input.config = *config;
    input.start = session_now();
    input.is_terminal = config->stdin_open && isatty(STDIN_FILENO);
    input.reading = config->stdin_open;
    tell_size();
    if (!input.reading)
        end_reading();
    input.wake_fd = eventfd(0, EFD_CLOEXEC);
    /* A flood of signals may fill the pipe: what does not fit is as if it had come at once. */
    if (input.wake_fd < 0 || pipe2(input.signal_fds, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    int error = session_start_thread(&input.signal_thread, signal_main);
    return error < 0 ? error : session_start_thread(&input.thread, pump_main);
}

void input_stop(void)
{
    uint64_t one = 1;
    (void)!write(input.wake_fd, &one, sizeof(one));
    pthread_join(input.thread, NULL);
    atomic_store(&input.ending, true);
    pthread_kill(input.signal_thread, SIGWINCH);
    pthread_join(input.signal_thread, NULL);
    close(input.wake_fd);
    close(input.signal_fds[0]);
    close(input.signal_fds[1]);
    free(input.gathered);
}
