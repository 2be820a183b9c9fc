/* SPDX-License-Identifier: MIT */
/*
 * lock.c: flock, and fcntl's locks of bytes.
 */
#include "fs/lock/filelock.h"

#include "sys/calls.h"
#include "sys/user.h"
#include "sys/wait/lock.h"

#include "fs/file.h"
#include "fs/vfs.h"
#include "proc/process.h"

#include <hal/errno.h>

/* flock's second argument. */
enum { FLOCK_SHARED = 1, FLOCK_EXCLUSIVE = 2, FLOCK_NO_WAIT = 4, FLOCK_UNLOCK = 8 };

enum { FROM_START, FROM_HERE, FROM_END };

/* Linux's struct flock. */
struct flock_argument {
    int16_t type, whence;
    int64_t start, length;
    int32_t pid;
};

static int64_t flock(struct file *file, uint32_t operation)
{
    struct filelock_range range = {.kind = FILELOCK_FILE, .last = UINT64_MAX, .owner = file};
    bool wait = !(operation & FLOCK_NO_WAIT);
    int error;

    switch (operation & ~(uint32_t)FLOCK_NO_WAIT) {
    case FLOCK_SHARED:
        range.type = FILELOCK_READ;
        break;
    case FLOCK_EXCLUSIVE:
        range.type = FILELOCK_WRITE;
        break;
    case FLOCK_UNLOCK:
        range.type = FILELOCK_NOTHING;
        break;
    default:
        return -EINVAL;
    }
    range.pid = process_current()->pid;
    error = filelock_set(file->vnode, &range, false);
    if (error == -EAGAIN && wait) {
        /* Two who read and both want to write would wait for each other: nobody keeps his. */
        struct filelock_range none = range;

        none.type = FILELOCK_NOTHING;
        error = filelock_set(file->vnode, &none, false);
        if (!error)
            error = filelock_set(file->vnode, &range, true);
    }
    return error;
}

int64_t sys_flock(const struct sys_args *args)
{
    struct file *file = user_file(args->value[0]);
    int64_t result;

    if (!file)
        return -EBADF;
    result = flock(file, (uint32_t)args->value[1]);
    file_put(file);
    return result;
}

/* ---- fcntl ---- */

/* Where the argument's start counts from, or an error. */
static int64_t base_of(struct file *file, int16_t whence)
{
    struct vnode_attributes attributes;
    int64_t place;

    switch (whence) {
    case FROM_START:
        return 0;
    case FROM_HERE:
        mutex_lock(&file->mutex);
        place = (int64_t)file->offset;
        mutex_unlock(&file->mutex);
        return place;
    case FROM_END:
        vfs_attributes(file->vnode, &attributes);
        return (int64_t)attributes.size;
    default:
        return -EINVAL;
    }
}

/* The bytes that are meant. A negative length means those before the start. */
static int read_range(struct file *file, const struct flock_argument *argument,
                      struct filelock_range *range)
{
    int64_t start = base_of(file, argument->whence), end;

    if (start < 0)
        return (int)start;
    if (__builtin_add_overflow(start, argument->start, &start) ||
        __builtin_add_overflow(start, argument->length, &end))
        return -EOVERFLOW;
    if (argument->length < 0) {
        range->first = (uint64_t)end;
        range->last = (uint64_t)start - 1;
        return start < 1 || end < 0 ? -EINVAL : 0;
    }
    range->first = (uint64_t)start;
    range->last = argument->length == 0 ? UINT64_MAX : (uint64_t)end - 1;
    return start < 0 ? -EINVAL : 0;
}

/* Who asks, and for what. */
static int read_request(struct file *file, const struct flock_argument *argument, bool of_file,
                        struct filelock_range *range)
{
    *range = (struct filelock_range){.kind = FILELOCK_BYTES,
                                     .type = (enum filelock_type)argument->type,
                                     .owner = file,
                                     .pid = UINT32_MAX,
                                     .of_process = !of_file};
    if (argument->type < FILELOCK_READ || argument->type > FILELOCK_NOTHING)
        return -EINVAL;
    if (of_file && argument->pid)
        return -EINVAL;
    if (!of_file) {
        range->owner = process_current()->files;
        range->pid = process_current()->pid;
    }
    return read_range(file, argument, range);
}

static int64_t get(struct file *file, const struct filelock_range *range, uint64_t address,
                   struct flock_argument *argument)
{
    struct filelock_range found;

    if (range->type == FILELOCK_NOTHING)
        return -EINVAL;
    if (filelock_find(file->vnode, range, &found)) {
        argument->type = (int16_t)found.type;
        argument->whence = FROM_START;
        argument->start = (int64_t)found.first;
        argument->length = found.last == UINT64_MAX ? 0 : (int64_t)(found.last - found.first + 1);
        argument->pid = (int32_t)found.pid;
    } else {
        argument->type = FILELOCK_NOTHING;
    }
    return user_copy_out(address, argument, sizeof(*argument));
}

static int64_t set(struct file *file, uint64_t descriptor, const struct filelock_range *range,
                   bool wait)
{
    unsigned access = file->flags & FILE_ACCESS;
    struct file *now;
    int error;

    if ((range->type == FILELOCK_READ && access == FILE_WRITE_ONLY) ||
        (range->type == FILELOCK_WRITE && access == FILE_READ_ONLY))
        return -EBADF;
    error = filelock_set(file->vnode, range, wait);
    if (error || range->type == FILELOCK_NOTHING || !range->of_process)
        return error;
    /* Another thread may have closed it meanwhile, and found no lock to release. */
    now = user_file(descriptor);
    if (now != file) {
        filelock_release(file->vnode, range->owner);
        error = -EBADF;
    }
    file_put(now);
    return error;
}

int64_t lock_control(struct file *file, const struct sys_args *args)
{
    uint32_t command = (uint32_t)args->value[1];
    bool of_file = command >= LOCK_GET_OF_FILE;
    struct flock_argument argument;
    struct filelock_range range;
    int error = user_copy_in(&argument, args->value[2], sizeof(argument));

    if (!error)
        error = read_request(file, &argument, of_file, &range);
    if (error)
        return error;
    if (command == LOCK_GET || command == LOCK_GET_OF_FILE)
        return get(file, &range, args->value[2], &argument);
    return set(file, args->value[0], &range,
               command == LOCK_SET_WAIT || command == LOCK_SET_WAIT_OF_FILE);
}
