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

void outside_card_moved(uint64_t sector, uint64_t sectors, bool written)
{
    library.accesses[library.accesses_end++ % TB_CARD_ACCESSES] =
        (struct tb_card_access){sector, (uint32_t)sectors, written};
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

int tb_card_read(struct tb_machine *m, uint64_t sector, void *data, size_t count)
{
    int result = -ENOMEDIUM;
    host_lock(HOST_MACHINE);
    if (m->card.fd >= 0)
        result = host_card_look(&m->card, sector, data, count);
    host_unlock(HOST_MACHINE);
    return result;
}

size_t tb_card_accesses(const struct tb_machine *m, uint64_t *next, struct tb_card_access *accesses,
                        size_t n)
{
    size_t got = 0;
    host_lock(HOST_MACHINE);
    if (m->accesses_end - *next > TB_CARD_ACCESSES)
        *next = m->accesses_end -
                (m->accesses_end < TB_CARD_ACCESSES ? m->accesses_end : TB_CARD_ACCESSES);
    while (got < n && *next < m->accesses_end)
        accesses[got++] = m->accesses[(*next)++ % TB_CARD_ACCESSES];
    host_unlock(HOST_MACHINE);
    return got;
}
