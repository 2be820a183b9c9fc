/* SPDX-License-Identifier: MIT */
/*
 * room.h: room for programs when there is no memory left.
 */
#pragma once

#include <hal/compiler.h>

/** Readies room.c. Boot. */
void process_room_init(void);

/**
 * No memory can be had for a program: ends the process that has most of it, or waits for one that
 * is ending. 0: there may be some now; -ENOMEM: the caller's process is to end, or nobody else is
 * there. May sleep.
 */
HAL_MUST_CHECK int process_make_room(void);
