/* SPDX-License-Identifier: MIT */
/*
 * context.c: the promises of hal/context.h: stacks, switches, preemption, backtraces.
 */
#include "contract.h"

static struct hal_context home KSTATE, away KSTATE, third KSTATE;

/** What the context under test saw. */
static struct {
    volatile bool masked, finished;
    volatile uintptr_t frame;
    void *volatile arg;
    volatile unsigned rounds;
} seen KSTATE;

static void see_entry(void *arg)
{
    seen.masked = hal_irq_masked();
    seen.frame = (uintptr_t)__builtin_frame_address(0);
    seen.arg = arg;
    seen.finished = true;
    hal_context_switch(&away, &home);
}

CONTRACT_TEST(first_switch_calls_entry)
{
    seen.finished = false;
    contract_context(&away, HAL_STACK_SIZE, see_entry, &seen);
    hal_context_switch(&home, &away);
    hal_context_finish(&away);
    EXPECT(seen.finished);
    EXPECT(seen.masked);
    EXPECT(seen.arg == &seen);
    EXPECT(hal_irq_masked());
}

CONTRACT_TEST(first_frame_is_at_the_high_end)
{
    uint8_t *stack = contract_pages(HAL_STACK_SIZE / HAL_PAGE_SIZE);
    hal_context_init(&away, stack, HAL_STACK_SIZE, see_entry, NULL);
    hal_context_switch(&home, &away);
    hal_context_finish(&away);
    uintptr_t high = (uintptr_t)stack + HAL_STACK_SIZE;
    EXPECT(seen.frame <= high && high - seen.frame < HAL_STACK_SIZE / 4);
}

/** Adds up in many variables at once, switching away in each round: more than the registers hold.
 */
static uint64_t churn(uint64_t x, struct hal_context *from, struct hal_context *to)
{
    uint64_t a = x, b = x * 3, c = x * 5, d = x * 7, e = x * 11, f = x * 13, g = x * 17, h = x * 19;
    uint64_t i = x ^ 21, j = x ^ 22, k = x ^ 23, l = x ^ 24, m = x ^ 25, n = x ^ 26;
    for (unsigned round = 0; round < 100; round++) {
        hal_context_switch(from, to);
        a += b ^ round, b += c, c += d, d += e, e += f, f += g, g += h;
        h += i, i += j, j += k, k += l, l += m, m += n, n += a;
    }
    return a ^ b ^ c ^ d ^ e ^ f ^ g ^ h ^ i ^ j ^ k ^ l ^ m ^ n;
}

/** The same without a context to switch to: what churn must come to. */
static uint64_t churn_alone(uint64_t x)
{
    uint64_t v[14] = {x,      x * 3,  x * 5,  x * 7,  x * 11, x * 13, x * 17,
                      x * 19, x ^ 21, x ^ 22, x ^ 23, x ^ 24, x ^ 25, x ^ 26};
    for (unsigned round = 0; round < 100; round++)
        for (unsigned i = 0; i < 14; i++)
            v[i] += i == 0 ? v[1] ^ round : v[(i + 1) % 14];
    uint64_t sum = 0;
    for (unsigned i = 0; i < 14; i++)
        sum ^= v[i];
    return sum;
}

static volatile uint64_t away_sum KSTATE;

static void churn_away(void *arg)
{
    (void)arg;
    away_sum = churn(1000003, &away, &home);
    for (;;)
        hal_context_switch(&away, &home);
}

CONTRACT_TEST(switch_keeps_the_registers)
{
    away_sum = 0;
    contract_context(&away, HAL_STACK_SIZE, churn_away, NULL);
    uint64_t home_sum = churn(77, &home, &away);
    hal_context_switch(&home, &away);
    EXPECT_EQUAL(home_sum, churn_alone(77));
    EXPECT_EQUAL(away_sum, churn_alone(1000003));
    EXPECT(hal_irq_masked());
    hal_context_finish(&away);
}

static void round_robin(void *arg)
{
    struct hal_context *next = arg;
    struct hal_context *self = next == &home ? &third : &away;
    for (;;) {
        seen.rounds++;
        hal_context_switch(self, next);
        if (!hal_irq_masked())
            seen.masked = false;
    }
}

CONTRACT_TEST(three_contexts_go_round)
{
    seen.rounds = 0;
    seen.masked = true;
    contract_context(&away, HAL_STACK_MIN, round_robin, &third);
    contract_context(&third, HAL_STACK_MIN, round_robin, &home);
    for (unsigned i = 0; i < 1000; i++)
        hal_context_switch(&home, &away);
    EXPECT_EQUAL(seen.rounds, 2000);
    EXPECT(seen.masked);
    hal_context_finish(&away);
    hal_context_finish(&third);
}

static void interrupted_on_small_stack(void *arg)
{
    (void)arg;
    hal_irq_unmask();
    seen.finished = CONTRACT_WAIT(contract_irqs(HAL_IRQ_TIMER) >= 20, SOON);
    contract_mask();
    hal_context_switch(&away, &home);
}

