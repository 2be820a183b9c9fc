/* SPDX-License-Identifier: MIT */
/*
 * guest.c: the workloads on the kernel's heap. It stands in for the shell, so the whole kernel is
 * up, with the real clock and its interrupts. The time is read past the kernel, by the same clock
 * as in the other programs.
 */
#include "heap/heap.h"
#include "mem/frame.h"

#include <hal/board.h>
#include <hal/compiler.h>
#include <hal/cpu.h>
#include <hal/machine.h>

#define ROUND work_round
#define ALLOCATE(bytes) kmalloc(bytes)
#define ZEROS(bytes) kcalloc(1, bytes)
#define ALIGNED(bytes, alignment) kmalloc_aligned(bytes, alignment)
#define RESIZE(block, bytes) krealloc(block, bytes)
#define FREE(block) kfree(block)
#define PAGE_ALLOCATE() frame_alloc(0)
#define PAGE_FREE(page) frame_free(page, 0)
#include "workload.c"

#define FRAME_ENTRY 16u /* bytes of the frame table that each frame has */

uint64_t work_now(void)
{
    hal_irq_state_t state = hal_irq_save(); /* no interrupt on top of a call to the host */
    uint64_t now = work_clock();

    hal_irq_restore(state);
    return now;
}

uint64_t work_occupied(void)
{
    struct frame_stats stats;

    frame_read_stats(&stats);
    return stats.used * (HAL_PAGE_SIZE + FRAME_ENTRY);
}

/*
 * Uses all frames once, and gives them back: the first use of a frame costs the simulator the
 * making of its content, which no allocator is to be blamed for. For the workloads that free
 * nothing; the others use the same frames again and again.
 */
static void touch_all_frames(void)
{
    void **first = NULL, **run;

    while ((run = frame_alloc(FRAME_ORDER_MAX))) {
        *run = first;
        first = run;
    }
    while ((run = first)) {
        first = *run;
        frame_free(run, FRAME_ORDER_MAX);
    }
}

/* The linker puts this in the place of shell_main (--wrap). */
HAL_NORETURN void __wrap_shell_main(void *unused);

void __wrap_shell_main(void *unused)
{
    (void)unused;
    if (work_order.kind == WORK_GROW || work_order.kind == WORK_GROW_MIXED)
        touch_all_frames();
    work_measure();
    hal_board_stop(HAL_STOP_POWER_OFF, 0);
}
