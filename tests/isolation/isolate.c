/* SPDX-License-Identifier: MIT */
/*
 * isolate.c: a program that does what a program may not, each thing in a child, and looks what
 * becomes of the child, and of everybody else.
 *
 *     isolate [memory | instructions | jumps | greed | cells]...      all of them without arguments
 *
 * Criteria:
 *  1. A child that touches or runs what is not its own, or runs an instruction of the kernel's,
 *     ends by the signal that is right for it, or, where its machine allows what it did, as usual.
 *  2. A child that wants everything (processes, memory, descriptors, stack) gets an error or ends.
 *  3. Each call, with each bad value for each argument, answers, or ends the child that made it.
 *  4. Meanwhile a witness computes, and its result is right; when all is over, as many processes
 *     are there as before. (That no memory is left behind, the kernel says when it is switched
 * off.)
 *
 * Prints TAP. What is the processor's own is in machine.h; calls.inc is made of the kernel's table.
 */
#include "program.inc"

#define NAPS 300u /* of 100 us, that a child may take */
#define DANGER_NAPS 60000u
#define PLACE ((void *)0x30000000)
#define SOME_BYTES (16 * PAGE)

static unsigned cases, wrong;

/* Shared with children. */
static struct common {
    volatile unsigned long secret;
    volatile unsigned cell; /* that is being tried */
    volatile bool stop;     /* the witness */
    volatile unsigned long steps, value, mistakes;
} * common;

static const char *const signals[] = {
    [0] = "ends as usual", [SIGILL] = "SIGILL",   [SIGTRAP] = "SIGTRAP", [SIGBUS] = "SIGBUS",
    [SIGFPE] = "SIGFPE",   [SIGKILL] = "SIGKILL", [SIGSEGV] = "SIGSEGV"};

static void say_case(bool good, const char *group, const char *name, const char *what)
{
    wrong += !good;
    say(good ? "ok " : "not ok ");
    say_number(++cases);
    say(" - ");
    say(group);
    say(": ");
    say(name);
    say(": ");
    say(what);
    say("\n");
}

static const char *ending(int status)
{
    int signal = status & 0x7f;

    if (signal < (int)COUNT(signals) && signals[signal])
        return signals[signal];
    return "ends by another signal";
}

/* True if `status` is among those that `mask` allows. */
static bool is_right(int status, unsigned mask)
{
    int signal = status & 0x7f;

    return signal < 31 && (mask & (signal ? 1u << signal : M_EXIT)) && (signal || !(status >> 8));
}

/* A child does what the parent then looks at. */
static void judge(const char *group, const char *name, long child, unsigned mask, unsigned naps)
{
    bool killed;
    int status = await(child, naps, &killed);

    say_case(child > 0 && !killed && is_right(status, mask), group, name,
             killed ? "does not end" : ending(status));
}

/* ---- memory ---- */

static void read_byte(uintptr_t at)
{
    (void)*(const volatile unsigned char *)at;
}

static void write_byte(uintptr_t at)
{
    *(volatile unsigned char *)at = 1;
}

static void run_at(uintptr_t at)
{
    ((void (*)(void))at)();
}

static const struct touch {
    const char *name;
    void (*act)(uintptr_t at);
    uintptr_t at;
} far[] = {
    {"reads NULL", read_byte, 0},
    {"writes to NULL", write_byte, 0},
    {"runs NULL", run_at, 0},
    {"reads below all addresses", read_byte, USER_START - 8},
    {"writes below all addresses", write_byte, USER_START - 1},
    {"reads the first address", read_byte, USER_START},
    {"reads the last address", read_byte, USER_END - 1},
    {"writes to the last address", write_byte, USER_END - 1},
    {"runs the last page", run_at, USER_END - PAGE},
    {"reads the highest address of all", read_byte, UINTPTR_MAX},
    {"writes to the highest address of all", write_byte, UINTPTR_MAX - 7},
    {"runs the highest address of all", run_at, UINTPTR_MAX - 15},
};

