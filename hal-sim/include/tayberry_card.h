/* SPDX-License-Identifier: MIT */
/*
 * tayberry_card.h: the card in the machine's slot, from outside.
 *
 * A part of tayberry.h, which includes it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TB_API __attribute__((visibility("default")))

struct tb_machine;

/** Puts another card into the slot (NULL takes it out); the guest finds out at its next request.
 * Errors as tb_open, and the old card stays. A last piece shorter than a sector is ignored. */
TB_API int tb_card_attach(struct tb_machine *machine, const char *path, bool read_only);

/** Makes request number `nth` from now (0: the next) fail with EIO, and the `count` - 1 after it.
 * count 0 clears. */
TB_API int tb_card_fault(struct tb_machine *machine, uint64_t nth, uint64_t count);

struct tb_card_stats {
    uint64_t requests;
    uint64_t sectors_read;
    uint64_t sectors_written;
};
TB_API int tb_card_stats(const struct tb_machine *machine, struct tb_card_stats *stats);

/** Reads `count` sectors of 512 bytes from `sector` on, as the card has them now, past the guest.
 * 0, -ENOMEDIUM (the slot is empty), -EINVAL (past the card's end), -EIO. Any thread. */
TB_API int tb_card_read(struct tb_machine *machine, uint64_t sector, void *data, size_t count);

/** Sectors that were read or written. */
struct tb_card_access {
    uint64_t sector;
    uint32_t sectors;
    bool written;
};

#define TB_CARD_ACCESSES 256u /**< so many are remembered */

/** What requests have moved: up to `n` accesses from number *next on (0: the first since the
 * machine was opened; those no longer remembered are left out), in order. Returns how many, and
 * moves *next behind them. Any thread. */
TB_API size_t tb_card_accesses(const struct tb_machine *machine, uint64_t *next,
                               struct tb_card_access *accesses, size_t n);

#ifdef __cplusplus
}
#endif
