/* SPDX-License-Identifier: MIT */
/*
 * directory.c: one directory after the other: read as a whole, put right in memory, and written
 * where it has changed.
 */
#include "fs/repair/work.h"

#include "lib/bytes.h"
#include "lib/format.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define SECTOR 512u
#define ERASED 0xE5u
#define LABEL 0x08u
#define DIRECTORY 0x10u
#define YEAR_1980 0x21u /* its first day */

/* ---- reading and writing ---- */

/* Goes through the clusters of a directory, reading or writing. */
static int transfer(struct repair_directory *directory, bool writing)
{
    struct repair *repair = directory->repair;
    uint32_t bytes = directory->count * REPAIR_SLOT, cluster = directory->first;
    int error = 0;

    for (uint32_t at = 0; at < bytes && !error; at += repair->volume.cluster_bytes) {
        uint64_t place =
            repair->volume.data + (uint64_t)(cluster - 2) * repair->volume.cluster_bytes;

        if (!writing)
            error = repair_read(repair, place, directory->slots + at, repair->volume.cluster_bytes);
        for (uint32_t i = 0; writing && i < repair->volume.cluster_bytes && !error; i += SECTOR)
            if (directory->changed[(at + i) / SECTOR])
                error = repair_write(repair, place + i, directory->slots + at + i, SECTOR);
        cluster = repair_link(repair, cluster);
    }
    return error;
}

static void release(struct repair_directory *directory)
{
    repair_release(directory->repair, directory->slots);
    repair_release(directory->repair, directory->changed);
}

int repair_load_directory(struct repair_directory *directory, uint32_t length)
{
    uint32_t bytes = length * directory->repair->volume.cluster_bytes;
    int error = -ENOMEM;

    directory->count = bytes / REPAIR_SLOT;
    directory->slots = repair_allocate(directory->repair, bytes);
    directory->changed = repair_allocate(directory->repair, bytes / SECTOR);
    if (directory->slots && directory->changed)
        error = transfer(directory, false);
    if (error)
        release(directory);
    return error;
}

int repair_store_directory(struct repair_directory *directory)
{
    int error = transfer(directory, true);

    release(directory);
    return error;
}

void repair_change(struct repair_directory *directory, uint32_t number)
{
    directory->changed[number * REPAIR_SLOT / SECTOR] = 1;
}

/* ---- slots ---- */

static uint8_t *slot_of(const struct repair_directory *directory, uint32_t number)
{
    return directory->slots + number * REPAIR_SLOT;
}

static void erase(struct repair_directory *directory, uint32_t from, uint32_t to)
{
    for (; from < to; from++) {
        slot_of(directory, from)[0] = ERASED;
        repair_change(directory, from);
    }
}

/* Slots of long names that no entry follows. */
static void erase_orphans(struct repair_directory *directory, uint32_t from, uint32_t to)
{
    if (from < to)
        repair_say(directory->repair, "%u slots of a long name had no entry", to - from);
    erase(directory, from, to);
}

static uint32_t cluster_of(const uint8_t *slot)
{
    return le16(slot + 26) | (uint32_t)le16(slot + 20) << 16;
}

static void set_start(struct repair_directory *directory, uint32_t number, uint32_t cluster,
                      uint32_t size)
{
    uint8_t *slot = slot_of(directory, number);

    if (cluster == cluster_of(slot) && size == le32(slot + 28))
        return;
    put_le16(slot + 20, (uint16_t)(cluster >> 16));
    put_le16(slot + 26, (uint16_t)cluster);
    put_le32(slot + 28, size);
    repair_change(directory, number);
}

static void mend_dots(struct repair_directory *directory, uint32_t number)
{
    static const char *const names[2] = {".          ", "..         "};
    uint8_t *slot = slot_of(directory, number);
    uint32_t should = number == 0 ? directory->first : directory->parent;

    if (memcmp(slot, names[number], 11) == 0 && (slot[11] & (LABEL | DIRECTORY)) == DIRECTORY &&
        cluster_of(slot) == should && le32(slot + 28) == 0 && !(slot[12] & 0x20))
        return;
    repair_say(directory->repair, "entry %u of the directory at cluster %u was wrong", number,
               directory->first);
    memset(slot, 0, REPAIR_SLOT);
    memcpy(slot, names[number], 11);
    slot[11] = DIRECTORY;
    put_le16(slot + 24, YEAR_1980);
    repair_change(directory, number);
    set_start(directory, number, should, 0);
}

