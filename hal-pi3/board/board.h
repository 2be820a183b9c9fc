/* SPDX-License-Identifier: MIT */
/*
 * board.h: what the backend's own parts know of the board (core's view is <hal/board.h>).
 */
#pragma once

#include <stdbool.h>

/** Asks the firmware which board this is, and starts what needs starting. At boot, on CPU 0. */
void board_start(bool semihosting);
