/* SPDX-License-Identifier: MIT */
/*
 * schedule.c: strategies in the place of the seed's chance; see tayberry_schedule.h.
 *
 * There is a *usual* way of going on at every point, which needs no decision: the timer's interrupt
 * is held back, of several threads the first runs, and a CPU is played until it idles, waits for
 * another, or has been played for long. A strategy deviates from that, and each deviation is noted
 * as a step. So the usual way and the list of steps are the whole schedule, and TB_BY_STEPS can
 * repeat what the other strategies did: that is why the usual way must not depend on the strategy.
 *
 * Holding the timer back is no lie: a CPU that is slow, or whose interrupt comes late, looks the
 * same to the kernel. Nor is letting it strike early: time jumps to when it is due, as if the code
 * before had taken that long. But both have an end (HOLD, FAIR), or a loop that waits for the time
 * or for another thread would never end.
 */
#include "board/schedule.h"

#include "board/machine.h"

#include "host/host.h"
#include "tayberry.h"

#include <hal/board.h>
#include <hal/inspect.h>

enum {
    HOLD = 10000000, /* ns that the timer is held back */
    FAIR = 1000000,  /* ns that a CPU is played while others work */
    PATIENCE = 2000, /* ns until a CPU that waits for another looks again */
    TRIES = 3,       /* interrupts until somebody is preempted */
    VAIN = 8         /* yields to nobody, until a thread is taken for one that polls */
};

#define TIMER_BIT (1u << HAL_IRQ_TIMER)
#define NEVER UINT64_MAX

struct schedule_plan sim_schedule_plan = {.watch_from = NEVER};
struct tb_step sim_schedule_done[TB_STEPS_MAX];
uintptr_t sim_schedule_frame;

bool sim_schedule_on(void)
{
    return machine.schedule.strategy != TB_BY_SEED;
}