static void try_far(void)
{
    for (unsigned i = 0; i < COUNT(far); i++) {
        long child = fork_child();

        if (child == 0) {
            far[i].act(far[i].at);
            leave(0);
        }
        judge("memory", far[i].name, child, M_SEGV, DANGER_NAPS);
    }
    for (unsigned i = 0; i < 3 * COUNT(far_addresses); i++) {
        static void (*const acts[])(uintptr_t at) = {read_byte, write_byte, run_at};
        static const char *const names[] = {"reads an address of nobody's or the kernel's",
                                            "writes to it", "runs it"};
        long child = fork_child();

        if (child == 0) {
            acts[i % 3](far_addresses[i / 3]);
            leave(0);
        }
        judge("memory", names[i % 3], child, M_SEGV | M_BUS, DANGER_NAPS);
    }
}

/* What a child maps, and then does with it. */
static const struct mapping {
    const char *name;
    int access, later; /* `later`: mprotect; -1: not, -2: munmap */
    void (*act)(uintptr_t at);
    uintptr_t offset;
    unsigned mask;
} mappings[] = {
    {"reads before its mapping", READ, -1, read_byte, -1ul, M_SEGV},
    {"reads behind its mapping", READ, -1, read_byte, SOME_BYTES, M_SEGV},
    {"writes behind its mapping", READ | WRITE, -1, write_byte, SOME_BYTES, M_SEGV},
    {"writes to what may be written", READ | WRITE, -1, write_byte, 5, M_EXIT},
    {"writes to what may be read", READ, -1, write_byte, 5, M_SEGV},
    {"reads what is for nothing", 0, -1, read_byte, 5, M_SEGV},
    {"writes to what is for nothing", 0, -1, write_byte, 5, M_SEGV},
    {"writes where it may not any more", READ | WRITE, READ, write_byte, PAGE, M_SEGV},
    {"reads where it may not any more", READ | WRITE, 0, read_byte, PAGE, M_SEGV},
    {"reads what it has unmapped", READ | WRITE, -2, read_byte, PAGE, M_SEGV},
    {"runs zeros that it may write", READ | WRITE, -1, run_at, 0, M_SEGV},
    {"runs what it may only read", READ, -1, run_at, 0, M_SEGV},
    {"runs what it has unmapped", READ | WRITE, -2, run_at, PAGE, M_SEGV},
};

static void do_mapping(const struct mapping *mapping)
{
    char *at = map(PLACE, SOME_BYTES, mapping->access, PRIVATE | FIXED);

    if (at != PLACE)
        leave(1);
    if (mapping->access & WRITE)
        at[PAGE] = 1;
    if (mapping->later == -2)
        (void)CALL(munmap, at, SOME_BYTES);
    else if (mapping->later >= 0)
        (void)CALL(mprotect, at, SOME_BYTES, mapping->later);
    mapping->act((uintptr_t)at + mapping->offset);
    leave(0);
}

static unsigned char code[] = RETURN_CODE;

/* Runs its own data; with mprotect before, that is allowed. */
static void run_data(bool allowed)
{
    char *at = map(PLACE, PAGE, READ | WRITE, PRIVATE | FIXED);

    memcpy(at, code, sizeof(code));
    if (allowed)
        (void)CALL(mprotect, at, PAGE, READ | EXECUTE);
    run_at((uintptr_t)at);
    leave(0);
}

static void run_stack(void)
{
    unsigned char on_stack[sizeof(code)];

    memcpy(on_stack, code, sizeof(code));
    run_at((uintptr_t)on_stack);
    leave(0);
}

__attribute__((noinline)) static unsigned long recurse(volatile unsigned long n)
{
    volatile char room[1000];

    room[n % sizeof(room)] = (char)n;
    return common->stop ? n : recurse(n + 1) + (unsigned long)room[0];
}

/* Another process's page: mapped there before this one is forked, and by its brother alone. */
static void try_others(void)
{
    char *mine = map((char *)PLACE + 0x100000, PAGE, READ | WRITE, PRIVATE | FIXED);
    long brother, child;
    bool killed;

    mine[0] = 'm';
    brother = fork_child();
    if (brother == 0) {
        char *at = map(PLACE, PAGE, READ | WRITE, PRIVATE | FIXED);

        at[0] = 's';
        mine[0] = 'b';
        while (common->secret == 0)
            nap(100000);
        leave(at[0] == 's' && mine[0] == 'b' ? 0 : 1);
    }
    nap(1000000);
    child = fork_child();
    if (child == 0) {
        write_byte((uintptr_t)PLACE);
        leave(0);
    }
    judge("memory", "writes to a page of its brother's", child, M_SEGV, DANGER_NAPS);
    say_case(mine[0] == 'm', "memory", "a child's write to what it had of its parent",
             "stays with the child");
    common->secret = 1;
    say_case(is_right(await(brother, DANGER_NAPS, &killed), M_EXIT), "memory", "the brother",
             "has what it wrote");
    (void)CALL(munmap, mine, PAGE);
}

