/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

/*
 * user.c: user code, run natively. Linux on x86-64.
 *
 * The registers that a signal's frame holds are all that a program owns but for the bases of FS and
 * GS. So user code is entered by ending a signal that never was: rt_sigreturn from a frame that is
 * kept in struct hal_user; or, as this takes the host a while, by doing what the host would: the
 * processor's return from an interrupt, which is no privilege, sets counter, flags and stack
 * pointer at once. It is left by a real signal, whose handler copies the frame back there and goes
 * on in user_enter's caller:
 *
 *     SIGSYS                  a system call: those from below HAL_USER_END are not made but
 *                             reported, by Syscall User Dispatch or by a seccomp filter
 *     SIGSEGV SIGBUS SIGFPE   what the processor refuses
 *     SIGILL SIGTRAP
 *     the CPU's own signal    time is up, or somebody wants the CPU
 *
 * And, for system calls that happen often, by a stub and the gate (gate.h, user.S), without the
 * host.
 *
 * Which CPU a handler is on it learns from the alternate stack that the frame says the thread has,
 * since FS, and with it all of the thread's own variables, may be the program's.
 *
 * Faults' and calls' handlers end without telling the host: they were entered with no more signals
 * blocked than before, and the host does not count how deep in handlers a thread is.
 */
#include "host/user.h"

#include "board/machine.h"
#include "host/gate.h"
#include "host/vectors.h"

#include <hal/aspace.h>
#include <hal/user.h>

#include <errno.h>
#include <immintrin.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

/* user.S, which knows where the first members are. */
struct user_side {
    uint64_t *volatile running; /* the frame, from before FS is the program's to when it is saved */
    void *sp;                   /* the kernel's, in user_enter */
    _Atomic uint32_t *pending;
    uint32_t wanted;
    uint32_t by_instruction; /* the bases can be set without the host */
    uint64_t fs, gs;         /* the program's, on the way in */
    uint64_t *jump; /* as the processor's return from an interrupt takes it; NULL: sigreturn */
    uint8_t *image;
    uint64_t features;
    uint64_t host_fs;
    uint64_t nested_fs; /* what a handler's handler puts back */
    uint64_t gate_sp, gate_rax;
    uint32_t behind_call; /* the way in may end as a call of the host's does */
    struct hal_user *user;
    uintptr_t alternate; /* the thread's alternate stack; 0: no thread plays this CPU */
    size_t alternate_bytes;
    bool dispatching; /* the thread's system calls from user code are reported */
    const char *stalled;
    uint64_t stalled_for;
    uint64_t gate_gs; /* what GS has for a program that has not set it; 0: no calls are patched */
};

long user_enter(struct user_side *side, void *frame);
void user_leave(void);
HAL_NORETURN void user_leave_now(void *sp, long why);
void user_gate(void);
extern const char user_way_in[], user_way_in_end[], user_gate_switched[], user_gate_end[];

static struct user_side sides[HAL_CPU_MAX];

enum how { BY_DISPATCH, BY_FILTER };

static struct {
    bool reserved, hides, by_instruction, calls_host;
    enum how how;
    const char *refusal;
} user;

/* ---- bases ---- */

static inline HANDLER long call2(long number, long a, long b)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b)
                     : "rcx", "r11", "memory");
    return result;
}

static long call4(long number, long a, long b, long c, long d)
{
    register long fourth __asm__("r10") = d;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth)
                     : "rcx", "r11", "memory");
    return result;
}

enum { SET_GS = 0x1001, SET_FS = 0x1002, GET_FS = 0x1003, GET_GS = 0x1004 };

static inline HANDLER uint64_t read_fs(const struct user_side *side)
{
    uint64_t base = 0;
    if (side->by_instruction)
        __asm__ volatile("rdfsbase %0" : "=r"(base));
    else
        (void)call2(SYS_arch_prctl, GET_FS, (long)(uintptr_t)&base);
    return base;
}

static inline HANDLER uint64_t read_gs(const struct user_side *side)
{
    uint64_t base = 0;
    if (side->by_instruction)
        __asm__ volatile("rdgsbase %0" : "=r"(base));
    else
        (void)call2(SYS_arch_prctl, GET_GS, (long)(uintptr_t)&base);
    return base;
}

static inline HANDLER void write_fs(const struct user_side *side, uint64_t base)
{
    if (side->by_instruction)
        __asm__ volatile("wrfsbase %0" : : "r"(base) : "memory");
    else
        (void)call2(SYS_arch_prctl, SET_FS, (long)base);
}

