/* SPDX-License-Identifier: MIT */
/*
 * machine.c: promises about user code that only AArch64 can break: its system registers, its
 * caches, its tagged addresses, and the numbers by which its TLB tells spaces apart.
 *
 * System instructions are swept: 0xd5000000 with a direction (bit 21: 1 reads), op0 (20:19), op1
 * (18:16), CRn (15:12), CRm (11:8), op2 (7:5) and a register (4:0), 131,072 in all. Each is put
 * before a system call, so that it is seen whether it trapped or was carried out.
 */
#include "user_program.h"

#define SYSTEM(direction, op0, op1, crn, crm, op2) \
    ((uint32_t)(direction) << 16 | (op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))
#define SYSTEM_ALL (1u << 17)
#define READ 1u
#define WRITE 0u

#define SVC 0xd4000001u
#define PAIRS (HAL_PAGE_SIZE / 8)

static struct program program KSTATE;

/** What a program may do, besides the hints and barriers of op0 = 0: as on Linux. */
static const uint32_t allowed[] = {
    /* ic ivau, dc zva, dc cvac, dc cvau, dc civac */
    SYSTEM(WRITE, 1, 3, 7, 5, 1),
    SYSTEM(WRITE, 1, 3, 7, 4, 1),
    SYSTEM(WRITE, 1, 3, 7, 10, 1),
    SYSTEM(WRITE, 1, 3, 7, 11, 1),
    SYSTEM(WRITE, 1, 3, 7, 14, 1),
    /* CTR_EL0 and DCZID_EL0: the shape of the caches */
    SYSTEM(READ, 3, 3, 0, 0, 1),
    SYSTEM(READ, 3, 3, 0, 0, 7),
    /* NZCV, FPCR, FPSR, TPIDR_EL0 */
    SYSTEM(READ, 3, 3, 4, 2, 0),
    SYSTEM(WRITE, 3, 3, 4, 2, 0),
    SYSTEM(READ, 3, 3, 4, 4, 0),
    SYSTEM(WRITE, 3, 3, 4, 4, 0),
    SYSTEM(READ, 3, 3, 4, 4, 1),
    SYSTEM(WRITE, 3, 3, 4, 4, 1),
    SYSTEM(READ, 3, 3, 13, 0, 2),
    SYSTEM(WRITE, 3, 3, 13, 0, 2),
    /* TPIDRRO_EL0, which is 0; PMUSERENR_EL0: that the event counters are not for programs */
    SYSTEM(READ, 3, 3, 13, 0, 3),
    SYSTEM(READ, 3, 3, 9, 14, 0),
    /* CNTFRQ_EL0, CNTVCT_EL0: the time */
    SYSTEM(READ, 3, 3, 14, 0, 0),
    SYSTEM(READ, 3, 3, 14, 0, 2),
};

/** The state of a debugger's channel, which is off: QEMU 7.2 knows nothing of MDSCR_EL1.TDCC. */
#define CHANNEL_STATE SYSTEM(READ, 2, 3, 0, 1, 0)

