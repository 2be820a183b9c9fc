/* SPDX-License-Identifier: MIT */
/*
 * time.c: the promises of hal/time.h: the clock and the one-shot timer.
 */
#include "contract.h"

CONTRACT_TEST(now_starts_at_power_on)
{
    /* Generous: what the firmware and the loader took counts too. */
    EXPECT(contract_boot()->time < 30ull * NS_PER_S);
}

CONTRACT_TEST(now_never_goes_back)
{
    uint64_t last = hal_time_now();
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t now = hal_time_now();
        REQUIRE(now >= last);
        last = now;
        if (i % 16 == 0)
            hal_cpu_relax();
    }
}

static volatile uint64_t fired_at KSTATE;

static void note_time(void)
{
    fired_at = hal_time_now();
}

static void watch_timer(void)
{
    fired_at = 0;
    contract_on_irq(HAL_IRQ_TIMER, note_time);
    hal_irq_enable(HAL_IRQ_TIMER);
}

CONTRACT_TEST(timer_is_never_early)
{
    watch_timer();
    hal_irq_unmask();
    for (unsigned i = 1; i <= 100; i++) {
        uint64_t deadline = hal_time_now() + (uint64_t)i * i * 137;
        hal_timer_set(deadline);
        REQUIRE(CONTRACT_WAIT(contract_irqs(HAL_IRQ_TIMER) == i, SOON));
        EXPECT(fired_at >= deadline);
    }
}

CONTRACT_TEST(timer_fires_once)
{
    watch_timer();
    hal_irq_unmask();
    hal_timer_set(hal_time_now() + NS_PER_MS);
    contract_pass(30 * NS_PER_MS);
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_TIMER), 1);
}

CONTRACT_TEST(later_deadline_replaces)
{
    watch_timer();
    uint64_t now = hal_time_now();
    hal_timer_set(now + 40 * NS_PER_MS);
    hal_timer_set(now + 80 * NS_PER_MS);
    hal_irq_unmask();
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_TIMER) == 1, SOON));
    EXPECT(fired_at >= now + 80 * NS_PER_MS);
    contract_pass(5 * NS_PER_MS);
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_TIMER), 1);
}

CONTRACT_TEST(earlier_deadline_replaces)
{
    watch_timer();
    hal_irq_unmask();
    uint64_t now = hal_time_now();
    hal_timer_set(now + 1000ull * NS_PER_S);
    hal_timer_set(now + NS_PER_MS);
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_TIMER) == 1, SOON));
}

CONTRACT_TEST(passed_deadline_that_replaces_fires_once)
{
    watch_timer();
    hal_irq_unmask();
    for (unsigned i = 1; i <= 20; i++) {
        hal_timer_set(hal_time_now() + 1000ull * NS_PER_S);
        hal_timer_set(0);
        EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_TIMER) >= i, SOON));
        contract_pass(100 * NS_PER_US);
        EXPECT_EQUAL(contract_irqs(HAL_IRQ_TIMER), i);
    }
}

CONTRACT_TEST(deadline_replaces_one_not_taken)
{
    watch_timer();
    hal_timer_set(0);
    contract_pass(2 * NS_PER_MS);
    uint64_t deadline = hal_time_now() + 100 * NS_PER_MS;
    hal_timer_set(deadline);
    hal_irq_unmask();
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_TIMER) == 1, SOON));
    EXPECT(fired_at >= deadline);
}

CONTRACT_TEST(never_disarms)
{
    watch_timer();
    hal_timer_set(hal_time_now() + 50 * NS_PER_MS);
    hal_timer_set(HAL_TIME_NEVER);
    hal_irq_unmask();
    contract_pass(70 * NS_PER_MS);
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_TIMER), 0);
}

CONTRACT_TEST(never_disarms_one_not_taken)
{
    watch_timer();
    hal_timer_set(0);
    contract_pass(2 * NS_PER_MS);
    hal_timer_set(HAL_TIME_NEVER);
    hal_irq_unmask();
    contract_pass(2 * NS_PER_MS);
    EXPECT_EQUAL(contract_irqs(HAL_IRQ_TIMER), 0);
}

