/* SPDX-License-Identifier: MIT */
/*
 * guest_costs.c: how many sectors each operation writes until it is on the card to stay, and how
 * often it flushes, beside the least that its order of writes needs.
 *
 * The minimum is counted by hand from the table of orders (docs/BENCHMARKS.md tells how) for a
 * volume with two FATs and clusters of 4 KiB that is marked as in use already. Names are such that
 * an entry set lies in one sector.
 */
#include "guest.h"

#include "block/block.h"
#include "fs/vfs.h"
#include "lib/format.h"
#include "mem/frame.h"

#include <hal/kstate.h>
#include <hal/machine.h>

#define CLUSTER 4096u

static KSTATE struct block_stats before;
static KSTATE uint8_t *data;

static void begin(void)
{
    guest_sync();
    block_read_stats(&before);
}

static void end(const char *name, const char *minimum, unsigned sectors, unsigned flushes)
{
    struct bench_cost *cost = &bench_order.costs[bench_order.costs_count++];
    struct block_stats after;

    block_read_stats(&after);
    *cost = (struct bench_cost){
        .name = name,
        .minimum = minimum,
        .sectors = sectors,
        .flushes = flushes,
        .did_write = (unsigned)(after.sectors_written - before.sectors_written),
        .did_flush = (unsigned)(after.flushes - before.flushes),
        .requests = (unsigned)(after.writes - before.writes),
    };
}

static void put(const char *path, uint64_t offset, unsigned bytes)
{
    struct file *file = guest_open(path, FILE_READ_WRITE | FILE_CREATE);

    if (file_write_at(file, offset, data, bytes) != bytes)
        guest_fail("writing", 0);
    guest_expect("fsync", file_sync(file));
    file_put(file);
}

static void cut(const char *path, uint64_t bytes)
{
    struct file *file = guest_open(path, FILE_READ_WRITE);

    guest_expect("truncating", file_truncate(file, bytes));
    file_put(file);
    guest_sync();
}

static void rename(const char *from, const char *to)
{
    guest_expect("renaming", vfs_rename(NULL, from, to, 0));
    guest_sync();
}

static void unlink(const char *path)
{
    guest_expect("removing", vfs_unlink(NULL, path));
    guest_sync();
}

static void cost_of_data(void)
{
    begin();
    guest_create("/c/empty");
    guest_sync();
    end("create, empty; sync", "1", 1, 1);
    begin();
    put("/c/file", 0, CLUSTER);
    end("create, write 4 KiB; fsync", "8 + FATs 2 | 1", 11, 2);
    begin();
    put("/c/file", 0, CLUSTER);
    end("write over 4 KiB; fsync", "8", 8, 1);
    begin();
    put("/c/file", CLUSTER, 512);
    end("append 512 B, new cluster; fsync", "1 + FATs 2 | 1", 4, 2);
    begin();
    put("/c/file", CLUSTER + 512, 512);
    end("append 512 B inside; fsync", "1 | 1", 2, 2);
    begin();
    cut("/c/file", CLUSTER);
    end("truncate by a cluster; sync", "1 | FATs 2", 3, 2);
}

static void cost_of_names(void)
{
    begin();
    rename("/c/empty", "/c/empt2");
    end("rename in a sector; sync", "1", 1, 1);
    begin();
    rename("/c/file", "/c/empt2");
    end("rename over a file; sync", "1", 1, 1);
    begin();
    rename("/c/empt2", "/d/moved");
    end("rename to another directory; sync", "record 3 | 1 | 1", 5, 3);
    put("/d/other", 0, CLUSTER);
    begin();
    rename("/d/other", "/d/moved");
    end("rename over a file with data; sync", "1 | FATs 2", 3, 2);
    begin();
    unlink("/d/moved");
    end("unlink, a cluster or two; sync", "1 | FATs 2", 3, 2);
    begin();
    guest_expect("mkdir", vfs_mkdir(NULL, "/c/new", 0755));
    guest_sync();
    end("mkdir; sync", "8 + FATs 2 | 1", 11, 2);
    begin();
    guest_expect("rmdir", vfs_rmdir(NULL, "/c/new"));
    guest_sync();
    end("rmdir; sync", "1 | FATs 2", 3, 2);
}

/* Many that go to the card together: 100 sets of 2 slots. */
static void cost_of_many(void)
{
    char path[32];

    guest_expect("mkdir", vfs_mkdir(NULL, "/m", 0755));
    begin();
    for (unsigned i = 0; i < 100; i++) {
        (void)format_text(path, sizeof(path), "/m/long name %u", i);
        guest_create(path);
    }
    guest_sync();
    end("create 100, empty; one sync", "", 0, 0);
}

void guest_costs(void)
{
    data = frame_alloc(0);
    if (!data)
        guest_fail("memory", 0);
    guest_expect("mkdir", vfs_mkdir(NULL, "/c", 0755));
    guest_expect("mkdir", vfs_mkdir(NULL, "/d", 0755));
    cost_of_data();
    cost_of_names();
    cost_of_many();
}
