/* SPDX-License-Identifier: MIT */
/*
 * cuts.c: cuts the power at every write of sequences of file operations, and judges what is left.
 *
 * A volume in memory, the driver of core/fs/fat32 above it, and a model of what the tree should be
 * after each operation. The writes and flushes that a sequence makes are recorded. Then for each
 * place between two writes, and for each of many choices of which of the writes that were not
 * flushed have reached the card, the volume as it would have been is mounted. It must mount
 * writable, show the tree as it was after some operation that is not older than the last sync, and
 * be clean when it is unmounted.
 *
 *     cuts IMAGE SEED SEQUENCES LENGTH [DUMP]
 *
 * With DUMP, one in a thousand images goes to DUMP.N before and after it is put in order.
 */
#include "../unit/fake_hal.h"

#include "block/block.h"
#include "fs/check/check.h"
#include "fs/fat32/fat32.h"
#include "fs/fat32/write/write.h"
#include "lib/log.h"

#include <hal/errno.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAM_BYTES (8u << 20)
#define EVENTS_MAX 20000u
#define FILES_MAX 24u
#define CONTENT_MAX 20000u
#define OPERATIONS_MAX 64u
#define SAMPLES 4u

/* ---- the card ---- */

enum event_kind { EVENT_WRITE, EVENT_FLUSH, EVENT_DONE };

struct event {
    enum event_kind kind;
    uint64_t sector;
    uint8_t data[HAL_SECTOR_SIZE];
};

static struct {
    uint8_t *base, *image;
    size_t bytes;
    struct event *events;
    unsigned used;
    bool recording;
} card;

static void record(const struct hal_block_request *request)
{
    uint64_t sector = request->sector;

    if (!card.recording || request->op == HAL_BLOCK_READ)
        return;
    if (request->op == HAL_BLOCK_FLUSH && card.used < EVENTS_MAX)
        card.events[card.used++].kind = EVENT_FLUSH;
    for (unsigned i = 0; request->op == HAL_BLOCK_WRITE && i < request->segment_count; i++)
        for (uint32_t at = 0; at < request->segments[i].sectors && card.used < EVENTS_MAX; at++) {
            struct event *event = &card.events[card.used++];

            event->kind = EVENT_WRITE;
            event->sector = sector++;
            memcpy(event->data,
                   (const uint8_t *)request->segments[i].data + (size_t)at * HAL_SECTOR_SIZE,
                   HAL_SECTOR_SIZE);
        }
}

static struct vnode *mount_image(void)
{
    struct vnode *root = NULL;
    struct problem problem;
    int error = fat32_mount(block_card(), &root, &problem);

    if (error)
        fprintf(stderr, "mount: error %d: %s\n", error, problem.what);
    return error ? NULL : root;
}

/* ---- the model ---- */

struct file {
    char path[200];
    bool directory;
    size_t bytes;
    uint8_t content[CONTENT_MAX];
};

struct tree_state {
    struct file files[FILES_MAX];
    unsigned count;
};

static struct file *model_find(struct tree_state *state, const char *path)
{
    for (unsigned i = 0; i < state->count; i++)
        if (strcasecmp(state->files[i].path, path) == 0)
            return &state->files[i];
    return NULL;
}

static void model_drop(struct tree_state *state, const char *path)
{
    struct file *file = model_find(state, path);

    if (file)
        *file = state->files[--state->count];
}

static bool model_has_children(struct tree_state *state, const char *path)
{
    size_t n = strlen(path);

    for (unsigned i = 0; i < state->count; i++)
        if (strncasecmp(state->files[i].path, path, n) == 0 && state->files[i].path[n] == '/')
            return true;
    return false;
}

/* ---- operations on both ---- */

static uint64_t random_state;

static uint32_t chance(uint32_t n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % n;
}

static const char *const names[] = {"/a", "/B.TXT", "/a rather long name, that takes slots.text",
                                    "/d", "/d/x",   "/d/another long name in the directory below",
                                    "/e", "/e/y",   "/d/e"};
#define NAMES (sizeof(names) / sizeof(names[0]))

