/* SPDX-License-Identifier: MIT */
/*
 * user.h: what the functions behind system calls have in common: reading and writing the memory of
 * the program that calls, its files, its paths. Called by user threads.
 */
#pragma once

#include "fs/vnode.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file;
struct process_times;

/** As vm_copy_in and vm_copy_out, for the caller's memory. 0 or -EFAULT. May sleep. */
HAL_MUST_CHECK int user_copy_in(void *to, uint64_t from, size_t n);
HAL_MUST_CHECK int user_copy_out(uint64_t to, const void *from, size_t n);

/** As user_copy_out, but nothing is done if `to` is NULL. */
HAL_MUST_CHECK int user_copy_out_optional(uint64_t to, const void *from, size_t n);

/** Linux's struct timespec. */
struct user_time {
    int64_t seconds, ns;
};
struct user_time user_time_of(int64_t ns);

/** Reads one: *ns. -EFAULT; -EINVAL: it is negative, or no time. Far ones are cut. */
HAL_MUST_CHECK int user_read_time(uint64_t from, uint64_t *ns);

/** Linux's struct rusage, of which the times are known. */
#define USER_USAGE_BYTES 144u
void user_put_usage(uint8_t to[USER_USAGE_BYTES], const struct process_times *times);

/** A file descriptor's file with a reference for the caller, who puts it, or NULL: -EBADF. */
struct file *user_file(uint64_t descriptor);

#define USER_THIS_DIRECTORY (-100) /**< AT_FDCWD */
enum {
    USER_NO_FOLLOW = 0x100,
    USER_REMOVE_DIRECTORY = 0x200,
    USER_FOLLOW = 0x400,
    USER_EMPTY_PATH = 0x1000
};

/** A path that a program gave: user_path_finish ends it. */
struct user_path {
    char *text;
    struct vnode *base; /**< a reference; NULL: the root of all */
    bool self;          /**< it was /proc/self/exe, and is what that stands for */
    bool own_file; /**< "" with USER_EMPTY_PATH: the descriptor's file itself, which is `base` */
};

/**
 * Reads the path at `address`, relative to the directory `descriptor`. -EFAULT, -ENAMETOOLONG,
 * -EBADF, -ENOTDIR, -ENOMEM. May sleep.
 */
HAL_MUST_CHECK int user_path_begin(struct user_path *path, uint64_t descriptor, uint64_t address,
                                   unsigned flags);
void user_path_finish(struct user_path *path);

/** What is there: *found with a reference. Errors as vfs_find. */
HAL_MUST_CHECK int user_path_find(const struct user_path *path, unsigned flags,
                                  struct vnode **found);

/** All three in one: what is at the path, *found with a reference. Errors as both. */
HAL_MUST_CHECK int user_path_lookup(uint64_t descriptor, uint64_t address, uint64_t flags,
                                    struct vnode **found);

/** Makes the path an absolute one. -ENOMEM, -ENOENT, -ERANGE. */
HAL_MUST_CHECK int user_path_make_absolute(struct user_path *path);

/** The caller's current directory, a reference; NULL: the root. */
struct vnode *user_directory(void);

/** `mode` without the bits of the caller's umask. */
unsigned user_mode(uint64_t mode);

/** How many descriptors the caller may have. */
unsigned user_file_limit(void);
