/* SPDX-License-Identifier: MIT */
/*
 * map.c: an ELF program goes into memory.
 *
 * Its segments become mappings of the file, so that nothing is read before it is used, and all who
 * run the program share its text.
 *
 *     file     | text .................. | data ....... |
 *     memory   | text .................. | data .......|0000| 0 0 0 0 ... | <- break
 *                                           the file's page ^    ^ anonymous pages
 */
#include "abi/abi.h"
#include "fs/file.h"
#include "fs/vfs.h"
#include "heap/heap.h"
#include "proc/format/elf.h"
#include "proc/layout/layout.h"
#include "proc/program/load.h"
#include "proc/program/stack.h"
#include "vm/copy.h"
#include "vm/space.h"

#include <hal/aspace.h>
#include <hal/errno.h>

static uintptr_t page_down(uint64_t address)
{
    return (uintptr_t)(address / HAL_PAGE_SIZE * HAL_PAGE_SIZE);
}

static uintptr_t page_up(uint64_t address)
{
    return page_down(address + HAL_PAGE_SIZE - 1);
}

/* Reads exactly `n` bytes. */
static int read_all(struct file *file, uint64_t offset, void *data, size_t n)
{
    int64_t done = file_read_at(file, offset, data, n);

    if (done < 0)
        return (int)done;
    return (size_t)done == n ? 0 : -ENOEXEC;
}

static int read_program(struct file *file, struct elf_program *program)
{
    struct vnode_attributes attributes;
    uint8_t head[ELF_HEADER_BYTES], *table;
    int error = read_all(file, 0, head, sizeof(head));

    if (!error)
        error = elf_read_header(head, sizeof(head), abi_elf_machine, program);
    if (error)
        return error;
    table = kmalloc(program->entries * ELF_ENTRY_BYTES);
    if (!table)
        return -ENOMEM;
    vfs_attributes(file->vnode, &attributes);
    error = read_all(file, program->table, table, program->entries * ELF_ENTRY_BYTES);
    if (!error)
        error = elf_read_segments(table, attributes.size, HAL_USER_END, program);
    kfree(table);
    return error;
}

static int map_zeros(struct vm_space *space, uintptr_t start, uintptr_t end, unsigned access)
{
    int64_t at = vm_map(space, start, end - start, access, VM_PRIVATE | VM_FIXED, NULL, 0);

    return at < 0 ? (int)at : 0;
}

static int map_segment(struct file *file, struct vm_space *space, const struct elf_segment *segment,
                       uintptr_t address)
{
    uintptr_t start = page_down(address), end = page_up(address + segment->memory_bytes);
    uintptr_t bytes_end = address + segment->file_bytes, zeros = start;
    int error = 0;

    if (segment->file_bytes > 0) {
        int64_t at = vm_map(space, start, bytes_end - start, segment->access, VM_PRIVATE | VM_FIXED,
                            file, page_down(segment->offset));

        error = at < 0 ? (int)at : 0;
        zeros = page_up(bytes_end);
        if (!error && (segment->access & HAL_USER_WRITE) && zeros > bytes_end &&
            segment->memory_bytes > segment->file_bytes)
            error = vm_zero_out(space, bytes_end, zeros - bytes_end);
    }
    if (!error && end > zeros)
        error = map_zeros(space, zeros, end, segment->access);
    return error;
}

/* Where a program that may lie anywhere goes: what to add to its addresses. -ENOMEM. */
static int choose_bias(const struct elf_program *program, const struct program_layout *layout,
                       uintptr_t *bias)
{
    uintptr_t base = layout->base & ~(uintptr_t)(program->alignment - 1);

    *bias = program->moves ? base - page_down(program->low) : 0;
    if (program->moves && program->high - program->low > HAL_USER_END - base - (HAL_USER_END >> 3))
        return -ENOMEM;
    return program->low + *bias < HAL_USER_START ? -ENOEXEC : 0;
}

int program_load_elf(struct file *file, struct vm_space *space, const struct program_layout *layout,
                     struct program_facts *facts, bool *runs_stack)
{
    struct elf_program *program = kmalloc(sizeof(*program));
    uintptr_t bias;
    int error = program ? read_program(file, program) : -ENOMEM;

    if (!error)
        error = choose_bias(program, layout, &bias);
    for (unsigned i = 0; !error && i < program->segment_count; i++)
        error = map_segment(file, space, &program->segments[i],
                            (uintptr_t)program->segments[i].address + bias);
    if (!error) {
        vm_place_break(space, (uintptr_t)program->high + bias + layout->gap);
        facts->entry = (uintptr_t)program->entry + bias;
        facts->table_at = program->table_at ? (uintptr_t)program->table_at + bias : 0;
        facts->entries = program->entries;
        *runs_stack = program->runs_stack;
    }
    kfree(program);
    return error;
}
