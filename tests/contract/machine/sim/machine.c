/* SPDX-License-Identifier: MIT */
/*
 * machine.c: promises that only one machine can break. The simulator's are tested from outside
 * (tests/sim).
 */
#include "contract.h"

const struct contract_test machine_tests[] = {{NULL, NULL}};
