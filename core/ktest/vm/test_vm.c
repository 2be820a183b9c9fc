/* SPDX-License-Identifier: MIT */
/*
 * test_vm.c: threads that use, change, copy and cut the memory of one space at once.
 *
 * Each member has a word of its own in each page of a region that all share, and knows what it
 * wrote there last; so every read can be judged, also in a fork, which has the words as they were
 * at some moment in between. Beside that region members map, move and unmap others, read a file
 * through a mapping while it is cut and made longer again, or while the mapping moves, and have
 * pages reclaimed.
 */
#include "cache/cache.h"
#include "fs/file.h"
#include "heap/heap.h"
#include "ktest/sync/crew.h"
#include "ktest/vm/tests.h"
#include "mem/reclaim.h"
#include "sync/mutex.h"
#include "thread/thread.h"
#include "vm/copy.h"
#include "vm/region/origin.h"

#include <hal/aspace.h>
#include <hal/errno.h>
#include <hal/runtime.h>

#define PAGES 40u
#define FILE_PAGES 24u
#define ACCESS (HAL_USER_READ | HAL_USER_WRITE)

struct scene {
    struct vm_space *space;
    uintptr_t words;     /* the region of the members' words */
    uintptr_t places[2]; /* where the file's mapping may be */
    uintptr_t mapped;    /* which of them it is at; atomic */
    struct vnode vnode;
    struct cache_object object;
    struct file *file;
    struct mutex cutting; /* one member at a time makes the file shorter or longer */
    volatile unsigned wrong, done, failed, moved; /* atomic */
    unsigned rounds;
};

/* What a member wrote to each page last. */
struct notes {
    uint32_t words[PAGES];
};

static void count(volatile unsigned *what)
{
    __atomic_fetch_add(what, 1, __ATOMIC_RELAXED);
}

static void judge(struct scene *scene, bool good)
{
    if (!good)
        count(&scene->wrong);
}

/* ---- a file whose medium is a formula ---- */

static uint8_t byte_at(uint64_t offset)
{
    return (uint8_t)(offset / 64 * 7 + offset + 1);
}

static int read_medium(struct cache_object *object, uint64_t page, unsigned n, uint8_t *data,
                       const struct cache_map *map)
{
    (void)object;
    (void)map;
    thread_yield();
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < HAL_PAGE_SIZE; k++)
            data[i * HAL_PAGE_SIZE + k] = byte_at((page + i) * HAL_PAGE_SIZE + k);
    return 0;
}

static int write_medium(struct cache_object *object, uint64_t page, unsigned n, void *const *pages,
                        const struct cache_map *map)
{
    (void)object;
    (void)page;
    (void)n;
    (void)pages;
    (void)map;
    thread_yield();
    return 0;
}

static void release(struct vnode *vnode)
{
    (void)vnode; /* part of the scene */
}

static const struct cache_ops medium = {.read = read_medium, .write = write_medium};
static const struct vnode_ops operations = {.release = release};

/* ---- what members do, once ---- */

static uintptr_t word_of(const struct scene *scene, const struct crew_member *member, unsigned page)
{
    return scene->words + (uintptr_t)page * HAL_PAGE_SIZE + member->number * sizeof(uint32_t);
}

static void use_words(struct crew_member *member, struct scene *scene, struct notes *notes)
{
    unsigned page = crew_random(member, PAGES);
    uint32_t value = crew_random(member, 1u << 30), old;

    if (vm_copy_in(scene->space, &old, word_of(scene, member, page), sizeof(old))) {
        count(&scene->failed);
        return;
    }
    judge(scene, old == notes->words[page]);
    if (vm_copy_out(scene->space, word_of(scene, member, page), &value, sizeof(value)))
        count(&scene->failed);
    else
        notes->words[page] = value;
    count(&scene->done);
}

static void check_words(struct crew_member *member, struct scene *scene, struct vm_space *space,
                        const struct notes *notes)
{
    uint32_t value;

    for (unsigned page = 0; page < PAGES; page++) {
        if (vm_load_u32(space, word_of(scene, member, page), &value))
            count(&scene->failed);
        else
            judge(scene, value == notes->words[page]);
    }
}

static void fork_once(struct crew_member *member, struct scene *scene, const struct notes *notes)
{
    struct vm_space *child;
    uint32_t value = 7;

    if (vm_space_fork(scene->space, false, &child)) {
        count(&scene->failed);
        return;
    }
    check_words(member, scene, child, notes);
    for (unsigned page = 0; page < PAGES; page += 3)
        if (vm_copy_out(child, word_of(scene, member, page), &value, sizeof(value)))
            count(&scene->failed);
    check_words(member, scene, scene->space, notes);
    vm_space_put(child);
    count(&scene->done);
}

