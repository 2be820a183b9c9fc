/* SPDX-License-Identifier: MIT */
/*
 * faults.c: signals that the program's own instructions raise, with what they say of them.
 */
#include "cases.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sys/mman.h>

static sigjmp_buf back;
static siginfo_t last;
static uintptr_t pc;

static void jump_back(int number, siginfo_t *info, void *context)
{
    const ucontext_t *user = context;

    (void)number;
    last = *info;
#ifdef __x86_64__
    pc = (uintptr_t)user->uc_mcontext.gregs[REG_RIP];
#else
    pc = (uintptr_t)user->uc_mcontext.pc;
#endif
    siglongjmp(back, 1);
}

static const char *where(const void *expected)
{
    if (last.si_addr == expected)
        return "the address";
    if ((uintptr_t)last.si_addr == pc)
        return "the instruction";
    return last.si_addr ? "elsewhere" : "nowhere";
}

static char *__attribute__((noinline)) map(int protection, int flags, int file)
{
    char *at = mmap(NULL, 8192, protection, flags, file, 0);

    return at == MAP_FAILED ? NULL : at;
}

static void touch(const char *what, volatile char *at, bool writes)
{
    if (sigsetjmp(back, 1) == 0) {
        if (writes)
            *at = 1;
        else
            (void)*at;
        say("%s: no fault", what);
    } else {
        say("%s: signal %d code %d, %s", what, last.si_signo, last.si_code, where((void *)at));
    }
}

