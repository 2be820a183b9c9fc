/* SPDX-License-Identifier: MIT */
/*
 * user_calls.c: system calls that are made again and again.
 *
 * A backend may learn from a system call how to make the next one faster; nobody is to notice. The
 * programs here make theirs often enough for that, and the tests look at what might give it away:
 * registers, memory below the stack pointer, the program's text, single steps, jumps that lead
 * between its instructions, and interrupts.
 */
#include "user_program.h"

enum { OFTEN = 20, TICK = 50 * NS_PER_US, CALL = 11 };

static struct program program KSTATE, second KSTATE;
static uint64_t registers[2][HAL_USER_REGISTERS] KSTATE;

static void read(struct program *of, uint64_t to[HAL_USER_REGISTERS])
{
    hal_user_read_registers(&of->user, to);
}

/** What code_below leaves at its call, and what it has found then from the time before. */
static bool is_right(struct program *of, uint64_t count)
{
    uint64_t before = count - 1;
    return hal_user_call(&of->user) == CALL && program_get(of, 0) == count &&
           program_get(of, 2) == count && (count == 1 || program_get(of, 1) == before) &&
           (count == 1 || program_get(of, 3) == before);
}

/** Runs code_below so often that there is nothing left to learn. Gives how often. */
static uint64_t warm(struct program *of)
{
    for (uint64_t i = 1; i <= OFTEN; i++) {
        EXPECT_EQUAL(program_run(of), HAL_USER_CALL);
        EXPECT(is_right(of, i));
    }
    return OFTEN;
}

CONTRACT_TEST(calls_leave_memory_and_text_alone)
{
    if (!PROGRAM(&program, below))
        return;
    (void)warm(&program);
    EXPECT_EQUAL(memcmp(program.code, code_below, (size_t)(code_below_end - code_below)), 0);
    program_end(&program);
}

/** Random registers before each call, the same behind it but for what a call changes. */
CONTRACT_TEST(calls_leave_registers_alone)
{
    uint64_t state = 12;
    if (!PROGRAM(&program, below))
        return;
    (void)warm(&program);
    uintptr_t after = hal_user_pc(&program.user);
    for (unsigned i = 0; i < 100; i++) {
        read(&program, registers[0]);
        for (unsigned k = 0; k < HAL_USER_REGISTERS; k++)
            if (k != CODE_FLAGS && k != CODE_SP)
                registers[0][k] = program_random(&state);
        registers[0][CODE_FLAGS] ^= program_random(&state) & CODE_FLAGS_FREE;
        registers[0][CODE_PC] = CODE_AT + CODE_BELOW_ENTRY;
        hal_user_write_registers(&program.user, registers[0]);
        EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
        read(&program, registers[1]);
        EXPECT_EQUAL(hal_user_call(&program.user), CALL);
        EXPECT_EQUAL(hal_user_pc(&program.user), after);
        EXPECT_EQUAL(program_get(&program, 2), program_get(&program, 0));
        registers[0][CODE_NUMBER] = CALL;
        registers[0][code_arguments[2]] = registers[0][code_arguments[0]];
        for (unsigned k = 0; k < HAL_USER_REGISTERS; k++)
            if (!(CODE_CALL_CHANGES >> k & 1))
                EXPECT_EQUAL(registers[0][k], registers[1][k]);
    }
    program_end(&program);
}

/** Goes on at each instruction of the program in turn, to which single steps have led. */
CONTRACT_TEST(it_can_go_on_anywhere)
{
    uintptr_t places[24];
    unsigned count = 0;
    if (!PROGRAM(&program, below))
        return;
    uint64_t i = warm(&program);
    hal_user_set_step(&program.user, true);
    while (count < 24) {
        enum hal_user_trap trap = program_run(&program);
        EXPECT(trap == HAL_USER_STEP || trap == HAL_USER_CALL);
        if (trap != HAL_USER_STEP)
            break;
        places[count] = hal_user_pc(&program.user);
        EXPECT(places[count] - CODE_AT < (uintptr_t)(code_below_end - code_below));
        EXPECT(count == 0 || places[count] != places[count - 1]);
        count++;
    }
    EXPECT_EQUAL(count, CODE_BELOW_STEPS);
    EXPECT(is_right(&program, ++i));
    for (unsigned k = 0; k < count; k++) {
        hal_user_set_step(&program.user, true);
        for (unsigned n = 0; n <= k; n++)
            EXPECT_EQUAL(program_run(&program), HAL_USER_STEP);
        EXPECT_EQUAL(hal_user_pc(&program.user), places[k]);
        hal_user_set_step(&program.user, false);
        EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
        EXPECT(is_right(&program, ++i));
    }
    program_end(&program);
}

