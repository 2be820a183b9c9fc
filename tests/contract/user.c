/* SPDX-License-Identifier: MIT */
/*
 * user.c: the promises of hal/user.h on one CPU. user_cpus.c has those that take several.
 */
#include "user_program.h"

enum { TICK = 200 * NS_PER_US, IMAGE_BYTES = 8192 };

static struct program program KSTATE, second KSTATE;
static uint64_t registers[2][HAL_USER_REGISTERS] KSTATE;

#define MANY_CALLS 200u

static void read(struct program *of, uint64_t to[HAL_USER_REGISTERS])
{
    hal_user_read_registers(&of->user, to);
}

/** Compares both sets but for the registers in `changed`. */
static void expect_same_but(uint64_t changed)
{
    for (unsigned i = 0; i < HAL_USER_REGISTERS; i++)
        if (!(changed >> i & 1))
            EXPECT_EQUAL(registers[0][i], registers[1][i]);
}

/* ---- starting ---- */

CONTRACT_TEST(it_starts_as_it_was_readied)
{
    if (!PROGRAM(&program, call))
        return;
    hal_user_init(&program.user, CODE_AT, STACK_AT - 128);
    EXPECT_EQUAL(hal_user_pc(&program.user), CODE_AT);
    EXPECT_EQUAL(hal_user_sp(&program.user), STACK_AT - 128);
    EXPECT_EQUAL(hal_user_tls(&program.user), 0);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    EXPECT_EQUAL(hal_user_sp(&program.user), STACK_AT - 128);
    EXPECT_EQUAL(hal_user_call(&program.user), 0);
    for (unsigned i = 0; i < 6; i++)
        EXPECT_EQUAL(hal_user_argument(&program.user, i), 0);
    program_end(&program);
}

CONTRACT_TEST(a_copy_goes_on_like_the_original)
{
    if (!PROGRAM(&program, add) || !PROGRAM(&second, add))
        return;
    program_set(&program, 0, 30);
    program_set(&program, 1, 4);
    hal_user_set_tls(&program.user, DATA_AT);
    hal_user_copy(&second.user, &program.user);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    EXPECT_EQUAL(program_run(&second), HAL_USER_CALL);
    EXPECT_EQUAL(program_get(&second, 0), 34);
    EXPECT_EQUAL(hal_user_tls(&second.user), DATA_AT);
    read(&program, registers[0]);
    read(&second, registers[1]);
    expect_same_but(0);
    program_end(&program);
    program_end(&second);
}

/* ---- system calls ---- */

CONTRACT_TEST(a_call_comes_back)
{
    if (!PROGRAM(&program, add))
        return;
    for (uint64_t i = 0; i < MANY_CALLS; i++) {
        program_set(&program, 0, i);
        program_set(&program, 1, 100);
        EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
        EXPECT_EQUAL(hal_user_call(&program.user), 7);
        EXPECT_EQUAL(hal_user_argument(&program.user, 0), 100 + i);
        EXPECT_EQUAL(hal_user_argument(&program.user, 1), 100);
        hal_user_set_result(&program.user, 0);
    }
    program_end(&program);
}

CONTRACT_TEST(arguments_arrive)
{
    if (!PROGRAM(&program, call))
        return;
    for (unsigned i = 0; i < 6; i++)
        program_set(&program, i, 0x1000000100000001 * (i + 1));
    read(&program, registers[0]);
    registers[0][CODE_NUMBER] = 0x1234;
    hal_user_write_registers(&program.user, registers[0]);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    EXPECT_EQUAL(hal_user_call(&program.user), 0x1234);
    for (unsigned i = 0; i < 6; i++)
        EXPECT_EQUAL(hal_user_argument(&program.user, i), 0x1000000100000001 * (i + 1));
    EXPECT_EQUAL(hal_user_pc(&program.user), CODE_AT + CODE_CALL_BYTES);
    program_end(&program);
}

