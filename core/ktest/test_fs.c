/* SPDX-License-Identifier: MIT */
/*
 * test_fs.c: reading files of the standard card (images/mkcard.py says what is on it).
 *
 * The file /data/offsets.txt is lines of 16 bytes, each with its own offset: "000000000000016\n"
 * stands at 16. So any read from anywhere can be checked.
 */
#include "fs/vfs.h"
#include "ktest/tests.h"
#include "lib/format.h"
#include "lib/string.h"
#include "heap/heap.h"
#include "thread/thread.h"

#include <hal/errno.h>
#include <hal/runtime.h>

#define OFFSETS "/data/offsets.txt"
#define OFFSETS_SIZE (5u * 1048576 + 37)

/* Opens `path`. NULL: the test is skipped, for want of the standard card. */
static struct vnode *open_or_skip(struct ktest_run *run, const char *path)
{
    struct vnode *vnode;
    int error = vfs_find(NULL, path, 0, &vnode);

    if (error == 0)
        return vnode;
    if (error == -ENOMEDIUM)
        run->skipped = "no card";
    else if (error == -ENOENT)
        run->skipped = "not the standard card";
    else
        KTEST_EXPECT(run, error == 0);
    return NULL;
}

/* True if the file at `path` begins with `text`. */
static bool begins_with(const char *path, const char *text)
{
    char data[128];
    struct vnode *vnode;
    size_t n = string_length(text);
    bool good;

    if (vfs_find(NULL, path, 0, &vnode) != 0)
        return false;
    good = vfs_read(vnode, 0, data, sizeof(data)) >= (int64_t)n && memcmp(data, text, n) == 0;
    vnode_put(vnode);
    return good;
}

void test_fs_read(struct ktest_run *run)
{
    struct vnode *vnode = open_or_skip(run, "/README.TXT");

    if (vnode == NULL)
        return;
    KTEST_EXPECT(run, vnode->attributes.type == VNODE_FILE && vnode->attributes.size > 20);
    vnode_put(vnode);
    KTEST_EXPECT(run, begins_with("/README.TXT", "Welcome to Tayberry!"));
    KTEST_EXPECT(run, begins_with("/readme.txt", "Welcome to Tayberry!"));
}

/* Reads `n` bytes at `offset` of the file of offsets and checks each. */
static bool offsets_good(struct vnode *vnode, uint64_t offset, char *data, size_t n)
{
    char line[17];

    if (vfs_read(vnode, offset, data, n) != (int64_t)n)
        return false;
    for (size_t i = 0; i < n; i++) {
        uint64_t at = offset + i;

        if (i == 0 || at % 16 == 0)
            format_text(line, sizeof(line), "%015llu\n", (unsigned long long)(at - at % 16));
        if (data[i] != line[at % 16])
            return false;
    }
    return true;
}

#define PART 8192u

static unsigned offsets_wrong(struct vnode *vnode, char *data, uint64_t random)
{
    unsigned wrong = 0;

    for (unsigned i = 0; i < 100; i++) {
        size_t n;

        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        n = 1 + (random >> 40) % PART;
        wrong += !offsets_good(vnode, (random >> 20) % (OFFSETS_SIZE - PART), data, n);
    }
    return wrong;
}

void test_fs_offsets(struct ktest_run *run)
{
    struct vnode *vnode = open_or_skip(run, OFFSETS);
    char *data;

    if (vnode == NULL)
        return;
    data = kmalloc(PART);
    if (KTEST_EXPECT(run, data != NULL)) {
        KTEST_EXPECT(run, offsets_good(vnode, 0, data, PART));
        KTEST_EXPECT(run, offsets_wrong(vnode, data, 1) == 0);
    }
    kfree(data);
    vnode_put(vnode);
}

void test_fs_end(struct ktest_run *run)
{
    struct vnode *vnode = open_or_skip(run, OFFSETS);
    char data[64];

    if (vnode == NULL)
        return;
    KTEST_EXPECT(run, vnode->attributes.size == OFFSETS_SIZE);
    KTEST_EXPECT(run, vfs_read(vnode, OFFSETS_SIZE - 10, data, sizeof(data)) == 10);
    KTEST_EXPECT(run, vfs_read(vnode, OFFSETS_SIZE, data, sizeof(data)) == 0);
    KTEST_EXPECT(run, vfs_read(vnode, UINT64_MAX - 8, data, sizeof(data)) == 0);
    KTEST_EXPECT(run, vfs_read(vnode, 5, data, 0) == 0);
    vnode_put(vnode);
}

