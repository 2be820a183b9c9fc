/* SPDX-License-Identifier: MIT */
/*
 * copy.c: sendfile and copy_file_range: bytes go from file to file, and the program never sees
 * them.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "fs/file.h"
#include "fs/vfs.h"
#include "heap/heap.h"
#include "thread/thread.h"

#include <hal/errno.h>

#define BUFFER 65536u
#define TOTAL_MAX 0x7ffff000u

/* Writes at the file's place, or at an offset, which moves. */
static int64_t write_part(struct file *to, uint64_t *offset, const void *data, size_t n)
{
    int64_t done;

    if (!offset)
        return file_write(to, data, n);
    done = file_write_at(to, *offset, data, n);
    if (done > 0)
        *offset += (uint64_t)done;
    return done;
}

/* What is read but could not be written is read again by the next call. */
static int64_t copy(struct file *to, uint64_t *to_offset, struct file *from, uint64_t *offset,
                    uint64_t total)
{
    uint8_t *buffer = kmalloc(BUFFER);
    uint64_t moved = 0;
    int64_t done = 0;

    if (!buffer)
        return -ENOMEM;
    while (moved < total) {
        size_t n = total - moved < BUFFER ? (size_t)(total - moved) : BUFFER;
        int64_t got;

        if (moved > 0 && thread_cancelled()) /* a signal: what is done is told */
            break;
        got = file_read_at(from, *offset, buffer, n);
        done = got > 0 ? write_part(to, to_offset, buffer, (size_t)got) : got;
        if (done <= 0)
            break;
        moved += (uint64_t)done;
        *offset += (uint64_t)done;
        if (done < got)
            break;
    }
    kfree(buffer);
    return moved > 0 ? (int64_t)moved : done;
}

/* From the place of `from`, which moves. */
static int64_t copy_from_place(struct file *to, struct file *from, uint64_t total)
{
    int64_t place = file_seek(from, 0, FILE_CURRENT), done, moved;
    uint64_t offset;

    if (place < 0)
        return place == -ESPIPE ? -EINVAL : place;
    offset = (uint64_t)place;
    done = copy(to, NULL, from, &offset, total);
    moved = file_seek(from, (int64_t)offset, FILE_SET);
    return done < 0 || moved >= 0 ? done : moved;
}

static int64_t copy_from_offset(struct file *to, struct file *from, uint64_t at, uint64_t total)
{
    uint64_t offset;
    int64_t done;
    int error = user_copy_in(&offset, at, sizeof(offset));

    if (error)
        return error;
    if (file_seek(from, 0, FILE_CURRENT) == -ESPIPE)
        return -ESPIPE;
    if (offset > INT64_MAX)
        return -EINVAL;
    error = user_copy_out(at, &offset, sizeof(offset)); /* so it will not fail when all is done */
    if (error)
        return error;
    done = copy(to, NULL, from, &offset, total);
    error = user_copy_out(at, &offset, sizeof(offset));
    return error ? error : done;
}

int64_t sys_sendfile(const struct sys_args *args)
{
    struct file *to = user_file(args->value[0]), *from = user_file(args->value[1]);
    uint64_t total = args->value[3] < TOTAL_MAX ? args->value[3] : TOTAL_MAX;
    int64_t result = -EBADF;

    if (to && from)
        result = args->value[2] ? copy_from_offset(to, from, args->value[2], total)
                                : copy_from_place(to, from, total);
    file_put(from);
    file_put(to);
    return result;
}

/* ---- copy_file_range ---- */

/* One side of it: its own place, or the one at `address`, which moves. */
struct side {
    struct file *file;
    uint64_t address, offset;
};

static int begin_side(struct side *side)
{
    int64_t place;
    int error = 0;

    if (side->address) {
        error = user_copy_in(&side->offset, side->address, sizeof(side->offset));
        if (!error && side->offset > INT64_MAX)
            return -EINVAL;
        /* So it will not fail when all is done. */
        return error ? error : user_copy_out(side->address, &side->offset, sizeof(side->offset));
    }
    place = file_seek(side->file, 0, FILE_CURRENT);
    side->offset = (uint64_t)place;
    return place < 0 ? (int)place : 0;
}

static int end_side(const struct side *side)
{
    int64_t place;

    if (side->address)
        return user_copy_out(side->address, &side->offset, sizeof(side->offset));
    place = file_seek(side->file, (int64_t)side->offset, FILE_SET);
    return place < 0 ? (int)place : 0;
}

static int check_sides(const struct file *from, const struct file *to)
{
    if (from->vnode->attributes.type == VNODE_DIRECTORY ||
        to->vnode->attributes.type == VNODE_DIRECTORY)
        return -EISDIR;
    if (from->vnode->attributes.type != VNODE_FILE || to->vnode->attributes.type != VNODE_FILE)
        return -EINVAL;
    if ((from->flags & FILE_ACCESS) == FILE_WRITE_ONLY ||
        (to->flags & FILE_ACCESS) == FILE_READ_ONLY || (to->flags & FILE_APPEND))
        return -EBADF;
    return 0;
}

/* Within one file, no more than there is: behind its end is nothing that could be overwritten. */
static uint64_t cut_to_size(const struct side *from, uint64_t total)
{
    struct vnode_attributes attributes;

    vfs_attributes(from->file->vnode, &attributes);
    if (from->offset >= attributes.size)
        return 0;
    return total < attributes.size - from->offset ? total : attributes.size - from->offset;
}

static int64_t copy_between(struct side *from, struct side *to, uint64_t total)
{
    int error = check_sides(from->file, to->file);
    int64_t done;

    if (!error)
        error = begin_side(from);
    if (!error)
        error = begin_side(to);
    if (error)
        return error;
    if (from->file->vnode == to->file->vnode) {
        total = cut_to_size(from, total);
        if (from->offset < to->offset + total && to->offset < from->offset + total)
            return -EINVAL;
    }
    done = copy(to->file, &to->offset, from->file, &from->offset, total);
    error = end_side(from);
    if (!error)
        error = end_side(to);
    return error ? error : done;
}

int64_t sys_copy_file_range(const struct sys_args *args)
{
    struct side from = {user_file(args->value[0]), args->value[1], 0};
    struct side to = {user_file(args->value[2]), args->value[3], 0};
    uint64_t total = args->value[4] < TOTAL_MAX ? args->value[4] : TOTAL_MAX;
    int64_t result = -EBADF;

    if (from.file && to.file)
        result = (uint32_t)args->value[5] ? -EINVAL : copy_between(&from, &to, total);
    file_put(to.file);
    file_put(from.file);
    return result;
}
