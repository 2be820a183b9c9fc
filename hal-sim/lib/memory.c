/* SPDX-License-Identifier: MIT */
/*
 * memory.c: the guest's memory seen from outside.
 *
 * The kernel answers (hal/inspect.h); here is only who may ask, and when. Its answers take no lock
 * of its own, so asking is safe while it runs as long as the machine stays what it is: the host
 * lock keeps it from being reset under the question. Lists can be read only while the kernel stands
 * still, which between two runs with the virtual clock it does.
 */
#include "lib/library.h"

#include <hal/errno.h>
#include <hal/inspect.h>
#include <hal/machine.h>

#include <string.h>

_Static_assert((int)TB_FRAME_KERNEL == (int)HAL_FRAME_KERNEL &&
                   (int)TB_FRAME_UNTOUCHED == (int)HAL_FRAME_UNTOUCHED &&
                   (int)TB_FRAME_FREE == (int)HAL_FRAME_FREE &&
                   (int)TB_FRAME_TAGS == (int)HAL_FRAME_TAGS,
               "frames have the same values on both sides");
_Static_assert((int)TB_FAIL_NTH == (int)HAL_FAIL_NTH && (int)TB_FAIL_FROM == (int)HAL_FAIL_FROM &&
                   (int)TB_FAIL_SITE == (int)HAL_FAIL_SITE &&
                   (int)TB_FAIL_SHARE == (int)HAL_FAIL_SHARE,
               "plans have the same values on both sides");

static bool has_power(void)
{
    return atomic_load(&machine.power) != POWER_OFF;
}

size_t tb_memory_frames(const struct tb_machine *m, uint64_t first, uint8_t *frames, size_t n)
{
    uint64_t all;
    size_t there = 0;
    (void)m;
    memset(frames, TB_FRAME_NONE, n);
    host_lock(HOST_MACHINE);
    all = machine.ram_bytes / HAL_PAGE_SIZE;
    if (first < all)
        there = n < all - first ? n : (size_t)(all - first);
    if (has_power())
        hal_inspect_frames(first, frames, there);
    host_unlock(HOST_MACHINE);
    return there;
}

const char *tb_memory_tag(const struct tb_machine *m, unsigned tag)
{
    (void)m;
    return has_power() ? hal_inspect_tag(tag) : NULL;
}

int tb_alloc_site(const struct tb_machine *m, unsigned number, struct tb_alloc_site *out)
{
    struct hal_alloc_site site;
    (void)m;
    if (!hal_inspect_site(number, &site))
        return -ENOENT;
    *out = (struct tb_alloc_site){.file = site.file, .line = site.line};
    if (has_power()) {
        out->tag = site.tag;
        out->calls = site.calls;
        out->failures = site.failures;
        out->blocks = site.blocks;
        out->bytes = site.bytes;
    }
    return 0;
}

uint64_t tb_alloc_count(const struct tb_machine *m)
{
    (void)m;
    return has_power() ? hal_inspect_allocations() : 0;
}

static int check_plan(const struct tb_alloc_fail *plan)
{
    struct hal_alloc_site site;
    if ((unsigned)plan->kind > TB_FAIL_SHARE)
        return library_fail(-EINVAL, "%d is no way for allocations to fail", (int)plan->kind);
    if (plan->kind == TB_FAIL_SITE && !hal_inspect_site(plan->site, &site))
        return library_fail(-EINVAL, "there is no allocation site %u; tb_alloc_site lists them",
                            plan->site);
    if (plan->n == 0 && plan->kind != TB_FAIL_NONE && plan->kind != TB_FAIL_SITE)
        return library_fail(-EINVAL, "allocations are counted from 1: an n of 0 means none");
    return 0;
}

int tb_alloc_fail(struct tb_machine *m, const struct tb_alloc_fail *plan)
{
    struct hal_fail_plan kernels = {.kind = (enum hal_fail_kind)plan->kind,
                                    .site = plan->site,
                                    .n = plan->n,
                                    .seed = plan->seed};
    int error = check_plan(plan);
    (void)m;
    if (!error && !has_power())
        error = library_fail(-EINVAL, "the power is off; call tb_power_on first");
    if (error)
        return error;
    host_lock(HOST_MACHINE);
    hal_inspect_fail(&kernels);
    host_unlock(HOST_MACHINE);
    return 0;
}

int tb_inspect_state(struct tb_machine *m, char *text, size_t bytes)
{
    (void)m;
    if (machine.real)
        return library_fail(-ENOTSUP, "the state of the kernel needs the virtual clock");
    if (!has_power())
        return library_fail(-EINVAL, "the power is off; call tb_power_on first");
    return (int)hal_inspect_state(text, bytes);
}
