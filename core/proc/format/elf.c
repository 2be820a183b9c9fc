/* SPDX-License-Identifier: MIT */
/*
 * elf.c: reading ELF headers, byte by byte where they stand, and refusing what makes no sense.
 */
#include "proc/format/elf.h"

#include "lib/bytes.h"

#include <hal/aspace.h>
#include <hal/errno.h>
#include <hal/runtime.h>

#define CLASS_64 2
#define LITTLE_ENDIAN_DATA 1
#define VERSION 1
#define TYPE_FIXED 2
#define TYPE_MOVES 3

#define SEGMENT_LOAD 1u
#define SEGMENT_INTERPRETER 3u
#define SEGMENT_STACK 0x6474e551u

#define FLAG_EXECUTE 1u
#define FLAG_WRITE 2u
#define FLAG_READ 4u

#define ALIGNMENT_MAX (2u << 20)

static bool is_elf(const uint8_t *header, size_t n)
{
    static const uint8_t start[7] = {0x7f, 'E', 'L', 'F', CLASS_64, LITTLE_ENDIAN_DATA, VERSION};

    return n >= ELF_HEADER_BYTES && memcmp(header, start, sizeof(start)) == 0;
}

int elf_read_header(const uint8_t *header, size_t n, unsigned machine, struct elf_program *program)
{
    unsigned type;

    *program = (struct elf_program){.alignment = HAL_PAGE_SIZE};
    if (!is_elf(header, n))
        return -ENOEXEC;
    type = le16(header + 16);
    program->moves = type == TYPE_MOVES;
    program->entry = le64(header + 24);
    program->table = le64(header + 32);
    program->entries = le16(header + 56);
    if ((type != TYPE_FIXED && type != TYPE_MOVES) || le16(header + 18) != machine ||
        le32(header + 20) != VERSION || le16(header + 54) != ELF_ENTRY_BYTES ||
        program->entries == 0 || program->entries > ELF_ENTRIES_MAX ||
        program->table > INT64_MAX - ELF_ENTRIES_MAX * ELF_ENTRY_BYTES)
        return -ENOEXEC;
    return 0;
}

static unsigned access_of(uint32_t flags)
{
    unsigned access = 0;

    if (flags & FLAG_READ)
        access |= HAL_USER_READ;
    if (flags & FLAG_WRITE)
        access |= HAL_USER_WRITE;
    if (flags & FLAG_EXECUTE)
        access |= HAL_USER_EXECUTE;
    return access;
}

/* One of zeros alone may claim to be anywhere in the file. */
static bool segment_is_sound(const struct elf_segment *segment, uint64_t file_bytes, uint64_t limit)
{
    bool in_file = segment->offset <= file_bytes &&
                   segment->file_bytes <= file_bytes - segment->offset &&
                   segment->address % HAL_PAGE_SIZE == segment->offset % HAL_PAGE_SIZE;

    return segment->file_bytes <= segment->memory_bytes && segment->address <= limit &&
           segment->memory_bytes <= limit - segment->address &&
           (in_file || segment->file_bytes == 0);
}

/* What a segment does to the program as a whole. */
static void take_in(struct elf_program *program, const struct elf_segment *segment,
                    uint64_t alignment)
{
    uint64_t end = segment->address + segment->memory_bytes;
    uint64_t table_end = program->table + program->entries * ELF_ENTRY_BYTES;

    if (program->segment_count == 0)
        program->low = segment->address / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    program->high = (end + HAL_PAGE_SIZE - 1) / HAL_PAGE_SIZE * HAL_PAGE_SIZE;
    if (program->table_at == 0 && segment->offset <= program->table &&
        table_end <= segment->offset + segment->file_bytes)
        program->table_at = program->table - segment->offset + segment->address;
    if ((alignment & (alignment - 1)) == 0 && alignment > program->alignment)
        program->alignment = alignment < ALIGNMENT_MAX ? alignment : ALIGNMENT_MAX;
    program->segments[program->segment_count++] = *segment;
}

static int read_load(const uint8_t *entry, uint64_t file_bytes, uint64_t limit,
                     struct elf_program *program)
{
    struct elf_segment segment = {
        .access = access_of(le32(entry + 4)),
        .offset = le64(entry + 8),
        .address = le64(entry + 16),
        .file_bytes = le64(entry + 32),
        .memory_bytes = le64(entry + 40),
    };

    if (segment.memory_bytes == 0)
        return 0;
    if (segment.file_bytes == 0)
        segment.offset = segment.address % HAL_PAGE_SIZE;
    if (!segment_is_sound(&segment, file_bytes, limit) ||
        program->segment_count == ELF_SEGMENTS_MAX)
        return -ENOEXEC;
    if (program->segment_count > 0 && segment.address < program->high)
        return -ENOEXEC; /* not in order, or two that share a page */
    take_in(program, &segment, le64(entry + 48));
    return 0;
}

static int read_entry(const uint8_t *entry, uint64_t file_bytes, uint64_t limit,
                      struct elf_program *program)
{
    switch (le32(entry)) {
    case SEGMENT_LOAD:
        return read_load(entry, file_bytes, limit, program);
    case SEGMENT_INTERPRETER:
        return -ENOENT;
    case SEGMENT_STACK:
        program->runs_stack = le32(entry + 4) & FLAG_EXECUTE;
        return 0;
    default:
        return 0;
    }
}

int elf_read_segments(const uint8_t *table, uint64_t file_bytes, uint64_t limit,
                      struct elf_program *program)
{
    int error = 0;

    for (unsigned i = 0; i < program->entries && !error; i++)
        error = read_entry(table + i * ELF_ENTRY_BYTES, file_bytes, limit, program);
    if (!error && (program->segment_count == 0 || program->entry >= limit))
        error = -ENOEXEC;
    return error;
}
