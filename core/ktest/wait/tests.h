/* SPDX-License-Identifier: MIT */
/*
 * tests.h: the tests of waiting for files, words and locks. See ktest/tests.h.
 */
#pragma once

#include "ktest/ktest.h"

void test_wait_poll(struct ktest_run *run);
void test_wait_epoll(struct ktest_run *run);
void test_wait_futex(struct ktest_run *run);
void test_wait_requeue(struct ktest_run *run);
void test_wait_filelock(struct ktest_run *run);
