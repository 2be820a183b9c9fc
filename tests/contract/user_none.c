/* SPDX-License-Identifier: MIT */
/*
 * user_none.c: in place of aspace.c and user.c on a machine whose backend runs no user code.
 */
#include "contract.h"

const struct contract_test aspace_tests[] = {{NULL, NULL}};
const struct contract_test user_tests[] = {{NULL, NULL}};
const struct contract_test user_cpus_tests[] = {{NULL, NULL}};

void contract_user_mode(const char *mode)
{
    (void)mode;
    contract_print("no user code here\n");
    hal_board_stop(HAL_STOP_POWER_OFF, 1);
}
