/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

/*
 * tools.c: what the tools that watch memory are told of simulated RAM.
 *
 * AddressSanitizer keeps a shadow of which bytes may be touched. It has no idea of the guest's
 * heap, so its report of a bad access is followed by what the kernel knows of the block there, with
 * the call chains of its allocation and its end. Valgrind keeps a shadow and books of blocks: the
 * guest's are a pool of its own, which is forgotten as a whole when the power goes.
 *
 * Reads that may look at anything go through the second view of RAM, of which no tool knows.
 */
#include "host/tools.h"

#include "board/machine.h"
#include "host/host.h"
#include "host/private.h"

#include <hal/inspect.h>
#include <hal/mem.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A tool watches: else the guest's calls end at once. */
static bool watching;
/* The second view of RAM, while a tool watches. */
static const uint8_t *view;
#ifdef HAVE_VALGRIND
/* Valgrind's books agree with the guest's heap: from power-on, until a snapshot comes back. Their
 * two pools go by the addresses here: blocks without and with zones beside them. */
static bool has_pools;
static char pools[2];
#endif

bool tools_run_signals(void)
{
#ifdef HAVE_VALGRIND
    return RUNNING_ON_VALGRIND;
#else
    return false;
#endif
}

/* Valgrind keeps notes of its own in signal frames, which do not move with them. */
bool tools_forbid_signals(void)
{
    return tools_run_signals();
}

#ifdef WITH_TSAN
/* A program may end without closing its machine, and so without joining the CPUs' threads. */
__attribute__((visibility("default"))) const char *__tsan_default_options(void);

const char *__tsan_default_options(void)
{
    return "report_thread_leaks=0";
}
#endif

/* ThreadSanitizer's run-time library must be one of its own for this: GCC links it so. */
UNWATCHED bool tools_can_interrupt(uint64_t pc)
{
#ifdef WITH_TSAN
    return host_code_holds(pc);
#else
    (void)pc;
    return true;
#endif
}

void tools_memory_fresh(void *start, size_t bytes)
{
    (void)start;
    (void)bytes;
#ifdef WITH_ASAN
    __asan_unpoison_memory_region(start, bytes);
#endif
#ifdef HAVE_VALGRIND
    (void)VALGRIND_MAKE_MEM_UNDEFINED(start, bytes);
#endif
}

void tools_memory_closed(void *start, size_t bytes)
{
    (void)start;
    (void)bytes;
#ifdef WITH_ASAN
    __asan_poison_memory_region(start, bytes);
#endif
#ifdef HAVE_VALGRIND
    (void)VALGRIND_MAKE_MEM_NOACCESS(start, bytes);
#endif
}

void tools_memory_open(void *start, size_t bytes)
{
    (void)start;
    (void)bytes;
#ifdef WITH_ASAN
    __asan_unpoison_memory_region(start, bytes);
#endif
#ifdef HAVE_VALGRIND
    (void)VALGRIND_MAKE_MEM_DEFINED(start, bytes);
#endif
}

/* ---- AddressSanitizer's reports ---- */

#ifdef WITH_ASAN
enum { REPORT_BYTES = 4096, PLACE_BYTES = 512 };

static void put(const char *text, size_t n)
{
    ssize_t done = write(STDERR_FILENO, text, n);
    (void)done; /* there is nobody left to tell */
}

/* Prints `text`; behind each address of the kernel's file in it, where in the source that is. */
static void put_with_places(const char *text)
{
    char place[PLACE_BYTES];
    while (*text) {
        size_t n = 0;
        while (text[n] && text[n] != '\n')
            n++;
        put(text, n);
        const char *address = memmem(text, n, "0x", 2);
        if (address) {
            uintptr_t pc = strtoull(address, NULL, 16) + host_code_base();
            __sanitizer_symbolize_pc((void *)pc, " in %f %S", place, sizeof place);
            put(place, strlen(place));
        }
        put("\n", 1);
        text += n + (text[n] == '\n');
    }
}

