/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

/*
 * gate.c: memory for stubs, and what is in them. x86-64.
 *
 * Programs execute them, and the simulator writes them through a second mapping.
 */
#include "host/gate.h"

#include "host/host.h"

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
    long at = syscall(SYS_mmap, GATE_CPUS, BYTES, PROT_READ | PROT_EXEC,
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

uintptr_t host_user_add_stub(uintptr_t start, const uint8_t *code, size_t bytes)
{
    const uint8_t jump[] = {0xff, 0x24, 0x25}, load[] = {0x41, 0xbb};
    if (!gate.pages || gate.used == SLOTS || bytes > GATE_MOVED_MAX)
        return 0;
    size_t at = GATE_STUBS - GATE_CPUS + (size_t)gate.used++ * GATE_SLOT;
    struct gate_record record = {
        .call = start + bytes, .start = (uint32_t)start, .moved = (uint32_t)bytes};
    uint32_t record_at = (uint32_t)(GATE_CPUS + at + GATE_RECORD), pointer = GATE_CPUS + POINTER;
    uint8_t *stub = gate.pages + at;
    memcpy(stub + GATE_RECORD, &record, sizeof record);
    memcpy(stub, code, bytes);
    stub += bytes;
    memcpy(stub, load, sizeof load);
    memcpy(stub + 2, &record_at, sizeof record_at);
    memcpy(stub + 6, jump, sizeof jump);
    memcpy(stub + 9, &pointer, sizeof pointer);
    return GATE_CPUS + at;
}

void host_user_forget_stubs(void)
{
    gate.used = 0;
}
