/* SPDX-License-Identifier: MIT */
/*
 * batch.h: changes of a volume's metadata, each operation whole or not at all.
 *
 * An operation (a create, a rename, ...) changes sectors of the FAT and of directories in memory,
 * inside a transaction: commit makes the changes the truth, abort undoes them, so that an operation
 * that fails half way leaves no trace. What was committed collects in a batch. A checkpoint puts
 * the batch on the card so that, wherever the power goes, either all of its operations have
 * happened after the next mount, or none:
 *
 *     1  a record of the new contents goes into sectors that FAT32 leaves unused | flush
 *     2  the sectors themselves are written, in stages (stages.h) with a flush between
 *
 * After a cut during 1 the record's checksum is wrong, and nothing has changed. After one during 2
 * the next mount reads the record and does 2 again. Step 1 is left out where one sector alone
 * decides. Between the stages, too, the volume is one that other systems accept: at worst clusters
 * are marked as used that no file has.
 *
 * What the record cannot harm: a volume that another system has changed since. The record is
 * believed only on a volume that is still marked as in use, with the same number, and if each
 * sector that it is about to replace has one of the contents that this code gave it.
 *
 * Volumes without room for a record are written by the same stages, one operation at a time.
 *
 * All functions but fat32_batch_look may sleep. The caller holds the volume's mutex.
 */
#pragma once

#include "block/block.h"
#include "fs/fat32/batch/stages.h"

#include <hal/block.h>
#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAT32_BATCH_MAX 24u  /**< sectors that a batch can change */
#define FAT32_RECORD_MAX 26u /**< sectors of the record: up to two of header, and those */
#define FAT32_FATS_MAX 4u    /**< copies of the FAT that are kept alike */

/** Where things are, in sectors of HAL_SECTOR_SIZE from the start of the volume. Constant. */
struct fat32_layout {
    uint64_t fat[FAT32_FATS_MAX]; /**< the one that is read, then its copies */
    unsigned fats;
    uint64_t fat_sectors; /**< of each */
    uint64_t data;        /**< the first of the clusters' */
    uint64_t end;         /**< of the volume */
    uint32_t volume_id;
    uint16_t record[FAT32_RECORD_MAX]; /**< where the record goes */
    unsigned record_sectors;           /**< < 3: there is no room for one */
};

/** A sector that the batch changes. */
struct fat32_slot {
    uint64_t sector;
    bool of_fat;
    bool saved; /**< `undo` is what it was before the transaction that is open */
    uint8_t old[HAL_SECTOR_SIZE];
    uint8_t now[HAL_SECTOR_SIZE];
    uint8_t undo[HAL_SECTOR_SIZE];
};

/** What the batch needs of the volume around it. */
struct fat32_batch_hooks {
    /** Reads one sector as it is on the card. */
    int (*read)(void *context, uint64_t sector, uint8_t *data);
    /**
     * A sector has been written: what is cached of it is out of date. `data` NULL: that failed, and
     * it contains what it did before, or what it should, or neither.
     */
    void (*written)(void *context, uint64_t sector, const uint8_t *data);
    /**
     * Before a batch is written: writes the data that its files need, unless it is on the card.
     * May be called again for the same batch after an error.
     */
    int (*before)(void *context);
    /** The batch is on the card to stay: clusters that it freed may be used again. */
    void (*after)(void *context);
};

struct fat32_batch {
    const struct block_device *device;
    const struct fat32_layout *layout;
    const struct fat32_batch_hooks *hooks;
    void *context;

    struct fat32_slot slots[FAT32_BATCH_MAX];
    unsigned used;
    unsigned begun; /**< `used` when the transaction was begun */
    bool open;      /**< there is a transaction */
    unsigned stage; /**< that the slots are being written at; FAT32_OLD: none yet */
    bool unflushed; /**< something was written that has to stay before the batch does; atomic */
    bool awaited;   /**< and that before anything is linked to it: all but what is in files */

    uint64_t sequence; /**< of the last record */
    unsigned recorded; /**< sectors that the record on the card is about; 0: it is void */
    uint64_t record_targets[FAT32_BATCH_MAX];
    uint8_t *work; /**< FAT32_RECORD_MAX sectors, to put records together, and another one */