CONTRACT_TEST(the_result_arrives)
{
    if (!PROGRAM(&program, call))
        return;
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    hal_user_set_result(&program.user, -EINVAL);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    read(&program, registers[0]);
    EXPECT_EQUAL(registers[0][CODE_RESULT], (uint64_t)-EINVAL);
    program_end(&program);
}

CONTRACT_TEST(a_call_can_be_made_again)
{
    if (!PROGRAM(&program, add))
        return;
    program_set(&program, 0, 1);
    program_set(&program, 1, 2);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    uintptr_t after = hal_user_pc(&program.user);
    for (unsigned i = 0; i < 3; i++) {
        if (i > 0)
            hal_user_set_result(&program.user, -EINTR);
        hal_user_repeat_call(&program.user, 50 + i);
        EXPECT_EQUAL(hal_user_pc(&program.user), after - CODE_CALL_BYTES);
        EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
        EXPECT_EQUAL(hal_user_call(&program.user), 50 + i);
        EXPECT_EQUAL(hal_user_argument(&program.user, 0), 3);
        EXPECT_EQUAL(hal_user_argument(&program.user, 1), 2);
        EXPECT_EQUAL(hal_user_pc(&program.user), after);
    }
    program_end(&program);
}

/* ---- traps ---- */

CONTRACT_TEST(accesses_say_what_and_where)
{
    if (!PROGRAM(&program, load))
        return;
    program_set(&program, 0, NOWHERE + 0x123458);
    program_expect_access(&program, NOWHERE + 0x123458, HAL_USER_READ);
    LOAD(&program, store);
    program_set(&program, 0, NOWHERE + 0x3000);
    program_expect_access(&program, NOWHERE + 0x3000, HAL_USER_WRITE);
    LOAD(&program, jump);
    program_set(&program, 0, NOWHERE);
    program_expect_access(&program, NOWHERE, HAL_USER_EXECUTE);
    EXPECT_EQUAL(hal_user_pc(&program.user), NOWHERE);
    program_end(&program);
}

CONTRACT_TEST(other_addresses_are_no_programs)
{
    const uintptr_t bad[] = {0, HAL_USER_START - 8, CODE_KERNEL_ADDRESS, CODE_NO_ADDRESS,
                             UINTPTR_MAX - 7};
    if (!PROGRAM(&program, load))
        return;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        LOAD(&program, load);
        program_set(&program, 0, bad[i]);
        program_expect_access(&program, bad[i], HAL_USER_READ);
        LOAD(&program, store);
        program_set(&program, 0, bad[i]);
        program_expect_access(&program, bad[i], HAL_USER_WRITE);
        LOAD(&program, jump);
        program_set(&program, 0, bad[i] & ~(uintptr_t)7);
        program_expect_access(&program, bad[i] & ~(uintptr_t)7, HAL_USER_EXECUTE);
        LOAD(&program, call);
        hal_user_set_pc(&program.user, bad[i] & ~(uintptr_t)7);
        program_expect_access(&program, bad[i] & ~(uintptr_t)7, HAL_USER_EXECUTE);
    }
    LOAD(&program, call);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    program_end(&program);
}

CONTRACT_TEST(instructions_that_are_not_for_programs)
{
    if (!PROGRAM(&program, undefined))
        return;
    EXPECT_EQUAL(program_run(&program), HAL_USER_INSTRUCTION);
    EXPECT_EQUAL(hal_user_pc(&program.user), CODE_AT);
    for (const uint8_t *at = code_privileged; at < code_privileged_end; at += CODE_SLOT) {
        const uint8_t *end =
            at + CODE_SLOT < code_privileged_end ? at + CODE_SLOT : code_privileged_end;
        program_load(&program, at, end);
        enum hal_user_trap trap = program_run(&program);
        if (trap != HAL_USER_INSTRUCTION) {
            EXPECT(CODE_PRIVILEGED_IS_ACCESS);
            EXPECT_EQUAL(trap, HAL_USER_ACCESS);
            EXPECT_EQUAL(program.event.address, UINTPTR_MAX);
        }
        EXPECT_EQUAL(hal_user_pc(&program.user), CODE_AT);
        if (contract_failed()) {
            contract_print("# slot ");
            contract_print_number((uint64_t)(at - code_privileged) / CODE_SLOT);
            contract_print("\n");
            break;
        }
    }
    program_end(&program);
}