/* ---- entries ---- */

/* An entry that is looked at. */
struct item {
    struct repair_directory *directory;
    uint32_t number;
    uint32_t first; /* of its long name's slots, if any */
    char name[16];
};

static void mend_label(const struct item *item)
{
    struct repair *repair = item->directory->repair;
    const uint8_t *slot = slot_of(item->directory, item->number);

    if (!item->directory->root || repair->labelled || !check_label_is_legal(slot)) {
        repair_say(repair, "a label was one that cannot be, or where none can be");
        erase(item->directory, item->number, item->number + 1);
        return;
    }
    repair->labelled = true;
    memcpy(repair->label, slot, sizeof(repair->label));
    set_start(item->directory, item->number, 0, 0);
}

static int push(struct repair *repair, uint32_t first, uint32_t parent)
{
    if (repair->pending_count == repair->pending_room) {
        uint32_t room = repair->pending_room ? repair->pending_room * 2 : 64;
        uint32_t *larger = repair_allocate(repair, 2 * room * sizeof(*larger));

        if (!larger)
            return -ENOMEM;
        memcpy(larger, repair->pending, 2 * repair->pending_count * sizeof(*larger));
        repair_release(repair, repair->pending);
        repair->pending = larger;
        repair->pending_room = room;
    }
    repair->pending[2 * repair->pending_count] = first;
    repair->pending[2 * repair->pending_count++ + 1] = parent;
    return 0;
}

static uint32_t directory_most(const struct repair *repair)
{
    return REPAIR_DIRECTORY_MAX / repair->volume.cluster_bytes;
}

static int mend_subdirectory(const struct item *item)
{
    struct repair_directory *directory = item->directory;
    struct repair *repair = directory->repair;
    const uint8_t *slot = slot_of(directory, item->number);
    uint32_t first = cluster_of(slot);

    if (repair_own(repair, first, directory_most(repair), item->name) == 0) {
        repair_say(repair, "the directory %s was nowhere", item->name);
        erase(directory, item->first, item->number + 1);
        return 0;
    }
    if (le32(slot + 28) != 0)
        repair_say(repair, "the directory %s had a size", item->name);
    set_start(directory, item->number, first, 0);
    return push(repair, first, directory->root ? 0 : directory->first);
}

static void mend_file(const struct item *item)
{
    struct repair_directory *directory = item->directory;
    struct repair *repair = directory->repair;
    const uint8_t *slot = slot_of(directory, item->number);
    uint32_t first = cluster_of(slot), size = le32(slot + 28), bytes, length;
    uint32_t need;

    bytes = repair->volume.cluster_bytes;
    need = (uint32_t)(((uint64_t)size + bytes - 1) / bytes);
    length = repair_own(repair, first, need, item->name);
    if (length < need) {
        repair_say(repair, "%s said %u bytes and had %u clusters", item->name, size, length);
        size = length * bytes;
    } else if (need == 0 && first != 0) {
        repair_say(repair, "%s was empty and had clusters", item->name);
    }
    set_start(directory, item->number, length ? first : 0, size);
}

/* A name that is legal, and there once; otherwise another one. */
static int mend_name(struct item *item, uint32_t long_first, const uint16_t *units, unsigned n)
{
    struct repair *repair = item->directory->repair;
    uint8_t *slot = slot_of(item->directory, item->number);
    uint64_t short_hash = check_hash_short(slot), hash = check_hash_long(units, n);
    bool legal = check_short_is_legal(slot);
    int error;

    if (!legal || repair_has_name(repair, short_hash) || (n && repair_has_name(repair, hash))) {
        erase(item->directory, long_first, item->number);
        repair_rename(repair, slot, "REN");
        repair_change(item->directory, item->number);
        repair_say(repair, "%s, whose name was %s, has another one", item->name,
                   legal ? "there twice" : "not allowed");
        repair_name_text(slot, item->name);
        item->first = item->number;
        return repair_add_name(repair, check_hash_short(slot));
    }
    error = repair_add_name(repair, short_hash);
    if (!error && n)
        error = repair_add_name(repair, hash);
    return error;
}

