/* SPDX-License-Identifier: MIT */
/*
 * room.h: room for programs when there is no memory left.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>

/** Readies room.c. Boot. */
void process_room_init(void);

/**
 * False: so little memory is left that nobody may make another process, since those that there are
 * need it. So who makes them without end does not bring the others to theirs. May sleep.
 */
bool process_is_room(void);

/**
 * No memory can be had for a program: ends the process that has most of it, or waits for one that
 * is ending. 0: there may be some now; -ENOMEM: the caller's process is to end, or nobody else is
 * there. May sleep.
 */
HAL_MUST_CHECK int process_make_room(void);
