/* SPDX-License-Identifier: MIT */
/*
 * record.c: a logger of what a program allocates, to be preloaded into it.
 *
 *     RECORD=FILE LD_PRELOAD=./libbench-record.so PROGRAM...
 *
 * It stands before the C library's malloc and its sisters, lets the library do the work, and writes
 * each call to FILE. What is kept is what an allocator can see: which object, and how many bytes.
 * Objects have numbers instead of addresses. A new object gets the number that was freed last, or
 * if there is none, the smallest that no object has had; the reader does the same, so it need not
 * be written down.
 *
 *     file:    "TBTRACE1", then records
 *     records: bytes * 8 + TRACE_ALLOCATE or TRACE_ZEROS
 *              bytes * 8 + TRACE_ALIGNED, and the logarithm of the alignment
 *              number * 8 + TRACE_RESIZE, and bytes
 *              number * 8 + TRACE_FREE
 *
 * Each figure is written seven bits a byte, lowest first, the top bit set on all but the last.
 *
 * For programs of one thread, with glibc. A program that forks writes only its parent's calls.
 */

#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The C library's own, which it keeps under these names for whoever stands before them. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *pointer, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *pointer);

#define PLACES (1u << 23) /* of the table; a power of two, twice the most objects */
#define OBJECTS (PLACES / 2)

#define NOT_LIVE UINT32_MAX

struct place {
    void *pointer;   /* NULL: never used */
    uint32_t number; /* of the object there, or NOT_LIVE */
};

static struct place *places;
static uint32_t *spare; /* numbers that are free again, a stack */
static uint32_t spares, next_number;
static uint8_t buffer[1 << 16];
static size_t used;
static int file = -1;
static pid_t owner;

static void flush(void)
{
    if (file >= 0 && getpid() == owner && write(file, buffer, used) != (ssize_t)used)
        abort();
    used = 0;
}

static void put(uint64_t figure)
{
    for (; figure >= 0x80; figure >>= 7)
        buffer[used++] = (uint8_t)(figure | 0x80);
    buffer[used++] = (uint8_t)figure;
}

static void *map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* On the first call, which may come before any constructor. */
static bool ready(void)
{
    const char *path;
    if (places)
        return file >= 0;
    places = map(PLACES * sizeof *places);
    spare = map(OBJECTS * sizeof *spare);
    path = getenv("RECORD");
    if (!places || !spare || !path)
        return false;
    file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    owner = getpid();
    memcpy(buffer, TRACE_MAGIC, TRACE_MAGIC_BYTES);
    used = TRACE_MAGIC_BYTES;
    return file >= 0;
}

/* Where `pointer` is in the table, or else the first place never used on its way. */
static struct place *look_up(const void *pointer)
{
    uint64_t at = ((uintptr_t)pointer >> 4) * 0x9e3779b97f4a7c15u >> 20;
    for (;; at++) {
        struct place *place = &places[at % PLACES];
        if (!place->pointer || place->pointer == pointer)
            return place;
    }
}

static uint32_t take_number(void)
{
    if (spares)
        return spare[--spares];
    if (next_number == OBJECTS)
        abort();
    return next_number++;
}

static void enter(void *pointer, uint32_t number)
{
    *look_up(pointer) = (struct place){pointer, number};
}

/* Strikes `pointer` out: its number, or -1 if it is not known. */
static int64_t strike(const void *pointer)
{
    struct place *place = look_up(pointer);
    uint32_t number = place->pointer ? place->number : NOT_LIVE;
    place->number = NOT_LIVE;
    return number == NOT_LIVE ? -1 : (int64_t)number;
}

static void make_room(void)
{
    if (used > sizeof buffer - 64)
        flush();
}

static void *allocated(enum trace_operation operation, void *pointer, size_t bytes)
{
    if (pointer && ready()) {
        enter(pointer, take_number());
        put((uint64_t)bytes * 8 + operation);
        make_room();
    }
    return pointer;
}

void *malloc(size_t bytes)
{
    return allocated(TRACE_ALLOCATE, __libc_malloc(bytes), bytes);
}

void *calloc(size_t count, size_t bytes)
{
    return allocated(TRACE_ZEROS, __libc_calloc(count, bytes), count * bytes);
}

void free(void *pointer)
{
    int64_t number = pointer && ready() ? strike(pointer) : -1;
    if (number >= 0) {
        put((uint64_t)number * 8 + TRACE_FREE);
        make_room();
        spare[spares++] = (uint32_t)number;
    }
    __libc_free(pointer);
}

void *realloc(void *pointer, size_t bytes)
{
    void *moved;
    int64_t number;
    if (!pointer)
        return malloc(bytes);
    if (bytes == 0) {
        free(pointer);
        return NULL;
    }
    moved = __libc_realloc(pointer, bytes);
    if (!moved || !ready())
        return moved;
    number = strike(pointer);
    if (number < 0)
        return allocated(TRACE_ALLOCATE, moved, bytes);
    enter(moved, (uint32_t)number);
    put((uint64_t)number * 8 + TRACE_RESIZE);
    put(bytes);
    make_room();
    return moved;
}

static void *aligned(size_t alignment, size_t bytes)
{
    void *pointer = allocated(TRACE_ALIGNED, __libc_memalign(alignment, bytes), bytes);
    if (pointer && ready())
        put((uint64_t)__builtin_ctzll(alignment));
    return pointer;
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    return aligned(alignment, bytes);
}

void *memalign(size_t alignment, size_t bytes);
void *memalign(size_t alignment, size_t bytes)
{
    return aligned(alignment, bytes);
}

int posix_memalign(void **pointer, size_t alignment, size_t bytes)
{
    *pointer = aligned(alignment, bytes);
    return *pointer ? 0 : ENOMEM;
}

__attribute__((destructor)) static void finish(void)
{
    flush();
}
