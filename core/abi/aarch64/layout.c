/* SPDX-License-Identifier: MIT */
/*
 * layout.c: names, flags and structures of AArch64.
 */
#include "abi/abi.h"

#include "lib/bytes.h"

const char abi_platform[] = "aarch64";
const unsigned abi_elf_machine = 183;
const unsigned abi_open_directory = 040000, abi_open_no_follow = 0100000, abi_open_large = 0400000;
const size_t abi_event_bytes = 16;
const size_t abi_status_bytes = 128;

void abi_put_status_fields(uint8_t *to, const struct file_status *status)
{
    put_le32(to + 16, status->mode);
    put_le32(to + 20, (uint32_t)status->links);
    put_le32(to + 24, status->uid);
    put_le32(to + 28, status->gid);
    put_le64(to + 32, status->special);
    put_le32(to + 56, status->block_bytes);
}
