/* SPDX-License-Identifier: MIT */
/*
 * stages.h: the way of a sector from its old content to its new one, so that a volume on which
 * some sectors have gone further than others is never worse than untidy.
 *
 *     OLD
 *     REMOVED  directory entries that go are gone, files that shrink are small; nothing is new yet
 *     CLAIMED  the FAT has the clusters that are new, as chains of their own
 *     LINKED   the FAT links them to what was there; the ".." of directories that move are right
 *     NAMED    of long names that fill a sector and go on in the next, that sector is there
 *     ENTERED  directory entries are as they will be
 *     CUT      chains that get shorter end where they will; such sectors of names are gone
 *     NEW      clusters that are no longer used are free
 *
 * All sectors reach a stage before any goes on to the next. Then, between any two writes:
 * no entry leads to a cluster that is free or has two owners, and no file is longer than its chain.
 * There may be clusters without an owner, chains that are longer than the file, parts of a very
 * long name without its entry, and for a moment a file that moves is in neither place: which is why
 * there is the record (batch.h).
 *
 * Source: the ordering rules follow from what fsck.fat and the specification ("FAT32 File System
 * Specification", Microsoft, 2000) call an error. That the stages do not depend on where a sector
 * is in between is used by the replay: from any mixture of stages each leads to the same contents.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum fat32_stage {
    FAT32_OLD,
    FAT32_REMOVED,
    FAT32_CLAIMED,
    FAT32_LINKED,
    FAT32_NAMED,
    FAT32_ENTERED,
    FAT32_CUT,
    FAT32_NEW,
    FAT32_STAGES
};

/** Writes to `to` what a sector contains at `stage`. All are HAL_SECTOR_SIZE bytes. */
void fat32_stage_content(bool of_fat, const uint8_t *old, const uint8_t *new,
                         enum fat32_stage stage, uint8_t *to);
