/* SPDX-License-Identifier: MIT */
/*
 * probe.c: a Linux program for x86-64 that needs no C library: it makes the system calls of which
 * the scenarios of os_memory_scenarios.c want to see that they fail well.
 *
 *     probe exit | fork | exec PATH | memory | files DIRECTORY | copy TO | script TO PROGRAM
 *           | signals | wait | system DIRECTORY
 *
 * It ends with status 1 at the first thing that it cannot do, which it prints.
 */
#include <stdint.h>

#define EAGAIN 11 /* signals, timers */
#define ENOMEM 12
#define EFAULT 14 /* all pointers are good: there was no memory for what they point to */
#define ENOLCK 37 /* no memory for a lock */
#define THIS_DIRECTORY (-100)
#define PAGE 4096

enum {
    READ = 0,
    WRITE = 1,
    CLOSE = 3,
    POLL = 7,
    MMAP = 9,
    MPROTECT = 10,
    MUNMAP = 11,
    BRK = 12,
    IOCTL = 16,
    RT_SIGPROCMASK = 14,
    WRITEV = 20,
    MREMAP = 25,
    SENDFILE = 40,
    GETPID = 39,
    FORK = 57,
    EXECVE = 59,
    EXIT = 60,
    WAIT4 = 61,
    GETCWD = 79,
    FCHMOD = 91,
    MOUNT = 165,
    UMOUNT2 = 166,
    RT_SIGQUEUEINFO = 129,
    TIMER_CREATE = 222,
    GETDENTS64 = 217,
    OPENAT = 257,
    NEWFSTATAT = 262,
    RENAMEAT = 264,
    READLINKAT = 267,
    PIPE2 = 293,
    SELECT = 23,
    FCNTL = 72,
    FLOCK = 73,
    EPOLL_CTL = 233,
    TIMERFD_CREATE = 283,
    SIGNALFD4 = 289,
    EVENTFD2 = 290,
    EPOLL_CREATE1 = 291
};

static char data[2 * PAGE] = "written to by the program, so that it is in its data";

static long call(long number, long a, long b, long c, long d, long e)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = 0;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static long length(const char *text)
{
    long n = 0;

    while (text[n])
        n++;
    return n;
}

static void say(const char *text)
{
    (void)call(WRITE, 1, (long)text, length(text), 0, 0);
}

/* The result, which must not be an error; what could not be done is `what`. */
static long must(long result, const char *what)
{
    if (result >= 0 || result < -PAGE)
        return result;
    say(result == -ENOMEM || result == -EFAULT || result == -EAGAIN || result == -ENOLCK
            ? "out of memory: "
            : "error: ");
    say(what);
    say("\n");
    (void)call(EXIT, 1, 0, 0, 0, 0);
    return result;
}

static long open_file(const char *path, long flags)
{
    return must(call(OPENAT, THIS_DIRECTORY, (long)path, flags, 0777, 0), path);
}

static void await(void)
{
    int status = 0;

    (void)must(call(WAIT4, -1, (long)&status, 0, 0, 0), "wait");
    if (status != 0)
        say("child failed\n");
}

static void try_fork(void)
{
    long child = must(call(FORK, 0, 0, 0, 0, 0), "fork");

    if (child == 0) {
        data[PAGE] = 1;
        (void)call(EXIT, 0, 0, 0, 0, 0);
    }
    if (child > 0)
        await();
}

static void try_exec(const char *path)
{
    const char *arguments[] = {path, "exit", 0}, *environment[] = {"A=b", 0};
    long child = must(call(FORK, 0, 0, 0, 0, 0), "fork");

    if (child == 0) {
        (void)must(call(EXECVE, (long)path, (long)arguments, (long)environment, 0, 0), path);
        (void)call(EXIT, 1, 0, 0, 0, 0);
    }
    if (child > 0)
        await();
}

/* Maps so many pages, and writes to each. */
static char *map(long pages, long flags, long file)
{
    long at = must(call(MMAP, 0, pages * PAGE, 3, flags, file), "mmap");

    if (at < 0 && at > -PAGE)
        return 0;
    for (long i = 0; i < pages; i++)
        ((char *)at)[i * PAGE] = 1;
    return (char *)at;
}

