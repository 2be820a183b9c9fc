/* SPDX-License-Identifier: MIT */
/*
 * edge.c: interrupt points at every edge of the kernel's code.
 *
 * Points at calls of the HAL are the same in every build, but between two of them the kernel runs
 * undisturbed: a race between two plain accesses cannot be seen. When core is built with
 * -fsanitize-coverage=trace-pc, the compiler calls the function below at each edge of each
 * function, and that is a point like any other. Where edges are is the compiler's affair, so such
 * runs repeat exactly for the same binary, but not from build to build.
 *
 * The program is `tayberry-edges`. In others nobody calls this.
 */
#include "board/machine.h"

void __sanitizer_cov_trace_pc(void);

/* Also called when the host looks into the kernel (hal/inspect.h), which is no guest code then. */
void __sanitizer_cov_trace_pc(void)
{
    if (!sim_cpu_entered() && !machine.real)
        sim_cpu_point(COST_EDGE);
}
