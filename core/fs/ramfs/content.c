/* SPDX-License-Identifier: MIT */
/*
 * content.c: what is in a file: page frames in a tree by their number in the file.
 *
 *     size 20000:   page 0   (hole)   page 2   (hole)   page 4: 3616 bytes, the rest zero
 *
 * A page that was never written to has no frame and reads as zeros. Invariant: behind the end of
 * the file every byte of the last frame is zero, and there is no frame past it; so a file that
 * grows shows zeros without a look at it.
 */
#include "fs/ramfs/node.h"

#include "heap/heap.h"
#include "mem/frame.h"

#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/runtime.h>

#define BLOCKS_PER_PAGE (HAL_PAGE_SIZE / 512)
#define STOCK_MAX 128u /* frames that are got at once */

struct content_page {
    struct tree_node link;
    uint64_t number;
    uint8_t *frame;
};

static int compare(const void *key, const struct tree_node *node)
{
    uint64_t number = *(const uint64_t *)key;
    uint64_t other = tree_entry(node, struct content_page, link)->number;

    return number < other ? -1 : number > other;
}

static struct content_page *find_page(const struct ramfs_node *node, uint64_t number)
{
    struct tree_node *found = tree_find(&node->pages, &number, compare);

    return found ? tree_entry(found, struct content_page, link) : NULL;
}

/* Frames that lie in a row, for pages that follow each other: who maps them is glad of that. */
struct stock {
    uint8_t *next;
    size_t left;
};

/* A frame; when there is none in stock, one of `wanted` that are got at once, if they can be had.
 */
static uint8_t *take_frame(struct stock *stock, size_t wanted)
{
    if (stock->left == 0 && wanted > 1) {
        stock->left = wanted < STOCK_MAX ? wanted : STOCK_MAX;
        stock->next = frame_alloc_pages(stock->left, 0);
        if (stock->next)
            frame_split(stock->next);
        else
            stock->left = 0;
    }
    if (stock->left == 0)
        return frame_alloc(0);
    stock->left--;
    stock->next += HAL_PAGE_SIZE;
    return stock->next - HAL_PAGE_SIZE;
}

static void empty_stock(struct stock *stock)
{
    for (; stock->left > 0; stock->left--, stock->next += HAL_PAGE_SIZE)
        frame_put(stock->next);
}

/* A new page under `number`; up to `wanted` may follow. It has to be filled. 0, -ENOSPC or
 * -ENOMEM. */
static int add_page(struct ramfs_node *node, uint64_t number, struct stock *stock, size_t wanted,
                    struct content_page **added)
{
    struct content_page *page;

    if (!ramfs_take_page(node->ramfs))
        return -ENOSPC;
    page = kmalloc(sizeof(*page));
    if (page)
        page->frame = take_frame(stock, wanted);
    if (!page || !page->frame) {
        kfree(page);
        ramfs_give_page(node->ramfs);
        return -ENOMEM;
    }
    page->number = number;
    tree_insert(&node->pages, &page->link, &number, compare);
    *added = page;
    return 0;
}

static void remove_page(struct ramfs_node *node, struct content_page *page)
{
    tree_remove(&node->pages, &page->link);
    frame_put(page->frame);
    kfree(page);
    ramfs_give_page(node->ramfs);
}

/* How much of `n` bytes from `offset` on lies in one page. */
static size_t part_of_page(uint64_t offset, size_t n)
{
    size_t left = HAL_PAGE_SIZE - (size_t)(offset % HAL_PAGE_SIZE);

    return n < left ? n : left;
}

/* How many pages `n` > 0 bytes from `offset` on lie in. */
static size_t pages_of(uint64_t offset, size_t n)
{
    return (size_t)(offset % HAL_PAGE_SIZE + n - 1) / HAL_PAGE_SIZE + 1;
}

