/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

/*
 * trap.c: the host's signals as the machine's interrupts and exceptions. Linux on x86-64.
 *
 * A handler runs on the CPU's alternate stack with further signals of ours blocked, and stays there
 * only to decide. If the guest has to do something about it (take an interrupt, handle a fault),
 * the handler copies the host's signal frame to the guest stack, below the red zone of the
 * interrupted function, and changes the original so that returning from the handler "returns" into
 * a function on the guest stack, just below that copy. There the guest may switch contexts as in
 * any function. When it comes back, the copy goes to the host as the frame of a signal whose
 * handler ends: every register, vectors too, is then as it was.
 *
 *     interrupted function's frames
 *     red zone, 128 bytes
 *     copy of the floating-point state, aligned to 64
 *     struct trap: copy of the ucontext, and the fault if it is one
 *     frames of the upcall
 *
 * The host remembers in a frame which alternate stack was set and which signals were blocked;
 * another thread may continue the guest after a while, or the same with another mask. The mask is
 * patched at the end: with the real clock all CPUs have the same, with the virtual clock nobody
 * interrupts that. The alternate stack cannot be: an interrupt just before the frame goes to the
 * host could move the guest once more. But the host leaves the stack of a thread alone when a frame
 * asks for one that cannot be, and so each frame is made to do that.
 *
 * User code is left in another way (user.c). What interrupts a handler only sets bits.
 *
 * ThreadSanitizer's own code cannot be interrupted so: it is not made to be entered again in its
 * midst. A signal that lands there is put off for a moment.
 *
 * Faults that are not the guest's (in the library, the host's libc, or another thread) go to
 * whoever had the signal before, so that a real bug is reported as ever.
 */
#include "host/host.h"

#include "board/machine.h"
#include "host/private.h"
#include "host/user.h"
#include "host/vectors.h"

#include <hal/upcall.h>

#include <errno.h>
#include <link.h>
#include <linux/audit.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <ucontext.h>
#include <unistd.h>

/* swap.S */
void swap_restorer(void);
void swap_sigreturn(void *frame);

enum {
    RED_ZONE = 128,
    FRAME_BYTES = offsetof(ucontext_t, uc_sigmask) + 8, /* of the host kernel's struct ucontext */
    ROOM = 4096 /* what the guest's stack must have left below the copy */
};

/* No mode of an alternate stack: the host refuses to set it, and goes on. */
enum { NO_SUCH_STACK = 4 };

/* Lies on a guest stack while the guest deals with a signal. */
struct trap {
    uint64_t frame[(FRAME_BYTES + 15) / 16 * 2]; /* first, and 16-aligned: the kernel reads it */
    bool masked;
    struct hal_fault fault;
};

/* SIGSYS is only ever user code's. */
static const int fault_signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
enum { FAULT_SIGNALS = sizeof fault_signals / sizeof *fault_signals };
static struct kernel_sigaction before[FAULT_SIGNALS + 1];
static uintptr_t where;

#define SA_RESTORER_FLAG 0x04000000ul

/*
 * For functions that end without returning, whose frames the next trap uses again: they must not
 * leave poisoned memory behind. And for those that touch a stack that is not theirs, or run before
 * it is known what they have interrupted.
 */
#define NO_REDZONES UNWATCHED __attribute__((no_sanitize("address")))

/* ---- moving the frame ---- */

/* Copies the frame below `sp`, or returns NULL if the stack that starts at `low` has no room. */
NO_REDZONES static struct trap *push(const ucontext_t *context, uint64_t sp, uint64_t low)
{
    size_t bytes = host_vectors_image_bytes(context->uc_mcontext.fpregs);
    uint64_t floats = (sp - RED_ZONE - bytes) & ~63ull;
    uint64_t at = (floats - sizeof(struct trap)) & ~15ull;
    if (at < low + ROOM || at > sp)
        return NULL;
    struct trap *trap = (struct trap *)(uintptr_t)at;
    copy_bytes((void *)(uintptr_t)floats, context->uc_mcontext.fpregs, bytes);
    if (bytes > 512) /* else it is of the old form, without a header */
        host_vectors_settle((uint8_t *)(uintptr_t)floats, 0);
    copy_bytes(trap->frame, context, FRAME_BYTES);
    ucontext_t *copy = (ucontext_t *)(void *)trap->frame;
    copy->uc_mcontext.fpregs = (void *)(uintptr_t)floats;
    copy->uc_stack.ss_flags = NO_SUCH_STACK;
    return trap;
}

