/* SPDX-License-Identifier: MIT */
/*
 * batch.c: transactions in memory, and the stages of their way to the card. See batch.h.
 *
 * A slot keeps three contents of its sector: on the card, now, and before the open transaction.
 * There are few slots, so they are searched one by one; all memory is had at mount.
 */
#include "fs/fat32/batch/batch.h"

#include "boot/panic.h"
#include "heap/heap.h"
#include "lib/log.h"

#include <hal/errno.h>
#include <hal/runtime.h>

int fat32_batch_init(struct fat32_batch *batch, const struct block_device *device,
                     const struct fat32_layout *layout, const struct fat32_batch_hooks *hooks,
                     void *context)
{
    memset(batch, 0, sizeof(*batch));
    batch->device = device;
    batch->layout = layout;
    batch->hooks = hooks;
    batch->context = context;
    /* And one more sector, to write from: what is not aligned takes memory, which may be short. */
    batch->work = kmalloc_aligned((FAT32_RECORD_MAX + 1) * HAL_SECTOR_SIZE, HAL_BLOCK_ALIGN);
    return batch->work ? 0 : -ENOMEM;
}

void fat32_batch_finish(struct fat32_batch *batch)
{
    kfree(batch->work);
    batch->work = NULL;
}

bool fat32_layout_in_fat(const struct fat32_layout *layout, uint64_t sector)
{
    return sector >= layout->fat[0] && sector - layout->fat[0] < layout->fat_sectors;
}

/* ---- transactions ---- */

static struct fat32_slot *find(struct fat32_batch *batch, uint64_t sector)
{
    for (unsigned i = 0; i < batch->used; i++)
        if (batch->slots[i].sector == sector)
            return &batch->slots[i];
    return NULL;
}

const uint8_t *fat32_batch_look(const struct fat32_batch *batch, uint64_t sector)
{
    const struct fat32_slot *slot = find((struct fat32_batch *)batch, sector);

    return slot ? slot->now : NULL;
}

const uint8_t *fat32_batch_card(const struct fat32_batch *batch, uint64_t sector)
{
    const struct fat32_slot *slot = find((struct fat32_batch *)batch, sector);

    return slot ? slot->old : NULL;
}

bool fat32_batch_changes(const struct fat32_batch *batch, uint64_t sector, uint64_t n)
{
    for (unsigned i = 0; i < batch->used; i++)
        if (batch->slots[i].sector >= sector && batch->slots[i].sector - sector < n)
            return true;
    return false;
}

/* How many sectors a batch can change. */
static unsigned capacity(const struct fat32_batch *batch)
{
    unsigned room = batch->layout->record_sectors;

    return room < 3 || room - 2 > FAT32_BATCH_MAX ? FAT32_BATCH_MAX : room - 2;
}

/* True if each operation has to be written by itself. */
static bool without_record(const struct fat32_batch *batch)
{
    return batch->layout->record_sectors < 3;
}

static int add_slot(struct fat32_batch *batch, uint64_t sector, struct fat32_slot **slot)
{
    int error;

    if (batch->used == capacity(batch))
        return -E2BIG;
    *slot = &batch->slots[batch->used];
    error = batch->hooks->read(batch->context, sector, (*slot)->old);
    if (error)
        return error;
    (*slot)->sector = sector;
    (*slot)->of_fat = fat32_layout_in_fat(batch->layout, sector);
    (*slot)->saved = false;
    memcpy((*slot)->now, (*slot)->old, HAL_SECTOR_SIZE);
    batch->used++;
    return 0;
}

int fat32_batch_change(struct fat32_batch *batch, uint64_t sector, uint8_t **data)
{
    struct fat32_slot *slot = find(batch, sector);
    int error = 0;

    kassert(batch->open);
    if (!slot)
        error = add_slot(batch, sector, &slot);
    if (error)
        return error;
    if (!slot->saved)
        memcpy(slot->undo, slot->now, HAL_SECTOR_SIZE);
    slot->saved = true;
    *data = slot->now;
    return 0;
}

static void close(struct fat32_batch *batch)
{
    kassert(batch->open);
    batch->open = false;
    for (unsigned i = 0; i < batch->used; i++)
        batch->slots[i].saved = false;
}

void fat32_batch_commit(struct fat32_batch *batch)
{
    close(batch);
}

