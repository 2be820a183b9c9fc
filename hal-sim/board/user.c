/* SPDX-License-Identifier: MIT */
/*
 * user.c: running user code, and what the kernel sees of its registers.
 *
 * struct hal_user keeps the host's signal frame (machine_user.h); its general registers are words
 * of it, one after another. The way in and out is host/user.c's. Here is what happens to a stop:
 *
 *     a fault on a page that the tables have    a view is made; user code goes on (aspace.c)
 *     a signal for the CPU                      the interrupt is taken; INTERRUPT
 *     anything else                             an event for the kernel
 *
 * Each time that user code is left is an interrupt point. With the virtual clock it is the only
 * kind there: user code is not interrupted elsewhere. With `user_step` it is left after each
 * instruction, by the processor's own means for debuggers, so that it can be interrupted anywhere,
 * and at the same places in each run; a step that nobody asked for is told as an interrupt. If the
 * caller of tb_run_* wants the host's thread then, the guest is suspended as anywhere, and user
 * code goes on later, without the kernel being told.
 */
#include "board/aspace.h"

#include "host/host.h"
#include "host/vectors.h"

#include <hal/errno.h>
#include <hal/runtime.h>
#include <hal/upcall.h>
#include <hal/user.h>

/* Words of the frame. */
enum {
    FLAGS,
    STACK_MODE = 3, /* the low half */
    FIRST_REGISTER = 5,
    ARGUMENT_R8 = 5,
    ARGUMENT_R9 = 6,
    ARGUMENT_R10 = 7,
    REGISTER_R11 = 8,
    ARGUMENT_RDI = 13,
    ARGUMENT_RSI = 14,
    REGISTER_RBP = 15,
    ARGUMENT_RDX = 17,
    REGISTER_RAX = 18,
    REGISTER_RSP = 20,
    REGISTER_RIP = 21,
    REGISTER_FLAGS = 22,
    SELECTORS = 23,
    ERROR = 24,
    TRAP = 25,
    ADDRESS = 27
};

enum {
    FRAME_FLAGS = 7, /* XSAVE image, SS to be restored, in any case */
    NO_SUCH_STACK = 4,
    CALL_BYTES = 2, /* of the instruction */
    COST_TRAP = 400
};

/* x86's traps. */
enum {
    TRAP_DIVIDE = 0,
    TRAP_DEBUG = 1,
    TRAP_BREAKPOINT = 3,
    TRAP_INSTRUCTION = 6,
    TRAP_STACK = 12,
    TRAP_PROTECTION = 13,
    TRAP_PAGE = 14,
    TRAP_FLOAT = 16,
    TRAP_ALIGNMENT = 17,
    TRAP_SIMD = 19
};

#define SINGLE_STEP 0x100ull
#define OWN_FLAGS 0x40dd5ull /* those that programs may set */
#define FIXED_FLAGS 0x202ull
#define USER_SELECTORS (0x33ull | 0x2bull << 48)

static uint8_t *image_of(const struct hal_user *user)
{
    return (uint8_t *)(((uintptr_t)user->vectors + 63) & ~(uintptr_t)63);
}

void hal_user_init(struct hal_user *user, uintptr_t pc, uintptr_t sp)
{
    memset(user, 0, offsetof(struct hal_user, poked));
    __atomic_store_n(&user->poked, 0, __ATOMIC_RELAXED);
    user->frame[FLAGS] = FRAME_FLAGS;
    user->frame[STACK_MODE] = NO_SUCH_STACK;
    user->frame[SELECTORS] = USER_SELECTORS;
    user->frame[REGISTER_FLAGS] = FIXED_FLAGS;
    user->frame[REGISTER_RIP] = pc;
    user->frame[REGISTER_RSP] = sp;
    if (!host_user_refusal())
        host_vectors_init(image_of(user));
}

void hal_user_copy(struct hal_user *to, const struct hal_user *from)
{
    memcpy(to->frame, from->frame, sizeof to->frame);
    to->fs = from->fs;
    to->gs = from->gs;
    to->step = from->step;
    memcpy(image_of(to), image_of(from), HAL_USER_VECTORS);
    __atomic_store_n(&to->poked, 0, __ATOMIC_RELAXED);
}

