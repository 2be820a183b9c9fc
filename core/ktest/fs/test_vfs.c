/* SPDX-License-Identifier: MIT */
/*
 * test_vfs.c: several threads in the same directories of a ramfs, on all CPUs.
 *
 * Each test lets threads do what gets in each other's way, and then checks what must be true
 * whoever came first.
 */
#include "block/block.h"
#include "block/disks/ram.h"
#include "fs/devfs/device.h"
#include "fs/devfs/devfs.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/vfs.h"
#include "heap/heap.h"
#include "ktest/fs/tests.h"
#include "lib/format.h"
#include "lib/string.h"
#include "thread/thread.h"

#include <hal/block.h>
#include <hal/errno.h>
#include <hal/kstate.h>
#include <hal/runtime.h>

#define THREADS 4u
#define DIRECTORIES 12u
#define PATH_BYTES 64u

static const struct vnode_attributes plain_file = {.type = VNODE_FILE, .mode = 0644};

struct stage;

/** What a thread of a test does, and what came of it. */
struct actor {
    struct stage *stage;
    struct thread *thread;
    unsigned number, rounds;
    unsigned made, removed, wrong;
};

struct stage {
    const char *path; /* where the ramfs is mounted */
    struct vnode *root;
    struct actor actors[THREADS];
};

/* ---- the stage ---- */

/* To look for the path may need memory; there will be some. */
static void unbuild(struct ktest_run *run, struct stage *stage)
{
    int error = -ENOMEM;

    vnode_put(stage->root);
    for (unsigned i = 0; i < 1000 && error == -ENOMEM; i++)
        error = mount_remove(stage->path);
    KTEST_EXPECT(run, error == 0);
}

/* Mounts a ramfs on a directory that nobody needs. False: skipped, or failed. */
static bool build(struct ktest_run *run, struct stage *stage)
{
    static const char *const places[] = {"/", "/tmp", "/docs", "/card/docs"};
    struct problem problem;

    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (mount_add("ramfs", NULL, places[i], "", &problem) != 0)
            continue;
        stage->path = places[i];
        if (KTEST_EXPECT(run, vfs_find(NULL, places[i], 0, &stage->root) == 0))
            return true;
        stage->root = NULL;
        unbuild(run, stage);
        return false;
    }
    run->skipped = "no folder to mount on";
    return false;
}

/* Runs `main` in THREADS threads. Returns what they found wrong. */
static unsigned play(struct ktest_run *run, struct stage *stage, void (*main)(void *argument),
                     unsigned rounds)
{
    unsigned started = 0, wrong = 0;

    for (; started < THREADS; started++) {
        struct actor *actor = &stage->actors[started];

        *actor = (struct actor){.stage = stage, .number = started, .rounds = rounds};
        if (!KTEST_EXPECT(run, thread_create("actor", main, actor, &actor->thread) == 0))
            break;
    }
    for (unsigned i = 0; i < started; i++) {
        thread_join(stage->actors[i].thread);
        wrong += stage->actors[i].wrong;
    }
    return wrong;
}

static unsigned next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*state >> 40);
}

/* ---- replacing ---- */

static int write_file(struct vnode *base, const char *path, const char *text)
{
    struct file *file;
    int error = file_open(base, path, FILE_WRITE_ONLY | FILE_CREATE, 0644, &file);

    if (error != 0)
        return error;
    if (file_write(file, text, string_length(text)) != (int64_t)string_length(text))
        error = -EIO;
    file_put(file);
    return error;
}

static bool has_text(struct vnode *base, const char *path, const char *text)
{
    char data[32];
    struct file *file;
    bool good;

    if (file_open(base, path, FILE_READ_ONLY, 0, &file) != 0)
        return false;
    good = file_read(file, data, sizeof(data)) == (int64_t)string_length(text) &&
           memcmp(data, text, string_length(text)) == 0;
    file_put(file);
    return good;
}

static void replacer_main(void *argument)
{
    struct actor *actor = argument;
    struct vnode *root = actor->stage->root;
    char name[PATH_BYTES];

    (void)format_text(name, sizeof(name), "new%u", actor->number);
    for (unsigned i = 0; i < actor->rounds; i++) {
        if (actor->number % 2 == 0)
            actor->wrong += !has_text(root, "target", "all of it");
        else if (write_file(root, name, "all of it") != 0 ||
                 vfs_rename(root, name, "target", 0) != 0)
            actor->wrong++;
    }
}