void fat32_batch_abort(struct fat32_batch *batch)
{
    for (unsigned i = 0; i < batch->begun; i++)
        if (batch->slots[i].saved)
            memcpy(batch->slots[i].now, batch->slots[i].undo, HAL_SECTOR_SIZE);
    batch->used = batch->begun;
    close(batch);
}

void fat32_batch_wrote_data(struct fat32_batch *batch)
{
    __atomic_store_n(&batch->unflushed, true, __ATOMIC_RELEASE);
}

void fat32_batch_wrote(struct fat32_batch *batch)
{
    batch->awaited = true;
    fat32_batch_wrote_data(batch);
}

/* ---- writing ---- */

int fat32_batch_write(struct fat32_batch *batch, uint64_t sector, const uint8_t *data)
{
    uint8_t *aligned = batch->work + FAT32_RECORD_MAX * HAL_SECTOR_SIZE;
    int error;

    memcpy(aligned, data, HAL_SECTOR_SIZE);
    error = block_write(batch->device, sector, aligned, 1);
    batch->writes++;
    fat32_batch_wrote(batch);
    batch->hooks->written(batch->context, sector, error ? NULL : data);
    return error;
}

int fat32_batch_flush(struct fat32_batch *batch)
{
    int error;

    /* What is written from here on may be too late for this flush. */
    if (!__atomic_exchange_n(&batch->unflushed, false, __ATOMIC_ACQ_REL))
        return 0;
    error = block_flush(batch->device);
    batch->flushes++;
    if (error)
        fat32_batch_wrote_data(batch);
    else
        batch->awaited = false;
    return error;
}

/* Writes a sector, and if it is of the FAT its copies. */
static int write_slot(struct fat32_batch *batch, const struct fat32_slot *slot, const uint8_t *data)
{
    const struct fat32_layout *layout = batch->layout;
    int error = fat32_batch_write(batch, slot->sector, data);

    for (unsigned copy = 1; slot->of_fat && copy < layout->fats && !error; copy++)
        error = fat32_batch_write(batch, slot->sector - layout->fat[0] + layout->fat[copy], data);
    return error;
}

/* True if the sector changes on its way from `stage` - 1 to `stage`; `to` is what it becomes. */
static bool changes_at(const struct fat32_slot *slot, enum fat32_stage stage, uint8_t *to)
{
    uint8_t before[HAL_SECTOR_SIZE];

    fat32_stage_content(slot->of_fat, slot->old, slot->now, stage - 1, before);
    fat32_stage_content(slot->of_fat, slot->old, slot->now, stage, to);
    return memcmp(before, to, HAL_SECTOR_SIZE) != 0;
}

/* A bit for each stage at which the sector changes. */
static unsigned stages_of(const struct fat32_slot *slot)
{
    uint8_t contents[2][HAL_SECTOR_SIZE]; /* at this stage, and at the one before */
    unsigned stages = 0;

    fat32_stage_content(slot->of_fat, slot->old, slot->now, FAT32_OLD, contents[FAT32_OLD % 2]);
    for (unsigned stage = FAT32_OLD + 1; stage < FAT32_STAGES; stage++) {
        fat32_stage_content(slot->of_fat, slot->old, slot->now, stage, contents[stage % 2]);
        if (memcmp(contents[0], contents[1], HAL_SECTOR_SIZE) != 0)
            stages |= 1u << stage;
    }
    return stages;
}

/*
 * If one sector alone is the tree of files, and no link depends on what vanishes from it, it can
 * lose and get entries in one write. Which it is, or `used`.
 */
static unsigned find_deciding(const struct fat32_batch *batch, const uint8_t *stages, unsigned all)
{
    const unsigned both = 1u << FAT32_REMOVED | 1u << FAT32_ENTERED;
    unsigned found = batch->used;

    for (unsigned i = 0; i < batch->used; i++) {
        if (batch->slots[i].of_fat || stages[i] == 0)
            continue;
        if (found < batch->used || stages[i] != both || all >> FAT32_LINKED & 1)
            return batch->used;
        found = i;
    }
    return found;
}

/*
 * If links change in one sector only, nothing but they depends on what is claimed in it, and it can
 * do both in one write.
 */
static void join_links(const struct fat32_batch *batch, uint8_t *stages)
{
    unsigned links = 0, at = 0;

    for (unsigned i = 0; i < batch->used; i++) {
        if (!(stages[i] >> FAT32_LINKED & 1))
            continue;
        at = i;
        links++;
    }
    if (links == 1)
        stages[at] &= (uint8_t) ~(1u << FAT32_CLAIMED);
}