static void try_memory(void)
{
    long file = open_file("/data/size-4097", 0), end = call(BRK, 0, 0, 0, 0, 0);
    char *zeros = map(8, 0x22, -1), *shared = map(2, 0x21, -1), *bytes = map(1, 2, file);

    if (zeros) {
        (void)must(call(MPROTECT, (long)zeros + PAGE, PAGE, 1, 0, 0), "mprotect");
        (void)must(call(MUNMAP, (long)zeros + 4 * PAGE, PAGE, 0, 0, 0), "munmap");
        (void)must(call(MREMAP, (long)zeros, PAGE, 16 * PAGE, 1, 0), "mremap");
    }
    if (shared && bytes)
        try_fork();
    if (call(BRK, end + 2 * PAGE, 0, 0, 0, 0) == end + 2 * PAGE)
        *(char *)(end + PAGE) = 1;
    else
        (void)must(-ENOMEM, "brk");
}

static void try_pipe(void)
{
    int ends[2];

    if (must(call(PIPE2, (long)ends, 0, 0, 0, 0), "pipe") < 0)
        return;
    (void)must(call(WRITE, ends[1], (long)data, 1000, 0, 0), "write");
    (void)must(call(READ, ends[0], (long)data, 1000, 0, 0), "read");
}

static void try_files(const char *directory)
{
    const struct {
        const char *text;
        long bytes;
    } pieces[] = {{"one ", 4}, {"two\n", 4}};
    int wanted[2] = {1, 4};
    long file = open_file("/README.TXT", 0), folder = open_file(directory, 0200000);

    (void)must(call(READ, file, (long)data, 1000, 0, 0), "read");
    (void)must(call(WRITEV, 1, (long)pieces, 2, 0, 0), "writev");
    (void)must(call(SENDFILE, 1, file, 0, 20, 0), "sendfile");
    (void)must(call(GETCWD, (long)data, PAGE, 0, 0, 0), "getcwd");
    (void)must(call(GETDENTS64, folder, (long)data, PAGE, 0, 0), "getdents");
    (void)must(call(NEWFSTATAT, folder, (long)"a", (long)data, 0, 0), "stat");
    if (call(IOCTL, 1, 0x5401, (long)data, 0, 0) == -ENOMEM)
        (void)must(-ENOMEM, "ioctl");
    try_pipe();
    (void)must(call(POLL, (long)wanted, 1, 0, 0, 0), "poll");
    (void)must(call(RENAMEAT, folder, (long)"a", THIS_DIRECTORY, (long)"docs/b", 0), "rename");
}

static void read_link(const char *path)
{
    (void)must(call(READLINKAT, THIS_DIRECTORY, (long)path, (long)data, PAGE, 0), path);
}

static void list(const char *path)
{
    long folder = open_file(path, 0200000);

    (void)must(call(GETDENTS64, folder, (long)data, PAGE, 0, 0), path);
    (void)must(call(CLOSE, folder, 0, 0, 0, 0), "close");
}

