/* SPDX-License-Identifier: MIT */
/*
 * layout.c: names, flags and structures of x86-64.
 */
#include "abi/abi.h"

#include "fs/file.h"
#include "lib/bytes.h"

#include <hal/runtime.h>

#define OPEN_DIRECTORY 0200000u
#define OPEN_NO_FOLLOW 0400000u
#define OPEN_SAME \
    (FILE_ACCESS | FILE_CREATE | FILE_EXCLUSIVE | FILE_TRUNCATE | FILE_APPEND | FILE_NONBLOCK | \
     ABI_OPEN_NO_TTY | ABI_OPEN_CLOSING | ABI_OPEN_PATH)

const char abi_platform[] = "x86_64";
const unsigned abi_elf_machine = 62;

unsigned abi_open_flags(uint64_t flags)
{
    unsigned same = (unsigned)flags & OPEN_SAME;

    if (flags & OPEN_DIRECTORY)
        same |= FILE_DIRECTORY;
    if (flags & OPEN_NO_FOLLOW)
        same |= FILE_NO_FOLLOW;
    return same;
}

uint64_t abi_open_flags_of(unsigned flags)
{
    uint64_t same = flags & OPEN_SAME;

    if (flags & FILE_DIRECTORY)
        same |= OPEN_DIRECTORY;
    if (flags & FILE_NO_FOLLOW)
        same |= OPEN_NO_FOLLOW;
    return same;
}

static void put_time(uint8_t *to, int64_t ns)
{
    int64_t seconds = ns / 1000000000, rest = ns % 1000000000;

    if (rest < 0) {
        rest += 1000000000;
        seconds--;
    }
    put_le64(to, (uint64_t)seconds);
    put_le64(to + 8, (uint64_t)rest);
}

#define STATUS_BYTES 144u

size_t abi_put_status(uint8_t *to, const struct file_status *status)
{
    memset(to, 0, STATUS_BYTES);
    put_le64(to, status->device);
    put_le64(to + 8, status->inode);
    put_le64(to + 16, status->links);
    put_le32(to + 24, status->mode);
    put_le32(to + 28, status->uid);
    put_le32(to + 32, status->gid);
    put_le64(to + 40, status->special);
    put_le64(to + 48, status->size);
    put_le64(to + 56, status->block_bytes);
    put_le64(to + 64, status->blocks);
    put_time(to + 72, status->accessed);
    put_time(to + 88, status->modified);
    put_time(to + 104, status->changed);
    return STATUS_BYTES;
}