int64_t content_read(struct vnode *vnode, uint64_t offset, void *data, size_t n)
{
    struct ramfs_node *node = node_of(vnode);
    uint64_t size = vnode->attributes.size;
    uint8_t *to = data;
    size_t done = 0;

    if (offset >= size)
        return 0;
    if (n > size - offset)
        n = (size_t)(size - offset);
    while (done < n) {
        uint64_t at = offset + done;
        size_t part = part_of_page(at, n - done);
        const struct content_page *page = find_page(node, at / HAL_PAGE_SIZE);

        if (page)
            memcpy(to + done, page->frame + at % HAL_PAGE_SIZE, part);
        else
            memset(to + done, 0, part);
        done += part;
    }
    return (int64_t)n;
}

int64_t content_write(struct vnode *vnode, uint64_t offset, const void *data, size_t n)
{
    struct ramfs_node *node = node_of(vnode);
    uint64_t size = vnode->attributes.size, blocks = vnode->attributes.blocks;
    const uint8_t *from = data;
    struct stock stock = {NULL, 0};
    size_t done = 0;
    int error = 0;

    if (offset > INT64_MAX || n > INT64_MAX - offset)
        return -EFBIG;
    while (done < n && !error) {
        uint64_t at = offset + done;
        size_t part = part_of_page(at, n - done);
        struct content_page *page = find_page(node, at / HAL_PAGE_SIZE);

        if (!page) {
            error = add_page(node, at / HAL_PAGE_SIZE, &stock, pages_of(at, n - done), &page);
            blocks += error ? 0 : BLOCKS_PER_PAGE;
            if (!error && part < HAL_PAGE_SIZE)
                memset(page->frame, 0, HAL_PAGE_SIZE);
        }
        if (!error) {
            memcpy(page->frame + at % HAL_PAGE_SIZE, from + done, part);
            done += part;
        }
    }
    empty_stock(&stock);
    if (done == 0)
        return error;
    node_changed(node, offset + done > size ? offset + done : size, blocks);
    return (int64_t)done;
}

int content_frame(struct vnode *vnode, uint64_t number, void **frame)
{
    struct ramfs_node *node = node_of(vnode);
    struct content_page *page;

    if (number >= (vnode->attributes.size + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE)
        return -EINVAL;
    page = find_page(node, number);
    if (!page) {
        struct stock none = {NULL, 0};
        int error = add_page(node, number, &none, 1, &page);

        if (error)
            return error;
        memset(page->frame, 0, HAL_PAGE_SIZE);
        node_gain_blocks(node, BLOCKS_PER_PAGE);
    }
    *frame = page->frame;
    return 0;
}

/* Takes away the pages from number `first` on; how many there were. */
static uint64_t remove_pages(struct ramfs_node *node, uint64_t first)
{
    struct tree_node *next = tree_lower_bound(&node->pages, &first, compare);
    uint64_t removed = 0;

    while (next) {
        struct content_page *page = tree_entry(next, struct content_page, link);

        next = tree_next(next);
        remove_page(node, page);
        removed++;
    }
    return removed;
}

int content_truncate(struct vnode *vnode, uint64_t size)
{
    struct ramfs_node *node = node_of(vnode);
    uint64_t removed = 0;

    if (size > INT64_MAX)
        return -EFBIG;
    if (size < vnode->attributes.size) {
        size_t kept = (size_t)(size % HAL_PAGE_SIZE);
        struct content_page *last;

        removed = remove_pages(node, size / HAL_PAGE_SIZE + (kept > 0));
        last = kept > 0 ? find_page(node, size / HAL_PAGE_SIZE) : NULL;
        if (last)
            memset(last->frame + kept, 0, HAL_PAGE_SIZE - kept);
    }
    node_changed(node, size, vnode->attributes.blocks - removed * BLOCKS_PER_PAGE);
    return 0;
}

void content_finish(struct ramfs_node *node)
{
    (void)remove_pages(node, 0);
}
