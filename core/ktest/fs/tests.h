/* SPDX-License-Identifier: MIT */
/*
 * tests.h: the tests of pipes and of the kernel's own file systems inside the kernel, by file.
 */
#pragma once

#include "ktest/ktest.h"

/* test_pipe.c */
void test_pipe_open(struct ktest_run *run);
void test_pipe_open_cancel(struct ktest_run *run);
void test_pipe_stream(struct ktest_run *run);
void test_pipe_whole(struct ktest_run *run);
void test_pipe_ends(struct ktest_run *run);

/* test_cpio.c */
void test_cpio_unpack(struct ktest_run *run);

/* test_gpiochip.c */
void test_gpiochip_info(struct ktest_run *run);
void test_gpiochip_lines(struct ktest_run *run);
void test_gpiochip_refusal(struct ktest_run *run);
void test_gpiochip_events(struct ktest_run *run);
void test_gpiochip_old(struct ktest_run *run);

/* test_vfs.c */
void test_vfs_replace(struct ktest_run *run);
void test_vfs_create_unlink(struct ktest_run *run);
void test_vfs_mkdir_rmdir(struct ktest_run *run);
void test_vfs_moves(struct ktest_run *run);
void test_vfs_unmount(struct ktest_run *run);
void test_vfs_disks(struct ktest_run *run);