void hal_user_poke(struct hal_user *user)
{
    __atomic_store_n(&user->poked, 1, __ATOMIC_SEQ_CST);
}

static bool take_poke(struct hal_user *user)
{
    return __atomic_load_n(&user->poked, __ATOMIC_SEQ_CST) &&
           __atomic_exchange_n(&user->poked, 0, __ATOMIC_SEQ_CST);
}

const char *hal_user_refusal(void)
{
    return host_user_refusal();
}

bool hal_user_is_interruptible(void)
{
    return machine.real || machine.user_step;
}

/* ---- events ---- */

static unsigned wanted_access(uint64_t error)
{
    if (error & 16)
        return HAL_USER_EXECUTE;
    return error & 2 ? HAL_USER_WRITE : HAL_USER_READ;
}

static enum hal_user_trap trap_of(uint64_t trap)
{
    switch (trap) {
    case TRAP_DIVIDE:
    case TRAP_FLOAT:
    case TRAP_SIMD:
        return HAL_USER_ARITHMETIC;
    case TRAP_DEBUG:
        return HAL_USER_STEP;
    case TRAP_BREAKPOINT:
        return HAL_USER_BREAKPOINT;
    case TRAP_INSTRUCTION:
        return HAL_USER_INSTRUCTION;
    case TRAP_STACK:
    case TRAP_PROTECTION:
    case TRAP_PAGE:
        return HAL_USER_ACCESS;
    case TRAP_ALIGNMENT:
        return HAL_USER_ALIGNMENT;
    default:
        return HAL_USER_OTHER;
    }
}

static void tell_fault(const struct hal_user *user, struct hal_user_event *event)
{
    uint64_t trap = user->frame[TRAP], error = user->frame[ERROR];
    event->trap = trap_of(trap);
    event->code = trap | error << 32;
    event->address = trap == TRAP_PAGE ? (uintptr_t)user->frame[ADDRESS] : UINTPTR_MAX;
    event->access = trap == TRAP_PAGE ? wanted_access(error) : 0;
}

/* `steps`: this is not the program's own doing. */
static void tell(struct hal_user *user, enum host_user_why why, bool steps,
                 struct hal_user_event *event)
{
    *event = (struct hal_user_event){.trap = HAL_USER_INTERRUPT};
    if (why == HOST_USER_CALL || why == HOST_USER_PATCHED_CALL)
        event->trap = HAL_USER_CALL;
    if (why == HOST_USER_FAULT)
        tell_fault(user, event);
    if (why == HOST_USER_OLD_CALL) { /* as if the host had not been built for 32-bit programs */
        user->frame[REGISTER_RIP] -= CALL_BYTES;
        user->frame[TRAP] = TRAP_PROTECTION;
        user->frame[ERROR] = 0;
        tell_fault(user, event);
    }
    if (event->trap == HAL_USER_STEP && steps && !user->step)
        event->trap = HAL_USER_INTERRUPT;
    if (steps) {
        user->frame[REGISTER_FLAGS] &= ~SINGLE_STEP;
        if (why == HOST_USER_CALL)
            user->frame[REGISTER_R11] &= ~SINGLE_STEP;
    }
}

/* The host leaves there what the last fault of its thread was, also for a call: that is no state of
 * the machine. */
static void forget_fault(struct hal_user *user)
{
    user->frame[TRAP] = 0;
    user->frame[ERROR] = 0;
    user->frame[ADDRESS] = 0;
}

/* ---- running ---- */

