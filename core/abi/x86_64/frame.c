/* SPDX-License-Identifier: MIT */
/*
 * frame.c: the frame of a signal's handler on x86-64. From the stack pointer of the program down:
 *
 *     the red zone, 128 bytes that belong to who was interrupted (not on the stack for handlers)
 *     an XSAVE image, aligned to 64 bytes
 *     siginfo_t                  frame + 312
 *     struct ucontext            frame + 8     registers, mask, stack for handlers
 *     the address to return to   frame         16 * n + 8, as behind a call
 *
 * What a handler may not have is left as it is: selectors, and the flags that are not a program's.
 */
#include "abi/frame.h"

#include "lib/bytes.h"
#include "proc/signal/signals.h"
#include "vm/copy.h"

#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/runtime.h>

#define RED_ZONE 128u
#define VECTORS_ALIGNMENT 64u
#define RETURN_BYTES 8u
#define SELECTORS (0x33ull | 0x2bull << 48)
#define CONTEXT_FLAGS 7u /* an XSAVE image; SS is there, and to be restored */

/* Where things are in an XSAVE image. */
enum {
    IMAGE_CONTROL = 0,
    IMAGE_STATUS = 2,
    IMAGE_MXCSR = 24,
    IMAGE_MAGIC = 464,
    IMAGE_BYTES = IMAGE_MAGIC + 16, /* of it, without the magic word behind it */
    IMAGE_PARTS = 512,              /* which parts are not as after a reset: a bit for each */
    IMAGE_PARTS_END = IMAGE_PARTS + 64
};
#define MXCSR_RESET 0x1f80u
#define PARTS_LEGACY 3u
#define MAGIC_BYTES 20u

/* Where things are in the frame. */
enum {
    FRAME_FLAGS = 8,
    FRAME_STACK = 24,
    FRAME_REGISTERS = 48,
    FRAME_SELECTORS = FRAME_REGISTERS + 8 * HAL_USER_REGISTERS,
    FRAME_ERROR = 200,
    FRAME_TRAP = 208,
    FRAME_OLD_MASK = 216,
    FRAME_ADDRESS = 224,
    FRAME_VECTORS = 232,
    FRAME_MASK = 304,
    FRAME_INFO = 312,
    FRAME_BYTES = FRAME_INFO + SIGNAL_INFO_BYTES
};

/* In the order of <hal/machine.h>. */
enum { RDI = 8, RSI = 9, RDX = 12, RAX = 13, RSP = 15, RIP = 16, FLAGS = 17 };

#define FLAGS_CLEARED 0x10500ull /* direction, resume, step */

const uint64_t abi_least_stack = 2048;
const uint8_t abi_code[1] = {0};
const size_t abi_code_bytes = 0;

uint64_t abi_frame_most(const struct hal_user *user)
{
    return RED_ZONE + hal_user_vector_bytes(user) + VECTORS_ALIGNMENT + FRAME_BYTES + 16;
}

static void put_stack(uint8_t *to, const struct signal_stack *stack)
{
    put_le64(to, stack->start);
    put_le32(to + 8, stack->flags);
    put_le64(to + 16, stack->bytes);
}

/* Where the frame goes, and the vectors. -EFAULT: it does not fit the stack for handlers. */
static int place(const struct user_thread *self, const struct signal_action *action,
                 uintptr_t *frame, uintptr_t *vectors)
{
    const struct signal_stack *stack = &self->signals.stack;
    uintptr_t sp = hal_user_sp(&self->user) - RED_ZONE;
    bool nested = signal_on_stack(stack, hal_user_sp(&self->user)), enters = false;

    if ((action->flags & SIGNAL_ON_STACK) && signal_stack_state(stack, sp) == 0) {
        sp = stack->start + (uintptr_t)stack->bytes;
        enters = true;
    }
    *vectors = (sp - hal_user_vector_bytes(&self->user)) & ~(uintptr_t)(VECTORS_ALIGNMENT - 1);
    *frame = ((*vectors - FRAME_BYTES) & ~(uintptr_t)15) - 8;
    if ((nested || enters) && (*frame <= stack->start || *frame - stack->start > stack->bytes))
        return -EFAULT;
    return 0;
}