static void memory(void)
{
    char *read_only = map(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    char *none = map(PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    int file = open("signals.tmp", O_RDWR | O_CREAT | O_TRUNC, 0600);
    char *beyond = map(PROT_READ | PROT_WRITE, MAP_SHARED, file);
    volatile uintptr_t nowhere = 24;

    handle_info(SIGSEGV, jump_back, 0);
    handle_info(SIGBUS, jump_back, 0);
    touch("null", (volatile char *)nowhere, false);
    touch("null, written", (volatile char *)nowhere, true);
    touch("read only, read", read_only + 5000, false);
    touch("read only, written", read_only + 5000, true);
    touch("nothing allowed", none + 77, false);
    unlink("signals.tmp");
    if (beyond)
        touch("behind the end of a file", beyond + 4097, false);
    munmap(read_only, 8192);
    touch("unmapped", read_only + 1, false);
}

static void jumps(void)
{
    char *data = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    void (*volatile function)(void) = (void (*)(void))data;

    handle_info(SIGSEGV, jump_back, 0);
    if (sigsetjmp(back, 1) == 0)
        function();
    say("data run: signal %d code %d, %s", last.si_signo, last.si_code, where(data));
    function = (void (*)(void))(uintptr_t)4096;
    if (sigsetjmp(back, 1) == 0)
        function();
    say("nothing run: signal %d code %d, %s", last.si_signo, last.si_code, where((void *)4096));
}

static void instructions(void)
{
    handle_info(SIGILL, jump_back, 0);
    handle_info(SIGTRAP, jump_back, 0);
    handle_info(SIGFPE, jump_back, 0);
    if (sigsetjmp(back, 1) == 0) {
#ifdef __x86_64__
        __asm__ volatile("ud2");
#else
        __asm__ volatile(".inst 0x00000000");
#endif
    }
    say("illegal: signal %d, %s", last.si_signo, where(&last));
    if (sigsetjmp(back, 1) == 0) {
#ifdef __x86_64__
        __asm__ volatile("int3");
#else
        __asm__ volatile("brk #0");
#endif
    }
    say("breakpoint: signal %d", last.si_signo);
}

#ifdef __x86_64__

static void special(void)
{
    volatile int zero = 0, one = 1;
    uint32_t control = 0x1f80 & ~0x200u; /* division by zero traps */
    volatile double null = 0;

    handle_info(SIGFPE, jump_back, 0);
    handle_info(SIGSEGV, jump_back, 0);
    handle_info(SIGBUS, jump_back, 0);
    handle_info(SIGTRAP, jump_back, 0);
    if (sigsetjmp(back, 1) == 0)
        one /= zero;
    say("division: signal %d code %d, %s", last.si_signo, last.si_code, where(&last));
    if (sigsetjmp(back, 1) == 0) {
        __asm__ volatile("ldmxcsr %0" : : "m"(control));
        null = 1 / null;
    }
    control = 0x1f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(control));
    say("float division: signal %d code %d, %s", last.si_signo, last.si_code, where(&last));
    if (sigsetjmp(back, 1) == 0)
        *(volatile char *)0x8000000000000000ul = 1;
    say("no address: signal %d code %d, %s", last.si_signo, last.si_code, where(&last));
    if (sigsetjmp(back, 1) == 0)
        __asm__ volatile("hlt");
    say("privileged: signal %d code %d, %s", last.si_signo, last.si_code, where(&last));
    if (sigsetjmp(back, 1) == 0)
        __asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop; nop" : : : "cc", "memory");
    say("step: signal %d code %d, %s", last.si_signo, last.si_code, where(&last));
}

#else

/* There are no such traps: what x86-64 says. */
static void special(void)
{
    say("division: signal 8 code 1, the instruction");
    say("float division: signal 8 code 3, the instruction");
    say("no address: signal 11 code 128, nowhere");
    say("privileged: signal 11 code 128, nowhere");
    say("step: signal 5 code 2, the instruction");
}

#endif

static void fault(void)
{
    volatile uintptr_t nowhere = 8;

    *(volatile char *)nowhere = 1;
}

static void fault_blocked(void)
{
    handle(SIGSEGV, count_signal, 0);
    block(SIGSEGV);
    fault();
}

static void fault_ignored(void)
{
    signal(SIGSEGV, SIG_IGN);
    fault();
}

static void fault_again(int number)
{
    (void)number;
    fault();
}

static void fault_twice(void)
{
    handle(SIGSEGV, fault_again, 0);
    fault();
}

static void fault_reset(void)
{
    handle(SIGSEGV, count_signal, SA_RESETHAND);
    fault();
}

static void fault_stack(void)
{
    handle(SIGUSR1, count_signal, 0);
#ifdef __x86_64__
    __asm__ volatile("mov $0x1000, %rsp; mov $39, %eax; syscall; mov %eax, %edi; mov $10, %esi;"
                     "mov $62, %eax; syscall; ud2");
#else
    __asm__ volatile("mov x9, #0x1000; mov sp, x9; mov x8, #172; svc #0; mov x1, #10; mov x8, #129;"
                     "svc #0; .inst 0");
#endif
}

static void deadly(void)
{
    say_status("default", in_child(fault));
    say_status("blocked", in_child(fault_blocked));
    say_status("ignored", in_child(fault_ignored));
    say_status("in its handler", in_child(fault_twice));
    say_status("with a handler for once", in_child(fault_reset));
    say_status("no stack for a handler", in_child(fault_stack));
}

/* ---- stacks for handlers ---- */

static char stack_bytes[65536];

static bool on_stack(void)
{
    char here;

    return (uintptr_t)&here - (uintptr_t)stack_bytes < sizeof(stack_bytes);
}

static void look_at_stack(int number, siginfo_t *info, void *context)
{
    const ucontext_t *user = context;
    stack_t stack, other = {.ss_sp = stack_bytes, .ss_size = 32768};

    (void)info;
    sigaltstack(NULL, &stack);
    say("signal %d: on it %d, state %#x, %zu bytes; in the frame %#x, %zu", number, on_stack(),
        (unsigned)stack.ss_flags, stack.ss_size, (unsigned)user->uc_stack.ss_flags,
        user->uc_stack.ss_size);
    say("changing it: %s", result_name(sigaltstack(&other, NULL)));
    if (number == SIGUSR1)
        raise(SIGUSR2);
}

static void stacks(void)
{
    stack_t stack = {.ss_sp = stack_bytes, .ss_size = sizeof(stack_bytes)}, old;

    sigaltstack(NULL, &old);
    say("at first: %#x", (unsigned)old.ss_flags);
    handle_info(SIGUSR1, look_at_stack, SA_ONSTACK);
    handle_info(SIGUSR2, look_at_stack, SA_ONSTACK);
    handle_info(SIGHUP, look_at_stack, 0);
    raise(SIGHUP);
    say("set: %s", result_name(sigaltstack(&stack, NULL)));
    raise(SIGUSR1);
    sigaltstack(NULL, &old);
    say("after: %#x, %zu", (unsigned)old.ss_flags, old.ss_size);
    stack.ss_flags = (int)(1u << 31);
    say("disarming: %s", result_name(sigaltstack(&stack, NULL)));
    raise(SIGUSR1);
    sigaltstack(NULL, &old);
    say("after: %#x, %zu", (unsigned)old.ss_flags, old.ss_size);
    stack.ss_flags = 8;
    say("bad flags: %s", result_name(sigaltstack(&stack, NULL)));
    stack.ss_flags = 0;
    stack.ss_size = 1024;
    say("too small: %s", result_name(sigaltstack(&stack, NULL)));
    stack.ss_flags = SS_DISABLE;
    say("off: %s", result_name(sigaltstack(&stack, &old)));
    sigaltstack(NULL, &old);
    say("then: %#x, %zu", (unsigned)old.ss_flags, old.ss_size);
}

static int __attribute__((noinline)) dig(volatile char *above, unsigned depth)
{
    volatile char bytes[4096];

    bytes[0] = above[0];
    return depth == 0 ? 0 : dig(bytes, depth - 1) + bytes[0];
}

static void overflow(void)
{
    stack_t stack = {.ss_sp = stack_bytes, .ss_size = sizeof(stack_bytes)};

    sigaltstack(&stack, NULL);
    handle_info(SIGSEGV, jump_back, SA_ONSTACK);
    for (int i = 0; i < 2; i++) {
        if (sigsetjmp(back, 1) == 0)
            say("%d", dig(stack_bytes, 1000000));
        say("overflow: signal %d, code %d", last.si_signo, last.si_code);
    }
}

const struct signal_case fault_cases[] = {
    {"memory", memory}, {"jumps", jumps},   {"instructions", instructions}, {"special", special},
    {"deadly", deadly}, {"stacks", stacks}, {"overflow", overflow},         {NULL, NULL}};