/* Lets the handler return into function(trap), just below the copy. */
NO_REDZONES static void redirect(ucontext_t *context, uint64_t pc, uint64_t sp, uint64_t argument)
{
    const greg_t direction_and_trap = 0x500;
    greg_t *regs = context->uc_mcontext.gregs;
    regs[REG_RIP] = (greg_t)pc;
    regs[REG_RSP] = (greg_t)sp;
    regs[REG_RDI] = (greg_t)argument;
    regs[REG_EFL] &= ~direction_and_trap;
}

NO_REDZONES static void enter_trap(ucontext_t *context, struct trap *trap,
                                   void (*function)(struct trap *))
{
    redirect(context, (uint64_t)(uintptr_t)function, (uint64_t)(uintptr_t)trap - 8,
             (uint64_t)(uintptr_t)trap);
}

NO_REDZONES static void enter_abandon(struct cpu *cpu, ucontext_t *context)
{
    uint64_t pc, sp, argument;
    fiber_abandon_target(cpu, &pc, &sp, &argument);
    redirect(context, pc, sp, argument);
}

/* Ends the signal: the interrupted code goes on as if nothing had been. */
NO_REDZONES static void leave_trap(struct trap *trap)
{
    ucontext_t *frame = (ucontext_t *)(void *)trap->frame;
    uint64_t mask = host_cpu_mask(sim_cpu_this());
    copy_bytes(&frame->uc_sigmask, &mask, sizeof mask);
    swap_sigreturn(frame);
    __builtin_unreachable();
}

/* ---- on the guest stack ---- */

NO_REDZONES static void trap_interrupt(struct trap *trap)
{
    sim_cpu_take_and_unmask();
    leave_trap(trap);
}

/* Virtual clock: the caller of tb_run_* wants the CPU, and the guest does not call the HAL. */
NO_REDZONES static void trap_suspend(struct trap *trap)
{
    fiber_suspend_guest(sim_cpu_this());
    sim_cpu_leave();
    leave_trap(trap);
}

NO_REDZONES static void trap_fault(struct trap *trap)
{
    if (!sim_fault(&trap->fault))
        hal_board_stop(HAL_STOP_PANIC, 0);
    if (!trap->masked)
        sim_cpu_take_and_unmask();
    leave_trap(trap);
}

/* ---- on the alternate stack ---- */

