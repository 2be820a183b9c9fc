/* SPDX-License-Identifier: MIT */
/*
 * tests.h: the kernel's tests of FAT32.
 */
#pragma once

#include "ktest/ktest.h"

void test_fat32_by_itself(struct ktest_run *run);
void test_fat32_late(struct ktest_run *run);
void test_fat32_remount(struct ktest_run *run);
void test_fat32_threads(struct ktest_run *run);
