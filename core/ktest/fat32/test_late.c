/* SPDX-License-Identifier: MIT */
/*
 * test_late.c: FAT32 on a disk that takes too long.
 *
 * A volume on a RAM disk is written through a fault disk (block/disks/fault.h), as often as that
 * has requests, and in each way in which a request can be late:
 *
 *     slow      it is done, after a while
 *     fails     after a while it ends with an error, and nothing of it was done
 *     torn      the same, and half of it was done
 *     lost      it never ends; the queue's deadline ends it with an error
 *     again     the same, but it is tried once more, and that goes well
 *
 * Where it ends well, nobody may notice. Otherwise somebody is told; and what was done without an
 * error is there after the next mount, what was done with one is not, and the checker finds
 * nothing. What has to be there is known from the same steps on a disk that is in order.
 */
#include "ktest/fat32/tests.h"

#include "block/block.h"
#include "block/disks/fault.h"
#include "block/disks/ram.h"
#include "fs/check/check.h"
#include "fs/fat32/volume.h"
#include "fs/mkfs/mkfs.h"
#include "heap/heap.h"
#include "lib/crc32.h"
#include "lib/string.h"
#include "tty/tty.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>

#define DISK_BYTES (512u << 10)
#define WHILE UINT64_C(4000000)   /* ns that what is late takes */
#define TIMEOUT UINT64_C(2000000) /* of what is lost */
#define DATA 3000u
#define KNOWN_MAX 32u
#define RUNS 20u /* as usual; there are some hundreds */

/* ---- ways to be late ---- */

