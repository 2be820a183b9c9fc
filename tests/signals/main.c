/* SPDX-License-Identifier: MIT */
/*
 * main.c: a program that tries what Linux promises of signals, and says what it sees.
 *
 *     signals             all cases, each in a process of its own
 *     signals NAME        one
 *     signals -after ...  what is left of signals after exec; for the case of that
 *     signals -end        nothing; for cases that need a program
 */
#include "cases.h"

#include <fcntl.h>

volatile sig_atomic_t counted;

void say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

const char *error_name(int error)
{
    static const struct {
        int error;
        const char *name;
    } names[] = {{EPERM, "EPERM"},   {ESRCH, "ESRCH"},   {EINTR, "EINTR"},   {ECHILD, "ECHILD"},
                 {EAGAIN, "EAGAIN"}, {ENOMEM, "ENOMEM"}, {EFAULT, "EFAULT"}, {EINVAL, "EINVAL"},
                 {EPIPE, "EPIPE"},   {ENOSYS, "ENOSYS"}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].error == error)
            return names[i].name;
    }
    return strerror(error);
}

const char *result_name(long result)
{
    return result >= 0 ? "ok" : error_name(errno);
}

void handle(int number, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    sigaction(number, &action, NULL);
}

void handle_info(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};

    sigaction(number, &action, NULL);
}

void count_signal(int number)
{
    (void)number;
    counted++;
}

void block(int number)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

void unblock(int number)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

bool is_pending(int number)
{
    sigset_t set;

    sigpending(&set);
    return sigismember(&set, number);
}

void nap(unsigned ms)
{
    struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};

    while (nanosleep(&time, &time) && errno == EINTR)
        ;
}

static bool is_asleep(const char *path)
{
    char text[256];
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    const char *end;

    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    end = strrchr(text, ')');
    return end && strncmp(end, ") S", 3) == 0;
}

/*
 * Waits until a process sleeps, for some seconds: on a loaded host it may not have got as far. One
 * look is not enough: it may wait for a lock that whoever looks has, or for the terminal.
 */
static void await_sleep(pid_t pid)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    for (int i = 0, asleep = 0; i < 5000 && asleep < 20; i++) {
        asleep = is_asleep(path) ? asleep + 1 : 0;
        nap(1);
    }
}

pid_t send_later(unsigned ms, int number)
{
    pid_t parent = getpid(), child = fork();

    if (child == 0) {
        nap(ms);
        await_sleep(parent);
        kill(parent, number);
        _exit(0);
    }
    return child;
}

int await_child(pid_t child)
{
    int status = -1;

    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

int in_child(void (*body)(void))
{
    pid_t child = fork();

    if (child == 0) {
        body();
        _exit(CHECK_DONE);
    }
    return await_child(child);
}

void say_status(const char *what, int status)
{
    if (WIFEXITED(status))
        say("%s: status %d", what, WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        say("%s: ended by signal %d", what, WTERMSIG(status));
    else if (WIFSTOPPED(status))
        say("%s: stopped by signal %d", what, WSTOPSIG(status));
    else if (WIFCONTINUED(status))
        say("%s: continued", what);
    else
        say("%s: %#x", what, (unsigned)status);
}

/* The state of a signal, as a program finds it. */
static void say_state(const char *name, int number)
{
    struct sigaction action;
    sigset_t mask;

    sigaction(number, NULL, &action);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    say("%s: %s%s%s", name,
        action.sa_handler == SIG_IGN   ? "ignored"
        : action.sa_handler == SIG_DFL ? "default"
                                       : "handled",
        sigismember(&mask, number) ? ", blocked" : "", is_pending(number) ? ", waits" : "");
}

static int say_after(void)
{
    stack_t stack;

    say_state("USR1 after exec", SIGUSR1);
    say_state("USR2 after exec", SIGUSR2);
    say_state("HUP after exec", SIGHUP);
    sigaltstack(NULL, &stack);
    say("stack after exec: flags %d, %zu bytes", stack.ss_flags, stack.ss_size);
    return 3;
}

static void run(const struct signal_case *one)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        setpgid(0, 0);
        say("-- %s", one->name);
        one->run();
        _exit(0);
    }
    status = await_child(child);
    if (status != 0)
        say_status(one->name, status);
}

/* Whoever has started this may ignore some, as shells do for what runs in the background. */
static void expect_all(void)
{
    sigset_t none;

    for (int number = 1; number < 32; number++)
        (void)signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int main(int argc, char **argv)
{
    static const struct signal_case *const groups[] = {
        basic_cases,   fault_cases, frame_cases,  stop_cases, wait_cases,
        restart_cases, timer_cases, thread_cases, made_cases, stress_cases};
    unsigned tried = 0;

    if (argc > 1 && strcmp(argv[1], "-after") == 0)
        return say_after();
    if (argc > 1 && strcmp(argv[1], "-end") == 0)
        return 0;
    expect_all();
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        for (const struct signal_case *one = groups[i]; one->name; one++) {
            if (argc > 1 && strcmp(argv[1], one->name) != 0)
                continue;
            run(one);
            tried++;
        }
    }
    say("%u cases", tried);
    return 0;
}
