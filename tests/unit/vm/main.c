/* SPDX-License-Identifier: MIT */
/*
 * main.c: runs the suites of user memory, and has their files. TAYBERRY_RUNS sets the operations of
 * the random test.
 */
#include "vm/suites.h"

#include "cache/page/page.h"
#include "heap/heap.h"
#include "mem/frame.h"
#include "mem/reclaim.h"

#include <hal/errno.h>

#include <string.h>

uint8_t test_file_byte(uint64_t i, uint8_t seed)
{
    return (uint8_t)(i / 512 + i * 7 + seed);
}

static struct test_file *file_of(struct vnode *vnode)
{
    return (struct test_file *)((char *)vnode - offsetof(struct test_file, vnode));
}

static int medium_read(struct cache_object *object, uint64_t page, unsigned n, uint8_t *data,
                       const struct cache_map *map)
{
    struct test_file *file = object->context;

    (void)map;
    file->reads++;
    if (file->bad)
        return -EIO;
    for (unsigned i = 0; i < n; i++)
        memcpy(data + i * HAL_PAGE_SIZE, file->medium + (page + i) * HAL_PAGE_SIZE, HAL_PAGE_SIZE);
    return 0;
}

static int medium_write(struct cache_object *object, uint64_t page, unsigned n, void *const *pages,
                        const struct cache_map *map)
{
    struct test_file *file = object->context;

    (void)map;
    for (unsigned i = 0; i < n; i++)
        memcpy(file->medium + (page + i) * HAL_PAGE_SIZE, pages[i], HAL_PAGE_SIZE);
    return 0;
}

static const struct cache_ops medium_ops = {.read = medium_read, .write = medium_write};

static int file_frame(struct vnode *vnode, uint64_t number, void **frame)
{
    struct test_file *file = file_of(vnode);

    if (file->bad)
        return -EIO;
    if (number * HAL_PAGE_SIZE >= vnode->attributes.size)
        return -EINVAL;
    if (!file->frames[number]) {
        file->frames[number] = frame_alloc(0);
        if (!file->frames[number])
            return -ENOMEM;
        memset(file->frames[number], 0, HAL_PAGE_SIZE);
    }
    *frame = file->frames[number];
    return 0;
}

static void release(struct vnode *vnode)
{
    (void)vnode;
}

static const struct vnode_ops cached_ops = {.release = release};
static const struct vnode_ops frame_ops = {.frame = file_frame, .release = release};

void test_file_init(struct test_file *file, bool has_frames, unsigned pages, uint8_t seed)
{
    const struct vnode_attributes attributes = {.type = VNODE_FILE,
                                                .size = pages * (uint64_t)HAL_PAGE_SIZE};

    memset(file, 0, sizeof *file);
    file->has_frames = has_frames;
    for (uint64_t i = 0; i < attributes.size; i++)
        file->medium[i] = test_file_byte(i, seed);
    vnode_init(&file->vnode, NULL, has_frames ? &frame_ops : &cached_ops, &attributes);
    for (unsigned i = 0; has_frames && i < pages; i++) {
        file->frames[i] = frame_alloc(0);
        memcpy(file->frames[i], file->medium + i * PAGE, PAGE);
    }
    if (!has_frames) {
        cache_object_init(&file->object, &medium_ops, file, attributes.size);
        file->vnode.pages = &file->object;
    }
    ck_assert_int_eq(file_of_vnode(&file->vnode, FILE_READ_WRITE, &file->file), 0);
    ck_assert_int_eq(file_of_vnode(&file->vnode, FILE_READ_ONLY, &file->read_only), 0);
}

static void cut_frames(struct test_file *file, uint64_t bytes)
{
    uint64_t kept = bytes % PAGE;

    for (uint64_t i = (bytes + PAGE - 1) / PAGE; i < FILE_PAGES; i++) {
        frame_put(file->frames[i]);
        file->frames[i] = NULL;
    }
    if (kept && file->frames[bytes / PAGE])
        memset((uint8_t *)file->frames[bytes / PAGE] + kept, 0, PAGE - kept);
}

void test_file_resize(struct test_file *file, uint64_t bytes)
{
    uint64_t old = file->vnode.attributes.size;

    file->vnode.attributes.size = bytes;
    if (file->has_frames && bytes < old)
        cut_frames(file, bytes);
    if (!file->has_frames) {
        cache_resize(&file->object, bytes);
        if (bytes > old)
            ck_assert(cache_write(&file->object, old, NULL, bytes - old) == (int64_t)(bytes - old));
    }
    if (bytes < old)
        vm_file_cut(&file->vnode, bytes);
}

void test_file_finish(struct test_file *file)
{
    file_put(file->file);
    file_put(file->read_only);
    if (file->has_frames)
        cut_frames(file, 0);
    else
        cache_object_finish(&file->object);
    vnode_finish(&file->vnode);
}

void vm_test_start(void)
{
    fake_kernel_start(16 * MIB);
    fake_aspace_reset();
    vm_init();
}

struct in_use read_in_use(void)
{
    struct frame_stats frames;
    struct heap_stats heap;
    struct in_use in_use;

    cache_lru_reclaim(1u << 20);
    reclaim_frames(1u << 20);
    heap_read_stats(&heap);
    frame_read_stats(&frames);
    in_use.frames = frames.used;
    in_use.blocks = heap.live_blocks;
    in_use.cached = cache_counted(&cache_counts.pages);
    return in_use;
}

void check_in_use(struct in_use before)
{
    struct in_use now = read_in_use();

    ck_assert_uint_eq(now.cached, before.cached);
    ck_assert_uint_eq(now.blocks, before.blocks);
    ck_assert_uint_eq(now.frames, before.frames);
}

int main(void)
{
    SRunner *runner = srunner_create(claims_suite());
    int failed;

    srunner_add_suite(runner, model_suite());
    srunner_add_suite(runner, memory_suite());
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
