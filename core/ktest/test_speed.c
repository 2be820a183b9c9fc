/* SPDX-License-Identifier: MIT */
/*
 * test_speed.c: how fast the kernel does things, as comments among the results.
 *
 * The numbers are for people and for tests/bench, which compares them with what the host can do.
 * What is tested is only that the work was done.
 */
#include "fs/vfs.h"
#include "ktest/tests.h"
#include "heap/heap.h"
#include "tty/tty.h"

#include <hal/time.h>

#define FILE_NAME "/data/offsets.txt"
#define TIME_LIMIT 200000000u /* 200 ms: then the pass that is under way is the last */
#define PASSES_MAX 40u

/* Reads the whole file in pieces of `piece` bytes; the count, or an error. */
#define LARGEST (1u << 20)

static int64_t read_all(struct vnode *vnode, void *data, size_t piece)
{
    uint64_t offset = 0;
    int64_t got;

    while ((got = vfs_read(vnode, offset, data, piece)) > 0)
        offset += (uint64_t)got;
    return got < 0 ? got : (int64_t)offset;
}

static void measure_reading(struct ktest_run *run, struct vnode *vnode, void *data, size_t piece)
{
    uint64_t best = UINT64_MAX, begin = hal_time_now();

    for (unsigned pass = 0; pass < PASSES_MAX && hal_time_now() - begin < TIME_LIMIT; pass++) {
        uint64_t since = hal_time_now();

        KTEST_EXPECT(run, read_all(vnode, data, piece) == (int64_t)vnode->attributes.size);
        if (hal_time_now() - since < best)
            best = hal_time_now() - since;
    }
    tty_print("# read %llu bytes by %zu: %llu ns at best\n",
              (unsigned long long)vnode->attributes.size, piece, (unsigned long long)best);
}

void test_speed_read(struct ktest_run *run)
{
    static const size_t pieces[] = {512, 4096, 65536, LARGEST};
    struct vnode *vnode;
    size_t most = LARGEST;
    void *data;

    if (vfs_find(NULL, FILE_NAME, 0, &vnode) != 0) {
        run->skipped = "the standard card is not mounted";
        return;
    }
    /* The smallest machines have no such piece; and none has when the file's pages are everywhere.
     */
    while (!(data = kmalloc(most)) && most > pieces[0])
        most /= 2;
    for (unsigned i = 0; KTEST_EXPECT(run, data) && i < sizeof(pieces) / sizeof(pieces[0]); i++)
        if (pieces[i] <= most)
            measure_reading(run, vnode, data, pieces[i]);
    kfree(data);
    vnode_put(vnode);
}
