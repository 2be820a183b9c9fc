/* SPDX-License-Identifier: MIT */
/*
 * fat32.c: a fuzzer over a whole card: mount it, list everything, read everything; then change it.
 *
 * The input is the card, all of it. Random bytes would hardly ever be a card, so the mutator starts
 * from the sample card of tests/unit/fs and changes what is believed: the partition table, the boot
 * sector, links of the FAT, slots of directories. It may not crash, hang, leak or read outside its
 * memory, whatever is on the card.
 *
 * What is changed stands in the card as well, where other cards have a program for the PC: in the
 * bytes before the partition table, each of which is an operation, with those that follow it as its
 * arguments. A volume in which the checker finds nothing has to be as good afterwards.
 *
 *     fuzz-fat32 -runs=1000000        as long as wanted; the last line says how many were tried
 *     fuzz-fat32 crash-...            one input again
 */
#include "../unit/check_memory.h"
#include "../unit/fake_hal.h"
#include "../unit/fake_heap.h"
#include "../unit/fs/sample.h"
#include "../unit/fs/walk.h"

#include "fs/check/check.h"
#include "fs/root/root.h"
#include "fs/vfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUESTS_MAX 200000u
#define ENTRIES_MAX 500u
#define SCRIPT_BYTES 440u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/** Opens a few paths that go through names, case and dots. */
static void open_paths(void)
{
    static const char *const paths[] = {"/dir/sub/DEEP.TXT", "/DIR/../whole.txt", "/nothing/here",
                                        "/a long \u00dcnicode \U0001F353.txt", "/alongn~1.txt/"};

    for (unsigned i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct vnode *vnode = NULL;

        if (vfs_find(NULL, paths[i], 0, &vnode) == 0)
            vnode_put(vnode);
    }
}

/* ---- changes ---- */

static const char *const names[] = {
    "/WHOLE.TXT",
    "/dir",
    "/dir/sub",
    "/dir/sub/deep.txt",
    "/new",
    "/dir/new",
    "/a new long name that takes more than two slots",
    "/dir/sub/x",
    "/dir/sub/new",
    "/DIR/A new long name that takes more than two slots",
    "/x",
    "/x/y",
};
#define NAMES (sizeof names / sizeof names[0])

static void make(const char *path, enum vnode_type type)
{
    const struct vnode_attributes attributes = {.type = type, .mode = 0777};
    struct vnode *vnode = NULL;

    if (vfs_create(NULL, path, &attributes, &vnode) == 0)
        vnode_put(vnode);
}

static void change_content(const char *path, bool cut, uint64_t offset, size_t n)
{
    static const uint8_t bytes[256 * 20];
    struct vnode *vnode = NULL;

    if (vfs_find(NULL, path, 0, &vnode))
        return;
    if (cut)
        (void)!vfs_truncate(vnode, offset);
    else
        (void)!vfs_write(vnode, offset, bytes, n);
    vnode_put(vnode);
}

static void change(const uint8_t *step)
{
    const char *path = names[step[1] % NAMES], *other = names[step[2] % NAMES];

    switch (step[0] % 8) {
    case 0:
        make(path, VNODE_FILE);
        break;
    case 1:
        make(path, VNODE_DIRECTORY);
        break;
    case 2:
        (void)!vfs_unlink(NULL, path);
        break;
    case 3:
        (void)!vfs_rmdir(NULL, path);
        break;
    case 4:
        (void)!vfs_rename(NULL, path, other, 0);
        break;
    case 5:
        change_content(path, false, step[2] * 37u, step[3] * 20u);
        break;
    case 6:
        change_content(path, true, step[2] * 37u, 0);
        break;
    default:
        (void)!mount_sync_all();
    }
}

/* ---- the checker ---- */

struct found {
    bool any;
    char text[200];
};

static int check_read(void *context, uint64_t sector, void *to, unsigned count)
{
    (void)context;
    sector += IMAGE_PART;
    if (sector + count > fake.card_sectors)
        return -1;
    memcpy(to, fake.card + sector * HAL_SECTOR_SIZE, (size_t)count * HAL_SECTOR_SIZE);
    return 0;
}

static void check_found(void *context, enum check_class class, const char *text)
{
    struct found *found = context;

    if (class == CHECK_NOTE)
        return;
    found->any = true;
    snprintf(found->text, sizeof found->text, "%s", text);
}

/* True if the checker has nothing to say against the volume, which is where the sample has it. */
static bool is_good(struct found *found)
{
    const struct check_means means = {.context = found,
                                      .read = check_read,
                                      .allocate = check_memory_allocate,
                                      .release = check_memory_release,
                                      .found = check_found,
                                      .sectors = fake.card_sectors - IMAGE_PART};
    struct check_result result;

    found->any = false;
    return fake.card_sectors > IMAGE_PART && fat_check(&means, &result) == 0 && !found->any;
}

/* Mounts a copy of the card to be written, and does what it says. */
static void change_card(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size);
    struct found found;
    bool good;

    if (!copy)
        abort();
    memcpy(copy, data, size);
    fake.card = fake.card_store = copy;
    good = is_good(&found);
    if (vfs_mount_root() == 0) {
        for (unsigned at = 0; at + 4 <= SCRIPT_BYTES && data[at]; at += 4)
            change(data + at);
        if (vfs_unmount_root()) {
            fprintf(stderr, "cannot be unmounted\n");
            abort();
        }
    }
    if (good && !is_good(&found)) {
        fprintf(stderr, "was good, and now: %s\n", found.text);
        abort();
    }
    fake.card_store = NULL;
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t nothing[1];
    struct walk walk;

    fake_kernel_start(1u << 20);
    memset(&fake_heap, 0, sizeof fake_heap);
    fake.card = size > 0 ? data : nothing;
    fake.card_sectors = size / HAL_SECTOR_SIZE;
    fake.request_limit = REQUESTS_MAX;
    if (vfs_mount_root() == 0) {
        walk_card(&walk, ENTRIES_MAX);
        open_paths();
        vfs_unmount_root();
    } else if (vfs_mount_problem()[0] == '\0') {
        fprintf(stderr, "refused without a reason\n");
        abort();
    }
    if (size >= HAL_SECTOR_SIZE)
        change_card(data, size);
    if (fake_heap.live != 0) {
        fprintf(stderr, "%lld blocks left behind\n", (long long)fake_heap.live);
        abort();
    }
    return 0;
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* What is believed, as bytes from the start of the card: start, length, and the width of a field.
 */