/* ---- in handlers ---- */

static inline HANDLER uint8_t *image_of(struct hal_user *of)
{
    return (uint8_t *)(((uintptr_t)of->vectors + 63) & ~(uintptr_t)63);
}

static inline HANDLER struct user_side *side_of(const ucontext_t *context)
{
    uintptr_t stack = (uintptr_t)context->uc_stack.ss_sp;
    for (unsigned i = 0; i < HAL_CPU_MAX && stack; i++)
        if (sides[i].alternate == stack)
            return &sides[i];
    return NULL;
}

/* From the general registers to the address that a page fault was at. */
enum {
    FRAME_REGISTERS = 5,
    FRAME_RCX = 19,
    FRAME_RSP = 20,
    FRAME_RIP = 21,
    FRAME_FLAGS = 22,
    FRAME_SELECTORS = 23,
    FRAME_SAVED = 23,
    FRAME_VECTORS = 28,
    FRAME_MASK = 37
};

static inline HANDLER void save(struct user_side *side, const ucontext_t *context)
{
    struct hal_user *to = side->user;
    copy_bytes(to->frame + FRAME_REGISTERS, context->uc_mcontext.gregs, FRAME_SAVED * 8);
    copy_bytes(image_of(to), context->uc_mcontext.fpregs,
               host_vectors_image_bytes(context->uc_mcontext.fpregs));
}

/* A program may have set the flag by which misaligned accesses trap, and the host leaves it. */
static inline HANDLER void forbid_alignment_traps(const ucontext_t *context)
{
    const greg_t alignment_check = 0x40000;
    if (context->uc_mcontext.gregs[REG_EFL] & alignment_check)
        __asm__ volatile("leaq -128(%%rsp), %%rsp\n\t" /* the function may use the red zone */
                         "pushq $0x202\n\t"
                         "popfq\n\t"
                         "leaq 128(%%rsp), %%rsp"
                         :
                         :
                         : "cc", "memory");
}

static inline HANDLER bool is_in_gate(uintptr_t pc)
{
    return pc - (uintptr_t)user_gate < (uintptr_t)user_gate_end - (uintptr_t)user_gate;
}

/*
 * On its way from a patched system call to the kernel: the program is where it would be without the
 * patch. rcx and r11 are what its call changes anyway.
 */
static inline HANDLER void rewind_call(const struct user_side *side, greg_t *regs)
{
    const uintptr_t pc = (uintptr_t)regs[REG_RIP];
    const struct gate_record *record = gate_record_at(pc);
    if (record) {
        const uintptr_t at = pc % GATE_SLOT;
        regs[REG_RIP] = (greg_t)(at < record->moved ? record->start + at : record->call);
        if (record->other && at == record->other)
            regs[REG_RIP] = (greg_t)gate_other_way(pc);
    } else if (is_in_gate(pc)) {
        record = (const struct gate_record *)(uintptr_t)regs[REG_R11];
        regs[REG_RIP] = (greg_t)record->call;
        if (pc >= (uintptr_t)user_gate_switched) {
            regs[REG_RSP] = (greg_t)side->gate_sp;
            regs[REG_RAX] = (greg_t)side->gate_rax;
        }
    }
}

HANDLER bool user_begins_stub(const ucontext_t *context)
{
    const uintptr_t pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    return gate_record_at(pc) && pc % GATE_SLOT == 0;
}

