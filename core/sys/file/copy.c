/* SPDX-License-Identifier: MIT */
/*
 * copy.c: sendfile: bytes go from file to file, and the program never sees them.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "fs/file.h"
#include "heap/heap.h"

#include <hal/errno.h>

#define BUFFER 65536u
#define TOTAL_MAX 0x7ffff000u

/* What is read but could not be written is read again by the next call. */
static int64_t copy(struct file *to, struct file *from, uint64_t *offset, uint64_t total)
{
    uint8_t *buffer = kmalloc(BUFFER);
    uint64_t moved = 0;
    int64_t done = 0;

    if (!buffer)
        return -ENOMEM;
    while (moved < total) {
        size_t n = total - moved < BUFFER ? (size_t)(total - moved) : BUFFER;
        int64_t got = file_read_at(from, *offset, buffer, n);

        done = got > 0 ? file_write(to, buffer, (size_t)got) : got;
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
    done = copy(to, from, &offset, total);
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
    done = copy(to, from, &offset, total);
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
