/* SPDX-License-Identifier: MIT */
/*
 * init.c: from power-on to the shell, in order:
 *
 *   1. read the boot tags: memory and command line;
 *   2. frames, heap, threads: from here on the boot code is the idle thread;
 *   3. the console, then interrupts;
 *   4. thread "init": the other CPUs, the card, the root file system, then the tests that `ktest=`
 *      asks for, or process 1, or the shell.
 *
 * Until 4 a failure ends the boot in one line that names what could not be had. From there on
 * nothing does.
 */
#include "block/disk.h"
#include "block/disks/ram.h"
#include "boot/boot.h"
#include "boot/cmdline.h"
#include "boot/tags/tags.h"
#include "boot/user/exec.h"
#include "boot/user/first.h"
#include "cache/cache.h"
#include "dev/clock.h"
#include "dev/gpio.h"
#include "dev/stream/stream.h"
#include "fs/lock/filelock.h"
#include "fs/path/name_cache.h"
#include "fs/root/root.h"
#include "ktest/ktest.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mem/frame.h"
#include "heap/heap.h"
#include "heap/leak.h"
#include "ipc/event/epoll.h"
#include "ipc/futex/futex.h"
#include "ipc/poll.h"
#include "ipc/taken/taken.h"
#include "mem/memory.h"
#include "mem/reclaim.h"
#include "proc/process.h"
#include "sched/sched.h"
#include "shell/shell.h"
#include "sync/spinlock.h"
#include "sync/check/waits.h"
#include "sys/machine/name.h"
#include "sys/trace/trace.h"
#include "thread/run.h"
#include "thread/thread.h"
#include "tty/tty.h"
#include "vm/space.h"
#include "deferred/ktimer.h"

#include <hal/board.h>
#include <hal/boot.h>
#include <hal/cpu.h>
#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/time.h>
#include <hal/upcall.h>

#define QUANTUM_MIN 100000u      /* 100 us */
#define QUANTUM_MAX 10000000000u /* 10 s */
#define CPUS_DEFAULT HAL_CPU_MAX
#define WATCH_DEFAULT 10000000000u /* 10 s */
#define WATCH_MIN 10000000u        /* 10 ms */
#define WATCH_MAX 1000000000000u   /* 1000 s */

static KSTATE struct boot_info info;
static KSTATE struct memory_map memory;
static KSTATE uint64_t watch;

const struct memory_map *boot_memory(void)
{
    return &memory;
}

const struct boot_info *boot_tags(void)
{
    return &info;
}

uint64_t boot_watch(void)
{
    return watch;
}

static void read_tags(void)
{
    size_t bytes;
    const void *tags = hal_boot_tags(&bytes);

    tags_read(tags, bytes, &info);
    cmdline_init(info.cmdline);
    klog(KLOG_NOTICE, "Tayberry " BOOT_VERSION " on a %s, %u CPU%s", hal_board_name(),
         hal_cpu_count(), hal_cpu_count() == 1 ? "" : "s");
    if (info.flaws > 0)
        klog(KLOG_WARNING, "boot: %s", info.problem);
    if (info.flaws > 1)
        klog(KLOG_WARNING, "boot: and %u more flaws of the boot tags", info.flaws - 1);
    if (info.ram_count == 0)
        klog(KLOG_WARNING, "boot: no memory size from the firmware; using what the board has");
    klog(KLOG_INFO, "boot: command line: %s", cmdline_text());
}

static void start_memory(void)
{
    struct frame_stats stats;

    alloc_site_init();
    memory_map_build(&info, &memory);
    if (memory.count == 0)
        boot_fail("out of memory: the boot tags leave no page of RAM for the kernel to use");
    if (frame_init(&memory))
        boot_fail("out of memory: no room for the table of page frames");
    heap_init();
    cache_init();
    frame_read_stats(&stats);
    klog(KLOG_INFO, "memory: %llu KiB in %u range%s, %llu KiB free",
         (unsigned long long)stats.total * (HAL_PAGE_SIZE / 1024), memory.count,
         memory.count == 1 ? "" : "s", (unsigned long long)stats.free * (HAL_PAGE_SIZE / 1024));
}

static void read_loglevel(void)
{
    char text[16];
    const char *end;
    uint64_t level;

    if (!cmdline_value("loglevel", text, sizeof text))
        return;
    if (string_to_u64(text, &level, &end) || *end || level > KLOG_DEBUG)
        klog(KLOG_WARNING, "boot: loglevel=%s is not a level from 0 to %d", text, KLOG_DEBUG);
    else
        klog_set_console_level((int)level);
}

static void read_quantum(void)
{
    char text[16];
    uint64_t quantum;

    if (!cmdline_value("quantum", text, sizeof text))
        return;
    if (string_to_duration(text, 1000000, &quantum) || quantum < QUANTUM_MIN ||
        quantum > QUANTUM_MAX)
        klog(KLOG_WARNING, "boot: quantum=%s is not a time from 100us to 10s", text);
    else
        thread_set_quantum(quantum);
}

static void read_sched(void)
{
    char name[16], names[160];

    if (!cmdline_value("sched", name, sizeof name) || scheduler_set_policy(name) == 0)
        return;
    scheduler_list_policies(names, sizeof names);
    klog(KLOG_WARNING, "boot: sched=%s is no policy; there are: %s", name, names);
}

static void read_elevator(void)
{
    char name[16];

    if (cmdline_value("elevator", name, sizeof name) && block_set_default_elevator(name))
        klog(KLOG_WARNING, "boot: elevator=%s is none; there are: fifo sstf look clook", name);
}