CONTRACT_TEST(a_division_by_zero)
{
    if (!PROGRAM(&program, divide))
        return;
    program_set(&program, 0, 42);
    program_set(&program, 1, 6);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    EXPECT_EQUAL(program_get(&program, 0), 7);
    LOAD(&program, divide);
    EXPECT_EQUAL(program_run(&program), CODE_DIVIDE_TRAPS ? HAL_USER_ARITHMETIC : HAL_USER_CALL);
    program_end(&program);
}

CONTRACT_TEST(a_breakpoint)
{
    if (!PROGRAM(&program, break))
        return;
    EXPECT_EQUAL(program_run(&program), HAL_USER_BREAKPOINT);
    EXPECT_EQUAL(hal_user_pc(&program.user), CODE_AT + CODE_BREAK_BYTES);
    hal_user_set_pc(&program.user, CODE_AT + CODE_BREAK_SKIP);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    EXPECT_EQUAL(hal_user_call(&program.user), 5);
    program_end(&program);
}

CONTRACT_TEST(a_misaligned_access)
{
    if (!PROGRAM(&program, align))
        return;
    EXPECT_EQUAL(program_run(&program), HAL_USER_ALIGNMENT);
    program_end(&program);
}

CONTRACT_TEST(single_steps)
{
    if (!PROGRAM(&program, steps))
        return;
    hal_user_set_step(&program.user, true);
    uintptr_t pc = CODE_AT;
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_EQUAL(program_run(&program), HAL_USER_STEP);
        EXPECT(hal_user_pc(&program.user) > pc);
        pc = hal_user_pc(&program.user);
    }
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    EXPECT_EQUAL(hal_user_pc(&program.user), pc + CODE_CALL_BYTES);
    hal_user_set_pc(&program.user, CODE_AT);
    EXPECT_EQUAL(program_run(&program), HAL_USER_STEP);
    hal_user_set_step(&program.user, false);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    program_end(&program);
}

/* ---- what the kernel reads and writes ---- */

CONTRACT_TEST(registers_survive_a_call)
{
    uint64_t state = 3;
    if (!PROGRAM(&program, call))
        return;
    for (unsigned i = 0; i < 50; i++) {
        read(&program, registers[0]);
        for (unsigned k = 0; k < HAL_USER_REGISTERS; k++)
            if (k != CODE_FLAGS)
                registers[0][k] = program_random(&state);
        registers[0][CODE_PC] = CODE_AT;
        hal_user_write_registers(&program.user, registers[0]);
        EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
        read(&program, registers[1]);
        expect_same_but(CODE_CALL_CHANGES);
    }
    program_end(&program);
}

CONTRACT_TEST(flags_of_any_value_do_no_harm)
{
    uint64_t state = 8;
    if (!PROGRAM(&program, steps))
        return;
    for (unsigned i = 0; i < 200; i++) {
        read(&program, registers[0]);
        registers[0][CODE_FLAGS] = i < 64 ? (uint64_t)1 << i : program_random(&state);
        registers[0][CODE_PC] = CODE_AT;
        hal_user_write_registers(&program.user, registers[0]);
        enum hal_user_trap trap = program_run(&program);
        EXPECT(trap == HAL_USER_CALL || trap == HAL_USER_STEP);
    }
    program_end(&program);
}

CONTRACT_TEST(the_thread_pointer_is_the_programs)
{
    if (!PROGRAM(&program, thread) || !PROGRAM(&second, thread))
        return;
    *(uint64_t *)program.data = 51;
    ((uint64_t *)second.data)[4] = 52;
    hal_user_set_tls(&program.user, DATA_AT);
    hal_user_set_tls(&second.user, DATA_AT + 32);
    for (unsigned i = 0; i < 10; i++) {
        EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
        EXPECT_EQUAL(program_get(&program, 1), 51);
        EXPECT_EQUAL(program_run(&second), HAL_USER_CALL);
        EXPECT_EQUAL(program_get(&second, 1), 52);
    }
    EXPECT_EQUAL(hal_user_tls(&program.user), DATA_AT);
    program_end(&program);
    program_end(&second);
}

