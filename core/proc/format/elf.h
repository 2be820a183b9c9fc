/* SPDX-License-Identifier: MIT */
/*
 * elf.h: what an ELF file says of the program in it.
 *
 * An ELF file for Linux has two views of the same bytes: sections, for linkers, which do not matter
 * here, and segments. The header at its start tells where the table of segments is; each entry of
 * type LOAD says "these bytes of the file belong at this address, with these rights, and behind
 * them come so many zeros". A program that may lie anywhere (static PIE) has addresses that start
 * near 0, and the loader adds a bias.
 *
 *     file:    | header | table | text ...... | data .. |
 *     memory:  | header | table | text ...... |   gap   | data .. | zeros ... | break ->
 *
 * Nothing of a file is believed. Pure functions; any context.
 *
 * Source: System V ABI, chapters 4 and 5; its supplements for x86-64 and AArch64 for the machines'
 * numbers.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_HEADER_BYTES 64u
#define ELF_ENTRY_BYTES 56u /**< of the table of segments */
#define ELF_ENTRIES_MAX 64u
#define ELF_SEGMENTS_MAX 16u /**< of those that are loaded */

struct elf_segment {
    uint64_t address, memory_bytes; /**< memory_bytes > 0 */
    uint64_t offset, file_bytes;    /**< file_bytes <= memory_bytes */
    unsigned access;                /**< HAL_USER_ bits */
};

struct elf_program {
    bool moves;         /**< it may lie anywhere */
    bool runs_stack;    /**< its stack is to be executable */
    uint64_t entry;     /**< address of its first instruction */
    uint64_t table;     /**< offset of the table of segments in the file */
    unsigned entries;   /**< in it: 1 .. ELF_ENTRIES_MAX */
    uint64_t table_at;  /**< its address in memory; 0: it is not loaded */
    uint64_t low, high; /**< addresses that segments take, whole pages */
    uint64_t alignment; /**< what `low` plus the bias should be a multiple of */
    unsigned segment_count;
    struct elf_segment segments[ELF_SEGMENTS_MAX]; /**< in the order of their addresses */
};

/**
 * Reads the header, the first `n` bytes of the file, for a processor `machine` (EM_...): `moves`,
 * `entry`, `table` and `entries`. -ENOEXEC: it is none for this machine.
 */
HAL_MUST_CHECK int elf_read_header(const uint8_t *header, size_t n, unsigned machine,
                                   struct elf_program *program);

/**
 * Reads the table of segments, program->entries * ELF_ENTRY_BYTES bytes: all the rest. `file_bytes`
 * is the length of the file. Addresses lie below `limit`. -ENOEXEC: it makes no sense; -ENOENT: it
 * wants an interpreter, because it is linked dynamically.
 */
HAL_MUST_CHECK int elf_read_segments(const uint8_t *table, uint64_t file_bytes, uint64_t limit,
                                     struct elf_program *program);
