/* SPDX-License-Identifier: MIT */
/*
 * cpu.c: the table of CPUs.
 */
#include "thread/cpu.h"

#include <hal/cpu.h>
#include <hal/kstate.h>

static KSTATE struct cpu cpus[HAL_CPU_MAX];

struct cpu *cpu_here(void)
{
    return &cpus[hal_cpu_id()];
}

struct cpu *cpu_at(unsigned id)
{
    return &cpus[id];
}
