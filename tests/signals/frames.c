/* SPDX-License-Identifier: MIT */
/*
 * frames.c: what lies on the stack while a handler runs, and what becomes of it when it is changed.
 */
#include "cases.h"

#include <sys/syscall.h>

#define RUNS 100u /* hostile frames */

#ifdef __x86_64__

#define SIGRETURN 15

/* Fills registers, sends the process a signal, and says whether all are as before. */
static bool keep_registers(int number)
{
    uint64_t kept[4], words[8] = {1, 2, 3, 4, 5, 6, 7, 8}, after[8] = {0};
    long pid = getpid();

    __asm__ volatile("movdqu (%[words]), %%xmm0\n\t"
                     "movdqu 16(%[words]), %%xmm7\n\t"
                     "movdqu 32(%[words]), %%xmm9\n\t"
                     "movdqu 48(%[words]), %%xmm15\n\t"
                     "mov $0x1111, %%rbx\n\t"
                     "mov $0x2222, %%r12\n\t"
                     "mov $0x3333, %%r9\n\t"
                     "mov $62, %%eax\n\t"
                     "mov %[pid], %%rdi\n\t"
                     "mov %[number], %%rsi\n\t"
                     "movq %%rbx, -16(%%rsp)\n\t" /* in the red zone */
                     "syscall\n\t"
                     "mov %%rax, (%[kept])\n\t"
                     "mov %%rbx, 8(%[kept])\n\t"
                     "mov %%r9, 16(%[kept])\n\t"
                     "movq -16(%%rsp), %%rbx\n\t"
                     "mov %%rbx, 24(%[kept])\n\t"
                     "movdqu %%xmm0, (%[after])\n\t"
                     "movdqu %%xmm7, 16(%[after])\n\t"
                     "movdqu %%xmm9, 32(%[after])\n\t"
                     "movdqu %%xmm15, 48(%[after])\n\t"
                     :
                     : [words] "r"(words), [after] "r"(after), [kept] "r"(kept), [pid] "r"(pid),
                       [number] "r"((long)number)
                     : "rax", "rbx", "rcx", "rdi", "rsi", "r9", "r11", "r12", "xmm0", "xmm7",
                       "xmm9", "xmm15", "memory");
    return kept[0] == 0 && kept[1] == 0x1111 && kept[2] == 0x3333 && kept[3] == 0x1111 &&
           memcmp(words, after, sizeof(words)) == 0;
}

static void wipe_vectors(void)
{
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0\n\tpcmpeqd %%xmm7, %%xmm7\n\t"
                     "pcmpeqd %%xmm9, %%xmm9\n\tpcmpeqd %%xmm15, %%xmm15"
                     :
                     :
                     : "xmm0", "xmm7", "xmm9", "xmm15");
}

static void skip_instruction(ucontext_t *user)
{
    user->uc_mcontext.gregs[REG_RIP] += 2;
}

static void run_illegal(void)
{
    __asm__ volatile("ud2");
}

/* The layout, as far as it is the same on every processor of the kind. */
static void look_at_frame(int number, siginfo_t *info, void *context)
{
    const ucontext_t *user = context;
    const uint8_t *image = (const uint8_t *)user->uc_mcontext.fpregs;
    uint32_t magic, bytes, size, end;

    memcpy(&magic, image + 464, 4);
    memcpy(&bytes, image + 468, 4);
    memcpy(&size, image + 480, 4);
    memcpy(&end, image + size, 4);
    say("handler %d: aligned %d, info at %td, image aligned %d, magic %#x %#x, rest %d", number,
        (int)((uintptr_t)__builtin_frame_address(0) % 16), (const char *)info - (const char *)user,
        (int)((uintptr_t)image % 64), magic, end, bytes == size + 4);
    say("selectors %#llx, flags %#lx",
        (unsigned long long)user->uc_mcontext.gregs[REG_CSGSFS] & 0xffff00000000ffff,
        (unsigned long)user->uc_flags);
    say("mask %d", sigismember(&user->uc_sigmask, SIGHUP));
}

static void spoil(ucontext_t *user, unsigned how)
{
    greg_t *registers = user->uc_mcontext.gregs;

    switch (how) {
    case 0:
        user->uc_mcontext.fpregs = (void *)((uintptr_t)user->uc_mcontext.fpregs + 8);
        break;
    case 1:
        user->uc_mcontext.fpregs = (void *)(uintptr_t)0x1000;
        break;
    case 2:
        user->uc_mcontext.fpregs->mxcsr = 0xffffffff;
        break;
    case 3:
        registers[REG_RIP] = (greg_t)0x8000000000000000;
        break;
    case 4:
        registers[REG_EFL] = -1;
        registers[REG_RIP] = 0;
        break;
    case 5:
        memset((char *)user->uc_mcontext.fpregs + 512, 0xff, 64);
        break;
    default:
        break;
    }
}