/* Fills `stages` with the stages at which each sector is to be written; all of them together. */
static unsigned plan(const struct fat32_batch *batch, uint8_t *stages)
{
    unsigned all = 0, deciding;

    for (unsigned i = 0; i < batch->used; i++)
        all |= stages[i] = (uint8_t)stages_of(&batch->slots[i]);
    deciding = find_deciding(batch, stages, all);
    if (deciding < batch->used)
        stages[deciding] = 1u << FAT32_ENTERED;
    join_links(batch, stages);
    all = 0;
    for (unsigned i = 0; i < batch->used; i++)
        all |= stages[i];
    return all;
}

/* How many sectors change at stage `stage` or later, and one of them. */
static unsigned count_from(struct fat32_batch *batch, const uint8_t *stages, unsigned stage,
                           unsigned *one)
{
    unsigned count = 0;

    for (unsigned i = 0; i < batch->used; i++) {
        if (stages[i] >> stage == 0)
            continue;
        *one = i;
        count++;
    }
    return count;
}

static int write_stage(struct fat32_batch *batch, const uint8_t *stages, unsigned stage)
{
    uint8_t content[HAL_SECTOR_SIZE];
    int error = 0;

    for (unsigned i = 0; i < batch->used && !error; i++) {
        if (!(stages[i] >> stage & 1))
            continue;
        (void)changes_at(&batch->slots[i], stage, content);
        error = write_slot(batch, &batch->slots[i], content);
    }
    return error;
}

/*
 * At which stage a batch begins. *early: with claims, or with links of files to what is claimed,
 * neither of which depends on the data that was written before.
 */
static enum fat32_stage first_stage(struct fat32_batch *batch, const uint8_t *stages, unsigned all,
                                    bool *early)
{
    enum fat32_stage first = FAT32_REMOVED;
    unsigned one;

    while (!(all >> first & 1))
        first++;
    *early = first == FAT32_CLAIMED || (first == FAT32_LINKED && !batch->awaited);
    for (unsigned i = 0; first == FAT32_LINKED && i < batch->used; i++)
        *early &= batch->slots[i].of_fat || !(stages[i] >> FAT32_LINKED & 1);
    *early &= count_from(batch, stages, first, &one) > 1;
    return first;
}

/* Brings all slots from one stage to the next until they are new; or goes on with that. */
static int apply(struct fat32_batch *batch)
{
    uint8_t stages[FAT32_BATCH_MAX];
    unsigned all = plan(batch, stages), last = 0;
    bool early = false;
    int error;

    if (batch->stage == FAT32_OLD && all)
        batch->stage = first_stage(batch, stages, all, &early);
    error = early ? 0 : fat32_batch_flush(batch);
    while (!error && all >> batch->stage > 0) {
        bool alone = count_from(batch, stages, batch->stage, &last) == 1;

        /* A sector that is the last one can go all the way at once. */
        error = alone ? write_slot(batch, &batch->slots[last], batch->slots[last].now)
                      : write_stage(batch, stages, batch->stage);
        if (!error)
            error = fat32_batch_flush(batch);
        if (!error)
            batch->stage = alone ? FAT32_STAGES : batch->stage + 1;
    }
    if (error)
        return error;
    batch->stage = FAT32_OLD;
    batch->used = 0;
    return 0;
}

/* ---- checkpoints ---- */

/* Takes out the slots whose sectors are as they were. */
static void drop_unchanged(struct fat32_batch *batch)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < batch->used; i++) {
        if (memcmp(batch->slots[i].old, batch->slots[i].now, HAL_SECTOR_SIZE) == 0)
            continue;
        if (kept != i)
            batch->slots[kept] = batch->slots[i];
        kept++;
    }
    batch->used = kept;
}

/* True if both halves of the sector change: torn in the middle it might be neither old nor new. */
static bool changes_widely(const struct fat32_slot *slot)
{
    const size_t half = HAL_SECTOR_SIZE / 2;

    return !slot->of_fat && memcmp(slot->old, slot->now, half) != 0 &&
           memcmp(slot->old + half, slot->now + half, half) != 0;
}

/*
 * The tree of files changes where directories do, at REMOVED or at ENTERED. If that is one write of
 * one sector, then this decides, and a record could only say what to do if the sector is torn.
 */
