/* SPDX-License-Identifier: MIT */
/*
 * descriptor.c: opening and closing, and what is done with descriptors as such.
 */
#include "sys/calls.h"
#include "sys/user.h"
#include "sys/wait/lock.h"

#include "abi/abi.h"
#include "fs/file.h"
#include "ipc/pipe.h"
#include "ipc/unnamed.h"
#include "proc/process.h"

#include <hal/errno.h>

#define CLOSE_RANGE_CLOSING 4u

enum {
    COPY = 0,
    GET_DESCRIPTOR = 1,
    SET_DESCRIPTOR = 2,
    GET_FLAGS = 3,
    SET_FLAGS = 4,
    COPY_CLOSING = 1030,
    SET_PIPE_SIZE = 1031,
    GET_PIPE_SIZE = 1032
};
#define DESCRIPTOR_CLOSING 1u

static struct descriptor_table *files(void)
{
    return process_current()->files;
}

/* The number that `file` gets, or an error, and then it is put. */
static int64_t add_file(struct file *file, uint64_t least, bool closing)
{
    unsigned limit = user_file_limit();
    int number;

    if (least >= limit) {
        file_put(file);
        return least > 0 ? -EINVAL : -EMFILE;
    }
    number = descriptor_add(files(), file, (unsigned)least, limit, closing);
    if (number < 0)
        file_put(file);
    return number;
}

int64_t sys_openat(const struct sys_args *args)
{
    unsigned flags = abi_open_flags(args->value[2]);
    struct user_path path;
    struct file *file;
    int error = descriptor_add(files(), NULL, 0, user_file_limit(), false);

    if (error < 0) /* before anything is made or cut */
        return error;
    error = user_path_begin(&path, args->value[0], args->value[1], 0);
    if (error)
        return error;
    if (flags & ABI_OPEN_PATH) /* a place in the tree, and nothing else */
        flags &= ~(unsigned)(FILE_ACCESS | FILE_CREATE | FILE_EXCLUSIVE | FILE_TRUNCATE);
    error = file_open(path.base, path.text, flags, user_mode(args->value[3]), &file);
    user_path_finish(&path);
    return error ? error : add_file(file, 0, flags & ABI_OPEN_CLOSING);
}

int64_t sys_close(const struct sys_args *args)
{
    return descriptor_close(files(), (unsigned)args->value[0]) ? 0 : -EBADF;
}

int64_t sys_close_range(const struct sys_args *args)
{
    unsigned first = (unsigned)args->value[0], last = (unsigned)args->value[1];
    uint64_t flags = args->value[2];

    if (last < first || (flags & ~(uint64_t)CLOSE_RANGE_CLOSING))
        return -EINVAL;
    for (int i = descriptor_next(files(), first); i >= 0 && (unsigned)i <= last;
         i = descriptor_next(files(), (unsigned)i + 1)) {
        if (flags & CLOSE_RANGE_CLOSING)
            (void)!descriptor_set_closing(files(), (unsigned)i, true);
        else
            (void)descriptor_close(files(), (unsigned)i);
    }
    return 0;
}

/* ---- copies ---- */

int64_t sys_dup(const struct sys_args *args)
{
    struct file *file = user_file(args->value[0]);

    return file ? add_file(file, 0, false) : -EBADF;
}

static int64_t copy_to(uint64_t from, uint64_t to, bool closing)
{
    struct file *file = user_file(from);
    int error;

    if (!file)
        return -EBADF;
    error = (uint32_t)to < user_file_limit() ? 0 : -EBADF;
    if (!error)
        error = descriptor_set(files(), file, (unsigned)to, closing);
    if (error)
        file_put(file);
    return error ? error : (int64_t)(uint32_t)to;
}

int64_t sys_dup2(const struct sys_args *args)
{
    struct file *file;

    if ((uint32_t)args->value[0] != (uint32_t)args->value[1])
        return copy_to(args->value[0], args->value[1], false);
    file = user_file(args->value[0]);
    file_put(file);
    return file ? (int64_t)(uint32_t)args->value[0] : -EBADF;
}