    uint64_t records, writes, flushes; /**< how many, for statistics and tests */
};

/** Makes an empty batch. -ENOMEM. `layout` and `hooks` must stay. */
HAL_MUST_CHECK int fat32_batch_init(struct fat32_batch *batch, const struct block_device *device,
                                    const struct fat32_layout *layout,
                                    const struct fat32_batch_hooks *hooks, void *context);

/** Forgets what is not on the card. */
void fat32_batch_finish(struct fat32_batch *batch);

/** What `sector` contains now if the batch has changed it, or NULL. Any context. */
const uint8_t *fat32_batch_look(const struct fat32_batch *batch, uint64_t sector);

/** What `sector` contains on the card if the batch has changed it, or NULL. Any context. */
const uint8_t *fat32_batch_card(const struct fat32_batch *batch, uint64_t sector);

/** True if the batch changes any of the `n` sectors from `sector` on. Any context. */
bool fat32_batch_changes(const struct fat32_batch *batch, uint64_t sector, uint64_t n);

/**
 * Makes room: writes the sectors of the FAT in which the batch only claims clusters, and is done
 * with them. They may be on the card long before what leads to the clusters: until then those are
 * lost ones, which the next mount frees. So a file that grows for long does not need a checkpoint
 * for each few sectors of the FAT. 0 or the error of a write. No transaction is open.
 */
HAL_MUST_CHECK int fat32_batch_write_claims(struct fat32_batch *batch);

/**
 * Begins a transaction that changes up to `sectors` sectors, after a checkpoint if they might not
 * fit. Returns 0, -E2BIG if they can never fit, or the error of the checkpoint.
 */
HAL_MUST_CHECK int fat32_batch_begin(struct fat32_batch *batch, unsigned sectors);

/**
 * The content of `sector` to change, until commit or abort. Returns 0, the error of reading it, or
 * -E2BIG when more sectors are changed than were asked for.
 */
HAL_MUST_CHECK int fat32_batch_change(struct fat32_batch *batch, uint64_t sector, uint8_t **data);

/** The changes since begin are the truth. */
void fat32_batch_commit(struct fat32_batch *batch);

/** They never were. */
void fat32_batch_abort(struct fat32_batch *batch);

/** Data of a file has been written that must be on the card before the batch. Any context. */
void fat32_batch_wrote_data(struct fat32_batch *batch);

/** Something else has, for which links wait, too: what they lead to is not read by a size. */
void fat32_batch_wrote(struct fat32_batch *batch);

/**
 * Puts all that was committed on the card to stay. Returns 0 or an error, after which nothing is
 * lost: the next checkpoint goes on. No transaction is open.
 */
HAL_MUST_CHECK int fat32_batch_checkpoint(struct fat32_batch *batch);

/** Voids the record, for a volume that is about to be marked as clean. The batch is empty. */
HAL_MUST_CHECK int fat32_batch_void(struct fat32_batch *batch);

/**
 * Before anything is changed: deals with a record that is on the card. If the volume was left
 * `in_use` and the record is to be believed, does again what it says; voids it unless there is an
 * error. Returns 1 if it has done something, 0 if not, or an error. -EINVAL: what was begun cannot
 * be finished, for a sector was torn, or another system has changed it.
 */
HAL_MUST_CHECK int fat32_batch_replay(struct fat32_batch *batch, bool in_use);

/* For the files of this folder. */

/** Writes the record of the batch and flushes. */
HAL_MUST_CHECK int fat32_record_write(struct fat32_batch *batch);

/**
 * Fills the slots from the record on the card. *count: how many; 0 if there is none, or none that
 * is to be believed. `recorded` is not 0 if there is one of this volume. *torn: what it says was
 * begun and is not finished, and one of its sectors is something else.
 */
HAL_MUST_CHECK int fat32_record_read(struct fat32_batch *batch, unsigned *count, bool *torn);

/** Writes one sector and tells the hooks. */
HAL_MUST_CHECK int fat32_batch_write(struct fat32_batch *batch, uint64_t sector,
                                     const uint8_t *data);
HAL_MUST_CHECK int fat32_batch_flush(struct fat32_batch *batch);

/** True if the sector belongs to the FAT that is read. */
bool fat32_layout_in_fat(const struct fat32_layout *layout, uint64_t sector);