static const struct {
    uint32_t start, bytes, width;
} places[] = {
    {0, SCRIPT_BYTES, 1},                                   /* operations */
    {0, 40, 1},                                             /* the first ones */
    {446, 66, 4},                                           /* partition table */
    {IMAGE_PART * 512, 90, 1},                              /* boot sector */
    {IMAGE_PART * 512 + 11, 80, 2},                         /* and again, as words */
    {(IMAGE_PART + 6) * 512, 90, 1},                        /* its copy */
    {(IMAGE_PART + IMAGE_RESERVED) * 512, 62 * 4, 4},       /* FAT */
    {(IMAGE_PART + IMAGE_RESERVED) * 512, 62 * 4, 4},       /* twice as often */
    {(IMAGE_PART + IMAGE_RESERVED + 2) * 512, 3 * 512, 1},  /* directories: clusters 2 to 4 */
    {(IMAGE_PART + IMAGE_RESERVED + 2) * 512, 3 * 512, 2},  /* as words */
    {(IMAGE_PART + IMAGE_RESERVED + 2 + 18) * 512, 512, 2}, /* cluster 20 */
    {(IMAGE_PART + IMAGE_RESERVED + 2) * 512, 3 * 512, 32}, /* whole slots */
};

static uint32_t pick_value(uint32_t *state)
{
    static const uint32_t values[] = {0,          1,          2,          3,          4,
                                      20,         50,         61,         62,         63,
                                      0x0FFFFFF6, 0x0FFFFFF7, 0x0FFFFFF8, 0x0FFFFFFF, 0xFFFFFFFF,
                                      0x80000001, 0x7F,       0x80,       0xE5,       0x0F};
    uint32_t pick = next_random(state);

    if (pick % 4 == 0)
        return next_random(state);
    if (pick % 4 == 1)
        return next_random(state) % (SAMPLE_CLUSTERS + 4);
    return values[next_random(state) % (sizeof values / sizeof values[0])];
}

/** What a driver does without and the checker does not: FSInfo, and the label in both places. */
static void complete(struct image *image)
{
    static const uint32_t signatures[3][2] = {
        {0, 0x41615252}, {484, 0x61417272}, {508, 0xAA550000}};
    const uint8_t *boot = image_boot(image);
    const uint8_t *fat = boot + (size_t)IMAGE_RESERVED * IMAGE_SECTOR;
    uint8_t *info = image_boot(image) + IMAGE_SECTOR;
    uint32_t free_clusters = 0, entry;

    for (unsigned i = 0; i < 3; i++)
        memcpy(info + signatures[i][0], &signatures[i][1], 4);
    for (unsigned cluster = 2; cluster < SAMPLE_CLUSTERS + 2; cluster++) {
        memcpy(&entry, fat + (size_t)cluster * 4, 4);
        free_clusters += entry == 0;
    }
    memcpy(info + 488, &free_clusters, 4);
    memset(info + 492, 0xFF, 4);
    for (unsigned i = 0; i < 11; i++)
        image_boot8(image, 71 + i, (uint8_t) "SAMPLE     "[i]);
}

/** Writes operations where there are none yet. */
static void make_script(uint8_t *data, uint32_t *state)
{
    unsigned bytes = 4 * (1 + next_random(state) % 20);

    for (unsigned at = 0; at < bytes; at++)
        data[at] = (uint8_t)(1 + next_random(state) % 255);
    memset(data + bytes, 0, SCRIPT_BYTES - bytes);
}

/** Changes one field, or puts a slot over another. */
static void change_field(uint8_t *data, size_t size, uint32_t *state)
{
    unsigned index = next_random(state) % (sizeof places / sizeof places[0]);
    uint32_t width = places[index].width, fields = places[index].bytes / width;
    size_t at = places[index].start + next_random(state) % fields * (size_t)width;
    size_t from = places[index].start + next_random(state) % fields * (size_t)width;
    uint32_t value = pick_value(state);

    if (at + width > size || from + width > size)
        return;
    if (width == 32)
        memmove(data + at, data + from, width);
    else
        memcpy(data + at, &value, width);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
    uint32_t state = seed;
    unsigned changes = 1 + next_random(&state) % 6;
    struct image image;

    if (size < IMAGE_SECTOR || next_random(&state) % 8 == 0) {
        changes = next_random(&state) % 2 ? changes : 0; /* a sound one is changed by itself only */
        sample_build(&image);
        complete(&image);
        size = image.size < max_size ? image.size : max_size;
        memcpy(data, image.bytes, size);
        image_free(&image);
    }
    if (size >= IMAGE_SECTOR && (data[0] == 0 || next_random(&state) % 4 == 0))
        make_script(data, &state);
    for (unsigned i = 0; i < changes; i++)
        change_field(data, size, &state);
    if (changes > 0 && next_random(&state) % 8 == 0)
        size = LLVMFuzzerMutate(data, size, max_size);
    return size;
}
