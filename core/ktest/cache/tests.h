/* SPDX-License-Identifier: MIT */
/*
 * tests.h: the tests of core/cache inside the kernel. See ktest/tests.h.
 */
#pragma once

#include "ktest/ktest.h"

void test_cache_truncate(struct ktest_run *run);
void test_cache_flusher(struct ktest_run *run);
void test_cache_reclaim(struct ktest_run *run);
void test_cache_errors(struct ktest_run *run);
void test_cache_finish(struct ktest_run *run);