void test_vfs_replace(struct ktest_run *run)
{
    struct stage stage = {.path = NULL};

    if (!build(run, &stage))
        return;
    KTEST_EXPECT(run, write_file(stage.root, "target", "all of it") == 0);
    KTEST_EXPECT(run, play(run, &stage, replacer_main, ktest_size(200)) == 0);
    unbuild(run, &stage);
}

/* ---- making and removing one name ---- */

static void maker_main(void *argument)
{
    struct actor *actor = argument;
    struct vnode *root = actor->stage->root, *made;

    for (unsigned i = 0; i < actor->rounds; i++) {
        int error = vfs_create(root, "one", &plain_file, &made);

        if (error == 0)
            vnode_put(made);
        actor->made += error == 0;
        actor->wrong += error != 0 && error != -EEXIST;
        error = vfs_unlink(root, "one");
        actor->removed += error == 0;
        actor->wrong += error != 0 && error != -ENOENT;
    }
}

void test_vfs_create_unlink(struct ktest_run *run)
{
    struct stage stage = {.path = NULL};
    unsigned made = 0, removed = 0;

    if (!build(run, &stage))
        return;
    KTEST_EXPECT(run, play(run, &stage, maker_main, ktest_size(200)) == 0);
    for (unsigned i = 0; i < THREADS; i++) {
        made += stage.actors[i].made;
        removed += stage.actors[i].removed;
    }
    KTEST_EXPECT(run, made > 0 && made == removed);
    KTEST_EXPECT(run, vfs_unlink(stage.root, "one") == -ENOENT);
    unbuild(run, &stage);
}

/* ---- a directory that comes and goes ---- */

static void dweller_main(void *argument)
{
    struct actor *actor = argument;
    struct vnode *root = actor->stage->root;
    char name[PATH_BYTES];

    (void)format_text(name, sizeof(name), "house/%u", actor->number);
    for (unsigned i = 0; i < actor->rounds; i++) {
        int error = vfs_mkdir(root, "house", 0755);

        actor->wrong += error != 0 && error != -EEXIST;
        error = vfs_mkdir(root, name, 0755);
        actor->wrong += error != 0 && error != -ENOENT;
        if (error == 0) /* so the house cannot have gone meanwhile */
            actor->wrong += vfs_rmdir(root, name) != 0;
        error = vfs_rmdir(root, "house");
        actor->wrong += error != 0 && error != -ENOENT && error != -ENOTEMPTY;
    }
}

void test_vfs_mkdir_rmdir(struct ktest_run *run)
{
    struct stage stage = {.path = NULL};

    if (!build(run, &stage))
        return;
    KTEST_EXPECT(run, play(run, &stage, dweller_main, ktest_size(200)) == 0);
    KTEST_EXPECT(run, vfs_rmdir(stage.root, "house") == -ENOENT);
    unbuild(run, &stage);
}

/* ---- directories that move into each other ---- */

/* A path of up to three of the directories, which may be there or not. */
static void make_path(char *path, uint64_t *random)
{
    unsigned depth = 1 + next_random(random) % 3;
    size_t used = 0;

    for (unsigned i = 0; i < depth; i++)
        used += format_text(path + used, PATH_BYTES - used, "%s%u", i > 0 ? "/" : "",
                            next_random(random) % DIRECTORIES);
}

static void mover_main(void *argument)
{
    struct actor *actor = argument;
    uint64_t random = actor->number + 1;
    char from[PATH_BYTES], to[PATH_BYTES];

    for (unsigned i = 0; i < actor->rounds; i++) {
        int error;

        make_path(from, &random);
        make_path(to, &random);
        error = vfs_rename(actor->stage->root, from, to, VFS_RENAME_NO_REPLACE);
        actor->made += error == 0;
        actor->wrong += error != 0 && error != -ENOENT && error != -EINVAL && error != -EEXIST;
    }
}