HANDLER enum user_place user_arrive(ucontext_t *context)
{
    struct user_side *side = side_of(context);
    forbid_alignment_traps(context);
    if (!side)
        return USER_NOT;
    uintptr_t pc = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    uintptr_t sp = (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
    bool running = side->running;
    if (sp - side->alternate < side->alternate_bytes) {
        side->nested_fs = running ? read_fs(side) : side->host_fs;
        if (running)
            write_fs(side, side->host_fs);
        return USER_HANDLER;
    }
    if (!running) {
        if (is_in_gate(pc))
            write_fs(side, side->host_fs);
        return USER_NOT;
    }
    if (pc - (uintptr_t)user_way_in < (uintptr_t)user_way_in_end - (uintptr_t)user_way_in) {
        write_fs(side, side->host_fs);
        return USER_WAY_IN;
    }
    uint64_t gs = read_gs(side);
    rewind_call(side, context->uc_mcontext.gregs);
    side->user->fs = read_fs(side);
    side->user->gs = gs == side->gate_gs ? 0 : gs;
    write_fs(side, side->host_fs);
    save(side, context);
    side->running = NULL;
    return USER_CODE;
}

HANDLER static struct user_side *own_side(void)
{
    return &sides[host_index(sim_cpu_this())];
}

HANDLER void user_go_on(enum user_place place)
{
    struct user_side *side = own_side();
    if (place == USER_HANDLER) {
        if (side->running)
            write_fs(side, side->nested_fs);
    } else if (place == USER_CODE) {
        side->running = side->user->frame;
        write_fs(side, side->user->fs);
    }
}

HANDLER void user_stop(ucontext_t *context, enum host_user_why why)
{
    const greg_t code_and_stack = 0x33 | (greg_t)0x2b << 48, flags = 0x202;
    struct user_side *side = own_side();
    greg_t *regs = context->uc_mcontext.gregs;
    side->running = NULL;
    regs[REG_RIP] = (greg_t)(uintptr_t)user_leave;
    regs[REG_RSP] = (greg_t)(uintptr_t)side->sp;
    regs[REG_RAX] = (greg_t)why;
    regs[REG_EFL] = flags;
    regs[REG_CSGSFS] = code_and_stack;
    context->uc_mcontext.fpregs = NULL; /* as after a reset */
}

HANDLER void user_stop_now(enum host_user_why why)
{
    user_leave_now(own_side()->sp, (long)why);
}

HANDLER void user_stalled(const char *detail, uint64_t ns)
{
    struct user_side *side = own_side();
    side->stalled = detail;
    side->stalled_for = ns;
}

/* ---- running ---- */

/* What the thread's system calls from user addresses become: none of its own may be there. */
static int filter_calls(void)
{
    static _Thread_local bool filtered; /* for the life of the thread */
    const unsigned high = offsetof(struct seccomp_data, instruction_pointer) + 4;
    const unsigned low = offsetof(struct seccomp_data, instruction_pointer);
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, high),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, HAL_USER_END, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (filtered)
        return 0;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, 2, &program))
        return -errno;
    filtered = true;
    return 0;
}

static int dispatch_calls(bool on)
{
    const unsigned long top = 0x7ffffffff000ul;
    if (on)
        return prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, HAL_USER_END, top - HAL_USER_END, NULL);
    return prctl(PR_SET_SYSCALL_USER_DISPATCH, 0, 0, 0, 0);
}

static long begin_dispatching(void *argument)
{
    struct user_side *side = argument;
    int error = user.how == BY_DISPATCH ? dispatch_calls(true) : filter_calls();
    side->dispatching = !error;
    return 0;
}

/*
 * Whether the processor can be given these registers without the host's help: it would trap on the
 * way, where a program's counter or selectors cannot be; and the host may be asked for it.
 */
static bool can_jump(const struct user_side *side, const struct hal_user *of)
{
    const uint64_t code_and_stack = 0x33ull | 0x2bull << 48, selectors = 0xffff00000000ffffull;
    const uint64_t rip = of->frame[FRAME_RIP], step = 0x100;
    return side->by_instruction && !user.calls_host && rip >> 46 == 0 &&
           (of->frame[FRAME_SELECTORS] & selectors) == code_and_stack &&
           !(of->frame[FRAME_FLAGS] & step);
}

/* Whether it goes on where rcx says, as behind a system call. */
static bool is_behind_call(const struct hal_user *of)
{
    const uint64_t alignment_check = 0x40000;
    return of->frame[FRAME_RIP] == of->frame[FRAME_RCX] &&
           !(of->frame[FRAME_FLAGS] & alignment_check);
}

static void prepare_jump(struct user_side *side, struct hal_user *of)
{
    side->jump = NULL;
    side->image = image_of(of);
    side->features = host_vectors_features();
    if (!can_jump(side, of))
        return;
    side->jump = of->jump;
    side->behind_call = is_behind_call(of);
    of->jump[0] = of->frame[FRAME_RIP];
    of->jump[1] = 0x33;
    of->jump[2] = of->frame[FRAME_FLAGS];
    of->jump[3] = of->frame[FRAME_RSP];
    of->jump[4] = 0x2b;
}

/*
 * Virtual clock: the thread is the library's user's, whose signals' handlers need their thread's
 * variables and a stack; neither is there in user code. They wait.
 */
static void set_mask(uint64_t mask)
{
    (void)call4(SYS_rt_sigprocmask, SIG_SETMASK, (long)(uintptr_t)&mask, 0, sizeof mask);
}