NO_REDZONES static void attend_virtual(struct cpu *cpu, ucontext_t *context)
{
    uint64_t mask;
    copy_bytes(&mask, &context->uc_sigmask, sizeof mask);
    /* In a handler of the library's user, which interrupted the guest: a later signal will do. */
    if (!(atomic_load(&cpu->pending) & CPU_YIELD) || mask != host_cpu_mask(cpu))
        return;
    where = (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
    struct trap *trap = push(context, (uint64_t)context->uc_mcontext.gregs[REG_RSP], cpu->stack);
    (void)sim_cpu_enter();
    if (trap) {
        enter_trap(context, trap, trap_suspend);
    } else {
        atomic_store(&machine.power, POWER_OFF);
        enter_abandon(cpu, context);
    }
}

NO_REDZONES static void attend_real(struct cpu *cpu, ucontext_t *context)
{
    uint32_t pending;
    while ((pending = atomic_load(&cpu->pending)) & CPU_ATTENTION) {
        if (pending & CPU_CUT) {
            (void)sim_cpu_enter();
            enter_abandon(cpu, context);
            return;
        }
        sim_cpu_attend_real();
    }
    if (hal_irq_masked() || !(pending & cpu->enabled))
        return;
    struct trap *trap = push(context, (uint64_t)context->uc_mcontext.gregs[REG_RSP], cpu->stack);
    if (trap) {
        sim_cpu_mask();
        enter_trap(context, trap, trap_interrupt);
    }
}

static bool on_watch(struct cpu *cpu, ucontext_t *context);

/* It has interrupted user code, or what is around it. */
NO_REDZONES static void attend_user(struct cpu *cpu, ucontext_t *context, enum user_place place,
                                    bool watch)
{
    uint64_t ns;
    if (place == USER_HANDLER) { /* which ends soon; it may not be entered code that looks then */
        if (!sim_cpu_entered())
            host_timer_retry(cpu);
        return;
    }
    if (watch && !machine.real && host_watch_look(cpu, &ns))
        user_stalled("user code makes no system call (by the host's processor time); the virtual "
                     "clock cannot interrupt it",
                     ns);
    user_stop(context, HOST_USER_INTERRUPT);
}

NO_REDZONES static HAL_NOINLINE void attend(siginfo_t *info, ucontext_t *context,
                                            enum user_place place)
{
    int saved = errno;
    struct cpu *cpu = sim_cpu_this();
    bool watch = info->si_code == SI_TIMER && info->si_value.sival_int == HOST_WATCH_MARK;
    sim_cpu_look();
    if (!sim_cpu_is_here() || (place == USER_NOT && watch && on_watch(cpu, context)))
        return;
    if (machine.real && info->si_code == SI_TIMER && !watch) {
        host_timer_fired(cpu);
        atomic_fetch_or(&cpu->pending, CPU_TIMER);
    }
    if (place != USER_NOT) {
        attend_user(cpu, context, place, watch);
    } else if (!sim_cpu_entered()) {
        if (!tools_can_interrupt((uint64_t)context->uc_mcontext.gregs[REG_RIP]))
            host_timer_retry(cpu);
        else if (machine.real)
            attend_real(cpu, context);
        else
            attend_virtual(cpu, context);
    }
    errno = saved;
}

HANDLER static void on_attention(int signal, siginfo_t *info, void *argument)
{
    enum user_place place = user_arrive(argument);
    (void)signal;
    attend(info, argument, place);
    if (place == USER_HANDLER)
        user_go_on(place);
}

/* ---- faults ---- */

static const char *const register_names[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi",
                                             "rbp", "rsp", "r8",  "r9",  "r10", "r11",
                                             "r12", "r13", "r14", "r15", "rip", "efl"};
static const uint8_t register_index[] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI,
                                         REG_RBP, REG_RSP, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                         REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP, REG_EFL};

static const char *access_detail(const greg_t *regs)
{
    const greg_t error = regs[REG_ERR];
    if (regs[REG_TRAPNO] != 14)
        return "general protection fault: an address that cannot exist";
    if (error & 16)
        return "page fault on an instruction fetch";
    return error & 2 ? "page fault on a write" : "page fault on a read";
}

static void describe(struct hal_fault *fault, int signal, const siginfo_t *info, const greg_t *regs)
{
    fault->address = (uint64_t)(uintptr_t)info->si_addr;
    switch (signal) {
    case SIGSEGV:
        fault->kind = sim_memory_is_guarded(fault->address) ? HAL_FAULT_STACK : HAL_FAULT_ACCESS;
        fault->detail = access_detail(regs);
        break;
    case SIGBUS:
        fault->kind = info->si_code == BUS_ADRALN ? HAL_FAULT_ALIGNMENT : HAL_FAULT_ACCESS;
        fault->detail = "bus error";
        break;
    case SIGFPE:
        fault->kind = HAL_FAULT_ARITHMETIC;
        fault->detail = info->si_code == FPE_INTDIV ? "division by zero" : "arithmetic exception";
        break;
    case SIGILL:
        fault->kind = HAL_FAULT_INSTRUCTION;
        fault->detail = "invalid instruction";
        break;
    default:
        fault->kind = regs[REG_TRAPNO] == 3 ? HAL_FAULT_BREAKPOINT : HAL_FAULT_OTHER;
        fault->detail = regs[REG_TRAPNO] == 3 ? "breakpoint" : "debug exception";
        break;
    }
}

