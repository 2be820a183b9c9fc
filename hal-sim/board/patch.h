/* SPDX-License-Identifier: MIT */
/*
 * patch.h: copies of programs' text in which hot system calls are patched, for aspace.c.
 *
 * A copy stands for a frame that is mapped at a certain page: all spaces that have it so show the
 * copy, and the frame itself is never written to. Copies are no state of the machine: they can go
 * at any time that no view of them is there. HOST_USER is held for all of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hal_user;

/** There are no copies any more, and no stubs. No user code runs, and there are no views. */
void sim_patch_reset(void);
/** Where a view of `frame` at page number `page` is to lead: to the copy, if there is one. */
uint64_t sim_patch_frame(uint64_t frame, size_t page);
/** Whether there is a copy, and the frame still holds what that was made from. */
bool sim_patch_check(uint64_t frame, size_t page);
/**
 * `user` has made a system call the slow way, in `frame` at page number `page`. True: there is a
 * new copy, and no view may lead to an old one any more when HOST_USER is given.
 */
bool sim_patch_note(uint64_t frame, size_t page, const struct hal_user *user);
