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
/** Whether there is a copy, and the frame still holds what that was made from. If it does not, the
 * copy goes, and so does the view of the page. */
bool sim_patch_check(uint64_t frame, size_t page);
/** Whether what is at `at` is the copy for `frame` at page number `page`, as that is now. */
bool sim_patch_agrees(uint64_t frame, size_t page, uint64_t at);
/** Whether it is time for a reset: there have been calls that could not be patched for want of
 * room, and many of them. */
bool sim_patch_is_out(void);
/**
 * `user` has made a system call the slow way, in `frame` at page number `page`. True: there is a
 * new copy, and no view may lead to an old one any more when HOST_USER is given.
 */
bool sim_patch_note(uint64_t frame, size_t page, const struct hal_user *user);
