/* SPDX-License-Identifier: MIT */
/*
 * place.c: making the files of an archive.
 *
 * What an archive says of a file is its mode and owner, set as it is made, and its time, set when
 * its content is complete: of a directory, when all is unpacked.
 */
#include "fs/cpio/unpack.h"

#include "fs/vfs.h"
#include "heap/heap.h"
#include "lib/string.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define NS_PER_SECOND INT64_C(1000000000)

/* The first name of a file that has several. */
struct first_name {
    struct tree_node link;
    uint32_t key[4]; /* inode, major, minor, type */
    char path[];
};

struct timed_directory {
    struct list link;
    struct vnode *vnode;
    uint32_t mtime;
};

static int fail(struct cpio_unpacker *unpacker, int error)
{
    static const char room[] = "Make room, or use a smaller archive.";
    static const char look[] = "Look at what the archive holds: cpio -itv.";
    bool full = error == -ENOSPC || error == -ENOMEM;

    problem_set(unpacker->problem, full ? room : look,
                error == -ENOENT || error == -ENOTDIR ? "No directory for \"%.64s\" (error %d)."
                                                      : "Cannot make \"%.64s\" (error %d).",
                unpacker->name, -error);
    return error;
}

static uint32_t type_of(const struct cpio_unpacker *unpacker)
{
    return unpacker->header.mode & CPIO_TYPE;
}

static int64_t mtime_of(const struct cpio_unpacker *unpacker)
{
    return (int64_t)unpacker->header.mtime * NS_PER_SECOND;
}

/* ---- names of one file ---- */

static int compare_keys(const void *key, const struct tree_node *node)
{
    const uint32_t *a = key, *b = tree_entry(node, struct first_name, link)->key;

    for (unsigned i = 0; i < 4; i++) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}

static void fill_key(const struct cpio_unpacker *unpacker, uint32_t *key)
{
    key[0] = unpacker->header.inode;
    key[1] = unpacker->header.major;
    key[2] = unpacker->header.minor;
    key[3] = type_of(unpacker);
}

/* The name by which this file is there already, or NULL. */
static const char *find_first_name(const struct cpio_unpacker *unpacker)
{
    struct tree_node *found;
    uint32_t key[4];

    if (unpacker->header.links < 2)
        return NULL;
    fill_key(unpacker, key);
    found = tree_find(&unpacker->links, key, compare_keys);
    return found ? tree_entry(found, struct first_name, link)->path : NULL;
}

/* Remembers that this file is there. 0 or -ENOMEM. */
static int note_first_name(struct cpio_unpacker *unpacker)
{
    size_t n = string_length(unpacker->name) + 1;
    struct first_name *first;

    if (unpacker->header.links < 2)
        return 0;
    first = kmalloc(sizeof(*first) + n);
    if (!first)
        return -ENOMEM;
    fill_key(unpacker, first->key);
    memcpy(first->path, unpacker->name, n);
    tree_insert(&unpacker->links, &first->link, first->key, compare_keys);
    return 0;
}

void cpio_forget_links(struct cpio_unpacker *unpacker)
{
    tree_for_each_safe (node, &unpacker->links) {
        tree_remove(&unpacker->links, node);
        kfree(tree_entry(node, struct first_name, link));
    }
}

/* ---- one entry ---- */

static void fill_attributes(const struct cpio_unpacker *unpacker, enum vnode_type type,
                            struct vnode_attributes *attributes)
{
    const struct cpio_header *header = &unpacker->header;

    *attributes = (struct vnode_attributes){
        .type = type,
        .mode = header->mode & 07777,
        .uid = header->uid,
        .gid = header->gid,
        .device = DEVICE_NUMBER(header->device_major, header->device_minor),
        .modified = mtime_of(unpacker),
    };
}

static int set_attributes(struct cpio_unpacker *unpacker, struct vnode *vnode, unsigned which)
{
    struct vnode_attributes attributes;
    int error;

    fill_attributes(unpacker, vnode->attributes.type, &attributes);
    error = vfs_set_attributes(vnode, &attributes, which);
    /* A file system without owners or modes has what it has. */
    return error == -EPERM ? 0 : error;
}

