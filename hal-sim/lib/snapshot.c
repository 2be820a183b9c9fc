/* SPDX-License-Identifier: MIT */
/*
 * snapshot.c: the whole state of a machine, copied, put back, or hashed.
 *
 * It lies in three places: pages of RAM in use, KSTATE, and struct machine (see board/machine.h);
 * beside them the framebuffer and input that waits outside the device. RAM is read and written
 * through a second view that guards do not cover. Pointers in the copies stay right because RAM,
 * the kernel and the struct stay where they are for as long as the machine is open.
 */
#include "board/aspace.h"
#include "lib/library.h"

#include <hal/errno.h>
#include <hal/machine.h>

#include <stdlib.h>
#include <string.h>

struct tb_snapshot {
    uint64_t opening; /* the machine's: another one lies elsewhere */
    struct machine machine;
    uint8_t *kstate;
    uint8_t *input;
    size_t input_bytes;
    uint32_t *display;
    uint64_t top; /* as sim_memory_top */
    uint64_t *used, *guarded;
    uint64_t page_count;
    uint8_t *pages;
    uint8_t *notes;  /* of tools, for each of these pages */
    uint8_t *stacks; /* of tools, for the guest's stacks */
};

static bool has_page(const uint64_t *map, uint64_t page)
{
    return map[page / 64] >> (page % 64) & 1;
}

static uint64_t count_pages(const uint64_t *map, uint64_t top)
{
    uint64_t count = 0;
    for (uint64_t page = 0; page < top; page++)
        count += has_page(map, page);
    return count;
}

static size_t map_bytes(uint64_t top)
{
    return (top + 63) / 64 * sizeof(uint64_t);
}

static size_t display_bytes(void)
{
    return machine.display ? (size_t)machine.display_width * machine.display_height * 4 : 0;
}

/* A copy of `n` bytes, or NULL; of nothing, something that can be freed. */
static void *copy_of(const void *bytes, size_t n)
{
    void *copy = malloc(n ? n : 1);
    if (copy && n)
        memcpy(copy, bytes, n);
    return copy;
}

static bool save_ram(struct tb_snapshot *s, const uint8_t *ram)
{
    s->top = sim_memory_top;
    s->page_count = count_pages(sim_memory_used, s->top);
    s->used = copy_of(sim_memory_used, map_bytes(s->top));
    s->guarded = copy_of(sim_memory_guarded, map_bytes(s->top));
    s->pages = malloc(s->page_count * HAL_PAGE_SIZE + 1);
    s->notes = malloc(s->page_count * tools_notes_bytes() + 1);
    s->stacks = malloc(fiber_notes_bytes() + 1);
    if (!s->used || !s->guarded || !s->pages || !s->notes || !s->stacks)
        return false;
    fiber_notes_save(s->stacks);
    uint8_t *to = s->pages, *notes = s->notes;
    for (uint64_t page = 0; page < s->top; page++)
        if (has_page(s->used, page)) {
            memcpy(to, ram + page * HAL_PAGE_SIZE, HAL_PAGE_SIZE);
            to += HAL_PAGE_SIZE;
            tools_notes_save(notes, machine.ram + page * HAL_PAGE_SIZE);
            notes += tools_notes_bytes();
        }
    return true;
}

static int need_virtual(void)
{
    if (machine.real)
        return library_fail(-ENOTSUP, "snapshots need the virtual clock");
    return 0;
}

/* What goes on from a snapshot begins without patched copies of text, so what goes on now has to:
 * page tables, which belong to the state, say what was shown. */
static void forget_patches(void)
{
    host_lock(HOST_MACHINE);
    sim_aspace_reset();
    host_unlock(HOST_MACHINE);
}

int tb_snapshot(struct tb_machine *m, struct tb_snapshot **out)
{
    size_t kstate_bytes;
    *out = NULL;
    if (need_virtual())
        return -ENOTSUP;
    const uint8_t *kstate = machine_kstate(&kstate_bytes), *ram = host_ram_alias();
    struct tb_snapshot *s = calloc(1, sizeof *s);
    bool ok = s && ram;
    if (ok) {
        forget_patches();
        s->opening = m->opening;
        memcpy(&s->machine, &machine, sizeof machine);
        s->kstate = copy_of(kstate, kstate_bytes);
        s->input_bytes = outside_input_waiting();
        s->input = copy_of(s->input_bytes ? m->input.bytes + m->input.start : NULL, s->input_bytes);
        s->display = copy_of(machine.display, display_bytes());
        ok = save_ram(s, ram) && s->kstate && s->input && s->display;
    }
    if (!ok) {
        tb_snapshot_free(s);
        return library_fail(-ENOMEM, "no memory on the host for a snapshot");
    }
    *out = s;
    return 0;
}

