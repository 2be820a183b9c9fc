/* SPDX-License-Identifier: MIT */
/*
 * user.c: the promises of hal/user.h.
 */
#include "user_program.h"

static struct program program KSTATE;

CONTRACT_TEST(a_call_comes_back)
{
    if (!PROGRAM(&program, add))
        return;
    for (uint64_t i = 0; i < 10; i++) {
        program_set(&program, 0, i);
        program_set(&program, 1, 100);
        EXPECT_EQUAL(program_run(&program), HAL_USER_CALL);
        EXPECT_EQUAL(hal_user_call(&program.user), 7);
        EXPECT_EQUAL(hal_user_argument(&program.user, 0), 100 + i);
        hal_user_set_result(&program.user, 0);
    }
    program_end(&program);
}

const struct contract_test user_tests[] = {
    {"a system call returns to the kernel with its number and arguments", a_call_comes_back},
    {NULL, NULL},
};
