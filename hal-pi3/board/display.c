/* SPDX-License-Identifier: MIT */
/*
 * display.c: the framebuffer, which the firmware sets up and shows.
 *
 * Everything is asked for in one message, because the firmware changes mode when it has been told
 * all of it, and what comes back is believed rather than what was asked. The pixels lie in the
 * VideoCore's part of the RAM. They are mapped uncached, so that what is written is seen without
 * anything else; writes are gathered by the processor, reads are slow. Order 0 is blue in the
 * lowest byte, which makes a pixel 0x00RRGGBB.
 */
#include "arch/mmu.h"
#include "soc/mailbox.h"

#include <hal/display.h>
#include <hal/errno.h>
#include <hal/machine.h>
#include <hal/mem.h>
#include <pi3/layout.h>

#define DISPLAY_DEPTH 32u
#define ORDER_BLUE_LOW 0u
#define BUS_TO_ARM 0x3fffffffu

enum display_item {
    ITEM_SIZE,
    ITEM_VIRTUAL,
    ITEM_DEPTH,
    ITEM_ORDER,
    ITEM_OFFSET,
    ITEM_BUFFER,
    ITEM_PITCH,
    ITEMS
};

static int display_check(const struct mailbox_item *items, uint64_t *start, uint64_t *end)
{
    uint32_t height = items[ITEM_SIZE].values[1];
    uint32_t pitch = items[ITEM_PITCH].values[0];
    struct hal_range ram;

    *start = items[ITEM_BUFFER].values[0] & BUS_TO_ARM;
    *end = *start + (uint64_t)pitch * height;
    if (items[ITEM_BUFFER].answered == 0 || *start == 0 || height == 0 || pitch == 0) {
        return -ENODEV;
    }
    bool shape_ok = items[ITEM_DEPTH].values[0] == DISPLAY_DEPTH &&
                    items[ITEM_ORDER].values[0] == ORDER_BLUE_LOW && pitch % 4 == 0 &&
                    pitch / 4 >= items[ITEM_SIZE].values[0];
    /* The linear map of RAM is cached; the buffer must not be in it. */
    bool place_ok = *end <= PERIPHERAL_START && hal_mem_ram(0, &ram) &&
                    *start >= ram.start + ram.bytes && *start % 4 == 0;
    return shape_ok && place_ok ? 0 : -EIO;
}

int hal_display_open(uint32_t width, uint32_t height, struct hal_display *display)
{
    struct mailbox_item items[ITEMS] = {
        [ITEM_SIZE] = {TAG_FB_SET_SIZE, 2, {width, height}, 0},
        [ITEM_VIRTUAL] = {TAG_FB_SET_VIRTUAL, 2, {width, height}, 0},
        [ITEM_DEPTH] = {TAG_FB_SET_DEPTH, 1, {DISPLAY_DEPTH, 0}, 0},
        [ITEM_ORDER] = {TAG_FB_SET_ORDER, 1, {ORDER_BLUE_LOW, 0}, 0},
        [ITEM_OFFSET] = {TAG_FB_SET_OFFSET, 2, {0, 0}, 0},
        [ITEM_BUFFER] = {TAG_FB_ALLOCATE, 2, {HAL_PAGE_SIZE, 0}, 0},
        [ITEM_PITCH] = {TAG_FB_PITCH, 1, {0, 0}, 0},
    };
    uint64_t start;
    uint64_t end;

    if (mailbox_ask(items, ITEMS) != 0) {
        return -EIO;
    }
    int result = display_check(items, &start, &end);
    if (result != 0) {
        return result;
    }
    mmu_map(start & ~(uint64_t)(HAL_PAGE_SIZE - 1), end, MMU_UNCACHED);
    display->pixels = hal_mem_pointer(start);
    display->width = items[ITEM_SIZE].values[0];
    display->height = items[ITEM_SIZE].values[1];
    display->pitch = items[ITEM_PITCH].values[0];
    return 0;
}

void hal_display_show(uint32_t first, uint32_t count)
{
    /* The pixels are not cached: all that may be under way is in the processor's write buffer. */
    (void)first;
    (void)count;
    __asm__ volatile("dsb sy" ::: "memory");
}