static bool needs_record(const struct fat32_batch *batch)
{
    const unsigned tree = 1u << FAT32_REMOVED | 1u << FAT32_LINKED | 1u << FAT32_ENTERED;
    uint8_t stages[FAT32_BATCH_MAX];
    unsigned writes = 0;

    if (without_record(batch))
        return false;
    (void)plan(batch, stages);
    for (unsigned i = 0; i < batch->used; i++)
        if (changes_widely(&batch->slots[i]))
            return true;
    for (unsigned i = 0; i < batch->used; i++)
        if (!batch->slots[i].of_fat)
            for (unsigned rest = stages[i] & tree; rest; rest &= rest - 1)
                writes++;
    return writes > 1 && batch->used > 1;
}

/* True if the record on the card is about a sector that is going to change. */
static bool record_is_in_the_way(const struct fat32_batch *batch)
{
    for (unsigned i = 0; i < batch->recorded; i++)
        if (fat32_batch_look(batch, batch->record_targets[i]))
            return true;
    return false;
}

/* Stage 1, or seeing to it that an older record cannot undo what stage 2 is going to do. */
static int prepare(struct fat32_batch *batch)
{
    int error = batch->hooks->before(batch->context);

    if (error)
        return error;
    if (needs_record(batch))
        return fat32_record_write(batch);
    return record_is_in_the_way(batch) ? fat32_batch_void(batch) : 0;
}

int fat32_batch_checkpoint(struct fat32_batch *batch)
{
    int error = 0;

    kassert(!batch->open);
    if (batch->stage == FAT32_OLD) {
        drop_unchanged(batch);
        error = prepare(batch);
    }
    if (!error)
        error = apply(batch);
    if (!error)
        batch->hooks->after(batch->context);
    return error;
}

int fat32_batch_void(struct fat32_batch *batch)
{
    int error;

    if (batch->recorded == 0)
        return 0;
    memset(batch->work, 0, HAL_SECTOR_SIZE);
    error = fat32_batch_write(batch, batch->layout->record[0], batch->work);
    if (!error)
        error = fat32_batch_flush(batch);
    if (!error)
        batch->recorded = 0;
    return error;
}

/* ---- making room ---- */

/* True if all that the batch does to the sector is to claim clusters in it. */
static bool only_claims(const struct fat32_slot *slot)
{
    uint8_t content[HAL_SECTOR_SIZE];

    if (!slot->of_fat)
        return false;
    fat32_stage_content(true, slot->old, slot->now, FAT32_CLAIMED, content);
    return memcmp(content, slot->now, HAL_SECTOR_SIZE) == 0;
}

int fat32_batch_write_claims(struct fat32_batch *batch)
{
    unsigned kept = 0, at;
    int error;

    if (batch->stage != FAT32_OLD || without_record(batch))
        return 0;
    error = record_is_in_the_way(batch) ? fat32_batch_void(batch) : 0;

    for (at = 0; at < batch->used && !error; at++) {
        if (only_claims(&batch->slots[at])) {
            error = write_slot(batch, &batch->slots[at], batch->slots[at].now);
            if (!error)
                continue;
        }
        if (kept != at)
            batch->slots[kept] = batch->slots[at];
        kept++;
    }
    for (; at < batch->used; at++)
        batch->slots[kept++] = batch->slots[at];
    batch->used = kept;
    return error;
}

int fat32_batch_begin(struct fat32_batch *batch, unsigned sectors)
{
    int error = 0;

    kassert(!batch->open);
    if (sectors > capacity(batch))
        return -E2BIG;
    if (batch->used + sectors > capacity(batch))
        error = fat32_batch_write_claims(batch);
    if (!error && (batch->stage != FAT32_OLD || batch->used + sectors > capacity(batch) ||
                   (batch->used > 0 && without_record(batch))))
        error = fat32_batch_checkpoint(batch);
    if (error)
        return error;
    batch->open = true;
    batch->begun = batch->used;
    return 0;
}

int fat32_batch_replay(struct fat32_batch *batch, bool in_use)
{
    unsigned count = 0;
    bool torn = false;
    int error = without_record(batch) ? 0 : fat32_record_read(batch, &count, &torn);

    if (!error && in_use && torn) {
        klog(KLOG_WARNING,
             "%s: an operation was cut off, and cannot be completed: a sector that it changes was "
             "written by somebody else, or is spoilt",
             batch->device->name);
        error = -EINVAL;
    }
    if (!error && in_use)
        error = apply(batch);
    batch->used = 0;
    if (!error)
        error = fat32_batch_void(batch);
    return error ? error : in_use && count > 0;
}
