/* SPDX-License-Identifier: MIT */
/*
 * frame.c: the frame of a signal's handler on AArch64. From the stack pointer of the program down:
 *
 *     two words as at the beginning of a function, x29 and x30: x29 of the handler points here
 *     frame + 592    records: the vectors, the trap's code if there was one, an empty one
 *     frame + 304    address of the fault, x0 to x30, sp, pc, pstate
 *     frame + 128    struct ucontext up to there: stack for handlers, mask
 *     frame          siginfo_t
 *
 * A frame whose pstate is not a program's, or that has no vectors, is none.
 */
#include "abi/frame.h"

#include "lib/bytes.h"
#include "proc/signal/signals.h"
#include "vm/copy.h"

#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/runtime.h>

/* Where things are in the frame. */
enum {
    FRAME_STACK = 128 + 16,
    FRAME_MASK = 128 + 40,
    FRAME_ADDRESS = 128 + 176,
    FRAME_REGISTERS = FRAME_ADDRESS + 8,
    FRAME_RECORDS = 128 + 176 + 288,
    FRAME_RECORDS_BYTES = 4096,
    FRAME_BYTES = FRAME_RECORDS + FRAME_RECORDS_BYTES
};

#define LINK_BYTES 16u
#define VECTOR_BYTES 528u
#define RECORD_BYTES 16u /* of those that hold one word; a head is half of that */
#define RECORD_VECTORS 0x46508001u
#define RECORD_FAULT 0x45535201u
#define WRITTEN (FRAME_RECORDS + VECTOR_BYTES + 2 * RECORD_BYTES)

enum { X0 = 0, X1 = 1, X2 = 2, X29 = 29, X30 = 30, SP = 31, PC = 32, PSTATE = 33 };
#define PSTATE_FLAGS 0xf0000000ull

const uint64_t abi_least_stack = 5120;

/* mov x8, #139 (rt_sigreturn); svc #0 */
const uint8_t abi_code[] = {0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4};
const size_t abi_code_bytes = sizeof(abi_code);

uint64_t abi_frame_most(const struct hal_user *user)
{
    (void)user;
    return FRAME_BYTES + LINK_BYTES + 16;
}

/* Where the frame goes. */
static uintptr_t place(const struct user_thread *self, const struct signal_action *action)
{
    const struct signal_stack *stack = &self->signals.stack;
    uintptr_t sp = hal_user_sp(&self->user);

    if ((action->flags & SIGNAL_ON_STACK) && signal_stack_state(stack, sp) == 0)
        sp = stack->start + (uintptr_t)stack->bytes;
    return ((sp - LINK_BYTES) & ~(uintptr_t)15) - FRAME_BYTES;
}

static void put_head(uint8_t *to, uint32_t magic, uint32_t bytes)
{
    put_le32(to, magic);
    put_le32(to + 4, bytes);
}

static void put_records(uint8_t *to, const struct user_thread *self)
{
    _Alignas(16) uint8_t image[VECTOR_BYTES];

    hal_user_read_vectors(&self->user, image);
    memcpy(to, image, VECTOR_BYTES);
    to += VECTOR_BYTES;
    if (self->signals.fault_code != 0) {
        put_head(to, RECORD_FAULT, RECORD_BYTES);
        put_le64(to + 8, self->signals.fault_code);
        to += RECORD_BYTES;
    }
    put_head(to, 0, 0);
}

static void fill(uint8_t *frame, const struct user_thread *self, unsigned signal,
                 const struct signal_info *info, uint64_t mask)
{
    const struct signal_stack *stack = &self->signals.stack;
    uint64_t registers[HAL_USER_REGISTERS];

    memset(frame, 0, WRITTEN);
    signal_put_info(frame, signal, info);
    put_le64(frame + FRAME_STACK, stack->start);
    put_le32(frame + FRAME_STACK + 8, stack->flags);
    put_le64(frame + FRAME_STACK + 16, stack->bytes);
    put_le64(frame + FRAME_MASK, mask);
    put_le64(frame + FRAME_ADDRESS, self->signals.fault_address);
    hal_user_read_registers(&self->user, registers);
    for (unsigned i = 0; i < HAL_USER_REGISTERS; i++)
        put_le64(frame + FRAME_REGISTERS + 8 * (size_t)i, registers[i]);
    put_records(frame + FRAME_RECORDS, self);
}

static int copy_out(struct user_thread *self, uintptr_t at, const uint8_t *frame, bool with_info)
{
    struct vm_space *space = self->process->space;
    size_t from = with_info ? 0 : SIGNAL_INFO_BYTES;
    uint64_t registers[HAL_USER_REGISTERS];
    uint8_t link[LINK_BYTES];
    int error = vm_copy_out(space, at + from, frame + from, WRITTEN - from);

    hal_user_read_registers(&self->user, registers);
    put_le64(link, registers[X29]);
    put_le64(link + 8, registers[X30]);
    return error ? error : vm_copy_out(space, at + FRAME_BYTES, link, sizeof(link));
}

