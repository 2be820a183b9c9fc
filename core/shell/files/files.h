/* SPDX-License-Identifier: MIT */
/*
 * files.h: what the commands that deal with files share.
 */
#pragma once

#include "fs/vfs.h"
#include "shell/job.h"

#include <hal/compiler.h>

#include <stdbool.h>
#include <stdint.h>

/** Prints "error: PATH: " and why. May sleep. */
void files_error(const char *path, int error);

/** The same, of a directory that a walk skips: for those who need not know. walk_failed. */
void files_skipped(const char *path, int error, void *context);

/** The same, unless it is 0 or -EINTR. Returns whether it is 0. */
bool files_report(const char *path, int error);

/**
 * Reads the options before the paths, single letters of `letters`, and sets the bit of each one's
 * place in it. Returns the index of the first word that is none ("--" is skipped), or 0: one is
 * wrong, or fewer than `paths` words are left, which has been printed.
 */
HAL_MUST_CHECK unsigned files_options(const struct job *job, const char *letters, unsigned paths,
                                      unsigned *set);

/** The last component of a path, without slashes behind it; "/" and "a/.." have none: "". */
void files_base_name(const char *path, char *name, size_t size);

/** Writes "DIRECTORY/NAME" (NAME alone for ""). -ENAMETOOLONG. */
HAL_MUST_CHECK int files_join(char *to, size_t size, const char *directory, const char *name);

/** "drwxr-xr-x" */
#define FILES_MODE_TEXT 11
void files_mode_text(const struct vnode_attributes *attributes, char text[FILES_MODE_TEXT]);

/** Numbers of bytes as "512", "1.5K", "29M". */
#define FILES_SIZE_TEXT 12
void files_size_text(uint64_t bytes, char text[FILES_SIZE_TEXT]);

/** Runs `act` on each word from `first` on until cancelled, and reports what fails. */
void files_each(struct job *job, unsigned first,
                int (*act)(struct job *job, const char *path, void *context), void *context);

/* copy.c, for mv. */

/**
 * Copies the tree or file at `from` to the path `to`, which is changed meanwhile. Reports errors
 * itself: true if there were none.
 */
bool files_copy(struct job *job, const char *from, char *to, bool trees);

/** remove.c: removes the tree or file at `path`. As above. */
bool files_remove(struct job *job, const char *path, bool trees, bool force);
