/* SPDX-License-Identifier: MIT */
/*
 * memory.c: what a player's pointers point to.
 *
 *     page  0  the area: structures that calls might want, to be read and written
 *           8  nothing
 *          16  texts: read only; the last one has no end, and nothing comes after it
 *          20  one page to be written, one to be read only, behind it
 *          24  taken, and for nothing
 *          32  shared with forks
 *          40  a file, shared, whose end is in the middle
 *          48  code: exit(0)
 *          64  the stack
 */
#include "ktest/calls/calls.h"

#include "abi/abi.h"
#include "fs/file.h"
#include "heap/heap.h"
#include "lib/string.h"
#include "vm/copy.h"
#include "vm/space.h"

#include <hal/aspace.h>
#include <hal/errno.h>
#include <hal/runtime.h>

#define READ HAL_USER_READ
#define WRITE (HAL_USER_READ | HAL_USER_WRITE)
#define TEXTS CALLS_PAGE(16)
#define TEXT_PAGES 4u
#define TEXT_BYTES (TEXT_PAGES * HAL_PAGE_SIZE)
#define SHORT_BYTES 32u /* for each of the short texts */
#define LONG_AT HAL_PAGE_SIZE
#define ENDLESS_AT (3 * HAL_PAGE_SIZE)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const texts[] = {
    "f0",
    "f1",
    "f2",
    "f3",
    "d",
    "d/f4",
    "d/f5",
    "d/e",
    "d/e/f6",
    "link",
    "loop",
    "d/up",
    "fifo",
    "new",
    "d/new",
    "prog",
    "script",
    "garbage",
    "null",
    "zero",
    "tty",
    "full",
    "chance",
    "pins",
    "disk",
    "/proc/mounts",
    "/proc",
    "/proc/1",
    "/proc/self",
    "/proc/self/exe",
    "/proc/self/maps",
    "/proc/self/fd/0",
    "/proc/uptime",
    "/",
    "..",
    ".",
    "./",
    "d/..",
    "d/../f0",
    "f0/",
    "f0/x",
    "nothing/x",
    "",
    "//",
    "...",
    "../..",
    "ab\x80\xff",
    "f0\n",
    "/nothing",
    CALLS_DISK_PATH, /* from here on they are for mount alone */
    "vfat",
    "ramfs",
    "devtmpfs",
    "proc",
    "ro",
    "rw",
    "umask=077",
    "nothing=1",
};

#define USUAL 25u /* of the first so many */
#define PATHS (COUNT(texts) - 9u)

/* Lengths of names and paths around what is too long. */
static const uint16_t lengths[] = {63, 254, 255, 256, 765, 766, 1000, 4094, 4095, 4096};

static const uintptr_t bad_pointers[] = {
    0,
    1,
    8,
    HAL_USER_START - 1,
    HAL_USER_START,
    HAL_USER_END - 8,
    HAL_USER_END - 1,
    HAL_USER_END,
    HAL_USER_END + HAL_PAGE_SIZE,
    (uintptr_t)1 << 47,
    ((uintptr_t)1 << 47) - 16,
    (uintptr_t)1 << 63,
    (uintptr_t)0xffff800000000000u,
    (uintptr_t)0xffffffff80000000u,
    (uintptr_t)0xffff000000080000u,
    (uintptr_t)-4096,
    (uintptr_t)-8,
    (uintptr_t)-1,
    CALLS_PAGE(12),
    CALLS_PAGE(24),
    CALLS_PAGE(24) + 100,
};
static const uintptr_t good_pointers[] = {
    CALLS_PAGE(8) - 4,  CALLS_PAGE(8) - 1, CALLS_PAGE(16),
    CALLS_PAGE(21) - 8, CALLS_PAGE(21),    CALLS_PAGE(20),
    CALLS_PAGE(22) - 2, CALLS_PAGE(32),    CALLS_PAGE(33) - 3,
    CALLS_PAGE(34) - 1, CALLS_PAGE(40),    CALLS_PAGE(41) - 20,
    CALLS_PAGE(42) - 1, CALLS_PAGE(42),    CALLS_PAGE(43) + 100,
    CALLS_CODE,         CALLS_STACK - 64,  CALLS_STACK - HAL_PAGE_SIZE * 9,
    CALLS_PAGE(0) + 1,  CALLS_PAGE(0) + 3,
};

uintptr_t calls_pointer(struct calls_chance *chance)
{
    switch (calls_below(chance, 12)) {
    case 0:
        return 0;
    case 1:
        return bad_pointers[calls_below(chance, COUNT(bad_pointers))];
    case 2:
        return (uintptr_t)chance; /* the kernel's own, and in every run the same */
    case 3:
    case 4:
        return good_pointers[calls_below(chance, COUNT(good_pointers))];
    case 5:
        return CALLS_BASE + calls_below(chance, CALLS_AREA_PAGES * HAL_PAGE_SIZE);
    default:
        return CALLS_BASE +
               calls_below(chance, CALLS_AREA_PAGES * HAL_PAGE_SIZE / CALLS_SLOT) * CALLS_SLOT;
    }
}

uintptr_t calls_path(struct calls_chance *chance)
{
    uintptr_t at = TEXTS + LONG_AT;
    uint32_t longer;

    if (calls_below(chance, 12))
        return TEXTS + calls_below(chance, calls_below(chance, 3) ? USUAL : PATHS) * SHORT_BYTES;
    longer = calls_below(chance, COUNT(lengths) + 1);
    if (longer == COUNT(lengths)) /* without an end */
        return TEXTS + TEXT_BYTES - calls_below(chance, 4096);
    return at + 2 * HAL_PAGE_SIZE - 1 - lengths[longer]; /* all end at the same place */
}

