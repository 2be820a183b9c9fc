/* SPDX-License-Identifier: MIT */
/*
 * foreign.c: files of the host put on a volume by the driver, and what the driver reads there.
 *
 *     foreign IMAGE put LIST     a line each: "d<TAB>PATH", "f<TAB>PATH<TAB>FILE OF THE HOST",
 *                                "z<TAB>PATH<TAB>SIZE" (that many zeros)
 *     foreign IMAGE get          prints "d<TAB>PATH" and "f<TAB>PATH<TAB>SIZE<TAB>CRC-32"
 *     foreign IMAGE fill PATH    makes files in the directory until it is full, and says how many
 *
 * The image is mapped into memory, so it may be sparse, and stays so: zeros that are written
 * make no pages.
 */
#define _GNU_SOURCE
#include "../unit/fake_hal.h"

#include "block/block.h"
#include "fs/fat32/fat32.h"
#include "fs/fat32/write/write.h"
#include "lib/log.h"

#include <hal/errno.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define RAM_BYTES (96u << 20)
#define PIECE 65536u
#define HOST_PAGE 4096u

static uint8_t *card;
static struct vnode *root;

static _Noreturn void fail(const char *what, const char *path, int64_t error)
{
    fprintf(stderr, "%s: %s: error %lld\n%s\n", path, what, (long long)-error, fake.console);
    exit(1);
}

static struct fat32_node *node_of(struct vnode *vnode)
{
    return (struct fat32_node *)((char *)vnode - offsetof(struct fat32_node, vnode));
}

static void lock(void)
{
    mutex_lock(&node_of(root)->volume->mutex);
}

static void unlock(void)
{
    mutex_unlock(&node_of(root)->volume->mutex);
}

/* ---- the card ---- */

/* A byte for each page of the host that the image has; the others are holes, which read as zeros.
 */
static uint8_t *pages;

static void find_pages(int file, off_t end)
{
    off_t at = 0, hole;

    pages = calloc((size_t)end / HOST_PAGE + 1, 1);
    if (!pages)
        exit(2);
    while ((at = lseek(file, at, SEEK_DATA)) >= 0 && at < end) {
        hole = lseek(file, at, SEEK_HOLE);
        for (; at < hole; at = (at / HOST_PAGE + 1) * HOST_PAGE)
            pages[at / HOST_PAGE] = 1;
    }
}

/* Zeros leave a hole as it is. */
static void write_card(uint64_t sector, const void *data, uint32_t sectors)
{
    uint64_t at = sector * HAL_SECTOR_SIZE, end = at + (uint64_t)sectors * HAL_SECTOR_SIZE;
    const uint8_t *from = data;

    while (at < end) {
        size_t room = HOST_PAGE - at % HOST_PAGE, n = room < end - at ? room : (size_t)(end - at);
        uint8_t *page = &pages[at / HOST_PAGE];

        if (*page || from[0] != 0 || memcmp(from, from + 1, n - 1) != 0) {
            *page = 1;
            memcpy(card + at, from, n);
        }
        at += n;
        from += n;
    }
}

static void mount_image(const char *path)
{
    struct problem problem;
    struct stat status;
    int file = open(path, O_RDWR), error;

    if (file < 0 || fstat(file, &status))
        fail("cannot be opened", path, 0);
    card = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE,
                file, 0);
    if (card == MAP_FAILED)
        fail("cannot be mapped", path, 0);
    find_pages(file, status.st_size);
    fake_kernel_start_with(RAM_BYTES, "checks=0");
    fake.card = fake.card_store = card;
    fake.card_sectors = (uint64_t)status.st_size / HAL_SECTOR_SIZE;
    fake.card_write = write_card;
    if (block_start())
        fail("no device", path, 0);
    error = fat32_mount(block_card(), &root, &problem);
    if (error)
        fail(problem.what, path, error);
}

/* ---- paths ---- */

static int lookup(const char *path, size_t length, struct vnode **found)
{
    struct vnode *vnode = vnode_get(root);
    const char *end = path + length;
    int error = 0;

    while (path < end && !error) {
        size_t n = strcspn(path + 1, "/");
        struct vnode *next = NULL;

        if (path + 1 + n > end)
            n = (size_t)(end - path - 1);
        error = vnode->ops->lookup(vnode, path + 1, n, &next);
        vnode_put(vnode);
        vnode = next;
        path += 1 + n;
    }
    *found = vnode;
    return error;
}

