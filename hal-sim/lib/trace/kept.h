/* SPDX-License-Identifier: MIT */
/*
 * kept.h: the last events of the scheduler. The caller of all functions holds HOST_MACHINE.
 */
#pragma once

#include "tayberry.h"

#include <stdbool.h>

/** Keeps events from now on, or forgets those that were kept. 0 or -ENOMEM. */
int kept_switch(bool keep);

/** Whether they are kept. */
bool kept_runs(void);

/** Keeps an event, if they are kept. */
void kept_add(const struct tb_sched_event *event);