static uint64_t scramble(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static uint64_t next_random(struct schedule *s)
{
    return scramble(s->random += 0x9e3779b97f4a7c15ull);
}

/* ---- noting ---- */

static void note(uint64_t point, enum tb_step_kind kind, uint32_t to)
{
    struct schedule *s = &machine.schedule;
    if (s->done < TB_STEPS_MAX)
        sim_schedule_done[s->done] = (struct tb_step){point, kind, to};
    s->done++;
}

static long tell_work(void *moment)
{
    outside_moment(moment);
    return 0;
}

static bool is_running(uint32_t thread)
{
    for (unsigned cpu = 0; cpu < machine.cpu_count; cpu++)
        if (hal_inspect_thread(cpu, NULL, 0) == thread)
            return true;
    return false;
}

static void tell(struct tb_moment *moment)
{
    struct cpu *cpu = sim_cpu_this();
    if (!sim_schedule_plan.watched)
        return;
    sim_schedule_frame = (uintptr_t)__builtin_frame_address(0);
    if (!moment->point)
        moment->point = machine.points;
    moment->time = sim_time_now();
    moment->cpu = sim_cpu_number(cpu);
    moment->working = machine.turn.working;
    fiber_call_host(cpu, tell_work, moment);
}

static void tell_point(const struct cpu *cpu)
{
    struct tb_moment moment = {.masked = hal_irq_masked()};
    moment.timer = cpu->deadline != HAL_TIME_NEVER || (sim_cpu_ready(cpu) & TIMER_BIT);
    tell(&moment);
}

/* ---- the plan ---- */

/* The position `points` after `from`; with several CPUs maybe somewhere in what is masked there. */
static uint64_t draw_position(struct schedule *s, uint64_t from, uint64_t points)
{
    enum { MASKED_MOST = 16 };
    uint64_t masked = 0;
    if (machine.cpu_count > 1 && next_random(s) % 2)
        masked = 1 + next_random(s) % MASKED_MOST;
    return (from & ~(uint64_t)TB_POINT_MASKED) + TB_POINT(points) + masked;
}

/* Sets the points of the priorities' changes, in order. */
static void draw_changes(struct schedule *s, const struct schedule_plan *plan)
{
    for (unsigned i = 0; i < plan->changes; i++) {
        uint64_t point = draw_position(s, plan->from, next_random(s) % plan->points);
        unsigned at = i;
        for (; at > 0 && s->change[at - 1] > point; at--)
            s->change[at] = s->change[at - 1];
        s->change[at] = point;
    }
}

/* When chance decides next: `spacing` points from `now`, on average. */
static uint64_t draw_decision(struct schedule *s, uint64_t now)
{
    return draw_position(s, now, 1 + next_random(s) % (2 * sim_schedule_plan.spacing - 1));
}

static uint64_t next_decision(const struct schedule *s)
{
    const struct schedule_plan *plan = &sim_schedule_plan;
    switch (s->strategy) {
    case TB_BY_STEPS:
        return s->step < plan->step_count ? plan->steps[s->step].point : NEVER;
    case TB_BY_CHANCE:
        return s->decide_at;
    case TB_BY_PRIORITY:
        return s->changed < plan->changes ? s->change[s->changed] : NEVER;
    default:
        return NEVER;
    }
}

void sim_schedule_plan_next(void)
{
    struct schedule *s = &machine.schedule;
    uint64_t next = next_decision(s), watch = sim_schedule_plan.watch_from;
    s->next = s->wanted ? 0 : next < watch ? next : watch;
}

void sim_schedule_reset(void)
{
    const struct schedule_plan *plan = &sim_schedule_plan;
    struct schedule *s = &machine.schedule;
    *s = (struct schedule){.strategy = plan->strategy, .random = scramble(plan->seed)};
    machine.points = 0;
    if (s->strategy == TB_BY_CHANCE)
        s->decide_at = draw_decision(s, plan->from);
    if (s->strategy == TB_BY_PRIORITY)
        draw_changes(s, plan);
    sim_schedule_plan_next();
}

/* ---- priorities ---- */

/* The thread that CPU `cpu` runs. */
static uint32_t runs(unsigned cpu)
{
    return hal_inspect_thread(cpu, NULL, 0);
}

/* By chance and above all that have fallen, or below all others: who fell last is the lowest. */
static uint64_t priority_of(const struct schedule *s, uint32_t thread)
{
    for (unsigned i = 0; i < s->fallen_count; i++)
        if (s->fallen[i] == thread)
            return TB_CHANGES_MAX - i;
    return 1ull << 32 | scramble(sim_schedule_plan.seed ^ (uint64_t)thread << 40) >> 32;
}

static void fall(struct schedule *s, uint32_t thread)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < s->fallen_count; i++)
        if (s->fallen[i] != thread)
            s->fallen[kept++] = s->fallen[i];
    s->fallen[kept++] = thread;
    s->fallen_count = kept;
}

static unsigned highest_thread(const struct schedule *s, const uint32_t *threads, unsigned n)
{
    unsigned best = 0;
    for (unsigned i = 1; i < n; i++)
        if (priority_of(s, threads[i]) > priority_of(s, threads[best]))
            best = i;
    return best;
}

/* Of the CPUs `cpus`, at least one. */
static unsigned highest_cpu(const struct schedule *s, uint32_t cpus)
{
    unsigned best = (unsigned)__builtin_ctz(cpus);
    for (unsigned cpu = best + 1; cpu < machine.cpu_count; cpu++)
        if ((cpus >> cpu & 1) && priority_of(s, runs(cpu)) > priority_of(s, runs(best)))
            best = cpu;
    return best;
}

/* ---- points ---- */

/* Not while the last one is still being tried: that would cut its tries short, and the list of
 * steps does not show it. */
static void want(struct schedule *s, unsigned cpu, uint32_t thread)
{
    if (s->strike != STRIKE_NONE || (s->wanted && s->tries > 0))
        return;
    s->wanted = true;
    s->tries = 0;
    s->wanted_cpu = cpu;
    s->wanted_thread = thread;
}

