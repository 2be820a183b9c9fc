/* SPDX-License-Identifier: MIT */
/*
 * Criteria:
 *  1. Whatever an ELF header and its table hold, what is accepted is sound: segments in order,
 *     within the file and below the limit, page by page apart; and a good file is accepted.
 *  2. A script's line gives its interpreter and its one argument, or is refused.
 *  3. A program's first stack has what the ABI says, where it says: the oracle reads it as a C
 *     library does.
 *  4. Descriptors: the least free number is given, limits hold, copies share files.
 *  5. Each number of a processor leads to a call with a name, and old calls get their arguments.
 */
#include "abi/abi.h"
#include "fake_hal.h"
#include "fs/file.h"
#include "heap/heap.h"
#include "lib/bytes.h"
#include "mem/frame.h"
#include "proc/files/descriptor.h"
#include "proc/format/elf.h"
#include "proc/format/script.h"
#include "proc/program/stack.h"

#include "../../marks.h"

#include <hal/aspace.h>
#include <hal/errno.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MACHINE 62u
#define LIMIT UINT64_C(0x7fff0000)
#define FILE_BYTES 0x9000u
#define ENTRIES 4u
#define IMAGE (ELF_HEADER_BYTES + ENTRIES * ELF_ENTRY_BYTES)

static uint64_t seed;

static uint64_t draw(void)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return seed >> 16;
}

/* ---- ELF ---- */

static void put_entry(uint8_t *entry, uint32_t type, uint32_t flags, uint64_t offset,
                      uint64_t address, uint64_t file, uint64_t memory)
{
    put_le32(entry, type);
    put_le32(entry + 4, flags);
    put_le64(entry + 8, offset);
    put_le64(entry + 16, address);
    put_le64(entry + 32, file);
    put_le64(entry + 40, memory);
    put_le64(entry + 48, 0x1000);
}

static void make_image(uint8_t *image)
{
    static const uint8_t start[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1};

    memset(image, 0, IMAGE);
    memcpy(image, start, sizeof start);
    put_le16(image + 16, 2);
    put_le16(image + 18, MACHINE);
    put_le32(image + 20, 1);
    put_le64(image + 24, 0x401000);
    put_le64(image + 32, ELF_HEADER_BYTES);
    put_le16(image + 54, ELF_ENTRY_BYTES);
    put_le16(image + 56, ENTRIES);
    put_entry(image + 64, 1, 4, 0, 0x400000, 0x500, 0x500);
    put_entry(image + 120, 1, 5, 0x1000, 0x401000, 0x3000, 0x3000);
    put_entry(image + 176, 1, 6, 0x4800, 0x405800, 0x200, 0x3000);
    put_entry(image + 232, 0x6474e551, 6, 0, 0, 0, 0);
}

static int parse(const uint8_t *image, struct elf_program *program)
{
    int error = elf_read_header(image, ELF_HEADER_BYTES, MACHINE, program);
    uint8_t *table;

    if (error)
        return error;
    /* The table in memory of exactly its size, so that a sanitizer sees a step beyond it. */
    table = calloc(program->entries, ELF_ENTRY_BYTES);
    memcpy(table, image + ELF_HEADER_BYTES,
           (program->entries < ENTRIES ? program->entries : ENTRIES) * ELF_ENTRY_BYTES);
    error = elf_read_segments(table, FILE_BYTES, LIMIT, program);
    free(table);
    return error;
}

START_TEST(a_good_program_is_read)
{
    struct elf_program program;
    uint8_t image[IMAGE];

    make_image(image);
    ck_assert_int_eq(parse(image, &program), 0);
    ck_assert_uint_eq(program.segment_count, 3);
    ck_assert_uint_eq(program.entry, 0x401000);
    ck_assert_uint_eq(program.table_at, 0x400040);
    ck_assert_uint_eq(program.low, 0x400000);
    ck_assert_uint_eq(program.high, 0x409000);
    ck_assert_uint_eq(program.segments[1].access, HAL_USER_READ | HAL_USER_EXECUTE);
    ck_assert(!program.moves && !program.runs_stack);
    put_le32(image + 232, 3);
    ck_assert_int_eq(parse(image, &program), -ENOENT);
    make_image(image); /* zeros alone, which the linker puts behind the end of the file */
    put_entry(image + 176, 1, 6, 0xffe8, 0x41ffe8, 0, 0x18);
    ck_assert_int_eq(parse(image, &program), 0);
    ck_assert_uint_eq(program.high, 0x420000);
    make_image(image);
    put_le16(image + 18, 183);
    ck_assert_int_eq(parse(image, &program), -ENOEXEC);
}
END_TEST