CONTRACT_TEST(past_deadline_fires_at_once)
{
    watch_timer();
    hal_irq_unmask();
    hal_timer_set(0);
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_TIMER) == 1, SOON));
    hal_timer_set(hal_time_now() - 1);
    EXPECT(CONTRACT_WAIT(contract_irqs(HAL_IRQ_TIMER) == 2, SOON));
}

CONTRACT_TEST(far_deadlines_do_not_wrap)
{
    static const uint64_t far[] = {1ull << 32, 1ull << 40,      1ull << 56,    1ull << 62,
                                   1ull << 63, UINT64_MAX / 19, UINT64_MAX - 1};
    watch_timer();
    hal_irq_unmask();
    for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++) {
        uint64_t deadline = far[i] + 60ull * NS_PER_S;
        hal_timer_set(deadline < far[i] ? far[i] : deadline);
        contract_pass(NS_PER_MS);
        EXPECT_EQUAL(contract_irqs(HAL_IRQ_TIMER), 0);
    }
}

CONTRACT_TEST(timer_works_again)
{
    watch_timer();
    hal_irq_unmask();
    for (unsigned i = 1; i <= 50; i++) {
        hal_timer_set(hal_time_now() + 20 * NS_PER_US);
        REQUIRE(CONTRACT_WAIT(contract_irqs(HAL_IRQ_TIMER) == i, SOON));
    }
}

static volatile unsigned rearms KSTATE;

static void rearm(void)
{
    if (++rearms < 20)
        hal_timer_set(hal_time_now() + 10 * NS_PER_US);
}

CONTRACT_TEST(handler_rearms)
{
    rearms = 0;
    contract_on_irq(HAL_IRQ_TIMER, rearm);
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_irq_unmask();
    hal_timer_set(0);
    EXPECT(CONTRACT_WAIT(rearms == 20, SOON));
    contract_pass(2 * NS_PER_MS);
    EXPECT_EQUAL(rearms, 20);
}

CONTRACT_TEST(wall_clock)
{
    uint64_t wall = hal_time_wall();
    if (wall == 0)
        SKIP("this machine has no wall clock");
    /* Between 2000 and 2200, so a unit that is not nanoseconds shows. */
    EXPECT(wall > 946684800ull * NS_PER_S && wall < 7258118400ull * NS_PER_S);
    uint64_t now = hal_time_now();
    contract_pass(20 * NS_PER_MS);
    uint64_t wall_passed = hal_time_wall() - wall;
    EXPECT(wall_passed >= 10 * NS_PER_MS);
    EXPECT(wall_passed < hal_time_now() - now + NS_PER_S);
}

const struct contract_test time_tests[] = {
    {"hal_time_now counts from power-on", now_starts_at_power_on},
    {"hal_time_now never goes back", now_never_goes_back},
    {"hal_timer_set never fires early", timer_is_never_early},
    {"hal_timer_set fires once", timer_fires_once},
    {"a later deadline replaces an earlier one", later_deadline_replaces},
    {"an earlier deadline replaces a later one", earlier_deadline_replaces},
    {"a deadline that has passed fires once, also when it replaces another one",
     passed_deadline_that_replaces_fires_once},
    {"a deadline replaces one whose interrupt has not been taken", deadline_replaces_one_not_taken},
    {"HAL_TIME_NEVER disarms", never_disarms},
    {"HAL_TIME_NEVER disarms a deadline whose interrupt has not been taken",
     never_disarms_one_not_taken},
    {"a deadline in the past fires at once", past_deadline_fires_at_once},
    {"deadlines centuries away do not fire", far_deadlines_do_not_wrap},
    {"hal_timer_set works again after each firing", timer_works_again},
    {"hal_timer_set works in the timer's own handler", handler_rearms},
    {"hal_time_wall is nanoseconds since 1970, and runs", wall_clock},
    {NULL, NULL},
};
