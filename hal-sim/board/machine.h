/* SPDX-License-Identifier: MIT */
/*
 * machine.h: the whole state of the simulated board in one struct, and the steps that change it.
 *
 * What the guest can observe lies in simulated RAM, in the kernel's KSTATE section and in struct
 * machine, and nowhere else; a snapshot is a copy of the three. What belongs to the host (files,
 * threads, queues to the library's user) is in host/ and lib/.
 *
 * Three kinds of code run on a CPU's host thread, and a signal has to know which it interrupts:
 *
 *   guest     the kernel, and the few instructions of the HAL around its flags. May be interrupted,
 *             suspended or abandoned anywhere.
 *   entered   cpu->in_host is set: the HAL changes the machine, or a host call runs. Nothing
 *             happens on top of it; whatever arrives is a bit in cpu->face.pending until it leaves.
 *   outside   the library's user. No guest is involved; in_host is set too.
 *
 * Entered code that takes the host lock or calls libc runs on the host's stack (host_call), so a
 * kernel stack need not be deep enough for it.
 */
#pragma once

#include "board/devices.h"

#include <hal/board.h>
#include <hal/context.h>
#include <hal/cpu.h>
#include <hal/irq.h>
#include <hal/time.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- what things cost in virtual nanoseconds ---- */

enum {
    COST_MASK = 20,       /* hal_irq_save, hal_irq_restore */
    COST_RELAX = 100,     /* one turn of a polling loop */
    COST_TIME = 30,       /* reading the clock: so a loop on it ends */
    COST_SWITCH = 200,    /* a context switch */
    COST_INTERRUPT = 500, /* entering an interrupt */
    COST_DEVICE = 150,    /* touching a device's register */
    COST_UART_BYTE =
        5000, /* a byte on the serial line, either way: faster than a real line's 87 us */
    COST_CARD_BASE = 60000, /* a card request */
    COST_CARD_SECTOR = 20000
};

/* ---- a CPU ---- */

/* cpu->face.pending: bits 0 .. 15 are interrupt lines, the others ask the CPU to attend to
 * something. */
enum {
    CPU_CUT = 1 << 16,   /* abandon the guest: the power is gone */
    CPU_PAUSE = 1 << 17, /* park until this is clear (real clock) */
    CPU_YIELD = 1 << 18, /* go back to the caller of tb_run_* (virtual clock) */
    CPU_TIMER = 1 << 19, /* compare the timer with the clock (real clock) */
    CPU_ATTENTION = CPU_CUT | CPU_PAUSE | CPU_YIELD | CPU_TIMER
};

struct cpu {
    struct hal_cpu_face face; /* first: see <hal/machine_cpu.h> */
    uint32_t enabled;         /* lines that may interrupt */
    volatile bool in_host;    /* entered or outside: see above */
    _Atomic bool idle;        /* waits in hal_cpu_idle */
    _Atomic uint32_t idles;   /* how often it has begun to wait there */
    _Atomic bool asleep;      /* its host thread waits on `pending` (real clock) */
    int strike_in; /* interrupt points until a deliverable interrupt strikes; -1: not chosen */
    _Atomic uint64_t deadline; /* of the timer; HAL_TIME_NEVER: not armed */
    uintptr_t stack;           /* of the context that runs here */
    size_t stack_bytes;
    struct hal_context guest; /* the suspended guest, while the host runs */
};

/* ---- the machine ---- */

enum machine_power { POWER_OFF, POWER_ON, POWER_REBOOTING, POWER_STOPPED };
enum machine_rng { RNG_STRIKE, RNG_CARD, RNG_ENTROPY, RNG_COUNT };

struct machine {
    struct cpu cpu[HAL_CPU_MAX]; /* first: core's inline functions know where CPU 0 is */

    /* Chosen by tb_open. */
    bool real; /* the host's clock and signals */
    uint64_t seed;
    unsigned cpu_count;
    uint8_t *ram;
    uint64_t ram_bytes;
    uint32_t *display;
    uint32_t display_width, display_height;

    /* From power-on. */
    _Atomic int power; /* enum machine_power */
    enum hal_stop stop;
    _Atomic int status;
    _Atomic uint64_t now;        /* virtual clock only */
    _Atomic uint64_t next;       /* virtual clock: when the earliest event is due, or run_until */
    uint64_t run_until;          /* virtual clock: when tb_run_* wants control back */
    _Atomic uint64_t idle;       /* ns spent idle */
    _Atomic uint64_t idle_since; /* real clock: since when, while cpu[0].idle */
    uint64_t rng[RNG_COUNT];
    uint64_t trace;
    struct uart uart;
    struct pin pin[HAL_GPIO_PINS];
    uint32_t gpio_events;
    _Atomic bool led;
    struct card_queue card;
};

/** The one machine of this process. */
extern struct machine machine;

/** The CPU that this host thread plays. */
static inline struct cpu *sim_cpu_this(void)
{
    return &machine.cpu[0];
}

/** Sets everything to its state at power-on: devices, RAM, KSTATE, boot tags, CPU 0's first
 * context. */
void machine_reset(void);
/** The kernel's writable statics. */
uint8_t *machine_kstate(size_t *bytes);
/** Next number of one of the machine's chains of chance. */
uint64_t machine_random(enum machine_rng chain);

/* ---- cpu.c ---- */

/** Compares time and pending bits with what the CPU may take; the slow half of an interrupt point.
 */
void sim_cpu_point_slow(void);
/** Takes every deliverable interrupt, then unmasks; called masked, on the stack that was
 * interrupted. */