static int lookup(struct vnode *root, const char *path, struct vnode **found)
{
    struct vnode *vnode = vnode_get(root);
    int error = 0;

    while (*path == '/' && path[1] && !error) {
        size_t n = strcspn(path + 1, "/");
        struct vnode *next = NULL;

        error = vnode->attributes.type == VNODE_DIRECTORY
                    ? vnode->ops->lookup(vnode, path + 1, n, &next)
                    : -ENOTDIR;
        vnode_put(vnode);
        vnode = next;
        path += 1 + n;
    }
    *found = vnode;
    return error;
}

static struct fat32_node *node_of(struct vnode *vnode)
{
    return (struct fat32_node *)((char *)vnode - offsetof(struct fat32_node, vnode));
}

/* The directory of `path`, and the name in it. */
static int parent_of(struct vnode *root, const char *path, struct vnode **parent, const char **name)
{
    char directory[200];
    const char *slash = strrchr(path, '/');

    snprintf(directory, sizeof directory, "%.*s", (int)(slash - path), path);
    *name = slash + 1;
    return lookup(root, directory, parent);
}

static void lock(struct vnode *root)
{
    mutex_lock(&node_of(root)->volume->mutex);
}

static void unlock(struct vnode *root)
{
    mutex_unlock(&node_of(root)->volume->mutex);
}

static int do_create(struct vnode *root, const char *path, bool directory)
{
    struct vnode *parent = NULL;
    struct fat32_node *node = NULL;
    const char *name;
    int error = parent_of(root, path, &parent, &name);

    if (error)
        return error;
    if (parent->attributes.type != VNODE_DIRECTORY) {
        vnode_put(parent);
        return -ENOTDIR;
    }
    lock(root);
    error = fat32_create(node_of(parent), name, strlen(name), directory, &node);
    unlock(root);
    if (node)
        vnode_put(&node->vnode);
    vnode_put(parent);
    return error;
}

static int do_remove(struct vnode *root, const char *path, bool directory)
{
    struct vnode *parent = NULL;
    const char *name;
    int error = parent_of(root, path, &parent, &name);

    if (error)
        return error;
    lock(root);
    error = parent->attributes.type == VNODE_DIRECTORY
                ? fat32_remove(node_of(parent), name, strlen(name), directory)
                : -ENOTDIR;
    unlock(root);
    vnode_put(parent);
    return error;
}

static int do_rename(struct vnode *root, const char *from, const char *to)
{
    struct vnode *from_parent = NULL, *to_parent = NULL;
    const char *from_name, *to_name;
    int error = parent_of(root, from, &from_parent, &from_name);

    if (error)
        return error;
    error = parent_of(root, to, &to_parent, &to_name);
    if (!error) {
        bool good = from_parent->attributes.type == VNODE_DIRECTORY &&
                    to_parent->attributes.type == VNODE_DIRECTORY;

        lock(root);
        error = good ? fat32_rename(node_of(from_parent), from_name, strlen(from_name),
                                    node_of(to_parent), to_name, strlen(to_name))
                     : -ENOTDIR;
        unlock(root);
        vnode_put(to_parent);
    }
    vnode_put(from_parent);
    return error;
}

static int64_t do_write(struct vnode *root, const char *path, uint64_t offset, const void *data,
                        size_t n, bool truncate)
{
    struct vnode *vnode = NULL;
    int64_t result = lookup(root, path, &vnode);

    if (result)
        return result;
    lock(root);
    if (vnode->attributes.type == VNODE_DIRECTORY)
        result = -EISDIR;
    else if (truncate)
        result = fat32_truncate(node_of(vnode), offset);
    else
        result = fat32_write(node_of(vnode), offset, data, n);
    unlock(root);
    vnode_put(vnode);
    return result;
}

static void print_log(void)
{
    struct klog_line line;

    for (uint64_t i = 0; i < 100; i++)
        if (klog_read(i, &line) == 0)
            fprintf(stderr, "  %s\n", line.text);
}

static void fail(const char *what, int64_t error)
{
    fprintf(stderr, "cuts: %s: %lld\n", what, (long long)error);
    print_log();
    abort();
}

