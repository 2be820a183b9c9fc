/* SPDX-License-Identifier: MIT */
/*
 * copy.c: page by page, with the lock of the page map held while bytes move: so no page goes away
 * in the middle of it.
 */
#include "vm/copy.h"

#include "vm/region/region.h"

#include <hal/compiler.h>
#include <hal/errno.h>
#include <hal/runtime.h>

/* Bytes that are next to each other in RAM, as far as they can be used. */
struct window {
    struct vm_space *space;
    uint8_t *bytes;
    size_t n;
    hal_irq_state_t state;
};

/* Opens a window at `address`, if its page is there and for `access`: as window_open. */
static bool window_try(struct window *window, uintptr_t address, unsigned access)
{
    struct vm_space *space = window->space;
    uintptr_t word;

    window->state = spinlock_acquire(&space->pages_lock);
    word = vm_word(space, address / HAL_PAGE_SIZE);
    if (word && (page_access(word) & access)) {
        window->bytes = (uint8_t *)page_bytes(word) + address % HAL_PAGE_SIZE;
        return true;
    }
    spinlock_release(&space->pages_lock, window->state);
    return false;
}

/*
 * Opens a window of up to `n` bytes at `address` for `access`, with pages_lock held: 0, until
 * window_close; or -EFAULT, or -ENOMEM.
 */
static int window_open(struct window *window, uintptr_t address, size_t n, unsigned access)
{
    struct vm_space *space = window->space;
    size_t within = address % HAL_PAGE_SIZE;
    int error;

    window->n = n < HAL_PAGE_SIZE - within ? n : HAL_PAGE_SIZE - within;
    while (!window_try(window, address, access)) {
        error = vm_fault(space, address, access);
        if (error)
            return error == -ENOMEM ? -ENOMEM : -EFAULT;
    }
    return 0;
}

static void window_close(struct window *window)
{
    spinlock_release(&window->space->pages_lock, window->state);
}

/*
 * What programs have in memory they may change while the kernel looks, and so may who writes to a
 * file that is mapped: that is their affair. So these bytes are moved one by one, or in words,
 * whatever anybody else does, and no tool shall look for an order in it. The kernel's own side is
 * an array on the stack, and from there on everything is as always.
 */
#define BOUNCE 512u

static HAL_RAW_ACCESS void move_words(volatile uint64_t *to, const volatile uint64_t *from,
                                      size_t n)
{
    for (; n >= 4; n -= 4, to += 4, from += 4) {
        const uint64_t a = from[0], b = from[1], c = from[2], d = from[3];

        to[0] = a;
        to[1] = b;
        to[2] = c;
        to[3] = d;
    }
    for (; n > 0; n--)
        *to++ = *from++;
}

static HAL_RAW_ACCESS void move_bytes(volatile uint8_t *to, const volatile uint8_t *from, size_t n)
{
    if (((uintptr_t)to | (uintptr_t)from) % sizeof(uint64_t) == 0) {
        size_t words = n / sizeof(uint64_t), bytes = words * sizeof(uint64_t);

        move_words((volatile uint64_t *)(volatile void *)to,
                   (const volatile uint64_t *)(const volatile void *)from, words);
        to += bytes;
        from += bytes;
        n -= bytes;
    }
    for (; n > 0; n--)
        *to++ = *from++;
}

static void copy_from_window(uint8_t *to, const uint8_t *bytes, size_t n)
{
    _Alignas(sizeof(uint64_t)) uint8_t bounce[BOUNCE];

    for (size_t part; n > 0; n -= part, to += part, bytes += part) {
        part = n < BOUNCE ? n : BOUNCE;
        move_bytes(bounce, bytes, part);
        memcpy(to, bounce, part);
    }
}

/* `from` NULL: zeros. */
static void copy_to_window(uint8_t *bytes, const uint8_t *from, size_t n)
{
    _Alignas(sizeof(uint64_t)) uint8_t bounce[BOUNCE];

    if (!from)
        memset(bounce, 0, sizeof(bounce));
    for (size_t part; n > 0; n -= part, bytes += part) {
        part = n < BOUNCE ? n : BOUNCE;
        if (from) {
            memcpy(bounce, from, part);
            from += part;
        }
        move_bytes(bytes, bounce, part);
    }
}