void sim_cpu_take_and_unmask(void);
/** Marks `line` pending on `cpu` and wakes it. Any host thread. */
void sim_cpu_raise(struct cpu *cpu, enum hal_irq line);
/** Sets attention bits on `cpu` and wakes it. Any host thread. */
void sim_cpu_attend(struct cpu *cpu, uint32_t bits);
/**
 * Real clock: does what the attention bits ask for. Runs entered, on the host's stack, or in a
 * signal handler. Bits that are set meanwhile bring no signal: the caller looks at them again.
 */
void sim_cpu_attend_real(void);
/** True while an interrupt would be taken on `cpu`, or something asks for attention. */
static inline bool sim_cpu_wanted(const struct cpu *cpu)
{
    uint32_t mask = CPU_ATTENTION | (cpu->face.masked ? 0 : cpu->enabled);
    return atomic_load_explicit(&cpu->face.pending, memory_order_relaxed) & mask;
}

/** An interrupt point: lets virtual time pass, and interrupts strike. Guest code only. */
static inline void sim_cpu_point(unsigned cost)
{
    if (!machine.real) {
        uint64_t now = atomic_load_explicit(&machine.now, memory_order_relaxed) + cost;
        atomic_store_explicit(&machine.now, now, memory_order_relaxed);
        if (now >= atomic_load_explicit(&machine.next, memory_order_relaxed)) {
            sim_cpu_point_slow();
            return;
        }
    }
    if (sim_cpu_wanted(sim_cpu_this()))
        sim_cpu_point_slow();
}

/** Enters: what arrives from now on waits. */
static inline void sim_cpu_enter(struct cpu *cpu)
{
    cpu->in_host = true;
    atomic_signal_fence(memory_order_seq_cst);
}

/** Leaves, without looking at what arrived: an interrupt point must follow. */
static inline void sim_cpu_leave(struct cpu *cpu)
{
    atomic_signal_fence(memory_order_seq_cst);
    cpu->in_host = false;
    atomic_signal_fence(memory_order_seq_cst);
}

/**
 * Runs function(argument) entered, on the host's stack and under the host lock; then an interrupt
 * point of `cost`. Guest code only.
 */
long sim_cpu_host(long (*function)(void *), void *argument, unsigned cost);

/* ---- time.c ---- */

/** Machine time. Any host thread; also from a signal handler that interrupted guest code. */
uint64_t sim_time_now(void);
/** Power-on: machine time is 0 and runs. */
void sim_time_reset(void);
/** Machine time stands still from now on. */
void sim_time_freeze(void);
/** Time spent idle, up to now. Any thread. */
uint64_t sim_time_idle(void);

/** Real clock: the speed, 0 to stand still; `skip`: idle time takes no time. Host lock held. */
void sim_time_set_speed(double speed, bool skip);
/** Real clock: the host time at which machine time will be `when`, or HAL_TIME_NEVER. */
uint64_t sim_time_to_host(uint64_t when);
/** Real clock: raises TIMER if the deadline has passed, else asks the host for a signal at it. */
void sim_time_check_timer(struct cpu *cpu);
/** Real clock: around waiting. */
void sim_time_idle_begin(struct cpu *cpu);
void sim_time_idle_end(struct cpu *cpu);

/** Virtual clock: works out machine.next after something that it depends on has changed. */
void sim_time_plan(void);
/** Virtual clock: the earliest event of the machine itself, or HAL_TIME_NEVER. */
uint64_t sim_time_next_event(void);
/** Virtual clock: lets idle time pass until `when`, unless that is HAL_TIME_NEVER. */
void sim_time_skip_to(uint64_t when);
/** Virtual clock: does what is due. Entered, on a guest stack. */
void sim_time_catch_up(void);

/* ---- trace.c ---- */

/** Adds an event to the hash, and tells the library. Entered, on the host's stack. */
void sim_trace_event(uint32_t kind, uint64_t a, uint64_t b);
/** The same for guest code, and for entered code on a guest stack. */
void sim_trace_guest_event(uint32_t kind, uint64_t a, uint64_t b);
/** Whether the library wants to hear of every event. */
extern _Atomic bool sim_trace_wanted;
/** As sim_trace_guest_event, and next to free when nobody would learn of it. */
static inline void sim_trace_guest(uint32_t kind, uint64_t a, uint64_t b)
{
    if (!machine.real || atomic_load_explicit(&sim_trace_wanted, memory_order_relaxed))
        sim_trace_guest_event(kind, a, b);
}

/* ---- memory.c ---- */

/** Pages announced since power-on, as a bitmap; sim_memory_top is one more than the highest. */
extern uint64_t sim_memory_used[];
extern uint64_t sim_memory_guarded[];
extern uint64_t sim_memory_top;
void sim_memory_reset(void);
/** RAM is no more. */
void sim_memory_closed(void);
bool sim_memory_is_guarded(uintptr_t address);
/** Where the boot context starts, and where faults of an exhausted stack are handled. */
void sim_memory_boot_stack(void **stack, size_t *bytes);
void sim_memory_fault_stack(void **stack, size_t *bytes);
void sim_memory_open_fault_stack(void); /* before the first use of the latter */
/** True if the page at `address` is RAM in use and not guarded. */
bool sim_memory_is_readable(uintptr_t address);
/** Guards or frees `count` pages from page number `page`. */
bool sim_memory_guard_range(uint64_t page, uint64_t count, bool guarded);