static void append_block(const char *report)
{
    static char text[REPORT_BYTES];
    (void)report;
    if (hal_inspect_block(__asan_get_report_address(), text, sizeof text)) {
        static const char head[] = "\nWhat the kernel's heap knows of that address:\n";
        put(head, sizeof head - 1);
        put_with_places(text);
    }
}
#endif

/* ---- what is noted of a page ---- */

#ifdef WITH_ASAN
/* A byte of shadow stands for 8 of memory; its own place has no shadow, so nobody may watch this.
 */
enum { NOTES_BYTES = HAL_PAGE_SIZE / 8 };

static volatile uint64_t *shadow_of(const void *page)
{
    size_t scale, offset;
    __asan_get_shadow_mapping(&scale, &offset);
    return (volatile uint64_t *)(((uintptr_t)page >> scale) + offset);
}
#else
enum { NOTES_BYTES = 0 };
#endif

size_t tools_notes_bytes(void)
{
    return NOTES_BYTES;
}

HAL_RAW_ACCESS void tools_notes_save(void *notes, const void *page)
{
    (void)notes;
    (void)page;
#ifdef WITH_ASAN
    for (unsigned i = 0; i < NOTES_BYTES / 8; i++)
        ((volatile uint64_t *)notes)[i] = shadow_of(page)[i];
#endif
}

HAL_RAW_ACCESS void tools_notes_restore(void *page, const void *notes)
{
    (void)notes;
    (void)page;
#ifdef WITH_ASAN
    for (unsigned i = 0; i < NOTES_BYTES / 8; i++)
        shadow_of(page)[i] = ((const volatile uint64_t *)notes)[i];
#endif
}

/* ---- the life of RAM ---- */

void tools_begin(void)
{
    watching = tools_run_signals();
#ifdef WITH_ASAN
    watching = true;
    __asan_set_error_report_callback(append_block);
#endif
    view = watching ? host_ram_alias() : NULL;
}

void tools_end(void)
{
    tools_forget_blocks(false);
    view = NULL;
#ifdef WITH_ASAN
    __asan_set_error_report_callback(NULL);
#endif
}

void tools_forget_blocks(bool again)
{
    (void)again;
#ifdef HAVE_VALGRIND
    for (unsigned zoned = 0; zoned < 2 && has_pools; zoned++)
        VALGRIND_DESTROY_MEMPOOL(&pools[zoned]);
    has_pools = again && RUNNING_ON_VALGRIND;
    for (unsigned zoned = 0; zoned < 2 && has_pools; zoned++)
        VALGRIND_CREATE_MEMPOOL(&pools[zoned], zoned ? HAL_MEM_ZONE : 0, 0);
#endif
}

/* ---- the contract: guest code, which may be interrupted anywhere ---- */

void hal_mem_close(const void *start, size_t bytes)
{
    if (watching)
        tools_memory_closed((void *)(uintptr_t)start, bytes);
}

void hal_mem_open(const void *start, size_t bytes)
{
    if (watching)
        tools_memory_fresh((void *)(uintptr_t)start, bytes);
}

void hal_mem_block(const void *block, size_t bytes, bool zoned)
{
    (void)zoned;
    hal_mem_open(block, bytes);
#ifdef HAVE_VALGRIND
    if (has_pools)
        VALGRIND_MEMPOOL_ALLOC(&pools[zoned], block, bytes);
#endif
}

void hal_mem_block_end(const void *block, size_t bytes, bool zoned)
{
    (void)zoned;
#ifdef HAVE_VALGRIND
    if (has_pools)
        VALGRIND_MEMPOOL_FREE(&pools[zoned], block);
#endif
    hal_mem_close(block, bytes);
}

void hal_mem_look(void *to, const void *from, size_t bytes)
{
    uint64_t offset = (uint64_t)((const uint8_t *)from - machine.ram);
    if (view && offset < machine.ram_bytes && bytes <= machine.ram_bytes - offset)
        from = view + offset;
    memcpy(to, from, bytes);
}
