/* SPDX-License-Identifier: MIT */
/*
 * reader.h: what the readers of the two formats share. Nobody else includes it.
 */
#pragma once

#include "boot/tags/tags.h"

/** Reads a list of ATAGs into `info`, which is empty but for its format. */
void atags_read(const void *tags, size_t bytes, struct boot_info *info);

/** Reads a device tree into `info`, which is empty but for its format. */
void tree_read(const void *tags, size_t bytes, struct boot_info *info);

/** Counts a flaw, and keeps its sentence if it is the first. */
void tags_add_flaw(struct boot_info *info, const char *format, ...) HAL_FORMAT(2, 3);

/** Adds a range of RAM, or a flaw when there are too many. */
void tags_add_ram(struct boot_info *info, uint64_t start, uint64_t bytes);

/**
 * Adds a range that is in use. When there are too many, the nearest two become one that covers
 * both: rather too much is kept from use than too little.
 */
void tags_add_reserved(struct boot_info *info, uint64_t start, uint64_t bytes);

/** Takes the text up to its NUL, or all `bytes` bytes, as the command line. */
void tags_set_cmdline(struct boot_info *info, const void *text, size_t bytes);