CONTRACT_TEST(a_program_sets_its_thread_pointer)
{
    if (!CODE_CAN_SET_THREAD)
        SKIP("this processor does not let programs set it");
    if (!PROGRAM(&program, set_thread) || !PROGRAM(&second, thread))
        return;
    ((uint64_t *)program.data)[3] = 61;
    *(uint64_t *)second.data = 62;
    hal_user_set_tls(&second.user, DATA_AT);
    program_set(&program, 0, DATA_AT + 24);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    EXPECT_EQUAL(program_get(&program, 1), 61);
    EXPECT_EQUAL(hal_user_tls(&program.user), DATA_AT + 24);
    EXPECT_EQUAL(program_run(&second), HAL_USER_CALL);
    EXPECT_EQUAL(program_get(&second, 1), 62);
    program_end(&program);
    program_end(&second);
}

CONTRACT_TEST(a_thread_pointer_of_any_value_does_no_harm)
{
    const uintptr_t any[] = {1,           NOWHERE,           CODE_KERNEL_ADDRESS, CODE_NO_ADDRESS,
                             UINTPTR_MAX, (uintptr_t)1 << 47};
    if (!PROGRAM(&program, call))
        return;
    for (unsigned i = 0; i < sizeof(any) / sizeof(any[0]); i++) {
        hal_user_set_tls(&program.user, any[i]);
        EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    }
    program_end(&program);
}

CONTRACT_TEST(registers_have_names)
{
    struct hal_registers list;
    bool found = false;
    if (!PROGRAM(&program, call))
        return;
    hal_user_list_registers(&program.user, &list);
    EXPECT(list.count > 0 && list.count <= sizeof(list.values) / sizeof(list.values[0]));
    for (unsigned i = 0; i < list.count; i++) {
        EXPECT(list.names[i] != NULL && list.names[i][0] != '\0');
        found = found || list.values[i] == CODE_AT;
    }
    EXPECT(found);
    EXPECT_EQUAL(hal_user_capabilities(0), hal_user_capabilities(0));
    EXPECT(hal_user_capabilities(0) != 0);
    program_end(&program);
}

/* ---- vectors ---- */

enum { FLAG_AT = 0, IN_AT = HAL_PAGE_SIZE, OUT_AT = 2 * HAL_PAGE_SIZE };

/** Has a program with code_vectors fill its registers from a pattern, unless `keep`. */
static void aim_vectors(struct program *of, uint64_t seed, bool keep)
{
    for (unsigned i = 0; i < CODE_VECTOR_BYTES; i += 8)
        *(uint64_t *)(of->data + IN_AT + i) = program_random(&seed);
    memset(of->data + OUT_AT, 0, CODE_VECTOR_BYTES);
    program_set(of, 0, DATA_AT + IN_AT);
    program_set(of, 1, DATA_AT + OUT_AT);
    program_set(of, 2, DATA_AT + FLAG_AT);
    program_set(of, 5, keep);
}

/** Whether it has left the pattern behind. */
static bool vectors_are_right(struct program *of)
{
    uint64_t bytes = program_get(of, 4);
    bool right = bytes >= 16 && bytes <= CODE_VECTOR_BYTES;
    return right && memcmp(of->data + IN_AT, of->data + OUT_AT, bytes) == 0;
}

CONTRACT_TEST(vectors_are_the_programs)
{
    if (!PROGRAM(&program, vectors) || !PROGRAM(&second, vectors))
        return;
    *(uint64_t *)program.data = *(uint64_t *)second.data = 1;
    for (unsigned i = 0; i < 20; i++) {
        aim_vectors(&program, 5, i > 0);
        aim_vectors(&second, 99, i > 0);
        EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
        EXPECT_EQUAL(program_run(&second), HAL_USER_CALL);
        EXPECT(vectors_are_right(&program));
        EXPECT(vectors_are_right(&second));
    }
    program_end(&program);
    program_end(&second);
}

