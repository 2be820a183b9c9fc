/* SPDX-License-Identifier: MIT */
/*
 * test_fat32.c: FAT32 on a RAM disk, with what the unit tests on the host do not have: threads on
 * all CPUs, and time that passes.
 */
#include "ktest/fat32/tests.h"

#include "block/block.h"
#include "block/disks/ram.h"
#include "fs/check/check.h"
#include "fs/fat32/volume.h"
#include "fs/fat32/write/write.h"
#include "fs/file.h"
#include "fs/mkfs/mkfs.h"
#include "fs/vfs.h"
#include "heap/heap.h"
#include "lib/format.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>
#include <hal/time.h>

#define DISK_BYTES (1u << 20)
#define MILLISECOND UINT64_C(1000000)

static int write_disk(void *context, uint64_t sector, const void *data, unsigned count)
{
    return block_write(context, sector, data, count);
}

static int read_disk(void *context, uint64_t sector, void *data, unsigned count)
{
    return block_read(context, sector, data, count);
}

/* A RAM disk with an empty volume, or NULL: the test is skipped, for want of memory. */
static const struct block_device *make_disk(struct ktest_run *run)
{
    const struct block_device *device = NULL;
    struct mkfs_result result;

    if (block_ram_create(DISK_BYTES, &device)) {
        run->skipped = "no room for a RAM disk";
        return NULL;
    }
    {
        const struct mkfs_options options = {.sectors = device->sectors,
                                             .cluster_bytes = 1024,
                                             .context = (void *)device,
                                             .write = write_disk};

        KTEST_EXPECT(run, fat_format(&options, &result) == 0);
    }
    return device;
}

