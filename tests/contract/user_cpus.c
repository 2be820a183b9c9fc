/* SPDX-License-Identifier: MIT */
/*
 * user_cpus.c: the promises of hal/aspace.h and hal/user.h that take several CPUs to keep.
 *
 * CPU 0 gives the others jobs (cpus.c), and has one itself. Each CPU has a program of its own, in a
 * space of its own or in that of CPU 0's, and a timer, so that it comes back from user code that
 * never traps. On a machine whose user code is stopped only by its traps, programs that make system
 * calls take the place of those.
 */
#include "user_program.h"

#define SHARED_GET(v) __atomic_load_n(&(v), __ATOMIC_SEQ_CST)
#define SHARED_SET(v, to) __atomic_store_n(&(v), (to), __ATOMIC_SEQ_CST)
#define SHARED_ADD(v, n) __atomic_add_fetch(&(v), (n), __ATOMIC_SEQ_CST)

enum { TICK = NS_PER_MS, STORM = 1000 };

static struct program programs[HAL_CPU_MAX] KSTATE;
static unsigned done KSTATE; /* jobs */
static bool stop KSTATE;

static void tick(void)
{
    hal_timer_set(hal_time_now() + TICK);
}

/** On each CPU: whoever runs user code comes back. */
static void start_ticking(void)
{
    contract_on_irq(HAL_IRQ_TIMER, tick);
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_timer_set(hal_time_now() + TICK);
}

static void stop_ticking(void)
{
    hal_timer_set(HAL_TIME_NEVER);
    hal_irq_disable(HAL_IRQ_TIMER);
}

/** Has all CPUs do `job`, this one too; gives whether all were done in time. */
static bool all_do(void (*job)(void))
{
    SHARED_SET(done, 0);
    for (unsigned cpu = 1; cpu < hal_cpu_count(); cpu++)
        contract_give(cpu, job);
    job();
    return CONTRACT_WAIT(SHARED_GET(done) == hal_cpu_count(), 2 * SOON);
}

static bool others_run(void)
{
    for (unsigned cpu = 1; cpu < hal_cpu_count(); cpu++)
        if (contract_cpu_entries(cpu) == 0)
            return false;
    return hal_cpu_count() > 1;
}

#define NEED_CPUS() \
    do { \
        if (!others_run()) \
            SKIP("no other CPU runs"); \
    } while (0)

/** Makes a program for each CPU. */
static bool make_all(const uint8_t *code, const uint8_t *end)
{
    for (unsigned cpu = 0; cpu < hal_cpu_count(); cpu++)
        if (!program_make(&programs[cpu], code, end))
            return false;
    return true;
}

static void end_all(void)
{
    for (unsigned cpu = 0; cpu < hal_cpu_count(); cpu++)
        program_end(&programs[cpu]);
}

static void run_in(struct hal_aspace *aspace, struct program *program)
{
    hal_irq_unmask();
    hal_user_run(aspace, &program->user, &program->event);
    contract_mask();
}

/* ---- one space ---- */

/** Adds in the space of CPU 0, again and again. */
static void add_in_common(void)
{
    struct program *own = &programs[hal_cpu_id()];
    start_ticking();
    for (uint64_t i = 0; i < 300; i++) {
        program_set(own, 0, i);
        program_set(own, 1, 1000 * hal_cpu_id());
        do
            run_in(&programs[0].aspace, own);
        while (own->event.trap == HAL_USER_INTERRUPT);
        EXPECT_EQUAL(own->event.trap, HAL_USER_CALL);
        EXPECT_EQUAL(program_get(own, 0), 1000 * hal_cpu_id() + i);
    }
    stop_ticking();
    SHARED_ADD(done, 1);
}

CONTRACT_TEST(cpus_share_a_space)
{
    NEED_CPUS();
    if (!make_all(code_add, code_add_end))
        return;
    EXPECT(all_do(add_in_common));
    end_all();
}

