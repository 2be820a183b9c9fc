/* SPDX-License-Identifier: MIT */
/*
 * kstate.h: where the kernel keeps its writable statics.
 *
 * Every variable of core that lives outside RAM it allocated itself is declared with KSTATE and
 * has no initialiser. All of them then lie in one section of the program, which the backend zeroes
 * at power-on, before hal_upcall_boot. So the whole state of the kernel is two ranges of bytes,
 * this section and RAM, and a power cycle, a snapshot or a rewind is a copy of them.
 */
#pragma once

#define KSTATE __attribute__((section("kstate")))