/* What was mapped there is written to, moved, read and protected; *pages and *at: where it is. */
static void use_mapping(struct crew_member *member, struct scene *scene, uintptr_t *at,
                        size_t *pages)
{
    size_t more = *pages + crew_random(member, 20);
    uintptr_t last = (*pages - 1) * HAL_PAGE_SIZE;
    uint32_t value = 5, got = 0;
    int64_t now;

    if (vm_copy_out(scene->space, *at + last, &value, sizeof(value))) {
        count(&scene->failed);
        return;
    }
    now = vm_remap(scene->space, *at, *pages * HAL_PAGE_SIZE, more * HAL_PAGE_SIZE,
                   VM_REMAP_MAY_MOVE, 0);
    if (now < 0) {
        count(&scene->failed);
        return;
    }
    *at = (uintptr_t)now;
    *pages = more;
    judge(scene, vm_load_u32(scene->space, *at + last, &got) || got == value);
    if (vm_protect(scene->space, *at, HAL_PAGE_SIZE, HAL_USER_READ) == 0)
        judge(scene, vm_copy_out(scene->space, *at, &value, sizeof(value)) == -EFAULT);
}

static void map_once(struct crew_member *member, struct scene *scene)
{
    size_t pages = 1 + crew_random(member, 20);
    unsigned flags = crew_random(member, 2) ? VM_PRIVATE : VM_SHARED;
    int64_t mapped = vm_map(scene->space, 0, pages * HAL_PAGE_SIZE, ACCESS, flags, NULL, 0);
    uintptr_t at = (uintptr_t)mapped;

    if (mapped < 0) {
        count(&scene->failed);
        return;
    }
    use_mapping(member, scene, &at, &pages);
    if (vm_unmap(scene->space, at, pages * HAL_PAGE_SIZE))
        count(&scene->failed);
    count(&scene->done);
}

static uintptr_t mapped_at(const struct scene *scene)
{
    return __atomic_load_n(&scene->mapped, __ATOMIC_RELAXED);
}

static void read_file(struct crew_member *member, struct scene *scene)
{
    uint64_t offset = crew_random(member, FILE_PAGES * HAL_PAGE_SIZE - 64);
    uint8_t bytes[64];

    if (vm_copy_in(scene->space, bytes, mapped_at(scene) + offset, sizeof(bytes))) {
        count(&scene->failed); /* it is shorter now, or elsewhere */
        return;
    }
    for (unsigned i = 0; i < sizeof(bytes); i++)
        judge(scene, bytes[i] == byte_at(offset + i) || bytes[i] == 0);
    count(&scene->done);
}

static void write_file(struct crew_member *member, struct scene *scene)
{
    uint64_t offset = crew_random(member, FILE_PAGES * HAL_PAGE_SIZE);
    uint8_t byte = byte_at(offset);

    if (vm_copy_out(scene->space, mapped_at(scene) + offset, &byte, 1))
        count(&scene->failed);
    if (vm_sync(scene->space, mapped_at(scene), FILE_PAGES * HAL_PAGE_SIZE,
                crew_random(member, 2) == 0))
        count(&scene->failed);
}

/* Wherever the mapping is, or was: nobody can touch what the file has no more. */
static void check_cut(struct scene *scene, uint64_t size, uint64_t whole)
{
    uint8_t byte;

    for (; size < whole; size += HAL_PAGE_SIZE)
        for (unsigned i = 0; i < 2; i++)
            judge(scene, vm_copy_in(scene->space, &byte, scene->places[i] + size, 1) == -EFAULT);
}

static void cut_file(struct crew_member *member, struct scene *scene)
{
    uint64_t size = crew_random(member, FILE_PAGES) * (uint64_t)HAL_PAGE_SIZE;
    uint64_t whole = FILE_PAGES * (uint64_t)HAL_PAGE_SIZE;

    mutex_lock(&scene->cutting);
    cache_resize(&scene->object, size);
    vm_file_cut(&scene->vnode, size);
    thread_yield();
    check_cut(scene, size, whole);
    cache_resize(&scene->object, whole);
    if (cache_write(&scene->object, size, NULL, whole - size) != (int64_t)(whole - size))
        count(&scene->failed);
    mutex_unlock(&scene->cutting);
}

/* Whoever uses it meanwhile finds nothing there. */
static void move_mapping(struct scene *scene)
{
    uintptr_t from = mapped_at(scene), to = scene->places[from == scene->places[0]];
    size_t bytes = FILE_PAGES * HAL_PAGE_SIZE;
    int64_t now =
        vm_remap(scene->space, from, bytes, bytes, VM_REMAP_MAY_MOVE | VM_REMAP_FIXED, to);

    if (now < 0) {
        count(&scene->failed);
    } else {
        judge(scene, (uintptr_t)now == to);
        __atomic_store_n(&scene->mapped, to, __ATOMIC_RELAXED);
        count(&scene->moved);
    }
}

/* ---- parts ---- */

