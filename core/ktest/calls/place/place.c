/* SPDX-License-Identifier: MIT */
/*
 * place.c: where players play: a ramfs with files, links, devices, and a disk with a volume.
 */
#include "ktest/calls/calls.h"

#include "abi/abi.h"
#include "block/disks/ram.h"
#include "fs/devfs/devfs.h"
#include "fs/file.h"
#include "fs/mkfs/mkfs.h"
#include "fs/mount.h"
#include "fs/vfs.h"
#include "lib/bytes.h"
#include "lib/string.h"
#include "thread/thread.h"
#include "tty/tty.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define DISK_BYTES (1u << 20)
#define PAUSE_NS 1000000u
#define PAUSES 1000u

/* ---- files ---- */

static int put_file(struct vnode *root, const char *path, unsigned mode, const void *bytes,
                    size_t n)
{
    struct file *file;
    int error = file_open(root, path, FILE_WRITE_ONLY | FILE_CREATE, mode, &file);
    int64_t done;

    if (error)
        return error;
    done = file_write(file, bytes, n);
    file_put(file);
    return done == (int64_t)n ? 0 : -EIO;
}

/* The device that is called `path` gets another name, in the scene, where it may be removed. */
static int put_device(struct vnode *root, const char *path, const char *name)
{
    struct vnode_attributes attributes;
    struct vnode *vnode, *created;
    int error = vfs_find(NULL, path, 0, &vnode);

    if (error)
        return error;
    vfs_attributes(vnode, &attributes);
    vnode_put(vnode);
    error = vfs_create(root, name, &attributes, &created);
    if (!error)
        vnode_put(created);
    return error;
}

static int put_devices(struct vnode *root)
{
    static const char *const names[][2] = {
        {"/dev/null", "null"},     {"/dev/zero", "zero"},      {"/dev/full", "full"},
        {"/dev/random", "chance"}, {"/dev/gpiochip0", "pins"},
    };
    int error = 0;

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]) && !error; i++)
        error = put_device(root, names[i][0], names[i][1]);
    return error;
}

/* A program as small as one can be: a header, one segment, and exit(0). */
static int put_program(struct vnode *root)
{
    enum { HEADER = 64, SEGMENT = 56, START = HEADER + SEGMENT, AT = 0x30000000 };
    uint8_t bytes[START + 16] = "\177ELF\2\1\1", *segment = bytes + HEADER;
    size_t n;
    const uint8_t *code = calls_code(&n);

    put_le16(bytes + 16, 2);
    put_le16(bytes + 18, abi_elf_machine);
    put_le32(bytes + 20, 1);
    put_le64(bytes + 24, AT + START);
    put_le64(bytes + 32, HEADER);
    put_le16(bytes + 52, HEADER);
    put_le16(bytes + 54, SEGMENT);
    put_le16(bytes + 56, 1);
    put_le32(segment, 1);
    put_le32(segment + 4, 5);
    put_le64(segment + 16, AT);
    put_le64(segment + 24, AT);
    put_le64(segment + 32, START + n);
    put_le64(segment + 40, START + n);
    put_le64(segment + 48, HAL_PAGE_SIZE);
    memcpy(bytes + START, code, n);
    return put_file(root, "prog", 0755, bytes, START + n);
}

static int put_files(struct vnode *root)
{
    static const char words[] = "some bytes to be read, written over, and mapped\n";
    static const char script[] = "#!prog argument\n";
    static const struct {
        const char *path;
        unsigned mode;
        const void *bytes;
        size_t n;
    } files[] = {{"f0", 0644, words, sizeof(words)},
                 {"f1", 0644, words, sizeof(words)},
                 {"script", 0755, script, sizeof(script) - 1},
                 {"garbage", 0755, "\177ELF\2\1\1", 7},
                 {"d/f4", 0600, words, sizeof(words)}};
    int error = 0;

    for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]) && !error; i++)
        error = put_file(root, files[i].path, files[i].mode, files[i].bytes, files[i].n);
    return error ? error : put_program(root);
}

static int furnish(struct vnode *root)
{
    int error = vfs_mkdir(root, "d", 0755);

    if (!error)
        error = vfs_mkdir(root, "d/e", 0755);
    if (!error)
        error = put_files(root);
    if (!error)
        error = put_devices(root);
    if (!error)
        error = vfs_symlink(root, "link", "d/f4");
    if (!error)
        error = vfs_symlink(root, "loop", "d/up");
    return error ? error : vfs_symlink(root, "d/up", "../loop");
}

/* ---- the disk ---- */

static int write_disk(void *context, uint64_t sector, const void *data, unsigned count)
{
    return block_write(context, sector, data, count);
}

