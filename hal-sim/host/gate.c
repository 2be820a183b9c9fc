/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

/*
 * gate.c: memory for stubs, and what is in them. x86-64.
 *
 * Programs execute them, and the simulator writes them through a second mapping.
 */
#include "host/gate.h"

#include "host/private.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BYTES ((size_t)(GATE_END - GATE_CPUS))

static struct {
    uint8_t *pages; /* to write; NULL: there are no stubs */
    unsigned used;
} gate;

enum { SLOTS = (GATE_END - GATE_STUBS) / GATE_SLOT };

/* In the first page, behind the CPUs' words: where a stub jumps to. */
enum { POINTER = GATE_CPU_BYTES * HAL_CPU_MAX };

_Static_assert(HAL_CPU_MAX == 4, "user.S asks for four CPUs");
_Static_assert(GATE_MOVED_MAX + 6 + 7 <= GATE_RECORD, "a stub's instructions");

static bool map_pages(int fd)
{
    if (ftruncate(fd, (off_t)BYTES))
        return false;
    long at = host_map_user(GATE_CPUS, BYTES, PROT_READ | PROT_EXEC,
                            MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0);
    if (at != GATE_CPUS) {
        if (at != -1) /* an old kernel takes the address as a hint */
            (void)syscall(SYS_munmap, at, BYTES);
        return false;
    }
    void *pages = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (pages == MAP_FAILED) {
        (void)syscall(SYS_munmap, GATE_CPUS, BYTES);
        return false;
    }
    gate.pages = pages;
    return true;
}

void gate_open(uintptr_t where)
{
    int fd = memfd_create("tayberry-gate", MFD_CLOEXEC);
    gate.used = 0;
    if (fd < 0)
        return;
    if (map_pages(fd))
        memcpy(gate.pages + POINTER, &where, sizeof where);
    (void)close(fd);
}

void gate_close(void)
{
    if (!gate.pages)
        return;
    (void)munmap(gate.pages, BYTES);
    (void)syscall(SYS_munmap, GATE_CPUS, BYTES);
    gate.pages = NULL;
}

uint64_t gate_set_cpu(unsigned index, const struct user_side *side)
{
    if (!gate.pages)
        return 0;
    memcpy(gate.pages + (size_t)index * GATE_CPU_BYTES, &side, sizeof side);
    return GATE_CPUS + index * GATE_CPU_BYTES;
}

bool host_user_patches(void)
{
    return gate.pages;
}

/* A guard's variable and branch, from the stub at `address`. False: they are out of reach. */
static bool move_guard(uint8_t *stub, uintptr_t address, uintptr_t start, unsigned other)
{
    enum { PLACE = 2, BRANCH = 8, JUMP_BYTES = 5 };
    int64_t way = (int64_t)start + GATE_GUARD - 2 + (int8_t)stub[BRANCH];
    int32_t near;
    memcpy(&near, stub + PLACE, sizeof near);
    int64_t far = near + (int64_t)start - (int64_t)address;
    if (far != (int32_t)far || way < 0 ||
        (way >= (int64_t)start && way <= (int64_t)start + GATE_GUARD))
        return false;
    near = (int32_t)far;
    memcpy(stub + PLACE, &near, sizeof near);
    stub[BRANCH] = (uint8_t)(other - (GATE_GUARD - 2));
    near = (int32_t)(way - (int64_t)(address + other + JUMP_BYTES));
    stub[other] = 0xe9;
    memcpy(stub + other + 1, &near, sizeof near);
    return true;
}

/* What is in the slot at `address` if it is a stub for that. False: there can be none. */
static bool write_stub(uint8_t stub[GATE_SLOT], uintptr_t address, uintptr_t start,
                       const uint8_t *code, size_t bytes)
{
    static const uint8_t load[] = {0x41, 0xbb}, jump[] = {0xff, 0x24, 0x25};
    const uint32_t record_at = (uint32_t)(address + GATE_RECORD), pointer = GATE_CPUS + POINTER;
    uint8_t *behind = stub + bytes;
    struct gate_record record = {
        .call = start + bytes, .start = (uint32_t)start, .moved = (uint16_t)bytes};
    memset(stub, 0, GATE_SLOT);
    memcpy(stub, code, bytes);
    memcpy(behind, load, sizeof load);
    memcpy(behind + 2, &record_at, sizeof record_at);
    memcpy(behind + 6, jump, sizeof jump);
    memcpy(behind + 9, &pointer, sizeof pointer);
    if (gate_is_guard(code, bytes))
        record.other = (uint16_t)(bytes + 13);
    memcpy(stub + GATE_RECORD, &record, sizeof record);
    return !record.other || move_guard(stub, address, start, record.other);
}

uintptr_t host_user_add_stub(uintptr_t start, const uint8_t *code, size_t bytes)
{
    uint8_t wanted[GATE_SLOT];
    if (!gate.pages || bytes > GATE_MOVED_MAX)
        return 0;
    for (unsigned i = 0; i <= gate.used && i < SLOTS; i++) {
        const uintptr_t address = GATE_STUBS + (uintptr_t)i * GATE_SLOT;
        uint8_t *stub = gate.pages + (address - GATE_CPUS);
        struct gate_record record;
        memcpy(&record, stub + GATE_RECORD, sizeof record);
        if (i < gate.used && record.start != start)
            continue;
        if (!write_stub(wanted, address, start, code, bytes))
            return 0;
        if (i == gate.used) {
            gate.used++;
            memcpy(stub, wanted, sizeof wanted);
        }
        if (!memcmp(stub, wanted, sizeof wanted))
            return address;
    }
    return 0;
}

bool host_user_is_guard(const uint8_t *code, size_t bytes)
{
    return gate_is_guard(code, bytes);
}

bool host_user_stubs_are_out(void)
{
    return gate.used == SLOTS;
}

void host_user_forget_stubs(void)
{
    gate.used = 0;
}
