/* SPDX-License-Identifier: MIT */
/*
 * tree.c: directories, from the root on, each of them once: one that a chain leads to a second time
 * has an owner by then.
 */
#include "fs/check/judge.h"

#include "lib/bytes.h"
#include "lib/format.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define SLOT 32u
#define DIRECTORY_BYTES_MAX (65536u * SLOT)
#define LABEL 0x08u
#define DIRECTORY 0x10u

/* One directory that is looked at. */
struct scan {
    struct judge *judge;
    uint32_t first, parent; /* clusters; parent 0: the root is */
    bool root, ended;
    uint64_t number; /* of the slot */
    struct check_long name;
    struct check_entry entry;
    char text[40];
};

static int add_directory(struct judge *judge, uint32_t first, uint32_t parent)
{
    const struct check_means *means = judge->means;

    if (judge->pending == judge->room) {
        uint32_t room = judge->room ? judge->room * 2 : 64;
        uint32_t *larger = means->allocate(means->context, 2 * room * sizeof(*larger));

        if (!larger)
            return -ENOMEM;
        memcpy(larger, judge->directories, 2 * judge->pending * sizeof(*larger));
        means->release(means->context, judge->directories);
        judge->directories = larger;
        judge->room = room;
    }
    judge->directories[2 * judge->pending] = first;
    judge->directories[2 * judge->pending++ + 1] = parent;
    return 0;
}

static uint32_t cluster_of(const uint8_t *slot)
{
    return le16(slot + 26) | (uint32_t)le16(slot + 20) << 16;
}

/* ---- one entry ---- */

static bool is_date(unsigned date)
{
    unsigned month = date >> 5 & 15, day = date & 31;

    return month >= 1 && month <= 12 && day >= 1;
}

static bool is_time(unsigned time)
{
    return time >> 11 < 24 && (time >> 5 & 63) < 60 && (time & 31) < 30;
}

/* Zero says that a time is not kept. */
static void check_times(struct scan *scan)
{
    const uint8_t *slot = scan->entry.slot;
    unsigned created = le16(slot + 16), accessed = le16(slot + 18), changed = le16(slot + 24);

    if ((created && !is_date(created)) || !is_time(le16(slot + 14)) || slot[13] > 199 ||
        (accessed && !is_date(accessed)) || (changed && !is_date(changed)) ||
        !is_time(le16(slot + 22)))
        judge_found(scan->judge, CHECK_NOTE, "%s has a time that does not exist", scan->entry.text);
}

static int check_subdirectory(struct scan *scan)
{
    struct judge *judge = scan->judge;
    uint32_t first = cluster_of(scan->entry.slot), length;
    int error;

    judge->result->directories++;
    if (le32(scan->entry.slot + 28) != 0)
        judge_found(judge, CHECK_DAMAGE, "the directory %s has a size", scan->entry.text);
    error = judge_own(judge, first, DIRECTORY_BYTES_MAX / judge->volume.cluster_bytes + 1,
                      scan->entry.text, &length);
    if (error || length == 0)
        return error;
    return add_directory(judge, first, scan->root ? 0 : scan->first);
}

static int check_file(struct scan *scan)
{
    struct judge *judge = scan->judge;
    uint32_t first = cluster_of(scan->entry.slot), size = le32(scan->entry.slot + 28), length;
    uint32_t bytes = judge->volume.cluster_bytes;
    uint32_t need = (uint32_t)(((uint64_t)size + bytes - 1) / bytes);
    int error;

    judge->result->files++;
    if (first == 0) {
        if (size != 0)
            judge_found(judge, CHECK_DAMAGE, "%s has %u bytes and no cluster", scan->entry.text,
                        size);
        return 0;
    }
    error = judge_own(judge, first, need, scan->entry.text, &length);
    if (!error && length < need)
        judge_found(judge, CHECK_DAMAGE, "%s has %u clusters and needs %u", scan->entry.text,
                    length, need);
    return error;
}

static void check_label(struct scan *scan)
{
    struct judge *judge = scan->judge;

    if (!scan->root)
        judge_found(judge, CHECK_DAMAGE, "a label is not in the root");
    if (!check_label_is_legal(scan->entry.slot))
        judge_found(judge, CHECK_DAMAGE, "the label is not allowed");
    if (judge->labelled)
        judge_found(judge, CHECK_DAMAGE, "the root has two labels");
    if (cluster_of(scan->entry.slot) != 0)
        judge_found(judge, CHECK_DAMAGE, "the label has clusters");
    if (le32(scan->entry.slot + 28) != 0)
        judge_found(judge, CHECK_DAMAGE, "the label has a size");
    if (memcmp(scan->entry.slot, judge->volume.label, sizeof(judge->volume.label)) != 0)
        judge_found(judge, CHECK_UNTIDY, "the root's label is not that of the boot sector");
    judge->labelled = true;
}