/* Copies all it can: 0, or why not all; *done: how many bytes. */
static int read_all(struct vm_space *space, void *to, uintptr_t from, size_t n, size_t *done)
{
    struct window window = {.space = space};

    for (*done = 0; *done < n; *done += window.n) {
        int error = window_open(&window, from + *done, n - *done, HAL_USER_READ);

        if (error)
            return error;
        copy_from_window((uint8_t *)to + *done, window.bytes, window.n);
        window_close(&window);
    }
    return 0;
}

/* The same; `from` NULL: zeros. */
static int write_all(struct vm_space *space, uintptr_t to, const void *from, size_t n, size_t *done)
{
    struct window window = {.space = space};

    for (*done = 0; *done < n; *done += window.n) {
        int error = window_open(&window, to + *done, n - *done, HAL_USER_WRITE);

        if (error)
            return error;
        copy_to_window(window.bytes, from ? (const uint8_t *)from + *done : NULL, window.n);
        window_close(&window);
    }
    return 0;
}

int64_t vm_copy_in_some(struct vm_space *space, void *to, uintptr_t from, size_t n)
{
    size_t done;
    int error = read_all(space, to, from, n, &done);

    return done > 0 ? (int64_t)done : error;
}

int64_t vm_copy_out_some(struct vm_space *space, uintptr_t to, const void *from, size_t n)
{
    size_t done;
    int error = write_all(space, to, from, n, &done);

    return done > 0 ? (int64_t)done : error;
}

int vm_copy_in(struct vm_space *space, void *to, uintptr_t from, size_t n)
{
    return read_all(space, to, from, n, &(size_t){0});
}

int vm_copy_out(struct vm_space *space, uintptr_t to, const void *from, size_t n)
{
    return write_all(space, to, from, n, &(size_t){0});
}

int vm_zero_out(struct vm_space *space, uintptr_t to, size_t n)
{
    return write_all(space, to, NULL, n, &(size_t){0});
}

int64_t vm_copy_string_in(struct vm_space *space, char *to, uintptr_t from, size_t max)
{
    struct window window = {.space = space};
    size_t done = 0;
    int error;

    while (done < max) {
        size_t n = 0;
        bool ended;

        error = window_open(&window, from + done, max - done, HAL_USER_READ);
        if (error)
            return error;
        while (n < window.n && (to[done + n] = (char)window.bytes[n]) != '\0')
            n++;
        ended = n < window.n;
        window_close(&window);
        done += n;
        if (ended)
            break;
    }
    return (int64_t)done;
}

int vm_load_u32(struct vm_space *space, uintptr_t from, uint32_t *value)
{
    struct window window = {.space = space};
    int error;

    if (from % sizeof(*value))
        return -EINVAL;
    error = window_open(&window, from, sizeof(*value), HAL_USER_READ);
    if (error)
        return error;
    *value = __atomic_load_n((const uint32_t *)(const void *)window.bytes, __ATOMIC_SEQ_CST);
    window_close(&window);
    return 0;
}

int vm_peek_u32(struct vm_space *space, uintptr_t from, uint32_t *value)
{
    struct window window = {.space = space};

    if (from % sizeof(*value))
        return -EINVAL;
    if (!window_try(&window, from, HAL_USER_READ))
        return -EAGAIN;
    *value = __atomic_load_n((const uint32_t *)(const void *)window.bytes, __ATOMIC_SEQ_CST);
    window_close(&window);
    return 0;
}

int vm_cmpxchg_u32(struct vm_space *space, uintptr_t address, uint32_t *expected, uint32_t desired)
{
    struct window window = {.space = space};
    int error;

    if (address % sizeof(desired))
        return -EINVAL;
    error = window_open(&window, address, sizeof(desired), HAL_USER_WRITE);
    if (error)
        return error;
    __atomic_compare_exchange_n((uint32_t *)(void *)window.bytes, expected, desired, false,
                                __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    window_close(&window);
    return 0;
}