static void model_move(struct tree_state *state, const char *from, const char *to)
{
    size_t n = strlen(from);

    model_drop(state, to);
    for (unsigned i = 0; i < state->count; i++) {
        char *path = state->files[i].path, rest[200];

        if (strncasecmp(path, from, n) != 0 || (path[n] && path[n] != '/'))
            continue;
        strcpy(rest, path + n);
        snprintf(path, sizeof state->files[i].path, "%s%s", to, rest);
    }
}

/* Writes at the end of a file, or behind it. */
static bool append(struct vnode *root, struct file *file)
{
    static uint8_t data[CONTENT_MAX];
    uint64_t offset = file->bytes + (chance(4) == 0 ? chance(3000) : 0);
    size_t n = 1 + chance(chance(2) ? 200 : 5000);
    int64_t result;

    if (offset + n > CONTENT_MAX)
        return false;
    memset(data, (int)('a' + chance(26)), n);
    result = do_write(root, file->path, offset, data, n, false);
    if (result != (int64_t)n && result != -ENOSPC)
        fail("write", result);
    if (result < 0)
        return false;
    memset(file->content + file->bytes, 0, offset - file->bytes);
    memcpy(file->content + offset, data, n);
    file->bytes = offset + n;
    return true;
}

static bool resize(struct vnode *root, struct file *file)
{
    size_t n = chance(3) ? chance((uint32_t)file->bytes + 1) : chance(CONTENT_MAX);
    int64_t result = do_write(root, file->path, n, NULL, 0, true);

    if (result == -ENOSPC)
        return false;
    if (result)
        fail("truncate", result);
    if (n > file->bytes)
        memset(file->content + file->bytes, 0, n - file->bytes);
    file->bytes = n;
    return true;
}

/* Does one operation; true if it changed the tree. Overwrites are left out of the model's way:
 * they are always whole, because a content of one byte fills a file.
 */
static bool operate(struct vnode *root, struct tree_state *state, bool *synced)
{
    const char *a = names[chance(NAMES)], *b = names[chance(NAMES)];
    struct file *file = model_find(state, a);
    unsigned what = chance(16);
    int64_t result;

    switch (what) {
    case 0:
    case 1:
    case 2:
    case 3:
        result = do_create(root, a, what == 3);
        if (result)
            return false;
        file = &state->files[state->count++];
        memset(file, 0, sizeof *file);
        strcpy(file->path, a);
        file->directory = what == 3;
        return true;
    case 4:
    case 5:
    case 6:
    case 7:
        return file && !file->directory && append(root, file);
    case 8:
    case 9:
        return file && !file->directory && resize(root, file);
    case 10:
    case 11:
        result = do_remove(root, a, file && file->directory);
        if (result == 0 && !file)
            fail("removed what was not there", 0);
        if (result == 0)
            model_drop(state, a);
        else if (file && !model_has_children(state, a))
            fail("remove", result);
        return result == 0;
    case 12:
    case 13:
    case 14:
        result = do_rename(root, a, b);
        if (result == 0 && strcmp(a, b) != 0)
            model_move(state, a, b);
        return result == 0;
    default:
        lock(root);
        result = fat32_sync(node_of(root)->volume);
        unlock(root);
        if (result)
            fail("sync", result);
        *synced = true;
        return false;
    }
}

/* ---- judging ---- */

static int compare_directory(struct vnode *directory, const char *path, struct tree_state *state,
                             unsigned *seen)
{
    static struct directory_entry entry;
    uint64_t position = 0;
    int error;

    while ((error = directory->ops->iterate(directory, &position, &entry)) == 0) {
        char name[1024];
        struct file *file;
        struct vnode *vnode = NULL;
        int different = 0;

        snprintf(name, sizeof name, "%s/%s", path, entry.name);
        file = model_find(state, name);
        if (!file || file->directory != (entry.attributes.type == VNODE_DIRECTORY))
            return 1;
        ++*seen;
        if (directory->ops->lookup(directory, entry.name, strlen(entry.name), &vnode))
            return 1;
        if (file->directory) {
            different = compare_directory(vnode, name, state, seen);
        } else {
            static uint8_t data[CONTENT_MAX];
            int64_t n = vnode->ops->read(vnode, 0, data, sizeof data);

            different = n != (int64_t)file->bytes || memcmp(data, file->content, file->bytes) != 0;
        }
        vnode_put(vnode);
        if (different)
            return 1;
    }
    return error != -ENOENT;
}

