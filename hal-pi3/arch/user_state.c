/* SPDX-License-Identifier: MIT */
/*
 * user_state.c: what the kernel reads and writes of a program's registers while it does not run,
 * and what the processor can do for programs.
 *
 * The conventions are Linux's for AArch64: a system call has its number in x8, its arguments in x0
 * to x5 and its result in x0; a signal's frame holds the vectors as struct fpsimd_context.
 *
 * Source: Linux, arch/arm64/include/uapi/asm/sigcontext.h and hwcap.h; Arm Architecture Reference
 * Manual, ID_AA64PFR0_EL1 and ID_AA64ISAR0_EL1.
 */
#include "arch/user.h"

#include <hal/errno.h>
#include <hal/runtime.h>
#include <hal/upcall.h>

#include <stddef.h>

#define CALL_BYTES 4u
#define LISTED 35u

#define FPSIMD_MAGIC 0x46508001u

/** What of the two control registers this processor has. */
#define FPSR_ALL 0xf800009fu
#define FPCR_ALL 0x07c00000u

/** struct fpsimd_context. */
struct fpsimd_image {
    uint32_t magic, size;
    uint32_t fpsr, fpcr;
    uint64_t vectors[64];
};

enum { REGISTER_CALL = 8, REGISTER_SP = 31, REGISTER_PC, REGISTER_PSTATE };

const char *hal_user_refusal(void)
{
    return NULL;
}

bool hal_user_is_interruptible(void)
{
    return true;
}

void hal_user_init(struct hal_user *user, uintptr_t pc, uintptr_t sp)
{
    memset(user, 0, offsetof(struct hal_user, poked));
    __atomic_store_n(&user->poked, 0, __ATOMIC_RELAXED);
    user->registers[REGISTER_PC] = pc;
    user->registers[REGISTER_SP] = sp;
}

void hal_user_copy(struct hal_user *to, const struct hal_user *from)
{
    memcpy(to, from, offsetof(struct hal_user, poked));
    __atomic_store_n(&to->poked, 0, __ATOMIC_RELAXED);
}

void hal_user_poke(struct hal_user *user)
{
    __atomic_store_n(&user->poked, 1, __ATOMIC_SEQ_CST);
}

uint64_t hal_user_call(const struct hal_user *user)
{
    return user->registers[REGISTER_CALL];
}

uint64_t hal_user_argument(const struct hal_user *user, unsigned i)
{
    return user->registers[i];
}

void hal_user_set_result(struct hal_user *user, int64_t result)
{
    user->registers[0] = (uint64_t)result;
}

uint64_t hal_user_result(const struct hal_user *user)
{
    return user->registers[0];
}

void hal_user_repeat_call(struct hal_user *user, uint64_t call)
{
    user->registers[0] = user->first_argument;
    user->registers[REGISTER_CALL] = call;
    user->registers[REGISTER_PC] -= CALL_BYTES;
}

uintptr_t hal_user_pc(const struct hal_user *user)
{
    return user->registers[REGISTER_PC];
}

uintptr_t hal_user_sp(const struct hal_user *user)
{
    return user->registers[REGISTER_SP];
}

uintptr_t hal_user_tls(const struct hal_user *user)
{
    return user->tls;
}

void hal_user_set_pc(struct hal_user *user, uintptr_t pc)
{
    user->registers[REGISTER_PC] = pc;
}

void hal_user_set_sp(struct hal_user *user, uintptr_t sp)
{
    user->registers[REGISTER_SP] = sp;
}

void hal_user_set_tls(struct hal_user *user, uintptr_t tls)
{
    user->tls = tls;
}

void hal_user_read_registers(const struct hal_user *user, uint64_t registers[HAL_USER_REGISTERS])
{
    memcpy(registers, user->registers, sizeof user->registers);
}

void hal_user_write_registers(struct hal_user *user, const uint64_t registers[HAL_USER_REGISTERS])
{
    memcpy(user->registers, registers, sizeof user->registers);
    user->registers[REGISTER_PSTATE] &= USER_FLAGS;
}

size_t hal_user_vector_bytes(const struct hal_user *user)
{
    (void)user;
    return sizeof(struct fpsimd_image);
}

void hal_user_read_vectors(const struct hal_user *user, void *image)
{
    struct fpsimd_image *fpsimd = image;

    fpsimd->magic = FPSIMD_MAGIC;
    fpsimd->size = sizeof *fpsimd;
    fpsimd->fpsr = (uint32_t)user->fpsr;
    fpsimd->fpcr = (uint32_t)user->fpcr;
    memcpy(fpsimd->vectors, user->vectors, sizeof fpsimd->vectors);
}

int hal_user_write_vectors(struct hal_user *user, const void *image, size_t bytes)
{
    const struct fpsimd_image *fpsimd = image;

    if (bytes < sizeof *fpsimd || fpsimd->magic != FPSIMD_MAGIC || fpsimd->size != sizeof *fpsimd) {
        return -EINVAL;
    }
    user->fpsr = fpsimd->fpsr & FPSR_ALL;
    user->fpcr = fpsimd->fpcr & FPCR_ALL;
    memcpy(user->vectors, fpsimd->vectors, sizeof fpsimd->vectors);
    return 0;
}

void hal_user_set_step(struct hal_user *user, bool step)
{
    user->step = step;
}

/* ---- what the processor can do ---- */

static unsigned feature(uint64_t register_value, unsigned shift)
{
    return (unsigned)(register_value >> shift) & 15u;
}

/** One bit of AT_HWCAP: it is set when a feature is there to a certain degree. */
struct capability {
    uint8_t bit, shift, least;
};

static const struct capability instruction_capabilities[] = {
    {3, 4, 1},   /* AES */
    {4, 4, 2},   /* PMULL */
    {5, 8, 1},   /* SHA-1 */
    {6, 12, 1},  /* SHA-256 */
    {7, 16, 1},  /* CRC-32 */
    {8, 20, 2},  /* atomic instructions */
    {21, 12, 2}, /* SHA-512 */
};

uint64_t hal_user_capabilities(unsigned which)
{
    uint64_t instructions, processor, bits = 0;

    __asm__ volatile("mrs %0, id_aa64isar0_el1" : "=r"(instructions));
    __asm__ volatile("mrs %0, id_aa64pfr0_el1" : "=r"(processor));
    if (which != 0) {
        return 0;
    }
    bits |= feature(processor, 16) != 15 ? 1u << 0 : 0; /* floating point */
    bits |= feature(processor, 20) != 15 ? 1u << 1 : 0; /* vectors */
    for (size_t i = 0; i < sizeof instruction_capabilities / sizeof(struct capability); i++) {
        const struct capability *capability = &instruction_capabilities[i];
        if (feature(instructions, capability->shift) >= capability->least) {
            bits |= UINT64_C(1) << capability->bit;
        }
    }
    return bits;
}

void hal_user_list_registers(const struct hal_user *user, struct hal_registers *registers)
{
    static const char *const names[LISTED] = {
        "x0",  "x1",  "x2",  "x3",  "x4",  "x5",  "x6",  "x7",  "x8",  "x9",     "x10", "x11",
        "x12", "x13", "x14", "x15", "x16", "x17", "x18", "x19", "x20", "x21",    "x22", "x23",
        "x24", "x25", "x26", "x27", "x28", "x29", "x30", "sp",  "pc",  "pstate", "tls"};

    registers->count = LISTED;
    registers->names = names;
    hal_user_read_registers(user, registers->values);
    registers->values[HAL_USER_REGISTERS] = user->tls;
}
