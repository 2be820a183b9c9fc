/* SPDX-License-Identifier: MIT */
/*
 * basic.c: handlers, masks, queues, and what exec and fork leave.
 */
#include "cases.h"

#include <sys/resource.h>
#include <sys/syscall.h>

static const char *number_name(int number)
{
    static char name[16];

    if (number >= SIGRTMIN)
        snprintf(name, sizeof(name), "RT+%d", number - SIGRTMIN);
    else
        snprintf(name, sizeof(name), "%d", number);
    return name;
}

static void say_info(int number, siginfo_t *info, void *context)
{
    (void)context;
    say("signal %s code %d errno %d, %s, value %d", number_name(number), info->si_code,
        info->si_errno, info->si_pid == getpid() ? "mine" : "another's",
        info->si_code == SI_QUEUE ? info->si_value.sival_int : -1);
}

static void handlers(void)
{
    union sigval value = {.sival_int = 42};

    handle_info(SIGUSR1, say_info, 0);
    handle_info(SIGRTMIN + 3, say_info, 0);
    kill(getpid(), SIGUSR1);
    raise(SIGUSR1);
    sigqueue(getpid(), SIGUSR1, value);
    sigqueue(getpid(), SIGRTMIN + 3, value);
    syscall(SYS_tgkill, getpid(), getpid(), SIGRTMIN + 3);
}

static int depth;

static void recurse(int number)
{
    int mine = ++depth;

    say("in %d", mine);
    if (mine < 3)
        raise(number);
    say("out %d", mine);
}

static void nesting(void)
{
    handle(SIGUSR1, recurse, SA_NODEFER);
    raise(SIGUSR1);
    depth = 0;
    handle(SIGUSR1, recurse, 0);
    raise(SIGUSR1);
    say("depth %d", depth);
}

static void raise_twice(void)
{
    handle(SIGUSR1, count_signal, SA_RESETHAND);
    raise(SIGUSR1);
    say("once: %d", counted);
    raise(SIGUSR1);
}

static void once(void)
{
    say_status("twice", in_child(raise_twice));
}

static void begin_and_end(int number)
{
    char name[16];

    snprintf(name, sizeof(name), "%s", number_name(number));
    say("begin %s", name);
    if (number == SIGUSR1)
        raise(SIGUSR2);
    say("end %s", name);
}

static void masks(void)
{
    struct sigaction action = {.sa_handler = begin_and_end};

    handle(SIGUSR2, begin_and_end, 0);
    sigaddset(&action.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    sigemptyset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
}

static void order(void)
{
    const int numbers[] = {SIGRTMIN + 2, SIGUSR2, SIGTERM, SIGRTMIN, SIGUSR1, SIGSEGV};
    sigset_t all, old;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        handle(numbers[i], begin_and_end, 0);
        kill(getpid(), numbers[i]);
    }
    handle(SIGUSR1, count_signal, 0);
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void queues(void)
{
    block(SIGUSR1);
    block(SIGRTMIN);
    handle_info(SIGUSR1, say_info, 0);
    handle_info(SIGRTMIN, say_info, 0);
    for (int i = 0; i < 4; i++) {
        union sigval value = {.sival_int = i};

        sigqueue(getpid(), SIGUSR1, value);
        sigqueue(getpid(), SIGRTMIN, value);
    }
    kill(getpid(), SIGRTMIN);
    say("waiting: %d %d %d", is_pending(SIGUSR1), is_pending(SIGRTMIN), is_pending(SIGUSR2));
    unblock(SIGUSR1);
    unblock(SIGRTMIN);
    say("waiting: %d %d", is_pending(SIGUSR1), is_pending(SIGRTMIN));
}

static void limit(void)
{
    const struct rlimit least = {0, 0};
    union sigval value = {.sival_int = 1};

    block(SIGRTMIN);
    block(SIGUSR1);
    say("limit: %s", result_name(setrlimit(RLIMIT_SIGPENDING, &least)));
    say("queue: %s", result_name(sigqueue(getpid(), SIGRTMIN, value)));
    say("kill: %s", result_name(kill(getpid(), SIGRTMIN)));
    say("plain: %s", result_name(sigqueue(getpid(), SIGUSR1, value)));
    say("waiting: %d %d", is_pending(SIGUSR1), is_pending(SIGRTMIN));
}

static void ignoring(void)
{
    block(SIGUSR1);
    raise(SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    say("dropped: %d", !is_pending(SIGUSR1));
    raise(SIGUSR1);
    say("kept while blocked: %d", is_pending(SIGUSR1));
    signal(SIGCHLD, SIG_DFL);
    raise(SIGCHLD);
    raise(SIGURG);
    raise(SIGWINCH);
    raise(SIGCONT);
    say("nothing happens");
}

static void errors(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN}, old;
    sigset_t set;

    sigemptyset(&set);
    say("action of KILL: %s", result_name(sigaction(SIGKILL, &action, NULL)));
    say("action of STOP: %s", result_name(sigaction(SIGSTOP, &action, NULL)));
    say("reading KILL's: %s", result_name(sigaction(SIGKILL, NULL, &old)));
    say("signal 65: %s", result_name(syscall(SYS_rt_sigaction, 65, NULL, &old, 8)));
    say("set of 4 bytes: %s", result_name(syscall(SYS_rt_sigaction, 1, NULL, NULL, 4)));
    say("how 9: %s", result_name(syscall(SYS_rt_sigprocmask, 9, &set, NULL, 8)));
    say("bad set: %s", result_name(syscall(SYS_rt_sigprocmask, 0, 8, NULL, 8)));
    say("kill 65: %s", result_name(kill(getpid(), 65)));
    say("kill nobody: %s", result_name(kill(0x3ffffff, 0)));
    say("kill no group: %s", result_name(kill(-0x3ffffff, 0)));
    say("kill least: %s", result_name(kill(INT32_MIN, 0)));
    say("kill nothing: %s", result_name(kill(getpid(), 0)));
    say("tkill 0: %s", result_name(syscall(SYS_tkill, 0, 0)));
    say("tgkill of another: %s", result_name(syscall(SYS_tgkill, 0x3ffffff, getpid(), 0)));
    say("suspend: %s", result_name(syscall(SYS_rt_sigsuspend, &set, 4)));
    say("pending: %s", result_name(syscall(SYS_rt_sigpending, &set, 9)));
    say("queue bad: %s", result_name(syscall(SYS_rt_sigqueueinfo, getpid(), 1, 8)));
}

static void flags(void)
{
    struct sigaction action = {.sa_handler = count_signal,
                               .sa_flags = SA_RESTART | SA_NODEFER | SA_ONSTACK | SA_NOCLDSTOP};
    struct {
        uintptr_t handler;
        unsigned long flags;
        uintptr_t restorer;
        uint64_t mask;
    } raw = {(uintptr_t)count_signal, 0xffffffffffffffff, 0, UINT64_MAX}, old;

    sigaddset(&action.sa_mask, SIGHUP);
    sigaddset(&action.sa_mask, SIGKILL);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR1, NULL, &action);
    say("flags %#x, HUP %d, KILL %d", (unsigned)action.sa_flags & ~0x04000000u,
        sigismember(&action.sa_mask, SIGHUP), sigismember(&action.sa_mask, SIGKILL));
    syscall(SYS_rt_sigaction, SIGUSR2, &raw, NULL, 8);
    syscall(SYS_rt_sigaction, SIGUSR2, NULL, &old, 8);
    say("raw flags %#lx, mask %#llx", old.flags, (unsigned long long)old.mask);
}