/* What was being done. */
NO_REDZONES static void fill_state(struct hal_fault *fault, const ucontext_t *context)
{
    const greg_t *regs = context->uc_mcontext.gregs;
    fault->pc = (uintptr_t)regs[REG_RIP];
    fault->frame = (uintptr_t)regs[REG_RBP];
    fault->code = (uint64_t)regs[REG_TRAPNO];
    fault->registers.count = sizeof register_index;
    fault->registers.names = register_names;
    for (unsigned i = 0; i < sizeof register_index; i++)
        fault->registers.values[i] = (uint64_t)regs[register_index[i]];
}

static void fill_fault(struct hal_fault *fault, int signal, const siginfo_t *info,
                       const ucontext_t *context)
{
    fill_state(fault, context);
    describe(fault, signal, info, context->uc_mcontext.gregs);
    fault->pc -= fault->kind == HAL_FAULT_BREAKPOINT;
}

/* Copies the frame to where the guest can handle it: its stack, or the spare one if that is full.
 */
static struct trap *push_fault(const struct cpu *cpu, const ucontext_t *context)
{
    void *spare;
    size_t bytes;
    uint64_t sp = (uint64_t)context->uc_mcontext.gregs[REG_RSP];
    struct trap *trap = NULL;
    sim_memory_fault_stack(sim_cpu_number(cpu), &spare, &bytes);
    if (sp - (uint64_t)(uintptr_t)spare <= bytes)
        return push(context, sp, (uint64_t)(uintptr_t)spare);
    if (sp - cpu->stack < cpu->stack_bytes)
        trap = push(context, sp, cpu->stack);
    if (trap)
        return trap;
    sim_memory_open_stack(spare, bytes);
    return push(context, (uint64_t)(uintptr_t)spare + bytes, (uintptr_t)spare);
}

/* A look at a CPU that may not come on. True: it does not, and the guest is told so. */
NO_REDZONES static bool on_watch(struct cpu *cpu, ucontext_t *context)
{
    uint64_t ns = 0, mask;
    const uint64_t pc = (uint64_t)context->uc_mcontext.gregs[REG_RIP];
    copy_bytes(&mask, &context->uc_sigmask, sizeof mask);
    if (sim_cpu_entered() || mask != host_cpu_mask(cpu) || !tools_can_interrupt(pc))
        return false;
    const char *detail = host_watch_look(cpu, &ns);
    struct trap *trap = detail ? push_fault(cpu, context) : NULL;
    if (!trap)
        return false;
    fill_state(&trap->fault, context);
    trap->fault.kind = HAL_FAULT_STALL;
    trap->fault.address = ns;
    trap->fault.detail = detail;
    trap->masked = hal_irq_masked();
    sim_cpu_mask();
    enter_trap(context, trap, trap_fault);
    return true;
}

/* The signal is not for the guest: to whoever had it before, or the host's default. */
static void pass_on(unsigned index, int signal, siginfo_t *info, void *context)
{
    const struct kernel_sigaction *old = &before[index];
    if ((uintptr_t)old->handler > (uintptr_t)SIG_IGN) { /* neither SIG_DFL, 0, nor SIG_IGN, 1 */
        old->handler(signal, info, context);
        return;
    }
    (void)syscall(SYS_rt_sigaction, signal, old, NULL, 8);
    if (info->si_code <= 0) /* sent by somebody: it will not happen again by itself */
        (void)syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal);
}

static unsigned fault_index(int signal)
{
    unsigned index = 0;
    while (fault_signals[index] != signal)
        index++;
    return index;
}

NO_REDZONES static HAL_NOINLINE void fault(int signal, siginfo_t *info, ucontext_t *context)
{
    struct cpu *cpu = sim_cpu_this();
    if (signal == SIGSYS || sim_cpu_entered() || info->si_code <= 0 ||
        host_cpu_on_alternate((uintptr_t)context->uc_mcontext.gregs[REG_RSP])) {
        pass_on(fault_index(signal), signal, info, context);
        return;
    }
    int saved = errno;
    struct trap *trap = push_fault(cpu, context);
    if (trap) {
        fill_fault(&trap->fault, signal, info, context);
        trap->masked = hal_irq_masked();
        sim_cpu_mask();
        enter_trap(context, trap, trap_fault);
    } else { /* a fault while handling faults, and no stack is left */
        (void)sim_cpu_enter();
        machine.stop = HAL_STOP_PANIC;
        atomic_store(&machine.power, POWER_STOPPING);
        enter_abandon(cpu, context);
    }
    errno = saved;
}