/* The two entries that each directory but the root begins with. */
static void check_dots(struct scan *scan)
{
    static const char *const names[2] = {".          ", "..         "};
    const uint8_t *slot = scan->entry.slot;
    unsigned which = (unsigned)scan->number;
    uint32_t should = which == 0 ? scan->first : scan->parent;

    if (memcmp(slot, names[which], 11) != 0 || !(slot[11] & DIRECTORY))
        judge_found(scan->judge, CHECK_DAMAGE, "%s does not begin with . and ..", scan->text);
    else if (slot[12] & 0x20)
        judge_found(scan->judge, CHECK_DAMAGE, "entry %u of %s says that it has no short name",
                    which, scan->text);
    else if (cluster_of(slot) != should)
        judge_found(scan->judge, CHECK_DAMAGE, "entry %u of %s leads to cluster %u, not %u", which,
                    scan->text, cluster_of(slot), should);
}

static int check_entry(struct scan *scan)
{
    unsigned kind = scan->entry.slot[11] & (LABEL | DIRECTORY);
    int error;

    if (kind == LABEL) {
        judge_orphan(scan->judge, &scan->name);
        check_label(scan);
        return 0;
    }
    judge_name(scan->judge, &scan->name, &scan->entry);
    if (kind == (LABEL | DIRECTORY)) {
        judge_found(scan->judge, CHECK_DAMAGE, "%s is a label and a directory", scan->entry.text);
        return 0;
    }
    check_times(scan);
    error = judge_add_names(scan->judge, &scan->entry);
    if (error)
        return error;
    return kind == DIRECTORY ? check_subdirectory(scan) : check_file(scan);
}

/* ---- all slots ---- */

static int check_slot(struct scan *scan, const uint8_t *slot)
{
    if (scan->ended) {
        bool used = slot[0] != 0 && slot[0] != 0xE5;

        if (used)
            judge_found(scan->judge, CHECK_DAMAGE, "%s goes on behind its end", scan->text);
        return used;
    }
    if (slot[0] == 0 || slot[0] == 0xE5) {
        scan->ended = slot[0] == 0;
        judge_orphan(scan->judge, &scan->name);
        if (!scan->root && scan->number < 2)
            check_dots(scan);
        return 0;
    }
    memcpy(scan->entry.slot, slot, SLOT);
    if (!scan->root && scan->number < 2) {
        check_dots(scan);
        return 0;
    }
    if ((slot[11] & 0x3F) == 0x0F) {
        judge_long(scan->judge, &scan->name, slot);
        return 0;
    }
    return check_entry(scan);
}

/* 1: there is no point in going on. */
static int check_cluster(struct scan *scan, uint32_t cluster)
{
    uint64_t place = judge_place(scan->judge, cluster);
    int result = 0;

    for (uint32_t at = 0; at < scan->judge->volume.cluster_bytes && result == 0; at += SLOT) {
        const uint8_t *slot;

        result = judge_look(scan->judge, place + at, &slot);
        if (result == 0)
            result = check_slot(scan, slot);
        scan->number++;
    }
    return result;
}

static int check_directory(struct judge *judge, struct scan *scan, uint32_t first, uint32_t parent)
{
    uint32_t cluster = first, left = judge->volume.clusters;
    int result = 0;

    memset(scan, 0, sizeof(*scan));
    scan->judge = judge;
    scan->first = first;
    scan->parent = parent;
    scan->root = first == judge->volume.root;
    format_text(scan->text, sizeof(scan->text), "the directory at cluster %u", first);
    while (result == 0 && judge_valid(judge, cluster) && left-- > 0) {
        result = check_cluster(scan, cluster);
        if (result == 0)
            result = judge_link(judge, cluster, &cluster);
    }
    judge_orphan(judge, &scan->name);
    judge_compare_names(judge, scan->text);
    return result < 0 ? result : 0;
}

int judge_tree(struct judge *judge)
{
    const struct check_means *means = judge->means;
    struct scan *scan = means->allocate(means->context, sizeof(*scan));
    uint32_t length;
    int error = scan ? 0 : -ENOMEM;

    if (!error)
        error = judge_own(judge, judge->volume.root, UINT32_MAX, "the root", &length);
    if (!error)
        error = add_directory(judge, judge->volume.root, 0);
    while (!error && judge->pending > 0) {
        uint32_t *last = &judge->directories[2 * --judge->pending];

        error = check_directory(judge, scan, last[0], last[1]);
    }
    if (!error && !judge->labelled && memcmp(judge->volume.label, "NO NAME    ", 11) != 0)
        judge_found(judge, CHECK_UNTIDY, "the boot sector has a label that the root has not");
    means->release(means->context, scan);
    return error;
}
