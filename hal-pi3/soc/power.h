/* SPDX-License-Identifier: MIT */
/*
 * power.h: the power manager: restart and halt, by its watchdog.
 */
#pragma once

/** Restarts the board within a millisecond. Returns; wait for it. */
void power_restart(void);

/** The same, but the firmware stops in low power instead of starting again. QEMU exits with 0. */
void power_halt(void);
