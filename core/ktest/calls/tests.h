/* SPDX-License-Identifier: MIT */
/*
 * tests.h: system calls by chance. See ktest/tests.h.
 *
 * Not among "all": the calls write to whatever they find, so they are for machines whose card
 * nobody needs any more, or cannot be written.
 */
#pragma once

#include "ktest/ktest.h"

void test_calls_few(struct ktest_run *run);
void test_calls_crowd(struct ktest_run *run);
void test_calls_alone(struct ktest_run *run);
void test_calls_failures(struct ktest_run *run);