static const struct way {
    enum fault_kind kind;
    unsigned retries;
    bool ends_well;
} ways[] = {
    {FAULT_DELAY, 0, true}, {FAULT_FAIL, 0, false}, {FAULT_TEAR, 0, false},
    {FAULT_LOSE, 0, false}, {FAULT_LOSE, 1, true},
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* ---- steps ---- */

enum action { CREATE, MKDIR, WRITE, CUT, RENAME, UNLINK, FSYNC, SYNC };

static const struct step {
    enum action action;
    const char *name, *to;
    uint32_t offset, bytes;
} steps[] = {
    {CREATE, "a", NULL, 0, 0},      {WRITE, "a", NULL, 0, 3000},
    {FSYNC, "a", NULL, 0, 0},       {CREATE, "a name that is longer", NULL, 0, 0},
    {MKDIR, "d", NULL, 0, 0},       {WRITE, "a name that is longer", NULL, 0, 900},
    {SYNC, NULL, NULL, 0, 0},       {RENAME, "a name that is longer", "b", 0, 0},
    {WRITE, "a", NULL, 2500, 2000}, {FSYNC, "a", NULL, 0, 0},
    {CUT, "a", NULL, 0, 1000},      {UNLINK, "b", NULL, 0, 0},
    {FSYNC, "a", NULL, 0, 0},
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static KSTATE struct late {
    struct ktest_run *run;
    const struct block_device *ram, *fault;
    uint8_t data[DATA];
    struct {
        uint32_t done, sum;
    } known[KNOWN_MAX]; /* trees, by the steps that lead to them */
    unsigned known_count;
    unsigned findings;
} late;

static int create(struct vnode *root, const struct step *step, enum vnode_type type)
{
    const struct vnode_attributes attributes = {.type = type, .mode = 0777};
    struct vnode *created = NULL;
    int error =
        root->ops->create(root, step->name, string_length(step->name), &attributes, &created);

    vnode_put(created);
    return error;
}

static int write(struct vnode *vnode, const struct step *step)
{
    int64_t n;

    for (uint32_t i = 0; i < step->bytes; i++)
        late.data[i] = (uint8_t)(step->offset + i * 7);
    n = vnode->ops->write(vnode, step->offset, late.data, step->bytes);
    return n < 0 ? (int)n : n == step->bytes ? 0 : -EIO;
}

/* Of what is there already. */
static int change(struct vnode *root, struct vnode *vnode, const struct step *step)
{
    size_t n = string_length(step->name);

    switch (step->action) {
    case WRITE:
        return write(vnode, step);
    case CUT:
        return vnode->ops->truncate(vnode, step->bytes);
    case RENAME:
        return root->ops->rename(root, step->name, n, vnode, root, step->to,
                                 string_length(step->to), NULL);
    case UNLINK:
        return root->ops->unlink(root, step->name, n, vnode);
    default:
        return vnode->ops->sync(vnode);
    }
}

static int take_step(struct vnode *root, const struct step *step)
{
    struct vnode *vnode = NULL;
    int error;

    if (step->action == SYNC)
        return root->ops->sync(root);
    if (step->action == CREATE || step->action == MKDIR)
        return create(root, step, step->action == CREATE ? VNODE_FILE : VNODE_DIRECTORY);
    error = root->ops->lookup(root, step->name, string_length(step->name), &vnode);
    if (!error)
        error = change(root, vnode, step);
    vnode_put(vnode);
    return error;
}

/* ---- volumes ---- */

static int write_disk(void *context, uint64_t sector, const void *data, unsigned count)
{
    return block_write(context, sector, data, count);
}

static int read_disk(void *context, uint64_t sector, void *data, unsigned count)
{
    return block_read(context, sector, data, count);
}

static bool format(void)
{
    const struct mkfs_options options = {.sectors = late.ram->sectors,
                                         .cluster_bytes = 512,
                                         .context = (void *)late.ram,
                                         .write = write_disk};
    struct mkfs_result result;

    return KTEST_EXPECT(late.run, fat_format(&options, &result) == 0);
}

static struct vnode *mount(const struct block_device *device)
{
    struct fat32_options options;
    struct fat32_volume *volume = NULL;
    struct problem problem;

    fat32_options_usual(&options);
    if (!KTEST_EXPECT(late.run,
                      fat32_volume_create(device, &options, NULL, &volume, &problem) == 0))
        return NULL;
    KTEST_EXPECT(late.run, volume->writer != NULL);
    return volume->root;
}

static uint32_t sum_up(struct vnode *file, uint32_t sum)
{
    int64_t n = 0;

    for (uint64_t at = 0; at < file->attributes.size; at += (uint64_t)n) {
        n = file->ops->read(file, at, late.data, DATA);
        if (!KTEST_EXPECT(late.run, n > 0))
            break;
        sum = crc32(sum, late.data, (size_t)n);
    }
    return sum;
}

/* Of all names, and of what is in the files. */
static uint32_t sum_tree(const struct block_device *device)
{
    struct directory_entry *entry = kmalloc(sizeof(*entry));
    struct vnode *root = mount(device), *vnode;
    uint64_t position = 0;
    uint32_t sum = 0;

    while (root && entry && root->ops->iterate(root, &position, entry) == 0) {
        size_t n = string_length(entry->name);
        uint32_t one = crc32(0, (const uint8_t *)entry->name, n);

        if (!KTEST_EXPECT(late.run, root->ops->lookup(root, entry->name, n, &vnode) == 0))
            break;
        sum += vnode->attributes.type == VNODE_FILE ? sum_up(vnode, one) : one;
        vnode_put(vnode);
    }
    vnode_put(root);
    kfree(entry);
    return sum;
}

/* What the steps in `done` make of an empty volume. */
static uint32_t tree_of(uint32_t done)
{
    struct vnode *root;
    uint32_t sum = 0;

    for (unsigned i = 0; i < late.known_count; i++)
        if (late.known[i].done == done)
            return late.known[i].sum;
    if (!format() || !(root = mount(late.ram)))
        return 0;
    for (unsigned i = 0; i < STEPS; i++)
        if (done >> i & 1)
            KTEST_EXPECT(late.run, take_step(root, &steps[i]) == 0);
    vnode_put(root);
    sum = sum_tree(late.ram);
    if (late.known_count < KNOWN_MAX) {
        late.known[late.known_count].done = done;
        late.known[late.known_count++].sum = sum;
    }
    return sum;
}

/* ---- the checker ---- */

static void *allocate(void *context, size_t bytes)
{
    (void)context;
    return kcalloc(1, bytes);
}

static void release(void *context, void *memory)
{
    (void)context;
    kfree(memory);
}

/* That the card has failed once is on the volume, as it should be. */
static void hear(void *context, enum check_class class, const char *text)
{
    (void)context;
    if (class != CHECK_NOTE && !string_equal(text, "the FAT says that the medium had errors"))
        late.findings++;
}

static bool is_in_order(void)
{
    const struct check_means means = {.context = (void *)late.ram,
                                      .read = read_disk,
                                      .allocate = allocate,
                                      .release = release,
                                      .found = hear,
                                      .sectors = late.ram->sectors};
    struct check_result result;

    late.findings = 0;
    return fat_check(&means, &result) == 0 && late.findings == 0;
}

/* ---- runs ---- */

static bool make_fault(const struct way *way)
{
    return KTEST_EXPECT(late.run, block_fault_create(late.ram->name, NULL, way->retries,
                                                     way->kind == FAULT_LOSE ? TIMEOUT : 0,
                                                     &late.fault) == 0);
}

static void plan(const struct way *way, uint64_t number)
{
    const struct fault_rule rule = {
        .kind = way->kind,
        .ops = 1u << BLOCK_READ | 1u << BLOCK_WRITE | 1u << BLOCK_FLUSH,
        .last = UINT64_MAX,
        .skip = number,
        .count = 1,
        .ns = WHILE,
    };

    KTEST_EXPECT(late.run, block_fault_add(late.fault, &rule) == 0);
}

static bool is_fitting(int error)
{
    return error == 0 || error == -EIO || error == -ETIMEDOUT;
}

/* All steps, with request `number` being late; false: there is none of that number. */
static bool run_late(const struct way *way, uint64_t number)
{
    struct vnode *root;
    uint32_t done = 0;
    bool good = true, met = false;

    if (!format() || !make_fault(way))
        return false;
    root = mount(late.fault);
    plan(way, number);
    for (unsigned i = 0; i < STEPS && root; i++) {
        int error = take_step(root, &steps[i]);

        done |= (uint32_t)(error == 0) << i;
        /* What follows from a step that failed is that others find no file. */
        good = good && (is_fitting(error) || done != (1u << (i + 1)) - 1);
    }
    vnode_put(root);
    met = block_fault_met(late.fault) > 0;
    KTEST_EXPECT(late.run, good);
    KTEST_EXPECT(late.run, !way->ends_well || done == (1u << STEPS) - 1);
    KTEST_EXPECT(late.run, block_remove(late.fault->name) == 0);
    KTEST_EXPECT(late.run, is_in_order());
    KTEST_EXPECT(late.run, sum_tree(late.ram) == tree_of(done));
    return met;
}

/* How many requests there are: a number that none has any more. */
static uint64_t count_requests(void)
{
    uint64_t number = 16;

    while (run_late(&ways[0], number) && !late.run->failed)
        number += 16;
    return number;
}

void test_fat32_late(struct ktest_run *run)
{
    uint64_t all, tried = 0;
    unsigned size = ktest_size(RUNS);

    late.run = run;
    late.known_count = 0;
    if (block_ram_create(DISK_BYTES, &late.ram)) {
        run->skipped = "no room for a RAM disk";
        return;
    }
    all = count_requests() * WAYS;
    for (uint64_t i = 0; i < all && i < size && !run->failed; i++) {
        uint64_t at = size < all ? i * all / size : i;

        tried += run_late(&ways[at % WAYS], at / WAYS);
    }
    KTEST_EXPECT(run, tried > 0);
    if (size != RUNS)
        tty_print("# %llu requests, each late in one of %u ways\n", (unsigned long long)tried,
                  (unsigned)WAYS);
    KTEST_EXPECT(run, block_remove(late.ram->name) == 0);
}
