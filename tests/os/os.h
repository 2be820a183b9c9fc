/* SPDX-License-Identifier: MIT */
/*
 * os.h: what the whole-OS suites share: a machine at its prompt, commands, and a card to boot from.
 *
 * The paths of the card and of the other files come by the environment, set by Meson:
 *   TAYBERRY_CARD      the standard card image
 *   TAYBERRY_BAD_CARDS a folder of cards that lie
 *   TAYBERRY_CPUS      how many CPUs the machine has; 1 if it is not set
 *   TAYBERRY_CLOCK     "real"; the virtual clock if it is not set
 *   TAYBERRY_RUNS      a size for the suites that repeat: how often (each has its own default)
 */
#pragma once

#include "../marks.h"
#include "../tsan.h"
#include <stdbool.h>
#include <stdint.h>
#include <tayberry.h>

#define OS_PROMPT "> "
#define OS_SECOND UINT64_C(1000000000)
#define OS_MS UINT64_C(1000000)

/** How many CPUs the machines of this run have. */
unsigned os_cpus(void);

/** True if the machines of this run have the real clock: a second is one for who waits, too. */
bool os_real_clock(void);

/** A configuration with the standard card (read only), os_cpus() CPUs and the clock of this run. */
struct tb_config os_config(void);

/** Opens, powers on, and waits for the prompt; fails the test otherwise. */
struct tb_machine *os_boot(const struct tb_config *config);

/** Waits for the prompt after whatever is running. */
void os_wait_prompt(struct tb_machine *machine);

/**
 * Types a line and waits for the next prompt. Returns what was printed in between, without the
 * echoed line and the prompt; valid until the next call.
 */
const char *os_command(struct tb_machine *machine, const char *line);

/** Everything printed that nobody has read yet; valid until the next call. */
const char *os_output(struct tb_machine *machine);

/** Who is where and waits for what (tb_inspect_hang); valid until the next call. */
const char *os_hang(struct tb_machine *machine);

/** The value of environment variable `name` as a number, or `otherwise`. */
unsigned os_size(const char *name, unsigned otherwise);

/** The path of the standard card. */
const char *os_card(void);

/** Runs the suite with TAP on standard output; the program's exit status. */
int os_run_suite(Suite *suite);