int64_t sys_dup3(const struct sys_args *args)
{
    unsigned flags = abi_open_flags(args->value[2]);

    if ((uint32_t)args->value[0] == (uint32_t)args->value[1] ||
        (flags & ~(unsigned)ABI_OPEN_CLOSING))
        return -EINVAL;
    return copy_to(args->value[0], args->value[1], flags & ABI_OPEN_CLOSING);
}

/* ---- fcntl ---- */

/* Whoever else shares the file sees it as well. */
static int64_t set_flags(struct file *file, uint64_t wanted)
{
    const unsigned may = FILE_APPEND | FILE_NONBLOCK;
    unsigned flags = abi_open_flags(wanted) & may;

    mutex_lock(&file->mutex);
    file->flags = (file->flags & ~may) | flags;
    mutex_unlock(&file->mutex);
    return 0;
}

/* F_SETPIPE_SZ to `bytes`, or F_GETPIPE_SZ. */
static int64_t pipe_size(struct file *file, bool set, uint64_t bytes)
{
    struct pipe *pipe = file->vnode->ops->pipe ? file->vnode->ops->pipe(file) : NULL;
    struct pipe_state state;

    if (!pipe)
        return -EBADF;
    if (set)
        return pipe_resize(pipe, (uint32_t)bytes);
    pipe_read_state(pipe, &state);
    return (int64_t)state.size;
}

static int64_t control(struct file *file, const struct sys_args *args)
{
    unsigned number = (unsigned)args->value[0];
    uint64_t value = args->value[2];

    switch ((uint32_t)args->value[1]) {
    case COPY:
    case COPY_CLOSING:
        return add_file(file_get(file), (uint32_t)value, (uint32_t)args->value[1] != COPY);
    case GET_DESCRIPTOR:
        return descriptor_is_closing(files(), number);
    case SET_DESCRIPTOR:
        return descriptor_set_closing(files(), number, value & DESCRIPTOR_CLOSING);
    case GET_FLAGS:
        return (int64_t)abi_open_flags_of(
            file->flags & ~(unsigned)(FILE_CREATE | FILE_EXCLUSIVE | FILE_TRUNCATE));
    case SET_FLAGS:
        return set_flags(file, value);
    case SET_PIPE_SIZE:
        return pipe_size(file, true, value);
    case GET_PIPE_SIZE:
        return pipe_size(file, false, 0);
    case LOCK_GET:
    case LOCK_SET:
    case LOCK_SET_WAIT:
    case LOCK_GET_OF_FILE:
    case LOCK_SET_OF_FILE:
    case LOCK_SET_WAIT_OF_FILE:
        return lock_control(file, args);
    default:
        return -EINVAL;
    }
}

int64_t sys_fcntl(const struct sys_args *args)
{
    struct file *file = user_file(args->value[0]);
    int64_t result;

    if (!file)
        return -EBADF;
    result = control(file, args);
    file_put(file);
    return result;
}

/* ---- pipes ---- */

int64_t sys_pipe2(const struct sys_args *args)
{
    unsigned flags = abi_open_flags(args->value[1]);
    struct file *ends[2];
    int32_t numbers[2];
    int error;

    if (flags & ~(unsigned)(ABI_OPEN_CLOSING | FILE_NONBLOCK))
        return -EINVAL;
    error = pipe_create_unnamed(flags & FILE_NONBLOCK, ends);
    if (error)
        return error;
    numbers[0] = (int32_t)add_file(ends[0], 0, flags & ABI_OPEN_CLOSING);
    if (numbers[0] < 0) {
        file_put(ends[1]);
        return numbers[0];
    }
    numbers[1] = (int32_t)add_file(ends[1], 0, flags & ABI_OPEN_CLOSING);
    error = numbers[1] < 0 ? numbers[1] : user_copy_out(args->value[0], numbers, sizeof(numbers));
    if (error) {
        file_put(descriptor_take(files(), (unsigned)numbers[0]));
        if (numbers[1] >= 0)
            file_put(descriptor_take(files(), (unsigned)numbers[1]));
    }
    return error;
}
