/* SPDX-License-Identifier: MIT */
/*
 * cmdline.h: the kernel's command line: words like `quantum=10ms` and `debug`, parted by blanks.
 *
 * Words that the kernel knows:
 *   settings      loglevel=N  quantum=TIME  cpus=N
 *   memory        allocator=slab|bin|bump  checks=0|1  fail_alloc=PLAN (site/fail.h)
 *   watchdog      watchdog=TIME (0: off; by default on as checks=)
 *   locks         lockchecks=0|1 (by default as checks=)
 *   programs      aslr=1 (memory by chance)  wxorx=1 (proc/layout/layout.h)
 *   files         initrd=NAME|none (fs/root/tree.c)
 *   disks         elevator=fifo|sstf|look|clook  ramdisk=SIZE
 *                 writeback=TIME|sync (how long what is written stays in memory only)
 *   clock         clock=YYYY-MM-DDTHH:MM:SS (the wall clock stands still there)
 *   what to run   ktest=NAME  ktest_size=N  debug  semihosting (the Pi's backend reads it)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/** Keeps `text`, which must stay. Boot calls it once. */
void cmdline_init(const char *text);

/** The whole line; "" when there is none. Any context. */
const char *cmdline_text(void);

/** True if the word `name` stands on the line. Any context. */
bool cmdline_flag(const char *name);

/**
 * Copies what stands after `name=` (the first one) into the `size` bytes at `to`. False, and "" in
 * `to`, if there is none or it does not fit. Any context.
 */
bool cmdline_value(const char *name, char *to, size_t size);
