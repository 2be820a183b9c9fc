/* SPDX-License-Identifier: MIT */
/*
 * watch.c: the promises of hal_cpu_watch: a CPU that keeps interrupts masked is found out.
 *
 * Both machines can interrupt masked code, so here nothing is skipped. The bounds are wide above:
 * a busy host takes a CPU away for a while. Below they are not: nobody is found too early, and an
 * unmasked or idle CPU is not found at all.
 */
#include "contract.h"

#define LIMIT (20ull * NS_PER_MS)
/* For CPUs that do nothing wrong: masked for a moment, they may lose the host's processor. */
#define WIDE_LIMIT (200ull * NS_PER_MS)

static struct {
    unsigned stalls, others; /* faults of that kind, and of other kinds */
    unsigned cpu;
    uint64_t first, last; /* when */
    bool done;
} seen KSTATE;

static bool note_stall(const struct hal_fault *fault)
{
    if (fault->kind != HAL_FAULT_STALL) {
        __atomic_add_fetch(&seen.others, 1, __ATOMIC_SEQ_CST);
        return false;
    }
    seen.cpu = hal_cpu_id();
    seen.last = hal_time_now();
    if (__atomic_load_n(&seen.stalls, __ATOMIC_SEQ_CST) == 0)
        seen.first = seen.last;
    __atomic_add_fetch(&seen.stalls, 1, __ATOMIC_SEQ_CST);
    return true;
}

static unsigned stalls(void)
{
    return __atomic_load_n(&seen.stalls, __ATOMIC_SEQ_CST);
}

static void begin(void)
{
    memset(&seen, 0, sizeof(seen));
    contract_on_fault(note_stall);
    hal_irq_enable(HAL_IRQ_IPI);
}

CONTRACT_TEST(a_masked_cpu_is_found_again_and_again)
{
    begin();
    uint64_t start = hal_time_now();
    hal_cpu_watch(LIMIT);
    EXPECT(CONTRACT_WAIT(stalls() >= 3, SOON));
    hal_cpu_watch(0);
    EXPECT(hal_irq_masked());
    EXPECT_EQUAL(seen.others, 0);
    EXPECT_EQUAL(seen.cpu, hal_cpu_id());
    EXPECT(seen.first - start >= LIMIT / 4 * 3);
    EXPECT(seen.last - seen.first >= LIMIT);
}

CONTRACT_TEST(unmasking_counts_from_the_start)
{
    bool clean = false;

    for (unsigned i = 0; i < 5 && !clean; i++) { /* a busy host may stop it while it is masked */
        begin();
        hal_cpu_watch(WIDE_LIMIT);
        hal_irq_unmask();
        for (uint64_t end = hal_time_now() + 3 * WIDE_LIMIT; hal_time_now() < end;) {
            hal_irq_state_t state = hal_irq_save();
            contract_pass(100 * NS_PER_US);
            hal_irq_restore(state);
        }
        contract_mask();
        hal_cpu_watch(0);
        clean = stalls() == 0;
    }
    EXPECT(clean);
}

CONTRACT_TEST(an_idle_cpu_is_not_found)
{
    begin();
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_cpu_watch(WIDE_LIMIT);
    hal_timer_set(hal_time_now() + 3 * WIDE_LIMIT);
    while (contract_irqs(HAL_IRQ_TIMER) == 0)
        hal_cpu_idle();
    hal_cpu_watch(0);
    EXPECT_EQUAL(stalls(), 0);
}

CONTRACT_TEST(zero_ends_it)
{
    begin();
    hal_cpu_watch(LIMIT);
    hal_cpu_watch(0);
    contract_pass(5 * LIMIT);
    EXPECT_EQUAL(stalls(), 0);
}

/* On CPU 1, masked as every job is. */
static void be_watched(void)
{
    hal_cpu_watch(LIMIT);
    (void)CONTRACT_WAIT(stalls() > 0, SOON);
    hal_cpu_watch(0);
    __atomic_store_n(&seen.done, true, __ATOMIC_SEQ_CST);
}

CONTRACT_TEST(each_cpu_is_watched_by_itself)
{
    if (hal_cpu_count() == 1)
        SKIP("there is one CPU");
    begin();
    contract_give(1, be_watched);
    EXPECT(CONTRACT_WAIT(stalls() > 0, SOON));
    REQUIRE(CONTRACT_WAIT(__atomic_load_n(&seen.done, __ATOMIC_SEQ_CST), SOON));
    EXPECT_EQUAL(seen.cpu, 1);
    /* CPU 0 is masked all the time, and nobody watches it. */
    contract_pass(5 * LIMIT);
    EXPECT_EQUAL(seen.cpu, 1);
    EXPECT_EQUAL(seen.others, 0);
}

const struct contract_test watch_tests[] = {
    {"hal_cpu_watch finds a CPU that stays masked, not too early, and again when it goes on",
     a_masked_cpu_is_found_again_and_again},
    {"hal_cpu_watch does not find a CPU that unmasks in between", unmasking_counts_from_the_start},
    {"hal_cpu_watch does not find a CPU that idles", an_idle_cpu_is_not_found},
    {"hal_cpu_watch with 0 ends it", zero_ends_it},
    {"hal_cpu_watch is a matter of each CPU by itself", each_cpu_is_watched_by_itself},
    {NULL, NULL},
};