/* An entry; the slots of long names from `run` on are before it. */
static int mend_entry(struct repair_directory *directory, uint32_t run, uint32_t number)
{
    struct item item = {.directory = directory, .number = number, .first = number};
    uint8_t *slot = slot_of(directory, number);
    unsigned kind = slot[11] & (LABEL | DIRECTORY), n = 0;
    uint16_t units[260];
    int error;

    repair_name_text(slot, item.name);
    if (kind & LABEL) {
        erase_orphans(directory, run, number);
        if (kind == LABEL) {
            mend_label(&item);
            return 0;
        }
        repair_say(directory->repair, "%s was a label and a directory", item.name);
        erase(directory, number, number + 1);
        return 0;
    }
    if (slot[12] & 0x20) {
        repair_say(directory->repair, "%s said that it had no short name", item.name);
        slot[12] &= (uint8_t)~0x20u;
        repair_change(directory, number);
    }
    item.first = number - repair_long_slots(directory, run, number, units, &n);
    erase_orphans(directory, run, item.first);
    error = mend_name(&item, item.first, units, n);
    if (error)
        return error;
    if (kind == DIRECTORY)
        return mend_subdirectory(&item);
    mend_file(&item);
    return 0;
}

/* A slot of a long name has no cluster, and there is one kind of them. */
static void mend_long(struct repair_directory *directory, uint32_t number)
{
    uint8_t *slot = slot_of(directory, number);

    if (le16(slot + 26) == 0 && slot[12] == 0)
        return;
    repair_say(directory->repair, "a slot of a long name had a cluster, or an unknown kind");
    slot[12] = 0;
    put_le16(slot + 26, 0);
    repair_change(directory, number);
}

/* ---- directories ---- */

static int mend_slots(struct repair_directory *directory, uint32_t number, bool ended)
{
    uint32_t run = number; /* slots of long names from here on wait for their entry */
    int error = 0;

    for (; number < directory->count && !error; number++) {
        uint8_t *slot = slot_of(directory, number);
        bool used = slot[0] != 0 && slot[0] != ERASED;

        if (ended && used) {
            repair_say(directory->repair, "the directory at cluster %u went on behind its end",
                       directory->first);
            memset(slot, 0, REPAIR_SLOT);
            repair_change(directory, number);
        } else if (!ended && !used) {
            ended = slot[0] == 0;
            erase_orphans(directory, run, number);
        } else if (!ended && (slot[11] & 0x3F) == 0x0F) {
            mend_long(directory, number);
            continue;
        } else if (!ended) {
            error = mend_entry(directory, run, number);
        }
        run = number + 1;
    }
    erase_orphans(directory, run, directory->count);
    return error;
}

static int mend_directory(struct repair *repair, uint32_t first, uint32_t parent)
{
    struct repair_directory directory = {
        .repair = repair, .first = first, .parent = parent, .root = first == repair->volume.root};
    uint32_t length = 0, start = directory.root ? 0 : 2;
    bool ended = false;
    int error;

    for (uint32_t c = first; repair_valid(repair, c); c = repair_link(repair, c))
        length++;
    error = repair_load_directory(&directory, length);
    if (error)
        return error;
    for (uint32_t i = 0; i < start; i++) {
        ended |= slot_of(&directory, i)[0] == 0;
        mend_dots(&directory, i);
    }
    repair_forget_names(repair);
    error = mend_slots(&directory, start, ended);
    if (error) {
        release(&directory);
        return error;
    }
    return repair_store_directory(&directory);
}

/* The root is where the boot sector says, or a new one. */
static int own_root(struct repair *repair)
{
    uint32_t root = repair->volume.root;

    if (repair_valid(repair, root)) {
        uint32_t link = repair_link(repair, root);

        if (link == 0 || link == REPAIR_LINK_BAD) {
            repair_say(repair, "the root's cluster was marked as %s", link ? "bad" : "free");
            repair_set_link(repair, root, REPAIR_LINK_END);
        }
        (void)repair_own(repair, root, directory_most(repair), "the root");
        return push(repair, root, 0);
    }
    return -EINVAL;
}

int repair_tree(struct repair *repair)
{
    int error = own_root(repair);

    while (!error && repair->pending_count > 0) {
        const uint32_t *last = &repair->pending[2 * --repair->pending_count];

        error = mend_directory(repair, last[0], last[1]);
    }
    return error;
}
