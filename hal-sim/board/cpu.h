/* SPDX-License-Identifier: MIT */
/*
 * cpu.h: a simulated CPU, and the flags by which its host thread knows where it stands.
 *
 * Three kinds of code run on a CPU's host thread, and a signal has to know which it interrupts:
 *
 *   guest     the kernel, and the few instructions of the HAL around its flags. May be interrupted,
 *             suspended, abandoned, or continued by another CPU, anywhere.
 *   entered   in_host is set: the HAL changes the machine, or a host call runs. Nothing happens on
 *             top of it; whatever arrives is a bit in cpu->pending until it leaves.
 *   outside   the library's user. The thread plays no CPU; in_host is set too.
 *
 * Unmasked guest code can be moved to another CPU between any two instructions. So what it asks of
 * "this CPU" is one instruction relative to %fs (see <hal/machine_cpu.h>), and a pointer to this
 * CPU is of use only to code that is entered or masked. Entering gives it.
 *
 * Entered code that takes the host lock or calls libc runs on the host's stack (sim_cpu_host), so a
 * kernel stack need not be deep enough for it.
 */
#pragma once

#include "host/tools.h"

#include <hal/context.h>
#include <hal/cpu.h>
#include <hal/irq.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* cpu->pending: bits 0 .. 15 are interrupt lines, the others ask the CPU to attend to something. */
enum {
    CPU_CUT = 1 << 16,    /* abandon the guest: the machine stops, or the power is gone */
    CPU_PAUSE = 1 << 17,  /* park until this is clear (real clock) */
    CPU_YIELD = 1 << 18,  /* go back to the caller of tb_run_* (virtual clock) */
    CPU_TIMER = 1 << 19,  /* compare the timer with the clock (real clock) */
    CPU_POINTS = 1 << 20, /* always set with the virtual clock: changes of the mask are points */
    CPU_PROBE = 1 << 21,  /* goes when the CPU is unmasked (virtual clock, watch.c) */
    CPU_STALL = 1 << 22,  /* say that it does not come on (virtual clock, watch.c) */
    CPU_LEAVE = 1 << 23,  /* leave user code: its space's turn is over (real clock, aspace.c) */
    CPU_TURN = 1 << 24,   /* it may be the turn of the space that this CPU waits for (the same) */
    CPU_ATTENTION = CPU_CUT | CPU_PAUSE | CPU_YIELD | CPU_TIMER | CPU_STALL
};

enum { SIM_FAULT_DEPTH = 24 };

struct cpu {
    _Atomic uint32_t pending;  /* who sets a bit calls sim_cpu_look on it, or has it signalled */
    _Atomic uint32_t enabled;  /* lines that may interrupt; written by the CPU itself */
    bool masked;               /* while no host thread plays it */
    _Atomic bool started;      /* its guest exists; HOST_MACHINE is held to change it */
    _Atomic bool idle;         /* waits in hal_cpu_idle */
    _Atomic bool asleep;       /* its host thread waits on `pending` (real clock) */
    _Atomic uint32_t idles;    /* how often it has begun to wait there */
    _Atomic uint64_t idle_for; /* ns it has been idle, up to the last time that it woke */
    _Atomic uint64_t idle_since;
    int strike_in;    /* interrupt points until a deliverable interrupt strikes; -1: not chosen */
    unsigned relaxes; /* real clock: counts them */
    _Atomic uint32_t taken;    /* interrupts; counts them */
    uint64_t watch;            /* hal_cpu_watch: ns it may stay masked; 0: for ever */
    unsigned looks;            /* virtual clock: of watch.c, in a row that found it masked */
    _Atomic uint64_t deadline; /* of the timer; HAL_TIME_NEVER: not armed */
    uint64_t worked;           /* virtual clock: ns of its own, while others worked too (turn.c) */
    uintptr_t stack;           /* of the context that runs here */
    size_t stack_bytes;
    struct hal_context guest; /* the suspended guest, while the host or another CPU runs */
    uintptr_t fault_at[SIM_FAULT_DEPTH]; /* its last fault: pc, and the calls that led there */
    unsigned fault_depth;
    uint8_t apart[64]; /* the next CPU's flags lie in another cache line */
};