/** Counts in the space of CPU 0, each a word of its own, until all have seen all count. */
static void count_in_common(void)
{
    unsigned self = hal_cpu_id(), cpus = hal_cpu_count();
    struct program *own = &programs[self];
    uint64_t *words = (uint64_t *)programs[0].data, end = hal_time_now() + SOON;
    bool all = false;
    start_ticking();
    program_set(own, 0, DATA_AT + self * 64);
    while (!all && hal_time_now() < end) {
        run_in(&programs[0].aspace, own);
        EXPECT_EQUAL(own->event.trap, HAL_USER_INTERRUPT);
        all = true;
        for (unsigned i = 0; i < cpus; i++)
            all = all && SHARED_GET(words[i * 8]) > 1000;
    }
    EXPECT(all);
    stop_ticking();
    SHARED_ADD(done, 1);
}

CONTRACT_TEST(cpus_run_in_a_space_at_once)
{
    NEED_CPUS();
    if (!hal_user_is_interruptible())
        SKIP("with this clock user code is stopped only by its traps");
    if (!make_all(code_count, code_count_end))
        return;
    EXPECT(all_do(count_in_common));
    end_all();
}

/* ---- a space for each ---- */

/** Each stores and loads at the same addresses, in its own space. */
static void use_own(void)
{
    unsigned self = hal_cpu_id();
    struct program *own = &programs[self];
    start_ticking();
    for (uint64_t i = 0; i < 100; i++) {
        program_load(own, code_store, code_store_end);
        program_set(own, 0, DATA_AT + 8 * (i % 512));
        program_set(own, 1, self * 1000 + i);
        EXPECT_EQUAL(program_run(own), HAL_USER_CALL);
        program_load(own, code_load, code_load_end);
        program_set(own, 0, DATA_AT + 8 * (i % 512));
        EXPECT_EQUAL(program_run(own), HAL_USER_CALL);
        EXPECT_EQUAL(program_get(own, 1), self * 1000 + i);
    }
    stop_ticking();
    SHARED_ADD(done, 1);
}

CONTRACT_TEST(cpus_have_their_own_spaces)
{
    NEED_CPUS();
    if (!make_all(code_load, code_load_end))
        return;
    EXPECT(all_do(use_own));
    end_all();
}

/**
 * Counts in its own space until CPU 0 says that all have. No program traps ever, and only CPU 0 has
 * a timer: where spaces take turns, it is their end that stops a program.
 */
static void count_own(void)
{
    struct program *own = &programs[hal_cpu_id()];
    program_set(own, 0, DATA_AT);
    while (!SHARED_GET(stop))
        EXPECT_EQUAL(program_run_once(own), HAL_USER_INTERRUPT);
    SHARED_ADD(done, 1);
}

static void count_until_all_have(void)
{
    uint64_t end = hal_time_now() + SOON;
    bool all = false;
    start_ticking();
    program_set(&programs[0], 0, DATA_AT);
    while (!all && hal_time_now() < end) {
        EXPECT_EQUAL(program_run_once(&programs[0]), HAL_USER_INTERRUPT);
        all = true;
        for (unsigned i = 0; i < hal_cpu_count(); i++)
            all = all && SHARED_GET(*(uint64_t *)programs[i].data) > 1000;
    }
    EXPECT(all);
    stop_ticking();
}

CONTRACT_TEST(nobody_waits_for_ever)
{
    NEED_CPUS();
    if (!hal_user_is_interruptible())
        SKIP("with this clock user code is stopped only by its traps");
    if (!make_all(code_count, code_count_end))
        return;
    SHARED_SET(stop, false);
    SHARED_SET(done, 0);
    for (unsigned cpu = 1; cpu < hal_cpu_count(); cpu++)
        contract_give(cpu, count_own);
    count_until_all_have();
    SHARED_SET(stop, true);
    for (unsigned cpu = 1; cpu < hal_cpu_count(); cpu++)
        hal_cpu_ipi(cpu);
    EXPECT(CONTRACT_WAIT(SHARED_GET(done) == hal_cpu_count() - 1, SOON));
    end_all();
}

/* ---- what one CPU changes while another one runs ---- */

/** Stores in CPU 0's space until told to stop, whatever happens to the page. */
static void store_there(void)
{
    struct program *own = &programs[1];
    start_ticking();
    while (!SHARED_GET(stop)) {
        program_set(own, 0, DATA_AT);
        run_in(&programs[0].aspace, own);
        if (own->event.trap == HAL_USER_ACCESS)
            EXPECT_EQUAL(own->event.address, DATA_AT);
        else
            EXPECT(own->event.trap == HAL_USER_CALL || own->event.trap == HAL_USER_INTERRUPT);
    }
    stop_ticking();
    SHARED_ADD(done, 1);
}

