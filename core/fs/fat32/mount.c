/* SPDX-License-Identifier: MIT */
/*
 * mount.c: from a device to the root directory of the volume on it.
 */
#include "fs/fat32/fat32.h"

#include "fs/fat32/volume.h"
#include "fs/fat32/write/write.h"
#include "lib/format.h"
#include "lib/log.h"
#include "heap/cache.h"
#include "heap/heap.h"

#include <hal/block.h>
#include <hal/errno.h>
#include <hal/runtime.h>

#define COMPLAINTS_MAX 8u
#define TABLE_CLEAN 0x08000000u /* in entry 1 of the FAT: it was unmounted properly */
#define FIRST_ENTRY 0x0FFFFF00u /* and the media byte */
#define LINK_FREE 0u
#define LINK_BAD 0x0FFFFFF7u

void fat32_complain(struct fat32_volume *volume, const char *format, ...)
{
    char text[KLOG_TEXT_MAX];
    va_list args;

    if (volume->complaints >= COMPLAINTS_MAX)
        return;
    volume->complaints++;
    va_start(args, format);
    format_text_va(text, sizeof(text), format, args);
    va_end(args);
    klog(KLOG_NOTICE, "%s: %s", volume->device.name, text);
    if (volume->complaints == COMPLAINTS_MAX)
        klog(KLOG_NOTICE, "%s: no more damage is reported", volume->device.name);
}

/** When memory is short: what the cache and indexes hold, unless somebody is using them. */
static size_t reclaim(void *context, size_t frames)
{
    struct fat32_volume *volume = context;
    size_t given = 0;

    if (mutex_trylock(&volume->mutex)) {
        given = fat32_cache_reclaim(&volume->cache, frames);
        if (given < frames)
            given += fat32_index_reclaim(volume, frames - given);
        mutex_unlock(&volume->mutex);
    }
    return given;
}

int fat32_volume_destroy(struct fat32_volume *volume)
{
    int error;

    cache_object_finish(&volume->later);
    mutex_lock(&volume->mutex);
    error = fat32_writer_stop(volume, true);
    mutex_unlock(&volume->mutex);
    reclaim_unregister(&volume->reclaimer);
    fat32_cache_finish(&volume->cache);
    object_cache_destroy(volume->nodes);
    kfree(volume);
    return error;
}

static int read_boot_sector(struct fat32_volume *volume, uint64_t sector, struct problem *problem)
{
    const uint8_t *data;
    size_t available;
    int error = fat32_cache_get(&volume->cache, sector * HAL_SECTOR_SIZE, &data, &available);

    if (error) {
        problem_set(problem, problem_write_again,
                    "The boot sector of the file system cannot be read (error %d).", -error);
        return error;
    }
    return fat32_geometry_parse(data, volume->device.sectors, &volume->geometry, problem);
}

/**
 * Reads the boot sector, or, if that is unreadable or insane, its copy: sector 6 in the volume's
 * own sectors, whose size is not known then, so each is tried and has to agree with itself.
 */
static int find_geometry(struct fat32_volume *volume, struct problem *problem)
{
    struct problem ignored;
    int error = read_boot_sector(volume, 0, problem);

    if (error != -EINVAL && error != -EIO)
        return error;
    for (uint32_t bytes = 512; bytes <= 4096; bytes *= 2) {
        uint64_t sector = (uint64_t)FAT32_BACKUP_SECTOR * bytes / HAL_SECTOR_SIZE;

        if (read_boot_sector(volume, sector, &ignored) == 0 &&
            volume->geometry.sector_bytes == bytes) {
            klog(KLOG_WARNING, "%s: the boot sector is damaged; using its copy at sector %llu",
                 volume->device.name, (unsigned long long)sector);
            volume->geometry.spare = true;
            return 0;
        }
    }
    return error;
}

/**
 * Looks at the FAT's first entry, which never changes. It is in the sector that is written most
 * often, so this finds out that the power went in the middle of it. Then the copy is read instead,
 * if that is better.
 */
static int check_first(struct fat32_volume *volume)
{
    struct fat32_geometry *geometry = &volume->geometry;
    uint64_t fat = geometry->fat_start;
    uint32_t right = FIRST_ENTRY | geometry->media, first = right;
    int error = fat32_table_get(volume, 0, &first);

    if (error || first == right)
        return error;
    geometry->torn = true;
    if (geometry->fat_spare) {
        geometry->fat_start = geometry->fat_spare;
        if (fat32_table_get(volume, 0, &first) || first != right)
            geometry->fat_start = fat;
    }
    klog(KLOG_WARNING, "%s: the FAT is damaged where it begins; %s", volume->device.name,
         geometry->fat_start == fat ? "there is no copy that is better" : "using its copy");
    return 0;
}