/** What a thread plays that plays none: it is entered for ever, and nothing is pending. */
extern struct cpu sim_cpu_nobody;

/** The CPU that this host thread plays, or sim_cpu_nobody. Entered or masked. */
static inline struct cpu *sim_cpu_this(void)
{
    void *cpu;

    __asm__ volatile("movq %%fs:%c2(%1), %0"
                     : "=r"(cpu)
                     : "r"(hal_cpu_face_offset()), "i"(offsetof(struct hal_cpu_face, cpu)));
    return cpu;
}

/** Whether this host thread plays a CPU. Any context. */
static inline bool sim_cpu_is_here(void)
{
    return sim_cpu_this() != &sim_cpu_nobody;
}

/** From now on this host thread plays `cpu`, entered; and no CPU. Outside, or entered. */
void sim_cpu_play(struct cpu *cpu);
void sim_cpu_put_down(void);

/** Enters: what arrives from now on waits, and the CPU stays this one. Gives it. */
static inline struct cpu *sim_cpu_enter(void)
{
    HAL_CPU_FACE_SET(in_host, 1);
    tools_entered(true);
    return sim_cpu_this();
}

/** Leaves, without looking at what arrived: an interrupt point must follow. */
static inline void sim_cpu_leave(void)
{
    tools_entered(false);
    HAL_CPU_FACE_SET(in_host, 0);
}

static inline bool sim_cpu_entered(void)
{
    return HAL_CPU_FACE_GET(in_host);
}

/** Has this CPU look at its pending bits when it unmasks. Any context. */
static inline void sim_cpu_look(void)
{
    HAL_CPU_FACE_SET(look, 1);
}

static inline void sim_cpu_mask(void)
{
    HAL_CPU_FACE_SET(masked, 1);
}

static inline void sim_cpu_unmask(void)
{
    HAL_CPU_FACE_SET(masked, 0);
}

/** The lines that are pending on `cpu` and may interrupt. */
static inline uint32_t sim_cpu_ready(const struct cpu *cpu)
{
    return atomic_load(&cpu->pending) & atomic_load_explicit(&cpu->enabled, memory_order_relaxed);
}

/** True while an interrupt would be taken on this CPU, or something asks for attention. */
static inline bool sim_cpu_wanted(void)
{
    struct cpu *cpu = sim_cpu_this();
    uint32_t pending = atomic_load_explicit(&cpu->pending, memory_order_relaxed);
    if (pending & CPU_ATTENTION)
        return true;
    uint32_t open = atomic_load_explicit(&cpu->enabled, memory_order_relaxed) | CPU_PROBE;
    return (pending & open) && !hal_irq_masked();
}

/** Takes every deliverable interrupt, then unmasks; called masked, on the stack that was
 * interrupted. */
void sim_cpu_take_and_unmask(void);
/** Marks `line` pending on `cpu` and wakes it. Any host thread. */
void sim_cpu_raise(struct cpu *cpu, enum hal_irq line);
/** Sets attention bits on `cpu` and wakes it. Any host thread. */
void sim_cpu_attend(struct cpu *cpu, uint32_t bits);
/** The same on every CPU, started or not. */
void sim_cpu_attend_all(uint32_t bits);
/**
 * Real clock: does what the attention bits ask for. Runs entered, on the host's stack, or in a
 * signal handler. Bits that are set meanwhile bring no signal: the caller looks at them again.
 */
void sim_cpu_attend_real(void);

/**
 * Runs function(argument) entered, on the host's stack and under the host lock; then an interrupt
 * point of `cost`. Guest code only.
 */
long sim_cpu_host(long (*function)(void *), void *argument, unsigned cost);
