/* SPDX-License-Identifier: MIT */
/*
 * cpus.c: the promises that take several CPUs to keep: of cpu.h, irq.h, time.h, context.h, mem.h.
 *
 * CPU 0 runs the tests. The others idle in hal_upcall_cpu until they are given a job: a function
 * that runs masked, whose end CPU 0 waits for. What CPUs tell each other goes through atomic
 * variables, here called shared.
 */
#include "contract.h"

#define SHARED_GET(v) __atomic_load_n(&(v), __ATOMIC_SEQ_CST)
#define SHARED_SET(v, to) __atomic_store_n(&(v), (to), __ATOMIC_SEQ_CST)
#define SHARED_ADD(v, n) __atomic_add_fetch(&(v), (n), __ATOMIC_SEQ_CST)

/** Polls until a shared condition holds; a CPU that fails at it says so in `job_failed`. */
#define AWAIT(condition) \
    do { \
        if (!CONTRACT_WAIT((condition), SOON)) { \
            SHARED_SET(job_failed, __LINE__); \
            return; \
        } \
    } while (0)

static int job_failed KSTATE;

static struct {
    void (*job)(void);
    unsigned entries, wakings;
    bool masked;
    unsigned id;
    uintptr_t stack;
} others[HAL_CPU_MAX] KSTATE;

void hal_upcall_cpu(void)
{
    unsigned self = hal_cpu_id();
    others[self].masked = hal_irq_masked();
    others[self].id = self;
    others[self].stack = (uintptr_t)__builtin_frame_address(0);
    hal_irq_enable(HAL_IRQ_IPI);
    SHARED_ADD(others[self].entries, 1);
    for (;;) {
        void (*job)(void) = SHARED_GET(others[self].job);
        if (job == NULL) {
            hal_cpu_idle();
            SHARED_ADD(others[self].wakings, 1);
            continue;
        }
        job();
        contract_mask();
        hal_timer_set(HAL_TIME_NEVER);
        hal_irq_disable(HAL_IRQ_TIMER);
        SHARED_SET(others[self].job, NULL);
    }
}

unsigned contract_cpu_entries(unsigned cpu)
{
    return SHARED_GET(others[cpu].entries);
}

static unsigned count(void)
{
    return hal_cpu_count();
}

static bool is_done(unsigned cpu)
{
    return SHARED_GET(others[cpu].job) == NULL;
}

/* Not before it is through with the last one, which may have said that it is done a while ago. */
void contract_give(unsigned cpu, void (*job)(void))
{
    EXPECT(CONTRACT_WAIT(is_done(cpu), 3 * SOON));
    SHARED_SET(others[cpu].job, job);
    hal_cpu_ipi(cpu);
}

/** Has all others do it. */
static void give_all(void (*job)(void))
{
    SHARED_SET(job_failed, 0);
    for (unsigned cpu = 1; cpu < count(); cpu++)
        contract_give(cpu, job);
}

static void await_all(void)
{
    for (unsigned cpu = 1; cpu < count(); cpu++)
        EXPECT(CONTRACT_WAIT(is_done(cpu), 3 * SOON));
    EXPECT_EQUAL(SHARED_GET(job_failed), 0);
}

#define NEED_CPUS() \
    do { \
        for (unsigned need = 1; need < count() || need == 1; need++) \
            if (count() < 2 || contract_cpu_entries(need) == 0) \
                SKIP("no other CPU runs"); \
    } while (0)

/* ---- starting ---- */

CONTRACT_TEST(all_start_in_any_order)
{
    if (count() < 2)
        SKIP("the machine has one CPU");
    if (contract_cpu_entries(1) == 0)
        SKIP("this machine cannot start other CPUs");
    for (unsigned cpu = count() - 1; cpu > 1; cpu--)
        EXPECT_EQUAL(hal_cpu_start(cpu), 0);
    for (unsigned cpu = 1; cpu < count(); cpu++) {
        REQUIRE(CONTRACT_WAIT(contract_cpu_entries(cpu) != 0, SOON));
        EXPECT(others[cpu].masked);
        EXPECT_EQUAL(others[cpu].id, cpu);
        EXPECT_EQUAL(hal_cpu_start(cpu), -EBUSY);
        EXPECT_EQUAL(contract_cpu_entries(cpu), 1);
    }
}