CONTRACT_TEST(a_jump_to_the_call_is_one)
{
    if (!PROGRAM(&program, below))
        return;
    uint64_t i = warm(&program);
    for (unsigned n = 0; n < OFTEN; n++) {
        uintptr_t after = hal_user_pc(&program.user);
        hal_user_repeat_call(&program.user, 1000 + n);
        EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
        EXPECT_EQUAL(hal_user_call(&program.user), 1000 + n);
        EXPECT_EQUAL(hal_user_pc(&program.user), after);
        EXPECT_EQUAL(program_get(&program, 0), i);
    }
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    EXPECT(is_right(&program, i + 1));
    program_end(&program);
}

CONTRACT_TEST(other_text_in_the_same_place_is_seen)
{
    if (!PROGRAM(&program, below))
        return;
    for (unsigned n = 0; n < 4; n++) {
        LOAD(&program, below);
        (void)warm(&program);
        LOAD(&program, add);
        program_set(&program, 0, 30);
        program_set(&program, 1, 4);
        for (unsigned k = 1; k <= OFTEN; k++) {
            EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
            EXPECT_EQUAL(hal_user_call(&program.user), 7);
        }
    }
    program_end(&program);
}

/** Two spaces with the same text, of which one is written to by and by. */
CONTRACT_TEST(spaces_share_text_and_part)
{
    if (!PROGRAM(&program, below) || !PROGRAM(&second, below))
        return;
    program_map(&second, CODE_AT, program.code, 1,
                HAL_USER_READ | HAL_USER_EXECUTE | HAL_USER_STEADY);
    uint64_t i = warm(&program);
    (void)warm(&second);
    program_map(&second, CODE_AT, second.code, 1,
                HAL_USER_READ | HAL_USER_WRITE | HAL_USER_EXECUTE);
    second.code[CODE_BELOW_NUMBER]++;
    program_map(&second, CODE_AT, second.code, 1, HAL_USER_READ | HAL_USER_EXECUTE);
    for (unsigned n = 0; n < OFTEN; n++) {
        EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
        EXPECT(is_right(&program, ++i));
        EXPECT_EQUAL(program_run(&second), HAL_USER_CALL);
        EXPECT_EQUAL(hal_user_call(&second.user), CODE_BELOW_CHANGED);
    }
    program_end(&program);
    program_end(&second);
}

/** Text that is not steady is executed as it is now. */
CONTRACT_TEST(text_that_is_not_steady_is_as_it_is)
{
    if (!PROGRAM(&program, below))
        return;
    program_map(&program, CODE_AT, program.code, 1,
                HAL_USER_READ | HAL_USER_WRITE | HAL_USER_EXECUTE);
    (void)warm(&program);
    program.code[CODE_BELOW_NUMBER]++;
    if (!CODE_TEXT_IS_COHERENT)
        program_map(&program, CODE_AT, program.code, 1,
                    HAL_USER_READ | HAL_USER_WRITE | HAL_USER_EXECUTE);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    EXPECT_EQUAL(hal_user_call(&program.user), CODE_BELOW_CHANGED);
    program_end(&program);
}

static void expect_guarded(bool open, uint64_t count)
{
    program.data[0] = open;
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    EXPECT_EQUAL(hal_user_call(&program.user), open ? 0 : 10);
    EXPECT_EQUAL(program_get(&program, 0), count);
}

/** A call that is made only as long as a variable says so: as of now, and wherever it stops. */
CONTRACT_TEST(a_guarded_call_looks_each_time)
{
    uint64_t state = 5, count = 0;
    if (!PROGRAM(&program, guarded))
        return;
    for (unsigned i = 0; i < OFTEN; i++)
        expect_guarded(true, ++count);
    for (unsigned i = 0; i < 4 * OFTEN; i++)
        expect_guarded(program_random(&state) >> 63, ++count);
    for (unsigned i = 0; i < 4; i++) {
        hal_aspace_unmap(&program.aspace, DATA_AT, 1);
        program_expect_access(&program, DATA_AT, HAL_USER_READ);
        EXPECT_EQUAL(hal_user_pc(&program.user) / HAL_PAGE_SIZE, CODE_AT / HAL_PAGE_SIZE);
        program_map(&program, DATA_AT, program.data, 1, HAL_USER_READ | HAL_USER_WRITE);
        expect_guarded(i & 1, ++count);
    }
    program_end(&program);
}