static void exec_self(void)
{
    static char bytes[65536];
    stack_t stack = {.ss_sp = bytes, .ss_size = sizeof(bytes)};

    signal(SIGUSR1, SIG_IGN);
    handle(SIGUSR2, count_signal, 0);
    handle(SIGHUP, count_signal, 0);
    block(SIGHUP);
    raise(SIGHUP);
    sigaltstack(&stack, NULL);
    execl("/proc/self/exe", "signals", "-after", NULL);
}

static void exec_leaves(void)
{
    say_status("exec", in_child(exec_self));
}

static void forked(void)
{
    say("in the child: USR1 waits %d, USR2 blocked and waits %d", is_pending(SIGUSR1),
        is_pending(SIGUSR2));
    raise(SIGHUP);
    say("HUP handled: %d", counted);
    _exit(0);
}

static void fork_leaves(void)
{
    handle(SIGHUP, count_signal, 0);
    block(SIGUSR1);
    block(SIGUSR2);
    raise(SIGUSR1);
    kill(getpid(), SIGUSR2);
    say_status("fork", in_child(forked));
    say("in the parent: %d %d, HUP %d", is_pending(SIGUSR1), is_pending(SIGUSR2), counted);
}

static void groups(void)
{
    pid_t first = send_later(5000, SIGTERM), second = send_later(5000, SIGTERM);

    setpgid(first, first);
    setpgid(second, first);
    say("group: %s", result_name(kill(-first, SIGKILL)));
    say_status("first", await_child(first));
    say_status("second", await_child(second));
    say("gone: %s", result_name(kill(-first, 0)));
    handle(SIGUSR1, count_signal, 0);
    kill(0, SIGUSR1);
    say("own group: %d", counted);
}

static void storm(void)
{
    pid_t parent = getpid(), child;
    int taken = 0;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    child = fork();
    if (child == 0) {
        for (int i = 0; i < 500; i++) {
            union sigval value = {.sival_int = i};

            while (sigqueue(parent, SIGRTMIN, value))
                nap(1);
        }
        _exit(0);
    }
    for (; taken < 500; taken++) {
        siginfo_t info;

        if (sigwaitinfo(&set, &info) != SIGRTMIN || info.si_value.sival_int != taken)
            break;
    }
    say("in order: %d", taken);
    say_status("storm", await_child(child));
}

const struct signal_case basic_cases[] = {
    {"handlers", handlers}, {"nesting", nesting}, {"once", once},        {"masks", masks},
    {"order", order},       {"queues", queues},   {"limit", limit},      {"ignoring", ignoring},
    {"errors", errors},     {"flags", flags},     {"exec", exec_leaves}, {"fork", fork_leaves},
    {"groups", groups},     {"storm", storm},     {NULL, NULL}};
