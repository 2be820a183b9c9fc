/* SPDX-License-Identifier: MIT */
/*
 * value.c: numbers by chance: those that are likely to be good, those at edges, and any.
 */
#include "ktest/calls/calls.h"

#include "proc/process.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))
#define PICK(chance, array) (array)[calls_below(chance, COUNT(array))]

uint64_t calls_bits(struct calls_chance *chance)
{
    uint64_t x = chance->state += 0x9e3779b97f4a7c15u; /* SplitMix64 */

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

uint32_t calls_below(struct calls_chance *chance, uint32_t limit)
{
    return (uint32_t)((calls_bits(chance) >> 32) * limit >> 32);
}

struct calls_chance calls_chance_of(uint64_t seed, uint64_t index)
{
    struct calls_chance chance = {seed * 0xd1342543de82ef95u + index};

    chance.state = calls_bits(&chance);
    return chance;
}

/* ---- numbers by kind ---- */

static const uint64_t descriptors[] = {
    (uint64_t)-1,
    (uint64_t)-100,
    900,
    1023,
    1024,
    4095,
    4096,
    0x7fffffff,
    0x80000000u,
    0xffffffffu,
    1ull << 32,
    1ull << 63,
    (uint64_t)(int32_t)-2,
};
static const uint64_t sizes[] = {
    0,
    1,
    2,
    7,
    HAL_PAGE_SIZE - 1,
    HAL_PAGE_SIZE,
    HAL_PAGE_SIZE + 1,
    3 * HAL_PAGE_SIZE,
    65535,
    65536,
    1u << 20,
    0x7ffff000,
    0x7fffffff,
    0x80000000u,
    0xffffffffu,
    1ull << 32,
    HAL_USER_END,
    1ull << 47,
    (1ull << 63) - 1,
    1ull << 63,
    (uint64_t)-HAL_PAGE_SIZE,
    (uint64_t)-1,
};
/* Lengths of structures that calls insist on, and what they are asked to do. */
static const uint64_t usual_sizes[] = {8, 16, 24, 32, 64, 88, 128, 144, 256, 512, 1024, 4096};
static const uint64_t offsets[] = {0,          1,          511,         HAL_PAGE_SIZE, 1u << 16,
                                   0x7fffffff, 1ull << 31, 1ull << 32,  1ull << 40,    1ull << 62,
                                   INT64_MAX,  1ull << 63, (uint64_t)-1};
static const uint64_t integers[] = {0x7fffffff, 0x80000000u, (uint64_t)-1, 0xffffffffu, 1024,
                                    1030,       1031,        1032,         1ull << 32,  INT64_MAX};
static const uint32_t requests[] = {
    0x5401,     0x5402,     0x5403,     0x5404,     0x5405,     0x5409,     0x540a,     0x540b,
    0x540e,     0x540f,     0x5410,     0x5411,     0x5413,     0x5414,     0x541b,     0x5421,
    0x5422,     0x5429,     0x5450,     0x5451,     0x8044b401, 0xc100b405, 0xc250b407, 0xc040b40f,
    0xc110b40d, 0xc008b40c, 0x80081272, 0x00001260, 0xffffffff, 0xc0000000, 0x40000000, 0x1002,
    0x1003,     15,         16,         38,         128,        129,        256,        265,
};
static const uint64_t flags[] = {
    0,       01,   02,      0101,     0102,   0302,  01102, 02002, 04000, 02000000, 010000000,
    0200000, 0x1,  0x2,     0x22,     0x21,   0x32,  0x31,  0x122, 3,     7,        5,
    0x4011,  0x11, 0x50f00, 0x100011, 0x1000, 0x100, 0x200, 0x400, 6,     0x1000004};
static const uint64_t modes[] = {0,       0777,    0644,    0400,        04777,   07777,
                                 0100644, 0010600, 0020666, 0060660,     0040755, 0140777,
                                 0170000, 0xffff,  0x10000, (uint64_t)-1};
static const uint64_t ids[] = {0, 0, 0, 1, 1000, 65534, 0xffffffffu, 0xfffffffeu, 1ull << 32};

static uint64_t choose_flags(struct calls_chance *chance)
{
    switch (calls_below(chance, 10)) {
    case 0:
        return 1ull << calls_below(chance, 64);
    case 1:
        return 1ull << calls_below(chance, 24);
    case 4:
    case 5:
    case 6:
        return 0;
    case 2:
        return 1ull << calls_below(chance, 24) | PICK(chance, flags);
    case 3:
        return calls_below(chance, 4) ? PICK(chance, flags) | PICK(chance, flags)
                                      : calls_bits(chance);
    default:
        return PICK(chance, flags);
    }
}

static uint64_t choose_integer(struct calls_chance *chance)
{
    switch (calls_below(chance, 8)) {
    case 0:
        return PICK(chance, integers);
    case 1:
    case 2:
        return PICK(chance, requests);
    case 3:
        return calls_below(chance, 128);
    default:
        return calls_below(chance, 8);
    }
}

static uint64_t choose_size(struct calls_chance *chance)
{
    switch (calls_below(chance, 8)) {
    case 0:
        return PICK(chance, sizes);
    case 1:
    case 2:
        return PICK(chance, usual_sizes);
    case 3:
        return HAL_PAGE_SIZE * (1 + calls_below(chance, 8));
    default:
        return calls_below(chance, 64);
    }
}

static uint64_t choose_pid(struct calls_chance *chance, uint32_t pid)
{
    static const int64_t special[] = {0, 1, -1, INT32_MAX, INT32_MIN, 4194303, INT64_MIN};

    switch (calls_below(chance, 6)) {
    case 0:
        return (uint64_t)PICK(chance, special);
    case 1:
        return (uint64_t) - (int64_t)pid;
    case 2:
        return 2 + calls_below(chance, pid + 8);
    case 3:
        return pid + calls_below(chance, 9) - 4;
    default:
        return pid;
    }
}

static uint64_t choose_descriptor(struct calls_chance *chance)
{
    switch (calls_below(chance, 6)) {
    case 0:
        return PICK(chance, descriptors);
    case 1:
    case 2:
        return CALLS_FILE + calls_below(chance, 3); /* or the directory */
    default:
        return calls_below(chance, CALLS_GIVEN + 2);
    }
}

/* Where a path begins. */
static uint64_t choose_directory(struct calls_chance *chance)
{
    switch (calls_below(chance, 6)) {
    case 0:
        return choose_descriptor(chance);
    case 1:
        return CALLS_DIRECTORY;
    default:
        return (uint64_t)-100; /* as it is */
    }
}

static uint64_t choose_address(struct calls_chance *chance)
{
    if (calls_below(chance, 3) == 0) /* where something could be mapped */
        return CALLS_PAGE(calls_below(chance, 100));
    return calls_pointer(chance);
}

static uint64_t choose_value(struct calls_chance *chance, enum sys_kind kind, uint32_t pid)
{
    switch (kind) {
    case SYS_UNUSED:
        return calls_bits(chance);
    case SYS_FD:
        return choose_descriptor(chance);
    case SYS_PATH:
    case SYS_STRING:
        return calls_below(chance, 6) ? calls_path(chance) : calls_pointer(chance);
    case SYS_INT:
        return choose_integer(chance);
    case SYS_FLAGS:
        return choose_flags(chance);
    case SYS_MODE:
        return PICK(chance, modes);
    case SYS_SIZE:
        return choose_size(chance);
    case SYS_OFFSET:
        return calls_below(chance, 3) ? calls_below(chance, 3) * HAL_PAGE_SIZE
                                      : PICK(chance, offsets);
    case SYS_SIGNAL:
        return calls_below(chance, 8) ? calls_below(chance, 66) : PICK(chance, integers);
    case SYS_PID:
        return choose_pid(chance, pid);
    case SYS_ID:
        return PICK(chance, ids);
    case SYS_ADDRESS:
        return choose_address(chance);
    default:
        return calls_pointer(chance);
    }
}

void calls_choose(struct calls_chance *chance, const uint8_t kinds[SYS_ARGUMENTS], uint32_t pid,
                  struct sys_args *args)
{
    for (unsigned i = 0; i < SYS_ARGUMENTS; i++) {
        if (i + 1 < SYS_ARGUMENTS && kinds[i] == SYS_FD && kinds[i + 1] == SYS_PATH)
            args->value[i] = choose_directory(chance);
        else
            args->value[i] = choose_value(chance, (enum sys_kind)kinds[i], pid);
        if (calls_below(chance, 40) == 0)
            args->value[i] = calls_bits(chance) >> calls_below(chance, 64);
    }
}
