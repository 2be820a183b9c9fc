/* SPDX-License-Identifier: MIT */
/*
 * user_none.c: in place of aspace.c and user.c on a machine whose backend runs no user code.
 */
#include "contract.h"

const struct contract_test aspace_tests[] = {{NULL, NULL}};
const struct contract_test user_tests[] = {{NULL, NULL}};
