/* SPDX-License-Identifier: MIT */
/*
 * layout.c: names, flags and structures of x86-64.
 */
#include "abi/abi.h"

#include "lib/bytes.h"

const char abi_platform[] = "x86_64";
const unsigned abi_elf_machine = 62;
const unsigned abi_open_directory = 0200000, abi_open_no_follow = 0400000, abi_open_large = 0100000;
const size_t abi_event_bytes = 12; /* packed */
const size_t abi_status_bytes = 144;

void abi_put_status_fields(uint8_t *to, const struct file_status *status)
{
    put_le64(to + 16, status->links);
    put_le32(to + 24, status->mode);
    put_le32(to + 28, status->uid);
    put_le32(to + 32, status->gid);
    put_le64(to + 40, status->special);
    put_le64(to + 56, status->block_bytes);
}