void tb_snapshot_free(struct tb_snapshot *s)
{
    if (!s)
        return;
    free(s->kstate);
    free(s->input);
    free(s->display);
    free(s->used);
    free(s->guarded);
    free(s->pages);
    free(s->notes);
    free(s->stacks);
    free(s);
}

static bool has_guard(const struct tb_snapshot *s, uint64_t page)
{
    return page < s->top && has_page(s->guarded, page);
}

/* Takes the guards away that the snapshot has not, and puts up those that are missing: few, where
 * each is a call of the host. */
static bool restore_guards(const struct tb_snapshot *s)
{
    for (uint64_t page = 0; page < sim_memory_top; page++)
        if (has_page(sim_memory_guarded, page) && !has_guard(s, page) &&
            !sim_memory_guard_range(page, 1, false))
            return false;
    for (uint64_t page = 0; page < s->top; page++)
        if (has_guard(s, page) && !has_page(sim_memory_guarded, page) &&
            !sim_memory_guard_range(page, 1, true))
            return false;
    return true;
}

static void restore_ram(const struct tb_snapshot *s, uint8_t *ram)
{
    const uint8_t *from = s->pages, *notes = s->notes;
    tools_forget_blocks(false);
    tools_memory_closed(machine.ram, sim_memory_top * HAL_PAGE_SIZE);
    memset(sim_memory_used, 0, map_bytes(sim_memory_top));
    memcpy(sim_memory_used, s->used, map_bytes(s->top));
    sim_memory_top = s->top;
    for (uint64_t page = 0; page < s->top; page++)
        if (has_page(s->used, page)) {
            memcpy(ram + page * HAL_PAGE_SIZE, from, HAL_PAGE_SIZE);
            tools_memory_open(machine.ram + page * HAL_PAGE_SIZE, HAL_PAGE_SIZE);
            tools_notes_restore(machine.ram + page * HAL_PAGE_SIZE, notes);
            from += HAL_PAGE_SIZE;
            notes += tools_notes_bytes();
        }
}

/* Drops changes that lie in the future of the restored machine. */
static void restore_history(void)
{
    while (library.history_end &&
           library.history[(library.history_end - 1) % HISTORY_CHANGES].time > sim_time_now())
        library.history_end--;
}

int tb_restore(struct tb_machine *m, const struct tb_snapshot *s)
{
    size_t kstate_bytes;
    uint8_t *kstate = machine_kstate(&kstate_bytes), *ram = host_ram_alias();
    if (need_virtual())
        return -ENOTSUP;
    if (s->opening != m->opening)
        return library_fail(-EINVAL, "the snapshot is of a machine that has been closed");
    if (!ram || !restore_guards(s))
        return library_fail(-ENOMEM, "no memory on the host to restore the snapshot");
    serial_drop_input();
    if (tb_uart_write(m, s->input, s->input_bytes) < 0)
        return -ENOMEM;
    host_lock(HOST_MACHINE);
    sim_aspace_reset();
    restore_ram(s, ram);
    if (kstate_bytes)
        memcpy(kstate, s->kstate, kstate_bytes);
    if (machine.display)
        memcpy(machine.display, s->display, display_bytes());
    vcd_power_down(sim_time_now());
    listen_power_down(sim_time_now());
    memcpy(&machine, &s->machine, sizeof machine);
    fiber_notes_restore(s->stacks);
    vcd_power_up(sim_time_now());
    listen_power_up(sim_time_now(), true);
    restore_history();
    host_unlock(HOST_MACHINE);
    return 0;
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t n)
{
    const uint8_t *at = bytes;
    for (; n >= 8; n -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = (hash ^ word) * 0xff51afd7ed558ccdull;
        hash ^= hash >> 32;
    }
    for (; n; n--, at++)
        hash = (hash ^ *at) * 0x100000001b3ull;
    return hash;
}

/* The struct without what depends on who ran it and until when. */
static uint64_t mix_machine(uint64_t hash)
{
    static struct machine copy;
    memcpy(&copy, &machine, sizeof copy);
    copy.next = copy.run_until = 0;
    for (unsigned i = 0; i < machine.cpu_count; i++)
        atomic_fetch_and(&copy.cpu[i].pending, ~(uint32_t)CPU_ATTENTION);
    return mix(hash, &copy, sizeof copy);
}

uint64_t tb_state_hash(const struct tb_machine *m)
{
    size_t kstate_bytes;
    const uint8_t *kstate = machine_kstate(&kstate_bytes), *ram = host_ram_alias();
    uint64_t hash = 0;
    (void)m;
    for (uint64_t page = 0; ram && page < sim_memory_top; page++)
        if (has_page(sim_memory_used, page))
            hash = mix(hash ^ page, ram + page * HAL_PAGE_SIZE, HAL_PAGE_SIZE);
    hash = mix(hash, kstate, kstate_bytes);
    return mix_machine(hash);
}