static uint8_t image[2][IMAGE_BYTES] __attribute__((aligned(16))) KSTATE;

CONTRACT_TEST(vectors_can_be_moved)
{
    if (!PROGRAM(&program, vectors) || !PROGRAM(&second, vectors))
        return;
    *(uint64_t *)program.data = *(uint64_t *)second.data = 1;
    size_t bytes = hal_user_vector_bytes(&program.user);
    REQUIRE(bytes <= IMAGE_BYTES);
    aim_vectors(&program, 5, false);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    hal_user_read_vectors(&program.user, image[0]);
    EXPECT_EQUAL(hal_user_write_vectors(&second.user, image[0], bytes), 0);
    aim_vectors(&second, 5, true);
    EXPECT_EQUAL(program_run(&second), HAL_USER_CALL);
    EXPECT(vectors_are_right(&second));
    LOAD(&second, vectors);
    hal_user_copy(&second.user, &program.user);
    aim_vectors(&second, 5, true);
    EXPECT_EQUAL(program_run(&second), HAL_USER_CALL);
    EXPECT(vectors_are_right(&second));
    program_end(&program);
    program_end(&second);
}

CONTRACT_TEST(images_of_any_content_do_no_harm)
{
    uint64_t state = 17;
    unsigned taken = 0;
    if (!PROGRAM(&program, call))
        return;
    size_t bytes = hal_user_vector_bytes(&program.user);
    for (unsigned i = 0; i < 400; i++) {
        hal_user_read_vectors(&program.user, image[0]);
        memcpy(image[1], image[0], bytes);
        for (uint64_t n = program_random(&state) % 4; n < 4; n++)
            image[1][(program_random(&state) >> 20) % bytes] =
                (uint8_t)(program_random(&state) >> 9);
        if (i % 2) /* where the words of a header are */
            image[1][(program_random(&state) >> 20) % 640] = (uint8_t)(program_random(&state) >> 9);
        size_t given = i % 16 == 15 ? (program_random(&state) >> 20) % bytes : bytes;
        int error = hal_user_write_vectors(&program.user, image[1], given);
        hal_user_read_vectors(&program.user, image[1]);
        EXPECT(error == 0 || error == -EINVAL);
        EXPECT(error == 0 || memcmp(image[0], image[1], bytes) == 0);
        taken += error == 0;
        EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    }
    EXPECT(taken > 0);
    program_end(&program);
}

/* ---- interrupts ---- */

static struct {
    unsigned ticks, enough;
    uint64_t *flag; /**< set when there were enough */
    struct hal_context home, away;
    bool switched;
} ticking KSTATE;

static void tick(void)
{
    if (++ticking.ticks >= ticking.enough)
        *ticking.flag = 1;
    hal_timer_set(hal_time_now() + TICK);
}

static void start_ticking(unsigned enough, struct program *of)
{
    memset(&ticking, 0, sizeof(ticking));
    ticking.enough = enough;
    ticking.flag = (uint64_t *)of->data;
    contract_on_irq(HAL_IRQ_TIMER, tick);
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_timer_set(hal_time_now() + TICK);
}

static void stop_ticking(void)
{
    hal_timer_set(HAL_TIME_NEVER);
    hal_irq_disable(HAL_IRQ_TIMER);
}

#define NEED_INTERRUPTS() \
    do { \
        if (!hal_user_is_interruptible()) \
            SKIP("with this clock user code is stopped only by its traps"); \
    } while (0)

CONTRACT_TEST(interrupts_are_handled_and_told)
{
    NEED_INTERRUPTS();
    if (!PROGRAM(&program, until))
        return;
    program_set(&program, 0, DATA_AT);
    start_ticking(20, &program);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    stop_ticking();
    EXPECT_EQUAL(hal_user_call(&program.user), 3);
    EXPECT(contract_irqs(HAL_IRQ_TIMER) >= 20);
    EXPECT(program.interrupts >= 1);
    program_end(&program);
}