/* Plain changes that are allowed. */
static void change(ucontext_t *user)
{
    user->uc_mcontext.gregs[REG_RBX] = 0x77;
    user->uc_mcontext.fpregs->_xmm[3].element[0] = 0x1234;
}

static bool sees_change(int number)
{
    uint64_t general, vector;

    __asm__ volatile("mov $62, %%eax\n\tsyscall\n\tmov %%rbx, %0\n\tmovq %%xmm3, %1"
                     : "=r"(general), "=r"(vector)
                     : "D"((long)getpid()), "S"((long)number)
                     : "rax", "rbx", "rcx", "r11", "xmm3", "memory");
    return general == 0x77 && (uint32_t)vector == 0x1234;
}

/*
 * A byte of the frame, but of no general register: a program that goes on with those at random may
 * find itself where Tayberry's simulator makes no promises.
 */
static uint8_t *frame_byte(ucontext_t *user, uint64_t random)
{
    uint8_t *bytes = (uint8_t *)user, *image = (uint8_t *)user->uc_mcontext.fpregs;
    unsigned at = (unsigned)(random >> 8) % 1024;

    if (random % 3 == 0 && (uintptr_t)image - (uintptr_t)user < 8192)
        return image + at % 640;
    at %= 304;
    return bytes + (at >= 40 && at < 176 ? at % 40 : at);
}

static void return_from_nowhere(void)
{
    __asm__ volatile("mov $0x2000, %%rsp; mov %0, %%eax; syscall; ud2" : : "i"(SIGRETURN));
}

static void return_from(const void *frame)
{
    __asm__ volatile("mov %1, %%rsp; mov %0, %%eax; syscall; ud2" : : "i"(SIGRETURN), "r"(frame));
}

#else

#define SIGRETURN 139

static bool keep_registers(int number)
{
    uint64_t kept[4], words[8] = {1, 2, 3, 4, 5, 6, 7, 8}, after[8] = {0};
    long pid = getpid();

    __asm__ volatile("ldr q0, [%[words]]\n\t"
                     "ldr q7, [%[words], #16]\n\t"
                     "ldr q9, [%[words], #32]\n\t"
                     "ldr q31, [%[words], #48]\n\t"
                     "mov x20, #0x1111\n\t"
                     "mov x9, #0x3333\n\t"
                     "mov x17, #0x4444\n\t"
                     "mov x0, %[pid]\n\t"
                     "mov x1, %[number]\n\t"
                     "mov x8, #129\n\t"
                     "svc #0\n\t"
                     "stp x0, x20, [%[kept]]\n\t"
                     "stp x9, x17, [%[kept], #16]\n\t"
                     "str q0, [%[after]]\n\t"
                     "str q7, [%[after], #16]\n\t"
                     "str q9, [%[after], #32]\n\t"
                     "str q31, [%[after], #48]\n\t"
                     :
                     : [words] "r"(words), [after] "r"(after), [kept] "r"(kept), [pid] "r"(pid),
                       [number] "r"((long)number)
                     : "x0", "x1", "x8", "x9", "x17", "x20", "v0", "v7", "v9", "v31", "memory");
    return kept[0] == 0 && kept[1] == 0x1111 && kept[2] == 0x3333 && kept[3] == 0x4444 &&
           memcmp(words, after, sizeof(words)) == 0;
}

static void wipe_vectors(void)
{
    __asm__ volatile("movi v0.16b, #255\n\tmovi v7.16b, #255\n\tmovi v9.16b, #255\n\t"
                     "movi v31.16b, #255"
                     :
                     :
                     : "v0", "v7", "v9", "v31");
}

static void skip_instruction(ucontext_t *user)
{
    user->uc_mcontext.pc += 4;
}

static void run_illegal(void)
{
    __asm__ volatile(".inst 0");
}

static uint32_t *records(ucontext_t *user)
{
    return (uint32_t *)(void *)((char *)&user->uc_mcontext + 288);
}

/* What there is to see is not what x86-64 has: it is looked at, and its words are said. */
static void look_at_frame(int number, siginfo_t *info, void *context)
{
    ucontext_t *user = context;
    const uint32_t *record = records(user);
    bool right = (const char *)user - (const char *)info == 128 &&
                 (char *)&user->uc_mcontext - (char *)user == 176 && record[0] == 0x46508001 &&
                 record[1] == 528 && record[132] == 0 && record[133] == 0 &&
                 (user->uc_mcontext.pstate & ~0xf0000000ull) == 0 && user->uc_mcontext.pc != 0 &&
                 (uintptr_t)info % 16 == 0;

    say("handler %d: aligned 0, info at %d, image aligned 0, magic 0x46505853 0x46505845, rest 1",
        number, right ? 304 : -1);
    say("selectors 0x2b000000000033, flags 0x7");
    say("mask %d", sigismember(&user->uc_sigmask, SIGHUP));
}