/* Virtual clock: nobody but the library's user, or its watch, can have wanted this CPU. */
static void attend_virtual(struct cpu *cpu, struct hal_user *user)
{
    uint64_t ns;
    const char *detail = host_user_stalled(&ns);
    while (atomic_load(&cpu->pending) & CPU_YIELD)
        fiber_suspend_guest(cpu);
    if (!detail)
        return;
    struct hal_fault fault = {.kind = HAL_FAULT_STALL,
                              .address = ns,
                              .pc = (uintptr_t)user->frame[REGISTER_RIP],
                              .frame = (uintptr_t)__builtin_frame_address(0),
                              .detail = detail};
    hal_user_list_registers(user, &fault.registers);
    sim_cpu_mask();
    sim_cpu_leave();
    if (!sim_fault(&fault))
        hal_board_stop(HAL_STOP_PANIC, 0);
    (void)sim_cpu_enter();
    sim_cpu_unmask();
}

/* Whether a fault was only that a page had no view. */
static bool is_filled(struct cpu *cpu, struct hal_aspace *aspace, const struct hal_user *user)
{
    return user->frame[TRAP] == TRAP_PAGE &&
           sim_aspace_fill(cpu, aspace, (uintptr_t)user->frame[ADDRESS],
                           wanted_access(user->frame[ERROR]));
}

/* ---- how long ---- */

/*
 * One word says it all, so that another CPU reads what was true at one moment: twice the time that
 * user code has run, or, while it runs, twice the time less which the clock shows that, and one.
 */
static uint64_t time_at(uint64_t ran, uint64_t now)
{
    if (!(ran & 1))
        return ran / 2;
    return now > ran / 2 ? now - ran / 2 : 0;
}

static void set_ran(struct hal_user *user, uint64_t ran)
{
    __atomic_store_n(&user->ran, ran, __ATOMIC_RELAXED);
}

/* Real clock: the caller is about to enter user code. */
static void begin_time(struct hal_user *user)
{
    if (machine.real)
        set_ran(user, 2 * (sim_time_now() - user->ran / 2) + 1);
}

static void add_time(struct hal_user *user, uint64_t ns)
{
    set_ran(user, user->ran + 2 * ns);
}

/* It has left. */
static void end_time(struct hal_user *user)
{
    if (machine.real)
        set_ran(user, 2 * time_at(user->ran, sim_time_now()));
}

uint64_t hal_user_time(const struct hal_user *user)
{
    uint64_t ran, now;
    do {
        ran = __atomic_load_n(&user->ran, __ATOMIC_ACQUIRE);
        now = sim_time_now();
    } while (ran != __atomic_load_n(&user->ran, __ATOMIC_RELAXED));
    return time_at(ran, now);
}

/* Entered. Comes back on the same CPU. */
static enum host_user_why run_here(struct cpu *cpu, struct hal_aspace *aspace,
                                   struct hal_user *user)
{
    uint32_t wanted = CPU_ATTENTION;
    if (machine.real)
        wanted |= CPU_LEAVE | atomic_load(&cpu->enabled);
    for (;;) {
        if (!sim_aspace_enter(cpu, aspace))
            return HOST_USER_INTERRUPT;
        if (take_poke(user)) {
            sim_aspace_leave(cpu);
            return HOST_USER_INTERRUPT;
        }
        enum host_user_why why;
        begin_time(user);
        do
            why = host_user_run(cpu, user, wanted);
        while (why == HOST_USER_FAULT && is_filled(cpu, aspace, user));
        end_time(user);
        if (why == HOST_USER_CALL)
            sim_aspace_note_call(cpu, aspace, user);
        sim_aspace_leave(cpu);
        if (why != HOST_USER_INTERRUPT || machine.real)
            return why;
        attend_virtual(cpu, user);
    }
}

void hal_user_run(struct hal_aspace *aspace, struct hal_user *user, struct hal_user_event *event)
{
    bool steps = user->step || (machine.user_step && !(user->frame[REGISTER_FLAGS] & SINGLE_STEP));
    if (steps)
        user->frame[REGISTER_FLAGS] |= SINGLE_STEP;
    enum host_user_why why = run_here(sim_cpu_enter(), aspace, user);
    sim_cpu_leave();
    tell(user, why, steps, event);
    forget_fault(user);
    uint32_t cost = event->trap == HAL_USER_INTERRUPT && machine.user_step ? COST_STEP : COST_TRAP;
    sim_cpu_point(cost);
    if (!machine.real) /* user code takes what leaving it does, and no more */
        add_time(user, cost);
}

