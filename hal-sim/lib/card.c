/* SPDX-License-Identifier: MIT */
/*
 * card.c: the library's end of the card slot.
 */
#include "lib/library.h"

#include <hal/errno.h>

struct host_card *outside_card(void)
{
    return library.card.fd >= 0 ? &library.card : NULL;
}

int tb_card_attach(struct tb_machine *m, const char *path, bool read_only)
{
    struct host_card card = {.fd = -1}, old;
    if (path) {
        int error = host_card_open(&card, path, read_only, m->error, sizeof m->error);
        if (error)
            return error;
    }
    host_lock(HOST_MACHINE);
    old = m->card;
    m->card = card;
    sim_card_changed();
    host_unlock(HOST_MACHINE);
    host_card_close(&old);
    return 0;
}

int tb_card_fault(struct tb_machine *m, uint64_t nth, uint64_t count)
{
    (void)m;
    host_lock(HOST_MACHINE);
    machine.card.fault_after = nth;
    machine.card.fault_count = count;
    host_unlock(HOST_MACHINE);
    return 0;
}

int tb_card_stats(const struct tb_machine *m, struct tb_card_stats *stats)
{
    (void)m;
    host_lock(HOST_MACHINE);
    *stats = (struct tb_card_stats){.requests = machine.card.requests,
                                    .sectors_read = machine.card.sectors_read,
                                    .sectors_written = machine.card.sectors_written};
    host_unlock(HOST_MACHINE);
    return 0;
}