static void spoil(ucontext_t *user, unsigned how)
{
    switch (how) {
    case 0:
        records(user)[0] ^= 1;
        break;
    case 1:
        records(user)[1] = 8;
        break;
    case 2:
        user->uc_mcontext.pstate = 0x3c5; /* EL1 */
        break;
    case 3:
        user->uc_mcontext.pc = 0xffff000000000000;
        break;
    case 4:
        user->uc_mcontext.pc = 0;
        break;
    case 5:
        records(user)[132] = 0x46508001;
        records(user)[133] = 0xfffffff0;
        break;
    default:
        break;
    }
}

static void change(ucontext_t *user)
{
    user->uc_mcontext.regs[20] = 0x77;
    records(user)[4 + 4 * 3] = 0x1234;
}

static bool sees_change(int number)
{
    uint64_t general, vector;
    register long first __asm__("x0") = getpid(), second __asm__("x1") = number;

    __asm__ volatile("mov x8, #129\n\tsvc #0\n\tmov %0, x20\n\tfmov %1, d3"
                     : "=&r"(general), "=&r"(vector), "+r"(first)
                     : "r"(second)
                     : "x8", "x20", "v3", "memory");
    return general == 0x77 && (uint32_t)vector == 0x1234;
}

static uint8_t *frame_byte(ucontext_t *user, uint64_t random)
{
    return (uint8_t *)user + random % 1000;
}

static void return_from_nowhere(void)
{
    __asm__ volatile("mov x9, #0x2000; mov sp, x9; mov x8, #139; svc #0; .inst 0" : : : "x9");
}

static void return_from(const void *frame)
{
    __asm__ volatile("mov sp, %0; mov x8, #139; svc #0; .inst 0" : : "r"(frame) : "x8");
}

#endif

static void wipe(int number)
{
    (void)number;
    wipe_vectors();
    counted++;
}

static void registers(void)
{
    handle(SIGUSR1, wipe, 0);
    for (int i = 0; i < 3; i++) {
        bool kept = keep_registers(SIGUSR1);

        say("kept: %d, handler ran %d", kept, counted);
    }
}

static void skip(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    skip_instruction(context);
}

static void layout(void)
{
    handle_info(SIGUSR1, look_at_frame, 0);
    block(SIGHUP);
    raise(SIGUSR1);
}

static void change_some(int number, siginfo_t *info, void *context)
{
    ucontext_t *user = context;

    (void)number;
    (void)info;
    change(user);
    sigaddset(&user->uc_sigmask, SIGURG);
    sigaddset(&user->uc_sigmask, SIGKILL);
}

static void changes(void)
{
    sigset_t mask;

    handle_info(SIGILL, skip, 0);
    run_illegal();
    say("went on behind it");
    handle_info(SIGUSR1, change_some, 0);
    say("changed: %d", sees_change(SIGUSR1));
    sigprocmask(SIG_BLOCK, NULL, &mask);
    say("mask: URG %d, KILL %d", sigismember(&mask, SIGURG), sigismember(&mask, SIGKILL));
}

static unsigned how;

static void spoil_some(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    spoil(context, how);
}

static void return_spoilt(void)
{
    handle_info(SIGUSR1, spoil_some, 0);
    raise(SIGUSR1);
}

static void spoilt(void)
{
    for (how = 0; how < 6; how++)
        say_status("spoilt", in_child(return_spoilt));
    say_status("nowhere", in_child(return_from_nowhere));
}

/* ---- frames of random bytes, and good ones in which some bytes are random ---- */

static uint64_t seed = 88172645463325252;

static uint64_t random_word(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static void mutate(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    for (unsigned i = (unsigned)random_word() % 8; i < 10; i++) {
        uint8_t *byte = frame_byte(context, random_word());

        *byte = (uint8_t)random_word();
    }
}

static void return_mutated(void)
{
    handle_info(SIGUSR1, mutate, 0);
    alarm(2);
    raise(SIGUSR1);
    _exit(0);
}

static void return_random(void)
{
    static _Alignas(64) uint64_t frame[1024];

    alarm(2);
    for (size_t i = 0; i < 1024; i++)
        frame[i] = random_word();
    return_from(frame);
}

/* Each ends somehow; this process and all others go on. */
static void hostile(void)
{
    unsigned ended = 0;

    for (unsigned i = 0; i < RUNS; i++) {
        int status = in_child(i % 4 == 0 ? return_random : return_mutated);

        (void)random_word();
        ended += WIFEXITED(status) || WIFSIGNALED(status);
    }
    say("%u hostile frames: %s", RUNS, ended == RUNS ? "all ended" : "lost");
}

const struct signal_case frame_cases[] = {{"registers", registers}, {"layout", layout},
                                          {"changes", changes},     {"spoilt", spoilt},
                                          {"hostile", hostile},     {NULL, NULL}};