/* What a program knows of itself, and what it can do to the machine. */
static void try_system(const char *directory)
{
    static const char *const texts[] = {"/proc/self/maps", "/proc/self/cmdline",
                                        "/proc/self/status", "/proc/self/mounts"};

    for (unsigned i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        (void)must(call(CLOSE, open_file(texts[i], 0), 0, 0, 0, 0), "close");
    read_link("/proc/self/cwd");
    read_link("/proc/self/fd/0");
    read_link("/proc/thread-self");
    list("/proc/self/fd");
    list("/proc/self/task");
    (void)must(call(CLOSE, open_file("/proc/self/cwd", 0200000), 0, 0, 0, 0), "close");
    (void)must(call(MOUNT, (long)"none", (long)directory, (long)"ramfs", 0, 0), "mount");
    (void)must(call(MOUNT, (long)"none", (long)directory, (long)"ramfs", 32, 0), "remount");
    (void)must(call(UMOUNT2, (long)directory, 0, 0, 0, 0), "umount");
}

/* What can be waited for: pipes, events, sets of files, locks. */
static void try_wait(void)
{
    struct {
        short type, whence;
        long start, length, pid;
    } lock = {.type = 1, .length = 5};
    long set, event[2] = {1, 0}, bits = 0;
    int ends[2];

    (void)must(call(PIPE2, (long)ends, 0, 0, 0, 0), "pipe");
    (void)must(call(FCNTL, ends[0], 1031, 8 * PAGE, 0, 0), "pipe size");
    set = must(call(EPOLL_CREATE1, 0, 0, 0, 0, 0), "epoll");
    (void)must(call(EPOLL_CTL, set, 1, ends[0], (long)event, 0), "epoll_ctl");
    (void)must(call(EVENTFD2, 1, 0, 0, 0, 0), "eventfd");
    (void)must(call(TIMERFD_CREATE, 1, 0, 0, 0, 0), "timerfd");
    (void)must(call(SIGNALFD4, -1, (long)&bits, 8, 0, 0), "signalfd");
    bits = 1l << ends[1];
    (void)must(call(SELECT, ends[1] + 1, 0, (long)&bits, 0, 0), "select");
    (void)must(call(FLOCK, ends[0], 1, 0, 0, 0), "flock");
    (void)must(call(FCNTL, ends[1], 6, (long)&lock, 0, 0), "lock");
    lock.type = 2;
    lock.start = 2;
    lock.length = 1;
    (void)must(call(FCNTL, ends[1], 6, (long)&lock, 0, 0), "unlock");
}

/* Signals that wait with what they say, and are dropped at the end. */
static void try_signals(void)
{
    static const int info[32] = {0, 0, -1};
    const uint64_t all = ~0ull;
    long self = must(call(GETPID, 0, 0, 0, 0, 0), "getpid");

    (void)must(call(RT_SIGPROCMASK, 0, (long)&all, 0, 8, 0), "sigprocmask");
    for (long i = 0; i < 3; i++)
        (void)must(call(RT_SIGQUEUEINFO, self, 40 + i % 2, (long)info, 0, 0), "sigqueue");
    (void)must(call(TIMER_CREATE, 1, 0, (long)data, 0, 0), "timer");
}

static void try_copy(const char *from, const char *to)
{
    long in = open_file(from, 0), out = open_file(to, 01101);

    (void)must(call(SENDFILE, out, in, 0, 1 << 20, 0), "sendfile");
    (void)must(call(FCHMOD, out, 0755, 0, 0, 0), "chmod");
}

static void write_script(const char *to, const char *program)
{
    long out = open_file(to, 01101);

    (void)must(call(WRITE, out, (long)"#!", 2, 0, 0), "write");
    (void)must(call(WRITE, out, (long)program, length(program), 0, 0), "write");
    (void)must(call(WRITE, out, (long)" exit\n", 6, 0, 0), "write");
    (void)must(call(FCHMOD, out, 0755, 0, 0, 0), "chmod");
}

static void run(long count, char **arguments)
{
    data[0] = 1;
    switch (count > 1 ? arguments[1][0] * 256 + arguments[1][1] : 0) {
    case 'f' * 256 + 'o':
        try_fork();
        break;
    case 'm' * 256 + 'e':
        try_memory();
        break;
    case 'e' * 256 + 'x':
        if (count > 2 && arguments[1][2] == 'e')
            try_exec(arguments[2]);
        break;
    case 'f' * 256 + 'i':
        try_files(arguments[2]);
        break;
    case 'c' * 256 + 'o':
        try_copy(arguments[0], arguments[2]);
        break;
    case 's' * 256 + 'c':
        write_script(arguments[2], arguments[3]);
        break;
    case 'w' * 256 + 'a':
        try_wait();
        break;
    case 's' * 256 + 'i':
        try_signals();
        break;
    case 's' * 256 + 'y':
        try_system(arguments[2]);
        break;
    default:
        break;
    }
}

/* The stack begins with the number of arguments and pointers to them. */
__attribute__((used)) static void begin(long *stack)
{
    run(stack[0], (char **)(stack + 1));
    (void)call(EXIT, 0, 0, 0, 0, 0);
}

__asm__(".globl _start\n_start:\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall begin\n\thlt\n");
