/* SPDX-License-Identifier: MIT */
/*
 * guest.c: a kernel that misuses its heap in the way that the boot word `misuse=` names.
 *
 * It takes the place of the shell (the linker's --wrap) and powers off when nothing stopped it. The
 * allocating and freeing functions have names of their own, so that a report that names the call
 * chain can be told from one that does not.
 */
#include "boot/cmdline.h"
#include "heap/heap.h"
#include "heap/leak.h"
#include "lib/string.h"
#include "mem/frame.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/board.h>
#include <hal/compiler.h>
#include <hal/kstate.h>
#include <hal/runtime.h>

#define BYTES 60u
#define NAP_NS 10000000u

static KSTATE volatile uint8_t sink;

__attribute__((noinline)) static uint8_t *make_block(size_t bytes)
{
    uint8_t *block = kmalloc(bytes); /* site: block */

    if (!block)
        tty_print("no memory\n");
    return block;
}

__attribute__((noinline)) static void drop_block(void *block)
{
    kfree(block); /* site: first free */
    sink++;       /* or the call would be a jump, and this function in no chain of calls */
}

__attribute__((noinline)) static void drop_again(void *block)
{
    kfree(block); /* site: wrong free */
    sink++;
}

static void read_after_free(void)
{
    volatile uint8_t *block = make_block(BYTES);

    block[5] = 0x77;
    drop_block((void *)block);
    sink = block[5];
    tty_print("read %x\n", sink);
}

static void read_long_after_free(void)
{
    volatile uint8_t *block = make_block(BYTES);

    drop_block((void *)block);
    (void)thread_sleep(NAP_NS);
    sink = block[5];
}

static void write_after_free(void)
{
    volatile uint8_t *block = make_block(BYTES);

    drop_block((void *)block);
    block[7] = 1;
    heap_settle();
}

static void write_after_free_unnoticed(void)
{
    volatile uint8_t *block = make_block(BYTES);

    drop_block((void *)block);
    block[7] = 1;
    heap_check();
}

static void write_behind(void)
{
    volatile uint8_t *block = make_block(BYTES);

    block[BYTES] = 1;
    drop_again((void *)block);
}

static void write_in_front(void)
{
    volatile uint8_t *block = make_block(BYTES);

    block[-1] = 1;
    heap_check();
}

static void write_behind_aligned(void)
{
    volatile uint8_t *block = kmalloc_aligned(3 * BYTES, 4096); /* site: aligned */

    block[3 * BYTES] = 1;
    drop_again((void *)block);
}

static void free_twice(void)
{
    uint8_t *block = make_block(BYTES);

    drop_block(block);
    drop_block(make_block(BYTES));
    drop_again(block);
}

static void free_aligned_twice(void)
{
    void *block = kmalloc_aligned(8192, 65536); /* site: aligned */

    drop_block(block);
    drop_again(block);
}

static void free_long_ago(void)
{
    uint8_t *block = make_block(BYTES);

    drop_block(block);
    heap_settle();
    drop_again(block);
}

static void free_inside(void)
{
    drop_again(make_block(BYTES) + 16);
}

static void free_inside_freed(void)
{
    uint8_t *block = make_block(BYTES);

    drop_block(block);
    drop_again(block + 3);
}

static void free_static(void)
{
    static KSTATE uint8_t foreign[256];

    drop_again(foreign + 128);
}

static void free_frame(void)
{
    drop_again(frame_alloc(0));
}

static void free_number(void)
{
    drop_again((void *)(uintptr_t)0x7fffffffff0);
}

static void realloc_freed(void)
{
    uint8_t *block = make_block(BYTES);

    drop_block(block);
    sink = krealloc(block, 100) != NULL; /* site: wrong krealloc */
}

static void free_nothing(void)
{
    drop_again(NULL);
    tty_print("nothing happened\n");
}

static void leak(void)
{
    (void)make_block(BYTES);
    (void)make_block(BYTES);
}

static void use_properly(void)
{
    uint8_t *block = make_block(BYTES);

    memset(block, 1, BYTES);
    block = krealloc(block, 10 * BYTES);
    if (block)
        memset(block, 2, 10 * BYTES);
    heap_check();
    kfree(block);
    heap_check();
    heap_settle();
}

/* As a function does whose frame is larger than what is left, guard page included. */
static void overrun(void *unused)
{
    (void)unused;
    *(volatile uint64_t *)thread_current()->stack.canary = 1;
    thread_yield();
}

static void stack_overrun(void)
{
    struct thread *deep;

    if (thread_create_sized("deep", overrun, NULL, HAL_STACK_MIN, &deep) == 0)
        thread_join(deep);
}

static const struct misuse {
    const char *name;
    void (*commit)(void);
} misuses[] = {
    {"read-after-free", read_after_free},
    {"read-long-after-free", read_long_after_free},
    {"write-after-free", write_after_free},
    {"write-after-free-unnoticed", write_after_free_unnoticed},
    {"write-behind", write_behind},
    {"write-in-front", write_in_front},
    {"write-behind-aligned", write_behind_aligned},
    {"free-twice", free_twice},
    {"free-aligned-twice", free_aligned_twice},
    {"free-long-ago", free_long_ago},
    {"free-inside", free_inside},
    {"free-inside-freed", free_inside_freed},
    {"free-static", free_static},
    {"free-frame", free_frame},
    {"free-number", free_number},
    {"realloc-freed", realloc_freed},
    {"free-nothing", free_nothing},
    {"leak", leak},
    {"stack-overrun", stack_overrun},
    {"none", use_properly},
};

/* The linker puts this in the place of shell_main (--wrap). */
HAL_NORETURN void __wrap_shell_main(void *unused);

void __wrap_shell_main(void *unused)
{
    char name[32];

    (void)unused;
    (void)cmdline_value("misuse", name, sizeof name);
    for (size_t i = 0; i < sizeof misuses / sizeof misuses[0]; i++)
        if (string_equal(name, misuses[i].name)) {
            misuses[i].commit();
            tty_print("nobody noticed\n");
        }
    (void)heap_report_leaks();
    tty_drain();
    hal_board_stop(HAL_STOP_POWER_OFF, 0);
}
