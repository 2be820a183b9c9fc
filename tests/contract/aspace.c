/* SPDX-License-Identifier: MIT */
/*
 * aspace.c: the promises of hal/aspace.h, most of them as user code sees them.
 */
#include "user_program.h"

static struct program program KSTATE;

/** Whether user code reads `value` at `address`. */
static bool reads(uintptr_t address, uint64_t value)
{
    LOAD(&program, load);
    program_set(&program, 0, address);
    return program_run(&program) == HAL_USER_CALL && program_get(&program, 1) == value;
}

CONTRACT_TEST(what_is_mapped_is_seen)
{
    if (!PROGRAM(&program, load))
        return;
    *(uint64_t *)program.data = 0x1122334455667788;
    EXPECT(reads(DATA_AT, 0x1122334455667788));
    program_end(&program);
    EXPECT_EQUAL(contract_tables(), 0);
}

const struct contract_test aspace_tests[] = {
    {"user code reads what the kernel has written to a mapped frame", what_is_mapped_is_seen},
    {NULL, NULL},
};