static bool tree_equals(struct vnode *root, struct tree_state *state)
{
    unsigned seen = 0;

    return compare_directory(root, "", state, &seen) == 0 && seen == state->count;
}

static void print_tree(struct vnode *directory, const char *path)
{
    static struct directory_entry entry;
    uint64_t position = 0;

    while (directory->ops->iterate(directory, &position, &entry) == 0) {
        char name[1024];
        struct vnode *vnode = NULL;
        uint8_t head[1] = {0};

        snprintf(name, sizeof name, "%s/%s", path, entry.name);
        printf("  %s %llu", name, (unsigned long long)entry.attributes.size);
        if (directory->ops->lookup(directory, entry.name, strlen(entry.name), &vnode) == 0) {
            if (entry.attributes.type == VNODE_DIRECTORY) {
                printf("\n");
                print_tree(vnode, name);
            } else {
                printf(" read %lld\n", (long long)vnode->ops->read(vnode, 0, head, 1));
            }
            vnode_put(vnode);
        }
    }
}

static void print_state(const struct tree_state *state)
{
    for (unsigned i = 0; i < state->count; i++)
        printf("  %s %zu\n", state->files[i].path, state->files[i].bytes);
}

static struct tree_state states[OPERATIONS_MAX + 1];
static unsigned state_count, tried, dumped;
static const char *dump;

static void dump_image(const char *suffix)
{
    char name[256];
    FILE *file;

    snprintf(name, sizeof name, "%s.%u%s", dump, dumped, suffix);
    file = fopen(name, "wb");
    if (!file || fwrite(card.image, 1, card.bytes, file) != card.bytes || fclose(file))
        abort();
}

/* ---- the checker ---- */

static char finding[300];

static int check_read(void *context, uint64_t sector, void *data, unsigned count)
{
    (void)context;
    memcpy(data, card.image + sector * HAL_SECTOR_SIZE, (size_t)count * HAL_SECTOR_SIZE);
    return 0;
}

static void *check_allocate(void *context, size_t bytes)
{
    (void)context;
    return calloc(1, bytes);
}

static void check_release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static void check_found(void *context, enum check_class class, const char *text)
{
    if (class >= *(enum check_class *)context)
        snprintf(finding, sizeof finding, "%s", text);
}

/* True if nothing of `worst` or worse is found. */
static bool passes(enum check_class worst)
{
    const struct check_means means = {.context = &worst,
                                      .read = check_read,
                                      .allocate = check_allocate,
                                      .release = check_release,
                                      .found = check_found,
                                      .sectors = card.bytes / HAL_SECTOR_SIZE};
    struct check_result result;

    finding[0] = '\0';
    return fat_check(&means, &result) == 0 && finding[0] == '\0';
}

static void demand(bool good, const char *what, uint64_t seed, unsigned cut)
{
    if (good)
        return;
    printf("not ok: seed %llu, cut %u: %s: %s\n", (unsigned long long)seed, cut, what, finding);
    dump = "failed";
    dump_image("");
    exit(1);
}

/* The image is what the card would have been; the tree is to be one of `first` .. `last`. */
static void judge(unsigned first, unsigned last, uint64_t seed, unsigned cut)
{
    struct vnode *root;
    bool found = false, dumping = dump && tried % 1000 == 0;

    if (dumping)
        dump_image(".raw");
    tried++;
    demand(passes(CHECK_DAMAGE), "raw", seed, cut);
    root = mount_image();
    if (!root || !node_of(root)->volume->writer) {
        printf("not ok: seed %llu, cut %u: %s\n%s\n", (unsigned long long)seed, cut,
               root ? "is read-only" : "does not mount", fake.console);
        dump = "failed";
        dump_image("");
        exit(1);
    }
    for (unsigned i = last + 1; i-- > first && !found;)
        found = tree_equals(root, &states[i]);
    if (!found) {
        printf("not ok: seed %llu, cut %u: the tree is none of %u .. %u\n%s\n",
               (unsigned long long)seed, cut, first, last, fake.console);
        print_tree(root, "");
        for (unsigned i = first; i <= last; i++) {
            printf("state %u\n", i);
            print_state(&states[i]);
        }
        print_log();
        dump = "failed";
        dump_image("");
        exit(1);
    }
    vnode_put(root);
    demand(passes(CHECK_UNTIDY), "put in order", seed, cut);
    if (dumping) {
        dump_image(".mended");
        dumped++;
    }
}