static void tick_soon(void)
{
    hal_timer_set(hal_time_now() + 20 * NS_PER_US);
}

CONTRACT_TEST(smallest_stack_holds_an_interrupt)
{
    contract_context(&away, HAL_STACK_MIN, interrupted_on_small_stack, NULL);
    contract_on_irq(HAL_IRQ_TIMER, tick_soon);
    hal_irq_enable(HAL_IRQ_TIMER);
    tick_soon();
    hal_context_switch(&home, &away);
    hal_context_finish(&away);
    EXPECT(seen.finished);
}

CONTRACT_TEST(left_context_may_be_freed)
{
    struct hal_context *context = contract_pages(1);
    uint8_t *stack = contract_pages(HAL_STACK_SIZE / HAL_PAGE_SIZE);
    for (unsigned i = 0; i < 20; i++) {
        seen.finished = false;
        hal_context_init(context, stack, HAL_STACK_SIZE, see_entry, NULL);
        hal_context_switch(&home, context);
        hal_context_finish(context);
        memset(context, 0xee, sizeof(*context));
        memset(stack, 0xee, HAL_STACK_SIZE);
        EXPECT(seen.finished);
    }
}

CONTRACT_TEST(init_allocates_nothing)
{
    uint8_t *stack = contract_pages(HAL_STACK_SIZE / HAL_PAGE_SIZE);
    for (unsigned i = 0; i < 3000; i++) {
        hal_context_init(&away, stack, HAL_STACK_SIZE, see_entry, NULL);
        hal_context_finish(&away);
    }
    seen.finished = false;
    hal_context_init(&away, stack, HAL_STACK_SIZE, see_entry, NULL);
    hal_context_switch(&home, &away);
    hal_context_finish(&away);
    EXPECT(seen.finished);
}

/* Two contexts that only poll, and a timer that switches between them inside its handler. */

static struct {
    struct hal_context contexts[2];
    volatile unsigned running, switches;
    volatile uint64_t counts[2], sums[2];
    volatile bool unmasked[2];
} pair KSTATE;

#define SWITCHES 200u

static void switch_pair(void)
{
    if (++pair.switches >= SWITCHES) {
        hal_timer_set(HAL_TIME_NEVER);
        hal_context_switch(&pair.contexts[pair.running], &home);
        return;
    }
    hal_timer_set(hal_time_now() + 50 * NS_PER_US);
    unsigned from = pair.running;
    pair.running = 1 - from;
    hal_context_switch(&pair.contexts[from], &pair.contexts[1 - from]);
}

static void poll_for_ever(void *arg)
{
    unsigned self = arg == NULL ? 0 : 1;
    uint64_t sum = 1;
    hal_irq_unmask();
    for (;;) {
        hal_cpu_relax();
        sum = sum * 3 + 1;
        pair.sums[self] = sum;
        pair.counts[self]++;
        if (hal_irq_masked())
            pair.unmasked[self] = false;
    }
}

CONTRACT_TEST(switch_inside_the_interrupt)
{
    pair.switches = pair.running = 0;
    for (unsigned i = 0; i < 2; i++) {
        pair.counts[i] = pair.sums[i] = 0;
        pair.unmasked[i] = true;
        contract_context(&pair.contexts[i], HAL_STACK_SIZE, poll_for_ever, i == 0 ? NULL : &pair);
    }
    contract_on_irq(HAL_IRQ_TIMER, switch_pair);
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_timer_set(hal_time_now() + 50 * NS_PER_US);
    hal_context_switch(&home, &pair.contexts[0]);
    EXPECT(hal_irq_masked());
    EXPECT_EQUAL(pair.switches, SWITCHES);
    for (unsigned i = 0; i < 2; i++) {
        EXPECT(pair.counts[i] > 0);
        EXPECT(pair.unmasked[i]);
        uint64_t sum = 1;
        for (uint64_t n = 0; n < pair.counts[i]; n++)
            sum = sum * 3 + 1;
        /* The last round may have stored the sum and not yet the count. */
        EXPECT(pair.sums[i] == sum || pair.sums[i] == sum * 3 + 1);
        hal_context_finish(&pair.contexts[i]);
    }
}

/* Backtraces. The three functions must keep frames of their own. */

static size_t trace_n KSTATE;
static uintptr_t trace[64] KSTATE;
static size_t trace_max KSTATE;
static bool trace_from_frame KSTATE;

__attribute__((noinline)) static void trace_inner(void)
{
    uintptr_t frame = trace_from_frame ? (uintptr_t)__builtin_frame_address(0) : 0;
    trace_n = hal_context_backtrace(frame, trace, trace_max);
    __asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) static void trace_middle(void)
{
    trace_inner();
    __asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) static void trace_outer(void)
{
    trace_middle();
    __asm__ volatile("" ::: "memory");
}

