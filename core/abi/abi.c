/* SPDX-License-Identifier: MIT */
/*
 * abi.c: from a processor's number and arguments to a call and its arguments; and what most of
 * the layouts have in common.
 */
#include "abi/abi.h"

#include "fs/file.h"
#include "lib/bytes.h"
#include "proc/process.h"
#include "sys/user.h"

#include <hal/runtime.h>

#define AT_THIS_DIRECTORY ((uint64_t)-100)
#define AT_NO_FOLLOW 0x100u
#define AT_REMOVE_DIRECTORY 0x200u
#define OPEN_CREAT (0100u | 1u | 01000u)
#define OPEN_SAME \
    (FILE_ACCESS | FILE_CREATE | FILE_EXCLUSIVE | FILE_TRUNCATE | FILE_APPEND | FILE_NONBLOCK | \
     ABI_OPEN_NO_TTY | ABI_OPEN_CLOSING | ABI_OPEN_PATH)

static uint64_t argument(char letter, const struct sys_args *given)
{
    switch (letter) {
    case '@':
        return AT_THIS_DIRECTORY;
    case 'n':
        return AT_NO_FOLLOW;
    case 'r':
        return AT_REMOVE_DIRECTORY;
    case 'c':
        return OPEN_CREAT;
    case 's':
        return SIGNAL_CHLD;
    case 'v':
        return CLONE_MEMORY | CLONE_VFORK | SIGNAL_CHLD;
    case 'z':
        return 0;
    default:
        return given->value[(letter - '0') % (int)SYS_ARGUMENTS];
    }
}

enum sys_number abi_call(uint64_t number, struct sys_args *args)
{
    const struct sys_args given = *args;
    const struct abi_number *numbers;
    unsigned count;

    numbers = abi_numbers(&count);
    if (number >= count || numbers[number].call == SYS_NONE)
        return SYS_NONE;
    for (unsigned i = 0; numbers[number].order && i < SYS_ARGUMENTS; i++) {
        char letter = numbers[number].order[i];

        if (letter == '\0')
            break;
        args->value[i] = argument(letter, &given);
    }
    return (enum sys_number)numbers[number].call;
}

unsigned abi_open_flags(uint64_t flags)
{
    unsigned same = (unsigned)flags & OPEN_SAME;

    if (flags & abi_open_directory)
        same |= FILE_DIRECTORY;
    if (flags & abi_open_no_follow)
        same |= FILE_NO_FOLLOW;
    return same;
}

uint64_t abi_open_flags_of(unsigned flags)
{
    uint64_t same = flags & OPEN_SAME;

    if (flags & FILE_DIRECTORY)
        same |= abi_open_directory;
    if (flags & FILE_NO_FOLLOW)
        same |= abi_open_no_follow;
    return same;
}

static void put_time(uint8_t *to, int64_t ns)
{
    struct user_time time = user_time_of(ns);

    put_le64(to, (uint64_t)time.seconds);
    put_le64(to + 8, (uint64_t)time.ns);
}

size_t abi_put_status(uint8_t *to, const struct file_status *status)
{
    memset(to, 0, abi_status_bytes);
    put_le64(to, status->device);
    put_le64(to + 8, status->inode);
    abi_put_status_fields(to, status);
    put_le64(to + 48, status->size);
    put_le64(to + 64, status->blocks);
    put_time(to + 72, status->accessed);
    put_time(to + 88, status->modified);
    put_time(to + 104, status->changed);
    return abi_status_bytes;
}
