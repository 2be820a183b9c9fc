/* SPDX-License-Identifier: MIT */
/*
 * file.h: open files: a vnode, a place in it, and how it was opened.
 *
 * Flags, modes and errors are Linux's, for the system calls that will stand on this.
 */
#pragma once

#include "fs/vnode.h"
#include "sync/mutex.h"

#include <hal/compiler.h>

#include <stddef.h>
#include <stdint.h>

/** As Linux on arm64 and x86 alike. */
enum {
    FILE_READ_ONLY = 0,
    FILE_WRITE_ONLY = 1,
    FILE_READ_WRITE = 2,
    FILE_ACCESS = 3, /**< mask of the three */
    FILE_CREATE = 0100,
    FILE_EXCLUSIVE = 0200,
    FILE_NO_TERMINAL = 0400, /**< a terminal does not become the caller's own */
    FILE_TRUNCATE = 01000,
    FILE_APPEND = 02000,
    FILE_NONBLOCK = 04000
};

#define FILE_DIRECTORY 0x20000000u /**< fail with -ENOTDIR if it is none */
#define FILE_NO_FOLLOW 0x40000000u /**< fail with -ELOOP if the last component is a symlink */

enum file_whence { FILE_SET, FILE_CURRENT, FILE_END };

struct file {
    struct vnode *vnode; /**< a reference */
    unsigned flags;
    bool counted;        /**< among its mount's writers; constant */
    uint32_t references; /**< changed atomically */
    struct mutex mutex;  /**< guards the rest */
    uint64_t offset;     /**< bytes; of a directory, the position */
    uint64_t ahead;      /**< read-ahead: where the last read ended, and how far ahead to read */
    uint32_t window;
    uint32_t error_seen; /**< the vnode's write-back errors that fsync has reported here */
    uint32_t hang_ups; /**< of a terminal, when it was opened: tty/terminal/terminal.h; constant */
    void *private;     /**< the device's */

    struct epoll_item *watched; /**< by sets of files; epoll.c's */
};

/**
 * Opens, and with FILE_CREATE makes (with `mode`), what is at `path`: *file with one reference.
 *
 * -ENOENT, -ENOTDIR, -EISDIR (a directory to be written), -EEXIST (FILE_EXCLUSIVE), -ELOOP,
 * -EROFS, -EACCES (a file marked as read-only to be written), -ENAMETOOLONG, -ENOMEM, -ENOSPC,
 * -EIO, -ENXIO (a device that is not there). May sleep.
 */
HAL_MUST_CHECK int file_open(struct vnode *base, const char *path, unsigned flags, unsigned mode,
                             struct file **file);

/**
 * An open file of a vnode that has no path: what the kernel hands out by itself. It takes a
 * reference of its own; ops->open is not asked. 0 or -ENOMEM. Thread context.
 */
HAL_MUST_CHECK int file_of_vnode(struct vnode *vnode, unsigned flags, struct file **file);

/** One more reference. Any context. */
struct file *file_get(struct file *file);

/** One less; the last one closes. NULL is allowed. May sleep. */
void file_put(struct file *file);

/** Read and write at the file's place, and move it. -EBADF: not opened for that. May sleep. */
HAL_MUST_CHECK int64_t file_read(struct file *file, void *data, size_t n);
HAL_MUST_CHECK int64_t file_write(struct file *file, const void *data, size_t n);

/** The same at `offset`, without moving. FILE_APPEND writes at the end all the same (Linux). */
HAL_MUST_CHECK int64_t file_read_at(struct file *file, uint64_t offset, void *data, size_t n);
HAL_MUST_CHECK int64_t file_write_at(struct file *file, uint64_t offset, const void *data,
                                     size_t n);

/** The new place, or -EINVAL (before the start), -ESPIPE (a FIFO or a terminal), -EOVERFLOW. */
HAL_MUST_CHECK int64_t file_seek(struct file *file, int64_t offset, enum file_whence whence);

HAL_MUST_CHECK int file_truncate(struct file *file, uint64_t size);

/**
 * Returns when all that was written to the file before is on the medium to stay. An error that
 * write-back has met since the last call on this open file is reported once. May sleep.
 */
HAL_MUST_CHECK int file_sync(struct file *file);

/** As vnode_ops.iterate, from the file's place, and moves it. -ENOTDIR. May sleep. */
HAL_MUST_CHECK int file_iterate(struct file *file, struct directory_entry *entry);

HAL_MUST_CHECK int file_ioctl(struct file *file, unsigned request, void *argument);
