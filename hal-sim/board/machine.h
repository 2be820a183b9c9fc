/* SPDX-License-Identifier: MIT */
/*
 * machine.h: the whole state of the simulated board in one struct, and the steps that change it.
 *
 * What the guest can observe lies in simulated RAM, in the kernel's KSTATE section and in struct
 * machine, and nowhere else; a snapshot is a copy of the three. What belongs to the host (files,
 * threads, queues to the library's user) is in host/ and lib/.
 *
 * CPUs are in cpu.h. With the real clock each is a host thread; what they share is changed under
 * the host lock, or atomic. With the virtual clock one host thread plays them in turns (turn.c).
 */
#pragma once

#include "board/cpu.h"
#include "board/devices.h"
#include "board/schedule.h"

#include <hal/board.h>
#include <hal/machine.h>
#include <hal/time.h>
#include <hal/upcall.h>

/* ---- what things cost in virtual nanoseconds ---- */

enum {
    COST_EDGE = 2,        /* from one edge of the kernel's code to the next (edge.c) */
    COST_MASK = 20,       /* hal_irq_save, hal_irq_restore */
    COST_RELAX = 100,     /* one turn of a polling loop */
    COST_STEP = 10,       /* an instruction of user code, where they are counted */
    COST_TIME = 30,       /* reading the clock: so a loop on it ends */
    COST_SWITCH = 200,    /* a context switch */
    COST_INTERRUPT = 500, /* entering an interrupt */
    COST_DEVICE = 150,    /* touching a device's register */
    COST_UART_BYTE =
        5000, /* a byte on the serial line, either way: faster than a real line's 87 us */
    COST_CARD_BASE = 60000, /* a card request */
    COST_CARD_SECTOR = 20000
};

/* ---- the machine ---- */

/* REBOOTING and STOPPING: a CPU has said so, and the others are leaving the guest. */
enum machine_power { POWER_OFF, POWER_ON, POWER_REBOOTING, POWER_STOPPING, POWER_STOPPED };
enum machine_rng { RNG_STRIKE, RNG_CARD, RNG_ENTROPY, RNG_TURN, RNG_CHOICE, RNG_COUNT };

/* Virtual clock: whose turn it is; see turn.c. */
struct turn {
    unsigned cpu;     /* the CPU that is played, also while nobody runs the machine */
    uint32_t working; /* the CPUs that are not idle, as bits; as of the last choice */
    unsigned sharers; /* how many they are, at least 1: so much faster does work pass than time */
    uint64_t start;   /* of this turn */
    uint64_t end;     /* HAL_TIME_NEVER: there is only one CPU */
    uint64_t rest;    /* ns of work that have not become time yet: less than `sharers` */
};

struct machine {
    struct cpu cpu[HAL_CPU_MAX];

    /* Chosen by tb_open. */
    bool real;      /* the host's clock and signals */
    bool user_step; /* virtual clock: each instruction of user code is an interrupt point */
    uint64_t seed;
    unsigned cpu_count;
    uint8_t *ram;
    uint64_t ram_bytes;
    uint64_t stall_ns; /* virtual clock: processor time without machine time; 0: no limit */
    uint32_t *display;
    uint32_t display_width, display_height;

