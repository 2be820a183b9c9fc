/* SPDX-License-Identifier: MIT */
/*
 * board.h: what the board has besides: its name, the activity LED, entropy, and how to stop.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The board's name, such as "Raspberry Pi 3 Model B". Constant. Any context. */
const char *hal_board_name(void);

/** Lights the green activity LED, or not. Any context; may be ignored where the LED is out of
 * reach. */
void hal_board_led(bool on);

/**
 * Fills `bytes` with `n` bytes of entropy: from a hardware source on a real board, from the seed in
 * a repeatable run. Any context. -EIO: the source does not answer; the bytes are then undefined.
 */
HAL_MUST_CHECK int hal_board_entropy(void *bytes, size_t n);

/**
 * Which of `n` threads shall run next, n >= 1: an index into `threads`, their numbers.
 *
 * All are equally right; whoever tests the kernel wants to see what comes of each. threads[0] is
 * the usual choice, and the answer of a board that nobody tests. Masked; any lock may be held.
 */
unsigned hal_board_choose(const uint32_t *threads, unsigned n);

enum hal_stop {
    HAL_STOP_POWER_OFF, /**< the user asked for it; `status` goes to whoever watches the machine */
    HAL_STOP_REBOOT,    /**< start again from power-on */
    HAL_STOP_PANIC      /**< the kernel cannot go on; it has said why on the console */
};

/**
 * Ends this run of the machine. Does not return. Any context, also a panic's, on any CPU.
 *
 * What the serial line has accepted is sent first, unless the line takes nothing for long.
 * `status` is 0 .. 255 and reaches the observer where there is one: the caller of the simulator's
 * library, or QEMU's exit status. A real Pi cannot switch itself off: it halts in low power.
 */
HAL_NORETURN void hal_board_stop(enum hal_stop how, int status);