CONTRACT_TEST(an_interrupt_changes_no_register)
{
    uint64_t state = 6;
    NEED_INTERRUPTS();
    if (!PROGRAM(&program, spin))
        return;
    start_ticking(UINT32_MAX, &program);
    for (unsigned i = 0; i < 60; i++) {
        read(&program, registers[0]);
        for (unsigned k = 0; k < HAL_USER_REGISTERS; k++)
            if (k != CODE_FLAGS && k != CODE_PC)
                registers[0][k] = program_random(&state);
        hal_user_write_registers(&program.user, registers[0]);
        EXPECT_EQUAL(program_run_once(&program), HAL_USER_INTERRUPT);
        read(&program, registers[1]);
        EXPECT(hal_user_pc(&program.user) - CODE_AT < (uintptr_t)(code_spin_end - code_spin));
        EXPECT(registers[1][code_arguments[0]] - registers[0][code_arguments[0]] < 1ull << 40);
        expect_same_but((uint64_t)1 << code_arguments[0] | (uint64_t)1 << CODE_PC |
                        (uint64_t)1 << CODE_FLAGS);
    }
    stop_ticking();
    program_end(&program);
}

CONTRACT_TEST(an_interrupt_changes_no_vector)
{
    NEED_INTERRUPTS();
    if (!PROGRAM(&program, vectors) || !PROGRAM(&second, vectors))
        return;
    aim_vectors(&program, 1, false);
    aim_vectors(&second, 2, false);
    start_ticking(20, &program);
    while (program_run_once(&program) == HAL_USER_INTERRUPT)
        if (program_run_once(&second) != HAL_USER_INTERRUPT)
            break;
    stop_ticking();
    *(uint64_t *)second.data = 1;
    EXPECT_EQUAL(program.event.trap, HAL_USER_CALL);
    EXPECT_EQUAL(program_run(&second), HAL_USER_CALL);
    EXPECT(vectors_are_right(&program));
    EXPECT(vectors_are_right(&second));
    program_end(&program);
    program_end(&second);
}

static void go_away(void)
{
    ticking.switched = true;
    hal_timer_set(HAL_TIME_NEVER);
    hal_context_switch(&ticking.home, &ticking.away);
}

static void other_context(void *unused)
{
    (void)unused;
    program_set(&second, 0, 1);
    program_set(&second, 1, 1);
    EXPECT_EQUAL(program_run(&second), HAL_USER_CALL);
    EXPECT_EQUAL(program_get(&second, 0), 2);
    *(uint64_t *)program.data = 1;
    hal_context_switch(&ticking.away, &ticking.home);
}

CONTRACT_TEST(the_interrupt_may_switch)
{
    NEED_INTERRUPTS();
    if (!PROGRAM(&program, vectors) || !PROGRAM(&second, add))
        return;
    memset(&ticking, 0, sizeof(ticking));
    contract_context(&ticking.away, HAL_STACK_SIZE, other_context, NULL);
    aim_vectors(&program, 9, false);
    contract_on_irq(HAL_IRQ_TIMER, go_away);
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_timer_set(hal_time_now() + TICK);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    hal_irq_disable(HAL_IRQ_TIMER);
    EXPECT(ticking.switched);
    EXPECT(vectors_are_right(&program));
    hal_context_finish(&ticking.away);
    program_end(&program);
    program_end(&second);
}

CONTRACT_TEST(an_interrupt_that_waits_is_taken)
{
    if (!PROGRAM(&program, call))
        return;
    hal_irq_enable(HAL_IRQ_IPI);
    for (unsigned i = 1; i <= 20; i++) {
        uint64_t end = hal_time_now() + SOON;
        hal_cpu_ipi(0);
        while (contract_irqs(HAL_IRQ_IPI) < i && hal_time_now() < end)
            EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
        EXPECT_EQUAL(contract_irqs(HAL_IRQ_IPI), i);
    }
    hal_irq_disable(HAL_IRQ_IPI);
    program_end(&program);
}