/* User code has done something that the processor refuses, or made a system call. */
NO_REDZONES static HAL_NOINLINE void fault_of_user(int signal, siginfo_t *info, ucontext_t *context)
{
    if (info->si_code > 0 && signal != SIGSYS)
        user_stop_now(HOST_USER_FAULT);
    if (signal == SIGSYS && info->si_code > 0)
        user_stop_now(info->si_arch == AUDIT_ARCH_X86_64 ? HOST_USER_CALL : HOST_USER_OLD_CALL);
    pass_on(fault_index(signal), signal, info, context);
    user_go_on(USER_CODE);
}

HANDLER static void on_fault(int signal, siginfo_t *info, void *argument)
{
    /* A step from the program's code to its stub is none: the next one is. */
    if (signal == SIGTRAP && user_begins_stub(argument))
        return;
    enum user_place place = user_arrive(argument);
    if (place == USER_CODE)
        fault_of_user(signal, info, argument);
    else
        fault(signal, info, argument);
}

void hal_cpu_breakpoint(void)
{
    __asm__ volatile("int3");
}

/* ---- installing ---- */

/* The kernel and its simulator, as the host has loaded them. */
static struct {
    uintptr_t base, start;
    size_t bytes;
    const char *path; /* "": the program itself */
} code;

static int find_code(struct dl_phdr_info *info, size_t size, void *argument)
{
    uintptr_t here = (uintptr_t)find_code;
    (void)size;
    (void)argument;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type == PT_LOAD &&
            here - info->dlpi_addr - header->p_vaddr < header->p_memsz) {
            code.base = info->dlpi_addr;
            code.start = info->dlpi_addr + header->p_vaddr;
            code.bytes = header->p_memsz;
            code.path = info->dlpi_name;
            return 1;
        }
    }
    return 0;
}

int trap_install(int signal, void (*handler)(int, siginfo_t *, void *), unsigned long flags,
                 struct kernel_sigaction *old)
{
    struct kernel_sigaction action = {
        handler, flags | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_RESTORER_FLAG, swap_restorer, 0};
    return syscall(SYS_rt_sigaction, signal, &action, old, 8) ? -errno : 0;
}

int host_traps_install(void)
{
    (void)dl_iterate_phdr(find_code, NULL);
    host_user_open();
    int error = trap_install(HOST_SIGNAL, on_attention, 0, &before[FAULT_SIGNALS]);
    for (unsigned i = 0; i < FAULT_SIGNALS && !error; i++)
        error = trap_install(fault_signals[i], on_fault, SA_NODEFER, &before[i]);
    if (error)
        host_user_close();
    return error;
}

void host_traps_remove(void)
{
    /* Ignoring it first drops those that are still on their way to a thread. */
    struct kernel_sigaction ignore = {.flags = SA_RESTORER_FLAG, .restorer = swap_restorer};
    ignore.handler = (void (*)(int, siginfo_t *, void *))(uintptr_t)SIG_IGN;
    (void)syscall(SYS_rt_sigaction, HOST_SIGNAL, &ignore, NULL, 8);
    for (unsigned i = 0; i < FAULT_SIGNALS; i++)
        (void)syscall(SYS_rt_sigaction, fault_signals[i], &before[i], NULL, 8);
    (void)syscall(SYS_rt_sigaction, HOST_SIGNAL, &before[FAULT_SIGNALS], NULL, 8);
    host_user_close();
}

uintptr_t host_trap_where(void)
{
    uintptr_t at = where;
    where = 0;
    return at;
}

uintptr_t host_code_base(void)
{
    return code.base;
}

const char *host_code_path(void)
{
    return code.path && code.path[0] ? code.path : "/proc/self/exe";
}

NO_REDZONES bool host_code_holds(uint64_t pc)
{
    return pc - code.start < code.bytes;
}