CONTRACT_TEST(stacks_are_their_own)
{
    NEED_CPUS();
    for (unsigned a = 0; a < count(); a++)
        for (unsigned b = a + 1; b < count(); b++) {
            uintptr_t x = a == 0 ? contract_boot()->stack : others[a].stack;
            uintptr_t y = others[b].stack;
            EXPECT((x > y ? x - y : y - x) >= HAL_STACK_MIN);
        }
}

/* ---- masks ---- */

static bool mask_seen KSTATE, mask_stop KSTATE;

static void stay_masked(void)
{
    SHARED_SET(mask_seen, hal_irq_masked());
    AWAIT(SHARED_GET(mask_stop));
    if (!hal_irq_masked())
        SHARED_SET(job_failed, __LINE__);
}

CONTRACT_TEST(masks_are_per_cpu)
{
    NEED_CPUS();
    SHARED_SET(mask_seen, false);
    SHARED_SET(mask_stop, false);
    hal_irq_enable(HAL_IRQ_IPI);
    hal_irq_unmask();
    unsigned others_before = contract_irqs_on(1, HAL_IRQ_IPI);
    SHARED_SET(job_failed, 0);
    contract_give(1, stay_masked);
    REQUIRE(CONTRACT_WAIT(SHARED_GET(mask_seen), SOON));
    others_before = contract_irqs_on(1, HAL_IRQ_IPI);
    EXPECT(!hal_irq_masked());
    hal_cpu_ipi(1);
    hal_cpu_ipi(0);
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_IPI) == 1, SOON));
    contract_pass(NS_PER_MS);
    EXPECT_EQUAL(contract_irqs_on(1, HAL_IRQ_IPI), others_before);
    SHARED_SET(mask_stop, true);
    await_all();
    /* It was only masked, not lost. */
    EXPECT(CONTRACT_WAIT(contract_irqs_on(1, HAL_IRQ_IPI) == others_before + 1, SOON));
}

/* ---- interrupts ---- */

static uint64_t own_deadline[HAL_CPU_MAX] KSTATE, own_fired[HAL_CPU_MAX] KSTATE;
static unsigned own_count[HAL_CPU_MAX] KSTATE;

static void note_own_timer(void)
{
    unsigned self = hal_cpu_id();
    SHARED_SET(own_fired[self], hal_time_now());
    SHARED_ADD(own_count[self], 1);
}

static void use_own_timer(void)
{
    unsigned self = hal_cpu_id();
    hal_irq_enable(HAL_IRQ_TIMER);
    for (unsigned i = 1; i <= 10; i++) {
        own_deadline[self] = hal_time_now() + (1 + self) * 200 * NS_PER_US;
        hal_timer_set(own_deadline[self]);
        while (SHARED_GET(own_count[self]) < i)
            hal_cpu_idle();
        if (SHARED_GET(own_count[self]) != i || SHARED_GET(own_fired[self]) < own_deadline[self])
            SHARED_SET(job_failed, __LINE__);
    }
}

CONTRACT_TEST(timers_are_per_cpu)
{
    NEED_CPUS();
    for (unsigned cpu = 0; cpu < count(); cpu++)
        SHARED_SET(own_count[cpu], 0);
    contract_on_irq(HAL_IRQ_TIMER, note_own_timer);
    give_all(use_own_timer);
    use_own_timer();
    await_all();
    for (unsigned cpu = 0; cpu < count(); cpu++)
        EXPECT_EQUAL(SHARED_GET(own_count[cpu]), 10);
}