    /* From power-on. */
    _Atomic int power; /* enum machine_power */
    enum hal_stop stop;
    _Atomic int status;
    _Atomic unsigned faulted; /* number + 1 of the CPU that had the last fault; 0: none */
    _Atomic uint64_t now;     /* virtual clock only */
    _Atomic uint64_t due;     /* virtual clock: the earliest event, or run_until */
    _Atomic uint64_t next;    /* virtual clock: the same, or when watch.c wants to look */
    uint64_t watch_at;        /* virtual clock: that */
    uint64_t run_until;       /* virtual clock: when tb_run_* wants control back */
    struct turn turn;         /* virtual clock */
    uint64_t points;          /* virtual clock: the position of the last interrupt point */
    struct schedule schedule; /* virtual clock */
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

/** The number of `cpu`, or of CPU 0 for the dummy. */
static inline unsigned sim_cpu_number(const struct cpu *cpu)
{
    uintptr_t distance = (uintptr_t)cpu - (uintptr_t)machine.cpu;
    return distance < sizeof machine.cpu ? (unsigned)(distance / sizeof *cpu) : 0;
}

/** Sets everything to its state at power-on: devices, RAM, KSTATE, boot tags, CPU 0's first
 * context. No guest runs. */
void machine_reset(void);
/** Prepares `cpu` to enter the guest at power-on or hal_cpu_start. HOST_MACHINE held. */
void machine_start_cpu(struct cpu *cpu);
/** The kernel's writable statics. */
uint8_t *machine_kstate(size_t *bytes);
/** Next number of one of the machine's chains of chance. */
uint64_t machine_random(enum machine_rng chain);

/* ---- cpu.c; the rest of it is in cpu.h ---- */

/** Compares time and pending bits with what the CPU may take; the slow half of an interrupt point.
 */
void sim_cpu_point_slow(void);

/** Virtual clock: lets `cost` ns of work pass: time, shared by the CPUs that work. */
UNWATCHED static inline uint64_t sim_time_spend(unsigned cost)
{
    uint64_t passed = cost;
    if (machine.turn.sharers > 1) {
        passed += machine.turn.rest;
        machine.turn.rest = passed % machine.turn.sharers;
        passed /= machine.turn.sharers;
    }
    passed += atomic_load_explicit(&machine.now, memory_order_relaxed);
    atomic_store_explicit(&machine.now, passed, memory_order_relaxed);
    return passed;
}

/** An interrupt point: lets virtual time pass, and interrupts strike. Guest code only. */
UNWATCHED static inline void sim_cpu_point(unsigned cost)
{
    if (!machine.real) {
        uint64_t now = sim_time_spend(cost);
        machine.points = (hal_irq_masked() ? machine.points : machine.points | TB_POINT_MASKED) + 1;
        if (machine.points >= machine.schedule.next ||
            now >= atomic_load_explicit(&machine.next, memory_order_relaxed)) {
            sim_cpu_point_slow();
            return;
        }
    }
    if (sim_cpu_wanted())
        sim_cpu_point_slow();
}

/* ---- turn.c: virtual clock. Entered, on a guest stack ---- */

/** Power-on: it is CPU 0's turn. */
void sim_turn_reset(void);
/** Whether it is time to choose who goes on: this turn is over, or a CPU has been woken. */
bool sim_turn_is_over(void);
/** Chooses who goes on, and returns when that is `self` again. */
void sim_turn_choose(struct cpu *self);
/** `self` has nothing to do: the same, or false at once if that holds for all. */
bool sim_turn_give(struct cpu *self);

/* ---- time.c ---- */

/** Machine time. Any host thread; also from a signal handler that interrupted guest code. */
uint64_t sim_time_now(void);
/** Power-on: machine time is 0 and runs. */
void sim_time_reset(void);
/** Machine time stands still from now on. */
void sim_time_freeze(void);
/** Time that CPUs were idle, up to now: the sum over all that were started. Any thread. */
uint64_t sim_time_idle(void);

/** Real clock: the speed, 0 to stand still; `skip`: idle time takes no time. Host lock held. */
void sim_time_set_speed(double speed, bool skip);
/** Real clock: the host time at which machine time will be `when`, or HAL_TIME_NEVER. */
uint64_t sim_time_to_host(uint64_t when);
/** Real clock: raises TIMER if the deadline has passed, else asks the host for a signal at it. */
void sim_time_check_timer(struct cpu *cpu);
/** Around waiting. */
void sim_time_idle_begin(struct cpu *cpu);
void sim_time_idle_end(struct cpu *cpu);
/** Real clock: if idle time is to be skipped and all CPUs idle, jumps to the next deadline. */
void sim_time_skip_idle(struct cpu *cpu);

/** Virtual clock: works out machine.next after something that it depends on has changed. */
void sim_time_plan(void);
/** Virtual clock: the earliest event of the machine itself, or HAL_TIME_NEVER. */
uint64_t sim_time_next_event(void);
/** Virtual clock: lets idle time pass until `when`, unless that is HAL_TIME_NEVER. */
void sim_time_skip_to(uint64_t when);
/** Virtual clock: does what is due. Entered, on a guest stack. */
void sim_time_catch_up(void);

/* ---- watch.c ---- */

#define SIM_STALL_MASKED "interrupts stay masked"

/** Power-on: nobody is watched. */
void sim_watch_reset(void);
/** Virtual clock: looks at all CPUs if it is time to, and whether this one has unmasked. True: it
 * has not come on, and sim_watch_report is to be called. Entered. */
bool sim_watch_attend(struct cpu *cpu);
/** Tells the guest. Guest code, on the CPU that it is about. */
void sim_watch_report(void);
/** It idles: that is not staying masked. Entered. */
void sim_watch_idle(struct cpu *cpu);

/* ---- context.c ---- */

/** Tells the guest of a fault, and remembers where it was. Guest code, masked. */
bool sim_fault(const struct hal_fault *fault);

/* ---- trace.c ---- */

/** Adds an event to the hash, and tells the library. Entered, on the host's stack. */
void sim_trace_event(uint32_t kind, uint64_t a, uint64_t b);
/** The same for guest code, and for entered code on a guest stack; not worth the call if nobody
 * would learn of it. */
void sim_trace_guest_event(uint32_t kind, uint64_t a, uint64_t b);
/** Whether the library wants to hear of every event. */
extern _Atomic bool sim_trace_wanted;
/** Whether anybody would learn of an event. */
static inline bool sim_trace_is_wanted(void)
{
    return !machine.real || atomic_load_explicit(&sim_trace_wanted, memory_order_relaxed);
}

/** Whether the library wants to hear of what the kernel schedules (hal_trace). */
extern _Atomic bool sim_trace_heard;

/* ---- memory.c ---- */

/** Pages announced since power-on, as a bitmap; sim_memory_top is one more than the highest. */
extern uint64_t sim_memory_used[];
extern uint64_t sim_memory_guarded[];
extern uint64_t sim_memory_top;
void sim_memory_reset(void);
/** RAM is no more. */
void sim_memory_closed(void);
bool sim_memory_is_guarded(uintptr_t address);
/** Where a CPU starts, and where it handles faults of an exhausted stack. */
void sim_memory_boot_stack(unsigned cpu, void **stack, size_t *bytes);
void sim_memory_fault_stack(unsigned cpu, void **stack, size_t *bytes);
/** Before the first use of either. Also in a signal handler. */
void sim_memory_open_stack(void *stack, size_t bytes);
/** True if the page at `address` is RAM in use and not guarded. */
bool sim_memory_is_readable(uintptr_t address);
/** Guards or frees `count` pages from page number `page`. */
bool sim_memory_guard_range(uint64_t page, uint64_t count, bool guarded);
