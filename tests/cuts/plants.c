/* SPDX-License-Identifier: MIT */
/*
 * plants.c: bugs on purpose, to show that this harness finds such as them. The linker lets calls of
 * the functions below come here first (--wrap); flushes are forgotten by the card.
 */
#include "cuts.h"

#include "fs/fat32/batch/batch.h"
#include "fs/fat32/data/pages.h"
#include "fs/fat32/write/write.h"

#include <string.h>

enum bug {
    FORGET_ALL,
    FORGET_FIRST,
    FORGET_SECOND,
    FORGET_THIRD,
    RECORD_UNFLUSHED,
    NO_RECORD,
    NO_REPLAY,
    ENTRIES_FIRST,
    FREE_FIRST,
    CUT_FIRST,
    NO_RECOVERY,
    DATA_LATE,
    TAIL_EARLY,
    CUT_DIRTY,
    ZEROS_LATE,
    TORN_UNSEEN,
    NO_BUG
};

static const char *const names[] = {"forget-all-flushes",
                                    "forget-flushes-0-of-3",
                                    "forget-flushes-1-of-3",
                                    "forget-flushes-2-of-3",
                                    "record-unflushed",
                                    "no-record",
                                    "no-replay",
                                    "entries-first",
                                    "free-first",
                                    "cut-first",
                                    "no-recovery",
                                    "data-late",
                                    "tail-early",
                                    "cut-dirty",
                                    "zeros-late",
                                    "torn-unseen"};

static enum bug active = NO_BUG;

const char *plant_name(unsigned n)
{
    return n < NO_BUG ? names[n] : NULL;
}

static void forget(unsigned each, unsigned behind)
{
    card.forget_each = each;
    card.forget_behind = behind;
}

bool plant(const char *name)
{
    for (unsigned i = 0; i < NO_BUG; i++)
        if (strcmp(name, names[i]) == 0)
            active = (enum bug)i;
    if (active == FORGET_ALL)
        forget(1, 0);
    if (active >= FORGET_FIRST && active <= FORGET_THIRD)
        forget(3, (unsigned)(active - FORGET_FIRST));
    settings.torn_each = active == TORN_UNSEEN; /* the others are to be seen without */
    return active != NO_BUG;
}

/* ---- what calls come through here ---- */

void __real_fat32_stage_content(bool of_fat, const uint8_t *old, const uint8_t *new,
                                enum fat32_stage stage, uint8_t *to);
int __real_fat32_record_write(struct fat32_batch *batch);
int __real_fat32_record_read(struct fat32_batch *batch, unsigned *count, bool *torn);
int __real_fat32_recover(struct fat32_volume *volume, uint32_t *lost);
void __real_fat32_pages_write_fresh(struct fat32_volume *volume);
int __real_fat32_pages_before_write(struct fat32_node *node);
int __real_fat32_pages_before_cut(struct fat32_node *node, uint64_t size);

void __wrap_fat32_stage_content(bool of_fat, const uint8_t *old, const uint8_t *new,
                                enum fat32_stage stage, uint8_t *to);
int __wrap_fat32_record_write(struct fat32_batch *batch);
int __wrap_fat32_record_read(struct fat32_batch *batch, unsigned *count, bool *torn);
int __wrap_fat32_recover(struct fat32_volume *volume, uint32_t *lost);
void __wrap_fat32_pages_write_fresh(struct fat32_volume *volume);
int __wrap_fat32_pages_before_write(struct fat32_node *node);
int __wrap_fat32_pages_before_cut(struct fat32_node *node, uint64_t size);
void __real_fat32_batch_wrote(struct fat32_batch *batch);
void __wrap_fat32_batch_wrote(struct fat32_batch *batch);

int __real_fat32_batch_begin(struct fat32_batch *batch, unsigned sectors);
int __wrap_fat32_batch_begin(struct fat32_batch *batch, unsigned sectors);

/* No bug: on some volumes what the batch only does when it is full, it does each time. */
int __wrap_fat32_batch_begin(struct fat32_batch *batch, unsigned sectors)
{
    bool always = settings.geometry == 1 || settings.geometry >= 5;
    int error = always ? fat32_batch_write_claims(batch) : 0;

    return error ? error : __real_fat32_batch_begin(batch, sectors);
}

void __wrap_fat32_stage_content(bool of_fat, const uint8_t *old, const uint8_t *new,
                                enum fat32_stage stage, uint8_t *to)
{
    if (active == ENTRIES_FIRST && !of_fat && stage >= FAT32_REMOVED)
        stage = FAT32_NEW;
    if (active == FREE_FIRST && of_fat && stage >= FAT32_REMOVED)
        stage = FAT32_NEW;
    if (active == CUT_FIRST && of_fat && stage >= FAT32_REMOVED && stage < FAT32_CUT)
        stage = FAT32_CUT;
    __real_fat32_stage_content(of_fat, old, new, stage, to);
}

int __wrap_fat32_record_write(struct fat32_batch *batch)
{
    int error;

    if (active == NO_RECORD)
        return 0;
    if (active == RECORD_UNFLUSHED)
        forget(1, 0);
    error = __real_fat32_record_write(batch);
    if (active == RECORD_UNFLUSHED)
        forget(0, 0);
    return error;
}

int __wrap_fat32_record_read(struct fat32_batch *batch, unsigned *count, bool *torn)
{
    int error = 0;

    *count = 0;
    *torn = false;
    if (active != NO_REPLAY)
        error = __real_fat32_record_read(batch, count, torn);
    if (active == TORN_UNSEEN)
        *torn = false;
    return error;
}

int __wrap_fat32_recover(struct fat32_volume *volume, uint32_t *lost)
{
    *lost = 0;
    return active == NO_RECOVERY ? 0 : __real_fat32_recover(volume, lost);
}

void __wrap_fat32_pages_write_fresh(struct fat32_volume *volume)
{
    if (active != DATA_LATE)
        __real_fat32_pages_write_fresh(volume);
}

int __wrap_fat32_pages_before_write(struct fat32_node *node)
{
    return active == TAIL_EARLY ? 0 : __real_fat32_pages_before_write(node);
}

int __wrap_fat32_pages_before_cut(struct fat32_node *node, uint64_t size)
{
    return active == CUT_DIRTY ? 0 : __real_fat32_pages_before_cut(node, size);
}

/* Of what directories get; of sectors of the batch itself it is called within one object. */
void __wrap_fat32_batch_wrote(struct fat32_batch *batch)
{
    if (active == ZEROS_LATE)
        fat32_batch_wrote_data(batch);
    else
        __real_fat32_batch_wrote(batch);
}