/** Looks at the first entries of the FAT and at the root's. */
static int check_table(struct fat32_volume *volume, struct problem *problem)
{
    uint32_t state = 0, root = 0;
    int error = check_first(volume);

    if (!error)
        error = fat32_table_get(volume, 1, &state);
    if (!error)
        error = fat32_table_get(volume, volume->geometry.root_cluster, &root);
    if (error) {
        problem_set(problem, problem_write_again,
                    "The file allocation table cannot be read (error %d).", -error);
        return error;
    }
    if (root == LINK_FREE || root == LINK_BAD) {
        problem_set(problem, problem_write_again,
                    "The file system is damaged: its root directory, cluster %u, is marked as %s.",
                    volume->geometry.root_cluster, root == LINK_FREE ? "free" : "bad");
        return -EINVAL;
    }
    if (!(state & TABLE_CLEAN))
        volume->geometry.dirty = true;
    return 0;
}

static void report(const struct fat32_volume *volume)
{
    const struct fat32_geometry *geometry = &volume->geometry;
    uint64_t kib = ((uint64_t)geometry->clusters << geometry->cluster_shift) / 1024;

    klog(KLOG_INFO, "%s: FAT32 %08x, %llu KiB in %u clusters of %u bytes", volume->device.name,
         geometry->volume_id, (unsigned long long)kib, geometry->clusters,
         1u << geometry->cluster_shift);
    if (geometry->dirty)
        klog(KLOG_NOTICE, "%s: was not unmounted properly; some files may be damaged",
             volume->device.name);
    if (geometry->clamped)
        klog(KLOG_WARNING, "%s: the FAT is too small for the volume; its end is out of reach",
             volume->device.name);
    if (!fat32_may_be_written(volume) && !volume->options.read_only)
        klog(KLOG_NOTICE, "%s: is mounted read-only", volume->device.name);
}

/* What is odd about a volume is left as it is. */
bool fat32_may_be_written(const struct fat32_volume *volume)
{
    const struct fat32_geometry *geometry = &volume->geometry;

    return !volume->device.read_only && !geometry->clamped && !geometry->spare && !geometry->torn &&
           geometry->fats <= FAT32_FATS_MAX;
}

/** A volume of which nothing has been read yet. */
static struct fat32_volume *allocate(const struct block_device *device,
                                     const struct fat32_options *options, struct mount *mount)
{
    struct fat32_volume *volume = kcalloc(1, sizeof(*volume));

    if (!volume)
        return NULL;
    volume->nodes = object_cache_create("fat32 nodes", sizeof(struct fat32_node), 0, NULL);
    if (!volume->nodes) {
        kfree(volume);
        return NULL;
    }
    volume->mount = mount;
    volume->options = *options;
    volume->device = *device;
    volume->cache.device = &volume->device;
    mutex_init(&volume->mutex);
    condition_init(&volume->released, &volume->mutex);
    fat32_later_init(volume);
    tree_init(&volume->open);
    list_init(&volume->indexes);
    volume->reclaimer = (struct reclaimer){.name = "fat32", .reclaim = reclaim, .context = volume};
    reclaim_register(&volume->reclaimer);
    return volume;
}

static int make_root(struct fat32_volume *volume)
{
    struct vnode_attributes attributes = {.type = VNODE_DIRECTORY, .links = 1, .id = FAT32_ROOT_ID};
    struct fat32_node *node;

    fat32_permit(volume, &attributes);
    node = fat32_node_create(volume, NULL, volume->geometry.root_cluster, &attributes);
    if (!node)
        return -ENOMEM;
    fat32_node_measure(node);
    volume->root = &node->vnode;
    return 0;
}

static int open_volume(struct fat32_volume *volume, struct problem *problem)
{
    int error;

    mutex_lock(&volume->mutex);
    error = find_geometry(volume, problem);
    if (!error)
        error = check_table(volume, problem);
    if (!error)
        error = make_root(volume);
    if (!error)
        report(volume);
    if (!error && !volume->options.read_only && fat32_may_be_written(volume))
        (void)fat32_writer_start(volume); /* if that fails it is read-only, and says so */
    mutex_unlock(&volume->mutex);
    return error;
}

int fat32_volume_create(const struct block_device *device, const struct fat32_options *options,
                        struct mount *mount, struct fat32_volume **created, struct problem *problem)
{
    struct fat32_volume *volume = allocate(device, options, mount);
    int error = volume ? open_volume(volume, problem) : -ENOMEM;

    if (error && volume)
        (void)fat32_volume_destroy(volume); /* nothing has been written */
    if (error == -ENOMEM)
        problem_set(problem, "Give the machine more memory.",
                    "Out of memory: no room to mount the card.");
    if (!error)
        *created = volume;
    return error;
}

int fat32_mount(const struct block_device *device, struct vnode **root, struct problem *problem)
{
    struct fat32_options options;
    struct fat32_volume *volume;
    int error;

    problem_clear(problem);
    fat32_options_usual(&options);
    error = fat32_volume_create(device, &options, NULL, &volume, problem);
    if (!error)
        *root = volume->root;
    return error;
}