CONTRACT_TEST(a_poked_one_does_not_run)
{
    struct hal_user_event event;
    uintptr_t pc;
    if (!PROGRAM(&program, call))
        return;
    pc = hal_user_pc(&program.user);
    hal_user_poke(&program.user);
    hal_user_run(&program.aspace, &program.user, &event);
    EXPECT_EQUAL(event.trap, HAL_USER_INTERRUPT);
    EXPECT_EQUAL(hal_user_pc(&program.user), pc);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    EXPECT(hal_user_pc(&program.user) > pc);
    program_end(&program);
}

CONTRACT_TEST(it_tells_how_long_user_code_ran)
{
    uint64_t start = hal_time_now(), before, after;
    if (!PROGRAM(&program, call))
        return;
    before = hal_user_time(&program.user);
    for (unsigned i = 0; i < MANY_CALLS; i++)
        EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    after = hal_user_time(&program.user);
    EXPECT(after > before);
    EXPECT(after - before <= hal_time_now() - start);
    for (uint64_t now = hal_time_now(); hal_time_now() - now < TICK;)
        ;
    hal_user_init(&program.user, CODE_AT, STACK_AT - 64);
    EXPECT_EQUAL(hal_user_time(&program.user), after);
    program_end(&program);
}

const struct contract_test user_tests[] = {
    {"hal_user_init: it starts there, and all else is zero", it_starts_as_it_was_readied},
    {"hal_user_copy makes the same", a_copy_goes_on_like_the_original},
    {"a system call returns to the kernel with its number and arguments", a_call_comes_back},
    {"all six arguments arrive, and the counter is behind the call", arguments_arrive},
    {"hal_user_set_result is what the call gives back", the_result_arrives},
    {"hal_user_repeat_call makes it again with the same arguments", a_call_can_be_made_again},
    {"ACCESS says which access was wanted, and where", accesses_say_what_and_where},
    {"an access to no user address is ACCESS", other_addresses_are_no_programs},
    {"INSTRUCTION for what does not exist or is not for programs",
     instructions_that_are_not_for_programs},
    {"ARITHMETIC for a division by zero where the processor traps", a_division_by_zero},
    {"BREAKPOINT, with the counter as Linux has it", a_breakpoint},
    {"ALIGNMENT for a misaligned access that is not allowed", a_misaligned_access},
    {"hal_user_set_step: STEP after each instruction, or what it traps for", single_steps},
    {"a system call leaves the registers alone", registers_survive_a_call},
    {"hal_user_write_registers: flags of any value do no harm", flags_of_any_value_do_no_harm},
    {"the thread pointer is the program's", the_thread_pointer_is_the_programs},
    {"a program may set its thread pointer", a_program_sets_its_thread_pointer},
    {"a thread pointer of any value does no harm", a_thread_pointer_of_any_value_does_no_harm},
    {"the registers have names, and the processor capabilities", registers_have_names},
    {"vector registers are the program's", vectors_are_the_programs},
    {"hal_user_read_vectors, hal_user_write_vectors and hal_user_copy move them",
     vectors_can_be_moved},
    {"an image of any content is taken or -EINVAL, and then nothing has changed",
     images_of_any_content_do_no_harm},
    {"an interrupt in user code is handled, and then told", interrupts_are_handled_and_told},
    {"an interrupt changes no register", an_interrupt_changes_no_register},
    {"an interrupt changes no vector register, whoever ran meanwhile",
     an_interrupt_changes_no_vector},
    {"the handler of an interrupt in user code may switch", the_interrupt_may_switch},
    {"an interrupt that waits is taken", an_interrupt_that_waits_is_taken},
    {"hal_user_poke: the next run ends before any user code", a_poked_one_does_not_run},
    {"hal_user_time: how long user code ran, and nothing else", it_tells_how_long_user_code_ran},
    {NULL, NULL},
};