static void backtrace_names_the_callers(void);
static void backtrace_starts_at_a_frame(void);

/** The start of the nearest of our functions behind `start`, or 0. */
static uintptr_t nearest_after(uintptr_t start)
{
    void (*const ours[])(void) = {trace_inner, trace_middle, trace_outer,
                                  backtrace_names_the_callers, backtrace_starts_at_a_frame};
    uintptr_t nearest = 0;
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        uintptr_t other = (uintptr_t)ours[i];
        if (other > start && (nearest == 0 || other < nearest))
            nearest = other;
    }
    return nearest;
}

/** True: `address` lies in the code of `function`, as far as its neighbours tell. */
static bool inside(uintptr_t address, void (*function)(void))
{
    uintptr_t start = (uintptr_t)function;
    uintptr_t next = nearest_after(start);
    return address > start && (next == 0 ? address - start < 256 : address < next);
}

CONTRACT_TEST(backtrace_names_the_callers)
{
    trace_max = 64;
    trace_from_frame = false;
    trace_outer();
    REQUIRE(trace_n >= 3 && trace_n <= 64);
    EXPECT(inside(trace[0], trace_middle));
    EXPECT(inside(trace[1], trace_outer));
    EXPECT(inside(trace[2], backtrace_names_the_callers));
}

CONTRACT_TEST(backtrace_starts_at_a_frame)
{
    trace_max = 64;
    trace_from_frame = true;
    trace_outer();
    REQUIRE(trace_n >= 3 && trace_n <= 64);
    EXPECT(inside(trace[0], trace_middle));
    EXPECT(inside(trace[1], trace_outer));
    EXPECT(inside(trace[2], backtrace_starts_at_a_frame));
}

CONTRACT_TEST(backtrace_stops_at_max)
{
    trace[2] = 0x1234;
    trace_from_frame = false;
    trace_max = 2;
    trace_outer();
    EXPECT_EQUAL(trace_n, 2);
    EXPECT_EQUAL(trace[2], 0x1234);
    trace_max = 0;
    trace_outer();
    EXPECT_EQUAL(trace_n, 0);
}

static void trace_entry(void *arg)
{
    (void)arg;
    trace_max = 64;
    trace_outer();
    hal_context_switch(&away, &home);
}

CONTRACT_TEST(backtrace_stops_at_the_end_of_the_stack)
{
    contract_context(&away, HAL_STACK_SIZE, trace_entry, NULL);
    hal_context_switch(&home, &away);
    hal_context_finish(&away);
    EXPECT(trace_n >= 2 && trace_n < 8);
}

CONTRACT_TEST(backtrace_survives_a_broken_chain)
{
    uintptr_t here[8];
    uintptr_t *loop = contract_pages(1);
    loop[0] = loop[1] = (uintptr_t)loop;
    uintptr_t frames[] = {1,
                          8,
                          16,
                          (uintptr_t)loop,
                          (uintptr_t)loop + 1,
                          (uintptr_t)0x500000001000u,
                          UINTPTR_MAX,
                          UINTPTR_MAX - 15,
                          (uintptr_t)1 << (sizeof(uintptr_t) * 8 - 1)};
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++)
        EXPECT(hal_context_backtrace(frames[i], here, 8) <= 8);
}

CONTRACT_TEST(code_base_is_constant)
{
    uintptr_t base = hal_context_code_base();
    EXPECT_EQUAL(base % HAL_PAGE_SIZE, 0);
    EXPECT((uintptr_t)code_base_is_constant >= base);
    EXPECT_EQUAL(hal_context_code_base(), base);
}

const struct contract_test context_tests[] = {
    {"the first switch calls entry with its argument, masked", first_switch_calls_entry},
    {"the first frame is at the high end of the stack", first_frame_is_at_the_high_end},
    {"a switch keeps what a call keeps", switch_keeps_the_registers},
    {"three contexts on the smallest stacks go round, masked", three_contexts_go_round},
    {"the smallest stack holds an interrupt", smallest_stack_holds_an_interrupt},
    {"a context that was left for good may be freed", left_context_may_be_freed},
    {"hal_context_init allocates nothing", init_allocates_nothing},
    {"a switch inside hal_upcall_interrupt is an ordinary switch", switch_inside_the_interrupt},
    {"hal_context_backtrace from 0 starts with whom the caller returns to",
     backtrace_names_the_callers},
    {"hal_context_backtrace from a frame starts with whom that function returns to",
     backtrace_starts_at_a_frame},
    {"hal_context_backtrace stops at max", backtrace_stops_at_max},
    {"hal_context_backtrace stops at the end of the stack",
     backtrace_stops_at_the_end_of_the_stack},
    {"hal_context_backtrace never faults on a broken chain", backtrace_survives_a_broken_chain},
    {"hal_context_code_base is constant and lies below the code", code_base_is_constant},
    {NULL, NULL},
};