static void try_memory(void)
{
    long child;

    try_far();
    for (unsigned i = 0; i < COUNT(mappings); i++) {
        child = fork_child();
        if (child == 0)
            do_mapping(&mappings[i]);
        judge("memory", mappings[i].name, child, mappings[i].mask, DANGER_NAPS);
    }
    for (unsigned i = 0; i < 2; i++) {
        child = fork_child();
        if (child == 0)
            run_data(i == 1);
        judge("memory", i ? "runs data that it may run" : "runs data", child, i ? M_EXIT : M_SEGV,
              DANGER_NAPS);
    }
    child = fork_child();
    if (child == 0)
        run_stack();
    judge("memory", "runs its stack", child, M_SEGV, DANGER_NAPS);
    child = fork_child();
    if (child == 0)
        write_byte((uintptr_t)&try_far);
    judge("memory", "writes to its own code", child, M_SEGV, DANGER_NAPS);
    child = fork_child();
    if (child == 0)
        leave(recurse(1) == 0);
    judge("memory", "its stack has no end", child, M_SEGV, DANGER_NAPS);
    try_others();
}

/* ---- instructions ---- */

#define FUNCTION(name, text, mask) \
    static void do_##name(void) \
    { \
        __asm__ volatile(text ::: "memory"); \
    }
#define ROW(name, text, mask) {#name, do_##name, mask},

FORBIDDEN(FUNCTION)

static const struct instruction {
    const char *name;
    void (*run)(void);
    unsigned mask;
} instructions[] = {FORBIDDEN(ROW)};

static void try_instructions(void)
{
    for (unsigned i = 0; i < COUNT(instructions); i++) {
        long child = fork_child();

        if (child == 0) {
            instructions[i].run();
            leave(0);
        }
        judge("instructions", instructions[i].name, child, instructions[i].mask, DANGER_NAPS);
    }
}

/* ---- jumps anywhere in range ---- */

static unsigned long chance = 1;

static unsigned long next_chance(void)
{
    chance ^= chance << 13;
    chance ^= chance >> 7;
    chance ^= chance << 17;
    return chance;
}

static void try_jumps(void)
{
    unsigned bad = 0;

    for (unsigned i = 0; i < 200; i++) {
        uintptr_t at = USER_START + next_chance() % (USER_END - USER_START);
        long child = fork_child();
        bool killed;

        if (child == 0) {
            run_at(i % 2 ? at : at & ~(uintptr_t)3);
            leave(0);
        }
        bad += !is_right(await(child, DANGER_NAPS, &killed),
                         M_SEGV | M_BUS | M_ILL | M_TRAP | M_FPE | M_EXIT) ||
               killed;
    }
    say_case(bad == 0, "jumps", "200 by chance", bad ? "some did not end well" : "all end");
}

/* ---- greed ---- */

/* Processes that make processes, until nobody can make one more. */
static void bomb(void)
{
    for (unsigned i = 0; i < 3000; i++) {
        long child = fork_child();

        if (failed(child))
            leave(0);
        nap(1000);
    }
    leave(0);
}

static void try_bomb(void)
{
    long child = fork_child(), more;
    unsigned ended = 0;
    bool killed;

    if (child == 0) {
        (void)CALL(setpgid, 0, 0);
        bomb();
    }
    (void)CALL(setpgid, child, child);
    nap(20000000);
    for (unsigned i = 0; i < 50; i++) { /* those that a fork is just making are missed once */
        (void)CALL(kill, -child, SIGKILL);
        nap(1000000);
    }
    ended = (unsigned)await(child, DANGER_NAPS, &killed);
    say_case(is_right((int)ended, M_KILL | M_EXIT) && !killed, "greed", "a fork bomb",
             "can be ended");
    more = fork_child();
    if (more == 0)
        leave(0);
    judge("greed", "a process after it", more, M_EXIT, DANGER_NAPS);
}

static void eat_memory(void)
{
    for (;;) {
        char *at = map(0, 64 * PAGE, READ | WRITE, PRIVATE);

        if (failed((long)at))
            leave(0);
        for (long i = 0; i < 64; i++)
            at[i * PAGE] = 1;
    }
}

