/* SPDX-License-Identifier: MIT */
/*
 * user.c: running user code, and telling what ended it.
 *
 * The processor is in user mode between user_enter's two ends (user.S), and in no struct but
 * hal_user is anything of the program's while it is not. Interrupts are masked in the kernel from
 * before the address space goes live until after user code was left; user code itself runs
 * unmasked.
 *
 *     an interrupt              is taken here, as by a vector of the kernel: INTERRUPT
 *     a page to be marked       is noted; user code goes on, unseen by core (aspace.c)
 *     wfi                       does nothing, as on Linux: waiting is the kernel's
 *     anything else             is told from ESR_EL1 and FAR_EL1
 *
 * An integer division by zero is no trap on this processor, its result is 0; nor are there
 * floating-point exceptions that trap, though they could be told.
 */
#include "arch/user.h"
#include "arch/aspace.h"
#include "arch/esr.h"
#include "arch/trap.h"
#include "soc/timer.h"
#include "soc/watch.h"

#include <hal/cpu.h>
#include <hal/runtime.h>
#include <pi3/layout.h>

#include <stdbool.h>
#include <stddef.h>

_Static_assert(offsetof(struct hal_user, registers[31]) == USER_SP, "user.S knows the place");
_Static_assert(offsetof(struct hal_user, registers[33]) == USER_PSTATE, "user.S knows the place");
_Static_assert(offsetof(struct hal_user, tls) == USER_PSTATE + 8, "user.S knows the place");
_Static_assert(offsetof(struct hal_user, esr) == USER_ESR, "user.S knows the place");
_Static_assert(offsetof(struct hal_user, fpsr) == USER_FPSR, "user.S knows the place");
_Static_assert(offsetof(struct hal_user, step) == USER_STEP, "user.S knows the place");
_Static_assert(offsetof(struct hal_user, vectors) == USER_VECTORS, "user.S knows the place");

#define PSTATE_STEP (UINT64_C(1) << 21)
#define INSTRUCTION_BYTES 4u

enum { REGISTER_SP = 31, REGISTER_PC, REGISTER_PSTATE };

/** The address of an access without the byte that the processor ignores. */
static uintptr_t user_plain(uint64_t address)
{
    bool upper = (address >> 55 & 1) != 0;

    return upper ? address | UINT64_C(0xff) << 56 : address & ~(UINT64_C(0xff) << 56);
}

static unsigned user_wanted(uint64_t esr)
{
    if (esr_class(esr) == CLASS_FETCH_USER) {
        return HAL_USER_EXECUTE;
    }
    return (esr & ABORT_WRITE) != 0 && (esr & ABORT_CACHE) == 0 ? HAL_USER_WRITE : HAL_USER_READ;
}

/** An access was refused, by the tables or by memory itself. False: it may be tried again. */
static bool user_abort(struct hal_aspace *aspace, const struct hal_user *user,
                       struct hal_user_event *event)
{
    event->address = user_plain(user->far);
    switch (user->esr & 0x3c) {
    case ABORT_TRANSLATION:
    case ABORT_ACCESS_FLAG:
    case ABORT_PERMISSION:
        event->trap = HAL_USER_ACCESS;
        event->access = user_wanted(user->esr);
        return !aspace_settle(aspace, event->address, event->access);
    case ABORT_ADDRESS_SIZE:
        event->trap = HAL_USER_ACCESS;
        event->access = user_wanted(user->esr);
        return true;
    default:
        event->trap = (user->esr & 0x3f) == ABORT_ALIGNMENT ? HAL_USER_ALIGNMENT : HAL_USER_OTHER;
        return true;
    }
}

static void user_call(struct hal_user *user, struct hal_user_event *event)
{
    user->first_argument = user->registers[0];
    event->trap = HAL_USER_CALL;
}

/** An instruction that is skipped. False: nothing to tell. */
static bool user_skip(struct hal_user *user, struct hal_user_event *event)
{
    user->registers[REGISTER_PC] += INSTRUCTION_BYTES;
    event->trap = HAL_USER_STEP;
    return user->step != 0;
}