enum host_user_why host_user_run(struct cpu *cpu, struct hal_user *of, uint32_t wanted)
{
    const uint64_t mask = host_cpu_mask(cpu), quiet = machine.real ? mask : ~host_cpu_signals();
    struct user_side *side = &sides[host_index(cpu)];
    if (!side->dispatching)
        (void)fiber_call_host(cpu, begin_dispatching, side);
    if (!side->dispatching)
        return HOST_USER_INTERRUPT;
    side->user = of;
    side->pending = &cpu->pending;
    side->wanted = wanted;
    side->fs = of->fs;
    side->gs = of->gs ? of->gs : side->gate_gs;
    of->frame[FRAME_VECTORS] = (uint64_t)(uintptr_t)image_of(of);
    of->frame[FRAME_MASK] = quiet;
    prepare_jump(side, of);
    if (quiet != mask)
        set_mask(quiet);
    const uint64_t used = host_vectors_used(side->image);
    long why = user_enter(side, of->frame);
    host_vectors_settle(side->image, used);
    if (quiet != mask)
        set_mask(mask);
    return (enum host_user_why)why;
}

const char *host_user_stalled(uint64_t *ns)
{
    struct user_side *side = own_side();
    const char *detail = side->stalled;
    *ns = side->stalled_for;
    side->stalled = NULL;
    return detail;
}

void host_user_adopt(struct cpu *cpu)
{
    struct user_side *side = &sides[host_index(cpu)];
    stack_t stack = host_cpu_alternate(cpu);
    side->running = NULL;
    side->by_instruction = user.by_instruction;
    side->gate_gs = gate_set_cpu(host_index(cpu), side);
    (void)call2(SYS_arch_prctl, GET_FS, (long)(uintptr_t)&side->host_fs);
    side->dispatching = false;
    side->alternate_bytes = stack.ss_size;
    side->alternate = (uintptr_t)stack.ss_sp;
}

void host_user_disown(struct cpu *cpu)
{
    struct user_side *side = &sides[host_index(cpu)];
    if (side->dispatching && user.how == BY_DISPATCH)
        (void)dispatch_calls(false);
    side->dispatching = false;
    side->alternate = 0;
}

uint64_t host_user_capabilities(unsigned which)
{
    return getauxval(which ? AT_HWCAP2 : AT_HWCAP);
}

/* ---- opening ---- */

static bool choose_how(const char *wishes)
{
    if (!strstr(wishes, "seccomp") && dispatch_calls(true) == 0) {
        user.how = BY_DISPATCH;
        return dispatch_calls(false) == 0;
    }
    user.how = BY_FILTER;
    return prctl(PR_SET_SECCOMP, 2, NULL) && errno == EFAULT;
}

/* The user addresses are nobody's from now on. */
static bool reserve(void)
{
    const size_t bytes = HAL_USER_END - HAL_USER_START;
    long at =
        host_map_user(HAL_USER_START, bytes, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    user.reserved = at == HAL_USER_START;
    if (at != -1 && !user.reserved) /* an old kernel takes the address as a hint */
        (void)syscall(SYS_munmap, at, bytes);
    return user.reserved;
}

static const char *find_refusal(const char *wishes)
{
    if (tools_run_signals())
        return "Valgrind plays the processor itself and cannot run user code; it runs the kernel "
               "and its shell only";
    if (!host_vectors_open())
        return "the host's signal frames are not as expected: no XSAVE image, or too large a one";
    if (!choose_how(wishes))
        return "the host has neither Syscall User Dispatch (Linux 5.11) nor seccomp filters";
    if (!reserve())
        return "addresses below 0x7fff0000 are in use: build the program as a position-independent "
               "executable, and see that vm.mmap_min_addr is at most 65536";
    return NULL;
}

void host_user_open(void)
{
    const char *wishes = getenv("TAYBERRY_USER");
    wishes = wishes ? wishes : "";
    memset(&user, 0, sizeof user);
    user.by_instruction = (getauxval(AT_HWCAP2) & 2) && !strstr(wishes, "prctl");
    user.calls_host = strstr(wishes, "sigreturn");
    user.hides = strstr(wishes, "hide");
    user.refusal = find_refusal(wishes);
    if (!user.refusal && user.by_instruction && !strstr(wishes, "nopatch"))
        gate_open((uintptr_t)user_gate);
}

void host_user_close(void)
{
    gate_close();
    if (user.reserved)
        (void)syscall(SYS_munmap, HAL_USER_START, HAL_USER_END - HAL_USER_START);
    user.reserved = false;
}

const char *host_user_refusal(void)
{
    return user.refusal;
}

bool host_user_hides(void)
{
    return user.hides;
}
