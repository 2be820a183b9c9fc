/* SPDX-License-Identifier: MIT */
/*
 * memory.c: the system calls of memory, which core/vm does the work of.
 */
#include "sys/calls.h"
#include "sys/user.h"

#include "fs/file.h"
#include "proc/process.h"
#include "vm/space.h"

#include <hal/errno.h>
#include <hal/machine.h>

/* Linux's flags of mmap. */
enum {
    MAP_SHARED = 1,
    MAP_PRIVATE = 2,
    MAP_SHARED_VALIDATE = 3,
    MAP_TYPE = 15,
    MAP_FIXED = 0x10,
    MAP_ANONYMOUS = 0x20,
    MAP_GROWS_DOWN = 0x100,
    MAP_FIXED_NOREPLACE = 0x100000
};

#define ACCESS_ALL 7u
#define SYNC_ASYNC 1u
#define SYNC_INVALIDATE 2u
#define SYNC_WAIT 4u

enum { ADVICE_WILL_NEED = 3, ADVICE_DONT_NEED = 4 };

static struct vm_space *space(void)
{
    return process_current()->space;
}

/* The same flags for vm_map, or 0. */
static unsigned map_flags(uint64_t flags)
{
    unsigned type = flags & MAP_TYPE, map = VM_SHARED;

    if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
        return 0;
    if (type == MAP_PRIVATE)
        map = VM_PRIVATE;
    if (flags & MAP_FIXED)
        map |= VM_FIXED;
    if (flags & MAP_FIXED_NOREPLACE)
        map |= VM_FIXED_NOREPLACE;
    if (flags & MAP_GROWS_DOWN)
        map |= VM_GROWS_DOWN;
    return map;
}

int64_t sys_mmap(const struct sys_args *args)
{
    uint64_t flags = args->value[3];
    unsigned map = map_flags(flags);
    struct file *file = NULL;
    int64_t result;

    if (!map || args->value[5] % HAL_PAGE_SIZE)
        return -EINVAL;
    if (!(flags & MAP_ANONYMOUS)) {
        file = user_file(args->value[4]);
        if (!file)
            return -EBADF;
    }
    result = vm_map(space(), (uintptr_t)args->value[0], (size_t)args->value[1],
                    (unsigned)args->value[2] & ACCESS_ALL, map, file, args->value[5]);
    file_put(file);
    return result;
}

int64_t sys_munmap(const struct sys_args *args)
{
    return vm_unmap(space(), (uintptr_t)args->value[0], (size_t)args->value[1]);
}

int64_t sys_mprotect(const struct sys_args *args)
{
    if (args->value[2] & ~(uint64_t)ACCESS_ALL)
        return -EINVAL;
    if (args->value[1] == 0)
        return args->value[0] % HAL_PAGE_SIZE ? -EINVAL : 0;
    return vm_protect(space(), (uintptr_t)args->value[0], (size_t)args->value[1],
                      (unsigned)args->value[2]);
}

int64_t sys_mremap(const struct sys_args *args)
{
    uint64_t flags = args->value[3];

    if (flags & ~(uint64_t)(VM_REMAP_MAY_MOVE | VM_REMAP_FIXED))
        return -EINVAL;
    return vm_remap(space(), (uintptr_t)args->value[0], (size_t)args->value[1],
                    (size_t)args->value[2], (unsigned)flags, (uintptr_t)args->value[4]);
}

int64_t sys_madvise(const struct sys_args *args)
{
    uint32_t advice = (uint32_t)args->value[2];

    if (args->value[0] % HAL_PAGE_SIZE || advice > 25)
        return -EINVAL;
    if (args->value[1] == 0 || (advice != ADVICE_DONT_NEED && advice != ADVICE_WILL_NEED))
        return 0; /* advice that may be ignored */
    return vm_advise(space(), (uintptr_t)args->value[0], (size_t)args->value[1],
                     advice == ADVICE_DONT_NEED ? VM_DONT_NEED : VM_WILL_NEED);
}

int64_t sys_msync(const struct sys_args *args)
{
    uint64_t flags = args->value[2];

    if ((flags & ~(uint64_t)(SYNC_ASYNC | SYNC_INVALIDATE | SYNC_WAIT)) ||
        ((flags & SYNC_ASYNC) && (flags & SYNC_WAIT)))
        return -EINVAL;
    if (args->value[1] == 0)
        return args->value[0] % HAL_PAGE_SIZE ? -EINVAL : 0;
    return vm_sync(space(), (uintptr_t)args->value[0], (size_t)args->value[1], flags & SYNC_WAIT);
}

int64_t sys_brk(const struct sys_args *args)
{
    return (int64_t)vm_set_break(space(), (uintptr_t)args->value[0]);
}

/* ---- what is in memory ---- */

#define LOOK 64u /* pages that vm_resident tells of at once */

/* How many pages those bytes are, all of them mapped; -EINVAL, -ENOMEM. */
static int64_t mapped_pages(uintptr_t start, uint64_t bytes)
{
    uint64_t pages = bytes / HAL_PAGE_SIZE + (bytes % HAL_PAGE_SIZE != 0);
    struct vm_region_info info;
    uintptr_t at = start, end = start + pages * HAL_PAGE_SIZE;

    if (start >= HAL_USER_END || pages > (HAL_USER_END - start) / HAL_PAGE_SIZE)
        return -ENOMEM;
    while (at < end) {
        if (!vm_region_at(space(), at, &info))
            return -ENOMEM;
        file_put(info.file);
        if (info.start > at)
            return -ENOMEM;
        at = info.end;
    }
    return (int64_t)pages;
}

int64_t sys_mincore(const struct sys_args *args)
{
    uintptr_t start = (uintptr_t)args->value[0];
    uint64_t resident, to = args->value[2];
    uint8_t bytes[LOOK];
    int64_t pages;

    if (start % HAL_PAGE_SIZE)
        return -EINVAL;
    pages = mapped_pages(start, args->value[1]);
    for (int64_t i = 0; i < pages; i += LOOK) {
        unsigned n = pages - i < (int64_t)LOOK ? (unsigned)(pages - i) : LOOK;

        resident = vm_resident(space(), start + (uintptr_t)i * HAL_PAGE_SIZE, n);
        for (unsigned j = 0; j < n; j++)
            bytes[j] = resident >> j & 1;
        if (user_copy_out(to + (uint64_t)i, bytes, n))
            return -EFAULT;
    }
    return pages < 0 ? pages : 0;
}

/* There is no swapping: what was touched stays, or can be loaded again. */
int64_t sys_mlock(const struct sys_args *args)
{
    uint64_t inside = args->value[0] % HAL_PAGE_SIZE;
    int64_t pages;

    if (args->value[1] > HAL_USER_END)
        return -ENOMEM;
    pages = mapped_pages((uintptr_t)(args->value[0] - inside), args->value[1] + inside);
    return pages < 0 ? pages : 0;
}

int64_t sys_mlock2(const struct sys_args *args)
{
    return args->value[2] & ~1ull ? -EINVAL : sys_mlock(args);
}

int64_t sys_munlock(const struct sys_args *args)
{
    return sys_mlock(args);
}

int64_t sys_mlockall(const struct sys_args *args)
{
    uint32_t flags = (uint32_t)args->value[0];

    return flags == 0 || flags == 4 || flags > 7 ? -EINVAL : 0;
}

int64_t sys_munlockall(const struct sys_args *args)
{
    (void)args;
    return 0;
}