static bool add_disk(struct ktest_run *run, struct calls_scene *scene)
{
    struct mkfs_options options = {.cluster_bytes = 512, .write = write_disk};
    struct mkfs_result result;

    if (block_ram_create(DISK_BYTES, &scene->disk)) {
        scene->disk = NULL;
        run->skipped = "no room for a RAM disk";
        return false;
    }
    options.sectors = scene->disk->sectors;
    options.context = (void *)scene->disk;
    devfs_update_disks();
    return KTEST_EXPECT(run, fat_format(&options, &result) == 0) &&
           KTEST_EXPECT(run, put_device(scene->root, CALLS_DISK_PATH, "disk") == 0);
}

static int remove_disk(struct calls_scene *scene)
{
    int error = scene->disk ? block_remove(scene->disk->name) : 0;

    if (!error && scene->disk)
        devfs_update_disks();
    if (!error)
        scene->disk = NULL;
    return error;
}

/* ---- the terminal ---- */

static void read_terminal(struct calls_scene *scene)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);

    scene->settings = tty.discipline.settings;
    scene->window = tty.window;
    spinlock_release(&tty.lock, irq);
}

static void restore_terminal(struct calls_scene *scene)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);
    uint32_t stop;

    discipline_set(&tty.discipline, &scene->settings);
    tty.window = scene->window;
    stop = tty_resume();
    spinlock_release(&tty.lock, irq);
    tty_cancel(stop);
}

void calls_keep_terminal(void)
{
    hal_irq_state_t irq = spinlock_acquire(&tty.lock);

    discipline_start(&tty.discipline);
    tty_send_queued();
    spinlock_release(&tty.lock, irq);
}

/* ---- mounts ---- */

static unsigned count_mounts(void)
{
    unsigned count = 0;
    struct vnode *root;
    char path[64];

    while (mount_at(count, &root, path, sizeof(path))) {
        vnode_put(root);
        count++;
    }
    return count;
}

/* Mounts the scene's ramfs; /proc stays where it is, too. */
static bool mount_place(struct calls_scene *scene)
{
    static const char *const places[] = {"/", "/tmp", "/docs", "/card/docs"};
    struct problem problem;
    unsigned i = 0;

    while (i < sizeof(places) / sizeof(places[0]) &&
           mount_add("ramfs", NULL, places[i], "", &problem) != 0)
        i++;
    if (i == sizeof(places) / sizeof(places[0]))
        return false;
    scene->path = places[i];
    scene->mounts = count_mounts();
    if (vfs_find(NULL, "/proc", 0, &scene->processes))
        scene->processes = NULL;
    return true;
}

/* ---- all of it ---- */

bool calls_build(struct ktest_run *run, struct calls_scene *scene)
{
    tty_drain();
    read_terminal(scene);
    if (!mount_place(scene)) {
        run->skipped = "no folder to mount on";
        return false;
    }
    return KTEST_EXPECT(run, vfs_find(NULL, scene->path, 0, &scene->root) == 0) &&
           KTEST_EXPECT(run, furnish(scene->root) == 0) && (!scene->rich || add_disk(run, scene));
}

/* Where the last mount is that a player has made, and not taken away: false if there is none. */
static bool find_made(struct calls_scene *scene)
{
    unsigned count = count_mounts();
    struct vnode *root;

    if (count <= scene->mounts || !mount_at(count - 1, &root, scene->text, sizeof(scene->text)))
        return false;
    vnode_put(root);
    return true;
}

static int remove_all(struct calls_scene *scene)
{
    int error = 0;

    while (!error && find_made(scene))
        error = mount_remove(scene->text);
    if (!error)
        error = remove_disk(scene);
    return error ? error : mount_remove(scene->path);
}

static void say_mounts(const struct calls_scene *scene, int error)
{
    char path[64];
    struct vnode *root;

    tty_print("# %s is not unmounted: error %d\n", scene->path, -error);
    for (unsigned i = 0; mount_at(i, &root, path, sizeof(path)); i++) {
        tty_print("# mounted: %s at %s, %u references\n", root->mount->type->name, path,
                  root->references);
        vnode_put(root);
    }
}

/* Vnodes go when the last threads have given up what they had: soon. */
bool calls_unbuild(struct calls_scene *scene)
{
    int error = -EBUSY;

    restore_terminal(scene);
    vnode_put(scene->root);
    scene->root = NULL;
    vnode_put(scene->processes);
    scene->processes = NULL;
    for (unsigned i = 0; i < PAUSES && error; i++) {
        error = remove_all(scene);
        if (error)
            (void)thread_sleep(PAUSE_NS);
    }
    if (error)
        say_mounts(scene, error);
    return error == 0;
}
