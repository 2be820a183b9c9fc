/* SPDX-License-Identifier: MIT */
/*
 * use.c: cards of image.h in use, in tests.
 */
#include "image.h"

#include "../fake_hal.h"

#include <hal/errno.h>

#include "../../marks.h"
#include <string.h>

#define RAM_BYTES (2u << 20)

int image_mount(struct image *image)
{
    fake_kernel_start(RAM_BYTES);
    fake.card = image->bytes;
    fake.card_sectors = image->size / IMAGE_SECTOR;
    return vfs_mount_root();
}

struct vnode *image_open(const char *path)
{
    struct vnode *vnode = NULL;
    int error = vfs_find(NULL, path, 0, &vnode);

    ck_assert_msg(error == 0, "%s: error %d", path, error);
    return vnode;
}

int image_list(const char *path, char *text, size_t size)
{
    struct vnode *directory = image_open(path);
    struct directory_entry entry;
    uint64_t position = 0;
    int error;

    text[0] = '\0';
    while ((error = vfs_iterate(directory, &position, &entry)) == 0) {
        ck_assert(strlen(text) + strlen(entry.name) + 2 < size);
        strcat(text, entry.name);
        strcat(text, "\n");
    }
    vnode_put(directory);
    return error == -ENOENT ? 0 : error;
}