/* Whether the step is the answer to a question, and not something that is done at a point. */
static bool is_answer(const struct tb_step *step)
{
    return step->kind == TB_STEP_CHOOSE || step->kind == TB_STEP_TURN;
}

/* Whether the next step of the plan is of this kind, and for here. */
static bool step_here(struct schedule *s, enum tb_step_kind kind)
{
    const struct schedule_plan *plan = &sim_schedule_plan;
    while (s->step < plan->step_count && plan->steps[s->step].point < machine.points &&
           is_answer(&plan->steps[s->step]))
        s->step++;
    return s->step < plan->step_count && plan->steps[s->step].point == machine.points &&
           plan->steps[s->step].kind == kind;
}

/* The CPU of the next step, if it works. */
static unsigned take_step(struct schedule *s, uint32_t working, unsigned usual)
{
    unsigned to = sim_schedule_plan.steps[s->step++].to;
    sim_schedule_plan_next();
    return working >> to & 1 ? to : usual;
}

/* Starts what the plan says of this point. An answer stays until it is asked, or is behind us. */
static void follow_steps(struct schedule *s, unsigned cpu)
{
    for (; s->step < sim_schedule_plan.step_count; s->step++) {
        const struct tb_step *step = &sim_schedule_plan.steps[s->step];
        if (step->point > machine.points || (is_answer(step) && step->point == machine.points))
            break;
        if (step->kind == TB_STEP_PREEMPT)
            want(s, cpu, step->to);
        else if (step->kind == TB_STEP_CPU)
            s->go = step->to + 1;
    }
}

static void take_chance(struct schedule *s, unsigned cpu)
{
    if (machine.points < s->decide_at)
        return;
    s->decide_at = draw_decision(s, machine.points);
    uint64_t chance = next_random(s);
    if (machine.cpu_count > 1 && chance % 2)
        s->go = 1 + (uint32_t)((chance >> 8) % machine.cpu_count);
    else
        want(s, cpu, 0);
}

static void change_priority(struct schedule *s, unsigned cpu)
{
    bool fell = false;
    for (; s->changed < sim_schedule_plan.changes && s->change[s->changed] <= machine.points;
         s->changed++) {
        fall(s, runs(cpu));
        fell = true;
    }
    if (!fell)
        return;
    want(s, cpu, 0);
    unsigned first = highest_cpu(s, machine.turn.working | 1u << cpu);
    if (first != cpu)
        s->go = first + 1;
}

void sim_schedule_point(struct cpu *cpu)
{
    struct schedule *s = &machine.schedule;
    unsigned number = sim_cpu_number(cpu);
    s->at = machine.points;
    if (machine.points < s->next)
        return;
    if (machine.points >= sim_schedule_plan.watch_from)
        tell_point(cpu);
    if (s->strategy == TB_BY_STEPS)
        follow_steps(s, number);
    else if (s->strategy == TB_BY_CHANCE)
        take_chance(s, number);
    else if (s->strategy == TB_BY_PRIORITY)
        change_priority(s, number);
    sim_schedule_plan_next();
}

/* ---- the timer ---- */

/* The timer of `cpu` strikes here, if it is armed for soon; what is far away is no quantum. */
static uint32_t strike(struct schedule *s, struct cpu *cpu, uint32_t ready)
{
    if (!(ready & TIMER_BIT)) {
        bool far = cpu->deadline == HAL_TIME_NEVER || cpu->deadline > sim_time_now() + HOLD;
        if (far || !(cpu->enabled & TIMER_BIT))
            return ready;
        sim_time_skip_to(cpu->deadline);
        cpu->deadline = HAL_TIME_NEVER;
        sim_cpu_raise(cpu, HAL_IRQ_TIMER);
        sim_time_plan();
    }
    s->strike = STRIKE_WANTED;
    if (s->tries++ == 0) {
        s->struck_step = s->done;
        note(machine.points, TB_STEP_PREEMPT, 0);
    }
    return TIMER_BIT;
}