/** Whether the word stays what it is for a while. */
static bool stays(uint64_t *word)
{
    uint64_t before = SHARED_GET(*word);
    contract_pass(300 * NS_PER_US);
    return SHARED_GET(*word) == before;
}

static void expect_no_stores(uint64_t *word, bool unmap)
{
    for (unsigned i = 0; i < 30 && !contract_failed(); i++) {
        program_map(&programs[0], DATA_AT, programs[0].data, 1, HAL_USER_READ | HAL_USER_WRITE);
        SHARED_SET(*word, 0);
        EXPECT(CONTRACT_WAIT(SHARED_GET(*word) != 0, SOON));
        if (unmap)
            hal_aspace_unmap(&programs[0].aspace, DATA_AT, 1);
        else
            hal_aspace_protect(&programs[0].aspace, DATA_AT, 1, HAL_USER_READ);
        EXPECT(stays(word));
    }
}

CONTRACT_TEST(no_cpu_uses_what_is_unmapped)
{
    NEED_CPUS();
    bool endless = hal_user_is_interruptible();
    if (!make_all(endless ? code_count : code_store, endless ? code_count_end : code_store_end))
        return;
    program_set(&programs[1], 1, 77);
    SHARED_SET(stop, false);
    SHARED_SET(done, 0);
    contract_give(1, store_there);
    expect_no_stores((uint64_t *)programs[0].data, true);
    expect_no_stores((uint64_t *)programs[0].data, false);
    SHARED_SET(stop, true);
    EXPECT(CONTRACT_WAIT(SHARED_GET(done) == 1, SOON));
    end_all();
}

/* ---- a program that moves ---- */

static unsigned turn KSTATE;

/** Runs CPU 0's program when it is this CPU's turn; it keeps its vector registers. */
static void run_in_turns(void)
{
    struct program *moving = &programs[0];
    unsigned cpus = hal_cpu_count();
    uint64_t end = hal_time_now() + SOON;
    start_ticking();
    while (SHARED_GET(turn) < 40 * cpus && hal_time_now() < end) {
        if (SHARED_GET(turn) % cpus != hal_cpu_id()) {
            hal_cpu_relax();
            continue;
        }
        EXPECT_EQUAL(program_run(moving), HAL_USER_CALL);
        uint64_t bytes = program_get(moving, 4);
        EXPECT(bytes >= 16 && bytes <= CODE_VECTOR_BYTES);
        EXPECT(memcmp(moving->data + HAL_PAGE_SIZE, moving->data + 2 * HAL_PAGE_SIZE, bytes) == 0);
        memset(moving->data + 2 * HAL_PAGE_SIZE, 0, CODE_VECTOR_BYTES);
        program_set(moving, 5, 1);
        SHARED_ADD(turn, 1);
    }
    stop_ticking();
    SHARED_ADD(done, 1);
}

CONTRACT_TEST(a_program_may_move)
{
    uint64_t state = 12;
    NEED_CPUS();
    if (!make_all(code_vectors, code_vectors_end))
        return;
    struct program *moving = &programs[0];
    *(uint64_t *)moving->data = 1;
    for (unsigned i = 0; i < CODE_VECTOR_BYTES; i += 8)
        *(uint64_t *)(moving->data + HAL_PAGE_SIZE + i) = program_random(&state);
    program_set(moving, 0, DATA_AT + HAL_PAGE_SIZE);
    program_set(moving, 1, DATA_AT + 2 * HAL_PAGE_SIZE);
    program_set(moving, 2, DATA_AT);
    SHARED_SET(turn, 0);
    EXPECT(all_do(run_in_turns));
    EXPECT(SHARED_GET(turn) >= 40 * hal_cpu_count());
    end_all();
}

/* ---- interrupts at any moment ---- */

static void send_ipis(void)
{
    while (!SHARED_GET(stop)) {
        hal_cpu_ipi(0);
        hal_cpu_relax();
    }
    SHARED_ADD(done, 1);
}