static uint32_t sent[HAL_CPU_MAX][HAL_CPU_MAX] KSTATE, taken[HAL_CPU_MAX][HAL_CPU_MAX] KSTATE;

static void note_sent(void)
{
    unsigned self = hal_cpu_id();
    for (unsigned from = 0; from < count(); from++)
        SHARED_SET(taken[from][self], SHARED_GET(sent[from][self]));
}

/** Sends to all, itself too; now and then waits until all of it has been taken. */
static void send_to_all(void)
{
    unsigned self = hal_cpu_id();
    hal_irq_unmask();
    for (unsigned i = 1; i <= 300; i++) {
        for (unsigned to = 0; to < count(); to++) {
            SHARED_SET(sent[self][to], i);
            hal_cpu_ipi(to);
        }
        for (unsigned to = 0; to < count() && i % (self + 2) == 0; to++)
            AWAIT(SHARED_GET(taken[self][to]) >= i);
    }
    for (unsigned to = 0; to < count(); to++)
        AWAIT(SHARED_GET(taken[self][to]) == 300);
}

static unsigned senders KSTATE;

/** Takes what the others still send: a job must not end before that. */
static void send_and_stay(void)
{
    send_to_all();
    SHARED_ADD(senders, 1);
    AWAIT(SHARED_GET(senders) == count());
}

CONTRACT_TEST(no_ipi_is_lost)
{
    NEED_CPUS();
    for (unsigned a = 0; a < count(); a++)
        for (unsigned b = 0; b < count(); b++) {
            SHARED_SET(sent[a][b], 0);
            SHARED_SET(taken[a][b], 0);
        }
    SHARED_SET(senders, 0);
    contract_on_irq(HAL_IRQ_IPI, note_sent);
    hal_irq_enable(HAL_IRQ_IPI);
    give_all(send_and_stay);
    send_and_stay();
    await_all();
}

/** There is room at once and for ever: one interrupt says so. */
static void enough_room(void)
{
    hal_uart_notify_room(false);
}

CONTRACT_TEST(idle_wakes_by_ipi_only)
{
    NEED_CPUS();
    contract_on_irq(HAL_IRQ_UART, enough_room);
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_irq_enable(HAL_IRQ_UART);
    hal_irq_unmask();
    contract_pass(NS_PER_MS);
    unsigned before[HAL_CPU_MAX];
    for (unsigned cpu = 1; cpu < count(); cpu++)
        before[cpu] = SHARED_GET(others[cpu].wakings);
    unsigned irqs = 0;
    for (unsigned cpu = 1; cpu < count(); cpu++)
        irqs += contract_irqs_on(cpu, HAL_IRQ_IPI) + contract_irqs_on(cpu, HAL_IRQ_TIMER);
    for (unsigned i = 1; i <= 20; i++) {
        hal_timer_set(hal_time_now() + 200 * NS_PER_US);
        hal_uart_notify_room(true);
        EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_TIMER) == i, SOON));
        EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_UART) >= i, SOON));
    }
    for (unsigned cpu = 1; cpu < count(); cpu++) {
        irqs -= contract_irqs_on(cpu, HAL_IRQ_IPI) + contract_irqs_on(cpu, HAL_IRQ_TIMER);
        EXPECT_EQUAL(contract_irqs_on(cpu, HAL_IRQ_UART), 0);
        /* It may return without an interrupt, but not all the time. */
        EXPECT(SHARED_GET(others[cpu].wakings) - before[cpu] < 200);
        before[cpu] = SHARED_GET(others[cpu].wakings);
        hal_cpu_ipi(cpu);
        EXPECT(CONTRACT_WAIT(SHARED_GET(others[cpu].wakings) != before[cpu], SOON));
    }
    EXPECT_EQUAL(irqs, 0);
}

static void ask_for_room(void)
{
    hal_irq_enable(HAL_IRQ_UART);
    hal_uart_notify_room(true);
}

