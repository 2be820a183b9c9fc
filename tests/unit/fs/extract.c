/* SPDX-License-Identifier: MIT */
/*
 * extract.c: copies everything on a card image into a directory of the host, by way of core's
 * FAT32.
 *
 *     fs-extract IMAGE DIRECTORY
 *
 * writes each file below DIRECTORY, and a line for it to standard output:
 * size, time of change, attribute letters (or "-"), path, parted by tabs. test_tree.py
 * compares both with what is meant to be on the card.
 */
#include "../fake_hal.h"

#include "dev/clock.h"
#include "fs/root/root.h"
#include "fs/vfs.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 100003u /* not a multiple of anything, so that reads begin everywhere */

static const char *target;

static void fail(const char *path, long error)
{
    fprintf(stderr, "fs-extract: %s: error %ld\n", path, error);
    exit(EXIT_FAILURE);
}

static void host_path(char *to, size_t size, const char *path)
{
    if ((size_t)snprintf(to, size, "%s%s", target, path) >= size)
        fail(path, 0);
}

static void print_entry(const char *path, const struct vnode_attributes *attributes)
{
    char letters[4] = "";

    if (attributes->hidden)
        strcat(letters, "h");
    if (attributes->read_only)
        strcat(letters, "r");
    if (attributes->system)
        strcat(letters, "s");
    printf("%llu\t%lld\t%s\t%s\n", (unsigned long long)attributes->size,
           (long long)(attributes->modified / WALL_NS), letters[0] ? letters : "-", path);
}

static void extract_file(const char *path, struct vnode *file)
{
    static uint8_t data[PIECE];
    char to[2 * VFS_PATH_MAX];
    uint64_t offset = 0;
    int64_t got;
    FILE *out;

    host_path(to, sizeof to, path);
    out = fopen(to, "wb");
    if (!out)
        fail(to, 0);
    while ((got = vfs_read(file, offset, data, sizeof data)) > 0) {
        if (fwrite(data, 1, (size_t)got, out) != (size_t)got)
            fail(to, 0);
        offset += (uint64_t)got;
    }
    if (got < 0 || fclose(out))
        fail(path, (long)got);
    print_entry(path, &file->attributes);
}

static void extract_directory(const char *path, struct vnode *directory)
{
    struct directory_entry *entry = malloc(sizeof *entry);
    char below[VFS_PATH_MAX], to[2 * VFS_PATH_MAX];
    uint64_t position = 0;

    host_path(to, sizeof to, path);
    mkdir(to, 0777);
    while (vfs_iterate(directory, &position, entry) == 0) {
        struct vnode *vnode = NULL;
        int error;

        snprintf(below, sizeof below, "%s/%s", path, entry->name);
        error = vfs_find(NULL, below, 0, &vnode);
        if (error)
            fail(below, error);
        if (vnode->attributes.type == VNODE_DIRECTORY)
            extract_directory(below, vnode);
        else
            extract_file(below, vnode);
        vnode_put(vnode);
    }
    free(entry);
}

int main(int argc, char **argv)
{
    struct vnode *root = NULL;
    struct stat status;
    int fd;

    if (argc != 3)
        return EXIT_FAILURE;
    target = argv[2];
    fd = open(argv[1], O_RDONLY);
    if (fd < 0 || fstat(fd, &status))
        fail(argv[1], 0);
    fake_kernel_start(8u << 20);
    fake.card_sectors = (uint64_t)status.st_size / HAL_SECTOR_SIZE;
    fake.card = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fake.card == MAP_FAILED || vfs_mount_root() || vfs_find(NULL, "/", 0, &root)) {
        fprintf(stderr, "fs-extract: %s: %s\n", argv[1], vfs_mount_problem());
        return EXIT_FAILURE;
    }
    extract_directory("", root);
    vnode_put(root);
    vfs_unmount_root();
    free(fake.ram);
    return EXIT_SUCCESS;
}