CONTRACT_TEST(a_guarded_call_can_be_stepped)
{
    enum { STEPS = 40 };
    uint64_t count = 0;
    if (!PROGRAM(&program, guarded))
        return;
    for (unsigned i = 0; i < OFTEN; i++)
        expect_guarded(true, ++count);
    for (unsigned i = 0; i < OFTEN; i++) {
        unsigned steps = 0;
        program.data[0] = i & 1;
        hal_user_set_step(&program.user, true);
        while (program_run(&program) == HAL_USER_STEP && ++steps < STEPS)
            EXPECT(hal_user_pc(&program.user) - CODE_AT <
                   (uintptr_t)(code_guarded_end - code_guarded));
        EXPECT_EQUAL(program.event.trap, HAL_USER_CALL);
        EXPECT_EQUAL(hal_user_call(&program.user), i & 1 ? 0 : 10);
        EXPECT_EQUAL(program_get(&program, 0), ++count);
        hal_user_set_step(&program.user, false);
        expect_guarded(!(i & 1), ++count);
    }
    program_end(&program);
}

/** More places than a backend can learn about, again and again, so that it has to forget some. */
CONTRACT_TEST(calls_are_made_from_many_places)
{
    enum { PAGES = 64, APART = 384, EACH = HAL_PAGE_SIZE / APART, ROUNDS = 14 };
    if (!PROGRAM(&program, add))
        return;
    uint8_t *code = contract_pages(PAGES);
    for (unsigned i = 0; i < PAGES * EACH; i++)
        memcpy(code + i / EACH * HAL_PAGE_SIZE + (size_t)(i % EACH) * APART, code_add,
               (size_t)(code_add_end - code_add));
    program_map(&program, NOWHERE, code, PAGES, HAL_USER_READ | HAL_USER_EXECUTE | HAL_USER_STEADY);
    for (unsigned n = 0; n < ROUNDS && !contract_failed(); n++)
        for (unsigned i = 0; i < PAGES * EACH; i++) {
            hal_user_set_pc(&program.user, NOWHERE + i / EACH * HAL_PAGE_SIZE +
                                               (uintptr_t)(i % EACH) * APART + CODE_ADD_ENTRY);
            program_set(&program, 0, i);
            program_set(&program, 1, n);
            EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
            EXPECT_EQUAL(hal_user_call(&program.user), 7);
            EXPECT_EQUAL(program_get(&program, 0), i + n);
        }
    program_end(&program);
}

static void tick(void)
{
    hal_timer_set(hal_time_now() + TICK);
}

CONTRACT_TEST(interrupts_between_calls_change_nothing)
{
    enum { CALLS = 4000 };
    if (!hal_user_is_interruptible())
        SKIP("with this clock user code is stopped only by its traps");
    if (!PROGRAM(&program, below))
        return;
    uint64_t i = warm(&program);
    contract_on_irq(HAL_IRQ_TIMER, tick);
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_timer_set(hal_time_now() + TICK);
    for (unsigned n = 0; n < CALLS && !contract_failed(); n++) {
        EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
        EXPECT(is_right(&program, ++i));
    }
    hal_timer_set(HAL_TIME_NEVER);
    hal_irq_disable(HAL_IRQ_TIMER);
    EXPECT(contract_irqs(HAL_IRQ_TIMER) > 0);
    program_end(&program);
}

const struct contract_test user_calls_tests[] = {
    {"system calls leave memory below the stack pointer alone, and the text",
     calls_leave_memory_and_text_alone},
    {"and all registers", calls_leave_registers_alone},
    {"a program can be stepped through a call, and go on from anywhere", it_can_go_on_anywhere},
    {"a jump to a system call is one", a_jump_to_the_call_is_one},
    {"other text in the same place is seen once it is mapped",
     other_text_in_the_same_place_is_seen},
    {"spaces share text, and one gets its own", spaces_share_text_and_part},
    {"text without HAL_USER_STEADY is as it is now", text_that_is_not_steady_is_as_it_is},
    {"a call behind a variable looks at it each time", a_guarded_call_looks_each_time},
    {"and can be stepped through", a_guarded_call_can_be_stepped},
    {"calls are made from more places than can be learnt", calls_are_made_from_many_places},
    {"interrupts between calls change nothing", interrupts_between_calls_change_nothing},
    {NULL, NULL},
};
