/* SPDX-License-Identifier: MIT */
/*
 * abi.h: what differs between processors in the way programs and Linux talk.
 *
 * There is a folder for each processor; the build takes the one of its machine.
 *
 * Source: Linux, arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h, and
 * the headers in arch/{x86,arm64}/include/uapi/asm.
 */
#pragma once

#include "sys/call.h"

#include <hal/compiler.h>

#include <stddef.h>
#include <stdint.h>

/** The processor's name: AT_PLATFORM, and uname's machine. */
extern const char abi_platform[];

/** ELF's number for the processor. */
extern const unsigned abi_elf_machine;

/** The longest table of numbers. */
#define ABI_NUMBERS_MAX 512u

/**
 * What a number of the processor stands for. `order` says how the arguments are made of those that
 * the program gave, a letter each; NULL: they are the same.
 *
 *     0 .. 5  that one of the program's     @  AT_FDCWD     z  0
 *     n  AT_SYMLINK_NOFOLLOW    r  AT_REMOVEDIR    c  O_CREAT | O_WRONLY | O_TRUNC
 *     s  SIGCHLD    v  CLONE_VM | CLONE_VFORK | SIGCHLD
 */
struct abi_number {
    uint16_t call; /**< SYS_NONE: nothing */
    const char *order;
    const char *name; /**< the processor's own for it, if the call is called otherwise; or NULL */
};

/** The processor's numbers, in a table of *count. Any context. */
const struct abi_number *abi_numbers(unsigned *count);

/**
 * The call that the processor's number `number` stands for, with `args`, as the program gave them,
 * put in order. SYS_NONE: none. Any context.
 */
enum sys_number abi_call(uint64_t number, struct sys_args *args);

/** O_DIRECTORY, O_NOFOLLOW and O_LARGEFILE, which processors number differently. */
extern const unsigned abi_open_directory, abi_open_no_follow, abi_open_large;

/** Flags of open that file.h lacks. */
enum { ABI_OPEN_NO_TTY = 0400, ABI_OPEN_CLOSING = 02000000, ABI_OPEN_PATH = 010000000 };

/** The flags of open in the form of file.h and of the enum above, and back. Any context. */
unsigned abi_open_flags(uint64_t flags);
uint64_t abi_open_flags_of(unsigned flags);

/** How long the processor's struct epoll_event is: 32 bits of events, and 64 of data at its end. */
extern const size_t abi_event_bytes;
#define ABI_EVENT_MAX 16u

/** What stat tells of a file. Times are ns since 1970. */
struct file_status {
    uint64_t device, inode, links, size, blocks, special;
    uint32_t mode, uid, gid, block_bytes;
    int64_t accessed, modified, changed;
};

#define ABI_STATUS_MAX 144u

/** How long the processor's struct stat is. */
extern const size_t abi_status_bytes;

/** Writes those fields of it that lie elsewhere on each processor. For abi_put_status. */
void abi_put_status_fields(uint8_t *to, const struct file_status *status);

/** Writes it as the processor's struct stat to ABI_STATUS_MAX bytes: how many it takes. */
size_t abi_put_status(uint8_t *to, const struct file_status *status);