/** A synchronous exception. False: user code goes on. */
static bool user_exception(struct hal_aspace *aspace, struct hal_user *user,
                           struct hal_user_event *event)
{
    event->code = user->esr;
    switch (esr_class(user->esr)) {
    case CLASS_SVC:
        user_call(user, event);
        return true;
    case CLASS_FETCH_USER:
    case CLASS_DATA_USER:
        return user_abort(aspace, user, event);
    case CLASS_WAIT:
        return user_skip(user, event);
    case CLASS_PC_ALIGNMENT:
        event->trap = HAL_USER_ALIGNMENT;
        event->address = user_plain(user->far);
        return true;
    case CLASS_SP_ALIGNMENT:
        event->trap = HAL_USER_ALIGNMENT;
        event->address = user->registers[REGISTER_SP];
        return true;
    case CLASS_UNKNOWN:
    case CLASS_ILLEGAL_STATE:
    case CLASS_SYSTEM:
        event->trap = HAL_USER_INSTRUCTION;
        return true;
    case CLASS_FLOAT:
        event->trap = HAL_USER_ARITHMETIC;
        return true;
    case CLASS_BRK:
        event->trap = HAL_USER_BREAKPOINT;
        return true;
    case CLASS_STEP:
        event->trap = HAL_USER_STEP;
        return true;
    default:
        event->trap = HAL_USER_OTHER;
        return true;
    }
}

/** An access failed after it was made, the program's or an earlier one of the kernel's: that is the
 * machine's trouble, and told as such. */
static void user_system_error(const struct hal_user *user)
{
    struct trap_frame frame = {.esr = user->esr, .far = user->far};

    memcpy(frame.x, user->registers, sizeof frame.x);
    frame.sp = user->registers[REGISTER_SP];
    frame.elr = user->registers[REGISTER_PC];
    frame.spsr = user->registers[REGISTER_PSTATE];
    frame.x[29] = (uintptr_t)__builtin_frame_address(0);
    trap_take(&frame, TRAP_SERROR);
}

/** What has to be done before anything else, masked. */
static void user_take(const struct hal_user *user, unsigned kind)
{
    switch (kind) {
    case TRAP_IRQ:
        trap_take_irq();
        break;
    case TRAP_FIQ:
        (void)soc_watch_take(false);
        break;
    case TRAP_SERROR:
        user_system_error(user);
        break;
    default:
        break;
    }
}

/** One word says it all, so that another CPU reads what was true at one moment: twice the ticks
 * that user code has run, or, while it runs, twice the ticks less which the counter shows that, and
 * one. */
static uint64_t user_time_at(uint64_t ran, uint64_t now)
{
    if (!(ran & 1))
        return ran / 2;
    return now > ran / 2 ? now - ran / 2 : 0;
}

/** User code is about to be entered. */
static void user_begin_time(struct hal_user *user)
{
    uint64_t base = soc_timer_count() - user->ran / 2;

    __atomic_store_n(&user->ran, 2 * base + 1, __ATOMIC_RELAXED);
}

/** It has been left. */
static void user_end_time(struct hal_user *user)
{
    uint64_t ran = user_time_at(user->ran, soc_timer_count());

    __atomic_store_n(&user->ran, 2 * ran, __ATOMIC_RELAXED);
}

uint64_t hal_user_time(const struct hal_user *user)
{
    uint64_t ran, now;

    do {
        ran = __atomic_load_n(&user->ran, __ATOMIC_ACQUIRE);
        now = soc_timer_count();
    } while (ran != __atomic_load_n(&user->ran, __ATOMIC_RELAXED));
    return soc_timer_ns(user_time_at(ran, now));
}

static unsigned user_run(struct hal_aspace *aspace, struct hal_user *user)
{
    hal_irq_state_t state = hal_irq_save();
    uint64_t *pstate = &user->registers[REGISTER_PSTATE];

    if (__atomic_exchange_n(&user->poked, 0, __ATOMIC_SEQ_CST) != 0) {
        hal_irq_restore(state);
        return TRAP_IRQ;
    }
    *pstate = (*pstate & USER_FLAGS) | (user->step != 0 ? PSTATE_STEP : 0);
    __asm__ volatile("msr daifset, #1" ::: "memory");
    user_begin_time(user);
    unsigned kind = user_enter(user, aspace_table(aspace));
    user_end_time(user);
    *pstate &= USER_FLAGS;
    user_take(user, kind);
    hal_irq_restore(state);
    return kind;
}

void hal_user_run(struct hal_aspace *aspace, struct hal_user *user, struct hal_user_event *event)
{
    do {
        *event = (struct hal_user_event){.trap = HAL_USER_INTERRUPT, .address = UINTPTR_MAX};
        if (user_run(aspace, user) != TRAP_SYNC) {
            return;
        }
    } while (!user_exception(aspace, user, event));
}