/* How many directories there are in this one; UINT32_MAX / 2 if there is no end to them. */
static unsigned count_below(struct vnode *directory, unsigned depth)
{
    struct directory_entry *entry = kmalloc(sizeof(*entry));
    uint64_t position = 0;
    unsigned count = 0;

    while (entry != NULL && depth <= DIRECTORIES && vfs_iterate(directory, &position, entry) == 0) {
        struct vnode *below;

        if (vfs_find(directory, entry->name, 0, &below) == 0) {
            count += 1 + count_below(below, depth + 1);
            vnode_put(below);
        }
    }
    kfree(entry);
    return depth > DIRECTORIES ? UINT32_MAX / 2 : count;
}

void test_vfs_moves(struct ktest_run *run)
{
    struct stage stage = {.path = NULL};
    char path[PATH_BYTES];
    unsigned moved = 0;

    if (!build(run, &stage))
        return;
    for (unsigned i = 0; i < DIRECTORIES; i++) {
        (void)format_text(path, sizeof(path), "%u", i);
        KTEST_EXPECT(run, vfs_mkdir(stage.root, path, 0755) == 0);
    }
    KTEST_EXPECT(run, play(run, &stage, mover_main, ktest_size(300)) == 0);
    for (unsigned i = 0; i < THREADS; i++)
        moved += stage.actors[i].made;
    KTEST_EXPECT(run, moved > 0);
    KTEST_EXPECT(run, count_below(stage.root, 0) == DIRECTORIES);
    unbuild(run, &stage);
}

/* ---- a mount that comes and goes ---- */

static void visitor_main(void *argument)
{
    struct actor *actor = argument;
    struct vnode *root = actor->stage->root, *found;
    struct problem problem;
    char path[PATH_BYTES];

    (void)format_text(path, sizeof(path), "%s/mnt", actor->stage->path);
    for (unsigned i = 0; i < actor->rounds; i++) {
        int error;

        if (actor->number == 0) {
            error = mount_add("ramfs", NULL, path, "", &problem);
            actor->made += error == 0;
            actor->wrong += error != 0 && error != -EBUSY;
            error = mount_remove(path);
            actor->removed += error == 0;
            actor->wrong += error != 0 && error != -EBUSY;
            continue;
        }
        error = vfs_create(root, "mnt/file", &plain_file, &found);
        actor->wrong += error != 0 && error != -EEXIST;
        if (error == 0)
            vnode_put(found);
        error = vfs_find(root, "mnt/file/../../mnt", 0, &found);
        actor->wrong += error != -ENOTDIR && error != -ENOENT;
        error = vfs_find(root, "mnt/..", 0, &found);
        actor->wrong += error != 0 || found != root;
        if (error == 0)
            vnode_put(found);
    }
}

void test_vfs_unmount(struct ktest_run *run)
{
    struct stage stage = {.path = NULL};
    char path[PATH_BYTES];

    if (!build(run, &stage))
        return;
    KTEST_EXPECT(run, vfs_mkdir(stage.root, "mnt", 0755) == 0);
    KTEST_EXPECT(run, play(run, &stage, visitor_main, ktest_size(100)) == 0);
    (void)format_text(path, sizeof(path), "%s/mnt", stage.path);
    while (stage.actors[0].removed++ < stage.actors[0].made)
        KTEST_EXPECT(run, mount_remove(path) == 0);
    KTEST_EXPECT(run, mount_remove(path) == -EINVAL);
    unbuild(run, &stage);
}

/* ---- disks as files ---- */

/* Who writes to the disk by its node keeps it from others, and the other way round. */
static void write_to_disk(struct ktest_run *run, struct vnode *root,
                          const struct block_device *disk)
{
    struct file *first = NULL, *second = NULL;
    struct mount_claim claim;
    struct problem problem;

    KTEST_EXPECT(run, file_open(root, "disk", FILE_WRITE_ONLY, 0, &first) == 0);
    KTEST_EXPECT(run, file_open(root, "disk", FILE_READ_WRITE, 0, &second) == 0);
    KTEST_EXPECT(run, mount_begin_claim(&claim, disk) == -EBUSY);
    file_put(first);
    KTEST_EXPECT(run, mount_add("fat32", disk, "/", "", &problem) == -EBUSY);
    file_put(second);
    if (!KTEST_EXPECT(run, mount_begin_claim(&claim, disk) == 0))
        return;
    KTEST_EXPECT(run, file_open(root, "disk", FILE_WRITE_ONLY, 0, &first) == -EBUSY);
    if (KTEST_EXPECT(run, file_open(root, "disk", FILE_READ_ONLY, 0, &first) == 0))
        file_put(first);
    mount_end_claim(&claim);
}

