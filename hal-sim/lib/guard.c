/* SPDX-License-Identifier: MIT */
/*
 * guard.c: what there is to say of a guest that has failed, or does not come on.
 */
#include "lib/library.h"

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