static bool is_allowed(uint32_t system)
{
    const uint32_t crn = system >> 7 & 15;
    bool found = system < SYSTEM(WRITE, 1, 0, 0, 0, 0) && (crn == 2 || crn == 3);
    found = found || system == CHANNEL_STATE;

    for (unsigned i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
        found = found || allowed[i] == system;
    return found;
}

/** Hints and barriers have 31 in the place of a register; the others get x1. */
static uint32_t encode(uint32_t system)
{
    bool bare = (system >> 14 & 3) == 0;

    return 0xd5000000u | system << 5 | (bare ? 31 : 1);
}

static void put(unsigned pair, uint32_t instruction)
{
    uint32_t *code = (uint32_t *)program.code;

    code[2 * pair] = instruction;
    code[2 * pair + 1] = SVC;
}

/** What was put is what is executed from now on. */
static void show_code(void)
{
    program_map(&program, CODE_AT, program.code, 1, HAL_USER_READ | HAL_USER_EXECUTE);
}

/** Runs one pair; gives whether its instruction was carried out. */
static bool is_done(unsigned pair)
{
    hal_user_set_pc(&program.user, CODE_AT + 8 * pair);
    program_set(&program, 1, DATA_AT);
    enum hal_user_trap trap = program_run(&program);

    EXPECT(trap == HAL_USER_CALL || trap == HAL_USER_INSTRUCTION);
    EXPECT_EQUAL(hal_user_pc(&program.user), CODE_AT + 8 * pair + (trap == HAL_USER_CALL ? 8 : 0));
    return trap == HAL_USER_CALL;
}

CONTRACT_TEST(system_registers_are_the_kernels)
{
    if (!PROGRAM(&program, call))
        return;
    for (uint32_t first = 0; first < SYSTEM_ALL && !contract_failed(); first += PAIRS) {
        for (unsigned i = 0; i < PAIRS; i++)
            put(i, encode(first + i));
        show_code();
        for (unsigned i = 0; i < PAIRS; i++)
            if (is_done(i) && !is_allowed(first + i))
                contract_fail_values(__FILE__, __LINE__, "this is not for programs",
                                     encode(first + i), 0);
    }
    program_end(&program);
}

CONTRACT_TEST(what_programs_need_works)
{
    if (!PROGRAM(&program, call))
        return;
    for (unsigned i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
        put(i, encode(allowed[i]));
    show_code();
    for (unsigned i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
        EXPECT(is_done(i));
    program_end(&program);
}

/* ---- exceptions ---- */

CONTRACT_TEST(exceptions_to_other_levels_are_instructions)
{
    static const uint32_t instructions[] = {
        0xd4000002, /* hvc #0 */
        0xd4000003, /* smc #0 */
        0xd4400000, /* hlt #0 */
        0xd45e0000, /* hlt #0xf000: QEMU's door to the host */
        0xd4a00001, /* dcps1 */
        0xd69f03e0, /* eret */
        0xd6bf03e0, /* drps */
        0x00000000, /* udf #0 */
        0xffffffff,
    };
    const unsigned count = sizeof(instructions) / sizeof(instructions[0]);
    if (!PROGRAM(&program, call))
        return;
    for (unsigned i = 0; i < count; i++)
        put(i, instructions[i]);
    show_code();
    for (unsigned i = 0; i < count; i++)
        EXPECT(!is_done(i));
    program_end(&program);
}

CONTRACT_TEST(wfi_does_nothing)
{
    if (!PROGRAM(&program, call))
        return;
    put(0, 0xd503207f); /* wfi */
    show_code();
    EXPECT(is_done(0));
    hal_user_set_step(&program.user, true);
    hal_user_set_pc(&program.user, CODE_AT);
    EXPECT_EQUAL(program_run(&program), HAL_USER_STEP);
    EXPECT_EQUAL(hal_user_pc(&program.user), CODE_AT + 4);
    program_end(&program);
}

CONTRACT_TEST(misalignment_says_of_what)
{
    if (!PROGRAM(&program, call))
        return;
    put(0, 0xf94003e0); /* ldr x0, [sp] */
    show_code();
    hal_user_set_pc(&program.user, CODE_AT + 2);
    EXPECT_EQUAL(program_run(&program), HAL_USER_ALIGNMENT);
    EXPECT_EQUAL(program.event.address, CODE_AT + 2);
    hal_user_set_pc(&program.user, CODE_AT);
    hal_user_set_sp(&program.user, STACK_AT - 60);
    if (program_run(&program) != HAL_USER_CALL) {
        EXPECT_EQUAL(program.event.trap, HAL_USER_ALIGNMENT);
        EXPECT_EQUAL(program.event.address, STACK_AT - 60);
    } else if (!contract_failed()) {
        contract_skip("the program counter is checked; this machine does not check stack pointers");
    }
    program_end(&program);
}

/* ---- addresses ---- */

#define TAG ((uintptr_t)0x5a << 56)

CONTRACT_TEST(the_top_byte_is_ignored)
{
    if (!PROGRAM(&program, load))
        return;
    *(uint64_t *)program.data = 4711;
    program_set(&program, 0, DATA_AT | TAG);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    EXPECT_EQUAL(program_get(&program, 1), 4711);
    program_set(&program, 0, NOWHERE | TAG);
    program_expect_access(&program, NOWHERE, HAL_USER_READ);
    program_end(&program);
}

CONTRACT_TEST(cleaning_is_no_write)
{
    if (!PROGRAM(&program, call))
        return;
    put(0, encode(SYSTEM(WRITE, 1, 3, 7, 14, 1))); /* dc civac */
    put(1, encode(SYSTEM(WRITE, 1, 3, 7, 4, 1)));  /* dc zva */
    show_code();
    program_set(&program, 1, NOWHERE);
    if (program_run(&program) != HAL_USER_CALL) { /* QEMU has no caches to clean */
        EXPECT_EQUAL(program.event.trap, HAL_USER_ACCESS);
        EXPECT_EQUAL(program.event.access, HAL_USER_READ);
        EXPECT_EQUAL(program.event.address, NOWHERE);
    }
    hal_aspace_protect(&program.aspace, DATA_AT, 1, HAL_USER_READ);
    EXPECT(is_done(0));
    hal_user_set_pc(&program.user, CODE_AT + 8);
    program_expect_access(&program, DATA_AT, HAL_USER_WRITE);
    program_end(&program);
}

static struct hal_fault kernel_fault KSTATE;
static struct hal_context home KSTATE, toucher KSTATE;
static volatile bool touched KSTATE;

/** The access is never made: whoever tried it is left. */
static bool leave_toucher(const struct hal_fault *fault)
{
    kernel_fault = *fault;
    hal_context_switch(&toucher, &home);
    return false;
}

static void touch_user(void *unused)
{
    (void)unused;
    (void)*(const volatile uint64_t *)DATA_AT;
    touched = true;
    hal_context_switch(&toucher, &home);
}

CONTRACT_TEST(the_kernel_has_no_user_addresses)
{
    if (!PROGRAM(&program, load))
        return;
    program_set(&program, 0, DATA_AT);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    touched = false;
    contract_on_fault(leave_toucher);
    contract_context(&toucher, HAL_STACK_SIZE, touch_user, NULL);
    hal_context_switch(&home, &toucher);
    EXPECT(!touched);
    EXPECT_EQUAL(kernel_fault.kind, HAL_FAULT_ACCESS);
    EXPECT_EQUAL(kernel_fault.address, DATA_AT);
    program_end(&program);
}

/* ---- vectors ---- */

CONTRACT_TEST(vectors_are_as_linux_has_them)
{
    static uint32_t image[528 / 4] __attribute__((aligned(16))) KSTATE;
    if (!PROGRAM(&program, vectors))
        return;
    *(uint64_t *)program.data = 1;
    *(uint64_t *)(program.data + HAL_PAGE_SIZE + 24) = 0x1234;
    program_set(&program, 0, DATA_AT + HAL_PAGE_SIZE);
    program_set(&program, 1, DATA_AT + 2 * HAL_PAGE_SIZE);
    program_set(&program, 2, DATA_AT);
    EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
    EXPECT_EQUAL(hal_user_vector_bytes(&program.user), sizeof(image));
    hal_user_read_vectors(&program.user, image);
    EXPECT_EQUAL(image[0], 0x46508001);
    EXPECT_EQUAL(image[1], sizeof(image));
    EXPECT_EQUAL(image[4 + 6], 0x1234); /* the upper half of q1 */
    image[1]--;
    EXPECT_EQUAL(hal_user_write_vectors(&program.user, image, sizeof(image)), -EINVAL);
    program_end(&program);
}

/* ---- numbers of spaces ---- */

static struct program second KSTATE;

/** Whether the program loads `value` from its first page of data. */
static bool loads(struct program *of, uint64_t value)
{
    program_set(of, 0, DATA_AT);
    hal_user_set_pc(&of->user, CODE_AT);
    return program_run(of) == HAL_USER_CALL && program_get(of, 1) == value;
}

CONTRACT_TEST(there_are_more_spaces_than_numbers)
{
    const unsigned spaces = 66000; /* more than there are ASIDs */
    if (!PROGRAM(&program, load) || !PROGRAM(&second, load))
        return;
    *(uint64_t *)program.data = 1;
    *(uint64_t *)second.data = 2;
    for (unsigned i = 0; i < spaces && !contract_failed(); i++) {
        second.aspace.asid = 0; /* as one that has never run */
        EXPECT(loads(&second, 2));
        EXPECT(i % 1000 != 0 || loads(&program, 1));
    }
    EXPECT(loads(&program, 1));
    program_end(&program);
    program_end(&second);
}

CONTRACT_TEST(empty_tables_are_given_back)
{
    uint64_t physical;
    if (!PROGRAM(&program, load))
        return;
    for (uintptr_t at = HAL_USER_START; at < HAL_USER_END - HAL_PAGE_SIZE; at += HAL_USER_END / 16)
        program_map(&program, at, program.data, 1, HAL_USER_READ);
    EXPECT(contract_tables() > 32);
    hal_aspace_unmap(&program.aspace, HAL_USER_START,
                     (HAL_USER_END - HAL_USER_START) / HAL_PAGE_SIZE);
    EXPECT_EQUAL(contract_tables(), 1);
    EXPECT_EQUAL(hal_aspace_query(&program.aspace, CODE_AT, &physical), 0);
    program_end(&program);
}

const struct contract_test machine_tests[] = {
    {"no system instruction or register is a program's but those of Linux's list",
     system_registers_are_the_kernels},
    {"and those of the list are", what_programs_need_works},
    {"hvc, smc, hlt, dcps and eret are INSTRUCTION", exceptions_to_other_levels_are_instructions},
    {"wfi does nothing", wfi_does_nothing},
    {"ALIGNMENT says which stack pointer or program counter", misalignment_says_of_what},
    {"the top byte of an address is ignored, and not told", the_top_byte_is_ignored},
    {"cleaning a cache wants to read, zeroing a block to write", cleaning_is_no_write},
    {"the kernel itself reaches no user address", the_kernel_has_no_user_addresses},
    {"vectors are copied as struct fpsimd_context", vectors_are_as_linux_has_them},
    {"tables in which nothing is left are given back, but for the first",
     empty_tables_are_given_back},
    {"spaces go on when all their numbers were given out", there_are_more_spaces_than_numbers},
    {NULL, NULL},
};