static void disable_uart(void)
{
    hal_irq_disable(HAL_IRQ_UART);
}

CONTRACT_TEST(devices_interrupt_cpu_0)
{
    NEED_CPUS();
    contract_on_irq(HAL_IRQ_UART, enough_room);
    hal_irq_unmask();
    give_all(ask_for_room);
    await_all();
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_UART) > 0, SOON));
    give_all(disable_uart);
    await_all();
    contract_pass(NS_PER_MS);
    unsigned irqs = contract_irqs(HAL_IRQ_UART);
    hal_uart_notify_room(true);
    contract_pass(NS_PER_MS);
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_UART), irqs);
    for (unsigned cpu = 1; cpu < count(); cpu++)
        EXPECT_EQUAL(contract_irqs_on(cpu, HAL_IRQ_UART), 0);
}

/* ---- time ---- */

static uint64_t baton_time KSTATE;
static unsigned baton KSTATE;

#define BATON_ROUNDS 400u

/** In turn, each reads the clock and hands over what it read. */
static void hand_over_time(void)
{
    unsigned self = hal_cpu_id();
    for (unsigned round = 0; round < BATON_ROUNDS; round++) {
        AWAIT(SHARED_GET(baton) == round * count() + self);
        uint64_t before = SHARED_GET(baton_time), now = hal_time_now();
        if (now < before)
            SHARED_SET(job_failed, __LINE__);
        SHARED_SET(baton_time, now);
        SHARED_ADD(baton, 1);
    }
}

CONTRACT_TEST(clocks_agree)
{
    NEED_CPUS();
    SHARED_SET(baton, 0);
    SHARED_SET(baton_time, 0);
    give_all(hand_over_time);
    hand_over_time();
    await_all();
    EXPECT_EQUAL(SHARED_GET(baton), BATON_ROUNDS * count());
}

/* ---- polling for each other ---- */

static unsigned ticket_next KSTATE, ticket_now KSTATE;
static volatile uint64_t guarded_sum KSTATE;

#define LOCK_ROUNDS 2000u

static void add_under_lock(void)
{
    for (unsigned i = 0; i < LOCK_ROUNDS; i++) {
        unsigned mine = SHARED_ADD(ticket_next, 1) - 1;
        AWAIT(SHARED_GET(ticket_now) == mine);
        guarded_sum = guarded_sum + 1;
        SHARED_ADD(ticket_now, 1);
    }
}

CONTRACT_TEST(ticket_lock_goes_round)
{
    NEED_CPUS();
    SHARED_SET(ticket_next, 0);
    SHARED_SET(ticket_now, 0);
    guarded_sum = 0;
    give_all(add_under_lock);
    add_under_lock();
    await_all();
    EXPECT_EQUAL(guarded_sum, (uint64_t)LOCK_ROUNDS * count());
}

/* ---- contexts that move ---- */

static struct hal_context homes[HAL_CPU_MAX] KSTATE, traveller KSTATE;
static unsigned travels KSTATE, arrivals[HAL_CPU_MAX] KSTATE;
static uint64_t travel_sum KSTATE;
static bool travel_masked KSTATE;

#define TRAVELS 400u

/** More variables than there are registers; each round goes on where the next CPU takes it up. */
static void travel(void *unused)
{
    uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8, i = 9, j = 10;
    (void)unused;
    for (unsigned round = 0; round < TRAVELS; round++) {
        travel_masked = travel_masked && hal_irq_masked();
        arrivals[hal_cpu_id()]++;
        hal_context_switch(&traveller, &homes[hal_cpu_id()]);
        a += b, b += c, c += d, d += e, e += f, f += g, g += h, h += i, i += j, j += a + round;
    }
    travel_sum = a ^ b ^ c ^ d ^ e ^ f ^ g ^ h ^ i ^ j;
    hal_context_switch(&traveller, &homes[hal_cpu_id()]);
}