/* Tries the cuts between event `at` - 1 and `at`. `flushed`: events before are on the card. */
static void cut_at(unsigned at, unsigned flushed, unsigned first, unsigned last, uint64_t seed)
{
    unsigned open = 0;

    for (unsigned i = flushed; i < at; i++)
        open += card.events[i].kind == EVENT_WRITE;
    for (unsigned sample = 0; sample < (open > 1 ? SAMPLES : 1); sample++) {
        memcpy(card.image, card.base, card.bytes);
        for (unsigned i = 0; i < at; i++) {
            const struct event *event = &card.events[i];

            if (event->kind != EVENT_WRITE || (i >= flushed && sample > 0 && chance(2)))
                continue;
            memcpy(card.image + event->sector * HAL_SECTOR_SIZE, event->data, HAL_SECTOR_SIZE);
        }
        judge(first, last, seed, at);
    }
}

static void run_sequence(uint64_t seed, unsigned length)
{
    unsigned synced_at[OPERATIONS_MAX + 1] = {0};
    struct vnode *root;

    random_state = seed * 0x9E3779B97F4A7C15u + 1;
    memcpy(card.image, card.base, card.bytes);
    fake.console_used = 0;
    fake.console[0] = '\0';
    root = mount_image();
    if (!root || !node_of(root)->volume->writer)
        fail("the first mount", 0);
    state_count = 1;
    memset(&states[0], 0, sizeof states[0]);
    card.used = 0;
    card.recording = true;
    for (unsigned i = 0; i < length; i++) {
        bool synced = false;
        struct tree_state *next = &states[state_count];

        *next = states[state_count - 1];
        (void)operate(root, next, &synced);
        synced_at[state_count] = synced ? state_count : synced_at[state_count - 1];
        state_count++;
        card.events[card.used].kind = EVENT_DONE;
        card.events[card.used++].sector = synced_at[state_count - 1];
    }
    if (!tree_equals(root, &states[state_count - 1])) {
        printf("seed %llu\n", (unsigned long long)seed);
        print_tree(root, "");
        printf("should be\n");
        print_state(&states[state_count - 1]);
        fail("the tree is not as it should be, without a cut", 0);
    }
    vnode_put(root);
    card.recording = false;

    unsigned done = 0, synced = 0, flushed = 0;
    for (unsigned at = 0; at <= card.used; at++) {
        const struct event *event = at < card.used ? &card.events[at] : NULL;

        if (!event || event->kind == EVENT_WRITE)
            cut_at(at, flushed, synced, done + 1 < state_count ? done + 1 : done, seed);
        if (event && event->kind == EVENT_FLUSH)
            flushed = at;
        if (event && event->kind == EVENT_DONE) {
            done++;
            synced = (unsigned)event->sector;
        }
    }
}

static void load(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (!file || fseek(file, 0, SEEK_END))
        exit(2);
    card.bytes = (size_t)ftell(file);
    rewind(file);
    card.base = malloc(card.bytes);
    card.image = malloc(card.bytes);
    card.events = malloc((EVENTS_MAX + 1) * sizeof *card.events);
    if (!card.base || !card.image || !card.events ||
        fread(card.base, 1, card.bytes, file) != card.bytes)
        exit(2);
    fclose(file);
}

int main(int argc, char **argv)
{
    uint64_t seed = argc > 4 ? strtoull(argv[2], NULL, 0) : 0;

    if (argc < 5)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    load(argv[1]);
    dump = argc > 5 ? argv[5] : NULL;
    fake_kernel_start(RAM_BYTES);
    fake.card = fake.card_store = card.image;
    fake.card_sectors = card.bytes / HAL_SECTOR_SIZE;
    fake.card_event = record;
    if (block_start())
        return 2;
    for (unsigned i = 0; i < (unsigned)atoi(argv[3]); i++)
        run_sequence(seed + i, (unsigned)atoi(argv[4]));
    printf("%u states tried, 0 failed\n", tried);
    return 0;
}