static void assert_sound(const struct elf_program *program)
{
    uint64_t end = 0;

    ck_assert_uint_gt(program->segment_count, 0);
    ck_assert_uint_le(program->segment_count, ELF_SEGMENTS_MAX);
    ck_assert_uint_lt(program->entry, LIMIT);
    for (unsigned i = 0; i < program->segment_count; i++) {
        const struct elf_segment *segment = &program->segments[i];

        ck_assert_uint_gt(segment->memory_bytes, 0);
        ck_assert_uint_le(segment->file_bytes, segment->memory_bytes);
        ck_assert_uint_le(segment->memory_bytes, LIMIT);
        ck_assert_uint_le(segment->address, LIMIT - segment->memory_bytes);
        ck_assert_uint_le(segment->offset, FILE_BYTES);
        ck_assert_uint_le(segment->file_bytes, FILE_BYTES - segment->offset);
        ck_assert_uint_eq(segment->address % 4096, segment->offset % 4096);
        ck_assert_uint_ge(segment->address, end);
        end = (segment->address + segment->memory_bytes + 4095) / 4096 * 4096;
    }
    ck_assert_uint_eq(program->high, end);
    ck_assert_uint_eq(program->alignment & (program->alignment - 1), 0);
}

/* Numbers that are next to where something begins or ends. */
static uint64_t interesting(void)
{
    static const uint64_t numbers[] = {0,  1,         0x1000,     0x400000,   0x401000,   LIMIT,
                                       64, INT64_MAX, UINT64_MAX, UINT32_MAX, FILE_BYTES, 0x3000};

    return numbers[draw() % (sizeof numbers / sizeof numbers[0])] + draw() % 3 - 1;
}

START_TEST(hostile_programs_are_refused_or_sound)
{
    const char *runs = getenv("TAYBERRY_RUNS");
    unsigned count = runs ? (unsigned)atoi(runs) * 10000 : 200000, accepted = 0;
    struct elf_program program;
    uint8_t image[IMAGE];

    seed = 7;
    for (unsigned i = 0; i < count; i++) {
        make_image(image);
        for (uint64_t changes = 1 + draw() % 4; changes > 0; changes--) {
            size_t at = 16 + draw() % (IMAGE - 24);

            if (draw() % 2)
                put_le64(image + at / 8 * 8, interesting());
            else
                image[at] = (uint8_t)draw();
        }
        if (parse(image, &program) == 0) {
            assert_sound(&program);
            accepted++;
        }
    }
    printf("# %u programs, %u of them accepted\n", count, accepted);
    ck_assert_uint_gt(accepted, count / 100);
    ck_assert_uint_lt(accepted, count);
}
END_TEST

/* ---- scripts ---- */

START_TEST(a_script_names_its_interpreter)
{
    static const struct {
        const char *line, *interpreter, *argument; /* interpreter NULL: it is refused */
    } cases[] = {
        {"#!/bin/sh\n", "/bin/sh", ""},
        {"#! /bin/sh -e \t\nrest", "/bin/sh", "-e"},
        {"#!\t/bin/sh  -e  x\n", "/bin/sh", "-e  x"},
        {"#!/bin/sh", "/bin/sh", ""},
        {"#!x\n", "x", ""},
        {"#!\n", NULL, NULL},
        {"#!   \n", NULL, NULL},
        {"#!", NULL, NULL},
        {"# !/bin/sh\n", NULL, NULL},
        {"", NULL, NULL},
    };
    struct script script;
    char line[SCRIPT_LINE_MAX + 8];

    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int error = script_read((const uint8_t *)cases[i].line, strlen(cases[i].line), &script);

        ck_assert_int_eq(error, cases[i].interpreter ? 0 : -ENOEXEC);
        if (!error) {
            ck_assert_str_eq(script.interpreter, cases[i].interpreter);
            ck_assert_str_eq(script.argument, cases[i].argument);
        }
    }
    memset(line, 'a', sizeof line);
    line[0] = '#';
    line[1] = '!';
    ck_assert_int_eq(script_read((const uint8_t *)line, sizeof line, &script), -ENOEXEC);
    line[SCRIPT_LINE_MAX - 1] = '\n';
    ck_assert_int_eq(script_read((const uint8_t *)line, sizeof line, &script), 0);
}
END_TEST