static void part_threads(struct crew_member *member)
{
    struct scene *scene = member->play;
    struct notes notes = {{0}};

    for (unsigned round = 0; round < scene->rounds; round++) {
        use_words(member, scene, &notes);
        if (member->number == 1)
            map_once(member, scene);
        if (member->number == 2)
            (void)reclaim_frames(crew_random(member, 30));
        crew_dawdle(member);
    }
    check_words(member, scene, scene->space, &notes);
}

static void part_forks(struct crew_member *member)
{
    struct scene *scene = member->play;
    struct notes notes = {{0}};

    for (unsigned round = 0; round < scene->rounds; round++) {
        use_words(member, scene, &notes);
        if (member->number < 2 && round % 4 == 0)
            fork_once(member, scene, &notes);
        if (member->number == 3)
            read_file(member, scene);
        crew_dawdle(member);
    }
    check_words(member, scene, scene->space, &notes);
}

static void part_files(struct crew_member *member)
{
    struct scene *scene = member->play;
    struct notes notes = {{0}};

    for (unsigned round = 0; round < scene->rounds; round++) {
        if (member->number == 0)
            cut_file(member, scene);
        else
            read_file(member, scene);
        if (member->number == 1 && round % 4 == 0)
            fork_once(member, scene, &notes);
        if (member->number == 2)
            write_file(member, scene);
        if (member->number == 3)
            (void)reclaim_frames(crew_random(member, 30));
        crew_dawdle(member);
    }
}

static void part_moves(struct crew_member *member)
{
    struct scene *scene = member->play;

    for (unsigned round = 0; round < scene->rounds; round++) {
        if (member->number == 0)
            cut_file(member, scene);
        else if (member->number == 1)
            move_mapping(scene);
        else
            read_file(member, scene);
        crew_dawdle(member);
    }
}

/* ---- scenarios ---- */

static bool map_all(struct scene *scene)
{
    int64_t at = vm_map(scene->space, 0, PAGES * HAL_PAGE_SIZE, ACCESS, VM_PRIVATE, NULL, 0);

    if (at < 0)
        return false;
    scene->words = (uintptr_t)at;
    /* Both at once, so that they are apart. */
    at = vm_map(scene->space, 0, 2 * FILE_PAGES * HAL_PAGE_SIZE, ACCESS, VM_PRIVATE, NULL, 0);
    if (at < 0 || vm_unmap(scene->space, (uintptr_t)at, 2 * FILE_PAGES * HAL_PAGE_SIZE))
        return false;
    scene->places[0] = (uintptr_t)at;
    scene->places[1] = (uintptr_t)at + FILE_PAGES * HAL_PAGE_SIZE;
    at = vm_map(scene->space, scene->places[0], FILE_PAGES * HAL_PAGE_SIZE, ACCESS,
                VM_SHARED | VM_FIXED, scene->file, 0);
    scene->mapped = (uintptr_t)at;
    return at > 0;
}

static bool begin(struct scene *scene, unsigned rounds)
{
    const struct vnode_attributes attributes = {.type = VNODE_FILE};

    scene->rounds = ktest_size(rounds);
    mutex_init(&scene->cutting);
    cache_object_init(&scene->object, &medium, NULL, FILE_PAGES * (uint64_t)HAL_PAGE_SIZE);
    vnode_init(&scene->vnode, NULL, &operations, &attributes);
    scene->vnode.pages = &scene->object;
    return file_of_vnode(&scene->vnode, FILE_READ_WRITE, &scene->file) == 0 &&
           vm_space_create(&scene->space) == 0 && map_all(scene);
}

static void end(struct ktest_run *run, struct scene *scene)
{
    struct vm_usage usage;

    if (scene->space) {
        vm_read_usage(scene->space, &usage);
        KTEST_EXPECT(run, usage.mapped <= (PAGES + FILE_PAGES) * HAL_PAGE_SIZE);
    }
    vm_space_put(scene->space);
    file_put(scene->file);
    KTEST_EXPECT(run, cache_sync(&scene->object) == 0);
    cache_object_finish(&scene->object);
    KTEST_EXPECT(run, scene->object.pages == 0);
    vnode_finish(&scene->vnode);
    KTEST_EXPECT(run, scene->wrong == 0);
}

static void play_scene(struct ktest_run *run, void (*part)(struct crew_member *member), bool moves)
{
    struct scene *scene = kcalloc(1, sizeof(*scene));
    struct crew crew;

    KTEST_REQUIRE(run, scene != NULL);
    if (KTEST_EXPECT(run, begin(scene, 30)) && crew_play(&crew, run, 4, part, scene))
        KTEST_EXPECT(run, scene->done > 0 && (scene->moved > 0) == moves);
    end(run, scene);
    kfree(scene);
}

void test_vm_threads(struct ktest_run *run)
{
    play_scene(run, part_threads, false);
}

void test_vm_forks(struct ktest_run *run)
{
    play_scene(run, part_forks, false);
}

void test_vm_files(struct ktest_run *run)
{
    play_scene(run, part_files, false);
}

void test_vm_moves(struct ktest_run *run)
{
    play_scene(run, part_moves, true);
}