uint32_t sim_schedule_strikes(struct cpu *cpu, uint32_t ready)
{
    struct schedule *s = &machine.schedule;
    unsigned number = sim_cpu_number(cpu);
    /* Not if others have been played since this point began: its position is not the last. */
    if (s->wanted && s->wanted_cpu == number && s->at == machine.points) {
        s->wanted = false;
        return strike(s, cpu, ready);
    }
    if (!(ready & TIMER_BIT))
        return ready;
    if (!s->held_since[number])
        s->held_since[number] = sim_time_now();
    if (sim_time_now() - s->held_since[number] < HOLD)
        return ready & ~TIMER_BIT;
    s->strike = STRIKE_OVERDUE;
    return TIMER_BIT;
}

void sim_schedule_timer_taken(unsigned cpu)
{
    machine.schedule.held_since[cpu] = 0;
}

/*
 * Nobody has been asked who is next: the timer was armed for something else, or for a quantum that
 * has become longer, and is armed anew now. So it strikes again at the next point.
 */
void sim_schedule_timer_done(unsigned cpu)
{
    struct schedule *s = &machine.schedule;
    if (s->strike == STRIKE_WANTED && s->asked && s->tries < TRIES && s->wanted_cpu == cpu)
        s->wanted = true;
    s->strike = STRIKE_NONE;
    sim_schedule_plan_next();
}

/* ---- threads ---- */

static unsigned index_of(uint32_t thread, const uint32_t *threads, unsigned n, unsigned otherwise)
{
    for (unsigned i = 0; i < n; i++)
        if (threads[i] == thread)
            return i;
    return otherwise;
}

/* What the plan says of a choice that comes at this point. */
static unsigned choice_of_plan(struct schedule *s, const uint32_t *threads, unsigned n,
                               unsigned usual)
{
    if (!step_here(s, TB_STEP_CHOOSE))
        return usual;
    unsigned pick = index_of(sim_schedule_plan.steps[s->step++].to, threads, n, usual);
    sim_schedule_plan_next();
    return pick;
}

static unsigned pick_thread(struct schedule *s, const uint32_t *threads, unsigned n, unsigned usual)
{
    bool wanted = s->strike == STRIKE_WANTED;
    switch (s->strategy) {
    case TB_BY_STEPS:
        return wanted ? index_of(s->wanted_thread, threads, n, usual)
                      : choice_of_plan(s, threads, n, usual);
    case TB_BY_CHANCE:
        if (machine.points < sim_schedule_plan.from)
            return usual;
        return wanted && n > 1 ? 1 + (unsigned)(next_random(s) % (n - 1))
                               : (unsigned)(next_random(s) % n);
    default:
        if (machine.points < sim_schedule_plan.from || s->strike == STRIKE_OVERDUE)
            return usual;
        return highest_thread(s, threads, n);
    }
}

/*
 * A thread that lets others go first again and again, though there are none, waits for what another
 * CPU does, and that one has to be played. `only`: who can go on, if it is but one; else 0.
 */
static void note_vain(struct schedule *s, uint32_t only)
{
    unsigned self = sim_cpu_number(sim_cpu_this());
    bool vain = only && s->strike == STRIKE_NONE && runs(self) == only;
    s->vain[self] = vain ? s->vain[self] + 1 : 0;
    if (s->vain[self] >= VAIN)
        sim_schedule_relax();
}