/* ---- stacks ---- */

#define TOP UINT64_C(0x70000000)

static const char *text_at(const struct program_stack *stack, uint64_t address)
{
    ck_assert_uint_ge(address, stack->start);
    ck_assert_uint_lt(address, TOP);
    return (const char *)stack->bytes + (address - stack->start);
}

static uint64_t word_at(const struct program_stack *stack, size_t index)
{
    return le64(stack->bytes + 8 * index);
}

START_TEST(a_stack_has_what_a_program_looks_for)
{
    struct program_facts facts = {
        .entry = 0x401000, .table_at = 0x400040, .entries = 5, .platform = "p", .path = "/bin/x"};
    struct program_strings strings = {.bytes = NULL};
    const char *words[] = {"/bin/sh", NULL, "script"};
    struct program_stack stack;
    uint64_t vector[64] = {0};
    size_t at;

    memset(facts.random, 0x5a, sizeof facts.random);
    ck_assert_int_eq(program_strings_add(&strings, "x", 0), 0);
    ck_assert_int_eq(program_strings_add(&strings, "second", 0), 0);
    ck_assert_int_eq(program_strings_add(&strings, "A=b", 1), 0);
    ck_assert_int_eq(program_strings_replace(&strings, words, 3), 0);
    ck_assert_uint_eq(strings.arguments, 3);
    ck_assert_int_eq(program_stack_build(&strings, &facts, TOP, &stack), 0);
    ck_assert_uint_eq(stack.start % 16, 0);
    ck_assert_uint_eq(stack.start + stack.count, TOP);
    ck_assert_uint_eq(word_at(&stack, 0), 3);
    ck_assert_str_eq(text_at(&stack, word_at(&stack, 1)), "/bin/sh");
    ck_assert_str_eq(text_at(&stack, word_at(&stack, 2)), "script");
    ck_assert_str_eq(text_at(&stack, word_at(&stack, 3)), "second");
    ck_assert_uint_eq(word_at(&stack, 4), 0);
    ck_assert_str_eq(text_at(&stack, word_at(&stack, 5)), "A=b");
    ck_assert_uint_eq(word_at(&stack, 6), 0);
    for (at = 7; word_at(&stack, at) != 0; at += 2) {
        ck_assert_uint_lt(word_at(&stack, at), 64);
        vector[word_at(&stack, at)] = word_at(&stack, at + 1);
    }
    ck_assert_uint_eq(vector[3], 0x400040);
    ck_assert_uint_eq(vector[4], ELF_ENTRY_BYTES);
    ck_assert_uint_eq(vector[5], 5);
    ck_assert_uint_eq(vector[6], 4096);
    ck_assert_uint_eq(vector[9], 0x401000);
    ck_assert_uint_eq(vector[17], 100);
    ck_assert_int_eq(memcmp(text_at(&stack, vector[25]), facts.random, 16), 0);
    ck_assert_str_eq(text_at(&stack, vector[31]), "/bin/x");
    ck_assert_str_eq(text_at(&stack, vector[15]), "p");
    program_stack_free(&stack);
    program_strings_free(&strings);
}
END_TEST

/* ---- descriptors ---- */

static void nothing(struct vnode *vnode)
{
    (void)vnode;
}