static void end_disk(struct ktest_run *run, const struct block_device *device)
{
    KTEST_EXPECT(run, block_remove(device->name) == 0);
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

static bool is_in_order(const struct block_device *device)
{
    const struct check_means means = {.context = (void *)device,
                                      .read = read_disk,
                                      .allocate = allocate,
                                      .release = release,
                                      .sectors = device->sectors};
    struct check_result result;

    return fat_check(&means, &result) == 0 && result.findings[CHECK_UNTIDY] == 0 &&
           result.findings[CHECK_DAMAGE] == 0;
}

/* ---- time ---- */

static bool all_is_written(struct fat32_volume *volume)
{
    bool written;

    mutex_lock(&volume->mutex);
    written = volume->writer && volume->writer->batch.used == 0;
    mutex_unlock(&volume->mutex);
    return written;
}

static void change_and_wait(struct ktest_run *run, struct fat32_volume *volume)
{
    const struct vnode_attributes attributes = {.type = VNODE_FILE, .mode = 0777};
    struct vnode *created = NULL;

    if (!KTEST_EXPECT(
            run, volume->root->ops->create(volume->root, "file", 4, &attributes, &created) == 0))
        return;
    vnode_put(created);
    KTEST_EXPECT(run, !all_is_written(volume));
    for (unsigned i = 0; i < 200 && !all_is_written(volume); i++)
        (void)thread_sleep_until(hal_time_now() + 50 * MILLISECOND);
    KTEST_EXPECT(run, all_is_written(volume));
}

void test_fat32_by_itself(struct ktest_run *run)
{
    const struct block_device *device = make_disk(run);
    struct fat32_options options;
    struct fat32_volume *volume;
    struct problem problem;

    if (!device)
        return;
    fat32_options_usual(&options);
    if (KTEST_EXPECT(run, fat32_volume_create(device, &options, NULL, &volume, &problem) == 0)) {
        change_and_wait(run, volume);
        vnode_put(volume->root);
        KTEST_EXPECT(run, is_in_order(device));
    }
    end_disk(run, device);
}

/* ---- threads ---- */

#define THREADS 4u
#define NAMES 6u

struct user {
    struct thread *thread;
    struct vnode *root;
    uint32_t random;
    unsigned steps;
    int wrong; /* an error that must not be */
};

static uint32_t chance(struct user *user, uint32_t n)
{
    user->random = user->random * 1664525 + 1013904223;
    return (user->random >> 8) % n;
}

/* In one of two directories, or in the root: names that all threads use. */
static void pick_path(struct user *user, char *path, size_t size)
{
    static const char *const directories[] = {"", "one/", "a longer name/"};

    format_text(path, size, "%s%u is a name", directories[chance(user, 3)],
                (unsigned)chance(user, NAMES));
}

static void note(struct user *user, int64_t error)
{
    if (error < 0 && error != -ENOENT && error != -EEXIST && error != -ENOSPC)
        user->wrong = (int)error;
}

static void write_somewhere(struct user *user, const char *path)
{
    uint8_t data[700];
    struct vnode *vnode = NULL;
    int error = vfs_find(user->root, path, 0, &vnode);

    note(user, error);
    if (error)
        return;
    memset(data, 'x', sizeof(data));
    note(user, vfs_write(vnode, chance(user, 3000), data, 1 + chance(user, sizeof(data))));
    if (chance(user, 3) == 0)
        note(user, vfs_truncate(vnode, chance(user, 2000)));
    note(user, vfs_read(vnode, 0, data, sizeof(data)));
    vnode_put(vnode);
}

static void do_something(struct user *user)
{
    const struct vnode_attributes attributes = {.type = VNODE_FILE, .mode = 0777};
    char path[40], other[40];
    struct vnode *vnode = NULL;

    pick_path(user, path, sizeof(path));
    pick_path(user, other, sizeof(other));
    switch (chance(user, 5)) {
    case 0:
        note(user, vfs_create(user->root, path, &attributes, &vnode));
        vnode_put(vnode);
        break;
    case 1:
        note(user, vfs_unlink(user->root, path));
        break;
    case 2:
        note(user, vfs_rename(user->root, path, other, 0));
        break;
    case 3:
        write_somewhere(user, path);
        break;
    default:
        if (chance(user, 10) == 0)
            note(user, chance(user, 2) ? mount_sync_all() : user->root->ops->sync(user->root));
    }
}

static void user_main(void *argument)
{
    struct user *user = argument;

    for (unsigned i = 0; i < user->steps; i++)
        do_something(user);
}

static void use_by_threads(struct ktest_run *run, struct vnode *root)
{
    static KSTATE struct user users[THREADS];
    unsigned started = 0;

    KTEST_EXPECT(run, vfs_mkdir(root, "one", 0777) == 0);
    KTEST_EXPECT(run, vfs_mkdir(root, "a longer name", 0777) == 0);
    for (; started < THREADS; started++) {
        users[started] =
            (struct user){.root = root, .random = started * 77 + 1, .steps = ktest_size(300)};
        if (!KTEST_EXPECT(run, thread_create("writer", user_main, &users[started],
                                             &users[started].thread) == 0))
            break;
    }
    for (unsigned i = 0; i < started; i++) {
        thread_join(users[i].thread);
        KTEST_EXPECT(run, users[i].wrong == 0);
    }
}

/* Lets `use` have a new volume, mounted at `place`. */
static void with_volume(struct ktest_run *run,
                        void (*use)(struct ktest_run *run, struct vnode *root))
{
    const struct block_device *device = make_disk(run);
    struct vnode *root = vfs_root();
    const char *place = root ? "/data" : "/";
    struct problem problem;

    vnode_put(root);
    if (!device)
        return;
    if (mount_add("fat32", device, place, "", &problem)) {
        run->skipped = "no directory to mount on";
    } else {
        if (KTEST_EXPECT(run, vfs_find(NULL, place, 0, &root) == 0)) {
            use(run, root);
            vnode_put(root);
        }
        KTEST_EXPECT(run, mount_remove(place) == 0);
        KTEST_EXPECT(run, is_in_order(device));
    }
    end_disk(run, device);
}

void test_fat32_threads(struct ktest_run *run)
{
    with_volume(run, use_by_threads);
}

/* ---- read-only, or not ---- */

#define NOTHINGS 5000u

struct keeper {
    struct thread *thread;
    struct file *file; /* open for writing */
    unsigned rounds, refused;
    bool done; /* atomic */
};

static void keeper_main(void *argument)
{
    struct keeper *keeper = argument;

    for (unsigned i = 0; i < keeper->rounds; i++) {
        /* To write nothing is allowed or not, and takes no lock. */
        for (unsigned j = 0; j < NOTHINGS; j++)
            keeper->refused += vfs_write(keeper->file->vnode, 0, NULL, 0) != 0;
        keeper->refused += file_write_at(keeper->file, 0, "content", 7) != 7;
        keeper->refused += vfs_truncate(keeper->file->vnode, 7) != 0;
    }
    __atomic_store_n(&keeper->done, true, __ATOMIC_RELEASE);
}

static int remount(struct vnode *root, const char *options)
{
    struct problem problem;

    return root->mount->type->remount(root->mount, options, &problem);
}

/* That it cannot become read-only, nobody notices but who wanted it. */
static void refuse_often(struct ktest_run *run, struct vnode *root, struct file *file)
{
    struct keeper keeper = {.file = file, .rounds = ktest_size(1000)};
    unsigned wrong = 0;

    if (!KTEST_EXPECT(run, thread_create("keeper", keeper_main, &keeper, &keeper.thread) == 0))
        return;
    for (unsigned i = 0; !__atomic_load_n(&keeper.done, __ATOMIC_ACQUIRE); i++) {
        wrong += remount(root, "ro") != -EBUSY;
        if (i % 16 == 0)
            thread_yield();
    }
    thread_join(keeper.thread);
    KTEST_EXPECT(run, wrong == 0 && keeper.refused == 0);
}

struct changer {
    struct thread *thread;
    struct vnode *root;
    bool leave; /* atomic */
    unsigned wrong;
};

static void note_change(struct changer *changer, int error)
{
    /* What was there already, or was not, because a step before was refused. */
    changer->wrong +=
        error < 0 && error != -EROFS && error != -EEXIST && error != -ENOENT && error != -ENOTEMPTY;
}

static void changer_main(void *argument)
{
    struct changer *changer = argument;
    const struct vnode_attributes attributes = {.mode = 0777};
    struct file *file;

    while (!__atomic_load_n(&changer->leave, __ATOMIC_RELAXED)) {
        int error = file_open(changer->root, "other", FILE_READ_WRITE | FILE_CREATE, 0777, &file);

        note_change(changer, error);
        if (error == 0) {
            changer->wrong += file_write(file, "content", 7) != 7;
            changer->wrong += vfs_set_attributes(file->vnode, &attributes, VNODE_SET_MODE) != 0;
            file_put(file);
        }
        note_change(changer, vfs_mkdir(changer->root, "directory", 0777));
        note_change(changer, vfs_rename(changer->root, "other", "directory/it", 0));
        note_change(changer, vfs_unlink(changer->root, "directory/it"));
        note_change(changer, vfs_rmdir(changer->root, "directory"));
        thread_yield();
    }
}

/* While somebody changes this and that: each change is made, or refused. */
static void change_meanwhile(struct ktest_run *run, struct vnode *root)
{
    struct changer changer = {.root = root};
    unsigned wrong = 0;

    if (!KTEST_EXPECT(run, thread_create("changer", changer_main, &changer, &changer.thread) == 0))
        return;
    for (unsigned i = ktest_size(1000) / 10; i > 0; i--) {
        int error = remount(root, "ro,umask=000");

        wrong += error != 0 && error != -EBUSY;
        thread_yield();
        wrong += remount(root, "rw") != 0;
        thread_yield();
    }
    __atomic_store_n(&changer.leave, true, __ATOMIC_RELAXED);
    thread_join(changer.thread);
    KTEST_EXPECT(run, wrong == 0 && changer.wrong == 0);
}

static void remount_often(struct ktest_run *run, struct vnode *root)
{
    const unsigned flags = FILE_READ_WRITE | FILE_CREATE;
    struct file *file, *other;

    if (!KTEST_EXPECT(run, file_open(root, "file", flags, 0777, &file) == 0))
        return;
    refuse_often(run, root, file);
    file_put(file);
    change_meanwhile(run, root);
    KTEST_EXPECT(run, remount(root, "ro") == 0);
    KTEST_EXPECT(run, file_open(root, "file", flags, 0777, &other) == -EROFS);
    KTEST_EXPECT(run, remount(root, "ro") == 0);
    KTEST_EXPECT(run, remount(root, "rw") == 0);
    if (KTEST_EXPECT(run, file_open(root, "file", flags, 0777, &file) == 0)) {
        KTEST_EXPECT(run, vfs_unlink(root, "file") == 0);
        KTEST_EXPECT(run, remount(root, "ro") == -EBUSY);
        KTEST_EXPECT(run, file_write(file, "content", 7) == 7);
        file_put(file);
    }
}

void test_fat32_remount(struct ktest_run *run)
{
    with_volume(run, remount_often);
}