uintptr_t calls_text(const char *text)
{
    unsigned i = 0;

    while (i < COUNT(texts) && !string_equal(texts[i], text))
        i++;
    return TEXTS + (uintptr_t)i * SHORT_BYTES;
}

/* ---- making it ---- */

static int map(struct vm_space *space, unsigned page, unsigned pages, unsigned access, unsigned how,
               struct file *file)
{
    int64_t at =
        vm_map(space, CALLS_PAGE(page), pages * HAL_PAGE_SIZE, access, how | VM_FIXED, file, 0);

    return at < 0 ? (int)at : 0;
}

/* The long texts: names, with a '/' now and then behind the last 1,000 bytes. */
static void write_long(char *to, size_t n, bool parts)
{
    for (size_t i = 0; i < n; i++)
        to[i] = parts && i % 5 == 4 && i + 1000 < n ? '/' : parts && i + 1000 < n ? '.' : 'n';
}

static int write_texts(struct vm_space *space)
{
    char *bytes = kcalloc(1, TEXT_BYTES);
    int error = -ENOMEM;

    if (bytes) {
        for (unsigned i = 0; i < COUNT(texts); i++)
            string_copy(bytes + (size_t)i * SHORT_BYTES, SHORT_BYTES, texts[i]);
        write_long(bytes + LONG_AT, 2 * HAL_PAGE_SIZE - 1, true);
        write_long(bytes + ENDLESS_AT, HAL_PAGE_SIZE, false);
        error = vm_copy_out(space, TEXTS, bytes, TEXT_BYTES);
    }
    kfree(bytes);
    return error ? error : vm_protect(space, TEXTS, TEXT_BYTES, READ);
}

const uint8_t *calls_code(size_t *bytes)
{
    static const uint8_t x86_64[] = {0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05};
    static const uint8_t aarch64[] = {0xa8, 0x0b, 0x80, 0xd2, 0, 0, 0x80, 0xd2, 1, 0, 0, 0xd4};
    bool arm = abi_elf_machine == 183;

    *bytes = arm ? sizeof(aarch64) : sizeof(x86_64);
    return arm ? aarch64 : x86_64;
}

/* For children that a player makes. */
static int write_code(struct vm_space *space)
{
    size_t bytes;
    const uint8_t *code = calls_code(&bytes);
    int error = vm_copy_out(space, CALLS_CODE, code, bytes);

    return error ? error : vm_protect(space, CALLS_CODE, HAL_PAGE_SIZE, READ | HAL_USER_EXECUTE);
}

int calls_make_memory(struct vm_space *space, struct file *shared)
{
    static const struct {
        uint8_t page, pages, access, how;
    } parts[] = {
        {0, CALLS_AREA_PAGES, WRITE, VM_PRIVATE},
        {16, TEXT_PAGES, WRITE, VM_PRIVATE},
        {21, 1, READ, VM_PRIVATE},
        {20, 1, WRITE, VM_PRIVATE},
        {24, 1, 0, VM_PRIVATE},
        {32, 2, WRITE, VM_SHARED},
        {48, 1, WRITE, VM_PRIVATE},
        {64, 8, WRITE, VM_PRIVATE | VM_GROWS_DOWN},
    };
    int error = 0;

    for (unsigned i = 0; i < COUNT(parts) && !error; i++)
        error = map(space, parts[i].page, parts[i].pages, parts[i].access, parts[i].how, NULL);
    if (!error && shared)
        error = map(space, 40, 4, WRITE, VM_SHARED, shared);
    if (!error)
        error = write_texts(space);
    return error ? error : write_code(space);
}

/* ---- structures ---- */

static void put_pair(uint64_t *words, unsigned i, uint64_t first, uint64_t second)
{
    words[2 * i] = first;
    words[2 * i + 1] = second;
}

/* One slot, of one of some shapes that are common among structures. */
static void fill_slot(struct calls_chance *chance, uint64_t words[CALLS_SLOT / 8])
{
    uint32_t shape = calls_below(chance, 9);

    for (unsigned i = 0; i < CALLS_SLOT / 16; i++)
        switch (shape) {
        case 0:
            put_pair(words, i, 0, 0);
            break;
        case 1: /* pieces */
            put_pair(words, i, calls_pointer(chance), calls_below(chance, 300));
            break;
        case 2: /* times: short, or none */
            put_pair(words, i, 0, calls_below(chance, 2000));
            break;
        case 3: /* pointers to strings, and an end */
            put_pair(words, i, calls_path(chance), calls_below(chance, 3) ? calls_path(chance) : 0);
            break;
        case 4: /* descriptors and events */
            put_pair(words, i, calls_below(chance, 10) | (uint64_t)calls_below(chance, 64) << 32,
                     calls_below(chance, 10) | 5ull << 32);
            break;
        case 5:
            put_pair(words, i, calls_below(chance, 4), calls_below(chance, 16));
            break;
        case 6: /* a bit each */
            put_pair(words, i, 1ull << calls_below(chance, 64), 1ull << calls_below(chance, 64));
            break;
        case 7: /* handlers and other code */
            put_pair(words, i, CALLS_CODE, calls_bits(chance) & 0xdc000007u);
            break;
        default:
            put_pair(words, i, calls_bits(chance), calls_bits(chance));
            break;
        }
}

void calls_fill(struct vm_space *space, struct calls_chance *chance)
{
    uint64_t words[CALLS_SLOT / 8];
    unsigned slots = CALLS_AREA_PAGES * HAL_PAGE_SIZE / CALLS_SLOT;

    for (unsigned i = 0; i < slots; i++) {
        fill_slot(chance, words);
        if (vm_copy_out(space, CALLS_BASE + (uintptr_t)i * CALLS_SLOT, words, sizeof(words)))
            return; /* the player has given its memory away */
    }
}
