/* SPDX-License-Identifier: MIT */
/*
 * stops.c: stopping and going on, what parents learn of their children, and orphans.
 */
#include "cases.h"

#include <sys/syscall.h>

static siginfo_t child_info;

static void note_child(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    child_info = *info;
    counted++;
}

static void sleep_for_ever(void)
{
    for (;;)
        pause();
}

static void end_well(void)
{
    _exit(0);
}

static pid_t start(void (*body)(void))
{
    pid_t child = fork();

    if (child == 0) {
        body();
        _exit(CHECK_DONE);
    }
    return child;
}

/* Waits until a handler has counted one more. */
static void await_count(int least)
{
    for (int i = 0; i < 2000 && counted < least; i++)
        nap(1);
}

static void say_child(const char *what, pid_t child)
{
    say("%s: code %d, status %d, %s, user %d; handler ran %d", what, child_info.si_code,
        child_info.si_status, child_info.si_pid == child ? "the child" : "another",
        child_info.si_uid == getuid(), counted);
}

static void children(void)
{
    pid_t child = start(sleep_for_ever);

    handle_info(SIGCHLD, note_child, SA_RESTART);
    kill(child, SIGSTOP);
    await_count(1);
    say_child("stopped", child);
    kill(child, SIGCONT);
    await_count(2);
    say_child("continued", child);
    kill(child, SIGTERM);
    await_count(3);
    say_child("killed", child);
    say_status("waited", await_child(child));
    child = fork();
    if (child == 0)
        _exit(7);
    await_count(4);
    say_child("exited", child);
    say_status("waited", await_child(child));
    handle_info(SIGCHLD, note_child, SA_NOCLDSTOP);
    child = start(sleep_for_ever);
    kill(child, SIGSTOP);
    say("wait: %d", waitpid(child, NULL, WUNTRACED) == child);
    kill(child, SIGCONT);
    say("wait: %d", waitpid(child, NULL, WCONTINUED) == child);
    say("handler ran %d", counted);
    kill(child, SIGKILL);
    await_count(5);
    say_child("killed", child);
}

static void no_zombies(void)
{
    pid_t child;

    handle_info(SIGCHLD, note_child, SA_NOCLDWAIT);
    child = start(end_well);
    say("wait: %s", result_name(waitpid(child, NULL, 0)));
    say("handler ran %d", counted);
    signal(SIGCHLD, SIG_IGN);
    child = start(end_well);
    say("wait: %s", result_name(waitpid(child, NULL, 0)));
    say("wait for any: %s", result_name(wait(NULL)));
}

static void waits(void)
{
    pid_t child = start(sleep_for_ever);
    int status = 0;

    say("nothing: %d", waitpid(child, &status, WNOHANG | WUNTRACED | WCONTINUED));
    kill(child, SIGTSTP);
    nap(20);
    say("not asked for: %d", waitpid(child, &status, WNOHANG));
    say("of the child: %d", waitpid(child, &status, WUNTRACED) == child);
    say_status("status", status);
    say("once: %d", waitpid(child, &status, WNOHANG | WUNTRACED));
    kill(child, SIGUSR1);
    nap(20);
    say("stopped ones wait: %d", waitpid(child, &status, WNOHANG));
    kill(child, SIGCONT);
    say("of the child: %d", waitpid(child, &status, 0) == child);
    say_status("status", status);
    child = start(sleep_for_ever);
    kill(child, SIGSTOP);
    say("stopped: %d", waitpid(child, &status, WUNTRACED) == child);
    kill(child, SIGCONT);
    say("continued: %d", waitpid(child, &status, WCONTINUED) == child);
    say_status("status", status);
    kill(child, SIGSTOP);
    kill(child, SIGKILL);
    say("killed: %d", waitpid(child, &status, 0) == child);
    say_status("status", status);
    say("bad options: %s", result_name(waitpid(-1, NULL, 0x100)));
    say("no child: %s", result_name(waitpid(-1, NULL, 0)));
}

static void say_id(const char *what, int result, const siginfo_t *info, pid_t child)
{
    say("%s: %s, signal %d code %d status %d %d", what, result_name(result), info->si_signo,
        info->si_code, info->si_status, info->si_pid == child);
}

