/* SPDX-License-Identifier: MIT */
/*
 * tests.h: the tests of core/vm inside the kernel. See ktest/tests.h.
 */
#pragma once

#include "ktest/ktest.h"

void test_vm_threads(struct ktest_run *run);
void test_vm_forks(struct ktest_run *run);
void test_vm_files(struct ktest_run *run);
void test_vm_moves(struct ktest_run *run);
