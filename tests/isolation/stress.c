/* SPDX-License-Identifier: MIT */
/*
 * stress.c: processes that come, go, talk and signal, by chance, and check all that comes of it.
 *
 *     stress SEED ACTIONS        stress leaf N: ends with status N
 *
 * Three workers at the same time do ACTIONS things each: fork, fork and exec, a pipe full of bytes,
 * queued signals, more of them than the limit allows, a child that is ended by a signal, a family
 * of processes that is ended at once, memory that is mapped, forked, protected and moved. What each
 * of them must bring is known; the last line says whether it did.
 */
#include "program.inc"

#define WORKERS 3u
#define SIGUSR1 10
#define SIGTERM 15
#define SIGRT 34
#define WITH_RESTORER 0x04000000ul
#define FLOOD 200u       /* signals */
#define LIMIT_SIGNALS 11 /* RLIMIT_SIGPENDING */
#define BIT(signal) (1ul << ((signal)-1))
#define SELF "/bin/stress"

static unsigned long state;
static volatile unsigned caught;

void restore(void);

static unsigned below(unsigned limit)
{
    state = state * 6364136223846793005ul + 1442695040888963407ul;
    return (unsigned)(state >> 33) % limit;
}

static void put_number(char *to, unsigned long number)
{
    char digits[24];
    unsigned n = 0;

    do
        digits[n++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (n > 0)
        *to++ = digits[--n];
    *to = '\0';
}

static unsigned long read_number(const char *text)
{
    unsigned long number = 0;

    while (*text >= '0' && *text <= '9')
        number = number * 10 + (unsigned long)(*text++ - '0');
    return number;
}

/* True if `child` ends with that status. */
static bool ends_with(long child, int wanted)
{
    bool killed;

    return child > 0 && await(child, 0, &killed) == wanted;
}

static bool do_fork(void)
{
    volatile unsigned mine = below(200);
    long child = fork_child();

    if (child == 0) {
        nap(below(200000));
        leave((int)mine++);
    }
    return ends_with(child, (int)mine << 8);
}

static bool do_exec(void)
{
    unsigned code = below(200);
    char number[24];
    const char *words[] = {SELF, "leaf", number, 0};
    long child;

    put_number(number, code);
    child = fork_child();
    if (child == 0) {
        (void)CALL(execve, SELF, words, words + 3);
        leave(255);
    }
    return ends_with(child, (int)code << 8);
}

static unsigned char byte_at(unsigned i, unsigned salt)
{
    return (unsigned char)(i * 7 + i / 256 + salt);
}

static void write_bytes(int end, unsigned bytes, unsigned salt)
{
    unsigned char part[512];

    for (unsigned done = 0; done < bytes;) {
        unsigned n = bytes - done < sizeof(part) ? bytes - done : (unsigned)sizeof(part);
        long written;

        for (unsigned i = 0; i < n; i++)
            part[i] = byte_at(done + i, salt);
        written = CALL(write, end, part, n);
        if (written <= 0)
            leave(1);
        done += (unsigned)written;
    }
    leave(0);
}

static bool do_pipe(void)
{
    unsigned bytes = 1 + below(100000), salt = below(256), done = 0;
    unsigned char part[700];
    bool good = true;
    int ends[2];
    long child, n;

    if (failed(CALL(pipe2, ends, 0)))
        return false;
    child = fork_child();
    if (child == 0) {
        (void)CALL(close, ends[0]);
        write_bytes(ends[1], bytes, salt);
    }
    (void)CALL(close, ends[1]);
    while ((n = CALL(read, ends[0], part, 1 + below(sizeof(part)))) > 0)
        for (long i = 0; i < n; i++)
            good = part[i] == byte_at(done++, salt) && good;
    (void)CALL(close, ends[0]);
    return ends_with(child, 0) && good && done == bytes;
}

static void handler(int signal)
{
    (void)signal;
    caught++;
}

static bool set_handler(int signal)
{
    const unsigned long action[4] = {(unsigned long)handler, WITH_RESTORER, (unsigned long)restore,
                                     0};

    return CALL(rt_sigaction, signal, action, 0, 8) == 0;
}

/* A child counts the signals that its parent queues for it. */
static bool do_signals(void)
{
    unsigned count = 1 + below(30), sent = 0;
    char ready;
    int ends[2];
    long child;

    if (failed(CALL(pipe2, ends, 0)))
        return false;
    child = fork_child();
    if (child == 0) {
        if (!set_handler(SIGRT) || CALL(write, ends[1], "r", 1) != 1)
            leave(1);
        while (caught < count)
            nap(50000);
        leave(0);
    }
    (void)!CALL(read, ends[0], &ready, 1);
    while (sent < count && CALL(kill, child, SIGRT) == 0)
        sent++;
    (void)CALL(close, ends[0]);
    (void)CALL(close, ends[1]);
    return ends_with(child, 0) && sent == count;
}

/* A child lets signals wait, takes them all at once, and knows how many there must be. */
static void take_flood(const int told[2], const int asks[2], unsigned limit)
{
    const unsigned long limits[2] = {limit, limit}, mask = BIT(SIGRT) | BIT(SIGUSR1);
    unsigned accepted = 0;

    if (CALL(setrlimit, LIMIT_SIGNALS, limits) || CALL(rt_sigprocmask, 0, &mask, 0, 8) ||
        !set_handler(SIGRT) || !set_handler(SIGUSR1) || CALL(write, told[1], "r", 1) != 1)
        leave(1);
    (void)!CALL(read, asks[0], &accepted, sizeof(accepted));
    if (CALL(rt_sigprocmask, 1, &mask, 0, 8))
        leave(2);
    leave(accepted <= limit && caught == accepted + 1 ? 0 : 3); /* SIGUSR1 came once */
}

/* Sends more signals than may wait: how many were taken. */
static unsigned send_flood(long child)
{
    int info[32] = {SIGRT, 0, -1};
    unsigned accepted = 0;

    (void)CALL(kill, child, SIGUSR1);
    for (unsigned i = 0; i < FLOOD; i++) {
        accepted += CALL(rt_sigqueueinfo, child, SIGRT, info) == 0;
        (void)CALL(kill, child, SIGUSR1);
    }
    return accepted;
}

static bool do_flood(void)
{
    unsigned limit = 5 + below(60), accepted = 0;
    int told[2], asks[2];
    char ready;
    long child;

    if (failed(CALL(pipe2, told, 0)) || failed(CALL(pipe2, asks, 0)))
        return false;
    child = fork_child();
    if (child == 0)
        take_flood(told, asks, limit);
    if (child > 0 && CALL(read, told[0], &ready, 1) == 1)
        accepted = send_flood(child);
    (void)!CALL(write, asks[1], &accepted, sizeof(accepted));
    for (unsigned i = 0; i < 2; i++) {
        (void)CALL(close, told[i]);
        (void)CALL(close, asks[i]);
    }
    return ends_with(child, 0) && accepted > 0;
}

/* Children have children, which have children, and all end together, orphans too. */
static bool do_family(void)
{
    unsigned depth = 1 + below(3);
    long child = fork_child();

    if (child == 0) {
        (void)CALL(setpgid, 0, 0);
        for (unsigned i = 0; i < depth; i++) {
            (void)fork_child();
            (void)fork_child();
        }
        for (;;)
            nap(1000000);
    }
    (void)CALL(setpgid, child, child);
    nap(below(300000));
    for (unsigned i = 0; i < 3; i++) { /* one that a fork is just making is missed once */
        (void)CALL(kill, -child, SIGKILL);
        nap(50000);
    }
    return ends_with(child, SIGKILL);
}

static bool do_end(void)
{
    int signal = below(2) ? SIGTERM : SIGKILL;
    long child = fork_child();

    if (child == 0)
        for (;;)
            nap(1000000);
    nap(below(100000));
    return CALL(kill, child, signal) == 0 && ends_with(child, signal);
}

static bool do_memory(void)
{
    long pages = 2 + (long)below(60), more = pages + (long)below(60);
    unsigned salt = below(256);
    unsigned char *at = map(0, pages * PAGE, READ | WRITE, PRIVATE);
    bool good = !failed((long)at);
    long child, moved;

    for (long i = 0; good && i < pages; i++)
        at[i * PAGE + i] = byte_at((unsigned)i, salt);
    child = good ? fork_child() : -1;
    if (child == 0) {
        for (long i = 0; i < pages; i++) {
            good = good && at[i * PAGE + i] == byte_at((unsigned)i, salt);
            at[i * PAGE + i] = 0;
        }
        leave(good ? 0 : 1);
    }
    (void)CALL(mprotect, at, PAGE, READ);
    (void)CALL(mprotect, at, PAGE, READ | WRITE);
    moved = CALL(mremap, at, pages * PAGE, more * PAGE, 1, 0);
    good = good && !failed(moved);
    at = (unsigned char *)moved;
    for (long i = 0; good && i < pages; i++)
        good = at[i * PAGE + i] == byte_at((unsigned)i, salt);
    return ends_with(child, 0) && good && CALL(munmap, at, more * PAGE) == 0;
}

static void work(unsigned number, unsigned long seed, unsigned long actions)
{
    static bool (*const all[])(void) = {do_fork, do_exec,   do_pipe,  do_signals,
                                        do_end,  do_memory, do_flood, do_family};
    static const char *const names[] = {"fork", "exec",   "pipe",  "signals",
                                        "end",  "memory", "flood", "family"};

    state = seed * WORKERS + number + 1;
    for (unsigned long i = 0; i < actions; i++) {
        unsigned which = below(COUNT(all));

        if (!all[which]()) {
            say("stress: wrong: ");
            say(names[which]);
            say("\n");
            leave(1);
        }
    }
    leave(0);
}

__attribute__((used)) static void begin(long *stack)
{
    char **words = (char **)(stack + 1);
    unsigned long seed, actions;
    long workers[WORKERS];
    bool good = true;

    if (stack[0] < 3)
        leave(2);
    if (words[1][0] == 'l')
        leave((int)read_number(words[2]));
    seed = read_number(words[1]);
    actions = read_number(words[2]);
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = fork_child();
        if (workers[i] == 0)
            work(i, seed, actions);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        good = ends_with(workers[i], 0) && good;
    say(good ? "stress: all good\n" : "stress: something was wrong\n");
    leave(good ? 0 : 1);
}
