/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE

/*
 * memory.c: simulated RAM is a file in the host's memory, mapped shared.
 *
 * Shared and from a file, so that further views of it can be made: one here for snapshots, which no
 * guard covers. The preferred address lies where neither the host nor a sanitizer puts anything; a
 * fixed place makes addresses in a debugger the same in every run, and nothing depends on it.
 */
#include "host/private.h"

#include <hal/aspace.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PREFERRED ((void *)0x7e9000000000)

#define TEXT_BYTES ((uint64_t)HOST_TEXT_PAGES * HAL_PAGE_SIZE)
#define POPULATE_BYTES 8192 /* for less, the call costs as much as the fault */

static struct {
    int fd;
    uint8_t *base, *alias, *text;
    uint64_t bytes; /* text lies behind them */
    uint64_t guards;
} ram = {.fd = -1};

static uint8_t *map(void *where, int flags)
{
    void *at = mmap(where, ram.bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE | flags,
                    ram.fd, 0);
    return at == MAP_FAILED ? NULL : at;
}

/* The host's limit on mappings; its usual value if it does not say. */
static uint64_t mappings_allowed(void)
{
    char text[32] = "";
    int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (read(fd, text, sizeof text - 1) < 0)
            text[0] = '\0';
        (void)close(fd);
    }
    unsigned long long allowed = strtoull(text, NULL, 10);
    return allowed ? allowed : 65530;
}

uint64_t host_ram_guards(void)
{
    return ram.guards;
}

int host_ram_create(uint64_t bytes, uint8_t **out)
{
    ram.bytes = bytes;
    ram.guards = mappings_allowed() / 4; /* a guard is a mapping, and what follows it another */
    ram.fd = memfd_create("tayberry-ram", MFD_CLOEXEC);
    if (ram.fd < 0)
        return -errno;
    if (ftruncate(ram.fd, (off_t)(bytes + TEXT_BYTES)) == 0) {
        ram.base = map(PREFERRED, MAP_FIXED_NOREPLACE);
        /* An old kernel takes the address as a hint only; anywhere will do then. */
        if (!ram.base)
            ram.base = map(NULL, 0);
    }
    if (!ram.base) {
        int error = -errno;
        host_ram_destroy();
        return error;
    }
    tools_memory_closed(ram.base, bytes);
    tools_begin();
    *out = ram.base;
    return 0;
}

void host_ram_destroy(void)
{
    if (ram.base) {
        tools_end();
        tools_memory_open(ram.base, ram.bytes);
        (void)munmap(ram.base, ram.bytes);
    }
    if (ram.alias)
        (void)munmap(ram.alias, ram.bytes);
    if (ram.text)
        (void)munmap(ram.text, TEXT_BYTES);
    if (ram.fd >= 0)
        (void)close(ram.fd);
    ram.base = ram.alias = ram.text = NULL;
    ram.fd = -1;
}

int host_ram_protect(uint64_t offset, uint64_t bytes, bool guarded)
{
    int access = guarded ? PROT_NONE : PROT_READ | PROT_WRITE;
    return mprotect(ram.base + offset, bytes, access) ? -errno : 0;
}

void host_ram_populate(uint64_t offset, uint64_t bytes)
{
    if (bytes >= POPULATE_BYTES)
        (void)madvise(ram.base + offset, bytes, MADV_POPULATE_WRITE);
}

void host_ram_discard(uint64_t offset, uint64_t bytes)
{
    (void)fallocate(ram.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                    (off_t)bytes);
}

/* ---- at user addresses. Sanitizers need not hear of these: nothing that they watch goes there
 * ---- */

static int protection_of(unsigned access)
{
    return PROT_READ | (access & HAL_USER_WRITE ? PROT_WRITE : 0) |
           (access & HAL_USER_EXECUTE ? PROT_EXEC : 0);
}

/* All words are of the registers' width: of one that is not, a half would be anything. */
long host_map_user(uintptr_t address, size_t bytes, int protection, int flags, int fd,
                   uint64_t offset)
{
    return syscall(SYS_mmap, address, bytes, (long)protection, (long)flags, (long)fd, offset);
}

int host_view_map(uintptr_t address, uint64_t physical, size_t bytes, unsigned access)
{
    int protection = protection_of(access);
    /* What is read only the host brings in by itself, 16 pages at a time, and faster. */
    int populate = access & HAL_USER_WRITE ? MAP_POPULATE : 0;
    long at = host_map_user(address, bytes, protection, MAP_SHARED | MAP_FIXED | populate, ram.fd,
                            physical);
    return at == -1 ? -errno : 0;
}

int host_view_protect(uintptr_t address, size_t bytes, unsigned access)
{
    int protection = access ? protection_of(access) : PROT_NONE;
    return syscall(SYS_mprotect, address, bytes, protection) ? -errno : 0;
}

void host_view_drop(uintptr_t address, size_t bytes)
{
    (void)host_map_user(address, bytes, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

uint8_t *host_text(uint64_t *at)
{
    void *text = ram.text;
    if (!text)
        text = mmap(NULL, TEXT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, ram.fd, (off_t)ram.bytes);
    ram.text = text == MAP_FAILED ? NULL : text;
    *at = ram.bytes;
    return ram.text;
}

uint8_t *host_ram_alias(void)
{
    if (!ram.alias)
        ram.alias = map(NULL, 0);
    return ram.alias;
}