static void fill(uint8_t *frame, const struct user_thread *self, unsigned signal,
                 const struct signal_info *info, const struct signal_action *action,
                 uintptr_t vectors, uint64_t mask)
{
    uint64_t registers[HAL_USER_REGISTERS];

    memset(frame, 0, FRAME_BYTES);
    put_le64(frame, action->restorer);
    put_le64(frame + FRAME_FLAGS, CONTEXT_FLAGS);
    put_stack(frame + FRAME_STACK, &self->signals.stack);
    hal_user_read_registers(&self->user, registers);
    for (unsigned i = 0; i < HAL_USER_REGISTERS; i++)
        put_le64(frame + FRAME_REGISTERS + 8 * (size_t)i, registers[i]);
    put_le64(frame + FRAME_SELECTORS, SELECTORS);
    put_le64(frame + FRAME_ERROR, self->signals.fault_code >> 32);
    put_le64(frame + FRAME_TRAP, self->signals.fault_code & 0xffffffff);
    put_le64(frame + FRAME_OLD_MASK, mask);
    put_le64(frame + FRAME_ADDRESS, self->signals.fault_address);
    put_le64(frame + FRAME_VECTORS, vectors);
    put_le64(frame + FRAME_MASK, mask);
    if (action->flags & SIGNAL_WITH_INFO)
        signal_put_info(frame + FRAME_INFO, signal, info);
}

static void enter_handler(struct hal_user *user, unsigned signal,
                          const struct signal_action *action, uintptr_t frame)
{
    uint64_t registers[HAL_USER_REGISTERS];

    hal_user_read_registers(user, registers);
    registers[RDI] = signal;
    registers[RSI] = frame + FRAME_INFO;
    registers[RDX] = frame + FRAME_FLAGS;
    registers[RAX] = 0;
    registers[RSP] = frame;
    registers[RIP] = action->handler;
    registers[FLAGS] &= ~FLAGS_CLEARED;
    hal_user_write_registers(user, registers);
}

int abi_frame_push(struct user_thread *self, unsigned signal, const struct signal_info *info,
                   const struct signal_action *action, uint64_t mask)
{
    struct vm_space *space = self->process->space;
    _Alignas(64) uint8_t image[HAL_USER_VECTORS];
    uint8_t bytes[FRAME_BYTES];
    uintptr_t frame, vectors;
    int error = action->flags & SIGNAL_HAS_RESTORER ? 0 : -EFAULT;

    if (!error)
        error = place(self, action, &frame, &vectors);
    if (error)
        return error;
    hal_user_read_vectors(&self->user, image);
    error = vm_copy_out(space, vectors, image, hal_user_vector_bytes(&self->user));
    fill(bytes, self, signal, info, action, vectors, mask);
    if (!error) /* as Linux, all that the handler was not told about is left alone */
        error = vm_copy_out(space, frame, bytes,
                            action->flags & SIGNAL_WITH_INFO ? FRAME_BYTES : FRAME_INFO);
    if (error)
        return error;
    if (self->signals.stack.flags & SIGNAL_STACK_DISARMS)
        self->signals.stack = (struct signal_stack){.flags = SIGNAL_STACK_OFF};
    enter_handler(&self->user, signal, action, frame);
    return 0;
}

/* ---- back ---- */

/*
 * What Linux makes of an image whose magic words are not its own: only the part that FXSAVE has
 * counts. `own` is an image as it should be.
 */
static void mend_image(uint8_t *image, const uint8_t *own)
{
    uint32_t bytes = le32(own + IMAGE_BYTES);

    if (memcmp(image + IMAGE_MAGIC, own + IMAGE_MAGIC, MAGIC_BYTES) == 0 &&
        memcmp(image + bytes, own + bytes, 4) == 0)
        return;
    memcpy(image + IMAGE_MAGIC, own + IMAGE_MAGIC, IMAGE_PARTS - IMAGE_MAGIC);
    memset(image + IMAGE_PARTS, 0, IMAGE_PARTS_END - IMAGE_PARTS);
    put_le64(image + IMAGE_PARTS, PARTS_LEGACY);
    memcpy(image + bytes, own + bytes, 4);
}

/* Reads the vectors at `from`; NULL: all are as after a reset. */
static int take_vectors(struct user_thread *self, uintptr_t from)
{
    _Alignas(64) uint8_t image[HAL_USER_VECTORS], own[HAL_USER_VECTORS];
    size_t bytes = hal_user_vector_bytes(&self->user);
    int error = 0;

    hal_user_read_vectors(&self->user, own);
    if (from % VECTORS_ALIGNMENT != 0)
        return -EFAULT;
    if (from != 0) {
        error = vm_copy_in(self->process->space, image, from, bytes);
        mend_image(image, own);
    } else {
        memcpy(image, own, bytes);
        put_le32(image + IMAGE_MXCSR, MXCSR_RESET);
        memset(image + IMAGE_PARTS, 0, IMAGE_PARTS_END - IMAGE_PARTS);
    }
    if (!error && hal_user_write_vectors(&self->user, image, bytes))
        error = -EFAULT;
    return error;
}

