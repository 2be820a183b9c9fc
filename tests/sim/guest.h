/* SPDX-License-Identifier: MIT */
/*
 * guest.h: what the files of the library's test guest share.
 */
#pragma once

#include <hal/board.h>
#include <hal/compiler.h>
#include <hal/cpu.h>
#include <hal/irq.h>
#include <hal/time.h>

#include <stddef.h>
#include <stdint.h>

enum { GUEST_FREE_RAM = 0x100000 };

struct guest_behaviour {
    const char *name; /**< NULL ends the list */
    void (*run)(void);
};

/** Those that use several CPUs. */
extern const struct guest_behaviour guest_cpus_behaviours[];

/** What an interrupt on a line does; NULL: nothing. */
extern void (*guest_on_line[HAL_IRQ_LINES])(void);
/** What a CPU does that was started; NULL: it idles. */
extern void (*guest_on_cpu)(void);

void guest_print(const char *text);
void guest_print_line(const char *name, uint64_t number);
