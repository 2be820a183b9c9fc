/* SPDX-License-Identifier: MIT */
/*
 * waits.c: waiting for signals: sigsuspend, pause, sigtimedwait; and pipes that nobody reads.
 */
#include "cases.h"

#include <poll.h>
#include <sys/syscall.h>

static void note(int number)
{
    sigset_t mask;

    counted++;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    say("handler of %d, USR2 blocked %d", number, sigismember(&mask, SIGUSR2));
}

static void suspending(void)
{
    sigset_t only_usr2, mask;

    handle(SIGUSR1, note, 0);
    handle(SIGUSR2, note, 0);
    block(SIGUSR1);
    raise(SIGUSR1);
    sigemptyset(&only_usr2);
    sigaddset(&only_usr2, SIGUSR2);
    say("suspended: %s", result_name(sigsuspend(&only_usr2)));
    sigprocmask(SIG_BLOCK, NULL, &mask);
    say("after: USR1 %d, USR2 %d", sigismember(&mask, SIGUSR1), sigismember(&mask, SIGUSR2));
    block(SIGUSR2);
    raise(SIGUSR2);
    raise(SIGUSR1);
    say("suspended: %s", result_name(sigsuspend(&only_usr2)));
    say("USR2 still waits: %d, ran %d", is_pending(SIGUSR2), counted);
    sigemptyset(&mask);
    send_later(20, SIGUSR1);
    unblock(SIGUSR2);
    say("suspended: %s", result_name(sigsuspend(&mask)));
}

static void pausing(void)
{
    pid_t child = send_later(20, SIGUSR1);

    handle(SIGUSR1, count_signal, SA_RESTART);
    say("paused: %s", result_name(pause()));
    await_child(child);
    child = send_later(20, SIGCHLD);
    handle(SIGALRM, count_signal, SA_RESTART);
    alarm(1);
    say("paused: %s", result_name(pause()));
    say("ran %d", counted);
}

static void say_taken(const char *what, int result, const siginfo_t *info)
{
    if (result < 0)
        say("%s: %s", what, error_name(errno));
    else
        say("%s: signal %d, code %d, value %d", what, result < SIGRTMIN ? result : 1000,
            info->si_code, info->si_code == SI_QUEUE ? info->si_value.sival_int : -1);
}

static void taking(void)
{
    const struct timespec none = {0, 0}, little = {0, 20000000}, much = {5, 0}, bad = {0, -1};
    union sigval value = {.sival_int = 5};
    siginfo_t info;
    sigset_t set;
    pid_t child;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    handle(SIGUSR2, count_signal, SA_RESTART);
    say_taken("none", sigtimedwait(&set, &info, &none), &info);
    say_taken("a little", sigtimedwait(&set, &info, &little), &info);
    say_taken("bad time", sigtimedwait(&set, &info, &bad), &info);
    sigqueue(getpid(), SIGRTMIN, value);
    raise(SIGUSR1);
    say_taken("two wait", sigtimedwait(&set, &info, &none), &info);
    say_taken("one waits", sigtimedwait(&set, &info, &much), &info);
    child = send_later(20, SIGUSR1);
    say_taken("comes", sigwaitinfo(&set, &info), &info);
    say_taken("its end", sigtimedwait(&set, &info, &much), &info);
    await_child(child);
    sigdelset(&set, SIGCHLD);
    child = send_later(20, SIGUSR2);
    say_taken("another", sigtimedwait(&set, &info, &much), &info);
    say("its handler ran %d", counted);
    await_child(child);
    say("bad size: %s", result_name(syscall(SYS_rt_sigtimedwait, &set, &info, &none, 4)));
}

static void write_to_nobody(void)
{
    int ends[2];

    if (pipe(ends))
        return;
    close(ends[0]);
    if (write(ends[1], "x", 1) < 0)
        say("write: %s", error_name(errno));
}

static void note_pipe(int number, siginfo_t *info, void *context)
{
    (void)context;
    say("signal %d, code %d, mine %d", number, info->si_code, info->si_pid == getpid());
}

static void pipes(void)
{
    say_status("default", in_child(write_to_nobody));
    signal(SIGPIPE, SIG_IGN);
    say_status("ignored", in_child(write_to_nobody));
    handle_info(SIGPIPE, note_pipe, 0);
    say_status("handled", in_child(write_to_nobody));
}

static void masked_polls(void)
{
    const struct timespec little = {0, 20000000}, much = {5, 0};
    sigset_t none, mask;

    handle(SIGUSR2, count_signal, SA_RESTART);
    block(SIGUSR2);
    raise(SIGUSR2);
    sigemptyset(&none);
    say("ppoll: %s", result_name(ppoll(NULL, 0, &much, &none)));
    say("ran %d", counted);
    say("ppoll: %s", result_name(ppoll(NULL, 0, &little, &none)));
    sigprocmask(SIG_BLOCK, NULL, &mask);
    say("blocked again: %d", sigismember(&mask, SIGUSR2));
}

const struct signal_case wait_cases[] = {{"suspend", suspending}, {"pause", pausing},
                                         {"take", taking},        {"pipe", pipes},
                                         {"ppoll", masked_polls}, {NULL, NULL}};
