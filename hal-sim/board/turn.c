/* SPDX-License-Identifier: MIT */
/*
 * turn.c: the virtual clock with several CPUs: one host thread plays them in turns.
 *
 * A CPU that is not played is a suspended guest, as one is between two calls of tb_run_*; going
 * over to another is a switch of stacks at an interrupt point. The questions are who goes on, for
 * how long, and what that does to time.
 *
 * Who: each CPU counts the work it has done while others worked too, and the one that has done
 * least goes next. So all CPUs are equally fast, one that waits for a lock gets its share and no
 * more, and none can hang another. A CPU that wakes up starts with the count of the least advanced.
 *
 * How long: the seed decides, from a single point to some thousands. Short turns weave the CPUs
 * finely; long ones let one run ahead of the others, by 6 us of its own at most, once in a while by
 * 100 us, as if a host had taken the others' processors away. It also blurs "least" by 4 us, or
 * CPUs that all do the same would take turns in the same order for ever.
 *
 * Time: there is one clock. While k CPUs work, k ns of work make one ns of time. So four CPUs do
 * four times the work of one in the same time, a CPU that holds a lock for 1 us of work holds it
 * for 1 us of time, and the clock never goes back, whoever reads it after whom: a clock of its own
 * for each CPU would need rules for that. What is lost: within a turn work seems k times faster
 * than it is; over many turns that evens out.
 *
 * An idle CPU has no turns until an interrupt is ready for it. When all idle, time jumps (cpu.c).
 */
#include "board/machine.h"

#include "host/host.h"

enum {
    TURN_ALONE =
        10000, /* how long until others are looked at, which another thread may have woken */
    TURN_UNIT = 50,
    TURN_LONG = 2048, /* units; one turn in 64 */
    TURN_BLUR = 4096
};

void sim_turn_reset(void)
{
    machine.turn = (struct turn){.working = 1, .sharers = 1, .end = HAL_TIME_NEVER};
    if (machine.cpu_count > 1)
        machine.turn.end = TURN_ALONE;
}

/* Whether `cpu` has something to do. */
static bool works(const struct cpu *cpu)
{
    if (!atomic_load_explicit(&cpu->started, memory_order_relaxed))
        return false;
    return !atomic_load_explicit(&cpu->idle, memory_order_relaxed) || sim_cpu_ready(cpu);
}

static uint32_t who_works(void)
{
    uint32_t working = 0;
    for (unsigned i = 0; i < machine.cpu_count; i++)
        working |= (uint32_t)works(&machine.cpu[i]) << i;
    return working;
}

bool sim_turn_is_over(void)
{
    if (machine.cpu_count == 1)
        return false;
    uint32_t working = who_works();
    bool over = sim_schedule_on() ? sim_schedule_turn_is_over(machine.turn.cpu, working)
                                  : sim_time_now() >= machine.turn.end;
    return over || (working & ~machine.turn.working);
}

/* The least count of work among `cpus`. */
static uint64_t least_worked(uint32_t cpus)
{
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < machine.cpu_count; i++)
        if ((cpus >> i & 1) && machine.cpu[i].worked < least)
            least = machine.cpu[i].worked;
    return least;
}

/* Books the turn that ends now, and finds out who works from now on. */
static void settle(struct cpu *self, uint32_t working)
{
    struct turn *turn = &machine.turn;
    uint64_t now = sim_time_now();
    uint32_t woken = working & ~turn->working;
    if (turn->sharers > 1)
        self->worked += (now - turn->start) * turn->sharers;
    uint64_t least = least_worked(turn->working);
    for (unsigned i = 0; i < machine.cpu_count; i++)
        if ((woken >> i & 1) && machine.cpu[i].worked < least)
            machine.cpu[i].worked = least;
    turn->working = working;
    turn->sharers = (unsigned)__builtin_popcount(working);
    turn->start = now;
    turn->rest = 0;
}

static unsigned choose_cpu(uint32_t working)
{
    uint64_t blur = machine_random(RNG_TURN), best = UINT64_MAX;
    unsigned chosen = 0;
    for (unsigned i = 0; i < machine.cpu_count; i++) {
        uint64_t key = machine.cpu[i].worked + (blur >> 16 * i) % TURN_BLUR;
        if ((working >> i & 1) && key < best) {
            best = key;
            chosen = i;
        }
    }
    return chosen;
}

static uint64_t choose_length(void)
{
    uint64_t chance = machine_random(RNG_TURN);
    uint64_t units = chance % 64 ? 1u << (chance >> 6) % 8 : TURN_LONG;
    return (chance >> 16) % (units * TURN_UNIT) / machine.turn.sharers + 1;
}

/* Plays `next` from now on; returns when `self` is played again. */
static void go_over(struct cpu *self, struct cpu *next)
{
    machine.turn.cpu = sim_cpu_number(next);
    self->guest.stack = self->stack;
    self->guest.bytes = self->stack_bytes;
    sim_cpu_put_down();
    sim_cpu_play(next);
    fiber_switch_cpu(&self->guest, &next->guest);
}

static void begin_turn(struct cpu *self, uint32_t working)
{
    bool alone = !(working & (working - 1));
    settle(self, working);
    unsigned next;
    if (sim_schedule_on()) {
        next = sim_schedule_choose_cpu(sim_cpu_number(self), working, &machine.turn.end);
    } else {
        next = alone ? (unsigned)__builtin_ctz(working) : choose_cpu(working);
        machine.turn.end = machine.turn.start + (alone ? TURN_ALONE : choose_length());
    }
    sim_time_plan();
    if (&machine.cpu[next] != self)
        go_over(self, &machine.cpu[next]);
}

void sim_turn_choose(struct cpu *self)
{
    begin_turn(self, who_works());
}

bool sim_turn_give(struct cpu *self)
{
    uint32_t working = machine.cpu_count > 1 ? who_works() : 0;
    if (working)
        begin_turn(self, working);
    else if (machine.turn.sharers > 1)
        settle(self, 1u << sim_cpu_number(self)); /* before time jumps */
    return working != 0;
}
