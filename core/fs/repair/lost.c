/* SPDX-License-Identifier: MIT */
/*
 * lost.c: clusters that the FAT says are in use, and that no file has.
 */
#include "fs/repair/work.h"

#include "lib/bytes.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define SAVED_MAX 512u
#define ERASED 0xE5u
#define ARCHIVE 0x20u
#define YEAR_1980 0x21u

static bool is_lost(const struct repair *repair, uint32_t cluster)
{
    uint32_t link = repair_link(repair, cluster);

    return link != 0 && link != REPAIR_LINK_BAD && !repair_is_owned(repair, cluster);
}

static void free_all(struct repair *repair)
{
    for (uint32_t cluster = 2; cluster < repair->volume.clusters + 2; cluster++) {
        if (!is_lost(repair, cluster))
            continue;
        repair_set_link(repair, cluster, 0);
        repair->result->freed++;
    }
    if (repair->result->freed)
        repair_say(repair, "%u clusters were nobody's", repair->result->freed);
}

/* ---- as files ---- */

/* The root grows by a cluster of zeros. */
static int extend(struct repair_directory *root, uint32_t length)
{
    struct repair *repair = root->repair;
    uint32_t last = root->first, cluster;

    if (length >= REPAIR_DIRECTORY_MAX / repair->volume.cluster_bytes)
        return -ENOSPC;
    cluster = repair_take(repair);
    if (!cluster)
        return -ENOSPC;
    while (repair_valid(repair, repair_link(repair, last)))
        last = repair_link(repair, last);
    repair_set_link(repair, last, cluster);
    return 0;
}

static uint32_t count_root(const struct repair *repair)
{
    uint32_t length = 0;

    for (uint32_t c = repair->volume.root; repair_valid(repair, c); c = repair_link(repair, c))
        length++;
    return length;
}

/* Reads the root and finds a free slot in it. */
static int open_root(struct repair_directory *root, uint32_t *number)
{
    uint32_t length = count_root(root->repair), had;
    int error = repair_load_directory(root, length);

    if (error)
        return error;
    for (*number = 0; *number < root->count; ++*number) {
        uint8_t first = root->slots[*number * REPAIR_SLOT];

        if (first == 0 || first == ERASED)
            return 0;
    }
    had = root->count;
    error = repair_store_directory(root);
    if (!error)
        error = extend(root, length);
    if (!error)
        error = repair_load_directory(root, length + 1);
    if (error)
        return error;
    memset(root->slots + had * REPAIR_SLOT, 0, (root->count - had) * REPAIR_SLOT);
    for (uint32_t i = had; i < root->count; i++)
        repair_change(root, i);
    *number = had;
    return 0;
}

/* The names that the root has, so that a new one is another. */
static int note_names(const struct repair_directory *root)
{
    int error = 0;

    repair_forget_names(root->repair);
    for (uint32_t i = 0; i < root->count && !error; i++) {
        const uint8_t *slot = root->slots + i * REPAIR_SLOT;

        if (slot[0] != 0 && slot[0] != ERASED && (slot[11] & 0x3F) != 0x0F)
            error = repair_add_name(root->repair, check_hash_short(slot));
    }
    return error;
}

static int save(struct repair *repair, uint32_t first)
{
    struct repair_directory root = {.repair = repair, .first = repair->volume.root, .root = true};
    uint32_t most = UINT32_MAX / repair->volume.cluster_bytes, number = 0, length;
    int error = open_root(&root, &number), stored;
    uint8_t *slot;

    if (error)
        return error;
    error = note_names(&root);
    if (!error) {
        slot = root.slots + number * REPAIR_SLOT;
        memset(slot, 0, REPAIR_SLOT);
        repair_rename(repair, slot, "REC");
        slot[11] = ARCHIVE;
        put_le16(slot + 24, YEAR_1980);
        length = repair_own(repair, first, most, "a lost chain");
        put_le16(slot + 20, (uint16_t)(first >> 16));
        put_le16(slot + 26, (uint16_t)first);
        put_le32(slot + 28, length * repair->volume.cluster_bytes);
        repair_change(&root, number);
        repair->result->saved++;
        repair_say(repair, "%u clusters that were nobody's are a file now", length);
    }
    stored = repair_store_directory(&root);
    return error ? error : stored;
}

/* Sets a bit for each lost cluster that another lost one leads to. */
static void find_followers(const struct repair *repair, uint8_t *followers)
{
    for (uint32_t cluster = 2; cluster < repair->volume.clusters + 2; cluster++) {
        uint32_t next = repair_link(repair, cluster);

        if (is_lost(repair, cluster) && repair_valid(repair, next))
            followers[next / 8] |= (uint8_t)(1u << next % 8);
    }
}

/* Saves the chains that nothing leads to; with `all` what is left, which is circles. */
static int save_chains(struct repair *repair, const uint8_t *followers, bool all)
{
    int error = 0;

    for (uint32_t cluster = 2; cluster < repair->volume.clusters + 2 && !error; cluster++) {
        bool follows = followers[cluster / 8] >> cluster % 8 & 1;

        if (!is_lost(repair, cluster) || (follows && !all))
            continue;
        if (repair->result->saved == SAVED_MAX)
            return -ENOSPC;
        error = save(repair, cluster);
    }
    return error;
}

int repair_lost(struct repair *repair)
{
    uint8_t *followers;
    int error = 0;

    if (repair->options->save_lost) {
        followers = repair_allocate(repair, (repair->volume.clusters + 2) / 8 + 1);
        if (!followers)
            return -ENOMEM;
        find_followers(repair, followers);
        error = save_chains(repair, followers, false);
        if (!error)
            error = save_chains(repair, followers, true);
        repair_release(repair, followers);
    }
    if (error && error != -ENOSPC)
        return error;
    free_all(repair); /* also what there was no room for */
    return 0;
}