static int create(const char *path, bool directory)
{
    const char *name = strrchr(path, '/') + 1;
    struct fat32_node *node = NULL;
    struct vnode *parent = NULL;
    int error = lookup(path, (size_t)(name - 1 - path), &parent);

    if (error)
        return error;
    lock();
    error = fat32_create(node_of(parent), name, strlen(name), directory, &node);
    unlock();
    if (node)
        vnode_put(&node->vnode);
    vnode_put(parent);
    return error;
}

/* ---- putting ---- */

static void put_file(const char *path, const char *source)
{
    static uint8_t data[PIECE];
    struct vnode *vnode = NULL;
    FILE *file = fopen(source, "rb");
    uint64_t offset = 0;
    size_t n;

    if (!file)
        fail("cannot be opened", source, 0);
    if (lookup(path, strlen(path), &vnode))
        fail("is gone", path, 0);
    while ((n = fread(data, 1, sizeof data, file)) > 0) {
        int64_t written;

        lock();
        written = fat32_write(node_of(vnode), offset, data, n);
        unlock();
        if (written != (int64_t)n)
            fail("cannot be written", path, written);
        offset += n;
    }
    fclose(file);
    vnode_put(vnode);
}

static void put_zeros(const char *path, uint64_t size)
{
    struct vnode *vnode = NULL;
    int error = lookup(path, strlen(path), &vnode);

    lock();
    if (!error)
        error = fat32_truncate(node_of(vnode), size);
    unlock();
    if (error)
        fail("cannot be made so long", path, error);
    vnode_put(vnode);
}

static void put(const char *list)
{
    static char line[16384];
    FILE *file = fopen(list, "r");

    if (!file)
        fail("cannot be opened", list, 0);
    while (fgets(line, sizeof line, file)) {
        char *path = line + 2, *rest;
        int error;

        line[strcspn(line, "\n")] = '\0';
        rest = strchr(path, '\t');
        if (rest)
            *rest++ = '\0';
        error = create(path, line[0] == 'd');
        if (error)
            fail("cannot be made", path, error);
        if (line[0] == 'f')
            put_file(path, rest);
        if (line[0] == 'z')
            put_zeros(path, strtoull(rest, NULL, 0));
    }
    fclose(file);
}

static void fill(const char *path)
{
    struct vnode *directory = NULL; /* held, so that what is known of its names stays */
    unsigned count = 0;
    char name[4200];
    int error = lookup(path, strlen(path), &directory);

    if (error)
        fail("is not there", path, error);
    do {
        snprintf(name, sizeof name, "%s/F%07u", path, count);
        error = create(name, false);
        count += error == 0;
    } while (!error);
    if (error != -ENOSPC)
        fail("cannot be made", name, error);
    vnode_put(directory);
    printf("%u\n", count);
}

/* ---- getting ---- */

static uint32_t crc_table[256];

static void make_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;

        for (unsigned bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ 0xEDB88320u : value >> 1;
        crc_table[i] = value;
    }
}

static uint32_t sum_file(struct vnode *vnode, const char *path)
{
    static uint8_t data[PIECE];
    uint64_t offset = 0;
    uint32_t crc = UINT32_MAX;

    while (offset < vnode->attributes.size) {
        int64_t n = vnode->ops->read(vnode, offset, data, sizeof data);

        if (n <= 0)
            fail("cannot be read", path, n);
        for (int64_t i = 0; i < n; i++)
            crc = crc >> 8 ^ crc_table[(crc ^ data[i]) & 0xFF];
        offset += (uint64_t)n;
    }
    return ~crc;
}

static void get(struct vnode *directory, const char *path)
{
    struct directory_entry entry;
    uint64_t position = 0;
    int error;

    while ((error = directory->ops->iterate(directory, &position, &entry)) == 0) {
        struct vnode *vnode = NULL;
        char *name = NULL;

        if (asprintf(&name, "%s/%s", path, entry.name) < 0)
            exit(2);
        if (directory->ops->lookup(directory, entry.name, strlen(entry.name), &vnode))
            fail("is listed, and not found", name, 0);
        if (entry.attributes.type == VNODE_DIRECTORY) {
            printf("d\t%s\n", name);
            get(vnode, name);
        } else {
            printf("f\t%s\t%llu\t%08x\n", name, (unsigned long long)vnode->attributes.size,
                   sum_file(vnode, name));
        }
        vnode_put(vnode);
        free(name);
    }
    if (error != -ENOENT)
        fail("cannot be listed", path, error);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    mount_image(argv[1]);
    make_table();
    if (strcmp(argv[2], "put") == 0 && argc == 4)
        put(argv[3]);
    else if (strcmp(argv[2], "fill") == 0 && argc == 4)
        fill(argv[3]);
    else if (strcmp(argv[2], "get") == 0)
        get(root, "");
    else
        return 2;
    vnode_put(root);
    return 0;
}
