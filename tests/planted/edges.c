/* SPDX-License-Identifier: MIT */
/*
 * edges.c: an interrupt point at each edge of the files that are built with
 * -fsanitize-coverage=trace-pc: the compiler puts a call of this at the beginning of each of their
 * basic blocks. So what lies between two calls of the HAL can come apart too.
 *
 * The simulator's own code is never built so; but code of core that it calls may be.
 */
#include <hal/cpu.h>

void __sanitizer_cov_trace_pc(void);

/* Weak: a simulator that has such points of its own keeps them. */
__attribute__((weak)) void __sanitizer_cov_trace_pc(void)
{
    if (!HAL_CPU_FACE_GET(in_host))
        hal_cpu_point();
}