static void ids(void)
{
    pid_t child = start(sleep_for_ever);
    siginfo_t info = {.si_signo = 9};

    setpgid(child, child);
    say_id("nothing", waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG), &info, 0);
    kill(child, SIGSTOP);
    say_id("stopped", waitid(P_PGID, (id_t)child, &info, WSTOPPED | WNOWAIT), &info, child);
    say_id("again", waitid(P_ALL, 0, &info, WSTOPPED | WEXITED), &info, child);
    memset(&info, 0, sizeof(info));
    say_id("no more", waitid(P_ALL, 0, &info, WSTOPPED | WNOHANG), &info, 0);
    kill(child, SIGCONT);
    say_id("continued", waitid(P_PID, (id_t)child, &info, WCONTINUED), &info, child);
    kill(child, SIGINT);
    say_id("ended", waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), &info, child);
    say_id("ended", waitid(P_PID, (id_t)child, &info, WEXITED), &info, child);
    say_id("gone", waitid(P_PID, (id_t)child, &info, WEXITED), &info, child);
    say("no options: %s", result_name(waitid(P_ALL, 0, &info, 0)));
    say("bad kind: %s", result_name(waitid((idtype_t)7, 0, &info, WEXITED)));
    say("pid 0: %s", result_name(waitid(P_PID, 0, &info, WEXITED)));
}

/* ---- orphans: seen by what a grandchild writes ---- */

static int report;

static void tell(const char *text)
{
    if (write(report, text, strlen(text)) < 0)
        _exit(1);
}

static void tell_hup(int number)
{
    tell(number == SIGHUP ? "hung up, " : "continued, ");
}

static void be_grandchild(void)
{
    handle(SIGHUP, tell_hup, 0);
    handle(SIGCONT, tell_hup, 0);
    kill(getpid(), SIGSTOP);
    while (getppid() > 1 && counted++ < 200)
        nap(1);
    tell("went on, ");
    kill(getpid(), SIGTSTP);
    tell("not stopped");
    _exit(0);
}

/* A leader of a group, with a stopped child in another one, ends. */
static void leave_orphan(void)
{
    pid_t child;

    setsid();
    child = start(be_grandchild);
    setpgid(child, child);
    waitpid(child, NULL, WUNTRACED);
    _exit(0);
}

static void orphans(void)
{
    char text[256];
    size_t n = 0;
    int ends[2];
    ssize_t got;

    if (pipe(ends))
        return;
    report = ends[1];
    say_status("parent", in_child(leave_orphan));
    close(ends[1]);
    while (n < sizeof(text) - 1 && (got = read(ends[0], text + n, sizeof(text) - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    say("%s",
        strstr(text, "hung up") && strstr(text, "continued") ? "hung up and continued" : text);
    say("%s", strstr(text, "not stopped") ? "an orphan is not stopped" : text);
}

/* ---- vfork ---- */

/* As the system call; some C libraries have another idea of vfork. */
static inline __attribute__((always_inline)) long lend_memory(void)
{
    const long flags = 0x4000 | 0x100 | SIGCHLD;

#ifdef __x86_64__
    long result;

    __asm__ volatile("xor %%edx, %%edx\n\txor %%r10d, %%r10d\n\txor %%r8d, %%r8d\n\tsyscall"
                     : "=a"(result)
                     : "a"(SYS_clone), "D"(flags), "S"(0)
                     : "rdx", "r10", "r8", "rcx", "r11", "memory");
    return result;
#else
    register long first __asm__("x0") = flags;
    register long number __asm__("x8") = SYS_clone;

    __asm__ volatile("mov x1, #0\n\tmov x2, #0\n\tmov x3, #0\n\tmov x4, #0\n\tsvc #0"
                     : "+r"(first)
                     : "r"(number)
                     : "x1", "x2", "x3", "x4", "memory");
    return first;
#endif
}

static void lends(void)
{
    static volatile int shared;
    pid_t parent = getpid(), child;
    int before;

    handle(SIGUSR1, count_signal, 0);
    child = (pid_t)lend_memory();
    if (child == 0) {
        kill(parent, SIGUSR1);
        for (volatile int i = 0; i < 1000; i++)
            (void)getppid();
        shared = 5;
        _exit(counted);
    }
    before = counted;
    say("shared %d, handler ran %d", shared, before);
    say_status("child", await_child(child));
}

static void other_kinds(void)
{
    long child = syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
    int status;

    if (child == 0)
        syscall(SYS_exit, 4);
    say("not without asking: %s", result_name(waitpid((pid_t)child, &status, 0)));
    say("asked for: %d", waitpid((pid_t)child, &status, (int)0x80000000) == child);
    say_status("status", status);
}

const struct signal_case stop_cases[] = {
    {"children", children}, {"zombies", no_zombies}, {"waits", waits},       {"ids", ids},
    {"orphans", orphans},   {"vfork", lends},        {"kinds", other_kinds}, {NULL, NULL}};