void test_fs_directory(struct ktest_run *run)
{
    struct vnode *vnode = open_or_skip(run, "/many");
    struct directory_entry *entry;
    uint64_t position = 0;
    unsigned count = 0;
    int error = 0;

    if (vnode == NULL)
        return;
    entry = kmalloc(sizeof(*entry));
    if (KTEST_EXPECT(run, entry != NULL)) {
        while ((error = vfs_iterate(vnode, &position, entry)) == 0)
            count++;
        KTEST_EXPECT(run, error == -ENOENT);
        KTEST_EXPECT(run, count == 1000);
    }
    kfree(entry);
    vnode_put(vnode);
    KTEST_EXPECT(run, begins_with("/many/0001-entry.txt", "This is entry 1 of 1000."));
    KTEST_EXPECT(run, begins_with("/many/1000-entry.txt", "This is entry 1000 of 1000."));
}

void test_fs_names(struct ktest_run *run)
{
    static const char *const names[] = {
        "UPPER.TXT",
        "lower.txt",
        "A name with spaces in it.txt",
        "many.dots.in.one.name.tar.gz",
        "Grüße aus Köln.txt",
        "кириллица.txt",
        "日本語のファイル.txt",
    };
    struct vnode *vnode = open_or_skip(run, "/names");
    char path[128], text[128];

    if (vnode == NULL)
        return;
    vnode_put(vnode);
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        format_text(path, sizeof(path), "/names/%s", names[i]);
        format_text(text, sizeof(text), "My name is %s\n", names[i]);
        KTEST_EXPECT(run, begins_with(path, text));
    }
}

void test_fs_paths(struct ktest_run *run)
{
    struct vnode *vnode = open_or_skip(run, "/deep/level 01/level 02/here.txt");
    char path[64];

    if (vnode == NULL)
        return;
    vnode_put(vnode);
    KTEST_EXPECT(run, begins_with("/deep/../deep/./level 01//here.txt", "1 of 12"));
    KTEST_EXPECT(run, begins_with("/../../README.TXT", "Welcome"));
    KTEST_REQUIRE(run, vfs_find(NULL, "/deep/LEVEL 01/level 02/..", 0, &vnode) == 0);
    KTEST_EXPECT(run, vfs_path_of(vnode, path, sizeof(path)) == 0);
    KTEST_EXPECT(run, string_equal(path, "/deep/level 01"));
    KTEST_EXPECT(run, vfs_path_of(vnode, path, 15) == 0);
    KTEST_EXPECT(run, vfs_path_of(vnode, path, 14) == -ERANGE);
    vnode_put(vnode);
}

void test_fs_errors(struct ktest_run *run)
{
    struct vnode *vnode = open_or_skip(run, "/docs"), *other;
    struct directory_entry *entry;
    uint64_t position = 0;
    char byte;

    if (vnode == NULL)
        return;
    KTEST_EXPECT(run, vfs_read(vnode, 0, &byte, 1) == -EISDIR);
    KTEST_EXPECT(run, vfs_find(NULL, "/no/such/file", 0, &other) == -ENOENT);
    KTEST_EXPECT(run, vfs_find(vnode, "nothing", 0, &other) == -ENOENT);
    KTEST_EXPECT(run, vfs_find(vnode, "nothing/..", 0, &other) == -ENOENT);
    vnode_put(vnode);
    KTEST_EXPECT(run, vfs_find(NULL, "/README.TXT/x", 0, &other) == -ENOTDIR);
    KTEST_REQUIRE(run, vfs_find(NULL, "/README.TXT", 0, &vnode) == 0);
    entry = kmalloc(sizeof(*entry));
    KTEST_EXPECT(run, entry != NULL && vfs_iterate(vnode, &position, entry) == -ENOTDIR);
    kfree(entry);
    vnode_put(vnode);
}

struct reader {
    struct vnode *vnode;
    struct thread *thread;
    unsigned number;
    unsigned wrong;
};

static void reader_main(void *argument)
{
    struct reader *reader = argument;
    char *data = kmalloc(PART);

    reader->wrong = data == NULL ? 1 : offsets_wrong(reader->vnode, data, reader->number + 7);
    kfree(data);
}

void test_fs_threads(struct ktest_run *run)
{
    struct vnode *vnode = open_or_skip(run, OFFSETS);
    struct reader readers[3];
    unsigned started = 0;

    if (vnode == NULL)
        return;
    for (; started < 3; started++) {
        readers[started] = (struct reader){.vnode = vnode, .number = started, .wrong = 1};
        if (!KTEST_EXPECT(run, thread_create("reader", reader_main, &readers[started],
                                             &readers[started].thread) == 0))
            break;
    }
    for (unsigned i = 0; i < started; i++) {
        thread_join(readers[i].thread);
        KTEST_EXPECT(run, readers[i].wrong == 0);
    }
    vnode_put(vnode);
}
