/* SPDX-License-Identifier: MIT */
/*
 * terminal.c: the modes of the terminal on standard input.
 *
 * A terminal normally collects a line, echoes it, and makes signals of Ctrl-C and Ctrl-Z. On a
 * serial console all that is the guest's business, so the terminal is put into raw mode: one key,
 * one byte. That mode belongs to the terminal and not to the process; whoever leaves without
 * putting it back leaves a shell that shows nothing one types. Therefore every way out passes
 * through terminal_restore, which makes one system call and may run in a signal handler.
 */
#include "program.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios terminal_saved;
static int terminal_fd = -1;
static volatile sig_atomic_t terminal_is_raw;

/** The signals of a crash. */
static const int crash_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
#define CRASH_SIGNALS (sizeof(crash_signals) / sizeof(crash_signals[0]))
static struct sigaction crash_before[CRASH_SIGNALS];

/** In the sanitizers' runtime, where the program is built with one. */
extern void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

void terminal_restore(void)
{
    if (!terminal_is_raw)
        return;
    terminal_is_raw = 0;
    tcsetattr(terminal_fd, TCSADRAIN, &terminal_saved);
}

/** Puts the terminal back, then lets the signal do what it would have done without us. */
static void crash_handler(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    int saved_errno = errno;
    terminal_restore();
    for (size_t i = 0; i < CRASH_SIGNALS; i++)
        if (crash_signals[i] == signal_number)
            sigaction(signal_number, &crash_before[i], NULL);
    /* A fault happens again on return. What somebody sent does not. */
    if (info->si_code <= 0)
        raise(signal_number);
    errno = saved_errno;
}

void terminal_watch_crashes(void)
{
    struct sigaction action = {.sa_sigaction = crash_handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < CRASH_SIGNALS; i++)
        sigaction(crash_signals[i], &action, &crash_before[i]);
    if (__sanitizer_set_death_callback != NULL)
        __sanitizer_set_death_callback(terminal_restore);
    atexit(terminal_restore);
}

/** True while this process may change the terminal without being stopped for it. */
static bool in_foreground(void)
{
    return tcgetpgrp(terminal_fd) == getpgrp();
}

static bool make_raw(void)
{
    struct termios raw = terminal_saved;
    raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | IGNCR | INLCR | INPCK | ISTRIP | IXON);
    raw.c_oflag &= ~(tcflag_t)OPOST;
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
    raw.c_cflag |= CS8;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    terminal_is_raw = 1;
    /* It waits for what is still being printed, and a signal ends that. */
    int result;
    do {
        result = tcsetattr(terminal_fd, TCSADRAIN, &raw);
    } while (result < 0 && errno == EINTR);
    if (result == 0)
        return true;
    terminal_is_raw = 0;
    return false;
}

bool terminal_raw(int fd)
{
    if (tcgetattr(fd, &terminal_saved) < 0)
        return false;
    terminal_fd = fd;
    return in_foreground() && make_raw();
}

bool terminal_size(unsigned *columns, unsigned *rows)
{
    struct winsize size;
    if (!terminal_is_raw || ioctl(terminal_fd, TIOCGWINSZ, &size) < 0)
        return false;
    *columns = size.ws_col;
    *rows = size.ws_row;
    return true;
}

void terminal_resume(void)
{
    if (terminal_fd >= 0 && in_foreground())
        make_raw();
}

void terminal_suspend(void)
{
    terminal_restore();
    /* This thread may run on for a moment; the mode changes again only at SIGCONT. */
    kill(getpid(), SIGSTOP);
}

void terminal_say(const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    const char *end = terminal_is_raw ? "\r\n" : "\n";
    dprintf(STDERR_FILENO, "%stayberry: %s%s", terminal_is_raw ? "\r\n" : "", line, end);
}
