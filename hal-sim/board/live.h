/* SPDX-License-Identifier: MIT */
/*
 * live.h: what aspace.c and live.c tell each other. HOST_USER is held for all of it, or no user
 * code can run.
 */
#pragma once

#include <stdbool.h>

struct cpu;
struct hal_aspace;

/** The space whose views there are, or NULL. */
struct hal_aspace *sim_live_space(void);
/** It is gone, and so are its views. */
void sim_live_end(void);
/** Power-on: none is, and no CPU runs user code. */
void sim_live_reset(void);

/** `cpu` runs in the live space: whether no other CPU does. None begins to before the next call. */
bool sim_live_stop_others(struct cpu *cpu);
void sim_live_let_others(struct cpu *cpu);

/** A CPU has nothing to do. Takes HOST_USER. On the host's stack. */
void sim_live_idles(void);

/** aspace.c: the views are those of this space from now on. Nobody runs user code. */
void sim_aspace_show(struct hal_aspace *aspace);
