/* SPDX-License-Identifier: MIT */
/*
 * check.h: a judge of FAT32 volumes, written against the specification and without a line of the
 * driver's code, so that the two do not share their mistakes.
 *
 * It reads a volume and says what it finds, each thing in a sentence and of one of three classes.
 * It believes nothing, needs two bits and a few bytes for each cluster of the volume, and ends on
 * any image: no cluster is passed twice. It changes nothing.
 *
 * It runs in the kernel (`fsck`), in tests, and in a program of the host, so it takes its memory
 * and its sectors from functions that it is given.
 *
 * Source: Microsoft, FAT32 File System Specification (fatgen103), 2000.
 */
#pragma once

#include <hal/compiler.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum check_class {
    CHECK_NOTE,   /**< unusual, and harmless */
    CHECK_UNTIDY, /**< what a cut of power may leave; mending it loses nothing */
    CHECK_DAMAGE  /**< data is lost, or will be */
};

struct check_means {
    void *context; /**< for all of these */
    /** Reads `count` sectors of 512 bytes. 0 or a negative error. */
    int (*read)(void *context, uint64_t sector, void *data, unsigned count);
    /** Writes them: for fat_repair only. */
    int (*write)(void *context, uint64_t sector, const void *data, unsigned count);
    void *(*allocate)(void *context, size_t bytes); /**< zeros, or NULL */
    void (*release)(void *context, void *memory);
    /** A finding: a sentence without a full stop. NULL: nobody wants to know. */
    void (*found)(void *context, enum check_class class, const char *text);
    uint64_t sectors; /**< of 512 bytes, that the volume's place has */
};

struct check_result {
    uint32_t findings[3]; /**< by class */
    uint32_t files, directories;
    uint32_t clusters; /**< of the volume */
    uint32_t used;     /**< that files and directories have */
    uint32_t lost;     /**< marked as used, and nobody's */
    uint32_t bad;      /**< marked as bad */
    bool in_use;       /**< marked as not unmounted */
};

/**
 * Judges a volume. Returns 0 whatever it finds; -ENOMEM; -EINVAL if it is not FAT32 at all or its
 * boot sector leaves no way to go on, which is a finding, too; or the error of the read that
 * failed. May sleep if the means do.
 */
HAL_MUST_CHECK int fat_check(const struct check_means *means, struct check_result *result);