static void eat_descriptors(void)
{
    int ends[2];
    long error;

    do
        error = CALL(pipe2, ends, 0);
    while (!failed(error));
    leave(error == -EMFILE || error == -ENOMEM ? 0 : 1);
}

static void eat_threads(void)
{
    char *stacks = map(0, 64 * PAGE, READ | WRITE, PRIVATE);
    long made;

    for (unsigned i = 0; i < 20000; i++) {
        made = CALL(clone, 0x10f00, stacks + (i % 64) * 4096 + 2048, 0, 0, 0);
        if (made == 0) /* this is the other thread; it has no stack to speak of */
            for (;;)
                (void)CALL(nanosleep, &code, 0);
        if (failed(made))
            break;
    }
    leave(0);
}

static void try_greed(void)
{
    static const struct {
        const char *name;
        void (*act)(void);
        unsigned mask;
    } all[] = {{"eats all memory", eat_memory, M_KILL | M_EXIT},
               {"eats all descriptors", eat_descriptors, M_EXIT},
               {"makes threads without end", eat_threads, M_EXIT | M_SEGV | M_KILL}};

    for (unsigned i = 0; i < COUNT(all); i++) {
        long child = fork_child();

        if (child == 0)
            all[i].act();
        judge("greed", all[i].name, child, all[i].mask, DANGER_NAPS);
    }
    try_bomb();
}

#include "cells.inc"

/* ---- the witness ---- */

static unsigned long step(unsigned long value)
{
    return value * 6364136223846793005ul + 1442695040888963407ul;
}

static void witness(void)
{
    static unsigned long own[1024];
    unsigned long value = 1;

    while (!common->stop) {
        unsigned long at = common->steps % COUNT(own);

        if (common->steps >= COUNT(own) && own[at] != at * 7)
            common->mistakes++;
        own[at] = at * 7;
        value = step(value);
        common->value = value;
        common->steps++;
        if (common->steps % 64 == 0)
            nap(20000);
    }
    leave(0);
}

static void judge_witness(long pid)
{
    unsigned long value = 1;
    bool killed;
    int status;

    common->stop = true;
    status = await(pid, DANGER_NAPS, &killed);
    for (unsigned long i = 0; i < common->steps; i++)
        value = step(value);
    say_case(is_right(status, M_EXIT) && !killed && common->steps > 0 && common->mistakes == 0 &&
                 value == common->value,
             "everybody else", "the witness", "has computed what is right");
}

/* ---- the whole ---- */

static unsigned long count_processes(unsigned long *free)
{
    unsigned char info[112] = {0};

    (void)CALL(sysinfo, info);
    *free = *(const unsigned long *)(const void *)(info + 40) / PAGE;
    return *(const unsigned short *)(const void *)(info + 80);
}

/* Children of children may need a moment. */
static void judge_rest(unsigned long processes, unsigned long free)
{
    unsigned long now, left = 0;

    for (unsigned i = 0; i < 1000; i++) {
        now = count_processes(&left);
        if (now == processes)
            break;
        nap(1000000);
    }
    say_case(now == processes, "everybody else", "processes", "as many as before");
    say("# pages free: ");
    say_number(free);
    say(" before, ");
    say_number(left);
    say(" behind\n");
}

static bool is_wanted(long count, char **words, const char *name)
{
    for (long i = 1; i < count; i++)
        if (words[i][0] == name[0])
            return true;
    return count < 2;
}

__attribute__((used)) static void begin(long *stack)
{
    char **words = (char **)(stack + 1);
    unsigned long free, processes;
    long watcher;

    common = map(0, PAGE, READ | WRITE, SHARED);
    processes = count_processes(&free);
    watcher = fork_child();
    if (watcher == 0)
        witness();
    if (is_wanted(stack[0], words, "memory"))
        try_memory();
    if (is_wanted(stack[0], words, "instructions"))
        try_instructions();
    if (is_wanted(stack[0], words, "jumps"))
        try_jumps();
    if (is_wanted(stack[0], words, "cells"))
        try_cells();
    if (is_wanted(stack[0], words, "greed"))
        try_greed();
    judge_witness(watcher);
    judge_rest(processes, free);
    say("1..");
    say_number(cases);
    say("\n");
    leave(wrong > 0);
}