/* Takes away what has the entry's name. */
static int clear_way(struct cpio_unpacker *unpacker)
{
    struct vnode *there;
    bool is_directory;
    int error = vfs_find(unpacker->base, unpacker->name, VFS_NO_FOLLOW, &there);

    if (error)
        return error == -ENOENT ? 0 : error;
    is_directory = there->attributes.type == VNODE_DIRECTORY;
    vnode_put(there);
    return is_directory ? vfs_rmdir(unpacker->base, unpacker->name)
                        : vfs_unlink(unpacker->base, unpacker->name);
}

/* Makes the file, with nothing in it. */
static int make(struct cpio_unpacker *unpacker, enum vnode_type type, struct vnode **made)
{
    struct vnode_attributes attributes;
    int error = clear_way(unpacker);

    fill_attributes(unpacker, type, &attributes);
    if (!error)
        error = vfs_create(unpacker->base, unpacker->name, &attributes, made);
    return error;
}

/* Writes the entry's data to the start of `vnode`. */
static int write_data(struct cpio_unpacker *unpacker, struct vnode *vnode)
{
    uint32_t size = unpacker->header.size, done = 0, sum = 0;

    while (done < size) {
        const uint8_t *part;
        int64_t n = cpio_read_part(unpacker, size - done, &part), written;

        if (n < 0)
            return (int)n;
        for (int64_t i = 0; i < n && unpacker->header.summed; i++)
            sum += part[i];
        written = vfs_write(vnode, done, part, (size_t)n);
        if (written != n)
            return fail(unpacker, written < 0 ? (int)written : -ENOSPC);
        done += (uint32_t)n;
    }
    unpacker->totals->bytes += size;
    if (unpacker->header.summed && size > 0 && sum != unpacker->header.sum) {
        problem_set(unpacker->problem, "Write the archive again.",
                    "The data of \"%.64s\" has another sum than its header says.", unpacker->name);
        return -EINVAL;
    }
    return 0;
}

/* Gives a file that was found or made its data and its time. Puts `vnode`. */
static int finish_file(struct cpio_unpacker *unpacker, struct vnode *vnode)
{
    int error = write_data(unpacker, vnode);

    if (!error && (error = set_attributes(unpacker, vnode, VNODE_SET_MODIFIED)))
        error = fail(unpacker, error);
    vnode_put(vnode);
    return error;
}

/* Another name of the file `first`; the last one comes with the data. */
static int place_link(struct cpio_unpacker *unpacker, const char *first)
{
    struct vnode *vnode = NULL;
    int error = 0;

    if (!string_equal(first, unpacker->name)) {
        error = clear_way(unpacker);
        if (!error)
            error = vfs_link(unpacker->base, first, unpacker->name);
    }
    if (!error)
        error = vfs_find(unpacker->base, unpacker->name, VFS_NO_FOLLOW, &vnode);
    if (!error && type_of(unpacker) == CPIO_FILE && unpacker->header.size > 0)
        error = vfs_truncate(vnode, 0);
    if (error) {
        vnode_put(vnode);
        return fail(unpacker, error);
    }
    if (type_of(unpacker) == CPIO_FILE)
        return finish_file(unpacker, vnode);
    vnode_put(vnode);
    return cpio_read(unpacker, NULL, unpacker->header.size);
}

static int place_file(struct cpio_unpacker *unpacker)
{
    struct vnode *vnode = NULL;
    int error = make(unpacker, VNODE_FILE, &vnode);

    if (!error)
        error = note_first_name(unpacker);
    if (error) {
        vnode_put(vnode);
        return fail(unpacker, error);
    }
    return finish_file(unpacker, vnode);
}

/* Devices and FIFOs: data would have no meaning. */
static int place_special(struct cpio_unpacker *unpacker, enum vnode_type type)
{
    struct vnode *vnode = NULL;
    int error = make(unpacker, type, &vnode);

    if (!error)
        error = note_first_name(unpacker);
    if (!error)
        error = set_attributes(unpacker, vnode, VNODE_SET_MODIFIED);
    vnode_put(vnode);
    return error ? fail(unpacker, error) : cpio_read(unpacker, NULL, unpacker->header.size);
}

