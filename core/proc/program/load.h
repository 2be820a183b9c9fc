/* SPDX-License-Identifier: MIT */
/*
 * load.h: from a path to memory that a program can begin in; and exec, which puts it in the place
 * of the old one.
 */
#pragma once

#include "fs/vnode.h"
#include "proc/process.h"
#include "proc/program/strings.h"

#include <hal/compiler.h>

#include <stdint.h>

struct file;

/** A program that is ready to begin, and owned by nobody yet. */
struct program_image {
    struct vm_space *space; /**< a reference */
    uintptr_t entry, stack; /**< the program counter and stack pointer to begin with */
    char *path;             /**< absolute, from kmalloc */
    struct process_texts texts;
    /** Of its own, for a process that shares what it has (CLONE_FILES): exec closes some. Or NULL.
     */
    struct descriptor_table *files;
};

/**
 * Makes what `path` from `directory` (NULL: the root) on, run with `strings`, needs in memory, with
 * the rights and limits of `process`. A script is run by its interpreter, and `strings` change.
 * On failure there is nothing: -ENOENT, -EACCES (not executable), -ENOEXEC, -ENOMEM, -E2BIG, -ELOOP
 * (scripts of scripts of scripts), and whatever reading it meets. May sleep.
 */
HAL_MUST_CHECK int program_load(struct process *process, struct vnode *directory, const char *path,
                                struct program_strings *strings, struct program_image *image);

/** Frees an image that was not used. */
void program_image_free(struct program_image *image);

/** The process, of one thread, `thread`, which does not run user code, is this program from now on.
 * Uses the image up. May sleep. */
void program_begin(struct user_thread *thread, struct program_image *image);

/** Opens an ELF file's program into `space`, which is empty: *facts get its addresses; *entry.
 * elf_load.c's. Errors as program_load's. May sleep. */
struct program_facts;
struct program_layout;
HAL_MUST_CHECK int program_load_elf(struct file *file, struct vm_space *space,
                                    const struct program_layout *layout,
                                    struct program_facts *facts, bool *runs_stack);
