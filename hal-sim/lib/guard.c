/* SPDX-License-Identifier: MIT */
/*
 * guard.c: what there is to say of a guest that has failed, or does not come on.
 */
#include "lib/library.h"

#include <hal/errno.h>
#include <hal/inspect.h>

size_t tb_fault_trace(const struct tb_machine *m, uint64_t *addresses, size_t n)
{
    unsigned faulted = atomic_load(&machine.faulted);
    const struct cpu *cpu = &machine.cpu[faulted ? faulted - 1 : 0];
    size_t count = 0;
    (void)m;
    while (faulted && count < n && count < cpu->fault_depth) {
        addresses[count] = cpu->fault_at[count] - host_code_base();
        count++;
    }
    return count;
}

const char *tb_code_file(const struct tb_machine *m)
{
    (void)m;
    return host_code_path();
}

/* ---- a kernel that does not come on ---- */

/* Real clock: whether every CPU that could run guest code waits for its bits to change. */
static bool all_parked(void)
{
    for (unsigned i = 0; i < machine.cpu_count; i++)
        if (atomic_load(&machine.cpu[i].started) && !atomic_load(&machine.cpu[i].asleep))
            return false;
    return true;
}

static bool await_parked(void)
{
    const uint64_t patience = 1000000000;
    for (uint64_t end = host_now() + patience; host_now() < end; host_yield())
        if (all_parked())
            return true;
    return false;
}

/* Real clock: has the CPUs stand still, looks, and lets them go on if they were going. */
static int look_real(struct tb_machine *m, char *text, size_t bytes)
{
    int length = -EBUSY;
    if (!m->paused)
        library_pause(true);
    if (await_parked())
        length = (int)hal_inspect_hang(text, bytes);
    if (!m->paused)
        library_pause(false);
    return length;
}

int tb_inspect_hang(struct tb_machine *m, char *text, size_t bytes)
{
    int power = atomic_load(&machine.power);
    if (power == POWER_OFF)
        return library_fail(-EINVAL, "the power is off; call tb_power_on first");
    if (!machine.real || power == POWER_STOPPED)
        return (int)hal_inspect_hang(text, bytes);
    int length = look_real(m, text, bytes);
    return length < 0 ? library_fail(length, "a CPU does not stand still to be looked at") : length;
}