static int place_symlink(struct cpio_unpacker *unpacker)
{
    uint32_t n = unpacker->header.size;
    struct vnode *vnode = NULL;
    int error;

    if (n == 0 || n >= VFS_PATH_MAX)
        return fail(unpacker, -EINVAL);
    error = cpio_read(unpacker, unpacker->text, n);
    if (error)
        return error;
    unpacker->text[n] = '\0';
    if (string_length(unpacker->text) != n)
        return fail(unpacker, -EINVAL);
    error = clear_way(unpacker);
    if (!error)
        error = vfs_symlink(unpacker->base, unpacker->name, unpacker->text);
    if (!error)
        error = note_first_name(unpacker);
    if (!error)
        error = vfs_find(unpacker->base, unpacker->name, VFS_NO_FOLLOW, &vnode);
    if (!error)
        error = set_attributes(unpacker, vnode, VNODE_SET_OWNER | VNODE_SET_MODIFIED);
    vnode_put(vnode);
    return error ? fail(unpacker, error) : 0;
}

/* ---- directories ---- */

/* Puts `vnode` on the list of those that get their time at the end. */
static int note_directory(struct cpio_unpacker *unpacker, struct vnode *vnode)
{
    struct timed_directory *timed = kmalloc(sizeof(*timed));

    if (!timed)
        return -ENOMEM;
    timed->vnode = vnode_get(vnode);
    timed->mtime = unpacker->header.mtime;
    list_add_tail(&unpacker->directories, &timed->link);
    return 0;
}

void cpio_set_times(struct cpio_unpacker *unpacker)
{
    struct list *link;

    while ((link = list_take_head(&unpacker->directories))) {
        struct timed_directory *timed = list_entry(link, struct timed_directory, link);
        struct vnode_attributes attributes = {.modified = (int64_t)timed->mtime * NS_PER_SECOND};

        /* The time of a directory is not worth failing for. */
        (void)!vfs_set_attributes(timed->vnode, &attributes, VNODE_SET_MODIFIED);
        vnode_put(timed->vnode);
        kfree(timed);
    }
}

/* The directory of that name that is there already, or -ENOENT. */
static int find_directory(struct cpio_unpacker *unpacker, struct vnode **found)
{
    int error =
        vfs_find(unpacker->base, unpacker->name[0] ? unpacker->name : ".", VFS_NO_FOLLOW, found);

    if (!error && (*found)->attributes.type != VNODE_DIRECTORY) {
        vnode_put(*found);
        *found = NULL;
        error = -ENOENT;
    }
    return error;
}

static int place_directory(struct cpio_unpacker *unpacker)
{
    struct vnode *vnode = NULL;
    int error = find_directory(unpacker, &vnode);

    if (!error)
        error = set_attributes(unpacker, vnode, VNODE_SET_MODE | VNODE_SET_OWNER);
    else if (error == -ENOENT)
        error = make(unpacker, VNODE_DIRECTORY, &vnode);
    if (!error)
        error = note_directory(unpacker, vnode);
    vnode_put(vnode);
    return error ? fail(unpacker, error) : cpio_read(unpacker, NULL, unpacker->header.size);
}

static int place_by_type(struct cpio_unpacker *unpacker)
{
    const char *first = find_first_name(unpacker);

    if (type_of(unpacker) == CPIO_DIRECTORY)
        return place_directory(unpacker);
    if (unpacker->name[0] == '\0')
        return fail(unpacker, -EINVAL); /* the root is a directory */
    if (first)
        return place_link(unpacker, first);
    switch (type_of(unpacker)) {
    case CPIO_FILE:
        return place_file(unpacker);
    case CPIO_SYMLINK:
        return place_symlink(unpacker);
    case CPIO_FIFO:
        return place_special(unpacker, VNODE_FIFO);
    case CPIO_CHARACTER:
        return place_special(unpacker, VNODE_CHARACTER);
    case CPIO_BLOCK:
        return place_special(unpacker, VNODE_BLOCK);
    default: /* sockets, and what nobody knows */
        return fail(unpacker, -EINVAL);
    }
}

int cpio_place(struct cpio_unpacker *unpacker)
{
    int error = place_by_type(unpacker);

    if (!error)
        error = cpio_read(unpacker, NULL, (4 - unpacker->header.size % 4) % 4);
    unpacker->totals->entries += !error;
    return error;
}