/** All registers but those that a call changes are those of before; with each call others. */
static void call_in_the_storm(struct program *own, uint64_t *state)
{
    static uint64_t before[HAL_USER_REGISTERS] KSTATE, after[HAL_USER_REGISTERS] KSTATE;
    hal_user_read_registers(&own->user, before);
    for (unsigned k = 0; k < HAL_USER_REGISTERS; k++)
        if (k != CODE_FLAGS && k != CODE_PC && k != CODE_SP)
            before[k] = program_random(state);
    hal_user_write_registers(&own->user, before);
    EXPECT_EQUAL(program_run(own), HAL_USER_CALL);
    hal_user_read_registers(&own->user, after);
    for (unsigned k = 0; k < HAL_USER_REGISTERS; k++)
        if (!(CODE_CALL_CHANGES >> k & 1))
            EXPECT_EQUAL(before[k], after[k]);
}

/** The thread pointer is the program's too, on all ways. */
CONTRACT_TEST(an_interrupt_at_any_moment_keeps_the_thread_pointer)
{
    NEED_CPUS();
    if (!make_all(code_thread, code_thread_end))
        return;
    SHARED_SET(stop, false);
    SHARED_SET(done, 0);
    hal_irq_enable(HAL_IRQ_IPI);
    contract_give(1, send_ipis);
    ((uint64_t *)programs[0].data)[5] = 71;
    hal_user_set_tls(&programs[0].user, DATA_AT + 40);
    uint64_t end = hal_time_now() + SOON;
    for (unsigned i = 0; contract_irqs(HAL_IRQ_IPI) < STORM && hal_time_now() < end; i++) {
        if (i % 16 == 0) /* a machine that plays one CPU after another lets the other send */
            hal_cpu_relax();
        EXPECT_EQUAL(program_run(&programs[0]), HAL_USER_CALL);
        EXPECT_EQUAL(program_get(&programs[0], 1), 71);
        EXPECT_EQUAL(hal_user_tls(&programs[0].user), DATA_AT + 40);
        program_set(&programs[0], 1, 0);
        if (contract_failed())
            break;
    }
    SHARED_SET(stop, true);
    EXPECT(CONTRACT_WAIT(SHARED_GET(done) == 1, SOON));
    hal_irq_disable(HAL_IRQ_IPI);
    EXPECT(contract_irqs(HAL_IRQ_IPI) >= STORM);
    end_all();
}

CONTRACT_TEST(an_interrupt_at_any_moment_changes_nothing)
{
    uint64_t state = 21;
    NEED_CPUS();
    if (!make_all(code_call, code_call_end))
        return;
    SHARED_SET(stop, false);
    SHARED_SET(done, 0);
    hal_irq_enable(HAL_IRQ_IPI);
    contract_give(1, send_ipis);
    uint64_t end = hal_time_now() + SOON;
    for (unsigned i = 0; contract_irqs(HAL_IRQ_IPI) < STORM && hal_time_now() < end; i++) {
        if (i % 100 == 0) /* its code faults in anew */
            program_load(&programs[0], code_call, code_call_end);
        call_in_the_storm(&programs[0], &state);
        hal_user_set_pc(&programs[0].user, CODE_AT);
    }
    SHARED_SET(stop, true);
    EXPECT(CONTRACT_WAIT(SHARED_GET(done) == 1, SOON));
    hal_irq_disable(HAL_IRQ_IPI);
    EXPECT(contract_irqs(HAL_IRQ_IPI) >= STORM);
    end_all();
}

const struct contract_test user_cpus_tests[] = {
    {"all CPUs make system calls in one space", cpus_share_a_space},
    {"all CPUs run user code in one space at once", cpus_run_in_a_space_at_once},
    {"CPUs in spaces of their own see their own memory", cpus_have_their_own_spaces},
    {"spaces that never trap get their turns: nobody waits for ever", nobody_waits_for_ever},
    {"what was unmapped or protected is used by no CPU", no_cpu_uses_what_is_unmapped},
    {"an interrupt at any moment, also on the way in or out, changes nothing",
     an_interrupt_at_any_moment_changes_nothing},
    {"an interrupt at any moment keeps the thread pointer",
     an_interrupt_at_any_moment_keeps_the_thread_pointer},
    {"a program goes on on another CPU, with all its registers", a_program_may_move},
    {NULL, NULL},
};