static uint64_t travel_alone(void)
{
    uint64_t v[10];
    for (unsigned i = 0; i < 10; i++)
        v[i] = i + 1;
    for (unsigned round = 0; round < TRAVELS; round++)
        for (unsigned i = 0; i < 10; i++)
            v[i] += i == 9 ? v[0] + round : v[i + 1];
    uint64_t sum = 0;
    for (unsigned i = 0; i < 10; i++)
        sum ^= v[i];
    return sum;
}

/** Takes the traveller up whenever it is this CPU's turn. */
static void carry(void)
{
    unsigned self = hal_cpu_id();
    for (;;) {
        AWAIT(SHARED_GET(travels) % count() == self || SHARED_GET(travels) > TRAVELS);
        if (SHARED_GET(travels) > TRAVELS)
            return;
        hal_context_switch(&homes[self], &traveller);
        if (!hal_irq_masked())
            SHARED_SET(job_failed, __LINE__);
        SHARED_ADD(travels, 1);
    }
}

CONTRACT_TEST(context_continues_elsewhere)
{
    NEED_CPUS();
    SHARED_SET(travels, 0);
    travel_masked = true;
    memset(arrivals, 0, sizeof(arrivals));
    contract_context(&traveller, HAL_STACK_SIZE, travel, NULL);
    give_all(carry);
    carry();
    await_all();
    EXPECT_EQUAL(travel_sum, travel_alone());
    EXPECT(travel_masked);
    for (unsigned cpu = 0; cpu < count(); cpu++)
        EXPECT_EQUAL(arrivals[cpu], TRAVELS / count() + (cpu < TRAVELS % count()));
    hal_context_finish(&traveller);
}

static uint64_t wander_rounds KSTATE, wander_sum KSTATE;
static bool wander_broken KSTATE;

/**
 * Unmasked, moved by interrupts between any two instructions: masks, looks whether it stays where
 * it is and masked, unmasks.
 */
static void wander(void *unused)
{
    uint64_t sum = 1;
    (void)unused;
    hal_irq_unmask();
    for (;;) {
        bool good = !hal_irq_masked();
        hal_irq_state_t state = hal_irq_save();
        unsigned here = hal_cpu_id();
        for (unsigned i = 0; i < 8; i++)
            good = good && hal_irq_masked() && hal_cpu_id() == here;
        hal_irq_restore(state);
        sum = sum * 3 + 1;
        if (!good)
            SHARED_SET(wander_broken, true);
        SHARED_SET(wander_sum, sum);
        SHARED_ADD(wander_rounds, 1);
        hal_cpu_relax();
    }
}

/** The timer: back to who runs the test on this CPU. */
static void stop_wandering(void)
{
    hal_context_switch(&traveller, &homes[hal_cpu_id()]);
}

static void carry_for_a_while(void)
{
    unsigned self = hal_cpu_id();
    hal_irq_enable(HAL_IRQ_TIMER);
    for (;;) {
        AWAIT(SHARED_GET(travels) % count() == self || SHARED_GET(travels) >= TRAVELS);
        if (SHARED_GET(travels) >= TRAVELS)
            return;
        hal_timer_set(hal_time_now() + (SHARED_GET(travels) * 37 % 40 + 1) * NS_PER_US);
        hal_context_switch(&homes[self], &traveller);
        if (!hal_irq_masked() || hal_cpu_id() != self)
            SHARED_SET(job_failed, __LINE__);
        SHARED_ADD(travels, 1);
    }
}