unsigned sim_schedule_choose_thread(const uint32_t *threads, unsigned n)
{
    struct schedule *s = &machine.schedule;
    unsigned usual = s->strike != STRIKE_NONE && n > 1, pick = pick_thread(s, threads, n, usual);
    bool wanted = s->strike == STRIKE_WANTED;
    struct tb_step *step = NULL;
    if (wanted && s->struck_step < TB_STEPS_MAX) {
        step = &sim_schedule_done[s->struck_step];
        step->to = threads[pick];
    } else if (!wanted && pick != usual) {
        note(machine.points, TB_STEP_CHOOSE, threads[pick]);
    }
    struct tb_moment moment = {.point = step ? step->point : 0,
                               .kind = wanted ? TB_STEP_PREEMPT : TB_STEP_CHOOSE,
                               .alternative = wanted ? pick != 0 : pick != usual,
                               .to = threads[pick],
                               .threads = threads,
                               .thread_count = n,
                               .preempts = is_running(threads[0])};
    note_vain(s, n == 1 ? threads[0] : 0);
    s->strike = STRIKE_NONE;
    s->asked = true;
    tell(&moment);
    return pick;
}

/* ---- CPUs ---- */

void sim_schedule_relax(void)
{
    if (sim_schedule_on() && machine.cpu_count > 1) {
        machine.schedule.gives = true;
        atomic_store_explicit(&machine.due, 0, memory_order_relaxed);
        atomic_store_explicit(&machine.next, 0, memory_order_relaxed);
    }
}

bool sim_schedule_turn_is_over(unsigned self, uint32_t working)
{
    struct schedule *s = &machine.schedule;
    if (s->go && (s->go - 1 == self || !(working >> (s->go - 1) & 1)))
        s->go = 0;
    return s->gives || s->go || sim_time_now() >= machine.turn.end;
}

/* The first of `cpus` after `self`, which may be itself. */
static unsigned following(unsigned self, uint32_t cpus)
{
    for (unsigned i = 1; i <= HAL_CPU_MAX; i++)
        if (cpus >> (self + i) % HAL_CPU_MAX & 1)
            return (self + i) % HAL_CPU_MAX;
    return self;
}

/*
 * Who is played after `self` if nobody interferes. A CPU that gives way again and again does so to
 * each of the others in turn: it cannot know for whom it waits, and by priority the others may
 * never be played for another reason.
 */
static unsigned usual_cpu(struct schedule *s, unsigned self, uint32_t working)
{
    uint32_t others = working & ~(1u << self);
    if (!others)
        return self;
    if (s->gives)
        return s->gave_to[self] = following(s->gave_to[self], others);
    bool moves = sim_time_now() >= machine.turn.end || !(working >> self & 1);
    return moves ? following(self, others) : self;
}

/*
 * Who is played next by the strategy, when it is time to choose. Priorities do not count when a CPU
 * gives way, or two that wait for a third could do so for each other, nor at the end of a whole
 * turn.
 */
static unsigned pick_cpu(struct schedule *s, uint32_t working, unsigned usual)
{
    bool fair = sim_time_now() >= machine.turn.end && !s->patient;
    if (s->strategy == TB_BY_STEPS)
        return step_here(s, TB_STEP_TURN) ? take_step(s, working, usual) : usual;
    if (s->strategy != TB_BY_PRIORITY || machine.points < sim_schedule_plan.from || s->gives ||
        fair)
        return usual;
    return highest_cpu(s, working);
}

unsigned sim_schedule_choose_cpu(unsigned self, uint32_t working, uint64_t *end)
{
    struct schedule *s = &machine.schedule;
    struct tb_moment moment = {.point = machine.points, .kind = TB_STEP_CPU};
    unsigned usual = usual_cpu(s, self, working), pick = s->go - 1;
    machine.points++; /* several choices may have to be made between two points */
    if (!s->go) {
        moment.point = machine.points;
        moment.kind = TB_STEP_TURN;
        pick = pick_cpu(s, working, usual);
    }
    s->patient = s->gives;
    *end = sim_time_now() + (s->gives ? PATIENCE : FAIR);
    if (s->go || pick != usual) {
        note(moment.point, moment.kind, pick);
        moment.alternative = true;
        moment.to = pick;
        tell(&moment);
    }
    s->gives = false;
    s->go = 0;
    return pick;
}