START_TEST(descriptors_are_the_least_that_are_free)
{
    static const struct vnode_ops ops = {.release = nothing};
    static struct vnode vnode;
    const struct vnode_attributes attributes = {.type = VNODE_FILE};
    struct descriptor_table *table = descriptor_table_create(), *copy;
    struct file *file;

    vnode_init(&vnode, NULL, &ops, &attributes);
    ck_assert_int_eq(file_of_vnode(&vnode, 0, &file), 0);
    for (int i = 0; i < 200; i++)
        ck_assert_int_eq(descriptor_add(table, file_get(file), 0, 200, i % 2), i);
    ck_assert_int_eq(descriptor_add(table, file, 0, 200, false), -EMFILE);
    file_put(descriptor_take(table, 7));
    file_put(descriptor_take(table, 70));
    ck_assert_ptr_null(descriptor_take(table, 7));
    ck_assert_ptr_null(descriptor_file(table, 70));
    ck_assert_ptr_null(descriptor_file(table, UINT32_MAX));
    ck_assert_int_eq(descriptor_add(table, file_get(file), 8, 200, false), 70);
    ck_assert_int_eq(descriptor_add(table, file_get(file), 0, 200, false), 7);
    ck_assert_int_eq(descriptor_is_closing(table, 9), 1);
    ck_assert_int_eq(descriptor_is_closing(table, 200), -EBADF);
    ck_assert_int_eq(descriptor_set(table, file_get(file), DESCRIPTORS_MAX - 1, true), 0);
    copy = descriptor_table_copy(table);
    ck_assert_uint_eq(file->references, 403);
    descriptor_close_on_exec(copy);
    ck_assert_int_eq(descriptor_next(copy, 8), 8);
    ck_assert_int_eq(descriptor_next(copy, 199), -EBADF);
    descriptor_table_put(copy);
    descriptor_table_put(table);
    ck_assert_uint_eq(file->references, 1);
    file_put(file);
}
END_TEST

/* ---- numbers ---- */

START_TEST(numbers_lead_to_calls)
{
    struct sys_args args = {{11, 22, 33, 44, 55, 66}};
    const struct abi_number *numbers;
    unsigned count, known = 0;

    numbers = abi_numbers(&count);
    ck_assert_uint_le(count, ABI_NUMBERS_MAX);
    for (unsigned i = 0; i < count; i++) {
        ck_assert_uint_lt(numbers[i].call, SYS_COUNT);
        if (numbers[i].call != SYS_NONE) {
            ck_assert_ptr_nonnull(sys_call_at(numbers[i].call)->name);
            known++;
        }
    }
    printf("# %u of %u numbers known\n", known, count);
    ck_assert_int_eq(abi_call(2, &args), SYS_OPENAT);
    ck_assert_int_eq((int)args.value[0], -100);
    ck_assert_uint_eq(args.value[1], 11);
    ck_assert_uint_eq(args.value[3], 33);
    args = (struct sys_args){{11, 22, 33, 44, 55, 66}};
    ck_assert_int_eq(abi_call(56, &args), SYS_CLONE);
    ck_assert_uint_eq(args.value[3], 55);
    ck_assert_uint_eq(args.value[4], 44);
    ck_assert_int_eq(abi_call(UINT64_MAX, &args), SYS_NONE);
    ck_assert_int_eq(abi_call(count, &args), SYS_NONE);
    ck_assert_ptr_null(sys_call_at(SYS_NONE)->run);
}
END_TEST

static void start(void)
{
    fake_kernel_start(16 << 20);
}

int main(void)
{
    Suite *suite = suite_create("proc");
    TCase *all = tcase_create("proc");
    SRunner *runner;
    int failed;

    tcase_add_checked_fixture(all, start, NULL);
    tcase_add_test(all, a_good_program_is_read);
    tcase_add_test(all, hostile_programs_are_refused_or_sound);
    tcase_add_test(all, a_script_names_its_interpreter);
    tcase_add_test(all, a_stack_has_what_a_program_looks_for);
    tcase_add_test(all, descriptors_are_the_least_that_are_free);
    tcase_add_test(all, numbers_lead_to_calls);
    suite_add_tcase(suite, all);
    runner = srunner_create(suite);
    srunner_set_tap(runner, "-");
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