CONTRACT_TEST(interrupted_context_continues_elsewhere)
{
    NEED_CPUS();
    SHARED_SET(travels, 0);
    SHARED_SET(wander_rounds, 0);
    SHARED_SET(wander_broken, false);
    contract_on_irq(HAL_IRQ_TIMER, stop_wandering);
    contract_context(&traveller, HAL_STACK_SIZE, wander, NULL);
    give_all(carry_for_a_while);
    carry_for_a_while();
    await_all();
    EXPECT(!wander_broken);
    EXPECT(wander_rounds > 0);
    uint64_t sum = 1;
    for (uint64_t i = 0; i < wander_rounds; i++)
        sum = sum * 3 + 1;
    EXPECT(wander_sum == sum || wander_sum == sum * 3 + 1);
    hal_context_finish(&traveller);
}

/* ---- memory ---- */

static volatile uint64_t *shared_page KSTATE;
static uint64_t page_writes KSTATE;
static struct hal_fault page_fault KSTATE;
static unsigned page_faults KSTATE;
static bool page_free KSTATE, page_stop KSTATE;

static void write_to_page(void)
{
    while (!SHARED_GET(page_stop)) {
        *shared_page = *shared_page + 1;
        SHARED_ADD(page_writes, 1);
        hal_cpu_relax();
    }
}

/** Waits until the guard is lifted, and tries again. */
static bool wait_for_page(const struct hal_fault *fault)
{
    if (hal_cpu_id() != 1)
        return false;
    page_fault = *fault;
    SHARED_ADD(page_faults, 1);
    return CONTRACT_WAIT(SHARED_GET(page_free), SOON);
}

CONTRACT_TEST(guard_holds_on_all_cpus)
{
    NEED_CPUS();
    shared_page = contract_pages(1);
    *shared_page = 0;
    SHARED_SET(page_writes, 0);
    SHARED_SET(page_faults, 0);
    SHARED_SET(page_stop, false);
    SHARED_SET(job_failed, 0);
    contract_on_fault(wait_for_page);
    contract_give(1, write_to_page);
    for (unsigned round = 1; round <= 20; round++) {
        uint64_t writes = SHARED_GET(page_writes);
        REQUIRE(CONTRACT_WAIT(SHARED_GET(page_writes) > writes, SOON));
        SHARED_SET(page_free, false);
        REQUIRE(hal_mem_guard((void *)(uintptr_t)shared_page, true) == 0);
        /* At most one write was done before the guard and not counted yet. */
        writes = SHARED_GET(page_writes);
        EXPECT(CONTRACT_WAIT(SHARED_GET(page_faults) == round, SOON));
        EXPECT(SHARED_GET(page_writes) - writes <= 1);
        EXPECT_EQUAL(page_fault.kind, HAL_FAULT_STACK);
        EXPECT_EQUAL(page_fault.address, (uintptr_t)shared_page);
        REQUIRE(hal_mem_guard((void *)(uintptr_t)shared_page, false) == 0);
        SHARED_SET(page_free, true);
    }
    SHARED_SET(page_stop, true);
    await_all();
    EXPECT_EQUAL(*shared_page, SHARED_GET(page_writes));
}

const struct contract_test cpus_tests[] = {
    {"hal_cpu_start starts all CPUs, in any order", all_start_in_any_order},
    {"each CPU starts on a stack of its own", stacks_are_their_own},
    {"masks are per CPU", masks_are_per_cpu},
    {"timers are per CPU", timers_are_per_cpu},
    {"no IPI is lost when all send to all", no_ipi_is_lost},
    {"an idle CPU is woken by its own interrupts only", idle_wakes_by_ipi_only},
    {"devices interrupt CPU 0, whoever enables the line", devices_interrupt_cpu_0},
    {"hal_time_now never goes back from one CPU to another", clocks_agree},
    {"CPUs that poll with hal_cpu_relax get a ticket lock in turn", ticket_lock_goes_round},
    {"a context saved on one CPU continues on another, masked, with its registers",
     context_continues_elsewhere},
    {"an interrupted context continues on another CPU, unmasked, and masks where it is",
     interrupted_context_continues_elsewhere},
    {"hal_mem_guard holds on all CPUs when it returns", guard_holds_on_all_cpus},
    {NULL, NULL},
};