static void enter_handler(struct hal_user *user, unsigned signal,
                          const struct signal_action *action, uintptr_t frame)
{
    uint64_t registers[HAL_USER_REGISTERS];

    hal_user_read_registers(user, registers);
    registers[X0] = signal;
    if (action->flags & SIGNAL_WITH_INFO) {
        registers[X1] = frame;
        registers[X2] = frame + SIGNAL_INFO_BYTES;
    }
    registers[X29] = frame + FRAME_BYTES;
    registers[X30] = action->flags & SIGNAL_HAS_RESTORER ? action->restorer : ABI_CODE;
    registers[SP] = frame;
    registers[PC] = action->handler;
    hal_user_write_registers(user, registers);
}

int abi_frame_push(struct user_thread *self, unsigned signal, const struct signal_info *info,
                   const struct signal_action *action, uint64_t mask)
{
    uintptr_t at = place(self, action);
    uint8_t frame[WRITTEN];
    int error;

    fill(frame, self, signal, info, mask);
    error = copy_out(self, at, frame, action->flags & SIGNAL_WITH_INFO);
    if (error)
        return error;
    if (self->signals.stack.flags & SIGNAL_STACK_DISARMS)
        self->signals.stack = (struct signal_stack){.flags = SIGNAL_STACK_OFF};
    enter_handler(&self->user, signal, action, at);
    return 0;
}

/* ---- back ---- */

/*
 * Finds the vectors among the records, which end with an empty one: where they are in the frame;
 * -EFAULT: there are none, or there is what should not be.
 */
static int64_t find_vectors(struct user_thread *self, uintptr_t frame)
{
    size_t at = 0, found = 0;
    uint8_t head[8];

    for (;;) {
        uint32_t magic, bytes;

        if (FRAME_RECORDS_BYTES - at < sizeof(head) ||
            vm_copy_in(self->process->space, head, frame + FRAME_RECORDS + at, sizeof(head)))
            return -EFAULT;
        magic = le32(head);
        bytes = le32(head + 4);
        if (magic == 0)
            return bytes == 0 && found > 0 ? (int64_t)found : -EFAULT;
        if (bytes < sizeof(head) || bytes % 16 != 0 || bytes > FRAME_RECORDS_BYTES - at)
            return -EFAULT;
        if (magic == RECORD_VECTORS && found == 0 && bytes == VECTOR_BYTES)
            found = FRAME_RECORDS + at;
        else if (magic != RECORD_FAULT)
            return -EFAULT;
        at += bytes;
    }
}

static int take_vectors(struct user_thread *self, uintptr_t frame)
{
    _Alignas(16) uint8_t image[VECTOR_BYTES];
    int64_t at = find_vectors(self, frame);

    if (at < 0 || vm_copy_in(self->process->space, image, frame + (uintptr_t)at, sizeof(image)) ||
        hal_user_write_vectors(&self->user, image, sizeof(image)))
        return -EFAULT;
    return 0;
}

/* Registers and all else. */
static int take_registers(struct user_thread *self, const uint8_t *bytes)
{
    uint64_t registers[HAL_USER_REGISTERS];

    for (unsigned i = 0; i < HAL_USER_REGISTERS; i++)
        registers[i] = le64(bytes + FRAME_REGISTERS + 8 * (size_t)i);
    if (registers[PSTATE] & ~PSTATE_FLAGS)
        return -EFAULT;
    hal_user_write_registers(&self->user, registers);
    return 0;
}

int abi_frame_pop(struct user_thread *self, uint64_t *mask)
{
    uintptr_t frame = hal_user_sp(&self->user);
    struct signal_stack stack;
    uint8_t bytes[FRAME_RECORDS];
    int error = frame % 16 == 0 ? 0 : -EFAULT;

    if (!error)
        error = vm_copy_in(self->process->space, bytes, frame, sizeof(bytes));
    if (!error)
        error = take_vectors(self, frame);
    if (!error)
        error = take_registers(self, bytes);
    if (error)
        return error;
    *mask = le64(bytes + FRAME_MASK);
    stack = (struct signal_stack){.start = (uintptr_t)le64(bytes + FRAME_STACK),
                                  .bytes = le64(bytes + FRAME_STACK + 16),
                                  .flags = le32(bytes + FRAME_STACK + 8)};
    (void)!signal_set_stack(self, &stack, hal_user_sp(&self->user));
    return 0;
}

/* ---- traps ---- */

/* Linux's codes. */
enum {
    CODE_ILLEGAL = 1,
    CODE_ALIGNMENT = 1,
    CODE_BREAKPOINT = 1,
    CODE_STEP = 2,
    CODE_FLOAT_UNKNOWN = 14
};

unsigned abi_trap_signal(const struct hal_user *user, const struct hal_user_event *event,
                         struct signal_info *info)
{
    *info = (struct signal_info){.code = CODE_ILLEGAL, .address = hal_user_pc(user)};
    switch (event->trap) {
    case HAL_USER_ACCESS: /* at the address that stands for none */
        info->address = event->address;
        return SIGNAL_SEGV;
    case HAL_USER_ALIGNMENT:
        info->code = CODE_ALIGNMENT;
        info->address = event->address;
        return SIGNAL_BUS;
    case HAL_USER_ARITHMETIC:
        info->code = CODE_FLOAT_UNKNOWN;
        return SIGNAL_FPE;
    case HAL_USER_BREAKPOINT:
        info->code = CODE_BREAKPOINT;
        return SIGNAL_TRAP;
    case HAL_USER_STEP:
        info->code = CODE_STEP;
        return SIGNAL_TRAP;
    default:
        return SIGNAL_ILL;
    }
}