int abi_frame_pop(struct user_thread *self, uint64_t *mask)
{
    uintptr_t frame = hal_user_sp(&self->user) - RETURN_BYTES;
    uint64_t registers[HAL_USER_REGISTERS];
    struct signal_stack stack;
    uint8_t bytes[FRAME_INFO];
    int error = vm_copy_in(self->process->space, bytes, frame, sizeof(bytes));

    if (!error)
        error = take_vectors(self, (uintptr_t)le64(bytes + FRAME_VECTORS));
    if (error)
        return error;
    for (unsigned i = 0; i < HAL_USER_REGISTERS; i++)
        registers[i] = le64(bytes + FRAME_REGISTERS + 8 * (size_t)i);
    hal_user_write_registers(&self->user, registers);
    *mask = le64(bytes + FRAME_MASK);
    stack = (struct signal_stack){.start = (uintptr_t)le64(bytes + FRAME_STACK),
                                  .bytes = le64(bytes + FRAME_STACK + 16),
                                  .flags = le32(bytes + FRAME_STACK + 8)};
    (void)!signal_set_stack(self, &stack, hal_user_sp(&self->user));
    return 0;
}

/* ---- traps ---- */

enum { TRAP_DIVIDE = 0, TRAP_SEGMENT = 11, TRAP_STACK = 12, TRAP_FLOAT = 16 };

/* Linux's codes. */
enum {
    CODE_ILLEGAL_OPERAND = 2,
    CODE_DIVISION = 1,
    CODE_ALIGNMENT = 1,
    CODE_STEP = 2,
    CODE_FLOAT_DIVISION = 3,
    CODE_FLOAT_OVERFLOW,
    CODE_FLOAT_UNDERFLOW,
    CODE_FLOAT_INEXACT,
    CODE_FLOAT_INVALID
};

/* What a floating-point exception was about: of the exceptions that are not masked, the first. */
static int32_t float_code(const struct hal_user *user, uint32_t trap)
{
    _Alignas(64) uint8_t image[HAL_USER_VECTORS];
    uint32_t mxcsr, errors;

    hal_user_read_vectors(user, image);
    mxcsr = le32(image + IMAGE_MXCSR);
    errors = mxcsr & ~(mxcsr >> 7);
    if (trap == TRAP_FLOAT)
        errors = le16(image + IMAGE_STATUS) & ~(uint32_t)le16(image + IMAGE_CONTROL);
    if (errors & 1)
        return CODE_FLOAT_INVALID;
    if (errors & 4)
        return CODE_FLOAT_DIVISION;
    if (errors & 8)
        return CODE_FLOAT_OVERFLOW;
    if (errors & 0x12)
        return CODE_FLOAT_UNDERFLOW;
    return errors & 0x20 ? CODE_FLOAT_INEXACT : 0;
}

unsigned abi_trap_signal(const struct hal_user *user, const struct hal_user_event *event,
                         struct signal_info *info)
{
    uint32_t trap = (uint32_t)event->code;

    *info = (struct signal_info){.code = SIGNAL_BY_KERNEL};
    switch (event->trap) {
    case HAL_USER_ALIGNMENT:
        info->code = CODE_ALIGNMENT;
        return SIGNAL_BUS;
    case HAL_USER_INSTRUCTION:
        info->code = CODE_ILLEGAL_OPERAND;
        info->address = hal_user_pc(user);
        return SIGNAL_ILL;
    case HAL_USER_ARITHMETIC:
        info->code = trap == TRAP_DIVIDE ? CODE_DIVISION : float_code(user, trap);
        info->address = hal_user_pc(user);
        return SIGNAL_FPE;
    case HAL_USER_BREAKPOINT:
        return SIGNAL_TRAP;
    case HAL_USER_STEP:
        info->code = CODE_STEP;
        info->address = hal_user_pc(user);
        return SIGNAL_TRAP;
    default:
        return trap == TRAP_STACK || trap == TRAP_SEGMENT ? SIGNAL_BUS : SIGNAL_SEGV;
    }
}