/* ---- registers ---- */

uint64_t hal_user_call(const struct hal_user *user)
{
    return user->frame[REGISTER_RAX];
}

uint64_t hal_user_argument(const struct hal_user *user, unsigned i)
{
    static const uint8_t words[] = {ARGUMENT_RDI, ARGUMENT_RSI, ARGUMENT_RDX,
                                    ARGUMENT_R10, ARGUMENT_R8,  ARGUMENT_R9};
    return user->frame[words[i]];
}

void hal_user_set_result(struct hal_user *user, int64_t result)
{
    user->frame[REGISTER_RAX] = (uint64_t)result;
}

uint64_t hal_user_result(const struct hal_user *user)
{
    return user->frame[REGISTER_RAX];
}

void hal_user_repeat_call(struct hal_user *user, uint64_t call)
{
    user->frame[REGISTER_RAX] = call;
    user->frame[REGISTER_RIP] -= CALL_BYTES;
}

uintptr_t hal_user_pc(const struct hal_user *user)
{
    return (uintptr_t)user->frame[REGISTER_RIP];
}

uintptr_t hal_user_sp(const struct hal_user *user)
{
    return (uintptr_t)user->frame[REGISTER_RSP];
}

uintptr_t hal_user_tls(const struct hal_user *user)
{
    return (uintptr_t)user->fs;
}

void hal_user_set_pc(struct hal_user *user, uintptr_t pc)
{
    user->frame[REGISTER_RIP] = pc;
}

void hal_user_set_sp(struct hal_user *user, uintptr_t sp)
{
    user->frame[REGISTER_RSP] = sp;
}

/* A base that the processor refuses is not set at all. */
void hal_user_set_tls(struct hal_user *user, uintptr_t tls)
{
    const uintptr_t top = (uintptr_t)1 << 47;
    if (tls < top)
        user->fs = tls;
}

void hal_user_read_registers(const struct hal_user *user, uint64_t registers[HAL_USER_REGISTERS])
{
    memcpy(registers, user->frame + FIRST_REGISTER, HAL_USER_REGISTERS * sizeof *registers);
}

void hal_user_write_registers(struct hal_user *user, const uint64_t registers[HAL_USER_REGISTERS])
{
    uint64_t before = user->frame[REGISTER_FLAGS];
    memcpy(user->frame + FIRST_REGISTER, registers, HAL_USER_REGISTERS * sizeof *registers);
    user->frame[REGISTER_FLAGS] = (before & ~OWN_FLAGS) | (user->frame[REGISTER_FLAGS] & OWN_FLAGS);
}

size_t hal_user_vector_bytes(const struct hal_user *user)
{
    (void)user;
    return host_vectors_bytes();
}

void hal_user_read_vectors(const struct hal_user *user, void *image)
{
    memcpy(image, image_of(user), host_vectors_bytes());
}

int hal_user_write_vectors(struct hal_user *user, const void *image, size_t bytes)
{
    if (!host_vectors_are_valid(image, bytes))
        return -EINVAL;
    memcpy(image_of(user), image, bytes);
    host_vectors_settle(image_of(user), ~UINT64_C(0));
    return 0;
}

void hal_user_set_step(struct hal_user *user, bool step)
{
    user->step = step;
}

uint64_t hal_user_capabilities(unsigned which)
{
    return host_user_capabilities(which);
}

void hal_user_list_registers(const struct hal_user *user, struct hal_registers *registers)
{
    static const char *const names[] = {"r8",  "r9",  "r10", "r11", "r12", "r13", "r14",
                                        "r15", "rdi", "rsi", "rbp", "rbx", "rdx", "rax",
                                        "rcx", "rsp", "rip", "efl", "fs",  "gs"};
    registers->count = sizeof names / sizeof *names;
    registers->names = names;
    hal_user_read_registers(user, registers->values);
    registers->values[HAL_USER_REGISTERS] = user->fs;
    registers->values[HAL_USER_REGISTERS + 1] = user->gs;
}