static uint8_t medium_byte(struct ktest_run *run, const struct block_device *disk, unsigned at)
{
    static KSTATE uint8_t sector[HAL_SECTOR_SIZE];

    KTEST_EXPECT(run, block_read(disk, at / HAL_SECTOR_SIZE, sector, 1) == 0);
    return sector[at % HAL_SECTOR_SIZE];
}

/* What readers without a claim see is what others have put there last. */
static void read_what_others_write(struct ktest_run *run, struct file *reader,
                                   const struct block_device *disk)
{
    static KSTATE uint8_t sector[HAL_SECTOR_SIZE];
    struct mount_claim claim;
    char seen = 0;

    KTEST_EXPECT(run, file_read_at(reader, 510, &seen, 1) == 1 && seen == 'a');
    if (!KTEST_EXPECT(run, mount_begin_claim(&claim, disk) == 0))
        return;
    for (char c = 'x'; c <= 'z'; c++) {
        memset(sector, c, sizeof(sector));
        KTEST_EXPECT(run, block_write(disk, 0, sector, 1) == 0);
        if (c == 'z') /* nobody reads between this and the end of the claim */
            mount_end_claim(&claim);
        KTEST_EXPECT(run, file_read_at(reader, 510, &seen, 1) == 1 && seen == c);
    }
}

/* Pages of a disk: written back by fsync, by sync and by the last close; and never old. */
static void cache_disk(struct ktest_run *run, struct vnode *root, const struct block_device *disk)
{
    const unsigned last = 1u << 16;
    struct file *writer = NULL, *reader = NULL;
    char seen[4] = "";

    if (!KTEST_EXPECT(run, file_open(root, "disk", FILE_READ_WRITE, 0, &writer) == 0))
        return;
    KTEST_EXPECT(run, file_write_at(writer, 510, "abcd", 4) == 4);
    KTEST_EXPECT(run, file_read_at(writer, 510, seen, 4) == 4 && memcmp(seen, "abcd", 4) == 0);
    KTEST_EXPECT(run, file_sync(writer) == 0);
    KTEST_EXPECT(run, medium_byte(run, disk, 511) == 'b' && medium_byte(run, disk, 512) == 'c');
    KTEST_EXPECT(run, file_write_at(writer, last - 2, "wxyz", 4) == 2);
    KTEST_EXPECT(run, file_write_at(writer, last, "z", 1) == -ENOSPC);
    KTEST_EXPECT(run, file_read_at(writer, last - 1, seen, 4) == 1 && seen[0] == 'x');
    KTEST_EXPECT(run, devfs_sync_disks() == 0);
    KTEST_EXPECT(run, medium_byte(run, disk, last - 1) == 'x');
    KTEST_EXPECT(run, file_write_at(writer, 5000, "q", 1) == 1);
    KTEST_EXPECT(run, file_open(root, "disk", FILE_READ_ONLY, 0, &reader) == 0);
    file_put(writer);
    KTEST_EXPECT(run, medium_byte(run, disk, 5000) == 'q');
    if (reader)
        read_what_others_write(run, reader, disk);
    file_put(reader);
}

void test_vfs_disks(struct ktest_run *run)
{
    struct vnode_attributes node = {.type = VNODE_BLOCK, .mode = 0600};
    const struct block_device *disk;
    const struct device *device;
    struct vnode *made = NULL;
    struct stage stage;

    KTEST_REQUIRE(run, block_ram_create(1u << 16, &disk) == 0);
    devfs_update_disks();
    device = device_named(disk->name, string_length(disk->name));
    if (KTEST_EXPECT(run, device != NULL) && build(run, &stage)) {
        node.device = device->number;
        if (KTEST_EXPECT(run, vfs_create(stage.root, "disk", &node, &made) == 0))
            write_to_disk(run, stage.root, disk);
        cache_disk(run, stage.root, disk);
        vnode_put(made);
        unbuild(run, &stage);
    }
    KTEST_EXPECT(run, block_remove(disk->name) == 0);
    devfs_update_disks();
}