/* The wall clock stands still at this moment, so that cards come out the same. */
static void read_clock(void)
{
    char text[32], *time;
    int64_t seconds;

    if (!cmdline_value("clock", text, sizeof text))
        return;
    for (time = text; *time && *time != 'T'; time++)
        continue;
    if (*time)
        *time++ = '\0';
    if (calendar_from_text(text, time, &seconds))
        klog(KLOG_WARNING, "boot: clock= wants a moment such as 2026-01-31T12:34:56");
    else
        wall_stop(seconds);
}

/* How long what was written may be in memory only. */
static void read_writeback(void)
{
    char text[16];
    uint64_t ns;

    if (!cmdline_value("writeback", text, sizeof text))
        return;
    if (string_equal(text, "sync"))
        cache_set_dirty_age(HAL_TIME_NEVER);
    else if (string_to_duration(text, 1000000000, &ns) == 0 && ns <= WATCH_MAX)
        cache_set_dirty_age(ns);
    else
        klog(KLOG_WARNING, "boot: writeback=%s is neither sync nor a time up to 1000s", text);
}

static void make_ramdisk(void)
{
    const struct block_device *device;
    char text[16];
    uint64_t bytes;
    int error;

    if (!cmdline_value("ramdisk", text, sizeof text))
        return;
    error = string_to_size(text, &bytes);
    if (!error)
        error = block_ram_create(bytes, &device);
    if (error == -EINVAL)
        klog(KLOG_WARNING, "boot: ramdisk=%s is not a multiple of 64K", text);
    else if (error)
        klog(KLOG_WARNING, "boot: no RAM disk (error %d)", -error);
}

/* Like all checks, this one is on in builds with debug information. */
static void read_watchdog(void)
{
    char text[16];
    uint64_t ns;

    watch = heap_is_checked() ? WATCH_DEFAULT : 0;
    if (cmdline_value("watchdog", text, sizeof text)) {
        if (string_to_duration(text, 1000000000, &ns) || ns > WATCH_MAX || (ns && ns < WATCH_MIN))
            klog(KLOG_WARNING, "boot: watchdog=%s is not 0 (off) or a time from 10ms to 1000s",
                 text);
        else
            watch = ns;
    }
    spinlock_set_patience(watch);
}

/* How many CPUs to use. */
static unsigned read_cpus(void)
{
    unsigned have = hal_cpu_count();
    char text[16];
    const char *end;
    uint64_t cpus;

    if (!cmdline_value("cpus", text, sizeof text))
        return CPUS_DEFAULT < have ? CPUS_DEFAULT : have;
    if (string_to_u64(text, &cpus, &end) || *end || cpus < 1 || cpus > HAL_CPU_MAX) {
        klog(KLOG_WARNING, "boot: cpus=%s is not a number from 1 to %u", text, HAL_CPU_MAX);
        return CPUS_DEFAULT < have ? CPUS_DEFAULT : have;
    }
    if (cpus > have)
        klog(KLOG_WARNING, "boot: cpus=%s: this machine has %u", text, have);
    return cpus < have ? (unsigned)cpus : have;
}

static void start_cpus(void)
{
    unsigned cpus = read_cpus();

    for (unsigned cpu = 1; cpu < cpus; cpu++) {
        int error = thread_start_cpu(cpu);

        if (error)
            klog(KLOG_WARNING, "boot: CPU %u cannot be started (error %d)", cpu, -error);
    }
}

/* The first thread: what needs to sleep, then process 1; without it, the shell. */
static void init_main(void *unused)
{
    char tests[64];

    (void)unused;
    host_name_start();
    start_cpus();
    name_cache_start();
    vm_init();
    poll_init();
    taken_init();
    epoll_start();
    filelock_start();
    futex_init();
    trace_start();
    if (process_start())
        klog(KLOG_WARNING, "boot: no thread-local key is left for processes");
    make_ramdisk();
    if (cache_start())
        klog(KLOG_WARNING, "boot: out of memory: no room for the threads of the page cache");
    vfs_mount_tree();
    if (cmdline_value("ktest", tests, sizeof tests))
        ktest_run_and_stop(tests);
    exec_run_and_stop();
    first_program_run();
    heap_leaks_begin();
    shell_main(NULL);
}

static void start_threads(void)
{
    struct thread *init;

    thread_init();
    waits_start(heap_is_checked());
    read_quantum();
    read_sched();
    read_elevator();
    read_clock();
    read_writeback();
    gpio_start();
    if (tty_start())
        boot_fail("out of memory: no room for the console");
    stream_start();
    if (thread_start_reaper())
        boot_fail("out of memory: no room for the thread that frees others");
    if (thread_create("init", init_main, NULL, &init))
        boot_fail("out of memory: no room for the first thread");
    thread_detach(init);
    if (reclaim_start())
        boot_fail("out of memory: no room for the thread that asks caches for memory");
    if (ktimer_start())
        boot_fail("out of memory: no room for the thread of the timers");
    block_start_timers();
}

void hal_upcall_boot(void)
{
    klog_init();
    read_tags();
    read_loglevel();
    start_memory();
    read_watchdog();
    start_threads();
    hal_irq_enable(HAL_IRQ_TIMER);
    hal_irq_enable(HAL_IRQ_UART);
    hal_irq_enable(HAL_IRQ_BLOCK);
    hal_irq_enable(HAL_IRQ_GPIO);
    hal_irq_enable(HAL_IRQ_IPI);
    hal_cpu_watch(watch);
    run_idle();
}
